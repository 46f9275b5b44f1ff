"""The command line as people use it: what is said, what is recorded, with which exit code."""

import json
import os
import shutil
import subprocess
import sys
import zipfile

import pytest
from tests.records import a1111_png, comfyui_png, png, text_to_image

from makingof.cli.main import COMMANDS, run
from makingof.texts import LANGUAGES


@pytest.fixture
def env(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return {"HOME": str(tmp_path / "home"), "MAKINGOF_STATE": str(tmp_path / "state")}


@pytest.fixture
def call(env, capsys):
    """Run a command; return its exit code, standard output and standard error."""

    def call(*arguments, **more):
        code = run([str(item) for item in arguments], env | more)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "a.png").write_bytes(a1111_png("a crane at dusk", "blurry", Seed=11))
    (folder / "b.png").write_bytes(comfyui_png(text_to_image("黄昏里的仙鹤，女孩与光线", seed=2**64 - 1)))
    (folder / "sketch.png").write_bytes(png(colour=(9, 9, 9)))
    return folder


@pytest.fixture
def ready(call, pictures):
    assert call("init", "--owner", "Test Owner", "--no-stamps")[0] == 0
    assert call("import", pictures)[0] == 0
    return pictures


def lines(out):
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["keep"], "缺少 PICTURES"),
        (["kepe", "a.png"], "没有命令 kepe"),
        (["keep", "a.png", "--fnal"], "是否指 --final"),
        (["log", "--kind", "made"], "--kind 只能是：enrolled"),
        (["watch", "nowhere"], "nowhere 不存在"),
        (["log", "--limit", "many"], "'many'"),
    ],
)
def test_what_is_typed_wrongly_is_said_in_the_reader_s_language(call, typed, said):
    code, _, err = call("--lang", "zh", *typed)
    assert code == 2
    assert err.startswith("用法有误：")
    assert said in err


def test_the_help_page_is_whole_in_the_reader_s_language(call):
    page = call("--lang", "zh", "keep", "--help")[1]
    assert page.startswith("用法： makingof keep")
    assert "显示本说明并退出" in page
    assert "Options" not in page


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_in_both_languages(call, name, language):
    code, out, _ = call(name, "--help", "--lang", language)
    assert code == 0
    assert f"makingof {name}" in out
    assert "help." not in out


def test_options_for_everything_stand_before_or_after_the_command(call, ready):
    before = call("--json", "--lang", "zh", "status")
    after = call("status", "--lang", "zh", "--json")
    assert before[:2] == after[:2]
    assert json.loads(before[1])["pictures"] == 3


def test_an_import_says_what_was_recognised_and_what_not(call, pictures):
    call("init", "--owner", "x", "--no-stamps")
    code, out, _ = call("import", pictures)
    assert code == 0
    assert "2 with a record of their making" in out
    assert "1 without one" in out
    assert "comfyui: 1" in out
    assert "3 recorded before; nothing written" in call("import", pictures)[1]


def test_an_import_of_an_empty_folder_says_so(call, tmp_path):
    call("init", "--owner", "Lin", "--no-stamps")
    (tmp_path / "empty").mkdir()
    assert "nothing to record there" in call("import", tmp_path / "empty")[1]


def test_an_import_with_a_file_it_cannot_read_names_it_and_returns_1(call, ready):
    (ready / "broken.png").symlink_to(ready / "nowhere.png")
    code, _, err = call("import", ready)
    assert code == 1
    assert "broken.png" in err


def test_a_picture_never_recorded_is_recorded_first_and_said_so(call, ready, tmp_path):
    new = tmp_path / "new.png"
    new.write_bytes(a1111_png("another", Seed=3))
    code, out, err = call("keep", new, "--reason", "the light")
    assert code == 0
    assert "recorded first" in err
    assert "kept new.png" in out


def test_choices_are_shown_by_log_and_search(call, ready):
    call("keep", ready / "a.png", "-r", "柔和的光线", "--among", ready)
    call("reject", ready / "b.png", ready / "sketch.png", "-r", "too dark")
    _, out, _ = call("log", "--json", "--kind", "selected", "--kind", "rejected")
    assert [row["kind"] for row in lines(out)] == ["selected", "rejected"]
    for word in ("女孩", "光线", "crane", "dark"):
        assert call("search", word)[0] == 0, word
    assert call("search", "不存在")[0] == 1


