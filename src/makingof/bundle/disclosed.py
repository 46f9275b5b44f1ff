"""Which parts a package shows: each once, in the order in which entries cite them."""

from collections.abc import Iterable, Iterator, Mapping

from makingof.digest import Digest
from makingof.errors import MalformedError
from makingof.event import Event
from makingof.lineage.entry import Entry, PartState
from makingof.part import Part


def read_entries(placed: Iterable[tuple[int, bytes]], shown: Mapping[Digest, bytes]) -> list[Entry]:
    """Read entries with those of their parts that are shown; what is not shown counts as sealed."""
    return [Entry.read(position, data, _parts_of(data, shown)) for position, data in placed]


def order_parts(entries: Iterable[Entry]) -> list[Digest]:
    """Return the parts shown in the order `data/parts.jsonl` keeps: by entry, lists before what they list."""
    return list(dict.fromkeys(digest for entry in entries for digest in _shown_in(entry)))


def require_cited(entries: Iterable[Entry], lines: list[bytes]) -> None:
    """Refuse, as `MalformedError`, lines that are not exactly the parts cited, in their order."""
    if order_parts(entries) != [Digest.of(line) for line in lines]:
        message = "parts.jsonl holds a part that no entry cites, or holds them in another order"
        raise MalformedError(message)


def _shown_in(entry: Entry) -> Iterator[Digest]:
    yield from entry.lists
    for digest, part in entry.parts.items():
        if not isinstance(part, PartState):
            yield digest


def _parts_of(entry: bytes, shown: Mapping[Digest, bytes]) -> dict[Digest, bytes]:
    """Pick an entry's parts out of all that are shown, those of its list parts included."""
    if not shown:
        return {}
    found = {}
    for ref in Event.parse(entry).header.parts:
        if (data := shown.get(ref.digest)) is None:
            continue
        found[ref.digest] = data
        for digest in _listed_in(data):
            if digest in shown:
                found[digest] = shown[digest]
    return found


_LIST_MARK = b'"body":{"parts":['


def _listed_in(data: bytes) -> tuple[Digest, ...]:
    return Part.parse(data).listed() or () if _LIST_MARK in data else ()
