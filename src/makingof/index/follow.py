"""Following a log: reading it forward into the tables, from where the last reading ended.

The index remembers how many entries it has read and the name of the last one.
Every entry commits to the whole log before it, so a log that has that entry in
that place is the log that was read; any other log empties the index, and it
starts again from nothing. Nothing is ever written back to the log.

Rows depend on one event alone, but for `withdrawn`, which is brought up to date
event by event, in order. That is why the same log gives the same tables, in
however many steps it was followed: row for row in every table of `schema.sql`,
and word for word in the search index, whose inner layout alone depends on the
steps. Parts the log has lost are `forgotten` by whoever erased them.

A crash leaves whole chunks read and nothing of the next.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from makingof.errors import IntegrityError, MalformedError
from makingof.event import Kind
from makingof.index.database import Database
from makingof.index.rows import TABLES, rows_of
from makingof.index.statements import Row
from makingof.index.withdrawals import apply_withdrawal
from makingof.lineage.entry import Entry, PartState
from makingof.texts import say
from makingof.tlog.reader import StoredEntry, StoredPart

Progress = Callable[[int, int], None]

_CHUNK = 1_000  # entries in one transaction: other processes get their turn in between
_PAGE = 16  # entries asked for at once: of parts, one entry may have sixteen megabytes
_CHUNK_CHARACTERS = 8 << 20  # what an entry says may be a hundred times longer than usual
_LONG_TEXT = frozenset({"texts", "readings"})


class FollowedLog(Protocol):
    """What the index reads of a log."""

    def size(self) -> int:
        """Count the entries committed."""
        ...

    def leaf(self, index: int) -> bytes:
        """Return the leaf hash of one entry."""
        ...

    def entries(self, start: int, end: int) -> Iterator[StoredEntry]:
        """Yield the entries `[start, end)` in order."""
        ...

    def parts_between(self, start: int, end: int) -> Mapping[int, Sequence[StoredPart]]:
        """Return the parts of the entries `[start, end)`, the erased ones without bytes, by entry."""
        ...


def follow_log(database: Database, log: FollowedLog, *, progress: Progress | None = None) -> int:
    """Read what `log` has and the tables lack, and return how many entries that were.

    `progress` is told how many entries are read, and of how many.

    Raises:
        IntegrityError: an entry of the log is not an event; the chunks before it are kept.
    """
    _require_same_log(database, log)
    read = 0
    while (size := log.size()) > followed_size(database):
        with database.writing() as connection:
            # Another process may have followed between looking and locking.
            start = connection.execute("SELECT size FROM followed").fetchone()[0]
            end = _read_chunk(connection, log, start, min(size, start + _CHUNK)) if start < size else start
        read += end - start
        if progress is not None:
            progress(end, size)
    return read


def followed_size(database: Database) -> int:
    """Return how many entries were read."""
    return int(database.query("SELECT size FROM followed")[0][0])


def read_entry(index: int, entry: bytes, parts: Iterable[StoredPart]) -> Entry:
    """Return one entry of a log with its parts."""
    stored = {part.digest: PartState.ERASED if part.data is None else part.data for part in parts}
    try:
        return Entry.read(index, entry, stored)
    except MalformedError as err:
        raise IntegrityError(
            say("index.unreadable_entry", position=index), hint=say("index.unreadable_hint")
        ) from err


def _require_same_log(database: Database, log: FollowedLog) -> None:
    size, last = database.query("SELECT size, last FROM followed")[0]
    if size and (log.size() < size or log.leaf(size - 1) != last):
        database.clear()


def _read_chunk(connection: sqlite3.Connection, log: FollowedLog, start: int, end: int) -> int:
    """Read entries from `start` up to `end`, or fewer where they hold much text; return where it stopped."""
    tables = _no_rows()
    last, characters = b"", 0
    for stored, parts in _stored(log, start, end):
        entry = read_entry(stored.index, stored.entry, parts)
        for table, row in rows_of(entry):
            tables[table].append(row)
            if table in _LONG_TEXT:
                characters += len(row[-1])
        start, last = stored.index + 1, stored.leaf
        if entry.kind is Kind.WITHDRAWN:
            _insert(connection, tables)
            tables = _no_rows()
            apply_withdrawal(connection, entry.position)
        if characters > _CHUNK_CHARACTERS:
            break
    _insert(connection, tables)
    connection.execute("UPDATE followed SET size = ?, last = ?", (start, last))
    return start


def _stored(log: FollowedLog, start: int, end: int) -> Iterator[tuple[StoredEntry, Sequence[StoredPart]]]:
    """Yield entries with their parts, asking for a few at a time."""
    for low in range(start, end, _PAGE):
        high = min(low + _PAGE, end)
        parts = log.parts_between(low, high)
        for stored in log.entries(low, high):
            yield stored, parts.get(stored.index, ())


def _no_rows() -> dict[str, list[Row]]:
    return {table: [] for table in TABLES}


def _insert(connection: sqlite3.Connection, tables: Mapping[str, list[Row]]) -> None:
    for table, rows in tables.items():
        if rows:
            connection.executemany(_INSERTS[table], rows)


_INSERTS = {
    table: f"INSERT INTO {table} VALUES ({','.join('?' * columns)})" for table, columns in TABLES.items()
} | {"words": "INSERT INTO words (rowid, text) VALUES (?, ?)"}
