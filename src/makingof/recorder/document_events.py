"""What a layered document becomes: the jobs it remembers, what was put on the canvas, and the edit itself.

All of it was read later from what a program left: means `recovered`. A result that was
not applied was judged by nobody as far as the document says. Saved again, a document
remembers the same jobs: each has a key, and what was told once is cited, not told again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from msgspec import structs

from makingof.digest import Digest
from makingof.event import Kind, Source
from makingof.metadata.documents.document import Document, Job
from makingof.observation import Attached, Attachment, Draft, Observation
from makingof.part import (
    Choice,
    Means,
    Parameter,
    Parameters,
    PartType,
    Place,
    Report,
    Role,
    Text,
    body_of,
    escaped,
)
from makingof.reading import Reading, State
from makingof.recorder.document_report import document_reports, worded_by_prompts
from makingof.recorder.found import EDITORS, TEXT_FIELDS, reading_drafts
from makingof.recorder.inside import Kept, KeptPicture

_TEXTS = frozenset({PartType.PROMPT, PartType.NEGATIVE})


@dataclass(frozen=True, slots=True)
class Layered:
    """A document that was found, and what was taken out of it."""

    document: Document
    kept: Kept
    readings: tuple[Reading, ...]  # every record of the file, those of jobs included

    @property
    def tool(self) -> str:
        """Name what wrote it, or at least its format."""
        return self.document.tool or self.document.format

    @property
    def own_readings(self) -> list[Reading]:
        """The records that speak of the file and not of one job."""
        of_jobs = {job.reading for job in self.document.jobs}
        return [reading for number, reading in enumerate(self.readings) if number not in of_jobs]

    @property
    def job_records(self) -> list[Reading]:
        """One reading of each record that holds jobs: all jobs of a document lie in one."""
        by_digest = {self.readings[job.reading].raw_digest: job.reading for job in self.document.jobs[:1]}
        return [self.readings[number] for number in by_digest.values()]

    def results(self, number: int) -> list[KeptPicture]:
        """The results of job `number` that were taken out, in the job's own order."""
        return [kept for (job, _), kept in sorted(self.kept.results.items()) if job == number]

    def applied(self, number: int) -> list[KeptPicture]:
        """Those of them that the document says were put on the canvas."""
        job = self.document.jobs[number]
        found = [self.kept.results.get((number, result.number)) for result in job.results if result.applied]
        return [kept for kept in found if kept is not None]


def with_document_readings(readings: Sequence[Reading], document: Document) -> tuple[Reading, ...]:
    """Join what the reader of documents and the readers of files found, each record once.

    The document's own come first, so that a job's place among them stays what it was.
    """
    known = {(reading.raw_digest, str(reading.locator), reading.ordinal) for reading in document.readings}
    more = [r for r in readings if (r.raw_digest, str(r.locator), r.ordinal) not in known]
    # A record inside a layered document speaks for a picture that went into it, not for the document.
    return tuple(structs.replace(reading, main=False) for reading in (*document.readings, *more))


def job_key(layered: Layered, job: Job) -> str | None:
    """Name a job so that it is known again in the next save; one without an id has no such name."""
    tool = layered.document.readings[job.reading].tool
    return f"told:{tool}/{escaped(job.id)}" if job.id else None


def choice_key(key: str, layered: Layered, number: int) -> str:
    """Name what was applied of a job, so that a later save in which more was applied tells it anew."""
    job = layered.document.jobs[number]
    applied = ",".join(str(result.number) for result in job.results if result.applied)
    return f"{key}#applied={applied}"


def job_observation(layered: Layered, number: int, source: Source, key: str | None) -> Observation:
    """Describe one job of the document's history: `generated` with its results, else only `prompted`."""
    job = layered.document.jobs[number]
    reading = layered.document.readings[job.reading]
    results = layered.results(number)
    facts = {"kind": job.kind, "applied": _applied(job)}
    report = Report(
        job=escaped(job.id) or None,
        outputs=len(job.results),
        facts={name: escaped(value) for name, value in facts.items() if value},
    )
    drafts = [draft for draft in reading_drafts([reading], Means.RECOVERED, copy_raw=True) if _is_said(draft)]
    drafts = [_without_file(draft) for draft in drafts]
    drafts.append(Draft(PartType.REPORT, body_of(report), str(reading.locator)))
    if not results and not any(draft.type is PartType.PROMPT for draft in drafts):
        drafts.append(Draft(PartType.PROMPT, body_of(Text(state=State.ABSENT)), str(reading.locator)))
    return Observation(
        kind=Kind.GENERATED if results else Kind.PROMPTED,
        source=Source(source.name, source.version, reading.tool, reading.tool_version),
        drafts=(*drafts, *_key_drafts(key)),
        attachments=tuple(
            Attachment(kept.digest, Role.OUTPUT, number=position) for position, kept in enumerate(results)
        ),
    )


