"""Where things lie, and the archive's settings; the only module that reads the environment."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

ARCHIVE_FOLDER = ".makingof"


def environment() -> Mapping[str, str]:
    """Return the process environment; taken once by the command line and passed down."""
    return os.environ


def state_path(env: Mapping[str, str]) -> Path:
    """Return the folder for keys and high-water marks, outside every archive.

    `MAKINGOF_STATE` moves it. Nothing in it belongs into a backup or a synced
    folder: whoever has it can write in the owner's name.
    """
    if moved := env.get("MAKINGOF_STATE"):
        return Path(moved)
    home = Path(env["HOME"]) if "HOME" in env else Path.home()
    if sys.platform == "win32":
        return Path(env.get("LOCALAPPDATA", str(home / "AppData" / "Local"))) / "makingof"
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "makingof"
    return Path(env.get("XDG_STATE_HOME", str(home / ".local" / "state"))) / "makingof"


def user_archive_path(env: Mapping[str, str]) -> Path:
    """Return this user's own archive: one log per person and machine is the default."""
    home = Path(env["HOME"]) if "HOME" in env else Path.home()
    return home / ARCHIVE_FOLDER


def find_archive_path(env: Mapping[str, str], start: Path) -> Path:
    """Return `MAKINGOF_ARCHIVE`, else the nearest `.makingof` at or above `start`, else the user's own.

    The folder returned need not exist.
    """
    if named := env.get("MAKINGOF_ARCHIVE"):
        return Path(named)
    for folder in (start, *start.parents):
        if (folder / ARCHIVE_FOLDER / "log.sqlite").exists():
            return folder / ARCHIVE_FOLDER
    return user_archive_path(env)
