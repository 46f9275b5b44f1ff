"""The rows one event becomes. Pure: what is not in the entry is not in them."""

from collections.abc import Iterator, Mapping

from makingof.clock import milliseconds
from makingof.digest import Digest
from makingof.event import Kind
from makingof.index.database import PART_BITS, Row
from makingof.index.statements import TableRow, rows_said
from makingof.lineage.entry import Entry, PartState
from makingof.lineage.links import (
    JOB_KINDS,
    MAKING_KINDS,
    FileLink,
    Links,
    links_of,
    occurred_ms,
)
from makingof.lineage.streams import stream_facts
from makingof.part import FileBody, Part, Role

_LIST_BITS = 14  # a list part of 1 MiB lists fewer than 2^14 parts

# How many columns each table has, in the order the rows of a chunk are written.
TABLES: Mapping[str, int] = {
    "events": 15,
    "cites": 2,
    "parts": 5,
    "files": 12,
    "namings": 2,
    "choices": 3,
    "judged": 2,
    "prompts": 4,
    "texts": 3,
    "words": 2,
    "readings": 8,
    "documents": 2,
    "jobs": 3,
    "places": 7,
    "claims": 4,
    "stream_facts": 6,
    "stamps": 4,
    "receipts": 8,
    "checks": 2,
    "second_looks": 3,
    "people": 10,
    "erasures": 3,
}

_PICTURE_KINDS = MAKING_KINDS | {Kind.IMPORTED}
_PICTURE_ROLES = frozenset({Role.OUTPUT, Role.FINAL})


def rows_of(entry: Entry) -> Iterator[TableRow]:
    """Yield the rows of `entry`, each with its table."""
    ids = part_ids(entry)
    yield "events", _event_row(entry)
    for cited in entry.event.header.cites:
        yield "cites", (entry.position, cited.raw)
    yield from _part_rows(entry, ids)
    yield from _link_rows(entry, links_of(entry), ids)
    for digest, part in entry.parts.items():
        if isinstance(part, Part):
            yield from rows_said(ids[digest], entry.kind, part)
    for fact in stream_facts(entry):
        by = None if fact.part is None else ids[fact.part]
        yield "stream_facts", (entry.position, str(fact.kind), fact.stream, fact.of, fact.last, by)


def part_ids(entry: Entry) -> dict[Digest, int]:
    """Number the parts of an event so that no part's number depends on what another part says.

    What the header cites takes 0 to 15; what the list part number n lists goes on
    from (n + 1) × 2^14. Erasing a list then leaves the others their numbers.
    """
    base = entry.position << PART_BITS
    ids: dict[Digest, int] = {}
    for number, ref in enumerate(entry.event.header.parts):
        ids[ref.digest] = base + number
        start = base + ((number + 1) << _LIST_BITS)
        ids |= {digest: start + place for place, digest in enumerate(entry.lists.get(ref.digest, ()))}
    return ids


def _event_row(entry: Entry) -> Row:
    header = entry.event.header
    return (
        entry.position,
        entry.name.raw,
        str(header.kind),
        str(header.means),
        header.actor,
        None if header.project is None else header.project.raw,
        header.stream,
        header.seq,
        header.occurred_at,
        None if header.occurred_by is None else str(header.occurred_by),
        occurred_ms(entry),
        header.recorded_at,
        milliseconds(header.recorded_at),
        header.source.name,
        header.source.tool,
    )


def _part_rows(entry: Entry, ids: Mapping[Digest, int]) -> Iterator[TableRow]:
    for ref in entry.event.header.parts:
        listed = entry.lists.get(ref.digest)
        if listed is None:
            yield "parts", (ids[ref.digest], *_part_row(entry, ref.digest), None)
            continue
        yield "parts", (ids[ref.digest], ref.digest.raw, str(ref.type), "shown", None)
        for digest in listed:
            yield "parts", (ids[digest], *_part_row(entry, digest), ids[ref.digest])


def _part_row(entry: Entry, digest: Digest) -> Row:
    part = entry.parts[digest]
    state = part.value if isinstance(part, PartState) else "shown"
    return digest.raw, entry.types[digest].value, state


def _link_rows(entry: Entry, links: Links, ids: Mapping[Digest, int]) -> Iterator[TableRow]:
    for naming in links.namings:
        yield "namings", (ids[naming.part], naming.file.raw)
    for job in links.jobs:
        yield "jobs", (ids[job.part], job.tool, job.id)
    for claim in links.claims:
        yield "claims", (ids[claim.part], claim.folder, claim.at_ms, entry.kind in JOB_KINDS)
    for link in links.files:
        yield "files", (ids[link.part], link.part.raw, *_file_row(entry, link))


def _file_row(entry: Entry, link: FileLink) -> Row:
    part = entry.parts[link.part]
    if not isinstance(part, Part):
        return (None, 0, 0, *[None] * 7)
    body = part.read(FileBody)
    is_picture = link.given and body.role in _PICTURE_ROLES and entry.kind in _PICTURE_KINDS
    size = (body.size, str(body.holding), body.media_type, body.width, body.height, body.number)
    return (body.digest.raw, link.given, is_picture, str(body.role), *size)
