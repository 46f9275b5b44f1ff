"""Index: the one door to what the log says, once it is laid out for questions.

What looking asks for is loaded with it. Lineages, stamping, forgetting and comparing
are for few commands, and loaded by the first question of their kind.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from makingof.digest import Digest
from makingof.event import Kind
from makingof.index import events, files, pictures, stamps, status
from makingof.index.database import Database
from makingof.index.follow import Progress, follow_log, followed_size
from makingof.index.readable import FollowedLog, ReadableLog
from makingof.index.values import (
    Check,
    EventFilter,
    EventRow,
    FileRow,
    Judgement,
    PictureFilter,
    PictureRow,
    Project,
    Status,
)
from makingof.part import PartType, Person

if TYPE_CHECKING:
    from makingof.index.graph import IndexGraph
    from makingof.index.stamping import PendingProof, SinceStamp
    from makingof.lineage.graph import Stream
    from makingof.lineage.lineage import Lineage


class Index:
    """What one log says, as of the entries followed so far.

    Answers are values; unknown names have empty answers. May be used from several
    threads, and by several processes at once; close it when done.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the index at `path`; it is empty if there was none, or none this version can read.

        Raises:
            StorageError: the disk refuses, or the file cannot be written.
        """
        return cls(Database.open(path))

    @classmethod
    def in_memory(cls) -> Self:
        """Open an index that lasts as long as this object."""
        return cls(Database.in_memory())

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Following

    def size(self) -> int:
        """Count the entries followed."""
        return followed_size(self._database)

    def follow(self, log: FollowedLog, *, progress: Progress | None = None) -> int:
        """Read what `log` has and the index lacks; return how many entries that were.

        A log that does not hold what was followed before empties the index first.
        """
        return follow_log(self._database, log, progress=progress)

    def rebuild(self, log: FollowedLog, *, progress: Progress | None = None) -> int:
        """Forget everything and follow `log` from its beginning."""
        self._database.clear()
        return self.follow(log, progress=progress)

    def purge(self, parts: Iterable[Digest]) -> None:
        """Forget what `parts` said, and leave nothing of it in the files of the index.

        To be called when the log has lost their bytes. Of blobs there is nothing here
        but what file parts say.

        Raises:
            ConflictError: another process reads, so that old pages cannot be let go of yet.
        """
        from makingof.index.forget import forget_parts  # noqa: PLC0415 - erasing alone

        numbers = [number for number, _ in events.number_parts(self._database, parts)]
        with self._database.writing() as connection:
            forget_parts(connection, numbers)
        self._database.scrub()

    def differs_from(self, other: Self) -> list[str]:
        """Name the tables that differ from those of `other`; none means identical."""
        from makingof.index.compare import differing_tables  # noqa: PLC0415 - checking alone

        return differing_tables(self._database, other._database)

    # Lineage

    def graph(self, log: ReadableLog) -> "IndexGraph":
        """Return the graph the lineage rule asks; the events themselves come from `log`."""
        from makingof.index.graph import IndexGraph  # noqa: PLC0415 - lineages alone

        return IndexGraph(self._database, log)

    def lineage(self, log: ReadableLog, pictures: Collection[Digest]) -> "Lineage":
        """Return what lies behind `pictures`, each the name of a file part or of the bytes."""
        from makingof.lineage.rule import find_lineage  # noqa: PLC0415 - lineages alone

        return find_lineage(self.graph(log), pictures)

    # Events

    def events(
        self, wanted: EventFilter | None = None, *, before: int | None = None, limit: int = 50
    ) -> list[EventRow]:
        """Return up to `limit` events at positions below `before`, the newest first."""
        return events.list_events(self._database, wanted or EventFilter(), before=before, limit=limit)

    def count_events(self, wanted: EventFilter | None = None) -> int:
        """Count the events that match."""
        return events.count_events(self._database, wanted or EventFilter())

    def event_at(self, position: int) -> EventRow | None:
        """Return the event at `position`: what `e41` names."""
        return events.event_at(self._database, position)

    def position_of(self, event: Digest) -> int | None:
        """Return where an event stands."""
        return events.position_of(self._database, event)

    def find_events(self, prefix: str, *, limit: int) -> list[Digest]:
        """Return up to `limit` events whose name begins with the hex digits `prefix`."""
        return events.find_events(self._database, prefix, limit)

    def positions_of_kind(self, kind: Kind) -> list[int]:
        """Return where the events of one kind stand, in log order."""
        return events.positions_of_kind(self._database, kind)

    def last_act(self) -> Digest | None:
        """Return the newest event that is not the recorder's word about itself: what `last` names."""
        return events.last_act(self._database)

    def last_output_event(self) -> Digest | None:
        """Return the newest event that gave a picture."""
        return events.last_output_event(self._database)

    # Parts

    def parts_of_type(self, event: Digest, types: Iterable[PartType]) -> list[Digest]:
        """Return the parts of these types of an event, in order."""
        position = self.position_of(event)
        return [] if position is None else events.parts_of_type(self._database, position, types)

    def positions_of_parts(self, parts: Iterable[Digest]) -> list[tuple[Digest, int]]:
        """Return where these parts stand, in log order; unknown ones are left out."""
        return events.positions_of_parts(self._database, parts)

    def events_of_parts(self, parts: Iterable[Digest]) -> list[Digest]:
        """Return the events that hold these parts, in log order."""
        positions = {position for _, position in self.positions_of_parts(parts)}
        rows = [self.event_at(position) for position in sorted(positions)]
        return [row.name for row in rows if row is not None]

    # Files

    def files_of(self, blob: Digest) -> list[FileRow]:
        """Return every file part of these bytes: those that gave the file first, the oldest first."""
        return files.files_of_blob(self._database, blob)

    def file_part(self, part: Digest) -> FileRow | None:
        """Return what one file part says."""
        return files.file_of_part(self._database, part)

    def twins_of(self, part: Digest) -> list[Digest]:
        """Return the file parts that name the same bytes as this one, itself first."""
        return files.twins_of(self._database, part)

    def files_since(self, position: int) -> list[FileRow]:
        """Return the file parts of the events from `position` on that say which bytes, in log order."""
        return files.files_since(self._database, position)

    def files_in(self, event: Digest) -> list[FileRow]:
        """Return the file parts of one event."""
        position = self.position_of(event)
        return [] if position is None else files.files_of_events(self._database, [position])

    def outputs_of(self, event: Digest) -> list[FileRow]:
        """Return the pictures an event gave; where it gave no output, whatever it did give."""
        position = self.position_of(event)
        return [] if position is None else files.outputs_of(self._database, [position])

    def siblings_of(self, event: Digest) -> list[FileRow]:
        """Return the pictures of the whole job an event belongs to, its own included."""
        position = self.position_of(event)
        if position is None:
            return []
        return files.outputs_of(self._database, files.positions_of_job(self._database, position))

    def find_blobs(self, prefix: str, *, limit: int) -> list[Digest]:
        """Return up to `limit` files whose digest begins with the hex digits `prefix`."""
        return files.find_blobs(self._database, prefix, limit)

    def find_file_parts(self, prefix: str, *, limit: int) -> list[Digest]:
        """Return up to `limit` file parts whose digest begins with the hex digits `prefix`."""
        return files.find_parts(self._database, prefix, limit)

    def known_among(self, blobs: Collection[Digest]) -> set[Digest]:
        """Return those of these bytes that some file part names."""
        return files.known_among(self._database, blobs)

    def has_place(self, blob: Digest, path: str) -> bool:
        """Tell whether these bytes were recorded as lying at `path`, spelled the same."""
        return files.has_place(self._database, blob, path)

    def last_seen(self, path: str) -> Digest | None:
        """Return the last bytes recorded at `path`; that they were removed later changes nothing."""
        return files.last_seen(self._database, path)

    def erased_at(self, path: str) -> int | None:
        """Return where the newest erasure stands that took bytes recorded at `path`."""
        return files.erased_at(self._database, path)

    def erased_from(self, position: int) -> int | None:
        """Return where the newest erasure stands that took bytes from the event at `position`."""
        return files.erased_from(self._database, position)

    def find_told(self, key: str) -> Digest | None:
        """Name the first event that told what a document or an export tells under `key`."""
        return files.find_told(self._database, key)

    def find_standing(self, key: str) -> Digest | None:
        """Name the newest event that tells what is told under `key` and was not withdrawn."""
        return files.find_standing(self._database, key)

    def named_files(self) -> Iterator[tuple[str, str | None, Digest]]:
        """Yield name, path and file part of every file that was recorded as lying somewhere, in log order."""
        return files.named_files(self._database)

    def places_of(self, blob: Digest) -> list[str]:
        """Return the paths these bytes were seen at, the newest first."""
        return files.places_of(self._database, blob)

    def judgements_of(self, blob: Digest) -> list[Judgement]:
        """Return the choices that judged these bytes, in log order, withdrawn ones marked."""
        return files.judgements_of(self._database, blob)

    # Pictures

    def pictures(
        self, wanted: PictureFilter | None = None, *, before: FileRow | None = None, limit: int = 50
    ) -> list[PictureRow]:
        """Return up to `limit` pictures, the newest first; `before` is the file of the last one seen."""
        return pictures.list_pictures(self._database, wanted or PictureFilter(), before=before, limit=limit)

    def count_pictures(self, wanted: PictureFilter | None = None) -> int:
        """Count the pictures that match."""
        return pictures.count_pictures(self._database, wanted or PictureFilter())

    def newest_outputs(self, limit: int) -> list[FileRow]:
        """Return the newest pictures that still say which bytes they are."""
        return [row.file for row in self.pictures(limit=limit)]

    # Projects, people, streams

    def projects(self) -> list[Project]:
        """Return every project, in the order they were opened."""
        return events.projects(self._database)

    def current_project(self) -> Digest | None:
        """Return the project acts belong to now: the newest that was not taken back."""
        project = events.current_project(self._database)
        return None if project is None else project.name

    def find_project(self, name: str) -> Digest:
        """Return the project of this title or event name; none is a `UsageError`."""
        return events.find_project(self._database, name).name

    def project_finals(self, project: Digest) -> list[Digest]:
        """Return the pictures marked final in a project, by one file part each, in log order."""
        return status.project_finals(self._database, project)

    def people(self) -> list[Person]:
        """Return who was enrolled, each as told last."""
        return events.people(self._database)

    def stream(self, stream: str) -> "Stream":
        """Return what is known of one stream."""
        from makingof.index.graph import read_streams  # noqa: PLC0415 - lineages alone

        return read_streams(self._database, [stream])[0]

    def moved_streams(self) -> dict[str, int]:
        """Return the last number of every open stream that went on since the last pulse told of it."""
        return events.moved_streams(self._database)

    def events_of_document(self, document: str) -> list[Digest]:
        """Return the events of which a record names `document` as its own id, in log order."""
        return events.events_of_document(self._database, document)

    def recorded_jobs(self, tool: str) -> set[str]:
        """Return the ids, as `tool` counts its jobs, whose end is recorded."""
        return events.recorded_jobs(self._database, tool)

    def has_events_of(self, tool: str, *, after: int) -> bool:
        """Tell whether a source that looks at `tool` handed in anything past position `after`."""
        return events.has_events_of(self._database, tool, after)

    def seen_jobs(self, tool: str) -> set[str]:
        """Return the ids, as `tool` counts its jobs, of those recorded as they happened."""
        return events.seen_jobs(self._database, tool)

    # Time and health

    def status(self) -> Status:
        """Count what stands open."""
        return status.read_status(self._database)

    def stamped_positions(self) -> list[int]:
        """Return where the `stamped` events stand, in log order."""
        return self.positions_of_kind(Kind.STAMPED)

    def since_last_stamp(self) -> "SinceStamp":
        """Return what happened since the checkpoint that was stamped last."""
        from makingof.index.stamping import since_last_stamp  # noqa: PLC0415 - stamping alone

        return since_last_stamp(self._database)

    def last_receipt_at(self) -> datetime | None:
        """Return when, by our clock, an authority's receipt was last recorded."""
        return stamps.last_receipt_at(self._database)

    def calendar_asked_at(self) -> datetime | None:
        """Return when an OpenTimestamps calendar last answered."""
        return stamps.calendar_asked_at(self._database)

    def pending_proofs(self) -> "list[PendingProof]":
        """Return the OpenTimestamps proofs that wait for their block, the oldest first."""
        from makingof.index.stamping import pending_proofs  # noqa: PLC0415 - stamping alone

        return pending_proofs(self._database)

    def oldest_pending_at(self) -> datetime | None:
        """Return when the oldest of these was recorded."""
        return next((proof.recorded_at for proof in self.pending_proofs()), None)

    def sitting_start(self, last: datetime) -> int:
        """Return where the sitting began whose last act was recorded at `last`."""
        from makingof.index.stamping import sitting_start  # noqa: PLC0415 - stamping alone

        return sitting_start(self._database, last)

    def last_check(self) -> Check | None:
        """Return the newest health check."""
        return stamps.last_check(self._database)

    def last_second_looks(self) -> list[int]:
        """Return where the newest comparison with each generator's own history stands, in log order."""
        return stamps.last_second_looks(self._database)
