"""Forgetting parts, once the log has lost their bytes.

Their rows go as if they had never been shown, which is how an index built from that
log sees them. That an `erased` event was recorded takes nothing yet: until the bytes
are gone from the log, whoever carries the erasure out must find what it is about.
"""

import sqlite3
from collections.abc import Iterable

from makingof.index.database import TEXT_BITS
from makingof.index.search import indexed_words

# Everything a part said. `parts` and `files` keep their rows, with nothing but the name.
_SAID_IN = (
    "namings",
    "choices",
    "judged",
    "prompts",
    "readings",
    "documents",
    "jobs",
    "places",
    "claims",
    "stamps",
    "receipts",
    "checks",
    "second_looks",
    "people",
    "erasures",
    "stream_facts",
)
# The table is named once more as a column: that is how FTS5 takes an order.
_FORGET_WORDS = "INSERT INTO words (words, rowid, text) VALUES ('delete', ?, ?)"
_SILENT_FILE = """
INSERT OR REPLACE INTO files (part, name, given, picture)
SELECT part, digest, 0, 0 FROM parts WHERE part = ? AND type = 'file'"""


def forget_parts(connection: sqlite3.Connection, parts: Iterable[int]) -> None:
    """Delete what the parts of these numbers said, and mark them erased."""
    for part in parts:
        _forget(connection, part)
        _drop_listed(connection, part)


def _drop_listed(connection: sqlite3.Connection, part: int) -> None:
    """Without the list that cites them nobody can tell that parts belonged to the event."""
    for (listed,) in connection.execute("SELECT part FROM parts WHERE list = ?", (part,)).fetchall():
        _forget(connection, listed)
        connection.execute("DELETE FROM files WHERE part = ?", (listed,))
        connection.execute("DELETE FROM parts WHERE part = ?", (listed,))


def _forget(connection: sqlite3.Connection, part: int) -> None:
    low, high = part << TEXT_BITS, (part + 1) << TEXT_BITS
    texts = connection.execute("SELECT id, text FROM texts WHERE id >= ? AND id < ?", (low, high)).fetchall()
    for text_id, text in texts:
        words = indexed_words(text)
        connection.execute(_FORGET_WORDS, (text_id, words))
    connection.execute("DELETE FROM texts WHERE id >= ? AND id < ?", (low, high))
    for table in _SAID_IN:
        connection.execute(f"DELETE FROM {table} WHERE part = ?", (part,))
    connection.execute(_SILENT_FILE, (part,))
    connection.execute("DELETE FROM stream_facts WHERE part = ? AND kind IN ('pulse', 'gap')", (part,))
    connection.execute(
        'UPDATE stream_facts SET "of" = NULL, last = NULL, part = NULL WHERE part = ?', (part,)
    )
    connection.execute("UPDATE parts SET state = 'erased' WHERE part = ?", (part,))
