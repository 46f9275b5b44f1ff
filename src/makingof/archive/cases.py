"""Replaying decided cases into real archives: a manual clock, and two real authorities on loopback."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from msgspec.structs import asdict

from makingof.archive.archive import Archive, Plan, create_archive
from makingof.archive.home import Home
from makingof.archive.judging import bounds_of, health_of, read_timeline
from makingof.archive.stamping import stamp_log
from makingof.assess.assessment import Assessment
from makingof.assess.cases.agreement import MutationRow, Row, compare_case, compare_mutation
from makingof.assess.cases.case import Case, CaseEvent
from makingof.assess.cases.mutate import mutate
from makingof.assess.engine import assess_all
from makingof.assess.evidence import Evidence
from makingof.assess.pack import Pack
from makingof.assess.probe import Probe
from makingof.clock import parse_instant
from makingof.config import Settings
from makingof.digest import Digest
from makingof.event import Kind, Source
from makingof.lineage.entry import Entry, PartState
from makingof.lineage.memory import MemoryGraph
from makingof.lineage.rule import find_lineage
from makingof.observation import Attached, Attachment, Draft, Observation, Position
from makingof.part import (
    Choice,
    Environment,
    Note,
    Parameter,
    Parameters,
    PartType,
    People,
    Person,
    Place,
    Reason,
    Report,
    Text,
    Vouched,
    body_of,
)
from makingof.recorder.write import new_stream
from makingof.stamp.authority import RemoteAuthority
from makingof.stamp.http import HttpFetch
from makingof.stamp.local import LocalAuthority, serve
from makingof.stamp.trust import Trust

_SOURCE = Source(name="makingof-cases", version="1")
_OWNER = "the holder of the record"
_HOLDER = "a999"  # nobody in the case: who acts there is for the case to say
_AUTHORITIES = ("case authority A", "case authority B")
_BODY = "the picture {name} of case {case}; other bytes stand in for those in evidence"


@dataclass(slots=True)
class CaseClock:
    """Stands where the case is. A batch is written at the instants in `script`, one for each event.

    Its uptime follows, so that no jump is invented.
    """

    moment: datetime
    started: datetime
    script: deque[datetime] = field(default_factory=deque)

    def now(self) -> datetime:
        """Return the case's moment, or the next one of the script."""
        if self.script:
            self.advance_to(self.script.popleft())
        return self.moment

    def uptime_ms(self) -> int:
        """Return the time since the case began."""
        return (self.moment - self.started) // timedelta(milliseconds=1)

    def boot_id(self) -> str:
        """A case ran on no machine."""
        return ""

    def advance_to(self, moment: datetime) -> None:
        """Go on to `moment`; never back."""
        self.moment = max(self.moment, moment)


