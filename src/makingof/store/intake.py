"""Reading files that come in: each is named, and staged beside the store unless its bytes lie there."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from makingof import durable
from makingof.digest import Digest
from makingof.durable import READ_ONLY, Staged
from makingof.store.source_file import IN_MEMORY_BYTES, SourceFile, plain_stream_source
from makingof.system import System


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that was read; `staged` holds its bytes, synced, or is None where the store has them."""

    digest: Digest
    size_bytes: int
    staged: Staged | None
    path: Path | None = None
    modified_ns: int | None = None

    def discard(self) -> None:
        """Give the file up, if it is staged and has no name yet."""
        if self.staged:
            self.staged.discard()


class Intake:
    """The way in to one store; safe to use from several threads."""

    def __init__(self, folder: Path, *, lies: Callable[[Digest, int], bool], system: System) -> None:
        """`folder` takes the staged files; `lies` tells whether the store has a digest of a size."""
        self._folder = folder
        self._lies = lies
        self._system = system
        self._copying_devices: set[int] = set()  # file systems from which nothing can be reflinked

    def take(self, source: SourceFile) -> Taken:
        """Read an unread file; a change meanwhile is a `ChangedError`."""
        staged = self._clone(source)
        if staged:
            return self._taken_clone(staged, source)
        if source.size_bytes < IN_MEMORY_BYTES:
            return self._take_small(source)
        return self._take_large(source)

    def take_stream(self, stream: BinaryIO) -> Taken:
        """Read what is left of a stream; one that is an open plain file must not change meanwhile."""
        source = plain_stream_source(stream)
        start = stream.tell() if source else 0
        if source and start == 0:
            return self.take(source)
        with self._stage() as staged:
            digest, size_bytes = staged.write_from(stream)
            if source:
                source.require_unchanged(start + size_bytes)
            return self._kept(staged, digest, size_bytes, source)

    def stage(self, data: bytes | memoryview) -> Staged:
        """Write `data` under a temporary name and sync it."""
        with self._stage() as staged:
            staged.write(data)
            staged.sync()
            return staged.keep()

    def _take_small(self, source: SourceFile) -> Taken:
        data = source.read_whole()
        source.require_unchanged(len(data))
        digest = Digest.of(data)
        staged = None if self._lies(digest, len(data)) else self.stage(data)
        return Taken(digest, len(data), staged, source.path, source.modified_ns)

    def _take_large(self, source: SourceFile) -> Taken:
        # Read twice, so that bytes the store has need no room on the disk.
        digest, size_bytes = Digest.of_file(source.stream)
        source.require_unchanged(size_bytes)
        if self._lies(digest, size_bytes):
            return Taken(digest, size_bytes, None, source.path, source.modified_ns)
        source.stream.seek(0)
        with self._stage() as staged:
            digest, size_bytes = staged.write_from(source.stream)
            source.require_unchanged(size_bytes)
            return self._kept(staged, digest, size_bytes, source)

    def _taken_clone(self, clone: Staged, source: SourceFile) -> Taken:
        with clone as staged:
            digest, size_bytes = staged.digest()
            source.require_unchanged(size_bytes)
            return self._kept(staged, digest, size_bytes, source)

    def _kept(self, staged: Staged, digest: Digest, size_bytes: int, source: SourceFile | None) -> Taken:
        path = source.path if source else None
        modified_ns = source.modified_ns if source else None
        if self._lies(digest, size_bytes):
            return Taken(digest, size_bytes, None, path, modified_ns)
        staged.sync()
        return Taken(digest, size_bytes, staged.keep(), path, modified_ns)

    def _clone(self, source: SourceFile) -> Staged | None:
        if source.device in self._copying_devices:
            return None
        handle = source.stream.fileno()
        staged = durable.stage_clone(handle, self._folder, mode=READ_ONLY, system=self._system)
        if staged is None:
            self._copying_devices.add(source.device)
        return staged

    def _stage(self) -> Staged:
        return durable.stage(self._folder, mode=READ_ONLY, system=self._system)
