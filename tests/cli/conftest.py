"""Commands run in this process, in a folder with an archive of its own."""

import pytest

from makingof.cli.main import run


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    env = {"HOME": str(tmp_path / "home"), "MAKINGOF_STATE": str(tmp_path / "state")}

    def call(*arguments):
        code = run([str(item) for item in arguments], env)
        said = capsys.readouterr()
        return code, said.out, said.err

    call.env = env
    assert call("init", "--owner", "Test Owner", "--no-stamps")[0] == 0
    return call
