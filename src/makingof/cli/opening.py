"""Finding the archive a command speaks of, and opening it to look at it."""

from collections.abc import Iterator
from contextlib import contextmanager

from makingof.archive.home import Home, holds_log
from makingof.archive.reader import ArchiveReader, open_reader
from makingof.cli.terminal import Terminal
from makingof.config import ARCHIVE_FOLDER


def home_of(terminal: Terminal) -> Home:
    """Return where this run's archive and its state lie; `--archive` may name the folder it lies in."""
    path = terminal.archive_path
    inner = path / ARCHIVE_FOLDER
    if terminal.archive and not holds_log(path) and holds_log(inner):
        path = inner
    return Home(path, terminal.state_path)


@contextmanager
def reading(terminal: Terminal) -> Iterator[ArchiveReader]:
    """Open the archive to look at it; nothing is written but its index."""
    with open_reader(home_of(terminal), terminal.clock) as archive:
        yield archive
