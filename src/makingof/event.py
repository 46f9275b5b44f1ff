"""Event: one thing that happened, past tense, written once.

A log entry is the canonical JSON of a small **header**. What the event says
lies in **parts**, each with its own salt, cited by digest, each disclosed,
sealed or erased by itself. The header holds no unsalted digest of anything a
person made: the bare digest of a short prompt is guessed in a hundredth of a
second once the other settings are known.

`docs/spec/event.md` is normative; `RULES` below is its table.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Self

import msgspec

from makingof import canonical
from makingof.canonical import convert
from makingof.clock import parse_instant
from makingof.digest import Digest
from makingof.errors import MalformedError
from makingof.part import Means, Part, PartType
from makingof.tlog.merkle import leaf_hash

VERSION = 1
MAX_ENTRY_BYTES = 65_535  # C2SP tlog-tiles: an entry is prefixed with a uint16 length
MAX_PARTS = 16
MAX_CITES = 64

_ACTOR = re.compile(r"[ap][1-9][0-9]{0,8}")
_STREAM = re.compile(r"[0-9a-f]{32}")


class Kind(StrEnum):
    """What happened."""

    ENROLLED = "enrolled"
    OPENED = "opened"
    CLOSED = "closed"
    PULSE = "pulse"
    CHECKED = "checked"
    CONFIGURED = "configured"
    BRIEFED = "briefed"
    PROMPTED = "prompted"
    GENERATED = "generated"
    ATTEMPTED = "attempted"
    SELECTED = "selected"
    REJECTED = "rejected"
    EDITED = "edited"
    NOTED = "noted"
    DESCRIBED = "described"
    PUBLISHED = "published"
    FILMED = "filmed"
    AFFIRMED = "affirmed"
    WITHDRAWN = "withdrawn"
    REMOVED = "removed"
    IMPORTED = "imported"
    STAMPED = "stamped"
    GAP = "gap"
    ERASED = "erased"
    EXPORTED = "exported"
    ROTATED = "rotated"


class OccurredBy(StrEnum):
    """Whose clock `occurred_at` was read from."""

    HOOK = "hook"
    VENDOR = "vendor"
    TOOL = "tool"
    FILE = "file"
    PERSON = "person"


class Rule(msgspec.Struct, frozen=True):
    """What an event of one kind may look like."""

    means: frozenset[Means]
    required: frozenset[PartType]
    allowed: frozenset[PartType]


def _rule(means: str, required: str = "", allowed: str = "") -> Rule:
    needed = frozenset(PartType(name) for name in required.split())
    return Rule(
        means=frozenset(Means(name) for name in means.split()),
        required=needed,
        allowed=needed | frozenset(PartType(name) for name in allowed.split()),
    )


_SEEN = "live spooled watched recovered stated"
_ACT = "live stated recovered"

RULES: Mapping[Kind, Rule] = {
    Kind.ENROLLED: _rule("own live stated", "", "own people file raw note"),
    Kind.OPENED: _rule("own", "own", "environment place"),
    Kind.CLOSED: _rule("own", "own"),
    Kind.PULSE: _rule("own", "own"),
    Kind.CHECKED: _rule("own", "own", "environment place note"),
    Kind.CONFIGURED: _rule("own", "own", "place note"),
    Kind.BRIEFED: _rule(_ACT, "note", "file pieces place people raw"),
    Kind.PROMPTED: _rule(
        _SEEN, "prompt", "negative parameters file pieces place raw people environment report"
    ),
    Kind.GENERATED: _rule(
        _SEEN, "file", "prompt negative parameters pieces place raw people environment report note"
    ),
    Kind.ATTEMPTED: _rule(
        _SEEN, "report", "prompt negative parameters file pieces place raw people environment note"
    ),
    Kind.SELECTED: _rule(_SEEN, "choice", "reason file pieces place raw people note report"),
    Kind.REJECTED: _rule(_SEEN, "choice", "reason file pieces place raw people note report"),
    Kind.EDITED: _rule(_SEEN, "file", "pieces reason note place raw people report environment parameters"),
    Kind.NOTED: _rule(_ACT, "note", "file pieces place people raw"),
    Kind.DESCRIBED: _rule(_SEEN, "note", "file pieces place raw people report"),
    Kind.PUBLISHED: _rule(_SEEN, "place", "file pieces note people raw report"),
    Kind.FILMED: _rule(_SEEN, "file", "pieces place note people raw report"),
    Kind.AFFIRMED: _rule("live stated", "report", "people raw note file"),
    Kind.WITHDRAWN: _rule("live stated watched recovered", "", "reason note people"),
    Kind.REMOVED: _rule(_SEEN, "place", "file note report"),
    Kind.IMPORTED: _rule("own", "own", "file pieces place raw note"),
    Kind.STAMPED: _rule("own", "own", "file raw note"),
    Kind.GAP: _rule("own", "own", "place note raw file"),
    Kind.ERASED: _rule("live stated", "own", "reason people file note"),
    Kind.EXPORTED: _rule("own", "own", "place note"),
    Kind.ROTATED: _rule("own", "own", "note"),
}

# A withdrawal without what it takes back, or an affirmation of nothing, says nothing.
_MUST_CITE = frozenset({Kind.WITHDRAWN, Kind.AFFIRMED, Kind.ERASED})
_AT_THE_MOMENT = frozenset({Means.LIVE, Means.SPOOLED, Means.WATCHED})


class Source(msgspec.Struct, frozen=True):
    """Who captured it, with which version, from which tool."""

    name: str
    version: str
    tool: str | None = None
    tool_version: str | None = None


class PartRef(msgspec.Struct, frozen=True):
    """A part as the header cites it."""

    type: PartType
    digest: Digest


class Head(msgspec.Struct, frozen=True):
    """Size and root of the tree before this very entry: what came before, shown by one proof."""

    size: int
    root: Digest


class Header(msgspec.Struct, frozen=True):
    """The bounded, always disclosed side of an event."""

    v: int
    kind: Kind
    means: Means
    actor: str | None
    project: Digest | None
    stream: str | None
    seq: int | None
    occurred_at: str | None
    occurred_by: OccurredBy | None
    recorded_at: str
    uptime_ms: int
    source: Source
    cites: tuple[Digest, ...]
    parts: tuple[PartRef, ...]
    head: Head

    def to_bytes(self) -> bytes:
        """Return the entry bytes; refuses, as `MalformedError`, what `Event.parse` would refuse."""
        check_header(self)
        data = canonical.to_bytes(msgspec.to_builtins(self, enc_hook=str))
        if len(data) > MAX_ENTRY_BYTES:
            message = f"entry of {len(data)} bytes is over {MAX_ENTRY_BYTES}"
            raise MalformedError(message)
        return data


class Event(msgspec.Struct, frozen=True):
    """A header with the bytes it was read from and the name those bytes give it."""

    name: Digest
    header: Header
    entry: bytes

    @classmethod
    def parse(cls, entry: bytes) -> Self:
        """Read entry bytes; anything but one valid event is a `MalformedError`.

        Fields this version does not know are ignored here and survive in `entry`.
        That `head` and `cites` point at what the log holds is not checked here.
        """
        if len(entry) > MAX_ENTRY_BYTES:
            message = f"entry of {len(entry)} bytes is over {MAX_ENTRY_BYTES}"
            raise MalformedError(message)
        header = convert(canonical.from_bytes(entry), Header, "entry")
        check_header(header)
        return cls(name=event_name(entry), header=header, entry=entry)

    @property
    def kind(self) -> Kind:
        return self.header.kind

    @property
    def means(self) -> Means:
        return self.header.means

    @property
    def recorded_at(self) -> datetime:
        return parse_instant(self.header.recorded_at)

    def part_refs(self, part_type: PartType) -> list[PartRef]:
        """Return the parts of one type, in the header's order."""
        return [ref for ref in self.header.parts if ref.type is part_type]


