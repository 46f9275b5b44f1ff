"""Recording without being asked for, as people set it up."""

import json

import pytest
from tests.hooks import SOURCE, job

from makingof.cli.main import run
from makingof.spool import carried


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    env = {"HOME": str(tmp_path / "home"), "MAKINGOF_STATE": str(tmp_path / "state")}

    def call(*arguments):
        code = run([str(item) for item in arguments], env)
        said = capsys.readouterr()
        return code, said.out, said.err

    assert call("init", "--owner", "Test Owner", "--no-stamps")[0] == 0
    return call


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
