"""What the operating system offers for keeping files, raw, with one implementation per platform.

`durable` is written against the `System` protocol and nothing else, so that its
promises can be tested with a fake of each platform: one that loses what was not
synced, refuses to replace an open file, or has no rename that spares the target.
Methods raise `OSError` as the platform does; `durable` gives errors their meaning.
"""

import errno
import os
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Protocol

if sys.platform != "win32":
    import fcntl

_FICLONE = 0x40049409  # linux/fs.h: share the blocks of one file with another, copied on write
_AT_FDCWD = -100  # linux/fcntl.h
_AT_FDCWD_MAC = -2
_RENAME_NOREPLACE = 1  # linux/fs.h
_RENAME_EXCL = 4  # macOS sys/stdio.h
_F_FULLFSYNC = 51  # macOS sys/fcntl.h
_CLONE_NOOWNERCOPY = 2  # macOS sys/clonefile.h
_NOT_OFFERED = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
_OUT_OF_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})
_WRITE_BYTES = 1 << 30  # Linux writes at most 2 GiB at a time, some others less


class System(Protocol):
    """One platform's raw file operations."""

    reserves_names: ClassVar[bool]  # CON, NUL, a trailing dot… name devices or other files
    locks_open_files: ClassVar[bool]  # an open or read-only file cannot be renamed, replaced or removed

    def spell(self, path: Path) -> Path:
        """Return `path` as the platform takes it at any length; so must every path below be spelled."""
        ...

    def open(self, path: Path, *, follow_links: bool) -> int:
        """Open for reading without waiting (a FIFO) and without hindering other programs."""
        ...

    def create(self, path: Path, mode: int) -> int:
        """Make a file that must not exist and open it for reading and writing, whatever its `mode`."""
        ...

    def clone(self, source: int, path: Path, mode: int) -> int | None:
        """Make `path` as a reflink of an open file and open it for reading, or return None and leave nothing.

        None where the file system cannot; a disk that is full or read-only raises.
        """
        ...

    def write(self, handle: int, data: bytes | memoryview) -> None:
        """Write all of `data`."""
        ...

    def sync_file(self, handle: int) -> None:
        """Return when the file's bytes are on the medium, as far as the platform can tell.

        After a failure the platform may have dropped the bytes and report
        success next time: never sync the same file twice, write it again.
        """
        ...

    def sync_folder(self, path: Path) -> None:
        """Return when names made, moved or removed in the folder are on the medium."""
        ...

    def close(self, handle: int) -> None: ...

    def rename_new(self, old: Path, new: Path) -> None:
        """Rename; an existing `new` raises `FileExistsError` and stays."""
        ...

    def replace(self, old: Path, new: Path) -> None:
        """Rename over `new`, at one instant for every reader."""
        ...

    def remove(self, path: Path) -> None: ...

    def make_writable(self, path: Path) -> None:
        """Take the read-only attribute off a file, where it blocks removing and replacing."""
        ...

    def make_folder(self, path: Path, mode: int) -> None: ...

    def pause(self, attempt: int) -> None:
        """Wait a little before trying again, longer with each attempt."""
        ...


class _Posix:
    """What Linux and macOS have in common."""

    reserves_names: ClassVar[bool] = False
    locks_open_files: ClassVar[bool] = False

    def spell(self, path: Path) -> Path:
        return path

    def open(self, path: Path, *, follow_links: bool) -> int:
        links = 0 if follow_links else os.O_NOFOLLOW
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | links)

    def create(self, path: Path, mode: int) -> int:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)

    def write(self, handle: int, data: bytes | memoryview) -> None:
        _write_all(handle, data)

    def sync_file(self, handle: int) -> None:
        os.fsync(handle)

    def sync_folder(self, path: Path) -> None:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self.sync_file(handle)
        finally:
            os.close(handle)

    def close(self, handle: int) -> None:
        os.close(handle)

    def rename_new(self, old: Path, new: Path) -> None:
        try:
            self._rename_sparing(os.fsencode(old), os.fsencode(new))
        except OSError as err:
            if err.errno not in _NOT_OFFERED:
                raise
            _look_and_rename(old, new)

    def _rename_sparing(self, old: bytes, new: bytes) -> None:
        raise NotImplementedError  # Linux and Mac below each have their own system call

    def replace(self, old: Path, new: Path) -> None:
        old.replace(new)

    def remove(self, path: Path) -> None:
        path.unlink()

    def make_writable(self, path: Path) -> None:
        """Nothing to do: removing and replacing ask the folder here, not the file."""

    def make_folder(self, path: Path, mode: int) -> None:
        path.mkdir(mode)

    def pause(self, attempt: int) -> None:
        time.sleep(0.01 * 2**attempt)


class Linux(_Posix):
    """Linux: fsync of files and folders, FICLONE, renameat2."""

    def clone(self, source: int, path: Path, mode: int) -> int | None:
        handle = self.create(path, mode)
        try:
            fcntl.ioctl(handle, _FICLONE, source)
        except OSError as err:
            os.close(handle)
            path.unlink()
            if err.errno in _OUT_OF_SPACE:
                raise
            return None
        return handle

    def _rename_sparing(self, old: bytes, new: bytes) -> None:
        renameat2 = _c_function("renameat2")
        if renameat2(_AT_FDCWD, old, _AT_FDCWD, new, _RENAME_NOREPLACE):
            raise _c_error(new)


