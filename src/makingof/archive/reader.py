"""ArchiveReader: an archive opened to be looked at, without what recording loads."""

from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from makingof.archive.home import INDEX_FILE, Home, holds_log, read_settings
from makingof.clock import Clock
from makingof.config import Settings
from makingof.errors import StorageError, UsageError
from makingof.index.queries import Index
from makingof.texts import say
from makingof.tlog.log import Log, open_log

if TYPE_CHECKING:
    from makingof.store.files import FileStore


class ArchiveReader:
    """An open archive to look at: events in `index`, their bytes in `log`, what they are about in `store`."""

    def __init__(self, home: Home, clock: Clock, settings: Settings, log: Log, index: Index) -> None:
        self.home = home
        self.clock = clock
        self.settings = settings
        self.log = log
        self.index = index

    @cached_property
    def store(self) -> "FileStore":
        """The blobs, which most looking never comes to."""
        from makingof.store.files import FileStore  # noqa: PLC0415 - what takes files in is slow to load

        return FileStore(self.home.path / self.settings.blobs)

    def close(self) -> None:
        self.index.close()
        self.log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_reader(home: Home, clock: Clock) -> ArchiveReader:
    """Open an archive to look at it, and bring its index up to date with its log.

    Nothing is written but the index, and what a crash left committed and unsigned is
    signed, as at any opening of its log. Where the index cannot be written (a
    read-only disk), one in memory takes its place.
    """
    return ArchiveReader(home, clock, *open_parts(home))


def open_parts(home: Home) -> tuple[Settings, Log, Index]:
    """Open what an archive consists of; a folder that holds none is a `UsageError`."""
    if not holds_log(home.path):
        raise UsageError(say("archive.none", path=home.path), hint=say("archive.none_hint"))
    settings = read_settings(home.path)
    log = open_log(home.log_path, home.state)
    index = _open_index(home.path / INDEX_FILE)
    index.follow(log)
    return settings, log, index


def _open_index(path: Path) -> Index:
    try:
        return Index.open(path)
    except StorageError:
        return Index.in_memory()
