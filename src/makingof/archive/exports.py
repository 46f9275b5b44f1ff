"""Recording what exports tell: each thing once, about pictures found for certain, by means `recovered`.

One export is one stream, from `opened` to `closed`. Every event carries the key of what
it tells in a `place` part, sealed together with prompts; what is known under its key
writes nothing, so that a log that grew is told from where it ended. What could not be
read, and pictures that were not found, are a `gap`, written once.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from makingof.archive.acts import PROGRAM
from makingof.archive.archive import Archive
from makingof.archive.named_files import NamedFiles, read_recorded
from makingof.capture.exports.recognise import Damaged, may_be_export, read_export
from makingof.capture.exports.swarmui import tell_star
from makingof.capture.exports.told import Export, Told, Wanted
from makingof.digest import Digest
from makingof.event import MAX_CITES, Kind
from makingof.index.values import FileRow
from makingof.observation import Attached, Draft, Observation, Position
from makingof.part import FileBody, Holding, Means, PartType, Place, Role, Text, body_of, escaped
from makingof.reading import State
from makingof.recorder.found import reading_drafts
from makingof.recorder.importing import Imported, Outcome
from makingof.recorder.parts import PreparedFile, prepare_file
from makingof.recorder.write import Prepared, new_stream, own_observation

_BATCH = 256
_MAX_NAMED = 10
_MAX_MESSAGE = 2_000
_JUDGING = frozenset({Kind.SELECTED, Kind.REJECTED})


@dataclass(slots=True)
class ExportTold:
    """One export and what came of it."""

    path: Path
    source: str
    events: Counter[Kind] = field(default_factory=Counter)
    known: int = 0  # told before, or by a hook
    missing: int = 0  # pictures not found for certain
    problems: list[str] = field(default_factory=list)
    damaged: str | None = None


def import_exports(
    archive: Archive, imported: Iterable[Imported], *, in_place: bool = False
) -> Iterator[ExportTold]:
    """Tell what the exports among files just imported say; pictures of the same run are known by now.

    An export that was recorded before is read again: pictures may have come since.
    """
    done = list(imported)
    exports = [item for item in done if item.digest is not None and may_be_export(item.path.name)]
    stars = [item for item in done if item.digest is not None and item.tool == "swarmui"]
    if not exports and not stars:
        return
    files = NamedFiles(archive)
    by_path = {item.path: item for item in done}
    for item in exports:
        told = _read(archive, item, by_path.get(item.path.with_name(f"{item.path.name}-wal")))
        if told is not None:
            yield Telling(archive, files, item, in_place=in_place).tell(told)
    if stars:
        yield from _tell_stars(archive, files, stars)


def _read(archive: Archive, item: Imported, beside: Imported | None) -> Export | Damaged | None:
    """Read an export, a database together with the write-ahead log that was recorded beside it."""
    if item.digest is None or item.outcome is Outcome.FAILED:
        return None
    data = read_recorded(archive, item.digest, item.path)
    if data is None:
        return None
    log = read_recorded(archive, beside.digest, beside.path) if beside and beside.digest else None
    export = read_export(data, item.path.name, log or b"")
    if isinstance(export, Export) and log is None and _has_log(item.path):
        left = f"{item.path.name}-wal, the newest rows, was not imported with it"
        return replace(export, problems=(*export.problems, left))
    return export


def _has_log(path: Path) -> bool:
    try:
        return path.with_name(f"{path.name}-wal").stat().st_size > 0
    except OSError:
        return False


def _tell_stars(archive: Archive, files: NamedFiles, items: Sequence[Imported]) -> Iterator[ExportTold]:
    """Stars are no file of their own: the copies in one folder are told together."""
    by_folder: dict[Path, list[tuple[Told, Digest]]] = {}
    for item in items:
        told = tell_star(item.path.parts, str(item.digest))
        if told is not None and item.digest is not None:
            by_folder.setdefault(item.path.parent, []).append((told, item.digest))
    for folder, stars in by_folder.items():
        export = Export("swarmui-stars", tuple(told for told, _ in stars))
        telling = Telling(archive, files, Imported(folder / "*", Outcome.RECOGNISED))
        telling.bytes_of = {told.key: digest for told, digest in stars}
        yield telling.tell(export)


@dataclass(slots=True)
class Telling:
    """One export being told."""

    archive: Archive
    files: NamedFiles
    item: Imported
    in_place: bool = False
    bytes_of: Mapping[str, Digest] = field(default_factory=dict)  # key → the one picture it is about
    stream: str = field(default_factory=new_stream)
    seq: int = 0
    told: dict[str, Digest | Position] = field(default_factory=dict)
    prepared: list[Prepared] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def tell(self, export: Export | Damaged) -> ExportTold:
        """Record what is new in `export`, in commits of some hundred events."""
        done = ExportTold(self.item.path, export.source)
        if isinstance(export, Damaged):
            done.damaged = export.reason
            self._gap("export_unreadable", [export.reason], [])
        else:
            self._tell_all(export, done)
        self._close()
        return done

    def _tell_all(self, export: Export, done: ExportTold) -> None:
        jobs = _recorded_jobs(self.archive, export.told)
        for told in export.told:
            known = self.archive.index.find_told(told.key) or self.told.get(told.key)
            if known is not None or (told.job is not None and told.job in jobs and _tells_job(told)):
                if known is not None:
                    self.told[told.key] = known
                done.known += 1
                continue
            kind = self._tell_one(told)
            if kind is not None:
                done.events[kind] += 1
            if len(self.prepared) >= _BATCH:
                self._commit()
        done.missing = len(self.missing)
        done.problems = list(export.problems)
        if self.missing or export.problems:
            self._gap("export_incomplete", export.problems, self.missing)

    def _tell_one(self, told: Told) -> Kind | None:
        """Prepare one event; a choice of pictures that were not found says nothing and is not written."""
        rows = [self._find(told, wanted) for wanted in told.wanted]
        observation = told.observation
        self.missing += _missing(told, rows)
        if observation.kind in _JUDGING and not _judged(observation, rows):
            return None
        kind = observation.kind
        if kind is Kind.GENERATED and not any(rows):
            kind = Kind.PROMPTED  # asked for; the picture itself is not here
        drafts = [*observation.drafts, *self._reading_drafts(told)]
        if kind is Kind.PROMPTED and not any(draft.type is PartType.PROMPT for draft in drafts):
            drafts.append(Draft(PartType.PROMPT, body_of(Text(state=State.ABSENT)), told.key))
        drafts.append(Draft(PartType.PLACE, body_of(Place(url=told.key)), "recorder"))
        gives = kind is Kind.GENERATED
        position = self._next()
        found = replace(
            observation,
            kind=kind,
            drafts=tuple(replace(draft, body=_named(draft.body, rows)) for draft in drafts),
            position=position,
            cites=tuple(self._cites(told, [] if gives else rows))[:MAX_CITES],
        )
        files = [_file(row, wanted) for row, wanted in zip(rows, told.wanted, strict=True) if row and gives]
        self.prepared.append(self.archive.recorder.prepare_stored(found, files, Means.RECOVERED))
        self.told[told.key] = position
        return kind

    def _find(self, told: Told, wanted: Wanted) -> FileRow | None:
        digest = self.bytes_of.get(told.key)
        return self.files.find_bytes(digest) if digest else self.files.find(wanted, self.item.path)

    def _reading_drafts(self, told: Told) -> list[Draft]:
        """Write the export's own records; what they were read from is the export, a file of another event."""
        drafts = reading_drafts(told.readings, Means.RECOVERED, copy_raw=True)
        allowed = (
            {PartType.PROMPT, PartType.NEGATIVE, PartType.PARAMETERS}
            if told.observation.kind in (Kind.GENERATED, Kind.PROMPTED, Kind.ATTEMPTED)
            else set[PartType]()
        )
        if self.in_place:  # the export's bytes are not held, so the records are copied
            allowed |= {PartType.RAW}
        return [
            replace(draft, body={name: v for name, v in draft.body.items() if not isinstance(v, Attached)})
            for draft in drafts
            if draft.type in allowed
        ]

    def _cites(self, told: Told, rows: Sequence[FileRow | None]) -> list[Digest | Position]:
        before = [self.told.get(key) or self.archive.index.find_told(key) for key in told.after]
        named: list[Digest | Position] = [event for event in before if event is not None]
        return list(dict.fromkeys([*named, *(row.event for row in rows if row is not None)]))

    def _gap(self, why: str, problems: Sequence[str], missing: Sequence[str]) -> None:
        """Say once what of this export is not in the record."""
        export = None if self.item.digest is None else self.files.find_bytes(self.item.digest)
        part = "none" if export is None else str(export.part)
        key = f"told:gap/{why}/{part}/{len(problems)}/{len(missing)}"
        if self.archive.index.find_told(key) is not None:
            return
        facts: dict[str, object] = {
            "why": why,
            "export": part,
            "problems": [escaped(problem)[:_MAX_MESSAGE] for problem in problems[:_MAX_NAMED]],
            "problem_count": len(problems),
            "missing": len(missing),
        }
        places = [
            Place(url=key),
            *(Place(name=escaped(name)[:_MAX_MESSAGE]) for name in missing[:_MAX_NAMED]),
        ]
        drafts = [Draft(PartType.PLACE, body_of(place), "recorder") for place in places]
        observation = own_observation(Kind.GAP, PROGRAM, facts, position=self._next(), drafts=drafts)
        self.prepared.append(self.archive.recorder.prepare(observation, Means.OWN))

    def _next(self) -> Position:
        if self.seq == 0:
            facts = {"of": "import"}
            opened = own_observation(Kind.OPENED, PROGRAM, facts, position=Position(self.stream, 0))
            self.prepared.append(self.archive.recorder.prepare(opened, Means.OWN))
        self.seq += 1
        return Position(self.stream, self.seq)

    def _commit(self) -> None:
        self.archive.recorder.commit(self.prepared, project=self.archive.index.current_project())
        self.prepared.clear()

    def _close(self) -> None:
        """End the stream, if anything was told at all; the index then knows what the next export may cite."""
        if self.seq == 0:
            return
        facts = {"last_seq": self.seq}
        closed = own_observation(Kind.CLOSED, PROGRAM, facts, position=self._next())
        self.prepared.append(self.archive.recorder.prepare(closed, Means.OWN))
        self._commit()
        self.archive.index.follow(self.archive.log)