@dataclass(frozen=True, slots=True)
class Replayed:
    """A case as a record, and what each pack says of it."""

    case: Case
    assessments: Mapping[str, Assessment]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What came out: every reason and every mutation, none added up."""

    rows: tuple[Row, ...]
    mutations: tuple[MutationRow, ...]

    @property
    def is_sound(self) -> bool:
        """Whether every difference is explained and every mutation comes out as stated."""
        return all(row.is_explained for row in self.rows) and all(row.holds for row in self.mutations)


@dataclass(frozen=True, slots=True)
class Judges:
    """With what a case is judged."""

    packs: Sequence[Pack]
    probes: Mapping[str, Probe]


@dataclass(slots=True)
class _Names:
    """What was recorded so far: labels → positions, file names → file parts."""

    events: dict[str, Position] = field(default_factory=dict)
    files: dict[str, Digest] = field(default_factory=dict)


def run_cases(cases: Sequence[Case], folder: Path, judges: Judges) -> Iterator[Benchmark]:
    """Replay every case and each of its mutations below `folder`, which must be empty."""
    for case in cases:
        replayed = {"": replay_case(case, folder / case.id, judges).assessments}
        mutations: list[MutationRow] = []
        for mutation in case.mutation:
            changed = mutate(case, mutation)
            after = replay_case(changed, folder / changed.id, judges).assessments
            mutations += compare_mutation(case, mutation, replayed[mutation.base], after)
            replayed[mutation.id] = after
        yield Benchmark(tuple(compare_case(case, replayed[""])), tuple(mutations))


def replay_case(case: Case, folder: Path, judges: Judges) -> Replayed:
    """Record `case` in an archive of its own at `folder` and judge the lineage of its picture."""
    started = min(event.moment for event in case.event) - timedelta(days=1)
    clock = CaseClock(started, started)
    home = Home(folder / "archive", folder / "state")
    with ExitStack() as stack:
        archive, _ = create_archive(home, clock, Plan(_OWNER, Settings(owner=_HOLDER)))
        stack.enter_context(archive)
        authorities = (
            [stack.enter_context(_authority(name, clock)) for name in _AUTHORITIES] if case.stamps else []
        )
        names = _record(archive, clock, case, authorities)
        trust = Trust("cases", tuple(item.authority for item in authorities))
        evidence = _evidence(archive, case, names, trust)
    done = assess_all(evidence, judges.packs, judges.probes)
    return Replayed(case, {one.pack.id: one for one in done})


@contextmanager
def _authority(name: str, clock: CaseClock) -> Iterator[RemoteAuthority]:
    local = LocalAuthority(name, clock)
    with serve(local) as url:
        yield RemoteAuthority(local.authority(url), HttpFetch(), None, fetches_crls=False)


def _record(archive: Archive, clock: CaseClock, case: Case, authorities: Sequence[RemoteAuthority]) -> _Names:
    """Record events and stamps in the order of their instants; a stamp covers what came before it."""
    names = _Names()
    stamps = deque(sorted(map(parse_instant, case.stamps)))
    batch: list[CaseEvent] = []
    for event in case.event:
        while stamps and stamps[0] < event.moment:
            _commit(archive, clock, case, batch, names)
            clock.advance_to(stamps.popleft())
            stamp_log(archive, authorities)
        batch.append(event)
        if event.kind is Kind.BRIEFED:  # what comes next belongs to the project it opens
            _commit(archive, clock, case, batch, names)
    _commit(archive, clock, case, batch, names)
    for moment in stamps:
        clock.advance_to(moment)
        stamp_log(archive, authorities)
    return names


def _commit(archive: Archive, clock: CaseClock, case: Case, batch: list[CaseEvent], names: _Names) -> None:
    """Write the events of `batch` in one transaction, each at its own instant, and empty it."""
    prepared = []
    for event in batch:
        observation = _observation(case, event, names)
        done = archive.recorder.prepare(observation, event.means)
        if observation.position is not None:
            names.events[event.id] = observation.position
        for file, part in zip(event.files, done.file_parts, strict=True):
            names.files.setdefault(file.name, part)
        prepared.append(done)
    clock.script.extend(event.moment for event in batch)
    archive.recorder.commit(prepared, project=archive.index.current_project())
    archive.index.follow(archive.log)
    batch.clear()


def _evidence(archive: Archive, case: Case, names: _Names, trust: Trust) -> Evidence:
    """Read the archive as a package would show it, without the parts the case seals."""
    hidden: dict[tuple[str | None, int | None], set[PartType]] = {}
    for label, part_type in case.sealed:
        at = names.events[label]
        hidden.setdefault((at.stream, at.seq), set()).add(part_type)
    graph = MemoryGraph(
        _without(archive, entry, hidden.get((entry.event.header.stream, entry.event.header.seq), set()))
        for entry in archive.index.graph(archive.log).entries(set(range(archive.log.size())))
    )
    # What links a sealed choice or publication is in its sealed part: the holder lists the lineage.
    whole = archive.index.lineage(archive.log, [names.files[case.picture]])
    lineage = find_lineage(graph, [names.files[case.picture]], listed=whole.positions)
    bounds = bounds_of(lineage, read_timeline(archive, trust, None))
    return Evidence(lineage, bounds=bounds, beside=health_of(archive))


def _without(archive: Archive, entry: Entry, hidden: set[PartType]) -> Entry:
    if not hidden:
        return entry
    stored = {
        part.digest: PartState.ERASED if part.data is None else part.data
        for part in archive.log.parts(entry.position)
        if entry.types.get(part.digest) not in hidden
    }
    return Entry.read(entry.position, entry.event.entry, stored)


def _observation(case: Case, event: CaseEvent, names: _Names) -> Observation:
    return Observation(
        kind=event.kind,
        source=Source(_SOURCE.name, _SOURCE.version, event.tool),
        drafts=tuple(_drafts(event, names)),
        attachments=tuple(
            Attachment(
                _BODY.format(name=file.name, case=case.id.partition(".")[0]).encode(),
                file.role,
                held=file.held,
                name=file.name,
            )
            for file in event.files
        ),
        actor=event.actor,
        position=Position(new_stream(), 0),
        occurred_at=event.happened,
        occurred_by=event.by if event.happened is not None else None,
        cites=tuple(names.events[label] for label in event.cites),
    )


def _drafts(event: CaseEvent, names: _Names) -> list[Draft]:
    """Write what an event of a case says as parts."""
    vouched = Vouched(by=event.vouched) if event.vouched else None
    bodies = [*_made(event), *_told(event, names), *_shown(event)]
    return [Draft(part_type, body, "case file", None, vouched) for part_type, body in bodies]


_Body = tuple[PartType, Mapping[str, object]]


def _made(event: CaseEvent) -> Iterator[_Body]:
    """What a tool was given."""
    if event.prompt is not None:
        yield PartType.PROMPT, body_of(Text(effective=event.prompt))
    if event.negative is not None:
        yield PartType.NEGATIVE, body_of(Text(effective=event.negative))
    if event.fields or event.tool:
        fields = {name: Parameter(value) for name, value in event.fields.items()}
        yield PartType.PARAMETERS, body_of(Parameters(tool=event.tool, main=True, fields=fields))
    if event.environment:
        yield PartType.ENVIRONMENT, body_of(Environment(facts=dict(event.environment)))


def _told(event: CaseEvent, names: _Names) -> Iterator[_Body]:
    """What people chose and said."""
    if event.note is not None:
        about = tuple(names.files[name] for name in event.note.about)
        yield PartType.NOTE, body_of(Note(event.note.text, event.note.title, about))
    if event.reason is not None:
        yield PartType.REASON, body_of(Reason(event.reason))
    if event.choice is not None:
        judged = tuple(names.files[name] for name in event.choice.judged)
        among = tuple(names.files[name] for name in event.choice.among)
        yield PartType.CHOICE, body_of(Choice(judged, among, "given", event.choice.final))


def _shown(event: CaseEvent) -> Iterator[_Body]:
    """Where, by whom, and what was reported."""
    if event.place is not None:
        place = body_of(Place(**asdict(event.place)))
        yield PartType.PLACE, place | ({"file": Attached(0)} if event.files else {})
    if event.people:
        yield PartType.PEOPLE, body_of(People(tuple(Person(**asdict(person)) for person in event.people)))
    if event.report is not None:
        report = event.report
        body = Report(outcome=report.outcome, outputs=report.outputs, facts=dict(report.facts))
        yield PartType.REPORT, body_of(body)
