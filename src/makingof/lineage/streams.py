"""What the recorder's own events say about streams, and which of their numbers are missing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from makingof.digest import Digest
from makingof.event import Kind
from makingof.lineage.entry import Entry
from makingof.lineage.graph import Stream
from makingof.part import Own, Part, PartType

STREAM_KINDS = frozenset({Kind.OPENED, Kind.CLOSED, Kind.PULSE, Kind.GAP})


@dataclass(frozen=True, slots=True)
class StreamFact:
    """One event's word about one stream; `part` says it, or the header where it is None."""

    position: int
    kind: Kind
    stream: str
    of: str | None = None
    last: int | None = None
    part: Digest | None = None


def stream_facts(entry: Entry) -> list[StreamFact]:
    """Return what `entry` says about streams; that one opened or closed shows without any part."""
    if entry.kind not in STREAM_KINDS:
        return []
    facts = list(_told(entry))
    stream = entry.event.header.stream
    if entry.kind in (Kind.OPENED, Kind.CLOSED) and stream is not None:
        facts.append(StreamFact(entry.position, entry.kind, stream))
    return facts


def make_stream(stream: str, facts: Iterable[StreamFact], numbers: Iterable[int]) -> Stream:
    """Put together what is known of one stream; `numbers` are those seen, in ascending order."""
    at: dict[Kind, set[int]] = {kind: set() for kind in STREAM_KINDS}
    said = list(facts)
    for fact in said:
        at[fact.kind].add(fact.position)
    seen, last, missing = _count(
        numbers, max((fact.last for fact in said if fact.last is not None), default=-1)
    )
    return Stream(
        id=stream,
        of=min((fact.of for fact in said if fact.of is not None), default=None),
        opened=min(at[Kind.OPENED], default=None),
        closed=max(at[Kind.CLOSED], default=None),
        last=last,
        seen=seen,
        missing=missing,
        gaps=tuple(sorted(at[Kind.GAP])),
    )


def _told(entry: Entry) -> Iterator[StreamFact]:
    for digest, part in entry.parts.items():
        if entry.types[digest] is PartType.OWN and isinstance(part, Part):
            yield from _facts_in(entry, digest, part.read(Own).facts)


def _facts_in(entry: Entry, part: Digest, facts: dict[str, object]) -> Iterator[StreamFact]:
    own = entry.event.header.stream
    match entry.kind, facts:
        case Kind.OPENED, _ if own is not None:
            of = facts.get("of")
            yield StreamFact(
                entry.position, entry.kind, own, of=of if isinstance(of, str) else None, part=part
            )
        case Kind.CLOSED, _ if own is not None:
            yield StreamFact(entry.position, entry.kind, own, last=_number(facts.get("last_seq")), part=part)
        case Kind.PULSE, {"streams": dict() as counters}:
            for stream, last in counters.items():
                yield StreamFact(entry.position, entry.kind, stream, last=_number(last), part=part)
        case Kind.GAP, {"stream": str() as stream}:
            yield StreamFact(entry.position, entry.kind, stream, part=part)
        case _:
            return


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _count(numbers: Iterable[int], told: int) -> tuple[int, int, tuple[tuple[int, int], ...]]:
    """Return how many numbers were seen, the highest known, and the ranges missing up to it."""
    seen, expected = 0, 0
    missing: list[tuple[int, int]] = []
    for number in numbers:
        if number > expected:
            missing.append((expected, number - 1))
        seen += 1
        expected = number + 1
    if told >= expected:
        missing.append((expected, told))
    return seen, max(told, expected - 1), tuple(missing)
