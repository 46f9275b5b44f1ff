"""Recording what happens in watched folders: arrivals are `watched`, what files say is `recovered`."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from makingof import __version__
from makingof.archive.archive import Archive
from makingof.archive.edits import propose_sources
from makingof.archive.imports import IndexMemory
from makingof.archive.inputs import InputFinder
from makingof.capture.watching import Change, What
from makingof.clock import format_instant
from makingof.containers.source import SeekableFile
from makingof.digest import Digest
from makingof.errors import ConflictError, MakingofError, MalformedError, StorageError
from makingof.event import MAX_CITES, Kind, Source
from makingof.index.values import FileRow
from makingof.metadata.documents.difference import compare_documents
from makingof.metadata.documents.document import Document
from makingof.metadata.documents.read import read_document
from makingof.metadata.record import Sheet
from makingof.observation import Attachment, Draft, Observation, Position
from makingof.part import Means, PartType, Report, Role, body_of
from makingof.reading import Reading
from makingof.recorder.document_events import Layered, edit_drafts
from makingof.recorder.document_telling import DocumentTelling, Earlier
from makingof.recorder.files import Taken, look, take
from makingof.recorder.found import kind_of, place_draft, reading_drafts, role_of
from makingof.recorder.importing import replace_tool
from makingof.recorder.parts import prepare_file
from makingof.recorder.write import Prepared, file_body, new_stream, own_observation
from makingof.store.base import Failure, Stored

_SOURCE = Source("makingof-watch", __version__)
_BATCH = 64
_MAX_PROPOSED = 4  # arrivals in one turn that a likely source is looked for: a person saves one at a time
_MAX_CHANGES = 200
_MAX_LOG_CHARS = 100_000
_ARRIVALS = frozenset({What.APPEARED, What.REPLACED, What.RENAMED})


@dataclass(frozen=True, slots=True)
class Noted:
    """What became of one change; `proposals` are what an edited picture may have been made from."""

    change: Change
    kind: Kind | None  # None: nothing new
    proposals: tuple[Path, ...] = ()


@dataclass(slots=True)
class Watch:
    """One run over folders: a stream from `opened` to `closed`."""

    archive: Archive
    folders: tuple[Path, ...]
    stream: str = field(default_factory=new_stream)
    _seq: int = 0
    _told: dict[str, Earlier] = field(default_factory=dict)  # by documents, in the batch at hand
    _last: dict[Path, Digest] = field(default_factory=dict)  # of this run: path → its bytes when last seen

    def open(self, known: int) -> None:
        """Open the stream; `known` files lay there before."""
        facts = {"of": "watch", "files_before": known, "boot": self.archive.clock.boot_id()}
        self._commit([self._own(Kind.OPENED, facts, [own_place(folder) for folder in self.folders])])

    def close(self) -> None:
        """Say which number was the last."""
        self._commit([self._own(Kind.CLOSED, {"last_seq": self._seq - 1})])

    def leave(self, count: int) -> None:
        """Say that `count` files were seen to change and not taken: the recorder ended before."""
        self._commit([self._own(Kind.GAP, {"why": "not_taken", "stream": self.stream, "files": count})])

    def record(self, changes: Sequence[Change]) -> list[Noted]:
        """Record `changes`, each batch in one commit; when this returns they are durable."""
        self.archive.index.follow(self.archive.log)  # others write too: what a hook recorded is known
        noted: list[Noted] = []
        for start in range(0, len(changes), _BATCH):
            noted += self._record_batch(changes[start : start + _BATCH])
        if len(changes) > _MAX_PROPOSED:
            return noted
        return [
            replace(item, proposals=self._propose(item.change))
            if item.kind is Kind.IMPORTED and item.change.what is not What.RENAMED
            else item
            for item in noted
        ]

    def _record_batch(self, batch: Sequence[Change]) -> list[Noted]:
        prepared: list[Prepared] = []
        before = self._seq
        try:
            taken = self._take_all(batch)
            noted = [self._note(change, taken, prepared) for change in batch]
            self._commit(prepared)
        except MakingofError as err:
            # Nothing was written: numbers nobody used would look like events taken out.
            self._seq = before
            self._told.clear()
            for change in batch:
                self._last.pop(change.path, None)  # the index knows what lay there when last recorded
            if isinstance(err, StorageError | ConflictError):
                raise  # a full disk, another writer: the next try may go well
            return self._record_apart(batch, err)
        return noted

    def _record_apart(self, batch: Sequence[Change], error: MakingofError) -> list[Noted]:
        """One file that breaks a rule of ours costs neither its neighbours nor what comes after them."""
        if len(batch) > 1:
            return [item for change in batch for item in self._record_batch([change])]
        facts: dict[str, object] = {"why": "not_recorded", "stream": self.stream, "message": str(error)}
        self._commit([self._own(Kind.GAP, facts, [own_place(batch[0].path)])])
        return [Noted(batch[0], Kind.GAP)]

    def _commit(self, prepared: Sequence[Prepared]) -> None:
        if prepared:
            self.archive.require_writable()
            self.archive.recorder.commit(prepared, project=self.archive.index.current_project())
            self.archive.index.follow(self.archive.log)

    def _take_all(self, changes: Sequence[Change]) -> dict[Path, Stored | Failure]:
        """Store every file of a batch, its syncs shared; a file told of twice is stored as it is now."""
        arrived = [change.path for change in changes if change.what in _ARRIVALS]
        stored = self.archive.store.put_many(dict.fromkeys(arrived))
        return {item.path: item for item in stored if item.path is not None}

    def _note(
        self, change: Change, taken: Mapping[Path, Stored | Failure], prepared: list[Prepared]
    ) -> Noted:
        match change.what:
            case What.FOLDER_VANISHED | What.FOLDER_BACK:
                facts: dict[str, object] = {"why": change.what.value, "stream": self.stream}
                prepared.append(self._own(Kind.GAP, facts, [own_place(change.path)]))
                return Noted(change, Kind.GAP)
            case What.DELETED:
                prepared.append(self._removed(change))
                return Noted(change, Kind.REMOVED)
            case What.APPEARED | What.REPLACED | What.RENAMED:
                return self._arrived(change, taken[change.path], prepared)

    def _arrived(self, change: Change, stored: Stored | Failure, prepared: list[Prepared]) -> Noted:
        if isinstance(stored, Failure):
            is_there = change.path.exists()
            facts: dict[str, object] = {
                "why": "not_stored" if is_there else "vanished",
                "stream": self.stream,
                "message": str(stored.error),
            }
            prepared.append(self._own(Kind.GAP, facts, [own_place(change.path)]))
            return Noted(change, Kind.GAP)
        with self.archive.store.open(stored.digest) as stream:
            looked = look(stream, change.path.name, self.archive.store.put)
        taken = Taken(stored.digest, stored.size_bytes, looked)
        before = self._last.get(change.path) or self.archive.index.last_seen(str(change.path))
        self._last[change.path] = taken.digest
        known = self.archive.index.files_of(taken.digest)
        if known and self.archive.index.has_place(taken.digest, str(change.path)):
            return Noted(change, None)  # a hook or an import was quicker
        if known or change.what is What.RENAMED:
            prepared.append(self._met_again(change, taken, known))
            return Noted(change, Kind.IMPORTED)
        prepared += self._made(change, taken, before)
        return Noted(change, prepared[-1].observation.kind)

    def _made(self, change: Change, taken: Taken, before: Digest | None) -> list[Prepared]:
        """Bytes never seen: by what they say of themselves, and by what lay under the same name."""
        readings = taken.looked.readings
        if (layered := taken.looked.layered) is not None:
            return self._saved(change, taken, layered, before)
        kind = kind_of(readings)
        if kind is Kind.IMPORTED:
            return [self._listed(change, taken, {"arrival": change.what.value}, [])]
        parents = self._parents(readings) if kind is Kind.EDITED else self._inputs(change, taken)
        drafts = [*reading_drafts(readings, Means.RECOVERED, copy_raw=False), _place(change.path)]
        source = replace_tool(_SOURCE, readings)
        role = role_of(change.path.name, readings)
        return [self._seen(Observation(kind, source, tuple(drafts)), taken, role, parents)]

    def _saved(self, change: Change, taken: Taken, layered: Layered, before: Digest | None) -> list[Prepared]:
        """A save of a layered document: what it remembers of others first, then what this save changed."""
        telling = DocumentTelling(
            self.archive.recorder, IndexMemory(self.archive), _SOURCE, self._next, self._told
        )
        remembered = telling.prepare(layered)
        drafts = [self._save_report(change, layered.document, before), _place(change.path)]
        # That it was saved was seen; what it says of itself was read.
        drafts += [replace(item, means=Means.RECOVERED) for item in edit_drafts(layered, copy_raw=False)]
        parents = [] if before is None else [before]
        parents += [blob for blob in self._parents(taken.looked.readings) if blob not in parents]
        document = layered.document
        source = Source(_SOURCE.name, _SOURCE.version, document.tool, document.tool_version)
        observation = Observation(Kind.EDITED, source, tuple(drafts), cites=tuple(telling.cites))
        return [*remembered, self._seen(observation, taken, Role.LAYER, parents)]

    def _save_report(self, change: Change, document: Document, before: Digest | None) -> Draft:
        """What changed since the save before, and what the editor's own history added."""
        earlier = None if before is None else self._document(before, change.path.name)
        facts: dict[str, object] = {"arrival": change.what.value, "format": document.format}
        if earlier is not None:
            changes = compare_documents(earlier, document)
            facts["changes"] = [
                {"change": item.change.value, "path": item.path, "before": item.before, "after": item.after}
                for item in changes[:_MAX_CHANGES]
            ]
            facts["changes_in_all"] = len(changes)
        report = Report(text=_new_log(earlier, document), facts=facts)
        return Draft(PartType.REPORT, body_of(report), "document", Means.RECOVERED)

    def _seen(
        self, observation: Observation, taken: Taken, role: Role, parents: Sequence[Digest]
    ) -> Prepared:
        """Prepare an arrival: its file first, then what it was made from."""
        attachments = [Attachment(taken.digest, role), *(Attachment(blob, Role.INIT) for blob in parents)]
        files = []
        for item in attachments:
            found = taken if item.content == taken.digest else take(self.archive.store, item)
            means = Means.WATCHED if item.content == taken.digest else Means.RECOVERED
            files.append(prepare_file(file_body(item, found), means, _SOURCE.name, found.looked.apart))
        cites = [row.event for blob in parents for row in self.archive.index.files_of(blob)[:1]]
        cited = tuple(dict.fromkeys([*cites, *observation.cites]))[:MAX_CITES]
        placed = replace(observation, position=self._next(), cites=cited)
        return self.archive.recorder.prepare_stored(placed, files, Means.WATCHED)

    def _met_again(self, change: Change, taken: Taken, known: Sequence[FileRow]) -> Prepared:
        facts: dict[str, object] = {"arrival": change.what.value, "again": 1}
        return self._listed(change, taken, facts, [row.event for row in known])

    def _listed(
        self, change: Change, taken: Taken, facts: dict[str, object], cites: Iterable[Digest]
    ) -> Prepared:
        """A file that says nothing of its making: the arrival was watched, and that is all we say."""
        drafts = [replace(_place(change.path), means=Means.RECOVERED)]
        if change.was is not None:
            drafts.append(_without_file(replace(_place(change.was), means=Means.RECOVERED)))
        drafts += reading_drafts((), Means.RECOVERED, copy_raw=False)
        observation = own_observation(
            Kind.IMPORTED,
            _SOURCE,
            facts,
            position=self._next(),
            drafts=drafts,
            cites=list(dict.fromkeys(cites))[:MAX_CITES],
        )
        body = file_body(Attachment(taken.digest), taken)
        file = prepare_file(body, Means.RECOVERED, _SOURCE.name, taken.looked.apart)
        return self.archive.recorder.prepare_stored(observation, [file], Means.OWN)

    def _removed(self, change: Change) -> Prepared:
        last = self._last.pop(change.path, None) or self.archive.index.last_seen(str(change.path))
        rows = [] if last is None else self.archive.index.files_of(last)
        observation = Observation(
            kind=Kind.REMOVED,
            source=_SOURCE,
            drafts=(_without_file(_place(change.path)),),
            position=self._next(),
            cites=tuple(row.event for row in rows[:1]),
        )
        return self.archive.recorder.prepare(observation, Means.WATCHED)

    def _parents(self, readings: Sequence[Reading]) -> list[Digest]:
        """Return the recorded files that a file's own document ids name: held ones, the newest of each id."""
        found: list[Digest] = []
        for value in _document_ids(readings):
            for event in reversed(self.archive.index.events_of_document(value)):
                rows = self.archive.index.outputs_of(event) or self.archive.index.files_in(event)
                held = [row.blob for row in rows if row.blob is not None and self.archive.store.has(row.blob)]
                if held:
                    found.append(held[0])
                    break
        return list(dict.fromkeys(found))

    def _inputs(self, change: Change, taken: Taken) -> list[Digest]:
        """Return the recorded pictures that a generated one names as its inputs by digest: held ones."""
        looked = taken.looked
        container = next((reading.locator.container for reading in looked.readings), None)
        sheet = Sheet(container, change.path.name, looked.width, looked.height, ())
        rows = [row for row, _ in InputFinder(self.archive).linked(looked.readings, sheet)]
        blobs = dict.fromkeys(row.blob for row in rows if row.blob is not None)
        return [blob for blob in blobs if blob != taken.digest and self.archive.store.has(blob)]

    def _propose(self, change: Change) -> tuple[Path, ...]:
        if len(self.archive.index.places_of(self._last[change.path])) > 1:
            return ()  # a copy of what was recorded elsewhere, byte for byte: made from nothing
        try:
            pictures = propose_sources(self.archive, change.path)
        except MakingofError:
            return ()  # a proposal is a convenience; the arrival is recorded
        places = [place for picture in pictures for place in self.archive.index.places_of(picture.blob)[:1]]
        return tuple(map(Path, places))

    def _document(self, blob: Digest, name: str) -> Document | None:
        if not self.archive.store.has(blob):
            return None
        try:
            with self.archive.store.open(blob) as stream:
                return read_document(SeekableFile(stream), name)
        except MalformedError:
            return None

    def _own(self, kind: Kind, facts: dict[str, object], drafts: Sequence[Draft] = ()) -> Prepared:
        observation = own_observation(kind, _SOURCE, facts, position=self._next(), drafts=drafts)
        return self.archive.recorder.prepare(observation, Means.OWN)

    def _next(self) -> Position:
        self._seq += 1
        return Position(self.stream, self._seq - 1)


