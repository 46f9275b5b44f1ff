"""Where an archive lies, and what it is known by and set to before it is opened."""

from pathlib import Path

import msgspec

from makingof.config import Settings
from makingof.errors import MalformedError, StorageError
from makingof.texts import say

LOG_FILE = "log.sqlite"
INDEX_FILE = "index.sqlite"
SETTINGS_FILE = "makingof.toml"


class Home(msgspec.Struct, frozen=True):
    """Where things lie for one user: the archive, and the state folder with keys and marks beside it."""

    path: Path
    state: Path

    @property
    def log_path(self) -> Path:
        return self.path / LOG_FILE


def holds_log(folder: Path) -> bool:
    """Tell whether `folder` is an archive; a folder that may not be entered is a `StorageError`."""
    try:
        return (folder / LOG_FILE).exists()
    except OSError as err:
        raise StorageError(
            say("archive.no_entry", path=folder, reason=err.strerror or str(err)),
            hint=say("archive.no_entry_hint"),
        ) from err


def read_settings(folder: Path) -> Settings:
    """Read an archive's settings; one without a file has the defaults."""
    path = folder / SETTINGS_FILE
    try:
        return Settings.parse(path.read_text("utf-8")) if path.exists() else Settings()
    except UnicodeDecodeError as err:
        message = f"{path} is not UTF-8"
        raise MalformedError(message) from err
