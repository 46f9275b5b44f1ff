"""Case: what was in evidence before an authority, as Observations, and what it found, with its reasons."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Self

import msgspec

from makingof.assess.finding import Outcome
from makingof.assess.pack import Counts, Source, Text, read_toml
from makingof.clock import parse_instant
from makingof.errors import MalformedError
from makingof.event import Kind, OccurredBy
from makingof.part import Means, PartType, Role

VERSION = 1
MAX_CASE_BYTES = 1 << 19
MAX_EVENTS = 500
_LABEL = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")
CONSIDERED = frozenset({"A", "B"})


class CaseFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of an event. Its bytes stand in for those in evidence: another name is another file."""

    name: str
    role: Role = Role.OUTPUT
    held: bool = True


class CasePlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where something went or lay."""

    url: str | None = None
    path: str | None = None
    account: str | None = None
    modified: str | None = None


class CaseNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody wrote; `about` are names of files."""

    text: str
    title: str | None = None
    about: tuple[str, ...] = ()


class CaseChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was judged among what; names of files."""

    judged: tuple[str, ...]
    among: tuple[str, ...] = ()
    final: bool = False


class CasePerson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody, as a party would be called in the decision: no case names people here."""

    id: str
    name: str | None = None
    role: str | None = None
    kind: str = "person"
    account: str | None = None
    bound_by: str | None = None


class CaseReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was reported of a job, a re-run or a number of attempts."""

    outcome: str | None = None
    outputs: int | None = None
    facts: dict[str, str | int] = {}


class CaseEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing in evidence: recorded `at`, and said to have `happened`."""

    id: str
    kind: Kind
    means: Means
    at: str
    happened: str | None = None
    by: OccurredBy = OccurredBy.PERSON
    actor: str | None = None
    cites: tuple[str, ...] = ()
    files: tuple[CaseFile, ...] = ()
    prompt: str | None = None
    negative: str | None = None
    fields: dict[str, str] = {}
    tool: str | None = None  # which wrote the record the fields were read from; None: nobody says
    place: CasePlace | None = None
    note: CaseNote | None = None
    reason: str | None = None
    choice: CaseChoice | None = None
    people: tuple[CasePerson, ...] = ()
    report: CaseReport | None = None
    environment: dict[str, str] = {}
    vouched: str | None = None  # who outside can be asked about it

    @property
    def moment(self) -> datetime:
        """When the record of it was made."""
        return parse_instant(self.at)


class Expectation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the authority found of one requirement, on one axis; no `values` where it left the point open.

    `differs` explains, where our rules do not come out there, why.
    """

    pack: str
    requirement: str
    axis: str
    reason: Text
    sources: tuple[str, ...]
    values: tuple[str, ...] = ()
    differs: Text | None = None


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One change to a case's events; `makingof.assess.cases.mutate` has what each does."""

    do: str
    events: tuple[str, ...] = ()
    parts: tuple[PartType, ...] = ()
    fields: tuple[str, ...] = ()
    person: str | None = None
    at: str | None = None
    days: int = 0
    count: int = 0


class Mutated(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a requirement must come to after a mutation."""

    pack: str
    requirement: str
    values: tuple[str, ...]


class Mutation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same case with something changed, and what must follow that did not follow without it.

    Without it is the case itself, or the mutation named `base`, which then stands above this one.
    """

    id: str
    title: Text
    change: tuple[Change, ...]
    expect: tuple[Mutated, ...]
    base: str = ""


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A decided case as far as its sources tell; what they do not tell stays out, and `unknown` says so."""

    version: int
    id: str
    decided: str
    authority: Text
    title: Text
    found: Text
    unknown: Text
    picture: str  # the file that was in dispute
    source: tuple[Source, ...]
    event: tuple[CaseEvent, ...]
    expect: tuple[Expectation, ...]
    mutation: tuple[Mutation, ...] = ()
    stamps: tuple[str, ...] = ()  # instants at which an outsider fixed the record: a registration, a notary
    sealed: tuple[tuple[str, PartType], ...] = ()

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a case; anything incomplete is a `MalformedError` that names the first problem."""
        case: Self = read_toml(data, cls, "case", MAX_CASE_BYTES)
        for problem in check_case(case):
            raise MalformedError(problem)
        return case


def check_case(case: Case) -> Iterable[str]:
    """Yield what is wrong with a case: unknown labels, values no axis has, instants that are none."""
    if case.version != VERSION or not _LABEL.fullmatch(case.id):
        yield f"case {case.id!r} has no name, or version {case.version} is not {VERSION}"
    if not 0 < len(case.event) <= MAX_EVENTS:
        yield f"case {case.id!r} has {len(case.event)} events"
    yield from _event_problems(case)
    known = {source.id for source in case.source}
    for item in case.expect:
        where = f"case {case.id!r}, {item.requirement}"
        allowed: set[str] = {str(value) for value in (Outcome if item.axis == "A" else Counts)}
        if item.axis not in CONSIDERED or not set(item.values) <= allowed:
            yield f"{where}: {item.values} are no values of axis {item.axis!r}"
        if not item.sources or not set(item.sources) <= known:
            yield f"{where} names no source, or one that is not listed"
    for mutation in case.mutation:
        above = case.mutation[: case.mutation.index(mutation)]
        if mutation.base and mutation.base not in {item.id for item in above}:
            yield f"case {case.id!r}: mutation {mutation.id!r} builds on none above it"
        values = {value for item in mutation.expect for value in item.values}
        if not mutation.expect or not values <= {str(value) for value in Outcome}:
            yield f"case {case.id!r}: mutation {mutation.id!r} expects nothing, or what no outcome is"


def _event_problems(case: Case) -> Iterable[str]:
    seen: set[str] = set()
    names: set[str] = set()
    last: datetime | None = None
    for event in case.event:
        where = f"case {case.id!r}, event {event.id!r}"
        if event.id in seen or not _LABEL.fullmatch(event.id):
            yield f"{where} stands twice, or is no label"
        if not set(event.cites) <= seen:
            yield f"{where} cites what does not come before it"
        names |= {file.name for file in event.files}
        chosen = (*event.choice.judged, *event.choice.among) if event.choice else ()
        if not {*chosen, *(event.note.about if event.note else ())} <= names:
            yield f"{where} speaks of a file that does not come before it"
        if last is not None and event.moment < last:
            yield f"{where} is recorded before the one above it"
        last = event.moment
        seen.add(event.id)
    if case.picture not in names:
        yield f"case {case.id!r}: picture {case.picture!r} is no file of it"
