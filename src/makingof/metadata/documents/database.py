"""An SQLite database of somebody else's, read only, kept on a short leash.

Whoever wrote the file wrote the schema too: a table can be a view that never ends,
a column can be a gigabyte, a trigger can call a function. Only plain tables are
read, column by column, under a limit of steps. A database found inside a file is copied to
memory and its file never opened; one that its program keeps writing is opened where it lies.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from makingof.containers.source import Cursor, Source
from makingof.errors import MalformedError

MAX_DATABASE_BYTES = 256 << 20
MAX_ROWS = 100_000
_MAX_VALUE_BYTES = 64 << 20
_MAX_STEPS = 20_000_000
_STEPS_AT_ONCE = 100_000

_BEFORE_ALL = -(1 << 63)
_LOCKED_SECONDS = 2.0

_MAGIC = b"SQLite format 3\0"
_ALLOWED = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_PRAGMA})

_FUNCTIONS = frozenset({"length", "typeof"})

Value = int | float | str | bytes | None
Row = dict[str, Value]


class Database:
    """An open copy; `close` frees it. Every failure of it is a `MalformedError`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._steps = 0
        self.tables = self._list_tables()

    @classmethod
    @contextmanager
    def open(
        cls, source: Source, offset: int, size_bytes: int, *, limit_bytes: int = MAX_DATABASE_BYTES
    ) -> Iterator[Self]:
        """Copy the database at `offset` into memory and open the copy."""
        if size_bytes > limit_bytes:
            message = f"database has {size_bytes} bytes, over {limit_bytes}"
            raise MalformedError(message)
        content = Cursor(source, offset).take(size_bytes)
        if content[: len(_MAGIC)] != _MAGIC:
            message = "database has no SQLite header"
            raise MalformedError(message)
        connection = sqlite3.connect(":memory:", isolation_level=None)
        try:
            with _as_malformed():
                connection.deserialize(_without_log(content))
                _restrict(connection)
            yield cls(connection)
        finally:
            connection.close()

    @classmethod
    @contextmanager
    def open_live(cls, path: Path) -> Iterator[Self]:
        """Open a database while its program writes it: all that is read is of one moment, nothing is changed.

        One that is locked for longer than a moment is a `MalformedError` too.
        """
        with _as_malformed():
            uri = f"{path.absolute().as_uri()}?mode=ro"
            connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_LOCKED_SECONDS)
        try:
            with _as_malformed():
                connection.execute("BEGIN")
                _restrict(connection)
            yield cls(connection)
        finally:
            connection.close()

    def rows(self, table: str, wanted: tuple[str, ...], order: str | None = None) -> list[Row]:
        """Return the wanted columns of a table; columns it lacks are None, a missing table is empty.

        More than `MAX_ROWS` rows is a `MalformedError`.
        """
        there = [name for name in wanted if name in self.columns(table)]
        if not there:
            return []
        names = ", ".join(map(_quote, there))
        query = f"SELECT {names} FROM {_quote(table)}"  # noqa: S608 - names are quoted, values none
        if order in there:
            query += f" ORDER BY {_quote(order)}"
        found = self._fetch(f"{query} LIMIT {MAX_ROWS + 1}")
        if len(found) > MAX_ROWS:
            message = f"table {table} has more than {MAX_ROWS} rows"
            raise MalformedError(message)
        blank: Row = dict.fromkeys(wanted)
        return [blank | dict(zip(there, row, strict=True)) for row in found]

    def numbered(self, table: str, wanted: tuple[str, ...], limit: int) -> dict[int, Row]:
        """Return the wanted columns of the first rows by row number; a table that lacks one is empty."""
        if not set(wanted) <= self.columns(table):
            return {}
        names = ", ".join(map(_quote, wanted))
        query = f"SELECT rowid, {names} FROM {_quote(table)} ORDER BY rowid LIMIT {limit}"  # noqa: S608 - names are quoted
        return {
            row[0]: dict(zip(wanted, row[1:], strict=True))
            for row in self._fetch(query)
            if isinstance(row[0], int)
        }

    def each(
        self, table: str, wanted: tuple[str, ...], *, at_once: int = 500, after: int = _BEFORE_ALL
    ) -> Iterator[Row]:
        """Yield the wanted columns of every row by row number, from `after` on; columns it lacks are None.

        Read a few rows at a time, so that a long table is no long answer.
        """
        there = [name for name in wanted if name in self.columns(table)]
        if not there:
            return
        names = ", ".join(map(_quote, there))
        query = f"SELECT rowid, {names} FROM {_quote(table)} WHERE rowid > ? ORDER BY rowid LIMIT {at_once}"  # noqa: S608 - names are quoted
        blank: Row = dict.fromkeys(wanted)
        last = after
        while found := self._fetch(query, (last,)):
            yield from (blank | dict(zip(there, row[1:], strict=True)) for row in found)
            number = found[-1][0]
            if not isinstance(number, int) or number <= last:
                message = f"table {table} has no row numbers"
                raise MalformedError(message)
            last = number

    def text(self, table: str, column: str, row: int) -> str | None:
        """Return one value if it is text; the row may be gone."""
        if column not in self.columns(table):
            return None
        query = f"SELECT {_quote(column)} FROM {_quote(table)} WHERE rowid = ?"  # noqa: S608 - names are quoted
        found = self._fetch(query, (row,))
        return found[0][0] if found and isinstance(found[0][0], str) else None

    def sizes(self, table: str, column: str) -> list[tuple[int, int]]:
        """Return row number and length of each value of a column that is bytes, without reading them."""
        if column not in self.columns(table):
            return []
        # On a bare column both functions look at the record's header only: a damaged file in
        # which a thousand rows share one huge value costs nothing.
        field = _quote(column)
        query = f"SELECT rowid, length({field}) FROM {_quote(table)} WHERE typeof({field}) = 'blob'"  # noqa: S608 - names are quoted
        found = self._fetch(f"{query} ORDER BY rowid LIMIT {MAX_ROWS}")
        return [(row, size) for row, size in found if isinstance(row, int) and isinstance(size, int)]

    def blob(self, table: str, column: str, row: int) -> bytes:
        """Return one value as bytes; anything else there is a `MalformedError`."""
        if column not in self.columns(table):
            message = f"database has no column {table}.{column}"
            raise MalformedError(message)
        query = f"SELECT {_quote(column)} FROM {_quote(table)} WHERE rowid = ?"  # noqa: S608 - names are quoted
        found = self._fetch(query, (row,))
        if not found or not isinstance(found[0][0], bytes):
            message = f"{table}.{column} has no bytes in row {row}"
            raise MalformedError(message)
        return found[0][0]

    def columns(self, table: str) -> frozenset[str]:
        """Name the columns of a plain table; views and virtual tables have none for us."""
        if table not in self.tables:
            return frozenset()
        return frozenset(str(row[1]) for row in self._fetch(f"PRAGMA table_info({_quote(table)})"))

    def _list_tables(self) -> frozenset[str]:
        found = self._fetch("SELECT name, sql FROM sqlite_master WHERE type = 'table' LIMIT 10000")
        plain = [name for name, sql in found if str(sql)[:14].upper() != "CREATE VIRTUAL"]
        return frozenset(str(name) for name in plain)

    def _fetch(self, query: str, values: tuple[object, ...] = ()) -> list[tuple[Value, ...]]:
        self._connection.set_progress_handler(self._count, _STEPS_AT_ONCE)
        found: list[tuple[Value, ...]] = []
        taken = 0
        with _as_malformed():
            for row in self._connection.execute(query, values):
                found.append(row)
                taken += sum(len(value) for value in row if isinstance(value, str | bytes))
                if taken > _MAX_VALUE_BYTES:
                    message = f"database gives more than {_MAX_VALUE_BYTES} bytes to one question"
                    raise MalformedError(message)
        return found

    def _count(self) -> int:
        """Stop a statement that works longer than any genuine file needs."""
        self._steps += _STEPS_AT_ONCE
        return int(self._steps > _MAX_STEPS)


