"""Observation: all a source may say, before the recorder gives it means, position and time.

A source describes; it cannot touch store, log or index. Files are attached as
paths or bytes and become `file` parts; a part that speaks of an attached file
names it by `Attached(n)`, which the recorder replaces by the digest of that
file's part. What comes from a tool travels as bytes and is never parsed here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from makingof.canonical import convert, strict_json
from makingof.digest import Digest
from makingof.errors import MalformedError
from makingof.event import Kind, OccurredBy, Source
from makingof.part import Means, PartType, Role, Vouched

VERSION = 1
_LEAVES = (str, int, type(None))


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file the source speaks of, still as a path or as bytes.

    With `held` the recorder stores the bytes; without, they stay where they are and
    only their digest is recorded. A `Digest` names bytes the store already holds.
    `expected` is the digest the source saw; other bytes found later are a `gap`,
    never silently the newer file.
    """

    content: Path | bytes | Digest
    role: Role = Role.OUTPUT
    held: bool = True
    media_type: str | None = None
    name: str | None = None
    expected: Digest | None = None
    number: int | None = None  # position in its batch, where the source says so


@dataclass(frozen=True, slots=True)
class Draft:
    """A part before it has a salt; `means` None takes the event's."""

    type: PartType
    body: Mapping[str, Any]
    from_: str
    means: Means | None = None
    vouched: Vouched | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a stream: how a source cites what it handed over earlier."""

    stream: str
    seq: int


@dataclass(frozen=True, slots=True)
class Observation:
    """A draft of an event. What it leaves out, the recorder leaves null rather than guess."""

    kind: Kind
    source: Source
    drafts: tuple[Draft, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    actor: str | None = None
    position: Position | None = None
    occurred_at: str | None = None
    occurred_by: OccurredBy | None = None
    cites: tuple[Digest | Position, ...] = ()
    project: Digest | None = None


@dataclass(frozen=True, slots=True)
class Attached:
    """Stands in a part's body for the file part of attachment `number`, counted from 0."""

    number: int


def resolve_attached(body: Any, file_parts: Sequence["Digest | Attached"]) -> Any:
    """Return `body` with every `Attached(n)` replaced by that attachment's file part.

    A number nobody attached is a `MalformedError`.
    """
    if type(body) is dict:  # its leaves, nearly all there is, are not asked one by one
        return {
            key: value if isinstance(value, _LEAVES) else resolve_attached(value, file_parts)
            for key, value in body.items()
        }
    match body:
        case Attached(number=number):
            if not 0 <= number < len(file_parts):
                message = f"observation names attachment {number} and attaches {len(file_parts)}"
                raise MalformedError(message)
            return file_parts[number]
        case dict() | Mapping():
            return {key: resolve_attached(value, file_parts) for key, value in body.items()}
        case list() | tuple():
            return [resolve_attached(value, file_parts) for value in body]
        case _:
            return body


class _WireFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    file: str | None = None
    role: Role = Role.OUTPUT
    held: bool = True
    digest: Digest | None = None
    media_type: str | None = None
    name: str | None = None
    number: int | None = None


class _WirePart(msgspec.Struct, frozen=True, rename={"from_": "from"}, forbid_unknown_fields=True):
    type: PartType
    from_: str
    body: dict[str, Any]
    vouched: Vouched | None = None


class _Wire(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    v: int
    kind: Kind
    source: Source
    stream: str | None = None
    seq: int | None = None
    actor: str | None = None
    occurred_at: str | None = None
    occurred_by: OccurredBy | None = None
    cites: tuple[Any, ...] = ()
    parts: tuple[_WirePart, ...] = ()
    files: tuple[_WireFile, ...] = ()


def parse_observation(data: bytes, folder: Path) -> Observation:
    """Read the JSON form of docs/spec/observation.md; files are named relative to `folder`.

    There is no field for means: a source cannot claim one. Refused, as
    `MalformedError`: duplicate keys, floats, fields we do not know, and file names
    that lead out of `folder`.
    """
    wire = convert(strict_json(data), _Wire, "observation")
    if wire.v != VERSION:
        message = f"observation version {wire.v} is not {VERSION}"
        raise MalformedError(message)
    if (wire.stream is None) != (wire.seq is None):
        message = "stream and seq must both be there or both be absent"
        raise MalformedError(message)
    position = None if wire.stream is None or wire.seq is None else Position(wire.stream, wire.seq)
    return Observation(
        kind=wire.kind,
        source=wire.source,
        drafts=tuple(
            Draft(part.type, _with_attached(part.body), part.from_, None, part.vouched) for part in wire.parts
        ),
        attachments=tuple(_attachment(file, folder) for file in wire.files),
        actor=wire.actor,
        position=position,
        occurred_at=wire.occurred_at,
        occurred_by=wire.occurred_by,
        cites=tuple(_cited(item) for item in wire.cites),
    )


def _with_attached(body: Any) -> Any:
    """Turn every `{"attached": n}` into `Attached(n)`."""
    match body:
        case {"attached": int(number)} if len(body) == 1 and not isinstance(number, bool):
            return Attached(number)
        case dict():
            return {key: _with_attached(value) for key, value in body.items()}
        case list():
            return [_with_attached(value) for value in body]
        case _:
            return body


def _attachment(file: _WireFile, folder: Path) -> Attachment:
    if file.file is None and file.digest is not None and file.held:
        content: Path | Digest = file.digest  # bytes handed over before, which the store holds
    else:
        content = folder / _plain_name(file.file)
    return Attachment(
        content=content,
        role=file.role,
        held=file.held,
        media_type=file.media_type,
        name=file.name,
        expected=file.digest,
        number=file.number,
    )


def _plain_name(name: str | None) -> str:
    """Refuse what is not one name: a separator, a drive or a dot-dot would let a file reach anywhere."""
    if not name or name in {".", ".."} or any(sign in name for sign in "/\\:\0"):
        message = f"file name {name!r} is not a plain name"
        raise MalformedError(message)
    return name


def _cited(item: Any) -> Digest | Position:
    match item:
        case str():
            return Digest.parse(item)
        case {"stream": str(stream), "seq": int(seq)} if len(item) == len(("stream", "seq")):
            return Position(stream, seq)
        case _:
            message = f"citation {item!r} is neither a digest nor a position"
            raise MalformedError(message)
