"""ComfyUI from outside: what its queue, its history and its folders show to somebody who only looks.

For those who put nothing into their ComfyUI, and as a second look at what a hook handed
over. The history lives in the host's memory: it forgets at a restart, it is replaced when
an id is used twice, and what is deleted from the queue never stands in it.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from makingof import __version__
from makingof.capture.comfyui_entry import JobEntry, parse_job_entry
from makingof.capture.follower import Listed, Seen, path_inside, place_of, raw_drafts
from makingof.capture.local_http import LocalHost
from makingof.clock import format_instant
from makingof.errors import MalformedError, SourceError
from makingof.event import Kind, OccurredBy, Source
from makingof.observation import Attachment, Draft, Observation
from makingof.part import Means, PartType, Report, Role, body_of, escaped
from makingof.texts import Message, say

TOOL = "comfyui"
_MAX_JOBS = 10_000
_NEWEST_JOBS = 100  # a history of ten thousand graphs is megabytes, every two seconds
_LOOKS_AT_NEWEST = 30
_HISTORY = "api:/history"
_GRAPH = "queue:prompt"


@dataclass(frozen=True, slots=True)
class Named:
    """A file that a job's outputs name."""

    node: str
    name: str
    path: Path
    role: Role


@dataclass(frozen=True, slots=True)
class Job(JobEntry):
    """One entry of the history, with where its files lie."""

    files: tuple[Named, ...] = ()

    def outcome(self, *, has_new: bool) -> str | None:
        """Say what `attempted` calls it; None for a job that went as asked."""
        is_again = not has_new and (self.wanted <= self.cached or bool(self.files))
        return self.broken_off or ("redelivered" if is_again else None)


@dataclass(slots=True)
class ComfyUIFollower:
    """Looks again and again at one running ComfyUI whose folders lie under `root`."""

    host: LocalHost
    root: Path
    version: str = ""
    _ended: set[tuple[str, int | None]] = field(default_factory=set)
    _queued: dict[str, int] = field(default_factory=dict)  # id → looks since it was last in the queue
    _delivered: dict[Path, tuple[int, int]] = field(default_factory=dict)
    _is_first: bool = True
    _looks_at_newest: int = 0
    is_called: bool = False  # it calls nobody: what it does is asked for

    @property
    def tool(self) -> str:
        return TOOL

    @property
    def remark(self) -> Message | None:
        return None

    def close(self) -> None:
        """Every question was a connection of its own."""

    def look(self, recorded: AbstractSet[str] = frozenset()) -> Iterator[Seen]:
        """Yield what is new since the last look; jobs in `recorded` were recorded by others.

        What stood in the history at the first look was not seen to happen: `recovered`.
        """
        if not self.version:
            self.version = _version(self.host.ask("/system_stats"))
        # The queue first: a job that ends between the two questions is then in both answers, never in none.
        queued = _queue_items(self.host.ask("/queue"))
        jobs = self._history(queued)
        means = Means.RECOVERED if self._is_first else Means.WATCHED
        for job, graph in queued.items():
            if job not in self._queued:
                yield Seen(job, self._request(job, graph), Means.WATCHED)
            self._queued[job] = 0
        for item in jobs:
            if (item.id, item.started_ms) not in self._ended and item.id not in recorded:
                was_queued = self._queued.get(item.id) is not None
                yield Seen(item.id, self._end(item), Means.WATCHED if was_queued else means)
            self._ended.add((item.id, item.started_ms))
            self._queued.pop(item.id, None) if item.id not in queued else None
        yield from self._cancelled(queued, recorded)
        self._is_first = False

    def _history(self, queued: Mapping[str, Any]) -> list[Job]:
        """Return the newest jobs, or all where these cannot be all that is new, and now and then.

        A job under an id that was used before stands where the earlier one stood, far from the newest.
        """
        if not self._is_first and self._looks_at_newest < _LOOKS_AT_NEWEST:
            self._looks_at_newest += 1
            jobs = parse_history(self.host.ask(f"/history?max_items={_NEWEST_JOBS}"), self.root)
            reaches_back = len(jobs) < _NEWEST_JOBS or (jobs[0].id, jobs[0].started_ms) in self._ended
            if reaches_back and self._queued.keys() <= queued.keys() | {job.id for job in jobs}:
                return jobs
        self._looks_at_newest = 0
        return parse_history(self.host.ask(f"/history?max_items={_MAX_JOBS}"), self.root)

    def _cancelled(self, queued: Mapping[str, Any], recorded: AbstractSet[str]) -> Iterator[Seen]:
        """Yield jobs that left the queue and stand nowhere at two looks: deleted, or the host restarted."""
        for job in [job for job in self._queued if job not in queued]:
            self._queued[job] += 1
            if self._queued[job] > 1:
                del self._queued[job]
                if job not in recorded:
                    report = _report(Report(outcome="cancelled", job=job, outputs=0))
                    yield Seen(job, Observation(Kind.ATTEMPTED, self._source(), (report,)), Means.WATCHED)

    def _request(self, job: str, graph: Any) -> Observation:
        drafts, attachments = raw_drafts(graph, _GRAPH, TOOL, 0)
        report = _report(Report(job=job))
        return Observation(Kind.PROMPTED, self._source(), (report, *drafts), tuple(attachments))

    def _end(self, job: Job) -> Observation:
        fresh = [named for named in job.files if self._is_new(job, named)]
        attachments = [
            Attachment(named.path, named.role, name=named.name, number=number)
            for number, named in enumerate(fresh)
        ]
        outcome = job.outcome(has_new=bool(fresh))
        drafts, more = raw_drafts(job.graph, _GRAPH, TOOL, len(attachments))
        report = Report(
            outcome=outcome,
            job=job.id,
            outputs=len(job.files),
            text=job.error,
            facts=_facts(job, fresh),
        )
        places = [place_of(named.path, _HISTORY, number) for number, named in enumerate(fresh)]
        for named in fresh:
            if (state := _state(named.path)) is not None:
                self._delivered[named.path] = state
        ended = job.ended_ms
        return Observation(
            kind=Kind.GENERATED if fresh else Kind.ATTEMPTED,
            source=self._source(),
            drafts=(_report(report), *drafts, *places),
            attachments=(*attachments, *more),
            occurred_at=None if ended is None else format_instant(datetime.fromtimestamp(ended / 1000, UTC)),
            occurred_by=None if ended is None else OccurredBy.TOOL,
        )

    def _is_new(self, job: Job, named: Named) -> bool:
        """Tell a file of this job from one that the cache delivers again, or that is gone."""
        state = _state(named.path)
        if state is None or self._delivered.get(named.path) == state:
            return False
        if named.node not in job.cached:
            return True
        return job.started_ms is not None and state[1] // 1_000_000 >= job.started_ms

    def _source(self) -> Source:
        return Source("makingof-follower", __version__, TOOL, self.version or None)