def event_name(entry: bytes) -> Digest:
    """Name an entry by its RFC 6962 leaf hash: an event's only name, everywhere."""
    return Digest.from_raw(leaf_hash(entry))


def check_header(header: Header) -> None:
    """Refuse, as `MalformedError`, a header that breaks a rule of `docs/spec/event.md`."""
    if header.v != VERSION:
        message = f"event version {header.v} is not {VERSION}"
        raise MalformedError(message)
    rule = RULES[header.kind]
    if header.means not in rule.means:
        message = f"{header.kind} by means {header.means} is not in the table"
        raise MalformedError(message)
    _check_parts(header, rule)
    _check_times(header)
    _check_origin(header)
    if len(header.cites) > MAX_CITES or len(set(header.cites)) != len(header.cites):
        message = f"{header.kind} cites the same event twice, or more than {MAX_CITES}"
        raise MalformedError(message)
    if header.kind in _MUST_CITE and not header.cites:
        message = f"{header.kind} cites nothing"
        raise MalformedError(message)
    if header.head.size < 0:
        message = "head size is negative"
        raise MalformedError(message)


def check_part(header: Header, part: Part) -> None:
    """Refuse a part whose means claims more than its event: read, it cannot be seen."""
    if part.means in _AT_THE_MOMENT and part.means is not header.means:
        message = f"{part.type} part says {part.means} in an event that is {header.means}"
        raise MalformedError(message)


def _check_parts(header: Header, rule: Rule) -> None:
    types = [ref.type for ref in header.parts]
    if len(types) > MAX_PARTS:
        message = f"{header.kind} has {len(types)} parts, over {MAX_PARTS}"
        raise MalformedError(message)
    if missing := rule.required.difference(types):
        message = f"{header.kind} lacks its {', '.join(sorted(missing))} part"
        raise MalformedError(message)
    if extra := set(types) - rule.allowed:
        message = f"{header.kind} may not have a {', '.join(sorted(extra))} part"
        raise MalformedError(message)
    if len({ref.digest for ref in header.parts}) != len(types):
        message = f"{header.kind} cites one part twice"
        raise MalformedError(message)


def _check_times(header: Header) -> None:
    parse_instant(header.recorded_at)
    if (header.occurred_at is None) != (header.occurred_by is None):
        message = "occurred_at and occurred_by must both be there or both be null"
        raise MalformedError(message)
    if header.occurred_at is not None:
        parse_instant(header.occurred_at)
    if header.uptime_ms < 0:
        message = "uptime_ms is negative"
        raise MalformedError(message)


def _check_origin(header: Header) -> None:
    if (header.stream is None) != (header.seq is None):
        message = "stream and seq must both be there or both be null"
        raise MalformedError(message)
    if header.stream is not None and not _STREAM.fullmatch(header.stream):
        message = f"stream {header.stream!r} is not 32 lower-case hex digits"
        raise MalformedError(message)
    if header.seq is not None and header.seq < 0:
        message = "seq is negative"
        raise MalformedError(message)
    if header.actor is not None and not _ACTOR.fullmatch(header.actor):
        message = f"actor {header.actor!r} is not a pseudonym like a1 or p1"
        raise MalformedError(message)
    if header.means is Means.OWN and header.actor is not None:
        message = "an own event has no actor"
        raise MalformedError(message)
