"""All durable file work: once a function here has returned, a power cut takes nothing of it back.

A file is written under a temporary name, synced, given its name in one rename,
and then the folder is synced. A name therefore never shows half a file, and a
crash leaves at most a file that `is_temporary` recognises. The order matters:
a rename synced before the bytes would survive a power cut as an empty file.

Refusals of the disk (full, read-only, no permission) are `StorageError` with
what to do; after one, nothing of the call counts as written, though a file whose
folder could not be synced may be there, whole. Other platforms' ways live in `system`.
"""

import errno
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader, FileIO
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from makingof.digest import Digest
from makingof.errors import StorageError, UsageError
from makingof.system import System, this_system
from makingof.texts import say

PRIVATE = 0o600  # keys, settings: for their owner alone
READ_ONLY = 0o444  # what must never change; the process's umask still applies
SHARED = 0o666  # what a person asked for, such as a package; as the umask says

SYSTEM = this_system()

_PRIVATE_FOLDER = 0o700
_READ_BYTES = 1 << 20
_ATTEMPTS = 8  # waits two and a half seconds in all: virus scanners hold new files that long
_TEMPORARY = re.compile(r"\.makingof-[0-9a-f]{16}\.tmp")
_DEVICE = re.compile(r"(?i)(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\..*)?")
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]|[. ]$')
_REFUSALS = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "quota",
    errno.EROFS: "read_only",
    errno.EACCES: "denied",
    errno.EPERM: "denied",
    errno.EFBIG: "too_large",
    errno.ENAMETOOLONG: "name_too_long",
    errno.ENOENT: "vanished",
    errno.ENOTDIR: "vanished",
    errno.ENODEV: "vanished",
    errno.ESTALE: "vanished",
    errno.EIO: "broken",
    errno.EBUSY: "busy",
    errno.ETXTBSY: "busy",
    errno.EMFILE: "too_many_open",
    errno.ENFILE: "too_many_open",
}


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy holds: the name and size of the bytes as written, and whether it shares blocks."""

    digest: Digest
    size_bytes: int
    reflinked: bool


class Staged:
    """A new file under a temporary name; leaving its `with` block unplaced removes it.

    `write`, `sync`, then `place_new` or `place_over`, then `sync_folder` of the
    target's folder: only then is it durable. Many staged files can share that last sync.
    Other code may write the file through `path`; `sync` covers its bytes too.
    """

    def __init__(self, path: Path, handle: int, *, system: System, reflinked: bool) -> None:
        self.path = path
        self.reflinked = reflinked
        self._handle: int | None = handle
        self._system = system
        self._done = False  # placed or removed
        self._kept = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._kept and kind is None:
            self._kept = False
            return
        self.discard()

    def write(self, data: bytes | memoryview) -> None:
        """Append `data`."""
        with explained(self.path, self._system):
            self._system.write(self._open_handle(), data)

    def write_from(self, source: BinaryIO) -> tuple[Digest, int]:
        """Append the rest of `source`; return the digest and size of what was written."""
        return Digest.of_stream(_Tee(source, self))  # type: ignore[arg-type]

    def digest(self) -> tuple[Digest, int]:
        """Read the file back: name and size of the bytes it holds."""
        with explained(self.path, self._system), FileIO(self._open_handle(), closefd=False) as file:
            file.seek(0)
            return Digest.of_file(file)

    def sync(self) -> None:
        """Put the bytes on the medium and close; the name is not there yet."""
        with explained(self.path, self._system):
            handle = self._open_handle()
            self._system.sync_file(handle)
            self._close()  # before renaming: Windows renames no open file

    def place_new(self, target: Path) -> bool:
        """Give the file its name, or return False and change nothing where `target` exists."""
        target = _usable(target, self._system)
        try:
            with explained(target, self._system):
                _patiently(self._system, lambda: self._system.rename_new(self.path, target))
        except FileExistsError:
            return False
        self._done = True
        return True

    def place_over(self, target: Path) -> None:
        """Give the file its name in place of what `target` held, at one instant for every reader."""
        target = _usable(target, self._system)
        with explained(target, self._system):
            _patiently(self._system, lambda: self._system.replace(self.path, target), blocked_by=target)
        self._done = True

    def keep(self) -> Self:
        """Let the file outlive its `with` block, once; whoever holds it places or discards it."""
        self._kept = True
        return self

    def discard(self) -> None:
        """Remove the file if it was not placed."""
        self._close()
        if self._done:
            return
        self._done = True
        # What cannot be removed now is a leftover that fsck lists; the error that led here matters more.
        with suppress(OSError):
            _patiently(self._system, lambda: self._system.remove(self.path), blocked_by=self.path)

    def _open_handle(self) -> int:
        if self._handle is None:
            message = f"{self.path} is synced and closed"
            raise ValueError(message)
        return self._handle

    def _close(self) -> None:
        if self._handle is not None:
            handle, self._handle = self._handle, None
            self._system.close(handle)


class _Tee:
    """A stream that writes what it reads, so that the bytes hashed are the bytes written."""

    def __init__(self, source: BinaryIO, target: Staged) -> None:
        self._source = source
        self._target = target

    def read(self, size: int) -> bytes:
        data = self._source.read(size)
        self._target.write(data)
        return data


def stage(folder: Path, *, mode: int = PRIVATE, system: System = SYSTEM) -> Staged:
    """Open a new file in `folder`, on the file system where it will get its name."""
    path = _temporary_path(folder, system)
    with explained(path, system):
        return Staged(path, system.create(path, mode), system=system, reflinked=False)


def stage_clone(source: int, folder: Path, *, mode: int = PRIVATE, system: System = SYSTEM) -> Staged | None:
    """Stage a reflink of the whole open file `source`, or return None where that cannot be.

    The clone is a snapshot: what is written to the source afterwards does not reach it.
    """
    path = _temporary_path(folder, system)
    with explained(path, system):
        handle = system.clone(source, path, mode)
    return None if handle is None else Staged(path, handle, system=system, reflinked=True)


def write_new(path: Path, data: bytes, *, mode: int = PRIVATE, system: System = SYSTEM) -> None:
    """Write `data` to `path`, which must not exist; when this returns, file and name are on disk.

    An existing `path` is a `UsageError` and stays as it is.
    """
    with stage(path.parent, mode=mode, system=system) as file:
        file.write(data)
        file.sync()
        if not file.place_new(path):
            raise _exists(path)
    sync_folder(path.parent, system=system)


def replace(path: Path, data: bytes, *, mode: int = PRIVATE, system: System = SYSTEM) -> None:
    """Write `data` to `path`, existing or not: every reader, and a crash, sees the old or the new, whole."""
    with stage(path.parent, mode=mode, system=system) as file:
        file.write(data)
        file.sync()
        file.place_over(path)
    sync_folder(path.parent, system=system)


def copy_new(source: BinaryIO, path: Path, *, mode: int = PRIVATE, system: System = SYSTEM) -> Copied:
    """Copy what is left of `source` to `path`, which must not exist; durable when this returns.

    A whole file is reflinked where the file system can, else copied; never
    hard-linked, since an editor writing in place would change the copy. The digest is of the
    bytes as they lie in the copy. Whether `source` changed meanwhile is not checked.
    """
    with stage_copy(source, path.parent, mode=mode, system=system) as file:
        digest, size_bytes = file.digest() if file.reflinked else file.write_from(source)
        file.sync()
        if not file.place_new(path):
            raise _exists(path)
    sync_folder(path.parent, system=system)
    return Copied(digest, size_bytes, file.reflinked)


def stage_copy(source: BinaryIO, folder: Path, *, mode: int = PRIVATE, system: System = SYSTEM) -> Staged:
    """Stage a reflink of `source` where that can be, else an empty file still to be filled from it."""
    handle = whole_file_handle(source)
    cloned = None if handle is None else stage_clone(handle, folder, mode=mode, system=system)
    return cloned or stage(folder, mode=mode, system=system)


def whole_file_handle(source: BinaryIO) -> int | None:
    """Return the handle of an unread plain file, whose reflink would be what reading `source` gives.

    Other classes are not asked: the `fileno` of a `GzipFile` is that of the compressed file.
    """
    raw = source.raw if type(source) is BufferedReader else source
    if type(raw) is not FileIO or source.tell() != 0:
        return None
    return raw.fileno() if stat.S_ISREG(os.fstat(raw.fileno()).st_mode) else None


def remove(path: Path, *, system: System = SYSTEM) -> None:
    """Remove a file; when this returns its name is gone from disk. One that is not there is no error.

    On Windows a power cut soon after may bring the name back: what must stay
    removed is recorded as removed and removed again.
    """
    path = system.spell(path)
    with explained(path, system):
        # Gone already, perhaps by a process that crashed before its sync: the folder is synced all the same.
        with suppress(FileNotFoundError):
            _patiently(system, lambda: system.remove(path), blocked_by=path)
        if path.parent.is_dir():
            system.sync_folder(path.parent)


def make_folders(path: Path, *, mode: int = _PRIVATE_FOLDER, system: System = SYSTEM) -> None:
    """Make `path` and the missing folders above it; durable when this returns."""
    path = system.spell(path)
    with explained(path, system):
        if path.is_dir():
            return
    if path.parent != path:
        make_folders(path.parent, mode=mode, system=system)
    with explained(path, system):
        # Another process may just have made it, and not synced it yet.
        with suppress(FileExistsError):
            system.make_folder(path, mode)
        system.sync_folder(path.parent)
    if not path.is_dir():
        raise StorageError(say("storage.not_a_folder", path=path))


def sync_folder(path: Path, *, system: System = SYSTEM) -> None:
    """Return when names made, moved or removed in the folder `path` are on disk."""
    path = system.spell(path)
    with explained(path, system):
        system.sync_folder(path)


def open_regular(path: Path, *, follow_links: bool = False, system: System = SYSTEM) -> FileIO:
    """Open a plain file for reading, unbuffered; never waits on a pipe and never hinders its writer.

    Raises `OSError` as the platform does, also for what is not a plain file: only
    the caller knows whose file it was.
    """
    handle = system.open(system.spell(path), follow_links=follow_links)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        system.close(handle)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return FileIO(handle)


def is_temporary(name: str) -> bool:
    """Tell whether a file name is one that a crash may have left behind here."""
    return _TEMPORARY.fullmatch(name) is not None


def require_portable_name(name: str) -> None:
    """Refuse, as `UsageError`, a file name that some platform takes for a device or cannot hold."""
    if _DEVICE.fullmatch(name) or _FORBIDDEN.search(name) or name in {"", ".", ".."}:
        raise UsageError(say("storage.reserved_name", name=name), hint=say("storage.reserved_name_hint"))


@contextmanager
def explained(path: Path, system: System = SYSTEM) -> Iterator[None]:
    """Turn the platform's refusals into `StorageError` about `path`; `FileExistsError` passes as it is."""
    try:
        yield
    except FileExistsError:
        raise
    except OSError as err:
        raise _refusal(path, err, system) from err


