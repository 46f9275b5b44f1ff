"""`inspect`: a page of everything a file says, what it is worth, and what does not go together."""

import json

import pytest
from tests.documents.krita import write_kra_with_ai
from tests.documents.psd import write_psd
from tests.records import a1111_png, png

from makingof.cli.main import run
from makingof.texts import LANGUAGES

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
    assert set(said) == CONTRACT | {"document", "secrets", "contradictions"}
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
    assert len(out.splitlines()) == 2