def _new_log(earlier: Document | None, document: Document) -> str | None:
    """Return what the editor's own log says beyond the save before; all of it where it was rewritten."""
    log = document.history.log
    before = earlier.history.log if earlier is not None else None
    if log is None:
        return None
    new = log.removeprefix(before) if before else log
    return new[:_MAX_LOG_CHARS] or None


def _document_ids(readings: Sequence[Reading]) -> list[str]:
    """Return the ids of what a file says it was made from, its own document first."""
    found = []
    for reading in readings:
        found += [reading.value("tool:DocumentID"), reading.value("tool:OriginalDocumentID")]
        for name in ("tool:DerivedFrom", "tool:DocumentAncestors"):
            found += _ids_in(reading.value(name))
    return list(dict.fromkeys(value for value in found if value))


def _ids_in(spelled: str | None) -> list[str]:
    try:
        value = json.loads(spelled or "null")
    except ValueError:
        return []
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [item for item in items if isinstance(item, str)]


def _place(path: Path) -> Draft:
    try:
        modified = format_instant(datetime.fromtimestamp(path.stat().st_mtime, UTC))
    except (OSError, OverflowError, ValueError):
        modified = None
    return place_draft(path, modified=modified)


def own_place(path: Path) -> Draft:
    """Say where something lies that is no attachment."""
    return _without_file(replace(place_draft(path), means=Means.OWN))


def _without_file(draft: Draft) -> Draft:
    return replace(draft, body={name: value for name, value in draft.body.items() if name != "file"})
