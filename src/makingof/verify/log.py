"""Whether the entries of a package stand in the log where they say, and after what they say came before."""

from collections.abc import Sequence

from makingof.bundle.ranges import ProvenRange
from makingof.errors import IntegrityError, ProofError
from makingof.event import Event, Kind
from makingof.keys.signing import PublicKey
from makingof.lineage.entry import Entry
from makingof.part import Own, PartType
from makingof.tlog.merkle import RightEdge, TreeHead, leaf_hash, verify_range


def verify_entries(
    placed: Sequence[tuple[int, bytes]], ranges: Sequence[ProvenRange], head: TreeHead
) -> list[Event]:
    """Return the events, if every one stands in the tree `head` at its position.

    Each entry also names the tree before it (`head`). The proof of a range holds the
    right edge of the tree before the range, so that this is checked for every entry
    without a hash more. Checked too: that an event cites only what came before, as
    far as that is shown, and that no two have the same number in one stream.

    Raises:
        MalformedError: an entry is no event.
        IntegrityError: one of these does not hold.
    """
    events: list[Event] = []
    for item in ranges:
        entries = [data for _, data in placed[len(events) : len(events) + len(item)]]
        leaves = [leaf_hash(data) for data in entries]
        verify_range(leaves, item.start, head, item.proof)
        events += _events_after(_edge_before(item, head.size), entries, leaves)
    positions = [position for position, _ in placed]
    _check_order(dict(zip(positions, events, strict=True)))
    return events


def require_own_key(entry: Entry | None, key: PublicKey) -> None:
    """Refuse, as `ProofError`, an entry 0 that names another key than the one that signs the log."""
    if entry is None or entry.position != 0 or entry.kind is not Kind.ENROLLED:
        message = "entry 0, which names the log's key, is not in the package"
        raise ProofError(message)
    own = entry.first(PartType.OWN, Own)
    if own is not None and own.facts.get("log_key") != key.vkey:
        message = "entry 0 names another key than the one this log is signed with"
        raise ProofError(message)


def _edge_before(item: ProvenRange, size: int) -> RightEdge:
    """Take the left neighbours out of a verified range proof: the right edge of the tree before it."""
    lefts: list[bytes] = []
    hashes = iter(item.proof)
    low, high, width = item.start, item.end, size
    while width > 1:
        if low & 1:
            lefts.append(next(hashes))
        if high & 1 and high < width:
            next(hashes)
        low, high, width = low >> 1, (high + 1) >> 1, (width + 1) >> 1
    return RightEdge(item.start, tuple(reversed(lefts)))


def _events_after(edge: RightEdge, entries: Sequence[bytes], leaves: Sequence[bytes]) -> list[Event]:
    events = []
    for data, leaf in zip(entries, leaves, strict=True):
        event = Event.parse(data)
        stated = event.header.head
        before = edge.head()
        if stated.size != before.size or stated.root.raw != before.root:
            message = f"event at {before.size} was written after another log than the one it stands in"
            raise ProofError(message)
        events.append(event)
        edge, _ = edge.append(leaf)
    return events


def _check_order(events: dict[int, Event]) -> None:
    position_of = {event.name: position for position, event in events.items()}
    numbers: set[tuple[str | None, int | None]] = set()
    for position, event in events.items():
        for cited in event.header.cites:
            if position_of.get(cited, -1) >= position:
                message = f"event at {position} cites one that came later"
                raise IntegrityError(message)
        number = (event.header.stream, event.header.seq)
        if event.header.stream is not None and number in numbers:
            message = f"number {number[1]} of run {number[0]} stands in the log twice"
            raise IntegrityError(message)
        numbers.add(number)
    if len(position_of) != len(events):
        message = "one event stands in the log twice"
        raise IntegrityError(message)
