"""The file of the index: its connection, its schema, its errors.

Nothing in it is the only copy of anything. A file that cannot be read, or that
another version of the program wrote, is therefore not repaired but made anew.
"""

import os
import sqlite3
import threading
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from makingof import __version__
from makingof.errors import ConflictError, IntegrityError, MakingofError, StorageError
from makingof.texts import say

Row = tuple[Any, ...]

# A part is numbered by its event's position and its place there, a text by its part and place in that.
PART_BITS = 20
TEXT_BITS = 3

_CACHE_KIB = 65_536
_TIMEOUT_SECONDS = 30
_UNREADABLE = frozenset({sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT})
_VALUES_AT_ONCE = 10_000  # SQLite takes 250,000 at most, older ones 32,766


class Database:
    """One connection to one index, which several threads may use."""

    def __init__(self, connection: sqlite3.Connection, path: Path | None) -> None:
        self.path = path
        self._connection = connection
        self._lock = threading.RLock()

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the index at `path`, empty if there was none, none of this version, or none that can be read.

        Raises:
            StorageError: the disk refuses, or the file cannot be written.
        """
        _require_writable(path)
        with _translated(path):
            try:
                return cls._open(path)
            except sqlite3.DatabaseError as err:
                if _code(err) not in _UNREADABLE:
                    raise
            _remove(path)
            return cls._open(path)

    @classmethod
    def in_memory(cls) -> Self:
        """Open an index that lasts as long as this object."""
        connection = _connect(":memory:")
        _create(connection)
        return cls(connection, None)

    @classmethod
    def _open(cls, path: Path) -> Self:
        connection = _connect(str(path))
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
            if not _is_current(connection):
                _recreate(connection, unless_current=True)
        except BaseException:
            connection.close()
            raise
        return cls(connection, path)

    def query(self, statement: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[Row]:
        """Return all rows of one statement."""
        with self._lock, _translated(self.path):
            return self._connection.execute(statement, values).fetchall()

    def each(self, statement: str, values: Sequence[object] = ()) -> Generator[Row]:
        """Yield the rows of one statement as found; until the last one or `close` nobody else has a turn."""
        with self._lock, _translated(self.path):
            yield from self._connection.execute(statement, values)

    def query_each(self, statement: str, values: Iterable[object], *fixed: object) -> Iterator[Row]:
        """Return the rows for many values; `{}` in `statement` stands for the list of them."""
        wanted = list(values)
        for start in range(0, len(wanted), _VALUES_AT_ONCE):
            chunk = wanted[start : start + _VALUES_AT_ONCE]
            marks = ",".join("?" * len(chunk))
            yield from self.query(statement.replace("{}", f"({marks})"), (*chunk, *fixed))

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection inside one transaction: all of what is done with it is kept, or nothing."""
        with self._lock, _translated(self.path), _transaction(self._connection):
            yield self._connection

    def clear(self) -> None:
        """Make the index empty, for everybody who has it open."""
        with self._lock, _translated(self.path):
            _recreate(self._connection, unless_current=False)

    def scrub(self) -> None:
        """Leave nothing in the files of what was deleted before.

        Deleted words survive inside the segments of the search index until these are
        merged, deleted rows in the write-ahead log until it is cut.
        """
        with self._lock, _translated(self.path):
            self._connection.execute("INSERT INTO words (words) VALUES ('optimize')")
            self._connection.execute("VACUUM")
            busy, *_ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise ConflictError(say("index.busy", path=self.path), hint=say("index.busy_hint"))

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def schema_version() -> int:
    """Name the tables and the program that fills them: another number means another index."""
    return int.from_bytes(sha256(f"{__version__}\n{_schema()}".encode()).digest()[:4], "big") >> 1


def _schema() -> str:
    return Path(__file__).with_name("schema.sql").read_text("utf-8")


def _connect(where: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        where, timeout=_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=512
    )
    for setting in (
        "trusted_schema = OFF",  # an archive may come from a stranger
        "secure_delete = ON",
        "synchronous = NORMAL",  # what a power cut takes from the index, the log gives back
        "temp_store = MEMORY",
        "wal_autocheckpoint = 20000",  # pages; following a long log writes the same ones again and again
        f"cache_size = -{_CACHE_KIB}",
    ):
        connection.execute(f"PRAGMA {setting}")
    return connection


def _is_current(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("PRAGMA user_version").fetchone()[0] == schema_version())


def _recreate(connection: sqlite3.Connection, *, unless_current: bool) -> None:
    with _transaction(connection):
        if unless_current and _is_current(connection):  # another process was faster
            return
        named = connection.execute(
            "SELECT type, name FROM sqlite_schema WHERE type IN ('table', 'view')"
            " AND name NOT GLOB 'sqlite_*' AND name NOT GLOB 'words_*' ORDER BY type DESC"
        ).fetchall()
        for kind, name in named:
            connection.execute(f'DROP {kind} "{name}"')
        _create(connection)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:  # a full disk ends some transactions by itself
            connection.execute("ROLLBACK")


def _create(connection: sqlite3.Connection) -> None:
    for statement in _schema().split(";\n"):
        if statement.strip():
            connection.execute(statement)
    connection.execute("INSERT INTO followed VALUES (0, 0, NULL)")
    connection.execute(f"PRAGMA user_version = {schema_version()}")


def _require_writable(path: Path) -> None:
    """Make the file, which nobody else may read, if it is not there; refuse one that cannot be written."""
    try:
        path.touch(mode=0o600)
    except OSError as err:
        raise StorageError(say("index.disk_refused", path=path, reason=err.strerror or str(err))) from err
    if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        raise StorageError(say("index.read_only", path=path))


def _remove(path: Path) -> None:
    for name in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        try:
            name.unlink(missing_ok=True)
        except OSError as err:
            raise StorageError(say("index.disk_refused", path=path, reason=err.strerror or str(err))) from err


@contextmanager
def _translated(path: Path | None) -> Iterator[None]:
    """Turn what SQLite says about the file, the disk or other processes into our errors."""
    try:
        yield
    except sqlite3.Error as err:
        translation = _translate(err, path)
        if translation is None:
            raise
        raise translation from err


def _translate(err: sqlite3.Error, path: Path | None) -> MakingofError | None:
    match _code(err):
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return ConflictError(say("index.busy", path=path), hint=say("index.busy_hint"))
        case code if code in _UNREADABLE:
            return IntegrityError(say("index.corrupt", path=path), hint=say("index.corrupt_hint"))
        case (
            sqlite3.SQLITE_FULL
            | sqlite3.SQLITE_IOERR
            | sqlite3.SQLITE_READONLY
            | sqlite3.SQLITE_CANTOPEN
            | sqlite3.SQLITE_PERM
            | sqlite3.SQLITE_NOLFS
        ):
            return StorageError(say("index.disk_refused", path=path, reason=str(err)))
        case _:
            return None


def _code(err: sqlite3.Error) -> int:
    return getattr(err, "sqlite_errorcode", 0) & 0xFF
