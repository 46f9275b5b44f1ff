"""Histories: short logs of real event and part bytes, told one event after the other.

What a `History` holds is what a log holds, byte for byte, and it answers as a
log reader does. Salts are counted instead of drawn, so that the same telling
gives the same bytes and vectors can be made from it.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import msgspec
from tests.clocks import ManualClock

from makingof.clock import format_instant
from makingof.digest import Digest
from makingof.event import Head, Header, Kind, OccurredBy, PartRef, Source, event_name
from makingof.lineage.entry import Entry, PartState
from makingof.lineage.memory import MemoryGraph
from makingof.part import (
    Choice,
    FileBody,
    Holding,
    Means,
    Note,
    Own,
    Parameter,
    Parameters,
    Part,
    PartType,
    Place,
    Reason,
    Report,
    Role,
    Text,
    Vouched,
    body_of,
)
from makingof.tlog.merkle import EMPTY_HEAD, RightEdge, TreeHead, leaf_hash
from makingof.tlog.reader import StoredEntry, StoredPart

TOOL = Source("makingof-comfyui", "1", "comfyui", "0.3")
PROGRAM = Source("makingof", "1")


def blob(name: str) -> Digest:
    """The digest of some bytes; the name is the bytes."""
    return Digest.of(name.encode())


@dataclass(frozen=True)
class Said:
    """A part before it is salted."""

    type: PartType
    body: Mapping[str, Any]
    from_: str = "test"
    means: Means | None = None
    vouched: Vouched | None = None


def file(name: str, role: Role = Role.OUTPUT, **more: Any) -> Said:
    more = {"size": len(name), "holding": Holding.HELD, "media_type": "image/png", **more}
    return Said(PartType.FILE, body_of(FileBody(role=role, digest=blob(name), **more)))


def prompt(text: str | None, **more: Any) -> Said:
    return Said(PartType.PROMPT, body_of(Text(effective=text, **more)))


def negative(text: str | None, **more: Any) -> Said:
    return Said(PartType.NEGATIVE, body_of(Text(effective=text, **more)))


def parameters(
    tool: str | None = "comfyui", *, main: bool = True, ordinal: int = 0, **fields: str | Parameter
) -> Said:
    read = {
        name: value if isinstance(value, Parameter) else Parameter(value) for name, value in fields.items()
    }
    return Said(PartType.PARAMETERS, body_of(Parameters(tool=tool, main=main, ordinal=ordinal, fields=read)))


def job(name: str, **more: Any) -> Said:
    return Said(PartType.REPORT, body_of(Report(job=name, **more)))


def place(path: str | None = None, **more: Any) -> Said:
    name = path.rsplit("/", 1)[-1] if path else None
    return Said(PartType.PLACE, body_of(Place(**{"path": path, "name": name, **more})))


def choice(judged: Iterable[Digest], among: Iterable[Digest] = (), *, final: bool = False) -> Said:
    return Said(PartType.CHOICE, body_of(Choice(tuple(judged), tuple(among), "given", final)))


def reason(text: str) -> Said:
    return Said(PartType.REASON, body_of(Reason(text)))


def note(text: str, title: str | None = None) -> Said:
    return Said(PartType.NOTE, body_of(Note(text, title)))


def own(**facts: Any) -> Said:
    return Said(PartType.OWN, body_of(Own(facts=facts)), "recorder")


@dataclass
class Told:
    """One event as told: where it stands, what it is called, and its parts in order."""

    position: int
    name: Digest
    parts: dict[Digest, bytes | None]
    types: list[PartType]

    def part(self, part_type: PartType, number: int = 0) -> Digest:
        """The name of its `number`th part of a type."""
        return [digest for digest, kind in zip(self.parts, self.types, strict=True) if kind is part_type][
            number
        ]

    def file(self, number: int = 0) -> Digest:
        return self.part(PartType.FILE, number)


@dataclass
class History:
    """A log in the making."""

    clock: ManualClock = field(default_factory=ManualClock)
    seed: str = "history"
    told: list[Told] = field(default_factory=list)
    project: Digest | None = None
    _rows: list[bytes] = field(default_factory=list)
    _edge: RightEdge = field(default_factory=lambda: RightEdge(0, ()))
    _numbers: dict[str, int] = field(default_factory=dict)
    _salts: int = 0

    def tell(
        self,
        kind: Kind,
        *said: Said,
        means: Means = Means.LIVE,
        cites: Iterable[Told | Digest] = (),
        actor: str | None = None,
        project: Digest | None = None,
        stream: str | None = None,
        seq: int | None = None,
        occurred_at: str | None = None,
        source: Source = TOOL,
        minutes: float = 1,
        listed: bool = False,
    ) -> Told:
        """Write one event, `minutes` after the last; with `listed`, files go through a list part."""
        self.clock.advance(minutes=minutes)
        written = [(item.type, self._salted(item, means)) for item in said]
        refs = [PartRef(part_type, Digest.of(data)) for part_type, data in written]
        if listed:
            refs, written = self._with_list(refs, written)
        head = self.head()
        header = Header(
            v=1,
            kind=kind,
            means=means,
            actor=actor,
            project=project or (None if means is Means.OWN else self.project),
            stream=self.stream(stream) if stream else None,
            seq=self._next(stream, seq) if stream else None,
            occurred_at=occurred_at,
            occurred_by=OccurredBy.FILE if occurred_at else None,
            recorded_at=format_instant(self.clock.now()),
            uptime_ms=self.clock.uptime_ms(),
            source=source,
            cites=tuple(item.name if isinstance(item, Told) else item for item in cites),
            parts=tuple(refs),
            head=Head(head.size, Digest.from_raw(head.root)),
        )
        return self.write(header.to_bytes(), written)

    def write(self, entry: bytes, parts: Sequence[tuple[PartType, bytes]]) -> Told:
        told = Told(len(self._rows), event_name(entry), {}, [])
        for part_type, data in parts:
            told.parts[Digest.of(data)] = data
            told.types.append(part_type)
        self._rows.append(entry)
        self._edge, _ = self._edge.append(leaf_hash(entry))
        self.told.append(told)
        return told

    def open(self, stream: str, of: str = "hook", **more: Any) -> Told:
        return self.tell(
            Kind.OPENED, own(of=of, boot="b"), means=Means.OWN, stream=stream, source=PROGRAM, **more
        )

    def close(self, stream: str, **more: Any) -> Told:
        last = self._numbers.get(stream, 0)
        return self.tell(
            Kind.CLOSED, own(last_seq=last), means=Means.OWN, stream=stream, source=PROGRAM, **more
        )

    def look(
        self, jobs: int, tool: str = "comfyui", url: str = "http://127.0.0.1:8188", **missing: str
    ) -> Told:
        """Compare with a generator's own history; `missing` is job → why."""
        listed = [{"job": name, "why": why} for name, why in missing.items()]
        told = {"tool": tool, "url": url, "jobs": jobs, "recorded": jobs - len(listed), "missing": listed}
        return self.tell(Kind.CHECKED, own(boot="b", second_look=told), means=Means.OWN, source=PROGRAM)

    def brief(self, title: str, text: str = "", *more: Said) -> Told:
        """Open a project; what follows belongs to it until `project` is set anew."""
        self.project = None
        told = self.tell(Kind.BRIEFED, note(text, title), *more, actor="a1", source=PROGRAM)
        self.project = told.name
        return told

    def generate(self, *names: str, said: Iterable[Said] = (), **more: Any) -> Told:
        return self.tell(Kind.GENERATED, *(file(name) for name in names), *said, **more)

    def keep(self, *files: Digest, among: Iterable[Digest] = (), final: bool = False, **more: Any) -> Told:
        said = more.pop("said", ())
        return self.tell(
            Kind.SELECTED, choice(files, among, final=final), *said, actor="a1", source=PROGRAM, **more
        )

    def reject(self, *files: Digest, among: Iterable[Digest] = (), **more: Any) -> Told:
        said = more.pop("said", ())
        return self.tell(Kind.REJECTED, choice(files, among), *said, actor="a1", source=PROGRAM, **more)

    def withdraw(self, *cites: Told, **more: Any) -> Told:
        return self.tell(Kind.WITHDRAWN, cites=cites, actor="a1", source=PROGRAM, **more)

    def stamp(self, receipt_more: Mapping[str, Any] = MappingProxyType({}), **more: Any) -> Told:
        """A stamp over everything so far."""
        head = self.head()
        receipt = {"kind": "rfc3161", "authority": "test", "what": "checkpoint", "about": blob("checkpoint")}
        receipt |= {"digest": blob("token"), "size": 5, **receipt_more}
        root = Digest.from_raw(head.root)
        facts = own(size=head.size, root=root, checkpoint="note", receipts=[receipt], problems=[])
        return self.tell(Kind.STAMPED, facts, means=Means.OWN, source=PROGRAM, **more)

    def erase(self, *parts: Digest, files: Iterable[Digest] = (), **more: Any) -> Told:
        """An `erased` event; `forget` is what takes the bytes."""
        holders = [told for told in self.told if set(told.parts) & {*parts, *files}]
        facts = own(parts=list(parts), files=list(files))
        return self.tell(
            Kind.ERASED, facts, reason("asked for"), cites=holders, actor="a1", source=PROGRAM, **more
        )

    def forget(self, *parts: Digest) -> None:
        for told in self.told:
            told.parts.update(dict.fromkeys(told.parts.keys() & set(parts)))

    @staticmethod
    def stream(name: str) -> str:
        return hashlib.sha256(name.encode()).hexdigest()[:32]

    # What a log reader answers.

    def size(self) -> int:
        return len(self._rows)

    def head(self) -> TreeHead:
        return self._edge.head() if self._rows else EMPTY_HEAD

    def leaf(self, index: int) -> bytes:
        return leaf_hash(self._rows[index])

    def entry(self, index: int) -> bytes:
        return self._rows[index]

    def entries(self, start: int = 0, end: int | None = None) -> Iterator[StoredEntry]:
        for index in range(start, self.size() if end is None else end):
            yield StoredEntry(index, self._rows[index], self.leaf(index))

    def parts(self, index: int) -> tuple[StoredPart, ...]:
        return tuple(
            StoredPart(number, digest, data)
            for number, (digest, data) in enumerate(self.told[index].parts.items())
        )

    def parts_between(self, start: int, end: int) -> dict[int, tuple[StoredPart, ...]]:
        return {index: parts for index in range(start, end) if (parts := self.parts(index))}

    # What a package holds.

    def entry_at(self, position: int, *, sealed: Iterable[Digest] = ()) -> Entry:
        hidden = set(sealed)
        stored = {
            digest: PartState.ERASED if data is None else data
            for digest, data in self.told[position].parts.items()
            if digest not in hidden
        }
        return Entry.read(position, self._rows[position], stored)

    def graph(self, *, sealed: Iterable[Digest] = ()) -> MemoryGraph:
        return MemoryGraph(self.entry_at(position, sealed=sealed) for position in range(self.size()))

    def _salted(self, said: Said, means: Means) -> bytes:
        self._salts += 1
        salt = hashlib.sha256(f"{self.seed} {self._salts}".encode()).hexdigest()[:32]
        body = msgspec.to_builtins(dict(said.body), enc_hook=str)
        return Part(said.type, salt, said.means or means, said.from_, said.vouched, body).to_bytes()

    def _with_list(
        self, refs: list[PartRef], written: list[tuple[PartType, bytes]]
    ) -> tuple[list[PartRef], list[tuple[PartType, bytes]]]:
        files = [ref.digest for ref in refs if ref.type is PartType.FILE]
        data = self._salted(Said(PartType.FILE, {"parts": files}), Means.OWN)
        kept = [ref for ref in refs if ref.type is not PartType.FILE]
        return [PartRef(PartType.FILE, Digest.of(data)), *kept], [(PartType.FILE, data), *written]

    def _next(self, stream: str, seq: int | None) -> int:
        number = self._numbers.get(stream, -1) + 1 if seq is None else seq
        self._numbers[stream] = number
        return number
