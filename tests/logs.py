"""Logs in a temporary folder, with keys everybody knows, and disks that fail on demand."""

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from makingof.errors import StorageError
from makingof.keys.folder import keep_key
from makingof.keys.mark import Mark, MarkFile
from makingof.keys.signing import SigningKey
from makingof.tlog.audit import LogReport, check_log
from makingof.tlog.log import Disk, EncodedEntry, Log, Pending, create_log, open_log
from makingof.tlog.merkle import TreeHead, leaf_hash, node_hash
from makingof.tlog.reader import open_reader

KEY = SigningKey.from_seed(b"log key of the tests".ljust(32, b"."))
OTHER_KEY = SigningKey.from_seed(b"another key of the tests".ljust(32, b"."))


def log_path(folder: Path) -> Path:
    return folder / "log.sqlite"


def state_path(folder: Path) -> Path:
    return folder / "state"


def make_log(folder: Path, *, key: SigningKey = KEY, disk: Disk | None = None) -> Log:
    keep_key(state_path(folder), key)
    return create_log(log_path(folder), state_path(folder), key, disk=disk or Disk(), timeout_seconds=10)


def reopen(folder: Path, *, disk: Disk | None = None) -> Log:
    return open_log(log_path(folder), state_path(folder), disk=disk or Disk(), timeout_seconds=10)


def pending(text: str, *parts: str, key: str | None = None) -> Pending:
    encoded = EncodedEntry(text.encode(), [part.encode() for part in parts])
    return Pending(lambda _: encoded, None if key is None else key.encode())


def fill(log: Log, count: int) -> Log:
    start = log.size()
    log.append([pending(f"entry {number}") for number in range(start, start + count)])
    return log


def check_whole(folder: Path) -> LogReport:
    """Every invariant of the log in `folder`, its mark included, made again from its bytes."""
    mark = MarkFile(state_path(folder), KEY.origin).read()
    with open_reader(log_path(folder)) as reader:
        report = check_log(reader, mark=mark)
        report.require()
        return report


def damage(folder, statement, *values):
    """Change the file as somebody would who knows SQLite: triggers out, change, triggers in."""
    connection = sqlite3.connect(log_path(folder), isolation_level=None)
    triggers = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute(statement, values)
    for _, sql in triggers:
        connection.execute(sql)
    connection.close()


def plain_root(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, as it is written there."""
    if not leaves:
        return bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return node_hash(plain_root(leaves[:split]), plain_root(leaves[split:]))


def plain_head(leaves: list[bytes]) -> TreeHead:
    return TreeHead(len(leaves), plain_root(leaves))


def leaves_of(count: int) -> list[bytes]:
    return [leaf_hash(f"entry {number}".encode()) for number in range(count)]


def flips(data: bytes):
    """Every copy of `data` with one bit changed."""
    for place in range(len(data)):
        for bit in range(8):
            yield data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]


class FailingDisk:
    """Lets the writes of an append fail by number: before they happen, or after."""

    def __init__(self) -> None:
        self.writes = 0
        self.fail_at: int | None = None
        self.applies = False

    def arm(self, at: int, *, applies: bool) -> None:
        self.writes, self.fail_at, self.applies = 0, at, applies

    def disarm(self) -> int:
        self.fail_at = None
        return self.writes

    def do(self, write: Callable[[], object]) -> None:
        number, self.writes = self.writes, self.writes + 1
        if number != self.fail_at:
            write()
            return
        if self.applies:
            write()
        message = f"write {number} failed"
        raise StorageError(message)

    def as_disk(self) -> Disk:
        return Disk(
            commit=self._commit, open_mark=lambda state, origin: _FailingMark(self, MarkFile(state, origin))
        )

    def _commit(self, connection: sqlite3.Connection) -> None:
        self.do(lambda: connection.execute("COMMIT"))


class _FailingMark:
    def __init__(self, disk: FailingDisk, mark: MarkFile) -> None:
        self._disk = disk
        self._mark = mark

    def read(self) -> Mark | None:
        return self._mark.read()

    def locked(self, timeout_seconds: float) -> AbstractContextManager[None]:
        return self._mark.locked(timeout_seconds)

    def advance(self, mark: Mark) -> None:
        if mark != self._mark.read():
            self._disk.do(lambda: self._mark.advance(mark))


def mark_of(folder):
    return MarkFile(state_path(folder), KEY.origin)
