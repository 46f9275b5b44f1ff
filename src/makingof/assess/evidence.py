"""Evidence: what a probe is given. A lineage, the outside times of its events, and nothing else."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Generic, TypeVar

import msgspec

from makingof.assess.finding import Cited, weaker_means
from makingof.clock import milliseconds
from makingof.digest import Digest
from makingof.event import Kind
from makingof.lineage.entry import Entry, PartState, Statement
from makingof.lineage.lineage import Lineage, Member, Why
from makingof.lineage.links import JOB_KINDS, MADE_ROLES
from makingof.part import Choice, FileBody, Holding, Parameters, PartType, People, Person, Role, Text
from makingof.reading import State
from makingof.stamp.bounds import NOT_DATED, Bounds

_BodyT = TypeVar("_BodyT", bound=msgspec.Struct)

NO_BOUNDS = Bounds(NOT_DATED, NOT_DATED)
SPEAKING = frozenset({State.PRESENT, State.COMPUTED, State.SEVERAL})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INPUT_ROLES = frozenset({Role.INIT, Role.CONTROL, Role.REFERENCE})
_MAKING = frozenset({*JOB_KINDS, Kind.EDITED})
_OWN_MAKING = frozenset({Why.PICTURE, Why.ANCESTOR, Why.JOB})


@dataclass(frozen=True, slots=True)
class Seen(Generic[_BodyT]):
    """One statement together with the member that makes it."""

    member: Member
    statement: Statement[_BodyT]

    @property
    def body(self) -> _BodyT:
        return self.statement.body

    @property
    def entry(self) -> Entry:
        return self.member.entry

    @property
    def cited(self) -> Cited:
        part = self.statement.part
        entry = self.member.entry
        means = weaker_means(entry.means, part.means)
        return Cited(entry.position, entry.name, means, vouched=part.vouched is not None)


def cite(member: Member) -> Cited:
    """Cite an event for that it happened, not for what a part says."""
    entry = member.entry
    vouched = any(
        part.vouched is not None for part in entry.parts.values() if not isinstance(part, PartState)
    )
    return Cited(entry.position, entry.name, entry.means, vouched=vouched)


@dataclass(frozen=True, slots=True)
class SilentPart:
    """A part that is sealed or erased: what it is about is known, what it says is not."""

    digest: Digest
    type: PartType
    kind: Kind
    state: PartState


class Evidence:
    """A lineage laid out for questions. Members are in log order whatever order they came in.

    `bounds` are by position, verified by the caller under the reader's trust.
    `unverified` are positions whose events could not be verified: they support
    nothing. `beside` are events of the recorder outside the lineage that tell of its
    health. Withdrawn events are left out of everything but `everything`.
    """

    def __init__(
        self,
        lineage: Lineage,
        *,
        bounds: Mapping[int, Bounds] | None = None,
        unverified: AbstractSet[int] = frozenset(),
        beside: Iterable[Entry] = (),
    ) -> None:
        self.lineage = lineage
        self.unverified = unverified
        self.everything = tuple(sorted(lineage.members, key=lambda member: member.entry.position))
        self.members = tuple(member for member in self.everything if not member.withdrawn_by)
        self.context = tuple(sorted(lineage.context, key=lambda entry: entry.position))
        self.beside = tuple(sorted(beside, key=lambda entry: entry.position))
        self._bounds = dict(bounds or {})
        self._read: dict[tuple[int, PartType], list[Any]] = {}  # parts are read once, however many ask
        self._by_kind: dict[Kind, list[Member]] = defaultdict(list)
        for member in self.members:
            self._by_kind[member.entry.kind].append(member)

    @cached_property
    def silent(self) -> tuple[SilentPart, ...]:
        """Every sealed and erased part of the lineage, in log order."""
        return tuple(
            SilentPart(digest, member.entry.types[digest], member.entry.kind, state)
            for member in self.everything
            for digest, state in member.entry.silent().items()
        )

    def of_kind(self, *kinds: Kind) -> list[Member]:
        """Return the members of these kinds that stand, in log order."""
        found = [member for kind in dict.fromkeys(kinds) for member in self._by_kind.get(kind, ())]
        return sorted(found, key=lambda member: member.entry.position)

    def said(self, part_type: PartType, shape: type[_BodyT], members: Iterable[Member]) -> list[Seen[_BodyT]]:
        """Return what the parts of one type say in `members`."""
        found: list[Seen[_BodyT]] = []
        for member in members:
            key = (member.entry.position, part_type)
            if key not in self._read:
                statements = member.entry.statements(part_type, shape)
                self._read[key] = [Seen(member, statement) for statement in statements]
            found += self._read[key]
        return found

    def bounds_of(self, position: int) -> Bounds:
        """Return between which outside times an event was written."""
        return self._bounds.get(position, NO_BOUNDS)

    # Pictures and jobs

    @cached_property
    def pictures(self) -> frozenset[Digest]:
        """The pictures asked about: their bytes and every file part that names them."""
        blobs = {picture.blob for picture in self.lineage.pictures if picture.blob is not None}
        parts = {part for picture in self.lineage.pictures for part in picture.file_parts}
        return frozenset(blobs | parts)

    @cached_property
    def files(self) -> Mapping[Digest, tuple[Member, FileBody]]:
        """File part → the member that names it and what it says; of all members, withdrawn ones too."""
        return {
            said.digest: (member, said.body) for member in self.everything for said in member.entry.files()
        }

    @cached_property
    def makers(self) -> Mapping[Digest, Member]:
        """Bytes → the first standing member that made them: a job or an edit."""
        found: dict[Digest, Member] = {}
        for member in self.of_kind(*JOB_KINDS, Kind.EDITED):
            for said in member.entry.files():
                if said.body.role in MADE_ROLES:
                    found.setdefault(said.body.digest, member)
        return found

    @cached_property
    def held(self) -> frozenset[Digest]:
        """The bytes of the files that are held."""
        return frozenset(body.digest for _, body in self.files.values() if body.holding is Holding.HELD)

    def blob_of(self, file_part: Digest) -> Digest:
        """Return the bytes a file part names; where it is silent, the part's own name stands for them."""
        known = self.files.get(file_part)
        return known[1].digest if known else file_part

    def is_about_pictures(self, names: Iterable[Digest]) -> bool:
        """Tell whether one of `names`, file parts, is a picture asked about."""
        return any(name in self.pictures or self.blob_of(name) in self.pictures for name in names)

    @cached_property
    def outputs(self) -> tuple[Member, ...]:
        """The jobs that gave the pictures, their ancestors and siblings."""
        return tuple(member for member in self.of_kind(Kind.GENERATED) if member.why in _OWN_MAKING)

    @cached_property
    def line(self) -> frozenset[Digest]:
        """The bytes of the pictures asked about and of everything they were made from."""
        ways = (Why.PICTURE, Why.ANCESTOR)
        made = {
            said.body.digest for member in self.members if member.why in ways for said in member.entry.files()
        }
        return frozenset(made) | self.pictures

    def is_in_line(self, names: Iterable[Digest]) -> bool:
        """Tell whether one of `names`, file parts, is a picture asked about or went into one."""
        return any(name in self.line or self.blob_of(name) in self.line for name in names)

    @cached_property
    def edits(self) -> tuple[Member, ...]:
        """The edits that lie behind the pictures, these included."""
        ways = (Why.PICTURE, Why.ANCESTOR)
        return tuple(member for member in self.of_kind(Kind.EDITED) if member.why in ways)

    def sources_of(self, member: Member) -> dict[Digest, Member]:
        """Return the bytes a job or an edit used, as inputs or by what it cites, with who made them."""
        used = [said.body.digest for said in member.entry.files() if said.body.role in INPUT_ROLES]
        for name in member.entry.event.header.cites:
            cited = self._by_name.get(name)
            if cited is not None and cited.entry.kind in _MAKING:
                made = [said.body for said in cited.entry.files() if said.body.role in MADE_ROLES]
                if len(made) == 1:
                    used.append(made[0].digest)
        return {blob: self.makers[blob] for blob in used if blob in self.makers}

    @cached_property
    def jobs(self) -> tuple[Member, ...]:
        """Every job that gave pictures, earlier attempts of the project or session included."""
        return tuple(self.of_kind(Kind.GENERATED))

    @cached_property
    def _by_name(self) -> Mapping[Digest, Member]:
        return {member.entry.name: member for member in self.members}

    def requests_of(self, job: Member) -> Iterator[Member]:
        """Yield a job and the requests it answers: a hook hands a request over before its result exists."""
        yield job
        for name in job.entry.event.header.cites:
            cited = self._by_name.get(name)
            if cited is not None and cited.entry.kind is Kind.PROMPTED:
                yield cited

    def prompts_of(self, job: Member) -> list[Seen[Text]]:
        """Return the prompts of a job that can be read."""
        return [
            seen
            for seen in self.said(PartType.PROMPT, Text, self.requests_of(job))
            if seen.body.state in SPEAKING and (seen.body.effective or seen.body.typed or seen.body.base64)
        ]

    def parameters_of(self, job: Member) -> list[Seen[Parameters]]:
        """Return what a job's parameters say."""
        return self.said(PartType.PARAMETERS, Parameters, self.requests_of(job))

    def spoken_of(self, job: Member) -> list[Cited]:
        """Return where a job's prompts and parameters are told."""
        prompts = [seen.cited for seen in self.prompts_of(job)]
        return prompts + [seen.cited for seen in self.parameters_of(job)]

    def field_of(self, job: Member, *names: str) -> list[Cited]:
        """Return where a job states one of these parameters."""
        return [
            seen.cited
            for seen in self.parameters_of(job)
            if any((field := seen.body.fields.get(name)) is not None and field.value for name in names)
        ]

    def settings_of(self, job: Member) -> dict[str, str]:
        """Return the prompts and parameters of a job as far as they are told, for comparing jobs."""
        found = {
            f"prompt {seen.body.ordinal}": seen.body.effective or seen.body.typed or ""
            for seen in self.prompts_of(job)
        }
        for negative in self.said(PartType.NEGATIVE, Text, self.requests_of(job)):
            found[f"negative {negative.body.ordinal}"] = negative.body.effective or negative.body.typed or ""
        for seen in self.parameters_of(job):
            found |= {name: field.value for name, field in seen.body.fields.items() if field.value}
        return found

    # Acts and people

    @cached_property
    def choices(self) -> tuple[Seen[Choice], ...]:
        """The selections that stand, in log order."""
        return tuple(self.said(PartType.CHOICE, Choice, self.of_kind(Kind.SELECTED)))

    @cached_property
    def people(self) -> Mapping[str, tuple[Person, ...]]:
        """Pseudonym → everything said of it, the enrolments first."""
        found: dict[str, list[Person]] = defaultdict(list)
        enrolled = [entry for entry in self.context if entry.kind is Kind.ENROLLED]
        for entry in [*enrolled, *(member.entry for member in self.members)]:
            for said in entry.statements(PartType.PEOPLE, People):
                for person in said.body.people:
                    found[person.id].append(person)
        return {pseudonym: tuple(told) for pseudonym, told in found.items()}

    def is_program(self, actor: str) -> bool:
        """Tell whether a pseudonym is a program's, by its letter or by what was said of it."""
        return actor.startswith("p") or any(person.kind == "program" for person in self.people.get(actor, ()))

    @cached_property
    def published(self) -> tuple[Member, ...]:
        """The publications of the pictures that stand."""
        return tuple(self.of_kind(Kind.PUBLISHED))

    @cached_property
    def published_ms(self) -> int | None:
        """When the first publication is said to have been; None where none is recorded."""
        return min((happened_ms(member.entry) for member in self.published), default=None)

    def is_after_publication(self, entry: Entry) -> bool:
        """Tell whether an event was recorded later than the first publication is said to have been."""
        limit = self.published_ms
        return limit is not None and recorded_ms(entry) > limit


def recorded_ms(entry: Entry) -> int:
    """Return when the recorder wrote the event, by its own clock."""
    return milliseconds(entry.event.header.recorded_at)


def happened_ms(entry: Entry) -> int:
    """Return when an event is said to have happened, else when it was recorded."""
    header = entry.event.header
    return milliseconds(header.occurred_at if header.occurred_at is not None else header.recorded_at)


def moment_ms(moment: datetime) -> int:
    """Return an aware moment as milliseconds since 1970."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)
