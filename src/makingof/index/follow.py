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

from collections.abc import Callable

from makingof.index.database import Database
from makingof.index.readable import FollowedLog

Progress = Callable[[int, int], None]

_CHUNK = 1_000  # entries in one transaction: other processes get their turn in between


def follow_log(database: Database, log: FollowedLog, *, progress: Progress | None = None) -> int:
    """Read what `log` has and the tables lack, and return how many entries that were.

    `progress` is told how many entries are read, and of how many.

    Raises:
        IntegrityError: an entry of the log is not an event; the chunks before it are kept.
    """
    _require_same_log(database, log)
    read = 0
    while (size := log.size()) > followed_size(database):
        from makingof.index.chunks import read_chunk  # noqa: PLC0415 - who only looks finds nothing new

        with database.writing() as connection:
            # Another process may have followed between looking and locking.
            start = connection.execute("SELECT size FROM followed").fetchone()[0]
            end = read_chunk(connection, log, start, min(size, start + _CHUNK)) if start < size else start
        read += end - start
        if progress is not None:
            progress(end, size)
    return read


def followed_size(database: Database) -> int:
    """Return how many entries were read."""
    return int(database.query("SELECT size FROM followed")[0][0])


def _require_same_log(database: Database, log: FollowedLog) -> None:
    size, last = database.query("SELECT size, last FROM followed")[0]
    if size and (log.size() < size or log.leaf(size - 1) != last):
        database.clear()
