"""What the index answers with: frozen values that `msgspec.to_builtins` turns into JSON."""

from datetime import datetime

import msgspec

from makingof.digest import Digest
from makingof.event import Kind
from makingof.lineage.judged import Judged
from makingof.part import Means, Role


class FileRow(msgspec.Struct, frozen=True):
    """One file part: a file as one event names it. Sealed or erased, it keeps only its name.

    `holding` is `held`, `known` or `erased`; `name` is the file's name in its place,
    where the event says one.
    """

    part: Digest
    event: Digest
    position: int
    kind: Kind
    means: Means
    blob: Digest | None
    role: Role | None
    given: bool
    size: int | None
    holding: str | None
    media_type: str | None
    width: int | None
    height: int | None
    number: int | None
    name: str | None
    occurred_at: str | None


class PictureRow(msgspec.Struct, frozen=True):
    """A picture in a list: its first file part, what was said of it, what it was asked for with."""

    file: FileRow
    recorded_at: str
    project: Digest | None
    judged: Judged
    prompt: str | None
    withdrawn: bool


class EventRow(msgspec.Struct, frozen=True):
    """An event in a list; `text` is the first text it holds, `files` how many files it names."""

    position: int
    name: Digest
    kind: Kind
    means: Means
    actor: str | None
    project: Digest | None
    stream: str | None
    seq: int | None
    occurred_at: str | None
    recorded_at: str
    source: str
    tool: str | None
    withdrawn: bool
    files: int
    silent: int  # parts sealed or erased
    text: str | None


class Project(msgspec.Struct, frozen=True):
    """A project: the `briefed` event it is named after and the title given there."""

    name: Digest
    position: int
    title: str | None
    withdrawn: bool


class Judgement(msgspec.Struct, frozen=True):
    """One choice that judged a picture."""

    event: Digest
    position: int
    judged: Judged
    actor: str | None
    means: Means
    reason: str | None
    withdrawn: bool


class Check(msgspec.Struct, frozen=True):
    """The newest health check."""

    at: datetime
    boot: str | None


class Status(msgspec.Struct, frozen=True):
    """What stands open in a record."""

    events: int
    undated: int  # events, the recorder's own apart, that no stamped checkpoint holds yet
    pictures: int
    unjudged: int  # pictures nobody kept or rejected
    finals: int
    finals_without_choice: int
    open_streams: int
    missing_numbers: int
    gaps: int
    erased_parts: int
    stamped_size: int  # entries under the newest dated checkpoint
    stamped_at: datetime | None
    project: Project | None


class EventFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which events; what is left out does not narrow. `since` and `until` are of the recorder's clock."""

    kinds: tuple[Kind, ...] = ()
    means: tuple[Means, ...] = ()
    actor: str | None = None
    project: Digest | None = None
    stream: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    own: bool = True  # whether the recorder's events about itself are among them


class PictureFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which pictures; what is left out does not narrow."""

    project: Digest | None = None
    tool: str | None = None
    text: str | None = None
    judged: Judged | None = None
    means: tuple[Means, ...] = ()
