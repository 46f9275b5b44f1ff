"""A graph over entries held in memory: a package, or a short log."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import TypeVar

from makingof.clock import milliseconds
from makingof.digest import Digest
from makingof.errors import MalformedError
from makingof.event import Kind
from makingof.lineage.entry import Entry
from makingof.lineage.graph import FolderClaim, Node, Stream
from makingof.lineage.links import AT_THE_MOMENT, JOB_KINDS, FileLink, claimed_ms, links_of
from makingof.lineage.second_looks import second_looks
from makingof.lineage.streams import StreamFact, make_stream, stream_facts

_Key = TypeVar("_Key", bound=Hashable)


class MemoryGraph:
    """What the rule asks, answered from `entries` in any order; two at one position are refused."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._entries: dict[int, Entry] = {}
        self._nodes: dict[int, Node] = {}
        self._by_name: dict[Digest, set[int]] = defaultdict(set)
        self._files: dict[int, tuple[FileLink, ...]] = {}
        self._by_file: dict[Digest, set[int]] = defaultdict(set)
        self._by_blob: dict[tuple[Digest, bool], set[int]] = defaultdict(set)
        self._pointing: dict[Digest, set[int]] = defaultdict(set)  # event or file part → who points at it
        self._pointed: dict[int, set[Digest]] = {}
        self._jobs: dict[int, set[tuple[str, str]]] = {}
        self._by_job: dict[tuple[str, str], set[int]] = defaultdict(set)
        self._claims: dict[int, set[FolderClaim]] = {}
        self._facts: dict[str, list[StreamFact]] = defaultdict(list)
        self._numbers: dict[str, set[int]] = defaultdict(set)
        self._project_jobs: dict[Digest, list[Node]] = defaultdict(list)
        self._session_jobs: list[Node] = []
        self._folder_jobs: dict[str, list[FolderClaim]] = defaultdict(list)
        self._looks: dict[tuple[str, str], list[int]] = defaultdict(
            list
        )  # tool and address → positions, rising
        for entry in sorted(entries, key=lambda entry: entry.position):
            self._add(entry)
        self._sort_jobs()

    def _add(self, entry: Entry) -> None:
        links = links_of(entry)
        position, header = entry.position, entry.event.header
        if position in self._entries:
            message = f"two entries stand at position {position}"
            raise MalformedError(message)
        self._entries[position] = entry
        self._by_name[entry.name].add(position)
        self._files[position] = links.files
        for link in links.files:
            self._by_file[link.part].add(position)
            if link.blob is not None:
                self._by_blob[link.blob, link.given].add(position)
        self._pointed[position] = {*header.cites, *(naming.file for naming in links.namings)}
        for target in self._pointed[position]:
            self._pointing[target].add(position)
        self._jobs[position] = {(job.tool, job.id) for job in links.jobs}
        for job in self._jobs[position]:
            self._by_job[job].add(position)
        self._nodes[position] = Node(
            position=position,
            kind=entry.kind,
            means=entry.means,
            project=header.project,
            stream=header.stream,
            recorded_ms=milliseconds(header.recorded_at),
            claimed_ms=claimed_ms(entry, links),
        )
        is_job = entry.kind in JOB_KINDS
        self._claims[position] = {
            FolderClaim(position, claim.folder, claim.at_ms, is_job)
            for claim in links.claims
            if claim.folder is not None
        }
        for fact in stream_facts(entry):
            self._facts[fact.stream].append(fact)
        for found in second_looks(entry):
            self._looks[found.look.tool, found.look.url].append(position)
        if header.stream is not None and header.seq is not None:
            self._numbers[header.stream].add(header.seq)

    def _sort_jobs(self) -> None:
        for node in self._nodes.values():
            if node.kind in JOB_KINDS and node.project is not None:
                self._project_jobs[node.project].append(node)
            if node.kind in JOB_KINDS and node.means in AT_THE_MOMENT:
                self._session_jobs.append(node)
        for claims in self._claims.values():
            for claim in claims:
                if claim.is_job:
                    self._folder_jobs[claim.folder].append(claim)
        for jobs in self._folder_jobs.values():
            jobs.sort(key=_in_time)

    def size(self) -> int:
        return max(self._entries, default=-1) + 1

    def nodes(self, positions: AbstractSet[int]) -> Iterable[Node]:
        return [self._nodes[position] for position in positions if position in self._nodes]

    def entries(self, positions: AbstractSet[int]) -> Iterator[Entry]:
        return (self._entries[position] for position in sorted(positions) if position in self._entries)

    def named(self, names: AbstractSet[Digest]) -> AbstractSet[int]:
        return _union(self._by_name, names)

    def with_files(self, parts: AbstractSet[Digest]) -> AbstractSet[int]:
        return _union(self._by_file, parts)

    def files_of(self, positions: AbstractSet[int]) -> Iterable[FileLink]:
        return [link for position in positions for link in self._files.get(position, ())]

    def with_blobs(self, blobs: AbstractSet[Digest], *, given: bool) -> AbstractSet[int]:
        return _union(self._by_blob, ((blob, given) for blob in blobs))

    def cited_by(self, positions: AbstractSet[int]) -> AbstractSet[int]:
        targets = {target for position in positions for target in self._pointed.get(position, ())}
        return (self.named(targets) | self.with_files(targets)) - positions

    def citing(self, positions: AbstractSet[int]) -> AbstractSet[int]:
        names = [self._entries[position].name for position in positions if position in self._entries]
        files = [link.part for link in self.files_of(positions)]
        return _union(self._pointing, (*names, *files)) - positions

    def sharing_job(self, positions: AbstractSet[int]) -> AbstractSet[int]:
        return _union(self._by_job, {job for position in positions for job in self._jobs.get(position, ())})

    def project_jobs(self, project: Digest) -> Iterable[Node]:
        return self._project_jobs.get(project, ())

    def jobs_until(self, position: int) -> Iterator[Node]:
        end = bisect_right(self._session_jobs, position, key=lambda node: node.position)
        return (self._session_jobs[index] for index in range(end - 1, -1, -1))

    def claims(self, positions: AbstractSet[int]) -> Iterable[FolderClaim]:
        return [claim for position in positions for claim in self._claims.get(position, ())]

    def claimed_jobs_until(self, folder: str, at_ms: int) -> Iterator[FolderClaim]:
        jobs = self._folder_jobs.get(folder, [])
        end = bisect_right(jobs, at_ms, key=lambda claim: claim.at_ms)
        return (jobs[index] for index in range(end - 1, -1, -1))

    def streams(self, ids: AbstractSet[str]) -> Iterable[Stream]:
        return [make_stream(i, self._facts.get(i, ()), sorted(self._numbers.get(i, ()))) for i in ids]

    def enrolments(self) -> AbstractSet[int]:
        return {node.position for node in self._nodes.values() if node.kind is Kind.ENROLLED}

    def looks_after(self, tool: str, positions: AbstractSet[int]) -> AbstractSet[int]:
        addresses = [looks for (name, _), looks in self._looks.items() if name == tool]
        firsts = [(looks, bisect_right(looks, position)) for looks in addresses for position in positions]
        return {looks[first] for looks, first in firsts if first < len(looks)}


def _in_time(claim: FolderClaim) -> tuple[int, int]:
    return claim.at_ms, claim.position


def _union(found: Mapping[_Key, AbstractSet[int]], keys: Iterable[_Key]) -> set[int]:
    """Return every position found under one of `keys`; asking must not add to a defaultdict."""
    return {position for key in keys for position in found.get(key, ())}