def _refusal(path: Path, err: OSError, system: System) -> StorageError:
    name = _REFUSALS.get(err.errno or 0)
    if system.locks_open_files and isinstance(err, PermissionError):
        name = "busy"
    if name is None:
        reason = err.strerror or str(err)
        return StorageError(say("storage.refused", path=path, reason=reason))
    return StorageError(say(f"storage.{name}", path=path), hint=say(f"storage.{name}_hint"))


def _exists(path: Path) -> UsageError:
    return UsageError(say("storage.exists", path=path), hint=say("storage.exists_hint"))


def _usable(path: Path, system: System) -> Path:
    if system.reserves_names:
        require_portable_name(path.name)
    return system.spell(path)


def _temporary_path(folder: Path, system: System) -> Path:
    return system.spell(folder) / f".makingof-{secrets.token_hex(8)}.tmp"


def _patiently(system: System, act: Callable[[], None], *, blocked_by: Path | None = None) -> None:
    """Try again while a file is held open or read-only, on platforms where that stands in the way."""
    for attempt in range(_ATTEMPTS):
        try:
            return act()
        except PermissionError:
            if not system.locks_open_files:
                raise
            if blocked_by is not None:
                with suppress(OSError):  # the next attempt tells
                    system.make_writable(blocked_by)
            system.pause(attempt)
    return act()
