"""The recorder: the only place where an event comes to be.

Order, and what a crash leaves between the steps:

 (1) attachments into the store, durable — a crash leaves orphans, which `fsck` lists;
 (2) parts salted and written in memory — a crash leaves nothing;
 (3) under the log's write lock: citations resolved, headers encoded with the tree head
     before them, entries and parts in one transaction — all of a batch or none;
 (4) checkpoint and high-water mark, by the log, before anything is acknowledged.

The means of an event is an argument, given by whoever owns the channel; nothing
inside an Observation can raise it.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from makingof.clock import Clock, format_instant
from makingof.digest import Digest
from makingof.errors import CorruptBlobError, UsageError
from makingof.event import VERSION, Head, Header, Kind, Source, event_name
from makingof.observation import Attachment, Draft, Observation, Position
from makingof.part import FileBody, Holding, Means, Own, PartType, body_of
from makingof.recorder.files import Taken, take
from makingof.recorder.parts import PreparedFile, PreparedParts, prepare_file, prepare_parts
from makingof.store.base import BlobStore
from makingof.texts import say
from makingof.tlog.log import EncodedEntry, Log, Pending
from makingof.tlog.merkle import TreeHead


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of one Observation: an event in the log, durable when you hold this."""

    name: Digest
    position: int
    already: bool  # the same (stream, seq) was recorded before; nothing was written
    file_parts: tuple[Digest, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """An Observation whose files are stored and whose parts are written, waiting for the lock."""

    observation: Observation
    means: Means
    parts: PreparedParts
    file_parts: tuple[Digest, ...]


@dataclass(slots=True)
class _Batch:
    """What the batch under the lock has written so far; gone if the batch is rolled back."""

    names: dict[tuple[str, int], Digest]
    written: set[Digest]

    def note(self, position: Position | None, name: Digest) -> None:
        self.written.add(name)
        if position is not None:
            self.names[position.stream, position.seq] = name


class Recorder:
    """Writes events into one log and their files into one store."""

    def __init__(self, log: Log, store: BlobStore, clock: Clock) -> None:
        self._log = log
        self._store = store
        self._clock = clock

    def record(
        self, observations: Sequence[Observation], *, means: Means, project: Digest | None = None
    ) -> list[Recorded]:
        """Record all of `observations` in one commit, in order.

        When this returns, every event and every attachment is on disk. An Observation
        whose position is already in the log writes nothing and is answered with the
        event that is there. If one cannot be recorded none is, and the store may keep
        orphans.
        """
        prepared = [self.prepare(observation, means) for observation in observations]
        return self.commit(prepared, project=project)

    def prepare(self, observation: Observation, means: Means) -> Prepared:
        """Store the attachments of `observation` and write its parts: steps (1) and (2)."""
        files = self.prepare_files(observation.attachments, observation, means)
        return self.prepare_stored(observation, files, means)

    def prepare_files(
        self, attachments: Sequence[Attachment], observation: Observation, means: Means
    ) -> list[PreparedFile]:
        """Store attachments of `observation` and write their file parts."""
        return [self._store_attachment(item, means, observation) for item in attachments]

    def prepare_stored(
        self, observation: Observation, files: Sequence[PreparedFile], means: Means
    ) -> Prepared:
        """Write the parts of an Observation whose files lie in the store already."""
        parts = prepare_parts(observation.drafts, files, means)
        return Prepared(observation, means, parts, tuple(file.digest for file in files))

    def commit(self, prepared: Sequence[Prepared], *, project: Digest | None = None) -> list[Recorded]:
        """Write prepared events in one transaction: steps (3) and (4)."""
        batch = _Batch({}, set())
        pending = [self._pending(item, batch, project) for item in prepared]
        appended = self._log.append(pending)
        return [
            Recorded(Digest.from_raw(done.leaf), done.index, done.already, item.file_parts)
            for item, done in zip(prepared, appended, strict=True)
        ]

    def _pending(self, item: Prepared, batch: "_Batch", project: Digest | None) -> Pending:
        observation = item.observation
        position = observation.position

        def encode(head: TreeHead) -> EncodedEntry:
            cites = tuple(dict.fromkeys(self._resolve(cited, batch) for cited in observation.cites))
            header = Header(
                v=VERSION,
                kind=observation.kind,
                means=item.means,
                actor=observation.actor,
                project=observation.project or project,
                stream=position.stream if position else None,
                seq=position.seq if position else None,
                occurred_at=observation.occurred_at,
                occurred_by=observation.occurred_by,
                recorded_at=format_instant(self._clock.now()),
                uptime_ms=self._clock.uptime_ms(),
                source=observation.source,
                cites=cites,
                parts=item.parts.refs,
                head=Head(size=head.size, root=Digest.from_raw(head.root)),
            )
            entry = header.to_bytes()
            batch.note(position, event_name(entry))
            return EncodedEntry(entry=entry, parts=item.parts.data)

        return Pending(key=stream_key(position) if position else None, encode=encode)

    def _resolve(self, cited: Digest | Position, batch: "_Batch") -> Digest:
        """Name a cited event that lies below: in this batch, or in the log."""
        if isinstance(cited, Position):
            if found := batch.names.get((cited.stream, cited.seq)):
                return found
            index = self._log.find_key(stream_key(cited))
            if index is None:
                raise UsageError(say("record.no_such_position", stream=cited.stream, seq=cited.seq))
            return event_name(self._log.entry(index))
        if cited not in batch.written and self._log.find_leaf(cited.raw) is None:
            raise UsageError(say("record.no_such_event", name=cited))
        return cited

    def _store_attachment(self, item: Attachment, means: Means, observation: Observation) -> PreparedFile:
        taken = take(self._store, item)
        if item.expected is not None and item.expected != taken.digest:
            message = f"{item.name or 'attachment'} is {taken.digest}, and its source saw {item.expected}"
            raise CorruptBlobError(message)
        return prepare_file(file_body(item, taken), means, observation.source.name, taken.looked.apart)


def file_body(item: Attachment, taken: Taken) -> FileBody:
    """Say what an attachment is, once it was taken."""
    return FileBody(
        role=item.role,
        digest=taken.digest,
        size=taken.size_bytes,
        holding=Holding.HELD if item.held else Holding.KNOWN,
        media_type=item.media_type or taken.looked.media_type,
        width=taken.looked.width,
        height=taken.looked.height,
        number=item.number,
    )


def new_stream() -> str:
    """Draw the random id of one run of one source."""
    return secrets.token_hex(16)


def stream_key(position: Position) -> bytes:
    """Return the log's opaque idempotency key: the stream, then the number, sortable."""
    return bytes.fromhex(position.stream) + position.seq.to_bytes(8, "big")


def own_draft(facts: Mapping[str, object]) -> Draft:
    """Write the recorder's own facts."""
    return Draft(PartType.OWN, body_of(Own(facts=dict(facts))), "recorder", Means.OWN)


def own_observation(
    kind: Kind,
    source: Source,
    facts: Mapping[str, object],
    *,
    position: Position | None = None,
    drafts: Sequence[Draft] = (),
    attachments: Sequence[Attachment] = (),
    cites: Sequence[Digest | Position] = (),
) -> Observation:
    """Describe an event of the recorder about itself."""
    return Observation(
        kind=kind,
        source=source,
        drafts=(own_draft(facts), *drafts),
        attachments=tuple(attachments),
        position=position,
        cites=tuple(cites),
    )
