"""Lists that are narrowed: conditions on events put together, and rows found by their words, newest first."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice

from makingof.index.database import Database, Row

_PAGE = 400


@dataclass(slots=True)
class Conditions:
    """What rows must fulfil, as SQL with the values it takes."""

    parts: list[str] = field(default_factory=lambda: ["1"])
    values: list[object] = field(default_factory=list)

    def add(self, condition: str, *values: object) -> None:
        """Narrow further."""
        self.parts.append(condition)
        self.values += values

    def add_one_of(self, column: str, allowed: Sequence[str]) -> None:
        """Narrow to some values of a column, unless none are named."""
        if allowed:
            self.add(f"{column} IN ({_marks(allowed)})", *map(str, allowed))

    def add_words(self, column: str, text: str | None) -> None:
        """Narrow to the positions whose event holds what was typed: for counting, where all are needed."""
        if text is None:
            return
        expression = _match_expression(text)
        if expression is None:
            self.add("0")
        else:
            self.add(f"{column} IN (SELECT rowid >> 23 FROM words WHERE words MATCH ?)", expression)

    def __str__(self) -> str:
        return " AND ".join(self.parts)


def find_rows(
    find: Callable[[str, Sequence[object], int], list[Row]],
    database: Database,
    text: str | None,
    *,
    until: int | None,
    limit: int,
) -> list[Row]:
    """Return up to `limit` rows of `find`, narrowed to events that hold `text`, at positions up to `until`.

    `find` takes a condition on `e.position`, its values, and how many rows are wanted,
    and returns them newest first. The words are looked up newest first too and no
    further than needed: whether they stand in one event or in all makes no difference.
    """
    if text is None:
        return find("1", (), limit)
    rows: list[Row] = []
    with closing(_positions_holding(database, text, until)) as positions:
        while len(rows) < limit and (page := list(islice(positions, _PAGE))):
            rows += find(f"e.position IN ({_marks(page)})", page, limit - len(rows))
    return rows


def _positions_holding(database: Database, text: str, until: int | None) -> Generator[int]:
    expression = _match_expression(text)
    if expression is None:
        return
    end = (1 << 62) if until is None else (until + 1) << 23
    words = "SELECT rowid FROM words WHERE words MATCH ? AND rowid < ? ORDER BY rowid DESC"
    last = None
    with closing(database.each(words, (expression, end))) as found:
        for position in _positions(found):
            if position != last:
                yield position
            last = position


def _positions(rows: Iterator[Row]) -> Iterator[int]:
    return (row[0] >> 23 for row in rows)


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))


def _match_expression(text: str) -> str | None:
    from makingof.index.search import match_expression  # noqa: PLC0415 - few lists are narrowed by words

    return match_expression(text)
