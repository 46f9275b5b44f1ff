"""Recording files as they are found: stored first, then read, then written in batches.

While one batch is read and committed the store hashes and syncs the next. Each
commit stands for itself: an import killed half-way has recorded whole batches,
and running it again goes on where it stopped, because a (digest, path) pair that
is known writes nothing.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Protocol

from makingof.clock import format_instant
from makingof.digest import Digest
from makingof.errors import MakingofError
from makingof.event import MAX_CITES, Kind, Source
from makingof.observation import Attachment, Observation, Position
from makingof.part import Means
from makingof.reading import Reading
from makingof.recorder.document_events import Layered, edit_attachments, edit_drafts, edit_source
from makingof.recorder.document_telling import DocumentTelling, Earlier
from makingof.recorder.files import Looked, Taken, look, look_in_place
from makingof.recorder.found import kind_of, place_draft, reading_drafts, role_of
from makingof.recorder.parts import PreparedFile, prepare_file
from makingof.recorder.write import Prepared, Recorded, Recorder, file_body, new_stream, own_observation
from makingof.store.base import BlobStore, Failure, Progress, Stored
from makingof.store.source_file import Hashed, hash_many

_BATCH = 64
_LOOKERS = 2


Found = Stored | Hashed[Looked] | Failure
"""A file that is in the store, or was hashed and stays where it is, or could not be read."""


class Outcome(StrEnum):
    """What became of one file."""

    RECOGNISED = "recognised"  # a generator's or editor's record was found in it
    UNRECOGNISED = "unrecognised"  # recorded without one
    AGAIN = "again"  # known bytes in a new place
    KNOWN = "known"  # these bytes in this place were recorded before; nothing was written
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Imported:
    """One file and what became of it."""

    path: Path
    outcome: Outcome
    digest: Digest | None = None
    tool: str | None = None
    error: MakingofError | None = None


class Memory(Protocol):
    """What the archive remembers of earlier imports."""

    def known_among(self, digests: Collection[Digest]) -> Collection[Digest]:
        """Tell which of these bytes an event has a file part for."""
        ...

    def has_place(self, digest: Digest, path: Path) -> bool:
        """Tell whether these bytes were recorded in this place."""
        ...

    def find_event(self, digest: Digest) -> Digest | None:
        """Name an event that has a file part for these bytes."""
        ...

    def find_told(self, key: str) -> Digest | None:
        """Name the event that told what a document or an export tells under this key."""
        ...

    def find_file_part(self, digest: Digest) -> Digest | None:
        """Name the oldest file part of these bytes."""
        ...


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A file that is stored, or was hashed where it lies, and was looked at."""

    path: Path
    taken: Taken
    modified: str | None
    outcome: Outcome
    is_held: bool

    @property
    def tool(self) -> str | None:
        if self.taken.looked.layered is not None:
            return self.taken.looked.layered.tool
        return next((reading.tool for reading in self.taken.looked.readings if reading.tool), None)


