"""Which parts a package shows: each once, in the order in which entries cite them."""

import re
from collections.abc import Iterable, Iterator, Mapping

from makingof.digest import Digest
from makingof.errors import MalformedError
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
    """Pick an entry's parts out of all that are shown, those of its list parts included.

    Bytes that only look like a part's digest find nothing, or a part that
    `Entry.read` then refuses.
    """
    found = {}
    for spelled in _DIGEST.findall(entry) if shown else ():
        digest = Digest.parse(spelled.decode("ascii"))
        if (data := shown.get(digest)) is None:
            continue
        found[digest] = data
        for listed in _listed_in(data):
            if listed in shown:
                found[listed] = shown[listed]
    return found


_DIGEST = re.compile(rb'"digest":"(sha256:[0-9a-f]{64})"')
_LIST_MARK = b'"body":{"parts":['


def _listed_in(data: bytes) -> tuple[Digest, ...]:
    return Part.parse(data).listed() or () if _LIST_MARK in data else ()
