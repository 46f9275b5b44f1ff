"""What the index reads of a log."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from makingof.tlog.reader import StoredEntry, StoredPart


class FollowedLog(Protocol):
    """What the index reads of a log."""

    def size(self) -> int:
        """Count the entries committed."""
        ...

    def leaf(self, index: int) -> bytes:
        """Return the leaf hash of one entry."""
        ...

    def entries(self, start: int, end: int) -> Iterator[StoredEntry]:
        """Yield the entries `[start, end)` in order."""
        ...

    def parts_between(self, start: int, end: int) -> Mapping[int, Sequence[StoredPart]]:
        """Return the parts of the entries `[start, end)`, the erased ones without bytes, by entry."""
        ...


class ReadableLog(FollowedLog, Protocol):
    """What the graph reads of a log."""

    def entry(self, index: int) -> bytes:
        """Return the bytes of one entry."""
        ...

    def parts(self, index: int) -> tuple[StoredPart, ...]:
        """Return the parts of one entry, the erased ones without bytes."""
        ...