@dataclass(slots=True)
class Import:
    """One run over files: a stream of its own, from `opened` to `closed`.

    A `single` run is what an act at the command line makes of a picture it meets for
    the first time: its stream has one event and no bounds.
    """

    recorder: Recorder
    store: BlobStore
    memory: Memory
    source: Source
    in_place: bool = False
    single: bool = False
    project: Digest | None = None
    stream: str = field(default_factory=new_stream)
    counts: Counter[Outcome] = field(default_factory=Counter)
    _seq: int = 0
    _told: dict[str, Earlier] = field(default_factory=dict)  # of this run, by key
    _events: dict[Digest, Digest] = field(default_factory=dict)  # of this run: bytes → event
    _places: set[tuple[Digest, Path]] = field(default_factory=set)

    def run(self, paths: Iterable[Path], progress: Progress | None = None) -> Iterator[Imported]:
        """Record `paths`, yielding each when it is durable; what cannot be read is yielded as failed.

        The stream opens before the first new file, so a run that finds nothing new
        writes nothing; it is closed with the counts of every outcome.
        """
        yield from self.run_found(self._take_all(paths, progress))

    def run_found(self, items: Iterable[Found]) -> Iterator[Imported]:
        """Record what somebody else stored, or hashed where it lies, as `run` does; each has its place."""
        with ThreadPoolExecutor(_LOOKERS) as pool:
            found = iter(items)
            while batch := list(islice(found, _BATCH)):
                for imported in self._record_batch(batch, pool):
                    self.counts[imported.outcome] += 1
                    yield imported
        if self._seq and not self.single:
            facts = {"last_seq": self._seq} | {outcome.value: n for outcome, n in self.counts.items()}
            self._commit([self._own(Kind.CLOSED, facts)])

    def _take_all(self, paths: Iterable[Path], progress: Progress | None) -> Iterator[Found]:
        if self.in_place:
            return hash_many(
                paths, lambda stream, path: look_in_place(stream, path.name, self.store.put), progress
            )
        return self.store.put_many(paths, progress)

    def _record_batch(self, batch: Sequence[Found], pool: Executor) -> Iterator[Imported]:
        failures = [item for item in batch if isinstance(item, Failure)]
        found = [item for item in batch if not isinstance(item, Failure)]
        known = self.memory.known_among({item.digest for item in found})
        fresh = []
        for item in found:
            if self._is_known(item, known):
                yield Imported(_path_of(item), Outcome.KNOWN, item.digest)
            else:
                fresh.append(item)
        # What was looked at where it lies waits for no thread.
        looked = map(self._look, fresh) if self.in_place else pool.map(self._look, fresh)
        candidates = [self._decide(item, known) for item in looked]
        self._write(candidates, failures)
        for done in candidates:
            yield Imported(done.path, done.outcome, done.taken.digest, done.tool)
        for failure in failures:
            yield Imported(failure.path, Outcome.FAILED, error=failure.error)

    def _is_known(self, item: Stored | Hashed[Looked], known: Collection[Digest]) -> bool:
        place = (item.digest, _path_of(item))
        if place in self._places or (item.digest in known and self.memory.has_place(*place)):
            return True
        self._places.add(place)
        return False

    def _look(self, item: Stored | Hashed[Looked]) -> _Candidate:
        path = _path_of(item)
        is_held = isinstance(item, Stored)
        if isinstance(item, Hashed):
            looked = item.seen
        else:
            with self.store.open(item.digest) as stream:
                looked = look(stream, path.name, self.store.put)
        is_made = looked.layered is not None or kind_of(looked.readings) is not Kind.IMPORTED
        outcome = Outcome.RECOGNISED if is_made else Outcome.UNRECOGNISED
        return _Candidate(
            path, Taken(item.digest, item.size_bytes, looked), _modified(item.modified_ns), outcome, is_held
        )

    def _decide(self, item: _Candidate, known: Collection[Digest]) -> _Candidate:
        """Tell bytes that were recorded before, elsewhere; of twins in a batch the first speaks."""
        digest = item.taken.digest
        if digest not in self._events:
            event = self.memory.find_event(digest) if digest in known else None
            self._events[digest] = event or _PENDING
            return item if event is None else replace(item, outcome=Outcome.AGAIN)
        return replace(item, outcome=Outcome.AGAIN)

    def _write(self, candidates: Sequence[_Candidate], failures: Sequence[Failure]) -> None:
        if not (candidates or failures):
            return
        prepared = [] if self._seq or self.single else [self._own(Kind.OPENED, {"of": "import"})]
        places: list[tuple[_Candidate, int]] = []  # which event of the batch speaks for which file
        for item in (item for item in candidates if item.outcome is Outcome.RECOGNISED):
            layered = item.taken.looked.layered
            prepared += [self._made(item)] if layered is None else self._edited(item, layered)
            places.append((item, len(prepared) - 1))
        if rest := [item for item in candidates if item.outcome is not Outcome.RECOGNISED]:
            prepared.append(self._listed(rest))
            places += [(item, len(prepared) - 1) for item in rest]
        recorded = self._commit([*prepared, *([self._gap(failures)] if failures else [])])
        for item, place in places:
            if self._events[item.taken.digest] is _PENDING:
                self._events[item.taken.digest] = recorded[place].name

    def _made(self, item: _Candidate) -> Prepared:
        """A file with a record of its making: one event of its own."""
        readings = item.taken.looked.readings
        observation = Observation(
            kind=kind_of(readings),
            source=replace_tool(self.source, readings),
            drafts=(
                *reading_drafts(readings, Means.RECOVERED, copy_raw=not item.is_held),
                place_draft(item.path, modified=item.modified),
            ),
            position=self._next(),
        )
        return self.recorder.prepare_stored(observation, [self._file(item)], Means.RECOVERED)

    def _edited(self, item: _Candidate, layered: Layered) -> list[Prepared]:
        """A layered document: what it remembers of others first, then the edit that goes back to it."""
        telling = DocumentTelling(self.recorder, self.memory, self.source, self._next, self._told)
        before = telling.prepare(layered)
        observation = Observation(
            kind=Kind.EDITED,
            source=edit_source(layered, self.source),
            drafts=(
                *edit_drafts(layered, copy_raw=not item.is_held),
                place_draft(item.path, modified=item.modified),
            ),
            position=self._next(),
            cites=tuple(dict.fromkeys(telling.cites))[:MAX_CITES],
        )
        inside = self.recorder.prepare_files(edit_attachments(layered), observation, Means.RECOVERED)
        return [
            *before,
            self.recorder.prepare_stored(observation, [self._file(item), *inside], Means.RECOVERED),
        ]

    def _listed(self, items: Sequence[_Candidate]) -> Prepared:
        """Files without a record, and known bytes met again: listed in one event."""
        events = [self._events[item.taken.digest] for item in items if item.outcome is Outcome.AGAIN]
        observation = own_observation(
            Kind.IMPORTED,
            self.source,
            {outcome.value: n for outcome, n in Counter(item.outcome for item in items).items()},
            position=self._next(),
            drafts=[
                place_draft(item.path, number, modified=item.modified) for number, item in enumerate(items)
            ],
            cites=[event for event in dict.fromkeys(events) if event is not _PENDING][:MAX_CITES],
        )
        return self.recorder.prepare_stored(observation, [self._file(item) for item in items], Means.OWN)

    def _gap(self, failures: Sequence[Failure]) -> Prepared:
        """Files that could not be read: that they were not recorded is recorded."""
        places = [place_draft(failure.path, None) for failure in failures]
        facts = {"why": "unreadable", "files": len(failures), "stream": self.stream}
        observation = own_observation(Kind.GAP, self.source, facts, position=self._next(), drafts=places)
        return self.recorder.prepare(observation, Means.OWN)

    def _file(self, item: _Candidate) -> PreparedFile:
        role = role_of(item.path.name, item.taken.looked.readings)
        attachment = Attachment(item.taken.digest, role, held=item.is_held)
        body = file_body(attachment, item.taken)
        return prepare_file(body, Means.RECOVERED, "file system", item.taken.looked.apart)

    def _own(self, kind: Kind, facts: Mapping[str, object]) -> Prepared:
        position = Position(self.stream, 0) if kind is Kind.OPENED else self._next()
        return self.recorder.prepare(own_observation(kind, self.source, facts, position=position), Means.OWN)

    def _next(self) -> Position:
        if self.single:
            return Position(new_stream(), 0)
        self._seq += 1
        return Position(self.stream, self._seq)

    def _commit(self, prepared: Sequence[Prepared]) -> list[Recorded]:
        return self.recorder.commit(prepared, project=self.project)


_PENDING = Digest.of(b"an event of the batch at hand")


def _path_of(item: Stored | Hashed[Looked]) -> Path:
    assert item.path is not None  # noqa: S101 - put_many and hash_many name the file they were given
    return item.path.absolute()


def _modified(modified_ns: int | None) -> str | None:
    """Spell a file system's modification time; one out of a calendar's range says nothing."""
    try:
        return None if modified_ns is None else format_instant(datetime.fromtimestamp(modified_ns / 1e9, UTC))
    except (OverflowError, ValueError, OSError):
        return None


def replace_tool(source: Source, readings: Sequence[Reading]) -> Source:
    """Name the tool whose record speaks for the file."""
    speaking = next((reading for reading in readings if reading.main), None)
    speaking = speaking or next((reading for reading in readings if reading.tool), None)
    if speaking is None:
        return source
    return Source(source.name, source.version, speaking.tool, speaking.tool_version)
