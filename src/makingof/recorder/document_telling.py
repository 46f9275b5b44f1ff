"""Telling what a layered document remembers: its jobs, what was applied, and prompts kept inside it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from makingof.digest import Digest
from makingof.event import Source
from makingof.observation import Observation, Position
from makingof.part import Means
from makingof.recorder.document_events import (
    Layered,
    choice_key,
    choice_observation,
    job_key,
    job_observation,
    record_observations,
)
from makingof.recorder.write import Prepared, Recorder


class Memory(Protocol):
    """What earlier runs told."""

    def find_told(self, key: str) -> Digest | None: ...

    def find_file_part(self, digest: Digest) -> Digest | None: ...


@dataclass(frozen=True, slots=True)
class Earlier:
    """An event this run told: where it stands, and its file parts in order."""

    position: Position
    file_parts: tuple[Digest, ...]


@dataclass(slots=True)
class DocumentTelling:
    """Prepares the events that go before one edit; `cites` then names those the edit goes back to."""

    recorder: Recorder
    memory: Memory
    source: Source
    next_position: Callable[[], Position]
    told: dict[str, Earlier]  # of the run, by key
    cites: list[Digest | Position] = field(default_factory=list)
    _prepared: list[Prepared] = field(default_factory=list)

    def prepare(self, layered: Layered) -> list[Prepared]:
        """Prepare an event for each job, choice and kept prompt that was not told before."""
        for observation in record_observations(layered, self.source):
            self.cites.append(self._add(observation, None))
        for number in range(len(layered.document.jobs)):
            self._tell_job(layered, number)
        return self._prepared

    def _tell_job(self, layered: Layered, number: int) -> None:
        key = job_key(layered, layered.document.jobs[number])
        event, parts = self._earlier(layered, number, key)
        if event is None:
            event = self._add(job_observation(layered, number, self.source, key), key)
            parts = self._prepared[-1].file_parts
        if not layered.applied(number):
            return
        self.cites.append(event)
        chosen = None if key is None else choice_key(key, layered, number)
        if parts and not (chosen is not None and self._is_told(chosen)):
            choice = choice_observation(layered, number, parts, self.source, chosen)
            self._add(replace(choice, cites=(event,)), chosen)

    def _earlier(
        self, layered: Layered, number: int, key: str | None
    ) -> tuple[Digest | Position | None, Sequence[Digest]]:
        """Return the event that told this job before, and the file parts of its results, if all are known."""
        if key is None:
            return None, ()
        results = layered.results(number)
        if (earlier := self.told.get(key)) is not None:
            parts = earlier.file_parts
            return earlier.position, parts if len(parts) == len(results) else ()
        event = self.memory.find_told(key)
        found = [self.memory.find_file_part(kept.digest) for kept in results] if event else []
        named = [part for part in found if part is not None]
        return event, named if len(named) == len(results) else ()

    def _is_told(self, key: str) -> bool:
        return key in self.told or self.memory.find_told(key) is not None

    def _add(self, observation: Observation, key: str | None) -> Position:
        position = self.next_position()
        prepared = self.recorder.prepare(replace(observation, position=position), Means.RECOVERED)
        self._prepared.append(prepared)
        if key is not None:
            self.told[key] = Earlier(position, prepared.file_parts)
        return position