def test_show_prints_the_lineage_and_its_differences(call, ready, tmp_path):
    (ready / "c.png").write_bytes(a1111_png("a crane at dusk, (mist:1.2)", "blurry", Seed=12))
    call("import", ready)
    call("keep", ready / "c.png", "-r", "the mist", "--among", ready)
    after = tmp_path / "after.png"
    after.write_bytes(png(colour=(1, 2, 3)))
    call("edit", after, "--from", ready / "c.png", "-t", "colour by hand")
    code, out, _ = call("show", after)
    assert code == 0
    assert "a crane at dusk" in out
    assert "mist" in out
    assert "colour by hand" in out
    _, out, _ = call("show", after, "--json")
    assert json.loads(out)["rule"] == 1


def test_who_acts_is_named_by_pseudonym_or_enrolled_name(call, ready):
    call("enrol", "Second Person", "--role", "retouching")
    call("note", ready / "a.png", "-t", "the ears are too long", "--as", "Second Person")
    _, out, _ = call("log", "--json", "--actor", "a2")
    assert [row["kind"] for row in lines(out)] == ["noted"]
    code, _, err = call("note", "-t", "x", "--as", "Nobody")
    assert code == 2
    assert "a2 (Second Person)" in err


def test_an_act_can_be_affirmed_with_a_key_of_ones_own(call, ready):
    call("enrol", "Second Person", "--make-key")
    call("keep", ready / "a.png", "--as", "a2")
    code, out, _ = call("affirm", "last", "--as", "a2")
    assert code == 0, out
    _, out, _ = call("log", "--json", "--kind", "affirmed")
    assert lines(out)[0]["actor"] == "a2"


def test_a_package_is_written_verified_and_a_changed_one_is_caught(call, ready, tmp_path):
    call("keep", ready / "a.png", "--final")
    package = tmp_path / "package.zip"
    code, _, err = call("export", ready / "a.png", "-o", package)
    assert code == 0
    assert "no outsider dates" in err
    assert call("verify", package)[0] == 0
    data = bytearray(package.read_bytes())
    data[data.index(b"IDAT") + 8] ^= 1
    (tmp_path / "changed.zip").write_bytes(data)
    code, out, _ = call("verify", tmp_path / "changed.zip")
    assert code == 1
    assert "changed after the package was made" in out.splitlines()[1]
    code, out, _ = call("verify", tmp_path / "changed.zip", "--json")
    assert code == 1
    assert json.loads(out)["outcome"] == "failed"


def test_a_project_is_exported_by_its_finals(call, ready, tmp_path):
    call("brief", "仙鹤", "-t", "dusk")
    assert call("export", "--project", "仙鹤", "-o", tmp_path / "p.zip")[0] == 2
    call("keep", ready / "a.png", "--final", "--title", "Crane")
    assert call("export", "--project", "仙鹤", "-o", tmp_path / "p.zip")[0] == 0
    assert call("export", "--repeat", "last", "-o", tmp_path / "q.zip")[0] == 2
    _, out, _ = call("log", "--json", "--kind", "exported")
    event = f"e{lines(out)[-1]['position']}"
    assert call("export", "--repeat", event, "-o", tmp_path / "q.zip")[0] == 0
    assert (tmp_path / "q.zip").read_bytes() == (tmp_path / "p.zip").read_bytes()


def test_erasing_asks_and_says_what_stays(call, ready):
    code, _, err = call("erase", ready / "a.png", "-r", "asked for", "--yes")
    assert code == 0
    assert call("fsck")[0] == 0
    assert "the bytes of 1 files go for good" in err


def test_fsck_and_reindex_and_status_speak(call, ready):
    code, out, _ = call("fsck")
    assert code == 0
    assert "the archive is sound" in out
    assert call("reindex")[0] == 0
    assert "never dated by an outsider" in call("status")[1]


