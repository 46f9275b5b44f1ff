"""Graph: what the lineage rule asks of a record, whether it lies in an index or in a package.

Questions and answers are sets of positions, so that a chain of ten thousand
events costs as many questions as it has links, not as it has events. No
answer depends on which events were asked about before.
"""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Protocol

from makingof.digest import Digest
from makingof.event import Kind
from makingof.lineage.entry import Entry
from makingof.lineage.links import FileLink
from makingof.part import Means


@dataclass(frozen=True, slots=True)
class Node:
    """An event as far as the rule needs it.

    `claimed_ms` is when a `recovered` event was made by its own word, the earliest
    where it has several; None for all others and where it claims nothing.
    """

    position: int
    kind: Kind
    means: Means
    project: Digest | None
    stream: str | None
    recorded_ms: int
    claimed_ms: int | None


@dataclass(frozen=True, slots=True)
class FolderClaim:
    """A `recovered` event among those of its folder."""

    position: int
    folder: str
    at_ms: int
    is_job: bool


@dataclass(frozen=True, slots=True)
class Stream:
    """One run of one source, as far as it is seen here.

    `last` is the highest number known: seen, told at the close, or by a `pulse`.
    `missing` are the numbers up to it that were not seen, as (first, last) ranges.
    """

    id: str
    of: str | None  # import, watch, hook, page; None where no opening was seen
    opened: int | None  # position of the `opened` event
    closed: int | None
    last: int
    seen: int
    missing: tuple[tuple[int, int], ...]
    gaps: tuple[int, ...]  # positions of `gap` events about it

    @property
    def is_act(self) -> bool:
        """Whether this is a single act at the command line: number 0, never opened."""
        return self.opened is None and self.last == 0

    @property
    def positions(self) -> set[int]:
        """Where the events about the stream itself stand."""
        return {position for position in (self.opened, self.closed, *self.gaps) if position is not None}

    @property
    def missing_count(self) -> int:
        """How many numbers are missing."""
        return sum(last - first + 1 for first, last in self.missing)


class Graph(Protocol):
    """The events of a record and what they point at. Unknown positions, names and digests have no answer."""

    def size(self) -> int:
        """One more than the highest position known."""
        ...

    def nodes(self, positions: AbstractSet[int]) -> Iterable[Node]:
        """Return the events at `positions`."""
        ...

    def entries(self, positions: AbstractSet[int]) -> Iterator[Entry]:
        """Yield the events at `positions` with their parts, in log order."""
        ...

    def named(self, names: AbstractSet[Digest]) -> AbstractSet[int]:
        """Return the events of these names."""
        ...

    def with_files(self, parts: AbstractSet[Digest]) -> AbstractSet[int]:
        """Return the events these are file parts of."""
        ...

    def files_of(self, positions: AbstractSet[int]) -> Iterable[FileLink]:
        """Return the file parts of the events at `positions`."""
        ...

    def with_blobs(self, blobs: AbstractSet[Digest], *, given: bool) -> AbstractSet[int]:
        """Return the events that name these bytes as a file they gave or, else, as one they used."""
        ...

    def cited_by(self, positions: AbstractSet[int]) -> AbstractSet[int]:
        """Return the other events these cite, or a file part of which a part of theirs names."""
        ...

    def citing(self, positions: AbstractSet[int]) -> AbstractSet[int]:
        """Return the other events that cite these, or a part of which names a file part of theirs."""
        ...

    def sharing_job(self, positions: AbstractSet[int]) -> AbstractSet[int]:
        """Return the events of the same jobs, these included if they say their job."""
        ...

    def project_jobs(self, project: Digest) -> Iterable[Node]:
        """Return the jobs of a project."""
        ...

    def jobs_until(self, position: int) -> Iterator[Node]:
        """Yield the jobs seen as they happened, from `position` back."""
        ...

    def claims(self, positions: AbstractSet[int]) -> Iterable[FolderClaim]:
        """Return the folders and claimed times of the events at `positions`."""
        ...

    def claimed_jobs_until(self, folder: str, at_ms: int) -> Iterator[FolderClaim]:
        """Yield the recovered jobs of a folder, from those that claim `at_ms` back."""
        ...

    def streams(self, ids: AbstractSet[str]) -> Iterable[Stream]:
        """Return these streams."""
        ...

    def enrolments(self) -> AbstractSet[int]:
        """Return the events that enrolled people."""
        ...

    def looks_after(self, tool: str, positions: AbstractSet[int]) -> AbstractSet[int]:
        """Return, for each of `positions`, the first second look after it at each address of `tool`."""
        ...