def _recorded_jobs(archive: Archive, told: Sequence[Told]) -> set[str]:
    """Name the jobs a hook recorded as they ran: its word goes first, because it was there."""
    tools = {item.observation.source.tool for item in told if item.job is not None}
    return {job for tool in tools if tool for job in archive.index.seen_jobs(tool)}


def _tells_job(told: Told) -> bool:
    return told.observation.kind in (Kind.GENERATED, Kind.ATTEMPTED, Kind.PROMPTED)


def _missing(told: Told, rows: Sequence[FileRow | None]) -> list[str]:
    """Name the pictures an event should have and has not. What was deleted is not missed."""
    kind = told.observation.kind
    lacking = [wanted for wanted, row in zip(told.wanted, rows, strict=True) if row is None]
    if kind is Kind.REMOVED or not lacking:
        return []
    if kind in _JUDGING:
        return [] if _judged(told.observation, rows) else [lacking[0].name]
    if any(wanted.index is not None for wanted in told.wanted):  # how many there were nobody says
        return [] if any(rows) else [lacking[-1].name]
    return [wanted.name for wanted in lacking]


def _judged(observation: Observation, rows: Sequence[FileRow | None]) -> bool:
    """Tell whether any picture that was judged is known."""
    choices = [draft.body for draft in observation.drafts if draft.type is PartType.CHOICE]
    return any(rows[item.number] is not None for body in choices for item in body["judged"])


def _named(body: Mapping[str, Any], rows: Sequence[FileRow | None]) -> dict[str, Any]:
    """Put file parts in the place of `Attached(n)`; in lists, what was not found is left out."""
    named: dict[str, Any] = {}
    for name, value in body.items():
        if isinstance(value, list):
            items = [_part(item, rows) for item in value]
            named[name] = list(dict.fromkeys(item for item in items if item is not None))
        else:
            named[name] = _part(value, rows)
    return named


def _part(value: Any, rows: Sequence[FileRow | None]) -> Any:
    if not isinstance(value, Attached):
        return value
    row = rows[value.number]
    return None if row is None else row.part


def _file(row: FileRow, wanted: Wanted) -> PreparedFile:
    """Name recorded bytes once more, in what they are to this event; their pieces were told before."""
    assert row.blob is not None  # noqa: S101 - only rows that name their bytes are found
    body = FileBody(
        role=wanted.role if row.role is not Role.GRID else Role.GRID,
        digest=row.blob,
        size=row.size or 0,
        holding=Holding.HELD if row.holding == "held" else Holding.KNOWN,
        media_type=row.media_type,
        width=row.width,
        height=row.height,
        number=wanted.number,
    )
    return prepare_file(body, Means.RECOVERED, "export", None)
