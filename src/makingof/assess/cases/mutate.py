"""Mutations: the same case with one thing changed. Each kind is a function of the case's values alone."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from msgspec.structs import replace

from makingof.assess.cases.case import Case, CaseEvent, CasePerson, CaseReport, Change, Mutation
from makingof.clock import format_instant, parse_instant
from makingof.errors import MalformedError
from makingof.event import Kind
from makingof.lineage.links import JOB_KINDS
from makingof.part import Means, Role

_AT_THE_MOMENT = frozenset({Means.LIVE, Means.SPOOLED, Means.WATCHED})
_CHOICES = frozenset({Kind.SELECTED, Kind.REJECTED})
_ACTS = _CHOICES | {Kind.EDITED}
_SCRIPT = "p1"


def mutate(case: Case, mutation: Mutation) -> Case:
    """Return `case` with every change of `mutation` made, in order; a change nobody knows is malformed."""
    for change in mutation.change:
        if change.do not in _CHANGES:
            message = f"change {change.do!r} is not known"
            raise MalformedError(message)
        case = _CHANGES[change.do](case, change)
    events = sorted(case.event, key=lambda event: event.moment)  # stable: what was in order stays so
    return replace(case, event=tuple(events), id=f"{case.id}.{mutation.id}")


def _live(case: Case, change: Change) -> Case:
    """Record jobs and choices as they happen, from `at` on, a minute apart, and have that dated."""
    moment = parse_instant(change.at or case.event[0].at)
    events = []
    for event in case.event:
        if event.kind in JOB_KINDS | _ACTS:
            moment += timedelta(minutes=1)
            event = replace(event, means=Means.LIVE, at=format_instant(moment), happened=None)  # noqa: PLW2901
        elif event.kind in (Kind.ENROLLED, Kind.BRIEFED):
            event = replace(event, at=format_instant(parse_instant(change.at or event.at)))  # noqa: PLW2901
        events.append(event)
    stamps = (*case.stamps, format_instant(moment + timedelta(minutes=5)))
    return replace(case, event=tuple(events), stamps=stamps)


def _later(case: Case, change: Change) -> Case:
    """Find the same files `days` later: nothing was seen as it happened, and what dated it is later too."""
    shift = timedelta(days=change.days)

    def found(event: CaseEvent) -> CaseEvent:
        means = Means.RECOVERED if event.means in _AT_THE_MOMENT else event.means
        if event.kind in _CHOICES and event.means in _AT_THE_MOMENT:
            means = Means.STATED
        moved = format_instant(event.moment + shift)
        happened = event.happened
        if happened is None and event.kind is Kind.PUBLISHED:
            happened = event.at
        return replace(event, means=means, at=moved, happened=happened)

    stamps = tuple(format_instant(parse_instant(stamp) + shift) for stamp in case.stamps)
    return replace(case, event=tuple(map(found, case.event)), stamps=stamps)


def _without_fields(case: Case, change: Change) -> Case:
    """Leave parameters out."""
    return _each(
        case,
        lambda event: replace(
            event, fields={name: value for name, value in event.fields.items() if name not in change.fields}
        ),
    )


def _moved(case: Case, change: Change) -> Case:
    """Record the events named only at `at`, such as reasons written after publication."""
    at = change.at or case.event[-1].at
    return _each(
        case, lambda event: replace(event, at=at, happened=None) if event.id in change.events else event
    )


def _unnamed(case: Case, change: Change) -> Case:
    """Leave the name of one person out everywhere."""

    def nameless(event: CaseEvent) -> CaseEvent:
        people = tuple(
            replace(person, name=None) if person.id == change.person else person for person in event.people
        )
        return replace(event, people=people)

    return _each(case, nameless)


def _without_baseline(case: Case, change: Change) -> Case:
    """Take away the events named, and every file and citation that leads back to them."""
    gone = {file.name for event in case.event if event.id in change.events for file in event.files}

    def left(event: CaseEvent) -> CaseEvent:
        choice = event.choice
        if choice is not None:
            among = tuple(name for name in choice.among if name not in gone)
            judged = tuple(name for name in choice.judged if name not in gone)
            choice = replace(choice, judged=judged, among=among) if judged else None
        return replace(
            event,
            files=tuple(file for file in event.files if file.name not in gone),
            cites=tuple(name for name in event.cites if name not in change.events),
            choice=choice,
        )

    kept = (left(event) for event in case.event if event.id not in change.events)
    events = [event for event in kept if event.kind not in _CHOICES or event.choice is not None]
    return replace(case, event=tuple(events))


def _counted(case: Case, change: Change) -> Case:
    """Replace the list of prompts by a number."""

    def counted(event: CaseEvent) -> CaseEvent:
        if event.kind not in JOB_KINDS:
            return event
        report = CaseReport(facts={"count": change.count})
        return replace(event, prompt=None, negative=None, fields={}, tool=None, report=report)

    return _each(case, counted)


def _by_script(case: Case, change: Change) -> Case:  # noqa: ARG001 - every change has the same shape
    """Let a program do what people did."""
    program = CasePerson(id=_SCRIPT, name="a script", kind="program")

    def scripted(event: CaseEvent) -> CaseEvent:
        if event.kind not in _ACTS:
            return event
        return replace(event, actor=_SCRIPT, people=(*event.people, program))

    return _each(case, scripted)


def _sealed(case: Case, change: Change) -> Case:
    """Show the events named without the parts named."""
    sealed = tuple((event, part) for event in change.events for part in change.parts)
    return replace(case, sealed=(*case.sealed, *sealed))


def _kept(case: Case, change: Change) -> Case:
    """Let the events named have been left behind by the tool instead of told."""
    return _each(
        case,
        lambda event: replace(event, means=Means.RECOVERED) if event.id in change.events else event,
    )


def _with_baseline(case: Case, change: Change) -> Case:
    """Let the bytes of the events named be there, where only their existence was known."""

    def held(event: CaseEvent) -> CaseEvent:
        files = tuple(
            replace(file, held=True) if file.role is not Role.PREVIEW else file for file in event.files
        )
        return replace(event, files=files) if event.id in change.events else event

    return _each(case, held)


def _each(case: Case, change: Callable[[CaseEvent], CaseEvent]) -> Case:
    return replace(case, event=tuple(map(change, case.event)))


_CHANGES: Mapping[str, Callable[[Case, Change], Case]] = {
    "live": _live,
    "later": _later,
    "without-fields": _without_fields,
    "moved": _moved,
    "unnamed": _unnamed,
    "without-baseline": _without_baseline,
    "counted": _counted,
    "by-script": _by_script,
    "sealed": _sealed,
    "kept": _kept,
    "with-baseline": _with_baseline,
}
