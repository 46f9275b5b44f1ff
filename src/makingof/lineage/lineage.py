"""Lineage: the events and pictures behind one or several pictures, those not chosen included."""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum

from makingof.digest import Digest
from makingof.event import Kind
from makingof.lineage.entry import Entry, PartState
from makingof.lineage.graph import Stream
from makingof.lineage.second_looks import LookedAt, second_looks

RULE = 1


class Why(StrEnum):
    """What made an event belong. The first that applied, in this order."""

    PICTURE = "picture"  # it names the bytes of a picture asked about
    ANCESTOR = "ancestor"  # what went into such a picture
    JOB = "job"  # an output or attempt of the same job
    PROJECT = "project"  # an earlier job of the same project
    SESSION = "session"  # an earlier job of the same working session
    BRIEF = "brief"  # opened the project of one of these
    ALTERNATIVE = "alternative"  # lay on the table when one of these was chosen or turned down
    LISTED = "listed"  # the holder of the record lists it; what links it is not shown
    CITES = "cites"  # cites, names or uses one of these


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture asked about. `blob` is None where every part that names its bytes is sealed or erased."""

    blob: Digest | None
    file_parts: tuple[Digest, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """An event of a lineage.

    `claimed` tells that it belongs by times the files claim for themselves.
    `withdrawn_by` names the withdrawals of it that stand: it stays, marked.
    """

    entry: Entry
    why: Why
    claimed: bool = False
    withdrawn_by: tuple[Digest, ...] = ()


@dataclass(frozen=True, slots=True)
class Lineage:
    """What the rule of version `rule` finds behind `pictures` in the first `size` entries of a log.

    `members` and `context` are in log order. `context` is not part of the lineage:
    it tells who the people are, how whole the streams are that members came from, and
    what comparisons with the generators' own histories found.
    """

    rule: int
    size: int
    pictures: tuple[Picture, ...]
    members: tuple[Member, ...]
    context: tuple[Entry, ...]
    streams: tuple[Stream, ...]

    def entries(self, *kinds: Kind) -> list[Entry]:
        """Return the members' entries, of these kinds or of all, in log order."""
        return [member.entry for member in self.members if not kinds or member.entry.kind in kinds]

    def by_why(self, *reasons: Why) -> list[Member]:
        """Return the members that belong for one of `reasons`."""
        return [member for member in self.members if member.why in reasons]

    def find(self, name: Digest) -> Member | None:
        """Return the member of this name."""
        return next((member for member in self.members if member.entry.name == name), None)

    def silent(self, state: PartState) -> Iterator[tuple[Entry, Digest]]:
        """Yield the sealed or the erased parts with the entries they belong to."""
        for member in self.members:
            for digest, found in member.entry.silent().items():
                if found is state:
                    yield member.entry, digest

    def looks(self) -> list[LookedAt]:
        """Return the second looks of the context, in log order."""
        return [found for entry in self.context for found in second_looks(entry)]

    @property
    def positions(self) -> AbstractSet[int]:
        """Where the members stand."""
        return frozenset(member.entry.position for member in self.members)


def find_withdrawals(entries: Iterable[Entry]) -> dict[Digest, tuple[Digest, ...]]:
    """Return which events are withdrawn, and by which withdrawals that were not themselves taken back.

    Read from the last to the first: whether a withdrawal stands is settled by
    later ones alone, in one pass.
    """
    standing: dict[Digest, list[Digest]] = {}
    for entry in sorted(entries, key=lambda item: item.position, reverse=True):
        if entry.kind is Kind.WITHDRAWN and entry.name not in standing:
            for cited in entry.event.header.cites:
                standing.setdefault(cited, []).append(entry.name)
    return {name: tuple(reversed(by)) for name, by in standing.items()}
