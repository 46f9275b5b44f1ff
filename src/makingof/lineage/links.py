"""What one event points at: its files, the files it names, its job, and the times it claims.

Everything the lineage rule looks at is read here, once, for every graph: a
second reading elsewhere could disagree, and two lineages of one picture would
exist. What a part says carries that part's digest, so that it can be forgotten
with the part.
"""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass

from makingof.clock import milliseconds
from makingof.digest import Digest
from makingof.errors import MalformedError
from makingof.event import Kind
from makingof.lineage.entry import Entry
from makingof.part import (
    Choice,
    Means,
    Note,
    Own,
    Parameters,
    Part,
    PartType,
    Place,
    Report,
    Role,
)

JOB_KINDS = frozenset({Kind.PROMPTED, Kind.GENERATED, Kind.ATTEMPTED})
MAKING_KINDS = JOB_KINDS | {Kind.EDITED}
# A mask handed to a job is not made by it; its outputs, their previews and layers are.
MADE_ROLES = frozenset({Role.OUTPUT, Role.PREVIEW, Role.GRID, Role.LAYER, Role.FINAL})
# What a reader says stands beside the file it read, in one event, and names no other.
_NAMING = frozenset({PartType.CHOICE, PartType.PLACE, PartType.OWN})
_TELLING_JOBS = frozenset({PartType.REPORT, PartType.PARAMETERS})
AT_THE_MOMENT = frozenset({Means.LIVE, Means.SPOOLED, Means.WATCHED})


@dataclass(frozen=True, slots=True)
class FileLink:
    """One file part of an event; `blob` and `role` are None where the part is sealed or erased.

    `given` tells that the event made or brought the file; otherwise it used it.
    """

    part: Digest
    blob: Digest | None
    role: Role | None
    given: bool


@dataclass(frozen=True, slots=True)
class Naming:
    """`part` names `file`, a file part, mostly of another event."""

    part: Digest
    file: Digest


@dataclass(frozen=True, slots=True)
class JobLink:
    """`part` says the job's `id`, as its tool or vendor counts: one number of two tools is two jobs."""

    part: Digest
    tool: str
    id: str


@dataclass(frozen=True, slots=True)
class Claim:
    """`part` says the folder a recovered file lay in; `at_ms` is when, by its own word, it was made."""

    part: Digest
    folder: str | None
    at_ms: int


@dataclass(frozen=True, slots=True)
class Links:
    """What one event points at, as far as its parts are shown."""

    files: tuple[FileLink, ...]
    namings: tuple[Naming, ...]
    jobs: tuple[JobLink, ...]
    claims: tuple[Claim, ...]


def links_of(entry: Entry) -> Links:
    """Read what `entry` points at."""
    files: list[FileLink] = []
    namings: list[Naming] = []
    jobs: list[JobLink] = []
    claims: list[Claim] = []
    is_job, is_recovered = entry.kind in JOB_KINDS, entry.means is Means.RECOVERED
    for digest, part in entry.parts.items():
        part_type = entry.types[digest]
        if part_type is PartType.FILE:
            files.append(_file_link(entry.kind, digest, part))
            continue
        if not isinstance(part, Part):
            continue
        if part_type in _NAMING:
            namings += [Naming(digest, file) for file in dict.fromkeys(_named_by(part))]
        if is_job and (part_type in _TELLING_JOBS or part.vouched is not None):
            jobs += _jobs_in(entry, digest, part)
        if is_recovered and part_type is PartType.PLACE:
            claims += _claims_in(entry, digest, part)
    return Links(tuple(files), tuple(namings), tuple(dict.fromkeys(jobs)), tuple(claims))


def occurred_ms(entry: Entry) -> int | None:
    """Return the time a `recovered` event states for itself in its header."""
    header = entry.event.header
    if header.means is not Means.RECOVERED or header.occurred_at is None:
        return None
    return milliseconds(header.occurred_at)


def digests_in(value: object) -> Iterator[Digest]:
    """Yield what of a list of own facts are digests; under the same name other events keep a number."""
    for item in value if isinstance(value, list) else []:
        try:
            yield Digest.parse(item)
        except MalformedError:
            continue


def claimed_ms(entry: Entry, links: Links) -> int | None:
    """Return when a `recovered` event was made by its own word: its header's, or its earliest file's."""
    stated = occurred_ms(entry)
    return min((claim.at_ms for claim in links.claims), default=None) if stated is None else stated


def _file_link(kind: Kind, digest: Digest, part: object) -> FileLink:
    if not isinstance(part, Part):
        return FileLink(digest, None, None, given=False)
    role = Role(part.body["role"])
    blob = Digest.parse(part.body["digest"])
    return FileLink(digest, blob, role, given=kind not in MAKING_KINDS or role in MADE_ROLES)


def _named_by(part: Part) -> Iterator[Digest]:
    match part.type:
        case PartType.CHOICE:
            choice = part.read(Choice)
            yield from choice.judged
            yield from choice.among
        case PartType.NOTE:
            yield from part.read(Note).about
        case PartType.PLACE:
            yield from digests_in([part.body.get("file")])
        case PartType.OWN:
            yield from digests_in(part.read(Own).facts.get("files"))
        case _:
            return


def _jobs_in(entry: Entry, digest: Digest, part: Part) -> Iterator[JobLink]:
    tool = entry.event.header.source.tool or ""
    if part.vouched is not None and part.vouched.job:
        yield JobLink(digest, part.vouched.by, part.vouched.job)
    if part.type is PartType.REPORT and (job := part.read(Report).job):
        yield JobLink(digest, tool, job)
    if part.type is PartType.PARAMETERS and "job" in part.body.get("fields", ()):
        parameters = part.read(Parameters)
        if job := parameters.fields["job"].value:
            yield JobLink(digest, parameters.tool or tool, job)


def _claims_in(entry: Entry, digest: Digest, part: Part) -> Iterator[Claim]:
    place = part.read(Place)
    at_ms = occurred_ms(entry)
    if at_ms is None:
        at_ms = _claimed_ms(place.modified)
    if at_ms is not None:
        yield Claim(digest, _folder_of(place), at_ms)


def _claimed_ms(text: str | None) -> int | None:
    """Return a file time that is spelled as an instant; any other spelling claims nothing we can order."""
    if text is None:
        return None
    try:
        return milliseconds(text)
    except MalformedError:
        return None


def _folder_of(place: Place) -> str | None:
    """Name the folder a file lay in, on its machine."""
    path = place.path if place.path is not None else _decoded(place.base64)
    cut = max(path.rfind("/"), path.rfind("\\"))
    return None if cut < 0 else f"{place.host or ''}\n{path[:cut]}"


def _decoded(text: str | None) -> str:
    """Return a path that is not Unicode as text that is the same for the same bytes."""
    try:
        return base64.b64decode(text or "").decode("utf-8", "backslashreplace")
    except (binascii.Error, ValueError):
        return ""
