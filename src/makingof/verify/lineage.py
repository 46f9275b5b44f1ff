"""Whether a package leaves out what belongs to its pictures by the rule, and says where it cannot tell."""

from collections.abc import Iterator
from dataclasses import dataclass

from makingof.bundle.description import Why
from makingof.bundle.files import judged_blobs, whole_blobs
from makingof.bundle.record import Record
from makingof.digest import Digest
from makingof.errors import IntegrityError
from makingof.event import Kind
from makingof.lineage.entry import Entry
from makingof.lineage.lineage import Lineage
from makingof.lineage.lineage import Why as Belongs
from makingof.lineage.links import links_of
from makingof.lineage.memory import MemoryGraph
from makingof.lineage.rule import find_lineage
from makingof.part import Choice, Note, PartType
from makingof.texts import Message, say

# What such a part says, the lineage rule never looks at.
_LINKLESS = frozenset(
    {
        PartType.PROMPT,
        PartType.NEGATIVE,
        PartType.NOTE,
        PartType.REASON,
        PartType.PEOPLE,
        PartType.ENVIRONMENT,
    }
)
_CHOICES = frozenset({Kind.SELECTED, Kind.REJECTED})


@dataclass(frozen=True, slots=True)
class LineageSeen:
    """Whether the rule could be run in full, and what a reader must know at once."""

    is_whole: bool
    warnings: tuple[Message, ...]


def verify_lineage(record: Record, graph: MemoryGraph) -> LineageSeen:
    """Run the rule over what is shown.

    Raises:
        IntegrityError: an event, an alternative of a choice, or a file that must be here
            whole is left out, and nothing sealed explains it.
    """
    listed = frozenset(record.description.lineage)
    if unknown := [part for part in record.description.pictures if part not in record.file_parts]:
        message = f"{unknown[0]}, which the package is about, is named by no event"
        raise IntegrityError(message)
    hides = any(_hides_links(entry) for entry in record.lineage)
    found = find_lineage(graph, record.description.pictures, listed=listed)
    if (extra := sorted(found.positions - listed)) and not hides:
        message = f"entry {extra[0]} belongs to the lineage and is not listed"
        raise IntegrityError(message)
    bound = _binding_choices(record, graph, found)
    _require_alternatives(record, bound)
    _require_whole(record, found)
    return LineageSeen(not hides, tuple(_warnings(record, bound)))


def _hides_links(entry: Entry) -> bool:
    """Tell whether an entry has a silent part that could say what belongs together."""
    return any(entry.types[part] not in _LINKLESS for part in entry.silent())


def _binding_choices(record: Record, graph: MemoryGraph, found: Lineage) -> list[Entry]:
    """Return the choices whose alternatives step 6 of the rule brings into every lineage.

    Where anything is silent an ancestor here may have been something else to the
    exporter, who saw all links: then only choices about the pictures themselves bind.
    """
    reasons = (Belongs.PICTURE,) if _is_silent(record) else (Belongs.PICTURE, Belongs.ANCESTOR)
    concerned = {member.entry.position for member in found.by_why(*reasons)}
    return [entry for entry in graph.entries(graph.citing(concerned)) if entry.kind in _CHOICES]


def _require_alternatives(record: Record, choices: list[Entry]) -> None:
    """Refuse choices that name what is not shown: left out together, entries leave no other trace."""
    names = {entry.name for entry in record.entries}
    cited = {name for entry in choices for name in entry.event.header.cites} - names
    named = {part for entry in choices for part in _named_in(entry)} - record.file_parts.keys()
    if any(entry.silent(PartType.FILE) for entry in record.entries):
        named = set()  # a silent part may be a list of them
    if count := max(len(cited), len(named)):
        raise IntegrityError(say("verify.alternatives_missing", count=count))


def _named_in(choice: Entry) -> Iterator[Digest]:
    for said in choice.statements(PartType.CHOICE, Choice):
        yield from said.body.judged
        yield from said.body.among


def _require_whole(record: Record, found: Lineage) -> None:
    """Refuse a file held back as needless that no package leaves out."""
    if _is_silent(record):
        whole = {picture.blob for picture in found.pictures} | judged_blobs(found)
    else:
        whole = set(whole_blobs(found))
    about = {part for picture in found.pictures for part in picture.file_parts}
    for file in record.description.files:
        bodies = [record.file_parts[part][1] for part in file.parts if part in record.file_parts]
        blobs = {body.digest for body in bodies if body is not None}
        if file.why is Why.BRIEF and (blobs & whole or about.intersection(file.parts)):
            raise IntegrityError(say("verify.not_brief", number=file.number))


def _warnings(record: Record, bound: list[Entry]) -> Iterator[Message]:
    names = {entry.name for entry in record.entries}
    settled = {entry.position for entry in bound}
    others = [entry for entry in record.lineage if entry.position not in settled]
    named = {part for entry in others for part in _pointed_at(entry)} - record.file_parts.keys()
    cited = {name for entry in others for name in entry.event.header.cites} - names
    if count := max(len(named), len(cited)):
        yield say("verify.warn_points_elsewhere", count=count)
    if record.lineage:
        first, last = record.lineage[0].position, record.lineage[-1].position
        shown = sum(first <= entry.position <= last for entry in record.entries)
        if missing := last - first + 1 - shown:
            yield say("verify.warn_between", count=missing)


def _pointed_at(entry: Entry) -> Iterator[Digest]:
    yield from (naming.file for naming in links_of(entry).namings)
    for said in entry.statements(PartType.NOTE, Note):
        yield from said.body.about


def _is_silent(record: Record) -> bool:
    return any(entry.silent() for entry in record.lineage)
