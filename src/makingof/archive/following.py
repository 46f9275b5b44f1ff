"""Following a generator from outside, and comparing its own history with the log."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from makingof import __version__
from makingof.archive.archive import Archive
from makingof.archive.draining import drain
from makingof.archive.second_look import own_facts
from makingof.archive.tool_records import with_tool_records
from makingof.capture.follower import Follower, Listed, Seen
from makingof.capture.generators import Generator
from makingof.capture.local_http import LocalHost
from makingof.digest import Digest
from makingof.errors import MakingofError, SourceError
from makingof.event import MAX_CITES, Event, Kind, Source
from makingof.index.values import FileRow
from makingof.lineage.second_looks import SecondLook
from makingof.observation import Attached, Attachment, Draft, Observation, Position, resolve_attached
from makingof.part import Means, PartType, Place, Role, body_of
from makingof.recorder.write import new_stream, own_observation
from makingof.texts import say

_ABOUT_JOBS = frozenset({Kind.GENERATED, Kind.ATTEMPTED})
_UNDER_WAY_MS = 10_000


@dataclass(slots=True)
class Following:
    """One run of a follower: a stream from `opened` to `closed`.

    What a hook recorded is left to it: the hook's word goes first, because it was there.
    """

    archive: Archive
    follower: Follower
    stream: str = field(default_factory=new_stream)
    _seq: int = 0
    _requests: dict[str, Position] = field(default_factory=dict)
    _ours: set[str] = field(default_factory=set)

    def look(self) -> int:
        """Record what is new and return how many events that gave.

        Raises:
            SourceError: the host does not answer; the next look may.
        """
        drain(self.archive)
        recorded = self.archive.index.recorded_jobs(self.follower.tool) - self._ours
        count = 0
        for seen in self.follower.look(recorded):
            if self._seq == 0:
                facts = {"of": "watch", "url": self.follower.host.url}
                self._record(own_observation(Kind.OPENED, self._source, facts), Means.OWN)
            count += self._take(seen)
        return count

    def close(self) -> None:
        """Say which number was the last."""
        self.follower.close()
        if self._seq:
            facts = {"last_seq": self._seq - 1}
            self._record(own_observation(Kind.CLOSED, self._source, facts), Means.OWN)

    @property
    def _source(self) -> Source:
        return Source("makingof-follower", __version__, self.follower.tool)

    def _take(self, seen: Seen) -> int:
        try:
            observation = self._resolved(seen)
            if observation is None:
                return 0
            position = self._record(with_tool_records(observation, seen.means), seen.means)
        except (SourceError, MakingofError) as err:
            # A file that vanished between look and copy; the job is not lost with it.
            facts: dict[str, object] = {"why": "not_recorded", "job": seen.job, "message": str(err)}
            self._record(own_observation(Kind.GAP, self._source, facts), Means.OWN)
            return 0
        if observation.kind is Kind.PROMPTED:
            self._requests[seen.job] = position
        elif observation.kind in _ABOUT_JOBS:
            self._ours.add(seen.job)
        return 1

    def _resolved(self, seen: Seen) -> Observation | None:
        """Put recorded pictures and events in the place of their names; None where nothing is to be told."""
        observation = seen.observation
        if seen.key is not None and self._is_told(seen.key, seen.means):
            return None
        cites: list[Digest | Position] = []
        if observation.kind in _ABOUT_JOBS and (asked := self._requests.get(seen.job)):
            cites.append(asked)
        if seen.undoes is not None:
            undone = self.archive.index.find_standing(seen.undoes)
            if undone is None:
                return None
            return replace(observation, cites=(undone,))
        rows = [self._find(path) for path in seen.about]
        cites += [row.event for row in rows if row is not None]
        observation = _with_pictures(observation, seen.about, rows)
        if seen.key is not None:
            told = Draft(PartType.PLACE, body_of(Place(url=seen.key)), "recorder")
            observation = replace(observation, drafts=(*observation.drafts, told))
        return replace(observation, cites=tuple(dict.fromkeys(cites))[:MAX_CITES])

    def _is_told(self, key: str, means: Means) -> bool:
        """Tell whether this is known: what only stands there, also if a person took it back since."""
        index = self.archive.index
        found = index.find_told(key) if means is Means.RECOVERED else index.find_standing(key)
        return found is not None

    def _find(self, path: Path) -> FileRow | None:
        """Return the first file part of the bytes last recorded at `path`."""
        blob = self.archive.index.last_seen(str(path))
        return next(iter(self.archive.index.files_of(blob)), None) if blob else None

    def _record(self, observation: Observation, means: Means) -> Position:
        position = Position(self.stream, self._seq)
        self.archive.record([replace(observation, position=position)], means=means)
        self._seq += 1
        return position


def _with_pictures(
    observation: Observation, about: tuple[Path, ...], rows: list[FileRow | None]
) -> Observation:
    """Name recorded pictures by their file parts; one that was not recorded goes along with this event."""
    attachments = list(observation.attachments)
    named: list[Digest | Attached] = [Attached(number) for number in range(len(attachments))]
    for path, row in zip(about, rows, strict=True):
        if row is None and path.is_file():
            named.append(Attached(len(attachments)))
            attachments.append(Attachment(path, Role.REFERENCE, name=path.name))
        elif row is not None:
            named.append(row.part)
        elif observation.kind is Kind.SELECTED:
            raise SourceError(say("recording.picture_gone", path=path))
    drafts = [replace(draft, body=resolve_attached(draft.body, named)) for draft in observation.drafts]
    return replace(observation, drafts=tuple(drafts), attachments=tuple(attachments))


def look_again(archive: Archive, host: LocalHost, generator: Generator) -> SecondLook:
    """Compare the host's history with the log and record the result as `checked`.

    Raises:
        SourceError: the host does not answer, or not in a shape we know.
    """
    # The history first: what ends between the two is then drained and not asked about.
    listed = generator.list_jobs(host)
    drain(archive)
    recorded = archive.index.recorded_jobs(generator.tool)
    now_ms = int(archive.clock.now().timestamp() * 1000)
    jobs = [job for job in listed if job.id in recorded or not _is_under_way(job, now_ms)]
    why = _Why.read(archive, generator.tool)
    missing = {job.id: why.of(job) for job in jobs if job.id not in recorded}
    found = SecondLook(generator.tool, host.url, len(jobs), missing)
    facts: dict[str, object] = {
        "second_look": {
            "tool": found.tool,
            "url": found.url,
            "jobs": found.jobs,
            "recorded": found.recorded,
            "missing": [{"job": job, "why": reason} for job, reason in missing.items()],
        }
    }
    archive.record_own(Kind.CHECKED, facts | {"boot": archive.clock.boot_id()})
    return found


def _is_under_way(job: Listed, now_ms: int) -> bool:
    """Tell whether a job ended so lately that its recorder may still be at it."""
    return job.ended_ms is not None and 0 <= now_ms - job.ended_ms < _UNDER_WAY_MS


@dataclass(frozen=True, slots=True)
class _Why:
    """What the log itself knows of jobs that are not in it."""

    opened_ms: int | None
    failed: frozenset[str]
    has_lost: bool

    @classmethod
    def read(cls, archive: Archive, tool: str) -> "_Why":
        gaps = own_facts(archive, Kind.GAP)
        failed = frozenset(str(facts.get("job")) for facts in gaps if facts.get("why") == "not_recorded")
        has_lost = any(facts.get("why") == "hook_lost" for facts in gaps)
        return cls(_first_opened_ms(archive, tool), failed, has_lost)

    def of(self, job: Listed) -> str:
        if self.opened_ms is None:
            return "no_hook"
        if job.started_ms is not None and job.started_ms < self.opened_ms:
            return "before_hook"
        if job.id in self.failed:
            return "not_recorded"
        return "hook_lost" if self.has_lost else "unknown"


def _first_opened_ms(archive: Archive, tool: str) -> int | None:
    """Return when, by our clock, the first stream of a hook in `tool` or of its follower was opened."""
    for position in archive.index.positions_of_kind(Kind.OPENED):
        event = Event.parse(archive.log.entry(position))
        if event.header.source.tool == tool:
            return int(event.recorded_at.timestamp() * 1000)
    return None
