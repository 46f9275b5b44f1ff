"""Midjourney's job records, as its web page keeps them: saved job JSON, or those of a web archive.

A job names its parent and which of the parent's four pictures it goes on from: to make
a variation or an upscale of one picture is to choose it. A `/describe` captions a picture
that was there before; it becomes `described` and never a prompt.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from makingof.capture.exports.told import (
    Export,
    Told,
    Wanted,
    choice,
    moment_of_text,
    note,
    observe,
    portable,
    report,
)
from makingof.event import Kind, OccurredBy
from makingof.metadata.midjourney import READER, prompt_fields
from makingof.metadata.record import text_field
from makingof.reading import Locator, Reading, State

TOOL = "midjourney"
MAX_JOBS = 100_000
MAX_PROMPT_CHARS = 65_536
PICTURES = 4
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_COMMANDS = ("full_command", "fullCommand", "prompt")
_TYPES = ("event_type", "eventType", "job_type", "jobType", "_job_type", "type")
_PARENTS = ("parent_id", "parentId", "reference_job_id")
_GRIDS = ("parent_grid", "parentGrid", "reference_image_num")
_TIMES = ("enqueue_time", "enqueueTime")
_KEPT = ("batch_size", "width", "height", "username", "user_id", "current_status")
_SMALL = re.compile(r"[0-9]{1,5}")
_LISTS = ("jobs", "data", "items")


def job_list(value: Any) -> list[Any] | None:
    """Return the jobs of parsed JSON: a list, one job, or an object that holds a list; else None."""
    if isinstance(value, dict):
        held = next((value[name] for name in _LISTS if isinstance(value.get(name), list)), None)
        value = [value] if held is None else held
    if not isinstance(value, list) or not value:
        return None
    return value if any(_is_job(item) for item in value[:20]) else None


def _is_job(item: Any) -> bool:
    return (
        isinstance(item, dict)
        and isinstance(item.get("id"), str)
        and _ID.fullmatch(item["id"]) is not None
        and any(name in item for name in (*_TYPES, *_TIMES))
        and any(name in item for name in (*_COMMANDS, *_PARENTS))
    )


def read_jobs(jobs: list[Any]) -> Export:
    """Read every job, parents before children; an entry of another shape is a problem."""
    problems = [f"entry {number} is no job" for number, job in enumerate(jobs, 1) if not _is_job(job)]
    known = {job["id"]: job for job in jobs[:MAX_JOBS] if _is_job(job)}
    if len(jobs) > MAX_JOBS:
        problems.append(f"{len(jobs)} jobs, and {MAX_JOBS} are read")
    told: list[Told] = []
    for job in _parents_first(known):
        told += _tell(job)
    return Export("midjourney-jobs", tuple(told), tuple(problems[:100]))


def _parents_first(jobs: Mapping[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Order by parents. A ring of jobs that name each other as parents is cut where it is entered."""
    done: set[str] = set()
    for start in jobs:
        chain: list[str] = []
        at: str | None = start
        while at is not None and at in jobs and at not in done:
            done.add(at)
            chain.append(at)
            at = _said(jobs[at], _PARENTS)
        yield from (jobs[job] for job in reversed(chain))


def _tell(job: Mapping[str, Any]) -> Iterator[Told]:
    identity = str(job["id"])
    where = f"job {identity}"
    kind = _kind(job)
    if "describe" in kind.lower():
        yield _described(job, identity, where, kind)
        return
    parent = _said(job, _PARENTS)
    grid = _grid(job)
    drafts = [
        report(
            where,
            job=identity,
            outputs=_count(job.get("batch_size")),
            text=kind or None,
            enqueue_time=_said(job, _TIMES),
            parent=parent,
            parent_grid=grid,
            also={name: job[name] for name in _KEPT if isinstance(job.get(name), str)},
        )
    ]
    yield Told(
        key=job_key(identity),
        observation=observe(
            Kind.GENERATED, TOOL, drafts, at=moment_of_text(_said(job, _TIMES)), by=OccurredBy.VENDOR
        ),
        wanted=(*_pictures(identity), Wanted(name=identity, token=identity)),
        readings=_readings(job, where),
        after=(job_key(parent),) if parent else (),
        job=identity,
    )
    if parent and grid is not None:
        yield _chosen(job, identity, parent, grid)


def _described(job: Mapping[str, Any], identity: str, where: str, kind: str) -> Told:
    text = _said(job, _COMMANDS) or ""
    drafts = [note(where, text, title="describe"), report(where, job=identity, text=kind)]
    moment = moment_of_text(_said(job, _TIMES))
    return Told(
        key=job_key(identity),
        observation=observe(Kind.DESCRIBED, TOOL, drafts, at=moment, by=OccurredBy.VENDOR),
    )


def _chosen(job: Mapping[str, Any], identity: str, parent: str, grid: int) -> Told:
    """The parent's picture that this job goes on from, among the parent's pictures."""
    where = f"job {identity} parent_grid"
    drafts = [
        choice(where, [grid], range(PICTURES)),
        report(where, job=identity, text=_kind(job) or None, parent=parent, parent_grid=grid),
    ]
    return Told(
        key=f"{job_key(identity)}#chosen",
        observation=observe(
            Kind.SELECTED, TOOL, drafts, at=moment_of_text(_said(job, _TIMES)), by=OccurredBy.VENDOR
        ),
        wanted=_pictures(parent),
        after=(job_key(parent),),
    )


def _pictures(job: str) -> tuple[Wanted, ...]:
    return tuple(
        Wanted(name=f"{job}_{index}", token=job, index=index, number=index) for index in range(PICTURES)
    )


def job_key(identity: str | None) -> str:
    """Name a job's event, the same for every export of it."""
    return f"told:midjourney/job/{identity}"


def command_reading(command: str, where: str, container: str) -> Reading:
    """Read a command as the vendor shows it: flags may have been appended by account settings."""
    cut = command[:MAX_PROMPT_CHARS]
    return Reading(
        tool=TOOL,
        locator=Locator(container, where),
        state=State.PRESENT,
        raw=cut.encode("utf-8", "surrogatepass"),
        fields=prompt_fields(cut, where),
        main=True,
        reader=READER,
    )


def _readings(job: Mapping[str, Any], where: str) -> tuple[Reading, ...]:
    command = _said(job, _COMMANDS)
    if not command:
        return ()
    reading = command_reading(command, where, "json")
    made = _said(job, _TIMES)
    if made:
        reading.fields["made_at"] = text_field(made, f"{where} enqueue_time")
    return (reading,)


def _said(job: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    found = next((job[name] for name in names if isinstance(job.get(name), str) and job[name]), None)
    return None if found is None else portable(found)


def _kind(job: Mapping[str, Any]) -> str:
    event = job.get("event")
    inner = event.get("eventType") if isinstance(event, dict) else None
    return " ".join(dict.fromkeys(str(job[name]) for name in _TYPES if isinstance(job.get(name), str))) or (
        str(inner) if isinstance(inner, str) else ""
    )


def _grid(job: Mapping[str, Any]) -> int | None:
    found = next((job[name] for name in _GRIDS if isinstance(job.get(name), str)), "")
    return int(found) if found in ("0", "1", "2", "3") else None


def _count(text: object) -> int | None:
    return int(text) if isinstance(text, str) and _SMALL.fullmatch(text) else None
