"""Told: one thing an export tells, before anybody knows which recorded pictures it speaks of.

A parser takes an export's bytes and touches nothing else. It names pictures as the
export names them (`Wanted`); the caller finds those among recorded files, or says
that they were not found. Everything told is `recovered`: read later from what a tool
left behind. The tool's own times are claims, and an instant only where it has an offset.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from makingof import __version__
from makingof.clock import format_instant
from makingof.digest import Digest
from makingof.event import Kind, OccurredBy, Source
from makingof.metadata.record import Record, Sheet
from makingof.observation import Attached, Draft, Observation
from makingof.part import Note, PartType, Place, Report, Role, body_of, escaped
from makingof.reading import Reading

_MAX_FACT = 20_000
_LATEST = 253_402_300_799  # the last second of the year 9999


@dataclass(frozen=True, slots=True)
class Wanted:
    """A picture as an export names it.

    `name` is the last part of its name. A `token` (a job's or file's id) that a
    recorded file's name contains finds it anywhere; so does a name that is `unique` by
    itself. Any other name is looked for in `folders` beside the export, and, where
    `fits` can tell by the picture's own records, elsewhere.
    """

    name: str = ""
    folders: tuple[str, ...] = ("",)  # relative to the export's, the likeliest first
    token: str | None = None
    index: int | None = None  # of the picture in its job: the name goes on with it, `…<token>_2.png`
    unique: bool = False
    fits: Callable[[Sequence[Reading]], bool | None] | None = None  # None: the picture does not say
    role: Role = Role.OUTPUT
    number: int | None = None
    digest: Digest | None = None  # where it is known, nothing else counts


@dataclass(frozen=True, slots=True)
class Told:
    """One thing an export tells; `Attached(n)` in its drafts stands for `wanted[n]`.

    `key` is the same each time the same thing is read. `readings` are records of the
    export itself. `after` are keys of what this goes back to. `job` is an id under which
    a hook may have recorded it already.
    """

    key: str
    observation: Observation
    wanted: tuple[Wanted, ...] = ()
    readings: tuple[Reading, ...] = ()
    after: tuple[str, ...] = ()
    job: str | None = None


@dataclass(frozen=True, slots=True)
class Export:
    """Everything one export tells, and what in it could not be read."""

    source: str
    told: tuple[Told, ...]
    problems: tuple[str, ...] = ()


class Moment(msgspec.Struct, frozen=True):
    """When something happened by a tool's word: an instant only if it states one."""

    text: str | None = None
    instant: str | None = None


def moment_of_text(text: object) -> Moment:
    """Read a tool's time; without an offset from UTC it stays the text it is."""
    if not isinstance(text, str) or not text:
        return Moment()
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return Moment(portable(text))
    return Moment(portable(text), None if found.tzinfo is None else _instant(found))


def moment_of_seconds(seconds: object) -> Moment:
    """Read seconds since 1970, as a JSON number's spelling."""
    if not isinstance(seconds, str) or not re.fullmatch(r"\d{1,12}(\.\d{1,20})?", seconds):
        return Moment()
    value = float(seconds)
    if not 0 < value <= _LATEST:
        return Moment(seconds)
    return Moment(seconds, _instant(datetime.fromtimestamp(value, UTC)))


def _instant(moment: datetime) -> str | None:
    """A year before 1 or after 9999, once the offset is taken off, is no instant."""
    try:
        return format_instant(moment)
    except (OverflowError, ValueError):
        return None


def observe(
    kind: Kind,
    tool: str,
    drafts: Iterable[Draft],
    *,
    at: Moment | None = None,
    by: OccurredBy = OccurredBy.TOOL,
) -> Observation:
    """Describe what happened by the word of `tool`."""
    instant = at.instant if at else None
    return Observation(
        kind=kind,
        source=Source("makingof", __version__, tool),
        drafts=tuple(drafts),
        occurred_at=instant,
        occurred_by=by if instant else None,
    )


def report(
    where: str,
    *,
    outcome: str | None = None,
    job: str | None = None,
    outputs: int | None = None,
    text: str | None = None,
    also: Mapping[str, object] | None = None,
    **facts: object,
) -> Draft:
    """Write what a tool said of a job or an act, in its own terms. File names go into places, not here."""
    kept = {
        name: portable(str(value))
        for name, value in {**(also or {}), **facts}.items()
        if value is not None and value != ""
    }
    body = Report(
        outcome=outcome,
        job=None if job is None else portable(job),
        outputs=outputs,
        text=None if text is None else portable(text),
        facts=kept,
    )
    return Draft(PartType.REPORT, body_of(body), where)


def choice(where: str, judged: Iterable[int], among: Iterable[int] = ()) -> Draft:
    """Write what was chosen, among what, by numbers of what is wanted."""
    table = [Attached(number) for number in among]
    body = {
        "judged": [Attached(number) for number in judged],
        "among": table,
        "among_from": "tool" if table else "none",
        "final": False,
    }
    return Draft(PartType.CHOICE, body, where)


def note(where: str, text: str, *, title: str | None = None, about: Iterable[int] = ()) -> Draft:
    """Write something the tool keeps in words."""
    body = body_of(Note(portable(text), None if title is None else portable(title)))
    return Draft(PartType.NOTE, body | {"about": [Attached(number) for number in about]}, where)


def place(where: str, name: str) -> Draft:
    """Write what the export calls a picture; names often hold the prompt, so this is sealed with it."""
    return Draft(PartType.PLACE, body_of(Place(name=portable(name))), where)


def sheet_of(container: str, where: str, key: str, text: str) -> Sheet:
    """Make one record of an export readable by the readers of pictures' records."""
    record = Record(container, where, key, text.encode("utf-8", "surrogatepass"), text)
    return Sheet(None, None, None, None, (record,))


def content_key(source: str, what: str, content: str) -> str:
    """Name something told that has no id of its own by what it says."""
    digest = Digest.of(content.encode("utf-8", "surrogatepass"))
    return f"told:{source}/{what}/{digest.raw.hex()[:32]}"


def portable(text: str) -> str:
    """Return a text that can be written down anywhere; half a character is escaped, the endless is cut."""
    kept = escaped(text)
    return kept if len(kept) <= _MAX_FACT else f"{kept[:_MAX_FACT]} … ({len(kept)})"
