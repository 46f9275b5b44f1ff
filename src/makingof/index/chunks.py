"""Reading a chunk of a log into the tables; `follow` says when, and what holds of the result."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence

from makingof.errors import IntegrityError, MalformedError
from makingof.event import Kind
from makingof.index.database import Row
from makingof.index.readable import FollowedLog
from makingof.index.rows import TABLES, rows_of
from makingof.index.withdrawals import apply_withdrawal
from makingof.lineage.entry import Entry, PartState
from makingof.texts import say
from makingof.tlog.reader import StoredEntry, StoredPart

_PAGE = 16  # entries asked for at once: of parts, one entry may have sixteen megabytes
_CHUNK_CHARACTERS = 8 << 20  # what an entry says may be a hundred times longer than usual
_LONG_TEXT = frozenset({"texts", "readings"})


def read_entry(index: int, entry: bytes, parts: Iterable[StoredPart]) -> Entry:
    """Return one entry of a log with its parts."""
    stored = {part.digest: PartState.ERASED if part.data is None else part.data for part in parts}
    try:
        return Entry.read(index, entry, stored)
    except MalformedError as err:
        raise IntegrityError(
            say("index.unreadable_entry", position=index), hint=say("index.unreadable_hint")
        ) from err


def read_chunk(connection: sqlite3.Connection, log: FollowedLog, start: int, end: int) -> int:
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
