"""Blobs in memory: for verifying a package without an archive, and for tests."""

from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from makingof.digest import Digest
from makingof.errors import CorruptBlobError, SourceError
from makingof.store.base import Failure, Progress, Stored, corrupt, missing
from makingof.store.source_file import SourceFile, plain_stream_source, read_steadily, unreadable


class MemoryStore:
    """A blob store that is gone with the process; durable only in the sense that nothing outlives it."""

    def __init__(self) -> None:
        self._blobs: dict[Digest, bytes] = {}

    def put(self, data: bytes) -> Digest:
        return self._keep(bytes(data)).digest

    def put_file(self, source: BinaryIO | Path) -> Stored:
        if isinstance(source, Path):
            return read_steadily(source, self._take)
        try:
            plain = plain_stream_source(source)
            start = source.tell() if plain else 0
            data = source.read()
        except OSError as err:
            raise unreadable(getattr(source, "name", source), err) from err
        if plain:
            plain.require_unchanged(start + len(data))
        return self._keep(data, plain)

    def put_many(self, paths: Iterable[Path], progress: Progress | None = None) -> Iterator[Stored | Failure]:
        for path in paths:
            try:
                stored = self.put_file(path)
            except (SourceError, CorruptBlobError) as err:
                yield Failure(path, err)
                continue
            if progress:
                progress(path, stored.size_bytes)
            yield stored

    def open(self, digest: Digest) -> BinaryIO:
        return BytesIO(self._bytes(digest))

    def read(self, digest: Digest) -> bytes:
        self.verify(digest)
        return self._bytes(digest)

    def has(self, digest: Digest) -> bool:
        return Digest.parse(digest) in self._blobs

    def size(self, digest: Digest) -> int:
        return len(self._bytes(digest))

    def verify(self, digest: Digest) -> None:
        found = Digest.of(self._bytes(digest))
        if found != digest:
            raise corrupt(digest, found)

    def remove(self, digest: Digest) -> None:
        self._blobs.pop(Digest.parse(digest), None)

    def iter_digests(self) -> Iterator[Digest]:
        yield from sorted(self._blobs)

    def _take(self, source: SourceFile) -> Stored:
        data = source.stream.read()
        source.require_unchanged(len(data))
        return self._keep(data, source)

    def _keep(self, data: bytes, source: SourceFile | None = None) -> Stored:
        digest = Digest.of(data)
        is_new = digest not in self._blobs
        if is_new:
            self._blobs[digest] = data
        self.verify(digest)
        path, modified_ns = (source.path, source.modified_ns) if source else (None, None)
        return Stored(digest, len(data), is_new=is_new, path=path, modified_ns=modified_ns)

    def _bytes(self, digest: Digest) -> bytes:
        try:
            return self._blobs[Digest.parse(digest)]
        except KeyError:
            raise missing(digest) from None
