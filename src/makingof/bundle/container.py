"""A package's files, however they are handed over: zip, folder, or bytes.

What is read here comes from a stranger. Nothing is unpacked to disk, sizes are
what was declared or the reading ends, and every name is plain ASCII.
"""

import io
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Lock
from typing import BinaryIO, Protocol

from makingof.bundle import layout
from makingof.bundle.zip_reader import ZipMember, open_member, read_directory, shown
from makingof.errors import MalformedError, SourceError
from makingof.texts import say

READ_BYTES = 1 << 18
_MAX_FOLDER_FILES = 1_000_000


class Container(Protocol):
    """Files by name, below the package's own folder."""

    @property
    def names(self) -> frozenset[str]:
        """Every file there is, all of them plain ASCII names, none a twin of another."""
        ...

    def size(self, name: str) -> int:
        """Size in bytes."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...

    def chunks(self, name: str) -> Iterator[memoryview]:
        """Yield a file's bytes once, in order; a chunk is valid until the next is asked for.

        Several files may be read at once, each in a thread of its own.
        """
        ...


def read_file(container: Container, name: str, limit: int) -> bytes:
    """Return a small file whole; a missing one, or one over `limit` bytes, is a `MalformedError`."""
    if name not in container.names:
        raise MalformedError(say("package.file_missing", name=name))
    if container.size(name) > limit:
        raise MalformedError(say("package.file_large", name=name, size=container.size(name), limit=limit))
    return b"".join(bytes(chunk) for chunk in container.chunks(name))


def open_container(source: Path | bytes) -> Container:
    """Open a package: the path of its zip or of its unpacked folder, or the zip's bytes.

    Raises:
        MalformedError: it is not a zip this reader accepts, or holds a name it refuses.
        SourceError: nothing can be read there.
    """
    if isinstance(source, bytes):
        return ZipContainer(io.BytesIO(source))
    try:
        if source.is_dir():
            return FolderContainer(source)
        with ExitStack() as undo:
            stream = undo.enter_context(source.open("rb", buffering=0))  # chunks are large, and read once
            container = ZipContainer(stream)
            undo.pop_all()
            return container
    except OSError as err:
        raise SourceError(say("package.unreadable", path=source, reason=err.strerror or str(err))) from err


class ZipContainer:
    """A package as one zip. The open file is closed with the container."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = Lock()
        members = read_directory(stream)
        base = _base_of([member.name for member in members])
        self._members: dict[str, ZipMember] = {}
        for member in members:
            self._members[member.name.removeprefix(base)] = member
        self.names = _checked(self._members)

    def size(self, name: str) -> int:
        return self._members[name].size

    def chunks(self, name: str) -> Iterator[memoryview]:
        return open_member(self._stream, self._members[name], self._lock)

    def close(self) -> None:
        """Close the open file."""
        self._stream.close()


class FolderContainer:
    """A package as a folder, unpacked by whatever program; its files are opened one at a time."""

    def close(self) -> None:
        """Nothing is held open."""

    def __init__(self, folder: Path) -> None:
        self._root = _bag_root(folder)
        self._sizes = dict(_walk(self._root))
        self.names = _checked(self._sizes)

    def size(self, name: str) -> int:
        return self._sizes[name]

    def chunks(self, name: str) -> Iterator[memoryview]:
        left = self._sizes[name]
        buffer = memoryview(bytearray(READ_BYTES))
        with (self._root / name).open("rb", buffering=0) as stream:
            while count := stream.readinto(buffer):
                left -= count
                if left < 0:
                    break
                yield buffer[:count]
        if left:
            raise MalformedError(say("package.file_changed", name=name))


def _base_of(names: list[str]) -> str:
    """Return the one top folder all names lie in, or "" where the bag lies at the top."""
    first = names[0].partition("/")[0] + "/" if names else ""
    return (
        first if layout.BAG_DECLARATION not in names and all(name.startswith(first) for name in names) else ""
    )


def _bag_root(folder: Path) -> Path:
    if (folder / layout.BAG_DECLARATION).exists():
        return folder
    inside = [path for path in folder.iterdir() if (path / layout.BAG_DECLARATION).exists()]
    return inside[0] if len(inside) == 1 else folder


def _walk(root: Path) -> Iterator[tuple[str, int]]:
    """List regular files; links and devices are refused, for they lead out of the package."""
    folders, count = [root], 0
    while folders:
        with os.scandir(folders.pop()) as found:
            for entry in found:
                count += 1
                if count > _MAX_FOLDER_FILES:
                    raise MalformedError(say("package.too_many_files", limit=_MAX_FOLDER_FILES))
                name = Path(entry.path).relative_to(root).as_posix()
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    folders.append(Path(entry.path))
                elif stat.S_ISREG(status.st_mode):
                    yield name, status.st_size
                else:
                    raise MalformedError(say("package.not_a_file", name=shown(name)))


def _checked(names: Iterable[str]) -> frozenset[str]:
    seen: dict[str, str] = {}
    for name in names:
        try:
            layout.check_name(name)
        except MalformedError as err:
            raise MalformedError(say("package.zip_name", name=shown(name))) from err
        if seen.setdefault(name.lower(), name) != name:
            raise MalformedError(say("package.zip_duplicate", name=name))
    return frozenset(seen.values())
