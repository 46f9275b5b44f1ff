"""Between which outside times an entry of the log was written.

*Not after*: the entry existed when an authority stamped a checkpoint that
holds it. *Not before*: it was written after the newest receipt under its
`head`, whose bytes nobody could know earlier. Both bound the record and never
the happening: an old picture can be recorded today.

One authority can err or lie, so a bound takes two: the second-earliest and the
second-latest. Names that share an operator or a root key are one authority.
With one, the time is given as "one authority says"; with none, the entry is
not yet dated.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from makingof.stamp.base import Kind, Statement


class Standing(StrEnum):
    """On whose word a bound rests."""

    TWO = "two"  # at least two authorities of the reader
    ONE = "one"  # one authority says
    NONE = "none"  # not yet dated


@dataclass(frozen=True, slots=True)
class Stamp:
    """A verified statement and its place in the log.

    `size` is the tree size of the checkpoint it is about, or None where it is
    about a file. `logged_at` is the index of the entry that holds the receipt,
    or None while none does.
    """

    statement: Statement
    size: int | None
    logged_at: int | None


@dataclass(frozen=True, slots=True)
class Said:
    """One authority's time, as far as its own accuracy lets it be used."""

    at: datetime
    authority: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Bound:
    """A bound and who gives it, the one who decides it last.

    `at` is what `standing` allows to be said. `closest` is the tightest time
    any single authority gives: worth showing, never worth more than its word.
    """

    standing: Standing
    at: datetime | None = None
    by: tuple[Said, ...] = ()
    closest: Said | None = None

    @property
    def is_coarse(self) -> bool:
        """Tell whether a block's time, good to two hours only, decides the bound."""
        return bool(self.by) and self.by[-1].kind is Kind.OTS


NOT_DATED = Bound(Standing.NONE)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Both bounds of one entry; `contradictory` if it would be younger than itself."""

    not_before: Bound
    not_after: Bound

    @property
    def contradictory(self) -> bool:
        """Tell whether two times used exclude each other: a clock of an authority, or the log, is wrong."""
        first, last = self.not_before.at, self.not_after.at
        return first is not None and last is not None and first > last


class Timeline:
    """The bounds of every entry of one log, from its stamps; building sorts once, asking is a search."""

    def __init__(self, stamps: Iterable[Stamp]) -> None:
        stamps = list(stamps)
        groups = _group([stamp.statement for stamp in stamps])
        after = [
            (stamp.size, group, _said(stamp.statement, stamp.statement.latest))
            for stamp, group in zip(stamps, groups, strict=True)
            if stamp.size is not None
        ]
        before = [
            (stamp.logged_at, group, _said(stamp.statement, stamp.statement.earliest))
            for stamp, group in zip(stamps, groups, strict=True)
            if stamp.logged_at is not None
        ]
        self._sizes, self._not_after = _sweep(after, earliest=True)
        self._places, self._not_before = _sweep(before, earliest=False)

    def bounds(self, index: int, *, head_size: int) -> Bounds:
        """Return the bounds of entry `index`, whose `head` names a tree of `head_size` entries."""
        return Bounds(self.not_before(head_size), self.not_after(index))

    def not_after(self, index: int) -> Bound:
        """Return by when entry `index` existed: stamps of every checkpoint larger than `index` count."""
        # Sizes are kept negated, so that growing position means more stamps counted.
        return self._not_after[bisect_right(self._sizes, -(index + 1))]

    def not_before(self, head_size: int) -> Bound:
        """Return after when an entry with this `head` was written: receipts in a smaller place count."""
        return self._not_before[bisect_right(self._places, head_size - 1)]


def _said(statement: Statement, at: datetime) -> Said:
    return Said(at, statement.authority, statement.kind)


def _sweep(stamps: Sequence[tuple[int, int, Said]], *, earliest: bool) -> tuple[list[int], list[Bound]]:
    """Return positions and, between them, the bound given by all stamps up to there."""
    sign = -1 if earliest else 1
    best: dict[int, Said] = {}
    positions: list[int] = []
    bounds = [NOT_DATED]
    for place, group, said in sorted(stamps, key=lambda stamp: (sign * stamp[0], stamp[2].at)):
        held = best.get(group)
        if held is None or (said.at < held.at if earliest else said.at > held.at):
            best[group] = said
        bound = _bound(sorted(best.values(), key=lambda one: one.at, reverse=not earliest))
        position = sign * place
        if positions and positions[-1] == position:
            bounds[-1] = bound
        else:
            positions.append(position)
            bounds.append(bound)
    return positions, bounds


def _bound(ranked: Sequence[Said]) -> Bound:
    """Take the second of the authorities, the best first; with one there is only its word."""
    by = tuple(ranked[:2])
    standing = Standing.TWO if len(by) == 2 else Standing.ONE  # noqa: PLR2004 - two authorities make a bound
    return Bound(standing, by[-1].at, by, ranked[0])


def _group(statements: Sequence[Statement]) -> list[int]:
    """Number the authorities behind the statements; those that share a key, in any steps, are one."""
    group_of: dict[str, int] = {}
    members: dict[int, set[str]] = {}
    for number, statement in enumerate(statements):
        keys = set(statement.keys)
        for other in {group_of[key] for key in keys if key in group_of}:
            keys |= members.pop(other)
        members[number] = keys
        group_of.update(dict.fromkeys(keys, number))
    return [group_of[next(iter(statement.keys))] for statement in statements]
