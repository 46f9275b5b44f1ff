"""Fakes of what Linux, macOS and Windows do to files, for faults and power cuts.

Each works on real files and keeps beside them what the medium would hold: the bytes a
file had when it was last synced, the names a folder had when it was. Every
operation is numbered and can be made to fail, with or without having happened, or
to be the last before the power goes.
"""

import errno
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import ClassVar

from makingof.system import Linux

_SPELLED = Path("/proc/self/root")  # another spelling of every path, standing for Windows' \\?\


class PowerCutError(BaseException):
    """The machine is off; not an Exception, as nothing may catch it and go on."""


@dataclass(frozen=True)
class Fault:
    """What becomes of one operation: whether it happens, and how it ends."""

    happens: bool
    error: BaseException


Plan = Callable[[int, str, Path], Fault | None]


@dataclass(eq=False)
class File:
    data: bytearray = field(default_factory=bytearray)
    synced: bytes | None = None
    mode: int = 0o600


@dataclass(eq=False)
class Folder:
    names: dict[str, "File | Folder"] = field(default_factory=dict)
    synced: dict[str, "File | Folder"] = field(default_factory=dict)


def nothing_fails(_index: int, _operation: str, _path: Path) -> Fault | None:
    return None


class FakeLinux(Linux):
    """Linux on a file system that forgets everything not synced."""

    def __init__(self, root: Path, plan: Plan = nothing_fails) -> None:
        self.root = root
        self.log: list[tuple[str, Path]] = []
        self.plan = plan
        self._off = False
        self._lock = RLock()
        self._handles: dict[int, tuple[Path, File]] = {}
        self._tree = _scan(root)

    # What the medium holds

    def cut_power(self, into: Path, *, seed: int | None = None) -> None:
        """Write into `into` what is there after a power cut.

        Without a seed, only what was synced; with one, each name made, moved or
        removed since may have reached the medium or not, and torn bytes with it.
        """
        self._off = True
        chance = None if seed is None else random.Random(seed)
        _rebuild(self._tree, into, chance)

    @property
    def operations(self) -> list[str]:
        return [operation for operation, _ in self.log]

    # The system

    def create(self, path: Path, mode: int) -> int:
        with self._step("create", path):
            handle = super().create(path, mode)
            self._add_open(path, handle, File(mode=mode))
            return handle

    def clone(self, source: int, path: Path, mode: int) -> int | None:  # noqa: ARG002 - the protocol's
        with self._step("clone", path):
            return None

    def write(self, handle: int, data: bytes | memoryview) -> None:
        path, file = self._handles[handle]
        try:
            with self._step("write", path):
                super().write(handle, data)
                file.data += data
        except OSError:
            if not file.data:  # a disk that fills up takes a part first
                super().write(handle, data[: len(data) // 2])
                file.data += data[: len(data) // 2]
            raise

    def sync_file(self, handle: int) -> None:
        path, file = self._handles[handle]
        with self._step("sync_file", path):
            file.synced = bytes(file.data)

    def sync_folder(self, path: Path) -> None:
        with self._step("sync_folder", path):
            folder = self._folder(path)
            folder.synced = dict(folder.names)

    def close(self, handle: int) -> None:
        self._handles.pop(handle, None)
        super().close(handle)

    def rename_new(self, old: Path, new: Path) -> None:
        with self._step("rename_new", new):
            super().rename_new(old, new)
            self._folder(new.parent).names[new.name] = self._folder(old.parent).names.pop(old.name)

    def replace(self, old: Path, new: Path) -> None:
        with self._step("replace", new):
            super().replace(old, new)
            self._folder(new.parent).names[new.name] = self._folder(old.parent).names.pop(old.name)

    def remove(self, path: Path) -> None:
        with self._step("remove", path):
            super().remove(path)
            del self._folder(path.parent).names[path.name]

    def make_folder(self, path: Path, mode: int) -> None:
        with self._step("make_folder", path):
            super().make_folder(path, mode)
            self._folder(path.parent).names[path.name] = Folder()

    def pause(self, attempt: int) -> None:  # noqa: ARG002 - the protocol's
        self.log.append(("pause", Path()))

    # Workings

    @contextmanager
    def _step(self, operation: str, path: Path) -> Iterator[None]:
        with self._lock:
            if self._off:
                raise PowerCutError
            self.log.append((operation, path))
            fault = self.plan(len(self.log), operation, path)
            if fault is None or fault.happens:
                yield
            if fault is not None:
                self._off = isinstance(fault.error, PowerCutError)
                raise fault.error

    def _add_open(self, path: Path, handle: int, file: File) -> None:
        self._handles[handle] = (path, file)
        self._folder(path.parent).names[path.name] = file

    def _folder(self, path: Path) -> Folder:
        found: File | Folder = self._tree
        for name in _plain(path).relative_to(self.root).parts:
            assert isinstance(found, Folder)
            found = found.names[name]
        assert isinstance(found, Folder)
        return found


class FakeMac(FakeLinux):
    """macOS on APFS: as Linux, and every file can be cloned."""

    def clone(self, source: int, path: Path, mode: int) -> int | None:
        with self._step("clone", path):
            handle = Linux.create(self, path, mode)
            data = os.pread(source, os.fstat(source).st_size, 0)
            os.pwrite(handle, data, 0)
            self._add_open(path, handle, File(bytearray(data), mode=mode))
            return handle


class FakeWindows(FakeLinux):
    """Windows on NTFS: no sync of folders, open and read-only files locked, 260 characters, device names."""

    reserves_names: ClassVar[bool] = True
    locks_open_files: ClassVar[bool] = True

    def __init__(self, root: Path, plan: Plan = nothing_fails) -> None:
        super().__init__(root, plan)
        self.held: dict[Path, int] = {}  # open in another program, for so many attempts

    def spell(self, path: Path) -> Path:
        return path if path.is_relative_to(_SPELLED) else _SPELLED / path.absolute().relative_to("/")

    def create(self, path: Path, mode: int) -> int:
        _require_short(path)
        return super().create(path, mode)

    def sync_folder(self, path: Path) -> None:
        """Windows has none: a test that passes does not owe it to this."""

    def rename_new(self, old: Path, new: Path) -> None:
        self._require_free(old)
        _require_short(new)
        super().rename_new(old, new)
        self._write_through()

    def replace(self, old: Path, new: Path) -> None:
        self._require_free(old)
        self._require_free(new)
        self._require_writable(new)
        super().replace(old, new)
        self._write_through()

    def remove(self, path: Path) -> None:
        self._require_free(path)
        self._require_writable(path)
        super().remove(path)

    def make_writable(self, path: Path) -> None:
        path.chmod(0o600)

    def _write_through(self) -> None:
        """A rename written through flushes the volume's journal, and with it every name before."""
        _sync_names(self._tree)

    def _require_free(self, path: Path) -> None:
        if any(open_path == path for open_path, _ in self._handles.values()):
            raise PermissionError(errno.EACCES, "sharing violation", str(path))
        if self.held.get(_plain(path), 0) > 0:
            self.held[_plain(path)] -= 1
            raise PermissionError(errno.EACCES, "sharing violation", str(path))

    @staticmethod
    def _require_writable(path: Path) -> None:
        if path.exists() and not path.stat().st_mode & 0o200:
            raise PermissionError(errno.EACCES, "access is denied", str(path))


ALL = [FakeLinux, FakeMac, FakeWindows]


def fail_at(index: int, error: BaseException, *, happens: bool) -> Plan:
    """Make the operation with this number, counted from 1, end in `error`."""
    return lambda number, _operation, _path: Fault(happens, error) if number == index else None


def _plain(path: Path) -> Path:
    return Path("/", *path.relative_to(_SPELLED).parts) if path.is_relative_to(_SPELLED) else path


def _require_short(path: Path) -> None:
    if len(str(path)) > 260 and not path.is_relative_to(_SPELLED):
        raise FileNotFoundError(errno.ENOENT, "path too long", str(path))


def _scan(path: Path) -> Folder:
    names: dict[str, File | Folder] = {}
    for entry in path.iterdir():
        if entry.is_dir():
            names[entry.name] = _scan(entry)
        else:
            data = entry.read_bytes()
            names[entry.name] = File(bytearray(data), data, entry.stat().st_mode & 0o777)
    return Folder(names, dict(names))


def _sync_names(folder: Folder) -> None:
    folder.synced = dict(folder.names)
    for node in folder.names.values():
        if isinstance(node, Folder):
            _sync_names(node)


def _rebuild(folder: Folder, into: Path, chance: random.Random | None) -> None:
    into.mkdir(exist_ok=True)
    for name in sorted(folder.names.keys() | folder.synced.keys()):
        names = folder.names if chance and chance.random() < 0.5 else folder.synced
        node = names.get(name)
        if isinstance(node, Folder):
            _rebuild(node, into / name, chance)
        elif node is not None:
            data = bytes(node.data)
            if node.synced != data:
                data = data[: chance.randrange(len(data) + 1)] if chance else node.synced or b""
            (into / name).write_bytes(data)
