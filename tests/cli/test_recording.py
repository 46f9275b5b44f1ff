"""Recording without being asked for, as people set it up."""

import json
import threading
import time
from contextlib import contextmanager

import pytest
from tests.documents.psd import write_psd
from tests.hooks import SOURCE, job
from tests.invokeai_host import InvokeAI, serving
from tests.records import a1111_png, png
from tests.records_elsewhere import jpeg, xmp, xmp_segment

from makingof.spool import carried


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "ComfyUI"
    (folder / "custom_nodes").mkdir(parents=True)
    (folder / "main.py").write_text("", "utf-8")
    return folder


def test_a_hook_is_shown_connected_tried_and_taken_out_again(call, root):
    code, out, _ = call("connect", "comfyui", root, "--dry-run")
    assert code == 0
    assert "nothing was written" in out
    assert not (root / "custom_nodes/makingof").exists()
    assert call("connect", "comfyui", root)[0] == 0
    code, out, _ = call("doctor")
    assert code == 0
    assert "counts as live" in out
    assert call("disconnect", "comfyui", root)[0] == 0
    assert call("disconnect", "comfyui", root)[0] == 2


def test_the_hook_of_python_programs_needs_no_folder(call):
    assert call("connect", "python", "--dry-run")[0] == 0
    assert "no hook is connected" in call("doctor")[1]
    assert call("connect", "python")[0] == 0
    assert call("connect", "python")[0] == 0
    assert "--url" not in call("doctor")[1]  # nothing listens in such a program
    code, out, _ = call("doctor", "--json")
    (found,) = map(json.loads, out.splitlines())
    assert (code, found["tool"], found["round_trip"]) == (0, "python", "ok")
    assert call("disconnect", "python")[0] == 0
    assert call("disconnect", "python")[0] == 2


def test_a_tool_with_a_folder_has_to_be_told_it(call):
    code, _, err = call("connect", "comfyui")
    assert code == 2
    assert "which comfyui" in err
    assert "no hook for krita" in call("connect", "krita")[2]


def test_drain_says_what_it_recorded_and_another_command_does_it_unasked(call, root):
    call("connect", "comfyui", root)
    connection = carried.load_connection(root / "custom_nodes/makingof/connection.json")
    stream = carried.HookStream(connection, SOURCE)
    stream.open({})
    job(stream)
    code, out, _ = call("drain", "--json")
    assert code == 0
    assert json.loads(out)["events"] == {"own": 1, "live": 2}
    job(stream, b"another")
    assert call("note", "--text", "the crane is too small")[0] == 0
    assert call("drain", "--json")[1].strip() == '{"events": {}, "already": 0, "gaps": 0}'
    assert len(call("log", "--kind", "generated", "--json")[1].splitlines()) == 2


def test_what_a_hook_starts_is_silent_and_records(call, root):
    call("connect", "comfyui", root)
    connection = carried.load_connection(root / "custom_nodes/makingof/connection.json")
    stream = carried.HookStream(connection, SOURCE)
    stream.open({})
    job(stream)
    assert call("drain", "--background")[:2] == (0, "")
    assert len(call("log", "--kind", "generated", "--json")[1].splitlines()) == 1


@contextmanager
def stopped_once(archive, condition):
    """Ask the recorder in front to end as soon as `condition` holds."""

    def watch():
        deadline = time.monotonic() + 30
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.05)
        (archive / "spool/stop").write_bytes(b"")

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def test_watch_records_what_arrives_and_says_so(call, tmp_path):
    folder, archive = tmp_path / "out", tmp_path / "home/.makingof"
    folder.mkdir()

    def arrive():
        if not (archive / "spool/recorder").exists():
            return False
        (folder / "a.png").write_bytes(a1111_png("a crane", "", Seed=1))
        time.sleep(1.5)
        return True

    with stopped_once(archive, arrive):
        code, out, _ = call("watch", folder)
    assert code == 0
    assert f"watching {folder}" in out
    assert "a.png" in out
    kinds = [json.loads(line)["kind"] for line in call("log", "--json")[1].splitlines()]
    assert {"configured", "opened", "generated", "closed"} <= set(kinds)


