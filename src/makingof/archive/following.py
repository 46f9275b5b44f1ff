"""Following a generator from outside, and comparing its own history with the log."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from makingof import __version__
from makingof.archive.archive import Archive
from makingof.archive.draining import drain
from makingof.archive.second_look import own_facts
from makingof.archive.tool_records import with_tool_records
from makingof.capture.comfyui import Follower, Job, Seen, parse_history
from makingof.capture.local_http import LocalHost
from makingof.errors import MakingofError, SourceError
from makingof.event import Event, Kind, Source
from makingof.lineage.second_looks import SecondLook
from makingof.observation import Observation, Position
from makingof.part import Means
from makingof.recorder.write import new_stream, own_observation

_SOURCE = Source("makingof-follower", __version__, "comfyui")
_MAX_JOBS = 10_000
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
        recorded = self.archive.index.recorded_jobs("comfyui") - self._ours
        count = 0
        for seen in self.follower.look(recorded):
            if self._seq == 0:
                facts = {"of": "watch", "url": self.follower.host.url}
                self._record(own_observation(Kind.OPENED, _SOURCE, facts), Means.OWN)
            count += self._take(seen)
        return count

    def close(self) -> None:
        """Say which number was the last."""
        if self._seq:
            facts = {"last_seq": self._seq - 1}
            self._record(own_observation(Kind.CLOSED, _SOURCE, facts), Means.OWN)

    def _take(self, seen: Seen) -> int:
        observation = seen.observation
        if observation.kind is not Kind.PROMPTED and (asked := self._requests.get(seen.job)):
            observation = replace(observation, cites=(asked,))
        try:
            position = self._record(with_tool_records(observation, seen.means), seen.means)
        except (SourceError, MakingofError) as err:
            # A file that vanished between look and copy; the job is not lost with it.
            facts: dict[str, object] = {"why": "not_recorded", "job": seen.job, "message": str(err)}
            self._record(own_observation(Kind.GAP, _SOURCE, facts), Means.OWN)
            return 0
        if observation.kind is Kind.PROMPTED:
            self._requests[seen.job] = position
        else:
            self._ours.add(seen.job)
        return 1

    def _record(self, observation: Observation, means: Means) -> Position:
        position = Position(self.stream, self._seq)
        self.archive.record([replace(observation, position=position)], means=means)
        self._seq += 1
        return position


def look_again(archive: Archive, host: LocalHost) -> SecondLook:
    """Compare the host's history with the log and record the result as `checked`.

    Raises:
        SourceError: the host does not answer, or not in a shape we know.
    """
    # The history first: what ends between the two is then drained and not asked about.
    history = parse_history(host.ask(f"/history?max_items={_MAX_JOBS}"), Path("/"))
    drain(archive)
    recorded = archive.index.recorded_jobs("comfyui")
    now_ms = int(archive.clock.now().timestamp() * 1000)
    jobs = [job for job in history if job.id in recorded or not _is_under_way(job, now_ms)]
    opened = _first_opened_ms(archive)
    lost = any(facts.get("why") == "hook_lost" for facts in own_facts(archive, Kind.GAP))
    missing = {job.id: _why(job, opened, has_lost=lost) for job in jobs if job.id not in recorded}
    found = SecondLook("comfyui", host.url, len(jobs), missing)
    facts: dict[str, object] = {
        "second_look": {
            "tool": found.tool,
            "url": found.url,
            "jobs": found.jobs,
            "recorded": found.recorded,
            "missing": [{"job": job, "why": why} for job, why in missing.items()],
        }
    }
    archive.record_own(Kind.CHECKED, facts | {"boot": archive.clock.boot_id()})
    return found


def _is_under_way(job: Job, now_ms: int) -> bool:
    """Tell whether a job ended so lately that its hook may still be handing it over."""
    return job.ended_ms is not None and 0 <= now_ms - job.ended_ms < _UNDER_WAY_MS


def _why(job: Job, opened_ms: int | None, *, has_lost: bool) -> str:
    if opened_ms is None:
        return "no_hook"
    if job.started_ms is not None and job.started_ms < opened_ms:
        return "before_hook"
    return "hook_lost" if has_lost else "unknown"


def _first_opened_ms(archive: Archive) -> int | None:
    """Return when, by our clock, the first stream of a ComfyUI hook or follower was opened."""
    for position in archive.index.positions_of_kind(Kind.OPENED):
        event = Event.parse(archive.log.entry(position))
        if event.header.source.tool == "comfyui":
            return int(event.recorded_at.timestamp() * 1000)
    return None
