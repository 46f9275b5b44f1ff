"""A log that can be read and appended to; `sequencer` says how an append becomes durable."""

import sqlite3
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from makingof.durable import sync_folder
from makingof.errors import (
    ConflictError,
    IntegrityError,
    MalformedError,
    StorageError,
    UnavailableError,
    UsageError,
)
from makingof.keys.folder import find_key
from makingof.keys.mark import Mark
from makingof.keys.signing import SigningKey
from makingof.texts import say
from makingof.tlog.checkpoint import read_checkpoint, sign_checkpoint
from makingof.tlog.database import (
    connect,
    connection_to,
    create_schema,
    holds_bytes,
    require_file,
    translated,
    wal_path,
)
from makingof.tlog.grouping import Group
from makingof.tlog.merkle import EMPTY_HEAD
from makingof.tlog.note import NoteKey
from makingof.tlog.reader import LogReader
from makingof.tlog.readonly import ReadOnly, disk_refuses, key_unusable, no_key
from makingof.tlog.sequencer import Appended, Disk, EncodedEntry, Pending, Sequencer

# What callers of `Log` need, in one place.
__all__ = ["Appended", "Disk", "EncodedEntry", "Log", "Pending", "ReadOnly", "create_log", "open_log"]

TIMEOUT_SECONDS = 30.0
_SYSTEM_DISK = Disk()


class Log(LogReader):
    """One log, open for appending by any number of threads and processes, or read-only with a reason.

    `read_only` is None, or says why every append will be refused.
    """

    def __init__(self, path: Path, reading: sqlite3.Connection) -> None:
        super().__init__(path, reading)
        self.read_only: ReadOnly | None = None
        self._sequencer: Sequencer | None = None
        self._group: Group[Sequence[Pending], list[Appended]] | None = None

    def append(self, pending: Sequence[Pending]) -> list[Appended]:
        """Append all of `pending`, in order and side by side, and return where they stand.

        When this returns, they are on disk and below the signed mark. If an
        `encode` raises, nothing of this call is written and that error rises.
        Appends of other threads may share the commit and are not touched by it.

        Raises:
            ConflictError: another process holds the log, or another copy of
                this archive has gone on.
            StorageError: the disk refused. The entries may or may not have
                become durable; appending them again under the same keys is safe.
            LogForkError: this archive holds other entries than this machine signed.
        """
        if self._group is None or self.read_only is not None:
            raise (self.read_only or no_key(self.origin)).to_error()
        return self._group.submit(tuple(pending)) if pending else []

    def checkpoint(self, size: int | None = None) -> bytes:
        """Return the signed checkpoint of `size` entries, or the newest one.

        An older size is signed again, which gives the bytes it had then, and
        needs the key. What was never signed is not signed here.
        """
        newest = self.stored_checkpoint()
        if newest is None:
            raise UsageError(say("tlog.unsigned"))
        newest_size = read_checkpoint(newest).size
        if size is None or size == newest_size:
            return newest
        if self._sequencer is None:
            raise no_key(self.origin).to_error()
        if not 0 <= size < newest_size:
            message = f"size {size} was never signed: the newest checkpoint has size {newest_size}"
            raise UsageError(message)
        return sign_checkpoint(self.head_at(size), self._sequencer.key).to_bytes()

    def erase_part(self, index: int, number: int) -> None:
        """Overwrite the bytes of one part in the file; its digest stays, and so does every proof.

        Copies remain in the write-ahead log until `purge`. Erasing works
        without the key too: it is the one thing a holder may always do.
        """
        with translated(self.path), connection_to(self.path, timeout_seconds=TIMEOUT_SECONDS) as connection:
            done = connection.execute(
                "UPDATE parts SET bytes = NULL WHERE idx = ? AND number = ?", (index, number)
            )
        if done.rowcount == 0:
            message = f"entry {index} has no part {number}"
            raise UsageError(message)

    def purge(self, absent: Sequence[bytes] = ()) -> None:
        """Empty the write-ahead log, and return only if none of `absent` lies in the files any more.

        `absent` are byte strings that occurred in what was erased and nowhere
        else, such as its salt. Blocks that the file system has given up, its
        snapshots and the disk's own spares are beyond reach.

        Raises:
            ConflictError: somebody is still reading older pages; ask again.
            IntegrityError: something of `absent` is still there.
        """
        with translated(self.path), connection_to(self.path, timeout_seconds=0) as connection:
            busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            raise ConflictError(say("tlog.busy", path=self.path), hint=say("tlog.busy_hint"))
        for path in (self.path, wal_path(self.path)):
            if any(holds_bytes(path, trace) for trace in absent):
                raise IntegrityError(say("tlog.remains", path=path))

    def close(self) -> None:
        """Let go of the file; the last one to do so folds the write-ahead log into it."""
        super().close()
        if self._sequencer is not None:
            self._sequencer.close()

    def _start_writing(self, key: SigningKey, state: Path, disk: Disk, timeout_seconds: float) -> None:
        """Catch up with what a crash left, and open for appending unless there is a reason not to."""
        with ExitStack() as undo, translated(self.path):
            connection = connect(self.path, writable=True, timeout_seconds=timeout_seconds)
            undo.callback(connection.close)
            mark = disk.open_mark(state, key.origin)
            sequencer = Sequencer(self.path, connection, key, mark, disk.commit, timeout_seconds)
            self.read_only = sequencer.catch_up()
            undo.pop_all()
        self._sequencer = sequencer
        self._group = Group(sequencer.append)


