"""The lineage rule, version 1: which events lie behind a picture. `docs/spec/lineage.md` is normative.

Steps, numbered as there:

 (1) the pictures: every event that gives their bytes;
 (2) ancestors and jobs, until nothing is added: what made them cites, names or used, and
     the outputs and attempts of the same jobs;
 (3) the jobs before the last of these in the same project;
 (4) without a project, those in the same working session;
 (5) the events that opened these projects;
 (6) what else lay on the table of the choices about the pictures and their ancestors;
 (7) every event that cites, names or uses any of these, or gives the same bytes again,
     until nothing is added.

Labels and claims may add and never remove: a forged file time, a withdrawal or a
new project takes nothing out of a lineage that was in it. Each event is expanded
once, so cycles end and the cost grows with the answer.
"""

from collections.abc import Collection, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from makingof.digest import Digest
from makingof.errors import UsageError
from makingof.event import Kind
from makingof.lineage.entry import Entry
from makingof.lineage.graph import FolderClaim, Graph, Node, Stream
from makingof.lineage.lineage import RULE, Lineage, Member, Picture, Why, find_withdrawals
from makingof.lineage.links import AT_THE_MOMENT, JOB_KINDS, MAKING_KINDS
from makingof.part import Means, PartType, People
from makingof.texts import say

PAUSE_MS = 3_600_000


def find_lineage(
    graph: Graph, pictures: Collection[Digest], *, listed: AbstractSet[int] = frozenset()
) -> Lineage:
    """Return what lies behind `pictures`, each the name of a file part or of the bytes.

    `listed` are positions the holder of a package says belong; those the rule does
    not reach, because what links them is sealed, come in marked `listed`.

    Refused, as `UsageError`: no picture at all, and one no event names.
    """
    if not pictures:
        raise UsageError(say("lineage.no_picture"))
    about = tuple(_find_picture(graph, name) for name in dict.fromkeys(pictures))
    search = _Search(graph)
    search.add_pictures(about)
    search.add_making()
    search.add_earlier_jobs()
    search.add_alternatives()
    search.add(listed - search.found.keys(), Why.LISTED)
    search.add_citing()
    return _lineage(search, about)


def _find_picture(graph: Graph, name: Digest) -> Picture:
    """Tell what `name` names: a file part that is there, sealed or not, or else the bytes."""
    files = [link for link in graph.files_of(graph.with_files({name})) if link.part == name]
    if files:
        return Picture(files[0].blob, (name,))
    holders = graph.with_blobs({name}, given=True) or graph.with_blobs({name}, given=False)
    parts = sorted(link.part for link in graph.files_of(holders) if link.blob == name)
    if not parts:
        raise UsageError(
            say("lineage.unknown_picture", picture=name), hint=say("lineage.unknown_picture_hint")
        )
    return Picture(name, tuple(parts))


