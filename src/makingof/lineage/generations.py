"""The makings of a lineage, generations and edits, in the order they were made.

One job may stand in several events: its request, its outputs, an attempt that
failed, and a second recording of the same files, found in a folder later. They
are one making, told by the event that knows best: seen as it happened before
found afterwards. Two runs that a hook saw stay two, even where the bytes that
came out are the same.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from makingof.clock import milliseconds
from makingof.digest import Digest
from makingof.event import Kind
from makingof.lineage.entry import Entry
from makingof.lineage.lineage import Lineage
from makingof.lineage.links import JOB_KINDS, FileLink, Links, claimed_ms, links_of
from makingof.part import Means, Role

_MAIN_ROLES = frozenset({Role.OUTPUT, Role.FINAL})
_KNOWS_BEST = (Means.LIVE, Means.SPOOLED, Means.WATCHED, Means.RECOVERED, Means.STATED, Means.OWN)
_HOOKED = frozenset({Means.LIVE, Means.SPOOLED})


@dataclass(frozen=True, slots=True)
class Told:
    """An event with what it points at."""

    entry: Entry
    links: Links


@dataclass(frozen=True, slots=True)
class Making:
    """One job or one edit, in the events that tell of it: the one that knows best first."""

    told: tuple[Told, ...]
    moment_ms: int
    is_claimed: bool  # whether the moment is what the files claim

    @property
    def entries(self) -> list[Entry]:
        """The events, the one that knows best first."""
        return [told.entry for told in self.told]

    @property
    def position(self) -> int:
        """Where it is first told of."""
        return min(told.entry.position for told in self.told)

    @property
    def names(self) -> set[Digest]:
        """The names of the events."""
        return {told.entry.name for told in self.told}

    @property
    def outputs(self) -> list[FileLink]:
        """The pictures it gave, each once: the main ones where it tells them apart, sealed ones included."""
        given = [link for link in self._files() if link.given or link.blob is None]
        main = [link for link in given if link.role in _MAIN_ROLES or link.blob is None]
        return _each_once(main or given)

    @property
    def inputs(self) -> list[FileLink]:
        """The pictures it used, each once."""
        return _each_once([link for link in self._files() if link.blob is not None and not link.given])

    @property
    def cites(self) -> set[Digest]:
        """The events it goes back to by its own word."""
        return {cited for told in self.told for cited in told.entry.event.header.cites}

    def _files(self) -> Iterator[FileLink]:
        return (link for told in self.told for link in told.links.files)


def find_generations(lineage: Lineage) -> list[Making]:
    """Return the jobs of a lineage in the order they were made."""
    return _in_order(lineage, JOB_KINDS)


def find_edits(lineage: Lineage) -> list[Making]:
    """Return the edits of a lineage in the order they were made."""
    return _in_order(lineage, frozenset({Kind.EDITED}))


def _in_order(lineage: Lineage, kinds: AbstractSet[Kind]) -> list[Making]:
    """Order by the log; what was only recovered goes where its files claim to belong.

    A recorder's clock set back does not reorder what the log has in order.
    """
    so_far = 0
    clock: dict[int, int] = {}
    told: list[Told] = []
    for entry in lineage.entries():
        if entry.means is not Means.RECOVERED:
            so_far = max(so_far, milliseconds(entry.event.header.recorded_at))
        clock[entry.position] = so_far or milliseconds(entry.event.header.recorded_at)
        if entry.kind in kinds:
            told.append(Told(entry, links_of(entry)))
    makings = [_making(group, clock) for group in _groups(told)]
    return sorted(makings, key=lambda making: (making.moment_ms, making.position))


def _making(group: list[Told], clock: dict[int, int]) -> Making:
    seen = [told.entry.position for told in group if told.entry.means is not Means.RECOVERED]
    claims = [ms for told in group if (ms := claimed_ms(told.entry, told.links)) is not None]
    is_claimed = not seen and bool(claims)
    moment_ms = min(claims) if is_claimed else clock[min(seen, default=group[0].entry.position)]
    return Making(tuple(sorted(group, key=_knowledge)), moment_ms, is_claimed)


def _knowledge(told: Told) -> tuple[bool, int, int]:
    """Rank what an event knows of its making: a result before its request, then by means and place."""
    is_request = told.entry.kind is Kind.PROMPTED
    return is_request, _KNOWS_BEST.index(told.entry.means), told.entry.position


def _groups(told: list[Told]) -> list[list[Told]]:
    """Put the events of one making together."""
    leaders = list(range(len(told)))

    def leader(number: int) -> int:
        while leaders[number] != number:
            leaders[number] = leaders[leaders[number]]
            number = leaders[number]
        return number

    first: dict[Hashable, int] = {}
    for number, key in _keys(told):
        leaders[leader(number)] = leader(first.setdefault(key, number))
    groups: dict[int, list[Told]] = defaultdict(list)
    for number, item in enumerate(told):
        groups[leader(number)].append(item)
    return list(groups.values())


def _keys(told: list[Told]) -> Iterator[tuple[int, Hashable]]:
    """Yield what the events of one making share: a job's id, a request, bytes found again."""
    requests = {item.entry.name for item in told if item.entry.kind is Kind.PROMPTED}
    hooked: dict[Digest, int] = {}
    for number, item in enumerate(told):
        for job in item.links.jobs:
            yield number, (job.tool, job.id)
        for request in {item.entry.name, *item.entry.event.header.cites} & requests:
            yield number, request
        if item.entry.means in _HOOKED:
            for blob in _given(item):
                hooked.setdefault(blob, number)
    for number, item in enumerate(told):
        for blob in _given(item):
            if item.entry.means not in _HOOKED or hooked[blob] == number:
                yield number, ("bytes", blob)


def _given(told: Told) -> set[Digest]:
    return {link.blob for link in told.links.files if link.blob is not None and link.given}


def _each_once(links: Iterable[FileLink]) -> list[FileLink]:
    found: dict[Digest, FileLink] = {}
    for link in links:
        found.setdefault(link.blob or link.part, link)
    return list(found.values())
