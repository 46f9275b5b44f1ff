"""The rows that one part becomes by what it says. Each carries the part's number, to be forgotten with it."""

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from makingof import canonical
from makingof.errors import MalformedError
from makingof.event import Kind
from makingof.index.database import TEXT_BITS, Row
from makingof.index.files import spelled
from makingof.index.search import indexed_words
from makingof.lineage.links import digests_in
from makingof.lineage.second_looks import read_second_look
from makingof.part import Choice, Note, Own, Parameters, Part, PartType, People, Place, Reason, Report, Text
from makingof.stamp.base import Kind as ReceiptKind
from makingof.stamp.base import Role as ReceiptRole
from makingof.stamp.kept import parse_kept

TableRow = tuple[str, Row]


def rows_said(part_id: int, kind: Kind, part: Part) -> Iterator[TableRow]:
    """Yield what `part`, of an event of `kind`, becomes besides its row among the parts."""
    if part.type is PartType.OWN:
        yield from _own(part_id, kind, part.read(Own).facts)
    elif kind is Kind.AFFIRMED and part.type is PartType.REPORT:
        return  # a signature is no text to read or to search
    elif (say := _SAYING.get(part.type)) is not None:
        yield from say(part_id, part)


def _prompt(part_id: int, part: Part) -> Iterator[TableRow]:
    text = part.read(Text)
    yield "prompts", (part_id, str(text.state), str(text.written), text.ordinal)
    typed = None if text.typed == text.effective else text.typed
    yield from _texts(part_id, {str(part.type): text.effective, f"typed_{part.type}": typed})


def _note(part_id: int, part: Part) -> Iterator[TableRow]:
    note = part.read(Note)
    return _texts(part_id, {"title": note.title, "note": note.text})


def _reason(part_id: int, part: Part) -> Iterator[TableRow]:
    return _texts(part_id, {"reason": part.read(Reason).text})


def _report(part_id: int, part: Part) -> Iterator[TableRow]:
    return _texts(part_id, {"report": part.read(Report).text})


def _texts(part_id: int, texts: Mapping[str, str | None]) -> Iterator[TableRow]:
    for number, (field, text) in enumerate(texts.items()):
        if text:
            text_id = (part_id << TEXT_BITS) + number
            yield "texts", (text_id, field, text)
            yield "words", (text_id, indexed_words(text))


def _parameters(part_id: int, part: Part) -> Iterator[TableRow]:
    said = part.read(Parameters)
    file = None if said.file is None else said.file.raw
    fields = msgspec.json.encode(said.fields).decode()
    yield (
        "readings",
        (part_id, file, said.tool, said.reader, said.ordinal, said.main, str(said.state), fields),
    )
    if (document := said.fields.get("tool:DocumentID")) is not None and document.value:
        yield "documents", (part_id, document.value)


def _choice(part_id: int, part: Part) -> Iterator[TableRow]:
    choice = part.read(Choice)
    yield "choices", (part_id, choice.final, choice.among_from)
    for file in dict.fromkeys(choice.judged):
        yield "judged", (part_id, file.raw)


def _place(part_id: int, part: Part) -> Iterator[TableRow]:
    place = part.read(Place)
    file = None if place.file is None else place.file.raw
    path = place.path if place.base64 is None else _spelled_from(place.base64)
    yield "places", (part_id, file, path, place.name, place.url, place.account, place.host)


def _spelled_from(encoded: str) -> str | None:
    """Spell a path that is not valid Unicode as questions about it are spelled."""
    try:
        return spelled(base64.b64decode(encoded, validate=True).decode("utf-8", "surrogatepass"))
    except ValueError:
        return None  # written by something else than us: it stays in the part alone


def _people(part_id: int, part: Part) -> Iterator[TableRow]:
    for number, person in enumerate(part.read(People).people):
        yield "people", (part_id, number, *msgspec.structs.astuple(person))


_SAYING: Mapping[PartType, Callable[[int, Part], Iterator[TableRow]]] = {
    PartType.PROMPT: _prompt,
    PartType.NEGATIVE: _prompt,
    PartType.NOTE: _note,
    PartType.REASON: _reason,
    PartType.REPORT: _report,
    PartType.PARAMETERS: _parameters,
    PartType.CHOICE: _choice,
    PartType.PLACE: _place,
    PartType.PEOPLE: _people,
}


def _own(part_id: int, kind: Kind, facts: Mapping[str, Any]) -> Iterator[TableRow]:
    match kind:
        case Kind.ERASED:
            for what, key in (("part", "parts"), ("bytes", "files")):
                for digest in dict.fromkeys(digests_in(facts.get(key))):
                    yield "erasures", (part_id, digest.raw, what)
        case Kind.STAMPED:
            yield from _stamp(part_id, facts)
        case Kind.CHECKED if (look := read_second_look(facts)) is not None:
            yield "second_looks", (part_id, look.tool, look.url)
        case Kind.CHECKED:
            yield "checks", (part_id, _text_or_none(facts.get("boot")))
        case _:
            return


def _stamp(part_id: int, facts: Mapping[str, Any]) -> Iterator[TableRow]:
    size, root = facts.get("size"), next(digests_in([facts.get("root")]), None)
    if isinstance(size, int) and root is not None:
        yield "stamps", (part_id, size, root.raw, _text_or_none(facts.get("checkpoint")) or "")
    receipts = facts.get("receipts")
    for number, receipt in enumerate(receipts if isinstance(receipts, list) else []):
        try:
            kept = parse_kept(receipt if isinstance(receipt, dict) else {})
        except MalformedError:
            continue  # what we cannot read dates nothing; the event itself keeps it
        is_pending = kept.kind is ReceiptKind.OTS and not any(
            b.role is ReceiptRole.HEADER for b in kept.beside
        )
        row = (str(kept.kind), kept.authority, kept.what, kept.about.raw, is_pending)
        yield "receipts", (part_id, number, *row, canonical.to_bytes(receipt).decode())


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) else None
