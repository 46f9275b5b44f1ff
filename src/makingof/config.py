"""Where things lie, and the archive's settings; the only module that reads the environment."""

import json
import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

from makingof.errors import MalformedError

ARCHIVE_FOLDER = ".makingof"


TOKEN = "MAKINGOF_TOKEN"  # noqa: S105 - the variable's name; its value is never written down


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
        if _holds_archive(folder):
            return folder / ARCHIVE_FOLDER
    return user_archive_path(env)


def _holds_archive(folder: Path) -> bool:
    """Tell whether an archive lies in `folder`; one that may not be entered does, and opening it says so."""
    try:
        return (folder / ARCHIVE_FOLDER / "log.sqlite").exists()
    except PermissionError:
        return os.access(folder, os.X_OK)


@dataclass(frozen=True, slots=True)
class Settings:
    """What `makingof.toml` says; the log notes every change as `configured`."""

    owner: str = "a1"
    authorities: tuple[str, ...] = ()  # names from the built-in list, or URLs; empty: nothing is asked
    calendars: str = ""  # the authority of kind ots to submit to once a day; empty: none
    trust: str = ""  # a trust file, relative to the archive; empty: the authorities of the release
    watched: tuple[str, ...] = ()
    blobs: str = "blobs"  # relative to the archive; an earlier log shares its successor's

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the settings; an unknown or ill-typed one is a `MalformedError` that names it."""
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as err:
            message = f"makingof.toml does not parse: {err}"
            raise MalformedError(message) from err
        known = {field.name: field for field in fields(cls)}
        values: dict[str, Any] = {}
        for name, value in table.items():
            if name not in known:
                message = f"makingof.toml sets {name!r}, which is not a setting"
                raise MalformedError(message)
            values[name] = _as_setting(name, value, known[name].default)
        return cls(**values)

    def to_text(self) -> str:
        """Write the settings as TOML that `parse` reads back."""
        return "".join(f"{field.name} = {_toml(getattr(self, field.name))}\n" for field in fields(self))


def _as_setting(name: str, value: object, default: object) -> object:
    if (
        isinstance(default, tuple)
        and isinstance(value, list)
        and all(isinstance(item, str) for item in value)
    ):
        return tuple(value)
    if isinstance(default, str) and isinstance(value, str):
        return value
    wanted = "a list of strings" if isinstance(default, tuple) else "a string"
    message = f"makingof.toml: {name} is not {wanted}"
    raise MalformedError(message)


def _toml(value: str | tuple[str, ...]) -> str:
    # A JSON string is a TOML basic string, but for DEL, which TOML wants escaped.
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return "[" + ", ".join(_toml(item) for item in value) + "]"