def test_backup_and_restore_go_round(call, ready, tmp_path):
    assert call("backup", tmp_path / "backup")[0] == 0
    archive = tmp_path / "elsewhere" / ".makingof"
    assert call("--archive", archive, "restore", tmp_path / "backup")[0] == 0
    assert "entries" in call("--archive", archive, "fsck")[1]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["status"], 2),
        (["keep", "x.png"], 2),
        (["nonsense"], 2),
        (["verify"], 2),
        ([], 2),
        (["log", "--kind", "authored"], 2),
        (["log", "--since", "yesterday"], 2),
    ],
)
def test_wrong_usage_exits_with_2_and_says_why(call, arguments, code):
    assert call(*arguments)[0] == code


def test_a_command_without_an_archive_says_how_to_make_one(call):
    code, _, err = call("status", "--lang", "zh")
    assert code == 2
    assert "makingof init" in err


def test_inspect_prints_one_object_a_file_without_an_archive(call, pictures):
    code, out, _ = call("inspect", pictures, "--json")
    found = {item["file"].rsplit("/", 1)[1]: item for item in lines(out)}
    assert code == 0
    assert found["a.png"]["tool"] == "a1111"
    assert found["a.png"]["prompt"] == "a crane at dusk"
    assert found["a.png"]["negative"] == "blurry"
    assert found["b.png"]["seed"] == str(2**64 - 1)
    assert found["sketch.png"]["tool"] is None
    assert found["b.png"]["records"][0]["digest"].startswith("sha256:")


def test_a_hostile_record_cannot_drive_the_terminal(call, tmp_path):
    path = tmp_path / "hostile.png"
    path.write_bytes(a1111_png("a\x1b[2Jb\u202ec", Seed=1))
    _, out, _ = call("inspect", path)
    assert "\x1b" not in out
    assert "\u202e" not in out


def test_the_demonstration_goes_as_told(call):
    code, out, _ = call("demo", "--json")
    assert code == 0
    assert json.loads(out.splitlines()[-1]) == {"sound": True, "caught": True}


def test_a_log_that_was_succeeded_can_still_be_packed(call, ready, tmp_path):
    assert call("backup", tmp_path / "backup")[0] == 0
    call("keep", ready / "a.png")
    shutil.rmtree(tmp_path / "home" / ".makingof")
    assert call("restore", tmp_path / "backup")[0] == 0
    code, out, _ = call("init", "--successor", "--owner", "Test Owner")
    assert (code, "can still be read there" in out) == (0, True)
    (earlier,) = (tmp_path / "home" / ".makingof" / "earlier").iterdir()
    code, out, err = call("--archive", earlier, "export", ready / "a.png", "-o", tmp_path / "earlier.zip")
    assert code == 0, err
    assert "can only be read" in out
    assert call("verify", tmp_path / "earlier.zip")[0] == 0


def test_what_was_withheld_is_opened_later_beside_the_package(call, ready, tmp_path):
    call("keep", ready / "a.png", "-r", "柔和的光线")
    _, out, _ = call("log", "--json", "--kind", "generated")
    event = f"e{lines(out)[0]['position']}"
    package = tmp_path / "sealed.zip"
    withheld = ("--withhold", "prompts", "--withhold", f"{event}:parameters")
    assert call("export", ready / "a.png", "-o", package, *withheld)[0] == 0
    assert b"crane" not in package.read_bytes()
    opened = tmp_path / "opened.jsonl"
    assert call("export", "--disclose", f"{event}:prompt", "-o", opened)[0] == 0
    assert b"crane" in opened.read_bytes()
    assert call("verify", package, "--open", opened)[0] == 0
    opened.write_bytes(opened.read_bytes().replace(b"crane", b"heron"))
    assert call("verify", package, "--open", opened)[0] == 1
    everything = tmp_path / "everything.jsonl"
    assert call("export", "--disclose", package, "-o", everything)[0] == 0
    assert call("verify", package, "--open", everything, "--sm3")[0] == 0
    assert call("export", "--disclose", f"{event}:choice", "-o", tmp_path / "x.jsonl")[0] == 2
    assert call("export", ready / "a.png", "-o", tmp_path / "y.zip", "--withhold", f"{event}:reason")[0] == 2