def choice_observation(
    layered: Layered, number: int, parts: Sequence[Digest], source: Source, key: str | None
) -> Observation:
    """Describe what was put on the canvas, among the job's results; `parts` are their file parts in order."""
    job = layered.document.jobs[number]
    by_digest = dict(zip((kept.digest for kept in layered.results(number)), parts, strict=True))
    choice = Choice(
        judged=tuple(dict.fromkeys(by_digest[kept.digest] for kept in layered.applied(number))),
        among=tuple(dict.fromkeys(parts)),
        among_from="tool",
    )
    reading = layered.document.readings[job.reading]
    report = Report(job=escaped(job.id) or None, text="applied to the canvas")
    return Observation(
        kind=Kind.SELECTED,
        source=Source(source.name, source.version, reading.tool, reading.tool_version),
        drafts=(
            Draft(PartType.CHOICE, body_of(choice), f"{reading.locator} in_use"),
            Draft(PartType.REPORT, body_of(report), f"{reading.locator} in_use"),
            *_key_drafts(key),
        ),
    )


def record_observations(layered: Layered, source: Source) -> list[Observation]:
    """Describe prompts kept from pictures that went into the document; what came of them it does not say."""
    told = []
    for reading in layered.own_readings:
        if reading.tool is None or reading.tool in EDITORS or not TEXT_FIELDS & reading.fields.keys():
            continue
        drafts = reading_drafts([reading], Means.RECOVERED, copy_raw=True)
        drafts = [_without_file(draft) for draft in drafts if _is_said(draft)]
        if not any(draft.type is PartType.PROMPT for draft in drafts):
            drafts.append(Draft(PartType.PROMPT, body_of(Text(state=State.ABSENT)), str(reading.locator)))
        told.append(
            Observation(
                kind=Kind.PROMPTED,
                source=Source(source.name, source.version, reading.tool, reading.tool_version),
                drafts=tuple(drafts),
            )
        )
    return told


def edit_drafts(layered: Layered, *, copy_raw: bool) -> list[Draft]:
    """Write what the document says of itself, besides the jobs and prompts that have events of their own."""
    drafts = reading_drafts(layered.own_readings, Means.RECOVERED, copy_raw=copy_raw)
    said = [draft for draft in drafts if draft.type not in _TEXTS]
    kept = [
        draft
        for draft in reading_drafts(layered.job_records, Means.RECOVERED, copy_raw=copy_raw)
        if draft.type is PartType.RAW
    ]
    reports = document_reports(layered.document, layered.kept)
    return [*said, *kept, *_worded_by_prompts(layered), *reports]


def _worded_by_prompts(layered: Layered) -> list[Draft]:
    worded = worded_by_prompts(layered.document)
    if not worded:
        return []
    fields = {f"tool:{name}": Parameter(escaped(value)) for name, value in worded.items()}
    body = body_of(Parameters(tool=layered.tool, fields=fields)) | {"file": Attached(0)}
    return [Draft(PartType.PARAMETERS, body, layered.document.format, Means.RECOVERED)]


def edit_attachments(layered: Layered) -> list[Attachment]:
    """Name what else belongs to the edit: how it looks, and the results that went into it."""
    shown = [Attachment(kept.digest, Role.PREVIEW) for kept in layered.kept.shown]
    used = [kept.digest for number in range(len(layered.document.jobs)) for kept in layered.applied(number)]
    return [*shown, *(Attachment(digest, Role.INIT) for digest in dict.fromkeys(used))]


def edit_source(layered: Layered, source: Source) -> Source:
    """Name the program that wrote the document, as the document tells."""
    tool, version = layered.document.tool, layered.document.tool_version
    return replace_source(source, tool, version)


def replace_source(source: Source, tool: str | None, version: str | None) -> Source:
    """Name another tool in a source; header fields are always shown, so only plain short words go in."""
    named = None if version is None else escaped(version)[:40]
    return Source(source.name, source.version, tool and escaped(tool)[:40], named)


def _key_drafts(key: str | None) -> list[Draft]:
    return [] if key is None else [Draft(PartType.PLACE, body_of(Place(url=key)), "recorder")]


def _is_said(draft: Draft) -> bool:
    # The plug-in keeps all its jobs in one record: copied to each job it would grow with the square.
    return draft.type is not PartType.RAW


def _without_file(draft: Draft) -> Draft:
    """The record lies in the document, which is not a file of this event."""
    body = {name: value for name, value in draft.body.items() if not isinstance(value, Attached)}
    return replace(draft, body=body)


def _applied(job: Job) -> str:
    if any(result.applied is None for result in job.results):
        return "not written down"
    return ", ".join(str(result.number) for result in job.results if result.applied) or "none"
