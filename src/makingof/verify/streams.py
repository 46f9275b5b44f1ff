"""Counting the runs a lineage draws on, number by number."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from makingof.bundle.ranges import ProvenRange
from makingof.bundle.record import Record
from makingof.errors import IntegrityError
from makingof.event import Kind
from makingof.lineage.entry import Entry, PartState
from makingof.lineage.graph import Stream
from makingof.lineage.memory import MemoryGraph
from makingof.part import Own, PartType
from makingof.texts import Message, say
from makingof.verify.report import StreamCount

_IMPORT = "import"
_SHORT = 8
_PAIR = 2

Span = tuple[int, int]
"""Numbers from the first up to, not with, the second."""


@dataclass(frozen=True, slots=True)
class Counted:
    """The runs drawn on, how many single acts there are, and how many other runs were open beside."""

    streams: tuple[StreamCount, ...]
    acts: int
    others: int


def count_streams(record: Record, ranges: Sequence[ProvenRange], graph: MemoryGraph) -> Counted:
    """Count, from the entries shown.

    Raises:
        IntegrityError: a run has a number behind its close.
    """
    drawn = {entry.event.header.stream for entry in record.lineage} - {None}
    streams = sorted(graph.streams({stream for stream in drawn if stream}), key=lambda stream: stream.id)
    by_stream: dict[str, list[Entry]] = {}
    for entry in record.entries:
        if (name := entry.event.header.stream) is not None:
            by_stream.setdefault(name, []).append(entry)
    told = _told_gaps(record.entries)
    size = record.description.log.size
    counts = []
    for stream in streams:
        if stream.is_act:
            continue
        _check_closed(stream, by_stream[stream.id])
        counts.append(_count(stream, by_stream[stream.id], ranges, size, told.get(stream.id, [])))
    acts = sum(stream.is_act for stream in streams)
    return Counted(tuple(counts), acts, _count_others(record.entries, by_stream, drawn))


def describe(count: StreamCount) -> Message:
    """Say what was counted of one run."""
    if count.of == _IMPORT:
        key = "stream_import"
    elif not count.missing:
        key = "stream_whole"
    else:
        key = "stream_missing" if count.covered else "stream_partly"
    return say(
        f"verify.{key}",
        stream=count.stream[:_SHORT],
        of=count.of or "?",
        shown=count.shown,
        last=count.last,
        missing=count.missing,
        told=count.told,
        sealed=count.sealed,
    )


def warn(count: StreamCount) -> Message | None:
    """Say what a reader must know at once, or nothing."""
    if count.of == _IMPORT or count.missing == count.told:
        return None
    return say("verify.warn_missing" if count.covered else "verify.warn_partly", stream=count.stream[:_SHORT])


def _count(
    stream: Stream, entries: list[Entry], ranges: Sequence[ProvenRange], size: int, told: list[Span]
) -> StreamCount:
    return StreamCount(
        stream=stream.id,
        of=stream.of,
        shown=stream.seen,
        last=stream.last,
        missing=stream.missing_count,
        told=_count_told(told, sorted(entry.event.header.seq or 0 for entry in entries), stream.last),
        sealed=sum(_has_sealed(entry) for entry in entries),
        covered=_is_covered(stream, ranges, size),
    )


def _count_told(told: list[Span], seen: list[int], last: int) -> int:
    """Count the numbers up to `last` that gaps tell of and that are not there: a gap may be wide."""
    count, start = 0, 0
    for first, end in sorted(told):
        first, end = max(first, start), min(end, last + 1)  # noqa: PLW2901 - what earlier spans left of it
        if first < end:
            count += end - first - (bisect_left(seen, end) - bisect_left(seen, first))
            start = end
    return count


def _is_covered(stream: Stream, ranges: Sequence[ProvenRange], size: int) -> bool:
    """Tell whether the log is shown without a break from the run's opening to its close, or to the end."""
    if stream.opened is None:
        return False
    end = size if stream.closed is None else stream.closed + 1
    return any(item.start <= stream.opened and end <= item.end for item in ranges)


def _has_sealed(entry: Entry) -> bool:
    return PartState.SEALED in entry.silent().values()


def _told_gaps(entries: Iterable[Entry]) -> dict[str, list[Span]]:
    """Return the numbers that `gap` events say never arrived, as half-open spans by run."""
    told: dict[str, list[Span]] = {}
    for entry in entries:
        own = entry.first(PartType.OWN, Own) if entry.kind is Kind.GAP else None
        match own.facts if own else {}:
            case {"stream": str() as stream, "missing": list() as missing}:
                told.setdefault(stream, []).extend(_spans(missing))
            case _:
                continue
    return told


def _spans(missing: list[object]) -> Iterator[Span]:
    for item in missing:
        first, last = item if isinstance(item, list) and len(item) == _PAIR else (item, item)
        if type(first) is int and type(last) is int:
            yield max(first, 0), last + 1


def _check_closed(stream: Stream, entries: list[Entry]) -> None:
    if stream.closed is None:
        return
    late = [entry for entry in entries if entry.position > stream.closed and entry.kind is not Kind.GAP]
    if late:
        message = f"run {stream.id} goes on at {late[0].position} after it was closed at {stream.closed}"
        raise IntegrityError(message)


def _count_others(entries: Iterable[Entry], by_stream: dict[str, list[Entry]], drawn: set[str | None]) -> int:
    """Count the runs seen beside: those with a number other than 0, and those a `pulse` names."""
    others = {stream for stream, found in by_stream.items() if len(found) > 1 or found[0].kind is Kind.OPENED}
    for entry in entries:
        own = entry.first(PartType.OWN, Own) if entry.kind is Kind.PULSE else None
        streams = own.facts.get("streams") if own else None
        others |= set(streams) if isinstance(streams, dict) else set()
    return len(others - drawn)
