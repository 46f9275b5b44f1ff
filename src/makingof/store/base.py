"""What every blob store promises, whatever it keeps its blobs on.

    put(data)            → the name of the bytes, when they are durable
    put_many(paths)      → the same for many files, yielded in order, each durable when yielded
    read(name)           → the bytes, checked against the name
    verify(name)         → nothing, or CorruptBlobError

A blob is never changed. Putting what is there is a no-op; finding something
else under its name is a `CorruptBlobError` and changes nothing, because the
older copy may already be cited. `tests/contract/blob_store.py` holds every store to this.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from makingof.digest import Digest
from makingof.errors import CorruptBlobError, MakingofError, MissingBlobError
from makingof.texts import say

Progress = Callable[[Path, int], None]
"""Told of each file in order as it has been read, with its size in bytes; runs in the caller's thread."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A blob that is durable, and how it came in."""

    digest: Digest
    size_bytes: int
    is_new: bool  # False: these bytes were already there
    reflinked: bool = False  # shares its blocks with the source file
    path: Path | None = None  # the file it came from, as the caller named it
    modified_ns: int | None = None  # that file's own modification time when it was read: a claim


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that was not taken in, and why: a `SourceError`, or an `IntegrityError` of the blob there."""

    path: Path
    error: MakingofError


class BlobStore(Protocol):
    """Bytes, unchanged for ever, named by their SHA-256."""

    def put(self, data: bytes) -> Digest:
        """Store `data` and return its name.

        When `put` returns, the bytes are on disk: file and folder are both
        synced, so a log entry written next may point at them. A crash before
        that leaves at most a leftover, which `fsck` reports and nothing reads.
        """
        ...

    def put_file(self, source: BinaryIO | Path) -> Stored:
        """Store a file, or what is left of an open handle, hashing the very bytes that are stored.

        A file that changes while it is read, or whose path then names another
        file, is read again, and refused as `SourceError` if it goes on; an open
        handle that changes is refused at once. A change in place that leaves the size and happens within one
        tick of the file system's clock cannot be seen: the blob then holds what was read.
        """
        ...

    def put_many(self, paths: Iterable[Path], progress: Progress | None = None) -> Iterator[Stored | Failure]:
        """Store files, yielding each in the order of `paths` when it is durable.

        What cannot be read is yielded as a `Failure` and the rest goes on. A
        disk that refuses ends the run as `StorageError`, after everything
        durable before it was yielded. Blobs already there are recognised by
        name and size, not read: `verify` reads them.
        """
        ...

    def open(self, digest: Digest) -> BinaryIO:
        """Open a blob for reading, as it lies: the bytes are not checked against the name."""
        ...

    def read(self, digest: Digest) -> bytes:
        """Return a blob whose bytes were checked against the name."""
        ...

    def has(self, digest: Digest) -> bool:
        """Tell whether a blob of this name lies here; its bytes are not read."""
        ...

    def size(self, digest: Digest) -> int:
        """Return how many bytes lie under the name."""
        ...

    def verify(self, digest: Digest) -> None:
        """Read a blob and raise `CorruptBlobError` unless its bytes have this name, in bounded memory."""
        ...

    def remove(self, digest: Digest) -> None:
        """Take a blob away for good; one that is not there is no error, as erasing is applied anew."""
        ...

    def iter_digests(self) -> Iterator[Digest]:
        """Name every blob, in order."""
        ...


def corrupt(digest: Digest, found: object) -> CorruptBlobError:
    """Say that something else lies under a name: its digest, or in what it differs."""
    message = say("storage.blob_corrupt", digest=digest, found=found)
    return CorruptBlobError(message, hint=say("storage.blob_corrupt_hint"))


def missing(digest: Digest) -> MissingBlobError:
    """Say that nothing lies under a name."""
    message = say("storage.blob_missing", digest=digest)
    return MissingBlobError(message, hint=say("storage.blob_missing_hint"))
