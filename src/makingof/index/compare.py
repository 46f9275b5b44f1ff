"""Whether two indexes say the same: row for row in every table, word for word in the search index."""

from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import zip_longest

from makingof.index.database import Database, Row
from makingof.index.rows import TABLES

COMPARED = tuple(sorted({*TABLES, "followed", "withdrawn"} - {"words"}))


def differing_tables(one: Database, other: Database) -> list[str]:
    """Name the tables in which `one` and `other` differ."""
    with _readable_words(one), _readable_words(other):
        return [table for table in (*COMPARED, "words") if not _is_same(one, other, table)]


def rows_of_table(database: Database, table: str) -> Generator[Row]:
    """Yield the rows of one of our tables in its own order, which is that of the log."""
    return database.each(f"SELECT * FROM {table}")


def _is_same(one: Database, other: Database, table: str) -> bool:
    read = "temp.vocabulary" if table == "words" else table
    with ExitStack() as stack:
        ours, theirs = (stack.enter_context(closing(rows_of_table(it, read))) for it in (one, other))
        return all(a == b for a, b in zip_longest(ours, theirs))


@contextmanager
def _readable_words(database: Database) -> Iterator[None]:
    """Let every word be read with the text and place it stands in.

    The search index lays the same words out differently with every step it was
    filled in, so its own tables cannot be compared.
    """
    database.query("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, words, instance)")
    try:
        yield
    finally:
        database.query("DROP TABLE temp.vocabulary")