@dataclass(slots=True)
class _Search:
    """What was found so far: position → why, and which of these rest on claimed times."""

    graph: Graph
    found: dict[int, Why] = field(default_factory=dict)
    claimed: set[int] = field(default_factory=set)
    users: set[int] = field(default_factory=set)  # used a picture asked about and did not give it
    made: set[int] = field(default_factory=set)  # of steps 1 and 2, what made or published something

    def add(self, positions: Iterable[int], why: Why, *, claimed: bool = False) -> set[int]:
        """Add what is new and return it."""
        # Not `- self.found.keys()`: that walks all that was found before, each time.
        new = {position for position in positions if position not in self.found}
        self.found.update(dict.fromkeys(new, why))
        if claimed:
            self.claimed |= new
        return new

    def add_pictures(self, pictures: Collection[Picture]) -> None:
        """Step (1)."""
        blobs = {picture.blob for picture in pictures if picture.blob is not None}
        parts = {part for picture in pictures for part in picture.file_parts}
        gave = self.graph.with_blobs(blobs, given=True)
        self.users = set(self.graph.with_blobs(blobs, given=False) - gave)
        self.add(self.graph.with_files(parts) | gave, Why.PICTURE)

    def add_making(self) -> None:
        """Step (2). A job that used a picture did not make it, and is not where it comes from."""
        new = self.found.keys() - self.users
        making = self._of_kind(new, MAKING_KINDS) or self._of_kind(new, {Kind.PUBLISHED})
        asked: set[Digest] = set()  # bytes are asked about once, or a blank mask would cost its square
        while new:
            self.made |= making
            links = list(self.graph.files_of(making))
            used = {link.blob for link in links if link.blob is not None and not link.given} - asked
            given = {link.blob for link in links if link.blob is not None and link.given} - asked
            asked |= used | given
            ancestors = self.graph.cited_by(making) | self.graph.with_blobs(used, given=True)
            siblings = self._same_job(making) | self.graph.with_blobs(given, given=True)
            new = self.add(ancestors, Why.ANCESTOR) | self.add(siblings, Why.JOB)
            # Choices, notes and the recorder's own acts cite many things and made none of them: followed,
            # they would turn everything that once lay on a table into an ancestor.
            making = self._of_kind(new, MAKING_KINDS)

    def _same_job(self, positions: set[int]) -> set[int]:
        """Return outputs and attempts of the same jobs: by the job's id, or answering the same request."""
        requests = self._of_kind(positions, {Kind.PROMPTED})
        answers = self._of_kind(self.graph.citing(requests), JOB_KINDS)
        return answers.union(self.graph.sharing_job(positions))

    def add_earlier_jobs(self) -> None:
        """Steps (3) to (5)."""
        projects: dict[Digest, list[Node]] = {}
        loose: list[Node] = []
        repeats = self._repeats()
        for node in self.graph.nodes(self.made):
            if node.project is None or node.position in repeats:
                loose.append(node)
            else:
                projects.setdefault(node.project, []).append(node)
        for project, made in projects.items():
            self._add_project(project, made)
        self._add_sessions([node for node in loose if node.means in AT_THE_MOMENT])
        self._add_claimed_sessions({node.position for node in loose if node.means is Means.RECOVERED})
        self.add(self.graph.named(projects.keys()), Why.BRIEF)

    def _repeats(self) -> set[int]:
        """Return what only found again files recorded before: its project is that of the day it did."""
        first_given: dict[Digest, int] = {}
        repeats: set[int] = set()
        for node in sorted(self.graph.nodes(self.made), key=lambda node: node.position):
            given = {link.blob for link in self.graph.files_of({node.position}) if link.given}
            known = {blob for blob in given if blob is not None}
            if node.means is Means.RECOVERED and known and known <= first_given.keys():
                repeats.add(node.position)
            first_given |= {blob: first_given.get(blob, node.position) for blob in known}
        return repeats

    def _add_project(self, project: Digest, made: Collection[Node]) -> None:
        last = max(node.position for node in made)
        limit_ms = _latest_claim(made)
        jobs = list(self.graph.project_jobs(project))
        self.add((job.position for job in jobs if job.position <= last), Why.PROJECT)
        # An import writes files in the order of their names; what no clock orders is not left out.
        found_later = [job for job in jobs if job.position > last and job.means is Means.RECOVERED]
        self.add(
            (
                job.position
                for job in found_later
                if limit_ms is None or job.claimed_ms is None or job.claimed_ms <= limit_ms
            ),
            Why.PROJECT,
            claimed=True,
        )

    def _add_sessions(self, made: Collection[Node]) -> None:
        """Walk back from each of `made` until the next job lies an hour or more before the one after it.

        A clock set back shows no pause. The walk ends where an earlier one passed.
        """
        walked: set[int] = set()
        for node in sorted(made, key=lambda node: node.position, reverse=True):
            later_ms = node.recorded_ms
            for job in self.graph.jobs_until(node.position):
                if later_ms - job.recorded_ms >= PAUSE_MS or job.position in walked:
                    break
                walked.add(job.position)
                later_ms = job.recorded_ms
        self.add(walked, Why.SESSION)

    def _add_claimed_sessions(self, made: AbstractSet[int]) -> None:
        """The same within one folder, by the times the files claim."""
        walked: set[FolderClaim] = set()
        for claim in sorted(self.graph.claims(made), key=lambda claim: claim.at_ms, reverse=True):
            later_ms = claim.at_ms
            for job in self.graph.claimed_jobs_until(claim.folder, claim.at_ms):
                if later_ms - job.at_ms >= PAUSE_MS or job in walked:
                    break
                walked.add(job)
                later_ms = job.at_ms
        self.add((job.position for job in walked), Why.SESSION, claimed=True)

    def add_alternatives(self) -> None:
        """Step (6). Only these choices: one that cleared a folder speaks of a thousand others besides."""
        concerned = {at for at, why in self.found.items() if why in (Why.PICTURE, Why.ANCESTOR)}
        choices = self._of_kind(self.graph.citing(concerned), {Kind.SELECTED, Kind.REJECTED})
        self.add(self.graph.cited_by(choices), Why.ALTERNATIVE)

    def add_citing(self) -> None:
        """Step (7)."""
        new = set(self.found)
        asked: set[Digest] = set()
        while new:
            given = {link.blob for link in self.graph.files_of(new) if link.blob is not None and link.given}
            given -= asked
            asked |= given
            same = self.graph.with_blobs(given, given=True) | self.graph.with_blobs(given, given=False)
            new = self.add(self.graph.citing(new) | same, Why.CITES)

    def _of_kind(self, positions: AbstractSet[int], kinds: AbstractSet[Kind]) -> set[int]:
        return {node.position for node in self.graph.nodes(positions) if node.kind in kinds}