def ask_version(host: LocalHost) -> str:
    """Return which ComfyUI answers, "" from one that does not say; anything else is a `SourceError`."""
    told = host.ask("/system_stats")
    if not isinstance(told, dict) or not isinstance(told.get("system"), dict):
        raise SourceError(say("recording.no_answer", url=host.url, reason="not ComfyUI"))
    return _version(told)


def _version(told: Any) -> str:
    system = told.get("system") if isinstance(told, dict) else None
    return str(system.get("comfyui_version") or "") if isinstance(system, dict) else ""


def list_jobs(host: LocalHost) -> list[Listed]:
    """Ask the host for the jobs in its history."""
    told = parse_history(host.ask(f"/history?max_items={_MAX_JOBS}"), Path("/"))
    return [Listed(job.id, job.started_ms, job.ended_ms) for job in told]


def parse_history(told: Any, root: Path) -> list[Job]:
    """Read `/history`; what has not the shape of an entry is a `SourceError`."""
    if not isinstance(told, dict):
        message = "the history is not an object"
        raise SourceError(message)
    try:
        return [_with_files(parse_job_entry(job, entry), root) for job, entry in told.items()]
    except MalformedError as err:
        raise SourceError(str(err)) from err


def _with_files(entry: JobEntry, root: Path) -> Job:
    return Job(
        entry.id,
        entry.graph,
        entry.status,
        entry.messages,
        entry.wanted,
        entry.outputs,
        tuple(_named(entry, root)),
    )


def _named(entry: JobEntry, root: Path) -> Iterator[Named]:
    for output in entry.outputs:
        path = path_inside(root / output.folder, output.subfolder, output.name)
        if path is not None:
            role = Role.PREVIEW if output.folder == "temp" else Role.OUTPUT
            yield Named(output.node, output.name, path, role)


def _queue_items(told: Any) -> dict[str, Any]:
    """Return id → graph of what runs and waits. The rest of an item can hold account keys and is not read."""
    items = {}
    for name in ("queue_running", "queue_pending"):
        for item in told.get(name) or () if isinstance(told, dict) else ():
            if isinstance(item, list) and len(item) > 2:  # noqa: PLR2004 - number, id, graph
                items[str(item[1])] = item[2]
    return items


def _facts(job: Job, fresh: list[Named]) -> dict[str, Any]:
    new = {named.path for named in fresh}
    facts: dict[str, Any] = {
        "status": job.status,
        "cached": sorted(job.cached),
        "redelivered": [escaped(named.name) for named in job.files if named.path not in new],
    }
    return facts | {
        f"{name}_ms": str(told.get("timestamp")) for name, told in job.messages.items() if "timestamp" in told
    }


def _report(report: Report) -> Draft:
    return Draft(PartType.REPORT, body_of(report), _HISTORY)


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
