"""Where a Python program hands over: the hook that `makingof connect python` made for its archive."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from makingof.canonical import strict_json
from makingof.config import ARCHIVE_FOLDER, environment, find_archive_path, state_path
from makingof.errors import MalformedError, UsageError
from makingof.spool.carried import load_connection
from makingof.spool.hook import PYTHON, HookFolder
from makingof.spool.place import NEWEST, SPOOL
from makingof.texts import say

_CONNECT_SECONDS = 60
_STEM = re.compile(r"[0-9a-f]{32}")


def find_connection(archive: Path | None = None) -> dict[str, Any]:
    """Return the hook of Python programs for `archive`, else for the archive a command here would use.

    Where there is none yet, `makingof connect python` is run, which records that.

    Raises:
        UsageError: there is no archive, or it cannot be connected.
    """
    path = _archive_path(archive)
    state = state_path(environment())
    found = _find_hook_path(path, state)
    if found is None:
        _connect(path)
        found = _find_hook_path(path, state)
    if found is None:
        raise UsageError(say("recording.not_connected", tool=PYTHON, path=path))
    return load_connection(found)


def _archive_path(archive: Path | None) -> Path:
    path = archive or find_archive_path(environment(), Path.cwd())
    for folder in (path, path / ARCHIVE_FOLDER):
        if (folder / "log.sqlite").exists():
            return folder.absolute()
    raise UsageError(say("archive.none", path=path), hint=say("archive.none_hint"))


def _find_hook_path(archive: Path, state: Path) -> Path | None:
    """Return the file of the hook that belongs to the log the archive writes now."""
    try:
        told = strict_json((archive / SPOOL / NEWEST).read_bytes())
    except (OSError, MalformedError):
        return None
    stem = told.get("log") if isinstance(told, dict) else None
    if not isinstance(stem, str) or not _STEM.fullmatch(stem):
        return None
    hooks = HookFolder(state / "hooks" / stem)
    ours = [hook for hook in hooks.all() if hook.tool == PYTHON and Path(hook.spool) == archive / SPOOL]
    return hooks.hook_path(ours[0].id) if ours else None


def _connect(archive: Path) -> None:
    command = [sys.executable, "-m", "makingof", "connect", PYTHON, "--archive", str(archive)]
    try:
        subprocess.run(command, capture_output=True, text=True, timeout=_CONNECT_SECONDS, check=True)
    except subprocess.CalledProcessError as err:
        raise UsageError(err.stderr.strip().rpartition("\n")[2] or f"{PYTHON} cannot be connected") from err
    except (OSError, subprocess.TimeoutExpired) as err:
        message = f"{PYTHON} cannot be connected: {err}"
        raise UsageError(message) from err
