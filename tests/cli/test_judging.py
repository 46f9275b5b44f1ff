"""What authorities asked for, asked on the command line."""

import json

import pytest
from tests.records import a1111_png

from makingof.assess.shipped import shipped_cases, shipped_packs


@pytest.fixture
def picture(tmp_path, call):
    path = tmp_path / "cat.png"
    path.write_bytes(a1111_png("a cat of moonlight"))
    other = tmp_path / "other.png"
    other.write_bytes(a1111_png("a dog", colour=(1, 2, 3)))
    assert call("import", path, other)[0] == 0
    assert call("keep", path, "--among", other, "--reason", "the light", "--final")[0] == 0
    return path


def test_all_packs_stand_side_by_side_and_no_sum_is_made(call, picture):
    code, out, _ = call("assess", picture)
    assert code == 0
    for pack in shipped_packs():
        assert f"({pack.id}, draft)" in out
    assert "%" not in out
    assert "no legal advice" in out
    assert "a1 (Test Owner), person: who chose: 1 acts" in out
    assert "the record shows (attested) · Selection" in out
    assert call("assess", picture, "--all")[1] == out


def test_one_pack_says_what_was_asked_which_events_answer_and_what_to_do_now(call, picture):
    code, out, _ = call("assess", picture, "--pack", "cn-courts")
    assert code == 0
    assert "events: e" in out
    assert "makingof stamp" in out
    assert "source: " in out
    _, chinese, _ = call("--lang", "zh", "assess", picture, "--pack", "cn-courts")
    assert "记录显示" in chinese


def test_json_has_every_requirement_with_both_axes(call, picture):
    lines = [json.loads(line) for line in call("assess", picture, "--json")[1].splitlines()]
    assert [line["pack"]["id"] for line in lines[:-2]] == [pack.id for pack in shipped_packs()]
    assert all({"shown", "counts"} <= item.keys() for line in lines[:-2] for item in line["requirements"])
    assert lines[-1]["completeness"]


def test_another_pack_on_a_package_somebody_handed_over(call, picture, tmp_path):
    package = tmp_path / "cat.zip"
    assert call("export", picture, "-o", package, "--no-stamp")[0] == 0
    pack = tmp_path / "theirs.toml"
    text = (
        "version = 1\nid = 'theirs'\nedition = '1'\nlifecycle = 'draft'\n"
        "date = '2026-11-01'\nreviewer = ''\n"
        "authority = {en = 'X', zh = '甲'}\nabout = {en = 'Y', zh = '乙'}\n"
        "[[source]]\nid = 's'\ncite = 'a rule'\nread = 'primary'\n"
        "[[requirement]]\nid = 'r'\ntitle = {en = 'Their question', zh = '丙'}\n"
        "asks = {en = 'A', zh = '丁'}\n"
        "met_by = {en = 'B', zh = '戊'}\ncounts = 'proof'\ncounts_why = {en = 'C', zh = '己'}\n"
        "sources = ['s']\nneeds = {probe = 'prompts_recorded', means = 'left_behind'}\n"
    )
    pack.write_text(text, "utf-8")
    assert call("packs", "check", pack)[0] == 0
    code, out, _ = call("assess", package, "--pack", pack)
    assert code == 0
    assert "the record shows (attested) · Their question" in out
    assert call("challenge", package)[0] == 0
    assert call("assess", package, picture)[0] == 2
    data = bytearray(package.read_bytes())
    at = data.index(b"IDAT") + 40
    data[at] ^= 1
    package.write_bytes(data)
    code, _, err = call("assess", package)
    assert code == 30
    assert "does not verify" in err


def test_a_pack_that_is_not_whole_is_said_to_be_so(call, tmp_path):
    bad = tmp_path / "bad.toml"
    bad.write_text("version = 1", "utf-8")
    code, out, _ = call("packs", "check", bad)
    assert code == 1
    assert "shape" in out
    assert call("packs", "check")[0] == 2
    assert call("packs", "check", tmp_path / "none.toml")[0] == 10
    code, _, err = call("packs", "no-such")
    assert code == 2
    assert "cn-courts" in err


def test_packs_are_listed_and_shown_with_their_templates(call):
    listed = call("packs")[1]
    assert all(pack.id in listed for pack in shipped_packs())
    shown = call("packs", "us-evidence")[1]
    assert "902(14)" in shown
    assert "DRAFT FOR A QUALIFIED PERSON" in shown


def test_challenge_asks_in_the_readers_language(call, picture):
    code, out, _ = call("challenge", picture)
    assert code == 0
    assert "[no full answer]" in out
    assert "[not applicable] Whose account is it?" in out  # no account is on record: nothing was answered
    assert "【没有完整回答】" in call("challenge", picture, "--lang", "zh")[1]
    lines = [json.loads(line) for line in call("challenge", picture, "--json")[1].splitlines()]
    assert {"question", "answered", "findings"} <= lines[0].keys()


def test_cases_of_ones_own_are_replayed_and_a_failing_one_fails(call, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    case = next(data for data in shipped_cases() if b'id = "prague-2023"' in data)
    (folder / "one.toml").write_bytes(case)
    code, out, _ = call("cases", folder)
    assert code == 0
    assert "as stated" in out
    assert "does not show how the next case" in out
    wrong = case.replace(b'axis = "A"\nvalues = ["absent"]', b'axis = "A"\nvalues = ["shown"]')
    assert wrong != case
    (folder / "one.toml").write_bytes(wrong)
    kept = tmp_path / "kept"
    code, out, _ = call("cases", folder, "--keep", kept, "--json")
    assert code == 1
    assert json.loads(out.splitlines()[0])["reasons"][0]["explained"] is False
    assert (kept / "prague-2023" / "archive" / "log.sqlite").exists()
    assert call("cases", folder, "--keep", kept)[0] == 2


def test_status_warns_while_it_can_still_be_mended(call, tmp_path):
    path = tmp_path / "alone.png"
    path.write_bytes(a1111_png("alone"))
    call("publish", path, "--where", "a page")
    out = call("status")[1]
    assert "1" in out
    assert "not yet dated" in out
