"""What commands load before they start; how long that takes, `make bench` measures."""

import json
import subprocess
import sys

import pytest

_LOADED = """
import json, sys
from makingof.cli.main import run
run(sys.argv[1:])
print(json.dumps(list(sys.modules)))
"""
_LIBRARIES = {
    "PIL", "asn1crypto", "certifi", "concurrent.futures", "cryptography.hazmat.primitives.serialization",
    "cryptography.x509", "defusedxml", "http.client", "importlib.resources", "rfc3161_client", "rich",
    "socket", "ssl", "subprocess", "urllib.request", "watchfiles",
}  # fmt: skip
_RECORDING = {
    "makingof.archive.archive", "makingof.capture", "makingof.live", "makingof.recorder", "makingof.store",
    "makingof.spool.carried",
}  # fmt: skip
_READING_FILES = {"makingof.containers", "makingof.metadata"}
_JUDGING = {
    "makingof.assess", "makingof.bundle", "makingof.index.chunks", "makingof.index.graph",
    "makingof.lineage.rule", "makingof.stamp", "makingof.verify",
}  # fmt: skip


def loaded(*arguments):
    """Return what a fresh process has loaded when `makingof ARGUMENTS` is done."""
    done = subprocess.run(
        [sys.executable, "-c", _LOADED, *arguments], check=True, capture_output=True, encoding="utf-8"
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("command", [("status",), ("log", "--json"), ("search", "cat")])
def test_looking_loads_nothing_of_recording_reading_files_or_judging(archive, monkeypatch, command):
    monkeypatch.setenv("MAKINGOF_STATE", str(archive.home.state))
    modules = loaded("--archive", str(archive.home.path), *command)
    assert "makingof.tlog.log" in modules
    assert not modules & (_LIBRARIES | _RECORDING | _READING_FILES | _JUDGING)


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_opens_no_archive(option):
    modules = loaded(option)
    assert "makingof.texts" in modules
    assert not modules & {"cryptography", "makingof.archive", "makingof.event", "msgspec", "sqlite3"}
    assert not modules & (_LIBRARIES | _RECORDING | _READING_FILES | _JUDGING)


def test_verifying_and_inspecting_need_no_archive(tmp_path):
    nothing = tmp_path / "nothing"
    nothing.write_bytes(b"")
    recording = _RECORDING - {"makingof.capture", "makingof.store"} | {"makingof.archive", "makingof.index"}
    assert not loaded("verify", str(nothing)) & recording
    assert not loaded("inspect", str(nothing)) & (recording | {"cryptography.x509", "makingof.tlog.log"})