def create_log(
    path: Path,
    state: Path,
    key: SigningKey,
    *,
    timeout_seconds: float = TIMEOUT_SECONDS,
    disk: Disk = _SYSTEM_DISK,
) -> Log:
    """Begin the log of `key` in a new file `path`, whose folder exists, and open it.

    A key signs one log only: one whose mark is above zero is refused, and so
    is a file that holds a log already.
    """
    mark = disk.open_mark(state, key.origin)
    with mark.locked(timeout_seconds):
        old = mark.read()
        if old is not None and old.size > 0:
            raise ConflictError(say("tlog.key_in_use", origin=key.origin, size=old.size))
        # The mark first: a log without one counts as restored from somewhere.
        mark.advance(Mark(EMPTY_HEAD.size, EMPTY_HEAD.root))
        create_schema(path, {"format": "1", "origin": key.origin, "vkey": str(NoteKey.of_log(key.public))})
        sync_folder(path.parent)
    return open_log(path, state, timeout_seconds=timeout_seconds, disk=disk)


def open_log(
    path: Path, state: Path, *, timeout_seconds: float = TIMEOUT_SECONDS, disk: Disk = _SYSTEM_DISK
) -> Log:
    """Open a log; for appending, if its key lies in `state` and the archive is not behind its mark.

    What a crash left committed and unsigned is signed now. A log that can
    only be read opens too, and says why.

    Raises:
        UsageError: there is no file, or it is of a newer format.
        MalformedError: the file is no log.
        IntegrityError: it contradicts its own checkpoint.
        LogForkError: it holds other entries than this machine signed.
    """
    require_file(path)
    with translated(path):
        reading = connect(path, writable=False, timeout_seconds=timeout_seconds)
    with ExitStack() as undo:
        undo.callback(reading.close)
        log = Log(path, reading)
        try:
            key = find_key(state, log.origin)
            if key is None:
                log.read_only = no_key(log.origin)
            else:
                log._start_writing(key, state, disk, timeout_seconds)  # noqa: SLF001 - completes its construction
        except (MalformedError, UnavailableError) as err:  # a damaged key file, a locked keyring
            log.read_only = key_unusable(log.origin, err.message)
        except StorageError as err:
            log.read_only = disk_refuses(err.message)
        undo.pop_all()
    return log