def test_an_edit_is_linked_by_its_document_proposed_by_its_likeness_and_confirmed(call, tmp_path):
    """The way of a picture from a watched folder into its lineage, as a person goes it."""
    folder, archive = tmp_path / "out", tmp_path / "home/.makingof"
    folder.mkdir()
    said = {"xmp:CreatorTool": "Adobe Photoshop 26.0", "xmpMM:DocumentID": "xmp.did:two"}
    steps = iter(
        [
            ("draft.png", a1111_png("a crane", "", Seed=1, width=64, height=64)),
            ("work.psd", write_psd()),
            ("from-psd.jpg", jpeg(xmp_segment(xmp(said)))),
            ("touched-up.png", png(width=64, height=64)),
        ]
    )

    def arrive():
        if not (archive / "spool/recorder").exists():
            return False
        for name, data in steps:
            (folder / name).write_bytes(data)
            time.sleep(1.2)
        return True

    with stopped_once(archive, arrive):
        code, out, _ = call("watch", folder)
    assert code == 0
    assert "touched-up.png" in out
    assert "draft.png" in out.split("touched-up.png")[-1]
    shown = call("show", folder / "from-psd.jpg")[1]
    assert "work.psd" in shown
    before = call("show", folder / "touched-up.png")[1]
    assert "draft.png" not in before
    assert call("edit", folder / "touched-up.png", "--yes")[0] == 0
    after = call("show", folder / "touched-up.png")[1]
    assert "draft.png" in after
    assert "a crane" in after


def test_watch_follows_a_generator_only_where_it_is_told_both_address_and_folder(call, tmp_path):
    assert call("watch", "--url", "http://127.0.0.1:8188")[0] == 2
    assert call("watch", "--url", "http://example.org:80", "--root", tmp_path)[0] == 2


def test_watch_goes_on_when_the_generator_does_not_answer(call, tmp_path):
    archive = tmp_path / "home/.makingof"
    with stopped_once(archive, (archive / "spool/recorder").exists):
        code, _, err = call("watch", "--url", "http://127.0.0.1:1", "--root", tmp_path)
    assert code == 0
    assert "nothing that could be followed answers" in err


@pytest.fixture
def invokeai(tmp_path):
    host = InvokeAI(tmp_path / "invokeai")
    host.ended_ago = 60
    with serving(host) as url:
        yield host, url
    host.close()


def test_watch_finds_out_which_generator_answers(call, tmp_path, invokeai):
    host, url = invokeai
    host.run()
    archive = tmp_path / "home/.makingof"

    def is_seen():
        return (archive / "spool/recorder").exists() and len(host.asked) > 4

    with stopped_once(archive, is_seen):
        code, out, err = call("watch", "--url", url, "--root", host.root)
    assert code == 0, err
    assert "from the program's own queue" in out
    assert len(call("log", "--kind", "generated", "--json")[1].splitlines()) == 1


def test_watch_says_once_that_nothing_answers_and_what_to_do(call, tmp_path, invokeai):
    host, _ = invokeai
    began = time.monotonic()
    with stopped_once(tmp_path / "home/.makingof", lambda: time.monotonic() - began > 5):  # three looks
        code, _, err = call("watch", "--url", "http://127.0.0.1:9", "--root", host.root)
    assert code == 0
    assert err.count("nothing that could be followed answers") == 1
    assert "start it first" in err


def test_doctor_says_that_invokeai_takes_no_hook_and_looks_again(call, invokeai):
    host, url = invokeai
    item, _ = host.run()
    code, out, _ = call("doctor", "--url", url)
    assert code == 1
    assert "invokeai" in out
    assert "has no hook of ours in it" in out
    assert "0 of the 1 jobs" in out
    assert host.session_id(item) in out
    assert call("doctor", "--url", "http://127.0.0.1:1")[0] == 10


def test_connecting_invokeai_says_what_to_do_instead(call, tmp_path):
    code, _, err = call("connect", "invokeai", tmp_path)
    assert code == 2
    assert "makingof watch --url" in err


def test_a_token_for_a_host_with_several_users_comes_from_the_environment(call, invokeai, tmp_path):
    host, url = invokeai
    host.token = "let-me-in"  # noqa: S105 - made up
    code, _, err = call("doctor", "--url", url)
    assert code == 10
    assert "MAKINGOF_TOKEN" in err
    call.env["MAKINGOF_TOKEN"] = host.token
    assert call("doctor", "--url", url)[0] == 0


def test_what_starts_at_login_is_shown_before_it_is_written(call, tmp_path, monkeypatch):
    monkeypatch.setattr("click.confirm", lambda *_arguments, **_named: False)
    code, _, err = call("start", "--at-login")
    assert code == 1
    assert "makingof" in err
    assert not (tmp_path / "home/.config/systemd").exists()
    assert call("stop", "--at-login")[0] == 0


def test_status_says_whether_anything_records(call, root):
    assert "no recorder runs" in call("status")[1]
    call("connect", "comfyui", root)
    out = call("status")[1]
    assert "connected: comfyui" in out
    assert json.loads(call("status", "--json")[1])["recording"] is False