def _restrict(connection: sqlite3.Connection) -> None:
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_VALUE_BYTES)
    # The schema stays trusted: SQLite refuses a whole database in which any table uses json_extract
    # otherwise, and InvokeAI's has one. Nothing of such a table is run: views, and columns that are
    # computed, are never read, and what a statement may call is decided below.
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute("PRAGMA query_only = ON")
    connection.set_authorizer(_authorize)


def _authorize(
    action: int, first: str | None, second: str | None, _base: str | None, inner: str | None
) -> int:
    """Let statements read tables and ask for columns; two functions, and nothing a schema brings along."""
    if action == sqlite3.SQLITE_FUNCTION:
        return sqlite3.SQLITE_OK if second in _FUNCTIONS and inner is None else sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_PRAGMA and first != "table_info":
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


def _without_log(content: bytes) -> bytes:
    """Turn off the write-ahead log in our copy: a database in memory cannot be opened with one.

    Bytes 18 and 19 say which journal the last writer used. Pages still in a log
    outside are missing here, as they are in the file.
    """
    return content[:18] + b"\x01\x01" + content[20:]


@contextmanager
def _as_malformed() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, sqlite3.Warning, OverflowError, UnicodeError, MemoryError) as err:
        message = f"database does not read: {err}"
        raise MalformedError(message) from err


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
