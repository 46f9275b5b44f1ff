"""The high-water mark: what this machine last signed for one log, kept outside every archive.

A restored, copied or synced archive cannot know that it is old. The mark
does: no checkpoint is handed out before its size and root are on disk here,
and it only moves forward. Whoever appends holds its lock, so that two copies
of one archive on one machine cannot both go on from the same size.
"""

import errno
import json
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Protocol

import msgspec

from makingof.durable import explained, make_folders, replace
from makingof.errors import ConflictError, LogForkError, MalformedError, StorageError
from makingof.keys.signing import file_stem
from makingof.texts import say

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_VERSION = 1
_ROOT_BYTES = 32
_POLL_SECONDS = 0.002
_MAX_FILE_BYTES = 4096
_HELD = {errno.EAGAIN, errno.EACCES, errno.EDEADLK}  # what the systems say of a lock that somebody holds


class Mark(msgspec.Struct, frozen=True):
    """Size and root of the largest tree this machine has signed for a log."""

    size: int
    root: bytes


class MarkKeeper(Protocol):
    """Keeps the mark of one log. Tests pass one whose writes fail."""

    def read(self) -> Mark | None:
        """Return the mark, or None where there never was one; a damaged one is a `MalformedError`."""
        ...

    def locked(self, timeout_seconds: float) -> AbstractContextManager[None]:
        """Hold the only right on this machine to append to the log."""
        ...

    def advance(self, mark: Mark) -> None:
        """Make `mark` durable. The caller holds the lock; going back or aside is a `LogForkError`."""
        ...


class MarkFile:
    """A mark kept as a small JSON file, `marks/<hex of the origin>.json` in the state folder."""

    def __init__(self, state: Path, origin: str) -> None:
        self.path = state / "marks" / f"{file_stem(origin)}.json"

    def read(self) -> Mark | None:
        """Return the mark, or None where there never was one; a damaged one is a `MalformedError`."""
        try:
            with explained(self.path), self.path.open("rb") as stream:
                return parse_mark(stream.read(_MAX_FILE_BYTES))
        except StorageError as err:
            if isinstance(err.__cause__, FileNotFoundError):
                return None
            raise

    def locked(self, timeout_seconds: float) -> AbstractContextManager[None]:
        """Hold the only right on this machine to append to the log, or raise `ConflictError` in time."""
        return hold_lock(self.path.with_suffix(".lock"), timeout_seconds)

    def advance(self, mark: Mark) -> None:
        """Make `mark` durable: file and folder are synced when this returns.

        The caller holds the lock. A smaller size, or the same size with
        another root, is a `LogForkError` and changes nothing.
        """
        old = self.read()
        if old == mark:
            return
        if old is not None and old.size >= mark.size:
            message = f"log was signed at size {old.size} and must not be signed again at size {mark.size}"
            raise LogForkError(message)
        replace(self.path, format_mark(mark))


@contextmanager
def hold_lock(path: Path, timeout_seconds: float) -> Iterator[None]:
    """Hold the lock file `path` while the block runs, or raise `ConflictError` in time.

    The lock belongs to the open file and ends with the process, however it ends.
    """
    make_folders(path.parent)
    with explained(path):
        stream = path.open("ab")
    with stream:
        with explained(path):
            _wait_for_lock(stream, timeout_seconds)
        try:
            yield
        finally:
            _unlock(stream)


def format_mark(mark: Mark) -> bytes:
    """Spell a mark as its file does."""
    value = {"v": _VERSION, "size": mark.size, "root": mark.root.hex()}
    return json.dumps(value).encode() + b"\n"


def parse_mark(data: bytes) -> Mark:
    """Read a mark back; any other spelling is a `MalformedError`."""
    try:
        value = json.loads(data)
        mark = Mark(value["size"], bytes.fromhex(value["root"]))
    except (ValueError, KeyError, TypeError, RecursionError) as err:
        message = "high-water mark does not parse"
        raise MalformedError(message) from err
    if (
        type(mark.size) is not int
        or mark.size < 0
        or len(mark.root) != _ROOT_BYTES
        or format_mark(mark) != data
    ):
        message = "high-water mark is not in its one spelling"
        raise MalformedError(message)
    return mark


def _wait_for_lock(stream: IO[bytes], timeout_seconds: float) -> None:
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            _try_lock(stream)
        except OSError as err:
            if err.errno not in _HELD:
                raise
            if time.monotonic() >= deadline:
                raise ConflictError(say("keys.log_busy"), hint=say("keys.log_busy_hint")) from err
            time.sleep(_POLL_SECONDS)
        else:
            return


def _try_lock(stream: IO[bytes]) -> None:
    if sys.platform == "win32":
        stream.seek(0)
        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def _unlock(stream: IO[bytes]) -> None:
    if sys.platform == "win32":
        stream.seek(0)
        msvcrt.locking(stream.fileno(), msvcrt.LK_UNLCK, 1)
    else:
        fcntl.flock(stream.fileno(), fcntl.LOCK_UN)