def _latest_claim(made: Iterable[Node]) -> int | None:
    """Return the latest of the times of `made`, or None where one of them tells none."""
    times = [node.claimed_ms if node.means is Means.RECOVERED else node.recorded_ms for node in made]
    known = [time for time in times if time is not None]
    return max(known) if len(known) == len(times) else None


def _lineage(search: _Search, about: tuple[Picture, ...]) -> Lineage:
    graph = search.graph
    entries = list(graph.entries(search.found.keys()))
    withdrawn = find_withdrawals(entries)
    members = tuple(
        Member(
            entry=entry,
            why=search.found[entry.position],
            claimed=entry.position in search.claimed,
            withdrawn_by=withdrawn.get(entry.name, ()),
        )
        for entry in entries
    )
    ids = {entry.event.header.stream for entry in entries} - {None}
    streams = sorted((s for s in graph.streams({i for i in ids if i}) if not s.is_act), key=lambda s: s.id)
    return Lineage(
        rule=RULE,
        size=graph.size(),
        pictures=about,
        members=members,
        context=tuple(_context(graph, entries, streams, search.found.keys())),
        streams=tuple(streams),
    )


def _context(
    graph: Graph, entries: Collection[Entry], streams: Iterable[Stream], members: AbstractSet[int]
) -> Iterable[Entry]:
    """Yield who the actors are, how the streams drawn on opened, closed and broke, and second looks."""
    actors = {entry.event.header.actor for entry in entries} | {
        person.id
        for entry in entries
        for said in entry.statements(PartType.PEOPLE, People)
        for person in said.body.people
    }
    wanted = {position for stream in streams for position in stream.positions} | _second_looks(graph, entries)
    enrolments = graph.enrolments()
    for entry in graph.entries((wanted | enrolments) - members):
        if entry.position in wanted or _enrols(entry, actors):
            yield entry


def _second_looks(graph: Graph, entries: Iterable[Entry]) -> set[int]:
    """Return, for every job seen as it happened, the first look after it at each address of its tool.

    The history a look compares with forgets: a later look cannot speak for a job in the stead of the first.
    """
    jobs: dict[str, set[int]] = {}
    for entry in entries:
        tool = entry.event.header.source.tool
        if tool is not None and entry.kind in JOB_KINDS and entry.means in AT_THE_MOMENT:
            jobs.setdefault(tool, set()).add(entry.position)
    return {look for tool, positions in jobs.items() for look in graph.looks_after(tool, positions)}


def _enrols(entry: Entry, actors: AbstractSet[str | None]) -> bool:
    """Tell whether an `enrolled` event is the log's own, names one of `actors`, or might."""
    people = entry.statements(PartType.PEOPLE, People)
    silent = bool(entry.silent(PartType.PEOPLE))
    return (
        entry.means is Means.OWN or silent or any(p.id in actors for said in people for p in said.body.people)
    )