class Mac(_Posix):
    """macOS: F_FULLFSYNC, as fsync leaves the bytes in the drive's own cache; clonefile, renamex_np."""

    def clone(self, source: int, path: Path, mode: int) -> int | None:
        if _c_function("fclonefileat")(source, _AT_FDCWD_MAC, os.fsencode(path), _CLONE_NOOWNERCOPY):
            err = _c_error(os.fsencode(path))
            if err.errno in _OUT_OF_SPACE:
                raise err
            return None
        path.chmod(mode)  # a clone brings its source's mode
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW)

    def sync_file(self, handle: int) -> None:
        try:
            fcntl.fcntl(handle, _F_FULLFSYNC)
        except OSError as err:
            if err.errno not in {*_NOT_OFFERED, errno.ENOTTY}:
                raise
            os.fsync(handle)  # some external and network drives offer no more

    def _rename_sparing(self, old: bytes, new: bytes) -> None:
        if _c_function("renamex_np")(old, new, _RENAME_EXCL):
            raise _c_error(new)


class Windows:
    """Windows: names are made durable by writing renames through; folders cannot be synced.

    Removing a file cannot be written through: after a power cut it may be there
    again, which is why `erase` is an event that `fsck` applies anew.
    """

    reserves_names: ClassVar[bool] = True
    locks_open_files: ClassVar[bool] = True

    def spell(self, path: Path) -> Path:
        r"""Make it absolute, with the `\\?\` in front that lifts the limit of 260 characters."""
        text = os.path.abspath(path)  # noqa: PTH100 - resolve() would follow links
        if text.startswith("\\\\?\\"):
            return path
        if text.startswith("\\\\"):
            return Path("\\\\?\\UNC\\" + text[2:])
        return Path("\\\\?\\" + text)

    def open(self, path: Path, *, follow_links: bool) -> int:
        return _open_shared(str(path), follow_links=follow_links)

    def create(self, path: Path, mode: int) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        return os.open(path, flags, mode)

    def clone(self, source: int, path: Path, mode: int) -> int | None:  # noqa: ARG002 - the protocol's parameters
        return None  # NTFS cannot; ReFS can, but only through calls that need aligned pieces

    def write(self, handle: int, data: bytes | memoryview) -> None:
        _write_all(handle, data)

    def sync_file(self, handle: int) -> None:
        os.fsync(handle)

    def sync_folder(self, path: Path) -> None:
        """Nothing to call: see `rename_new`."""

    def close(self, handle: int) -> None:
        os.close(handle)

    def rename_new(self, old: Path, new: Path) -> None:
        _move_through(str(old), str(new), replace=False)

    def replace(self, old: Path, new: Path) -> None:
        _move_through(str(old), str(new), replace=True)

    def remove(self, path: Path) -> None:
        path.unlink()

    def make_writable(self, path: Path) -> None:
        path.chmod(0o600)

    def make_folder(self, path: Path, mode: int) -> None:
        path.mkdir(mode)

    def pause(self, attempt: int) -> None:
        time.sleep(0.01 * 2**attempt)


def this_system() -> System:
    """Return the implementation for the platform this runs on."""
    if sys.platform == "win32":
        return Windows()
    if sys.platform == "darwin":
        return Mac()
    return Linux()


def _write_all(handle: int, data: bytes | memoryview) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest[:_WRITE_BYTES]) :]


def _look_and_rename(old: Path, new: Path) -> None:
    """Rename where the file system has no rename that spares the target (ntfs-3g, exFAT on macOS).

    Two writers within this instant could replace each other's file: harmless
    for blobs, whose name says what both bring, and everything else that must
    be new is written under a lock or a random name.
    """
    if os.path.lexists(new):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(new))
    old.rename(new)


@cache
def _c_function(name: str) -> Any:
    import ctypes  # noqa: PLC0415 - ten milliseconds that commands which only read need not pay

    function = getattr(ctypes.CDLL(None, use_errno=True), name, None)
    return function or _missing  # musl before 1.2.6 has no renameat2


def _missing(*_arguments: object) -> int:
    import ctypes  # noqa: PLC0415 - see _c_function

    ctypes.set_errno(errno.ENOSYS)
    return -1


def _c_error(path: bytes) -> OSError:
    import ctypes  # noqa: PLC0415 - see _c_function

    number = ctypes.get_errno()
    return OSError(number, os.strerror(number), os.fsdecode(path))


def _move_through(old: str, new: str, *, replace: bool) -> None:
    """Rename and wait until the volume's journal has it: Windows' stand-in for syncing a folder."""
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 - see _c_function

        write_through, replace_existing = 8, 1
        flags = write_through | (replace_existing if replace else 0)
        if not ctypes.WinDLL("kernel32", use_last_error=True).MoveFileExW(old, new, flags):
            raise ctypes.WinError(ctypes.get_last_error())


def _open_shared(path: str, *, follow_links: bool) -> int:
    """Open for reading so that others may still write, rename and delete the file.

    Python's own `open` forbids renaming and deleting meanwhile, and a generator
    that saves by rename would fail because we were looking.
    """
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 - see _c_function
        import msvcrt  # noqa: PLC0415 - Windows only

        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.CreateFileW.restype = ctypes.c_void_p
        read, share_all, open_existing, the_link_itself = 0x80000000, 7, 3, 0x00200000
        flags = 0 if follow_links else the_link_itself
        handle = kernel.CreateFileW(path, read, share_all, None, open_existing, flags, None)
        if handle == ctypes.c_void_p(-1).value:
            raise ctypes.WinError(ctypes.get_last_error())
        return msvcrt.open_osfhandle(handle, os.O_RDONLY | os.O_BINARY)
    message = "only Windows opens files so"
    raise AssertionError(message)
