"""Blobs as files: `blobs/ab/abcd…`, read-only, each named by its SHA-256.

Files come in through `blobs/incoming` under temporary names and are renamed when
synced, so a blob's name never shows half of it. Before a blob is acknowledged its
folder is synced, and the folder above, also where another process had put it
there: that one may have named a file or made a folder and not yet synced.
"""

import os
import re
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import datetime
from io import FileIO
from pathlib import Path
from stat import S_ISREG
from threading import Lock
from typing import BinaryIO

from makingof import durable
from makingof.digest import Digest
from makingof.errors import CorruptBlobError, IntegrityError, SourceError, StorageError
from makingof.store.base import Failure, Progress, Stored, corrupt, missing
from makingof.store.intake import Intake, Taken
from makingof.store.source_file import THREADS, in_order, read_steadily, unreadable
from makingof.system import System
from makingof.texts import say

_INCOMING = "incoming"
_SHARDS = tuple(f"{number:02x}" for number in range(256))
_NAME = re.compile(r"[0-9a-f]{64}")
_BATCH_FILES = 128
_BATCH_BYTES = 256 << 20

_Outcome = Taken | Failure | StorageError


class FileStore:
    """A blob store in one folder; several threads and processes may use it at once."""

    def __init__(self, folder: Path, *, system: System = durable.SYSTEM) -> None:
        """Nothing is read or made before it is needed: a read-only archive can be opened."""
        self._folder = system.spell(folder)
        self._incoming = self._folder / _INCOMING
        self._system = system
        self._intake = Intake(self._incoming, lies=self._lies, system=system)
        self._lock = Lock()
        self._safe_folders: set[Path] = set()  # known to this process to be on disk

    def put(self, data: bytes) -> Digest:
        digest = Digest.of(data)
        self._prepare()
        known = self._lies(digest, len(data))
        taken = Taken(digest, len(data), None if known else self._intake.stage(data))
        if not self._acknowledge(taken).is_new:
            self.verify(digest)  # these bytes are here now, should the older copy have rotted
        return digest

    def put_file(self, source: BinaryIO | Path) -> Stored:
        self._prepare()
        if isinstance(source, Path):
            return self._acknowledge(read_steadily(source, self._intake.take, system=self._system))
        try:
            return self._acknowledge(self._intake.take_stream(source))
        except OSError as err:
            raise unreadable(getattr(source, "name", source), err) from err

    def put_many(self, paths: Iterable[Path], progress: Progress | None = None) -> Iterator[Stored | Failure]:
        # While one batch gets its names and its folders are synced, the readers take in the next.
        self._prepare()
        with (
            ThreadPoolExecutor(THREADS) as readers,
            ThreadPoolExecutor(THREADS) as syncers,
            closing(in_order(readers, self._try_take, paths, dispose=_discard)) as outcomes,
            closing(_batches(outcomes, progress)) as batches,
        ):
            for batch in batches:
                yield from self._settle(batch, syncers)
                if isinstance(batch[-1], StorageError):
                    raise batch[-1]

    def open(self, digest: Digest) -> FileIO:
        self.size(digest)  # says so where nothing lies there, or no file
        path = self.blob_path(digest)
        with durable.explained(path, self._system):
            return durable.open_regular(path, system=self._system)

    def read(self, digest: Digest) -> bytes:
        with self.open(digest) as stream, durable.explained(self.blob_path(digest), self._system):
            data = stream.read()
        _require(digest, Digest.of(data))
        return data

    def has(self, digest: Digest) -> bool:
        return self._find_size(digest) is not None

    def size(self, digest: Digest) -> int:
        size_bytes = self._find_size(digest)
        if size_bytes is None:
            raise missing(digest)
        return size_bytes

    def verify(self, digest: Digest) -> None:
        with self.open(digest) as stream, durable.explained(self.blob_path(digest), self._system):
            found, _ = Digest.of_file(stream)
        _require(digest, found)

    def remove(self, digest: Digest) -> None:
        durable.remove(self.blob_path(digest), system=self._system)

    def iter_digests(self) -> Iterator[Digest]:
        for shard in _SHARDS:
            for name in self._names(self._folder / shard):
                if _is_blob(shard, name):
                    yield Digest.parse(f"sha256:{name}")

    def blob_path(self, digest: Digest) -> Path:
        """Return where the blob lies or would lie, always inside the store's folder."""
        name = Digest.parse(digest).hex  # a Digest made by force could spell ../
        return self._folder / name[:2] / name

    def iter_strays(self) -> Iterator[Path]:
        """Name everything in the folder that is neither a blob nor the store's own, for `fsck` to report."""
        for name in self._names(self._folder):
            path = self._folder / name
            if path.is_symlink() or not path.is_dir() or name not in {*_SHARDS, _INCOMING}:
                yield path
        for shard in _SHARDS:
            for name in self._names(self._folder / shard):
                path = self._folder / shard / name
                if not _is_blob(shard, name) or path.is_symlink() or not path.is_file():
                    yield path

    def leftovers(self) -> list[Path]:
        """List what stands in `incoming`: left by a crash, or in use by a process that runs."""
        return [self._incoming / name for name in self._names(self._incoming)]

    def remove_leftovers(self, *, before: datetime) -> list[Path]:
        """Remove what in `incoming` was last written before the moment given, and return it.

        Give an hour ago: no running import leaves a file there that long. Should
        one have, it fails and can be repeated; nothing acknowledged lies there.
        """
        removed = []
        for path in self.leftovers():
            with durable.explained(path, self._system):
                is_old = path.lstat().st_mtime < before.timestamp()
            if is_old:
                durable.remove(path, system=self._system)
                removed.append(path)
        return removed

    def _prepare(self) -> None:
        with self._lock:
            if self._incoming not in self._safe_folders:
                durable.make_folders(self._folder, system=self._system)
                self._make_safe({self._incoming})

    def _prepare_shards(self, digests: Iterable[Digest]) -> None:
        """Make the folders of these blobs, with one sync for all, unless they are known to be on disk."""
        with self._lock:
            shards = {self.blob_path(digest).parent for digest in digests} - self._safe_folders
            if shards:
                self._make_safe(shards)

    def _make_safe(self, folders: set[Path]) -> None:
        with durable.explained(self._folder, self._system):
            for path in sorted(folders):
                self._require_folder(path)
            # Also where all were there: the process that made them may not have synced yet.
            self._system.sync_folder(self._folder)
        self._safe_folders |= folders

    def _require_folder(self, path: Path) -> None:
        if not path.is_dir():
            with suppress(FileExistsError):
                self._system.make_folder(path, 0o700)
        if path.is_symlink() or not path.is_dir():  # a planted link would lead blobs out of the store
            raise StorageError(say("storage.not_a_folder", path=path))

    def _try_take(self, path: Path) -> _Outcome:
        """Take one file; errors are values, so that what came before them is still acknowledged."""
        try:
            return read_steadily(path, self._intake.take, system=self._system)
        except StorageError as err:
            return err
        except (SourceError, CorruptBlobError) as err:
            return Failure(path, err)

    def _settle(self, batch: list[_Outcome], syncers: Executor) -> list[Stored | Failure]:
        """Give a batch its names, then sync each folder once; what is returned is durable."""
        try:
            self._prepare_shards(item.digest for item in batch if isinstance(item, Taken))
            placed = [self._try_place(item) for item in batch if not isinstance(item, StorageError)]
        except BaseException:
            for item in batch:
                _discard(item)
            raise
        shards = {self.blob_path(item.digest).parent for item in placed if isinstance(item, Stored)}
        for _ in syncers.map(self._sync_shard, shards):
            pass
        return placed

    def _acknowledge(self, taken: Taken) -> Stored:
        try:
            self._prepare_shards([taken.digest])
            stored = self._place(taken)
        finally:
            taken.discard()
        self._sync_shard(self.blob_path(taken.digest).parent)
        return stored

    def _try_place(self, item: Taken | Failure) -> Stored | Failure:
        if isinstance(item, Failure):
            return item
        try:
            return self._place(item)
        except IntegrityError as err:
            item.discard()
            assert item.path  # noqa: S101 - put_many takes paths only
            return Failure(item.path, err)

    def _place(self, taken: Taken) -> Stored:
        staged = taken.staged
        is_new = staged is not None and staged.place_new(self.blob_path(taken.digest))
        if not is_new:
            taken.discard()
            if not self._lies(taken.digest, taken.size_bytes):
                raise missing(taken.digest)  # erased by another process since it was looked for
        return Stored(
            taken.digest,
            taken.size_bytes,
            is_new=is_new,
            reflinked=is_new and staged is not None and staged.reflinked,
            path=taken.path,
            modified_ns=taken.modified_ns,
        )

    def _sync_shard(self, path: Path) -> None:
        durable.sync_folder(path, system=self._system)

    def _lies(self, digest: Digest, size_bytes: int) -> bool:
        """Tell whether the blob is here, by name and size; another size is corruption."""
        found = self._find_size(digest)
        if found not in {None, size_bytes}:
            raise corrupt(digest, say("storage.found_size", found=found, expected=size_bytes))
        return found is not None

    def _find_size(self, digest: Digest) -> int | None:
        path = self.blob_path(digest)
        with durable.explained(path, self._system):
            try:
                status = path.lstat()
            except FileNotFoundError:
                return None
        if not S_ISREG(status.st_mode):
            raise corrupt(digest, say("storage.found_no_file"))
        return status.st_size

    def _names(self, folder: Path) -> list[str]:
        if folder.is_symlink() or not folder.is_dir():
            return []
        with durable.explained(folder, self._system), os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries)


def _batches(outcomes: Iterable[_Outcome], progress: Progress | None) -> Generator[list[_Outcome]]:
    """Group what was read into batches worth one sync of the folders; a refused write ends its batch."""
    batch: list[_Outcome] = []
    size_bytes = 0
    try:
        for outcome in outcomes:
            batch.append(outcome)
            if isinstance(outcome, Taken):
                size_bytes += outcome.size_bytes
                if progress and outcome.path:
                    progress(outcome.path, outcome.size_bytes)
            if len(batch) == _BATCH_FILES or size_bytes >= _BATCH_BYTES or isinstance(outcome, StorageError):
                ready, batch, size_bytes = batch, [], 0
                yield ready
        if batch:
            ready, batch = batch, []
            yield ready
    finally:
        for outcome in batch:
            _discard(outcome)


def _discard(outcome: _Outcome) -> None:
    if isinstance(outcome, Taken):
        outcome.discard()


def _is_blob(shard: str, name: str) -> bool:
    return _NAME.fullmatch(name) is not None and name.startswith(shard)


def _require(digest: Digest, found: Digest) -> None:
    if found != digest:
        raise corrupt(digest, found)
