"""The graph of a log as it was at an earlier size, so that a package can be made again later."""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from makingof.digest import Digest
from makingof.lineage.entry import Entry
from makingof.lineage.graph import FolderClaim, Graph, Node, Stream
from makingof.lineage.links import FileLink


@dataclass(frozen=True, slots=True)
class PrefixGraph:
    """Answers as `graph` did when the log had `limit` entries."""

    graph: Graph
    limit: int

    def size(self) -> int:
        return min(self.limit, self.graph.size())

    def nodes(self, positions: AbstractSet[int]) -> Iterable[Node]:
        return self.graph.nodes(self._early(positions))

    def entries(self, positions: AbstractSet[int]) -> Iterator[Entry]:
        return self.graph.entries(self._early(positions))

    def named(self, names: AbstractSet[Digest]) -> AbstractSet[int]:
        return self._early(self.graph.named(names))

    def with_files(self, parts: AbstractSet[Digest]) -> AbstractSet[int]:
        return self._early(self.graph.with_files(parts))

    def files_of(self, positions: AbstractSet[int]) -> Iterable[FileLink]:
        return self.graph.files_of(self._early(positions))

    def with_blobs(self, blobs: AbstractSet[Digest], *, given: bool) -> AbstractSet[int]:
        return self._early(self.graph.with_blobs(blobs, given=given))

    def cited_by(self, positions: AbstractSet[int]) -> AbstractSet[int]:
        return self._early(self.graph.cited_by(self._early(positions)))

    def citing(self, positions: AbstractSet[int]) -> AbstractSet[int]:
        return self._early(self.graph.citing(self._early(positions)))

    def sharing_job(self, positions: AbstractSet[int]) -> AbstractSet[int]:
        return self._early(self.graph.sharing_job(self._early(positions)))

    def project_jobs(self, project: Digest) -> Iterable[Node]:
        return [node for node in self.graph.project_jobs(project) if node.position < self.limit]

    def jobs_until(self, position: int) -> Iterator[Node]:
        return (node for node in self.graph.jobs_until(position) if node.position < self.limit)

    def claims(self, positions: AbstractSet[int]) -> Iterable[FolderClaim]:
        return self.graph.claims(self._early(positions))

    def claimed_jobs_until(self, folder: str, at_ms: int) -> Iterator[FolderClaim]:
        return (
            claim for claim in self.graph.claimed_jobs_until(folder, at_ms) if claim.position < self.limit
        )

    def streams(self, ids: AbstractSet[str]) -> Iterable[Stream]:
        return [self._cut(stream) for stream in self.graph.streams(ids)]

    def enrolments(self) -> AbstractSet[int]:
        return self._early(self.graph.enrolments())

    def looks_after(self, tool: str, positions: AbstractSet[int]) -> AbstractSet[int]:
        return self._early(self.graph.looks_after(tool, self._early(positions)))

    def _cut(self, stream: Stream) -> Stream:
        """Forget where the stream went on; the counts are not asked for when a package is made."""
        return replace(
            stream,
            opened=self._kept(stream.opened),
            closed=self._kept(stream.closed),
            gaps=tuple(position for position in stream.gaps if position < self.limit),
        )

    def _kept(self, position: int | None) -> int | None:
        return position if position is not None and position < self.limit else None

    def _early(self, positions: AbstractSet[int]) -> set[int]:
        return {position for position in positions if position < self.limit}
