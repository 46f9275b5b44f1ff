"""Files that are not ours: read through one open handle, and refused if they changed meanwhile.

Nothing here writes, locks or touches such a file, and opening it never waits
for or hinders the program that writes it.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from io import BufferedReader, FileIO
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Generic, Self, TypeVar

from makingof import durable
from makingof.digest import Digest
from makingof.errors import SourceError
from makingof.store.base import Failure, Progress
from makingof.system import System
from makingof.texts import say

THREADS = 8  # while some wait for the disk, the others hash
IN_MEMORY_BYTES = 8 << 20  # a file up to this is read whole, a larger one piece by piece
_ATTEMPTS = 3
_AHEAD = 128

Item = TypeVar("Item")
Result = TypeVar("Result")
Seen = TypeVar("Seen")


class ChangedError(SourceError):
    """The file changed while it was read; reading again may help."""

    def __init__(self, path: object) -> None:
        super().__init__(say("storage.source_changed", path=path), hint=say("storage.source_changed_hint"))


class SourceFile:
    """One file, open for reading once; `require_unchanged` says whether what was read is one state of it."""

    def __init__(self, stream: FileIO | BufferedReader, path: Path | None) -> None:
        self.stream = stream
        self.path = path
        self._before = os.fstat(stream.fileno())

    @classmethod
    def open(cls, path: Path, *, system: System = durable.SYSTEM) -> Self:
        """Open `path`, through links; what is no plain file or cannot be opened is a `SourceError`."""
        try:
            return cls(durable.open_regular(path, follow_links=True, system=system), path)
        except OSError as err:
            raise unreadable(path, err) from err

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stream.close()

    @property
    def size_bytes(self) -> int:
        """The size when it was opened."""
        return self._before.st_size

    @property
    def modified_ns(self) -> int:
        """The file's own modification time when it was opened."""
        return self._before.st_mtime_ns

    @property
    def device(self) -> int:
        """The file system it lies on."""
        return self._before.st_dev

    def read_whole(self) -> memoryview:
        """Read a small file from its start; the view is good until this thread reads again."""
        buffer = _buffer(self.size_bytes + 1)  # one more: a file that grew shows itself
        return buffer[: _fill(self.stream, buffer)]

    def require_unchanged(self, read_bytes: int) -> None:
        """Raise `ChangedError` unless `read_bytes` is its size, as when opened, and its path still names it.

        A file deleted meanwhile has not changed: what was read is whole, and all there is.
        """
        after = os.fstat(self.stream.fileno())
        if _state(after) != _state(self._before) or read_bytes != self._before.st_size:
            raise ChangedError(self.path or "file")
        if self.path is None:
            return
        with suppress(FileNotFoundError):
            at_path = self.path.stat()
            if (at_path.st_dev, at_path.st_ino) != (after.st_dev, after.st_ino):
                raise ChangedError(self.path)


@dataclass(frozen=True, slots=True)
class Hashed(Generic[Seen]):
    """A file left where it is: what its bytes were called when they were read through one handle."""

    path: Path
    digest: Digest
    size_bytes: int
    modified_ns: int | None  # the file's own claim
    seen: Seen  # what `look` made of the same bytes


def hash_many(
    paths: Iterable[Path], look: Callable[[BinaryIO, Path], Seen], progress: Progress | None = None
) -> Iterator[Hashed[Seen] | Failure]:
    """Hash files in parallel and in order, storing nothing; what cannot be read is a `Failure`.

    `look` is given each file's open handle, from its beginning, and path, and runs in a worker
    thread: what it returns is about the very bytes that were hashed.
    """
    with (
        ThreadPoolExecutor(THREADS) as pool,
        closing(in_order(pool, lambda path: _hash_one(path, look), paths)) as results,
    ):
        for result in results:
            if progress and isinstance(result, Hashed):
                progress(result.path, result.size_bytes)
            yield result


def _hash_one(path: Path, look: Callable[[BinaryIO, Path], Seen]) -> Hashed[Seen] | Failure:
    def hash_opened(source: SourceFile) -> Hashed[Seen]:
        digest, size_bytes = Digest.of_file(source.stream)
        source.stream.seek(0)
        seen = look(source.stream, path)
        source.require_unchanged(size_bytes)
        return Hashed(path, digest, size_bytes, source.modified_ns, seen)

    try:
        return read_steadily(path, hash_opened)
    except SourceError as err:
        return Failure(path, err)


def read_steadily(
    path: Path, read: Callable[[SourceFile], Result], *, system: System = durable.SYSTEM
) -> Result:
    """Open `path` and apply `read`, again from a fresh handle if the file changed, three times in all."""
    for _ in range(_ATTEMPTS - 1):
        with suppress(ChangedError):
            return _read_once(path, read, system)
    return _read_once(path, read, system)


def _read_once(path: Path, read: Callable[[SourceFile], Result], system: System) -> Result:
    with SourceFile.open(path, system=system) as source:
        try:
            return read(source)
        except OSError as err:
            raise unreadable(path, err) from err


_own = threading.local()


def _buffer(size_bytes: int) -> memoryview:
    """Return this thread's buffer: new memory for every file would cost more than hashing it."""
    buffer: bytearray = getattr(_own, "buffer", bytearray())
    if len(buffer) < size_bytes:
        buffer = _own.buffer = bytearray(size_bytes)
    return memoryview(buffer)[:size_bytes]


def _fill(file: FileIO | BufferedReader, buffer: memoryview) -> int:
    filled = 0
    while count := file.readinto(buffer[filled:]):
        filled += count
    return filled


def _state(status: os.stat_result) -> tuple[int, int]:
    # Not the change time: deleting the file, or a backup linking to it, moves that.
    return status.st_size, status.st_mtime_ns


def unreadable(path: object, err: OSError) -> SourceError:
    """Say why a file that is not ours could not be read."""
    return SourceError(say("storage.source_unreadable", path=path, reason=err.strerror or str(err)))


def plain_stream_source(stream: BinaryIO) -> SourceFile | None:
    """Watch an open plain file for changes; None for other streams, which cannot tell."""
    match stream:
        case FileIO() if type(stream) is FileIO:
            return SourceFile(stream, None)
        case BufferedReader() if type(stream) is BufferedReader and type(stream.raw) is FileIO:
            return SourceFile(stream, None)
        case _:
            return None


def in_order(
    pool: Executor,
    work: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    dispose: Callable[[Result], None] = lambda _result: None,
) -> Generator[Result]:
    """Yield `work(item)` for each item, in order, while the pool runs some ahead.

    When the generator is closed early, results that were made and not yielded go to `dispose`.
    """
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) >= _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            if not future.cancel() and future.exception() is None:
                dispose(future.result())
