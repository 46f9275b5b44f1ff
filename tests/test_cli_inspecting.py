"""`inspect`: a page of everything a file says, what it is worth, and what does not go together."""

import json
from unicodedata import east_asian_width

import pytest
from tests.documents.krita import write_kra_with_ai
from tests.documents.psd import write_psd
from tests.documents.zipped import write_zip
from tests.exports import log_csv
from tests.records import a1111_png, comfyui_png, png
from tests.test_metadata_inputs import SKETCH, image_to_image

from makingof.cli.inspecting_page import broken
from makingof.cli.main import run
from makingof.digest import Digest
from makingof.texts import LANGUAGES

ALSO = {
    "document", "secrets", "contradictions", "container", "width", "height", "size", "digest", "inputs",
    "export",
}  # fmt: skip
CONTRACT = {"file", "tool", "prompt", "negative", "seed", "steps", "model", "records"}


@pytest.fixture
def inspect(capsys, tmp_path):
    def call(name, data, *options):
        path = tmp_path / name
        path.write_bytes(data)
        code = run(["inspect", str(path), *options])
        return code, capsys.readouterr().out

    return call


def test_json_keeps_its_keys_and_says_document_secrets_and_contradictions(inspect):
    _, out = inspect("a.kra", write_kra_with_ai(), "--json")
    said = json.loads(out)
    assert set(said) == CONTRACT | ALSO
    assert said["tool"] == "krita"
    assert said["prompt"] is None  # its jobs' prompts are not the document's
    assert [job["id"] for job in said["document"]["jobs"]] == ["job-a", "job-b", "job-c"]
    assert said["records"][0]["worth"] == "claimed"


def test_a_file_that_is_no_document_has_none(inspect):
    _, out = inspect("a.png", png(), "--json")
    said = json.loads(out)
    assert (said["document"], said["secrets"], said["contradictions"]) == (None, [], [])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_shows_layers_jobs_and_what_was_applied(inspect, language):
    code, out = inspect("a.kra", write_kra_with_ai(), "--lang", language)
    assert code == 0
    for told in ("5421", "job-a", "best quality, a jade cat", "hand"):
        assert told in out


def test_the_page_of_a_photoshop_document_shows_its_history(inspect):
    _, out = inspect("a.psd", write_psd())
    assert "psd" in out
    assert "hand" in out


def test_secrets_are_found_and_never_shown_whole(inspect):
    key = "sk-" + "a1B2" * 10
    code, out = inspect("leak.png", a1111_png(f"a crane {key}", Seed=1), "--json")
    (secret, *_) = json.loads(out)["secrets"]
    assert code == 0
    assert secret["kind"] == "OpenAI"
    assert key not in secret["excerpt"]


def test_records_that_contradict_each_other_are_named(inspect):
    data = png({"parameters": a1111("a crane", 1), "Comment": a1111("a crane", 2)})
    _, out = inspect("two.png", data, "--json")
    kinds = [found["kind"] for found in json.loads(out)["contradictions"]]
    assert "records_differ" in kinds
    _, page = inspect("two.png", data)
    assert "contradiction" in page


def a1111(prompt, seed):
    return f"{prompt}\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: {seed}, Size: 8x8, Version: v1.10.1"


def test_a_layer_s_name_cannot_drive_the_terminal(inspect):
    state = {"history": [{"id": "\x1b[2J", "slot": 0, "offsets": [0], "params": {"metadata": {}}}]}
    _, out = inspect("hostile.kra", write_kra_with_ai(state))
    assert "\x1b" not in out


def test_what_begins_like_a_document_and_is_none_is_said_to_say_nothing(inspect):
    code, out = inspect("broken.psd", b"8BPS")
    assert code == 0
    assert out.splitlines()[-1] == "  says nothing about itself"


def test_a_page_begins_with_what_the_file_is(inspect):
    data = a1111_png("a crane", Seed=1)
    _, out = inspect("a.png", data)
    assert out.splitlines()[1:3] == [f"  PNG, 8 x 8, {len(data)} bytes", f"  {Digest.of(data)}"]


def test_shared_facts_are_named_in_the_reader_s_language(inspect):
    _, out = inspect("a.png", a1111_png("a crane", "blurry"), "--lang", "zh")
    assert "提示词: a crane" in out
    assert "反向提示词: blurry" in out


def test_a_picture_s_input_is_named_with_what_names_it(inspect):
    _, out = inspect("a.png", comfyui_png(image_to_image()))
    assert f"made from: sketch.png, by SHA-256 {SKETCH} (node 10 LoadImage)" in out
    _, out = inspect("b.png", comfyui_png(image_to_image(is_changed=None)), "--json")
    (item,) = json.loads(out)["inputs"]
    assert (item["sha256"], item["name"], item["role"]) == (None, "sketch.png", "init")


def test_an_export_says_what_it_would_tell(inspect):
    row = {"prompt": "a crane", "seed": 1, "filename": "00001-1.png"}
    _, out = inspect("log.csv", log_csv(row))
    assert "saved pictures listed by AUTOMATIC1111 (log.csv): 1 events to tell" in out
    _, out = inspect("history.json", b'{"outputs": 1, "a": [', "--json")
    assert json.loads(out)["export"]["source"] == "json"


def test_a_zip_is_looked_into_and_what_cannot_be_read_is_said(capsys, tmp_path):
    path = tmp_path / "export.zip"
    path.write_bytes(
        write_zip([("in/a.png", a1111_png("a crane")), ("../b.png", png()), ("notes.txt", b"mine")])
    )
    assert run(["inspect", str(path), "--json"]) == 1
    said = capsys.readouterr()
    (facts,) = [json.loads(line) for line in said.out.splitlines()]
    assert (facts["file"], facts["prompt"]) == (f"{path}!/in/a.png", "a crane")
    assert "leads out of the zip" in said.err


@pytest.mark.parametrize("language", LANGUAGES)
def test_of_several_files_the_tools_are_counted_at_the_end(capsys, tmp_path, language):
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(a1111_png("a crane", Seed=number))
    (tmp_path / "sketch.png").write_bytes(png())
    assert run(["inspect", str(tmp_path), "--lang", language]) == 0
    last = capsys.readouterr().out.splitlines()[-4:]
    assert [next(number for number in "431" if number in line) for line in last] == ["4", "3", "1", "3"]


@pytest.mark.parametrize("text", ["a crane at dusk " * 20, "黄昏里的仙鹤" * 40, "x" * 300, "a 仙 " * 60])
def test_lines_are_broken_to_the_width_of_the_terminal_and_nothing_is_lost(text):
    lines = broken(f"prompt: {text}", 80, "      ")
    assert all(len(line) + sum(east_asian_width(sign) in "WF" for sign in line) <= 80 for line in lines)
    assert "".join("".join(lines).split()) == "".join(f"prompt: {text}".split())