@pytest.mark.parametrize("arguments", ["--help", "inspect ."])
def test_a_reader_who_has_seen_enough_is_no_error(arguments, tmp_path):
    for number in range(200):  # more than a pipe takes in while nobody reads it
        (tmp_path / f"{number}.png").write_bytes(a1111_png("a crane at dusk, " * 40))
    command = f"{sys.executable} -m makingof {arguments} | head -n 1"
    done = subprocess.run(
        ["/bin/sh", "-c", command], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stderr == ""


def test_looking_at_a_picture_never_recorded_records_nothing(call, ready, tmp_path):
    new = tmp_path / "new.png"
    new.write_bytes(a1111_png("another", Seed=3))
    before = call("log", "--json")[1]
    code, _, err = call("show", new)
    assert code == 2
    assert "import it first" in err
    assert call("erase", new, "-r", "x", "--yes")[0] == 2
    call("show", ready / "a.png")
    assert [row["kind"] for row in lines(call("log", "--json")[1])] == [row["kind"] for row in lines(before)]


def test_a_picture_whose_name_is_no_unicode_is_kept(call, ready):
    path = ready / os.fsdecode(b"cr\xe9pe.png")
    path.write_bytes(a1111_png("a name from another time", Seed=4))
    code, out, err = call("keep", path)
    assert code == 0, err
    assert "cr\\udce9pe.png" in out
    assert call("show", path)[0] == 0
    path.unlink()
    assert call("show", path, "--json")[0] == 0


def test_erasing_says_what_of_it_stays(call, ready):
    _, out, _ = call("log", "--json", "--kind", "generated")
    event = f"e{next(row['position'] for row in lines(out) if 'crane' in (row['text'] or ''))}"
    code, _, err = call("erase", event, "--part", "people", "-r", "asked", "--yes")
    assert code == 2
    assert "has no part of the kind people" in err
    assert "prompt" in err.splitlines()[-1]
    _, _, err = call("erase", event, "--part", "prompt", "-r", "asked", "--yes")
    assert "the picture's own text fields: a.png" in err
    _, _, err = call("erase", ready / "a.png", "-r", "asked", "--yes")
    assert "the other statements stay" in err
    erased = f"e{lines(call('log', '--json', '--kind', 'erased')[1])[-1]['position']}"
    code, _, err = call("show", event)
    assert code == 2
    assert f"erased by {erased}" in err
    _, _, err = call("keep", "out/a.png")
    assert f"were erased by {erased}" in err


def test_the_folder_an_archive_lies_in_names_it_too(call, tmp_path):
    assert call("init", tmp_path / "work", "--owner", "x", "--no-stamps")[0] == 0
    code, out, _ = call("--archive", tmp_path / "work", "status", "--json")
    assert code == 0
    assert json.loads(out)["archive"] == str(tmp_path / "work" / ".makingof")


@pytest.mark.parametrize("given", [[], ["--owner", "x"], ["--no-stamps"]])
@pytest.mark.parametrize("language", LANGUAGES)
def test_init_without_a_terminal_says_what_to_give(call, given, language, tmp_path):
    code, _, err = call("init", *given, "--lang", language)
    assert code == 2
    assert "--owner" in err
    assert "--no-stamps" in err
    assert not (tmp_path / "home" / ".makingof").exists()


def test_a_zip_is_imported_as_it_was_handed_out(call, ready, tmp_path):
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as made:
        made.writestr("a.png", a1111_png("a crane"))
        made.writestr("notes.txt", b"mine")
        made.writestr("../b.png", a1111_png("a heron"))
    code, out, err = call("import", tmp_path / "export.zip")
    assert code == 1
    assert "1 other files stay in the zip" in out
    assert "1 with a record of their making" in out
    assert "leads out of the zip" in err


@pytest.mark.parametrize("when", ["2999-01-01T00:00:00Z", "2999-01-01", " 9999-12-31T23:59:59-12:00 "])
def test_what_is_yet_to_come_cannot_be_told(call, ready, when):
    code, _, err = call("keep", ready / "a.png", "--among", ready, "--when", when)
    assert code == 2
    assert "is yet to come" in err
    assert lines(call("log", "--kind", "selected", "--json")[1]) == []


@pytest.mark.parametrize("when", ["last spring", "2026-03-01", "2026-03-01T21:14+08:00", "0001-01-01T00:00Z"])
def test_what_has_happened_is_told_in_the_teller_s_own_words(call, ready, when):
    assert call("keep", ready / "a.png", "--among", ready, "--when", when)[0] == 0
    (row,) = lines(call("log", "--kind", "selected", "--json")[1])
    assert row["means"] == "stated"
