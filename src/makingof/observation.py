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

from makingof.digest import Digest
from makingof.errors import MalformedError
from makingof.event import Kind, OccurredBy, Source
from makingof.part import Means, PartType, Role, Vouched


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


def resolve_attached(body: Any, file_parts: Sequence[Digest]) -> Any:
    """Return `body` with every `Attached(n)` replaced by that attachment's file part.

    A number nobody attached is a `MalformedError`.
    """
    match body:
        case Attached(number=number):
            if not 0 <= number < len(file_parts):
                message = f"observation names attachment {number} and attaches {len(file_parts)}"
                raise MalformedError(message)
            return file_parts[number]
        case Mapping():
            return {key: resolve_attached(value, file_parts) for key, value in body.items()}
        case list() | tuple():
            return [resolve_attached(value, file_parts) for value in body]
        case _:
            return body
