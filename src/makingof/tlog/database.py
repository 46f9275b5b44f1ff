"""The one file of a log, `log.sqlite`: its tables, its connections, its errors.

`docs/spec/log.md` describes the tables for outsiders. Entries and nodes are
final, parts may only lose their bytes: triggers say so to every program that
opens the file, although only the checkpoint can prove it.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

from makingof.durable import PRIVATE, explained
from makingof.errors import (
    ConflictError,
    IntegrityError,
    MakingofError,
    MalformedError,
    StorageError,
    UsageError,
)
from makingof.texts import say
from makingof.tlog.merkle import node_position

FORMAT = 1
MAX_ENTRY_BYTES = 65_535  # the length prefix of a tlog-tiles entry bundle
MAX_PART_BYTES = 1 << 20

_APPLICATION_ID = 0x6D6B6F66  # "mkof", so that `file` and others can tell
_CACHE_KIB = 32_768

Row = tuple[Any, ...]
Query = Callable[[str, tuple[object, ...]], list[Row]]

_SCHEMA = (
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE checkpoint (only INTEGER PRIMARY KEY CHECK (only = 0), note BLOB NOT NULL) STRICT",
    f"""CREATE TABLE entries (
        idx INTEGER PRIMARY KEY,
        entry BLOB NOT NULL CHECK (length(entry) <= {MAX_ENTRY_BYTES}),
        leaf BLOB NOT NULL CHECK (length(leaf) = 32),
        key BLOB UNIQUE
    ) STRICT""",
    "CREATE INDEX entries_by_leaf ON entries (leaf)",
    "CREATE TABLE nodes (position INTEGER PRIMARY KEY, hash BLOB NOT NULL CHECK (length(hash) = 32)) STRICT",
    f"""CREATE TABLE parts (
        idx INTEGER NOT NULL,
        number INTEGER NOT NULL,
        digest BLOB NOT NULL CHECK (length(digest) = 32),
        bytes BLOB CHECK (length(bytes) <= {MAX_PART_BYTES}),
        PRIMARY KEY (idx, number)
    ) STRICT""",
    *(
        f"CREATE TRIGGER {table}_final_{act.lower()} BEFORE {act} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} of a log are final'); END"
        for table in ("entries", "nodes")
        for act in ("UPDATE", "DELETE")
    ),
    """CREATE TRIGGER parts_final_delete BEFORE DELETE ON parts
        BEGIN SELECT RAISE(ABORT, 'parts of a log are final'); END""",
    """CREATE TRIGGER parts_final_update BEFORE UPDATE ON parts
        WHEN new.bytes IS NOT NULL OR (new.idx, new.number, new.digest) <> (old.idx, old.number, old.digest)
        BEGIN SELECT RAISE(ABORT, 'parts of a log may only lose their bytes'); END""",
)


def connect(path: Path, *, writable: bool, timeout_seconds: float) -> sqlite3.Connection:
    """Open an existing database file with the settings that durability and erasing rest on.

    WAL with `synchronous=FULL` syncs every commit; `secure_delete` overwrites
    what is erased; `trusted_schema` off, because an archive may come from a
    stranger. The connection may be handed from thread to thread, not shared.
    """
    mode = "rw" if writable else "ro"
    # With nothing in the write-ahead log the file alone is whole, and a read-only folder cannot make the
    # shared memory that WAL needs: only then is SQLite told that nobody writes.
    if not writable and not _is_pending(path):
        mode = "ro&immutable=1" if not _is_writable_folder(path.parent) else "ro"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=timeout_seconds,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        _apply_settings(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _apply_settings(connection: sqlite3.Connection) -> None:
    for setting in (
        "trusted_schema = OFF",
        "secure_delete = ON",
        "synchronous = FULL",
        "fullfsync = ON",  # macOS: a plain fsync does not reach the disk
        "checkpoint_fullfsync = ON",
        f"cache_size = -{_CACHE_KIB}",
    ):
        connection.execute(f"PRAGMA {setting}")


def create_schema(path: Path, settings: dict[str, str]) -> None:
    """Make an empty log in `path`: wholly or, after a crash, not at all.

    A file without any table is what such a crash leaves, and is used; a file
    with tables is refused.
    """
    with explained(path):
        path.touch(mode=PRIVATE)
    with translated(path), connection_to(path, timeout_seconds=0) as connection:
        if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            raise UsageError(say("tlog.exists", path=path))
        if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
            raise StorageError(say("tlog.no_wal", path=path), hint=say("tlog.no_wal_hint"))
        connection.execute("BEGIN IMMEDIATE")
        for statement in _SCHEMA:
            connection.execute(statement)
        connection.executemany("INSERT INTO settings VALUES (?, ?)", settings.items())
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {FORMAT}")
        connection.execute("COMMIT")


def require_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Return if the file is a log of our format, its tables and triggers letter by letter."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application == _APPLICATION_ID and version > FORMAT:
        raise UsageError(say("tlog.newer", path=path, version=version), hint=say("tlog.newer_hint"))
    if application != _APPLICATION_ID or _read_schema(connection) != _expected_schema():
        raise MalformedError(say("tlog.not_a_log", path=path))


def require_file(path: Path) -> None:
    """Return if there is a file at all."""
    if not path.exists():
        raise UsageError(say("tlog.missing", path=path), hint=say("tlog.missing_hint"))


def count_entries(query: Query) -> int:
    """Count the entries committed."""
    largest = query("SELECT max(idx) FROM entries", ())[0][0]
    return 0 if largest is None else int(largest) + 1


def read_node(query: Query, level: int, index: int) -> bytes:
    """Return the root of one perfect subtree, stored when its last leaf was."""
    if level == 0:
        rows = query("SELECT leaf FROM entries WHERE idx = ?", (index,))
    else:
        rows = query("SELECT hash FROM nodes WHERE position = ?", (node_position(level, index),))
    if not rows:
        message = f"node {index} of level {level} is missing in the log"
        raise IntegrityError(message)
    return bytes(rows[0][0])


@contextmanager
def connection_to(path: Path, *, timeout_seconds: float) -> Iterator[sqlite3.Connection]:
    """Give a writable connection for a moment."""
    connection = connect(path, writable=True, timeout_seconds=timeout_seconds)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what SQLite says about the file, the disk or other writers into our errors.

    Anything else it raises is a bug in this package and passes.
    """
    try:
        yield
    except sqlite3.Error as err:
        translation = _translate(err, path)
        if translation is None:
            raise
        raise translation from err


