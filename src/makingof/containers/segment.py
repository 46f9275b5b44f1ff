"""Segment: one stretch of a container, named and measured, its payload not yet looked at."""

import mmap
from typing import TypeAlias

import msgspec

from makingof.containers.source import Source
from makingof.errors import MalformedError

Data: TypeAlias = bytes | mmap.mmap
"""A whole file in memory, or mapped: what can be searched.

Most walkers ask for less, a `Source`, which is read by slices alone. A file that
shrinks while it is read gives short slices there, where a map kills the process.
"""


def take(data: Source, offset: int, count: int) -> bytes:
    """Return `count` bytes at `offset`; fewer than that is a `MalformedError`."""
    part = data[offset : offset + count]
    if len(part) != count:
        message = f"{count} bytes are wanted at offset {offset} and {len(part)} are there"
        raise MalformedError(message)
    return part


class Segment(msgspec.Struct, frozen=True, gc=False):
    """One stretch of a file: PNG chunk, JPEG segment, RIFF chunk.

    `offset` and `size_bytes` take in everything that belongs to it (length, type,
    check sum, padding); the payload is what the container's rules leave over.
    """

    kind: str  # as the container names it: "tEXt", "APP1", "EXIF"
    offset: int
    size_bytes: int
    payload_offset: int
    payload_bytes: int
    damage: str = ""  # what is wrong with it, in plain words; "" if nothing was seen

    @property
    def end(self) -> int:
        """Offset of the first byte behind it."""
        return self.offset + self.size_bytes

    def payload(self, data: Source) -> bytes:
        """Copy the payload out of `data`, the file this segment was found in."""
        return data[self.payload_offset : self.payload_offset + self.payload_bytes]
