"""Source: a whole file that is read by spans, so that a look at its head never loads its pixels.

`Cursor` walks one stretch of it. Every step past the end is a `MalformedError`:
a length field from outside never decides how much is read.
"""

import io
import struct
from typing import BinaryIO, Protocol

from makingof.errors import MalformedError


class Source(Protocol):
    """What bytes and maps of a file have in common, and `SeekableFile` adds to a file."""

    def __len__(self) -> int: ...

    def __getitem__(self, span: slice, /) -> bytes: ...


class SeekableFile:
    """A file opened for reading, sliced like bytes. It stays the caller's to close.

    A slice may be shorter than asked for where the file ends, or was cut short
    while we read; readers take that as damage.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = file.seek(0, io.SEEK_END)

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, span: slice, /) -> bytes:
        start, stop, step = span.indices(self._size)
        if step != 1:
            message = "a file is sliced without steps"
            raise ValueError(message)
        if stop <= start:
            return b""
        self._file.seek(start)
        return self._file.read(stop - start)


class Cursor:
    """A position in `source` between its start and `end`."""

    __slots__ = ("at", "end", "source")

    def __init__(self, source: Source, at: int = 0, end: int | None = None) -> None:
        self.source = source
        self.at = at
        self.end = len(source) if end is None else min(end, len(source))

    @property
    def left(self) -> int:
        """Bytes between here and the end."""
        return max(0, self.end - self.at)

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes and step over them."""
        data = self.peek(count)
        self.at += count
        return data

    def peek(self, count: int) -> bytes:
        """Return the next `count` bytes and stay; fewer than that is a `MalformedError`."""
        if count > self.left:
            message = f"{count} bytes are claimed at offset {self.at} and {self.left} are there"
            raise MalformedError(message)
        data = self.source[self.at : self.at + count]
        if len(data) != count:
            message = f"file ended at offset {self.at + len(data)} while it was read"
            raise MalformedError(message)
        return data

    def skip(self, count: int) -> None:
        """Step over `count` bytes without reading them; past the end is a `MalformedError`."""
        if count > self.left:
            message = f"{count} bytes are claimed at offset {self.at} and {self.left} are there"
            raise MalformedError(message)
        self.at += count

    def part(self, count: int) -> "Cursor":
        """Return a cursor over the next `count` bytes and step over them."""
        start = self.at
        self.skip(count)
        return Cursor(self.source, start, start + count)

    def unpack(self, shape: struct.Struct) -> tuple[int, ...]:
        """Read one record of whole numbers."""
        return shape.unpack(self.take(shape.size))

    def u8(self) -> int:
        """Read one byte."""
        return self.take(1)[0]

    def u16(self) -> int:
        """Read a big-endian number of 16 bits."""
        return int.from_bytes(self.take(2), "big")

    def u32(self) -> int:
        """Read a big-endian number of 32 bits."""
        return int.from_bytes(self.take(4), "big")

    def i32(self) -> int:
        """Read a big-endian signed number of 32 bits."""
        return int.from_bytes(self.take(4), "big", signed=True)

    def u64(self) -> int:
        """Read a big-endian number of 64 bits."""
        return int.from_bytes(self.take(8), "big")