def _translate(err: sqlite3.Error, path: Path) -> MakingofError | None:
    reason = str(err)
    match getattr(err, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return ConflictError(say("tlog.busy", path=path), hint=say("tlog.busy_hint"))
        case (
            sqlite3.SQLITE_FULL
            | sqlite3.SQLITE_IOERR
            | sqlite3.SQLITE_READONLY
            | sqlite3.SQLITE_CANTOPEN
            | sqlite3.SQLITE_PERM
            | sqlite3.SQLITE_NOLFS
        ):
            return StorageError(say("tlog.disk_refused", reason=reason), hint=say("tlog.disk_refused_hint"))
        case sqlite3.SQLITE_NOTADB:
            return MalformedError(say("tlog.not_a_log", path=path))
        case sqlite3.SQLITE_CORRUPT:
            return IntegrityError(
                say("tlog.corrupt", path=path, reason=reason), hint=say("tlog.corrupt_hint")
            )
        case _:
            return None


def _read_schema(connection: sqlite3.Connection) -> frozenset[tuple[str, str, str]]:
    rows = connection.execute("SELECT type, name, sql FROM sqlite_schema WHERE name NOT GLOB 'sqlite_*'")
    return frozenset(rows)


@cache
def _expected_schema() -> frozenset[tuple[str, str, str]]:
    connection = sqlite3.connect(":memory:")
    try:
        for statement in _SCHEMA:
            connection.execute(statement)
        return _read_schema(connection)
    finally:
        connection.close()


def wal_path(path: Path) -> Path:
    """Return where SQLite keeps what was committed and not yet folded into the file."""
    return path.with_name(path.name + "-wal")


def holds_bytes(path: Path, trace: bytes) -> bool:
    """Tell whether `trace` lies anywhere in the file, in use or not."""
    if not path.exists() or path.stat().st_size == 0:
        return False
    with path.open("rb") as stream, mmap(stream.fileno(), 0, access=ACCESS_READ) as view:
        return view.find(trace) >= 0


def _is_pending(path: Path) -> bool:
    wal = wal_path(path)
    return wal.exists() and wal.stat().st_size > 0


def _is_writable_folder(folder: Path) -> bool:
    return os.access(folder, os.W_OK)
