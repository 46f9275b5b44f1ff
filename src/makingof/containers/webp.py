"""WebP, RIFF chunk by chunk."""

import struct

from makingof.containers.segment import Segment, take
from makingof.containers.source import Source
from makingof.errors import MalformedError

MAX_CHUNKS = 100_000
_HEAD_BYTES = 8

_head = struct.Struct("<4sI")


def walk_webp(data: Source) -> list[Segment]:
    """Return the RIFF header and every chunk with its padding, in file order.

    The segments cover the file without a hole; what lies behind the RIFF's own end
    is the `tail`. Source that is no WebP is a `MalformedError`.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        message = "data has no WebP header"
        raise MalformedError(message)
    size = len(data)
    claimed = int.from_bytes(data[4:8], "little") + _HEAD_BYTES
    end = min(size, claimed)
    damage = f"RIFF claims {claimed} bytes and the file has {size}" if claimed > size else ""
    segments = [Segment("RIFF", 0, 12, 8, 4, damage)]
    offset = 12
    for _ in range(MAX_CHUNKS):
        if offset + _HEAD_BYTES > end:
            break
        segment = _chunk(data, offset, end)
        segments.append(segment)
        offset = segment.end
    if offset < size:
        segments.append(
            Segment("tail", offset, size - offset, offset, size - offset, "bytes behind the last chunk")
        )
    return segments


def _chunk(data: Source, offset: int, end: int) -> Segment:
    kind, length = _head.unpack(take(data, offset, _HEAD_BYTES))
    there = end - offset - _HEAD_BYTES
    if length > there:
        damage = f"chunk claims {length} bytes and the file ends after {there}"
        return Segment(_kind_name(kind), offset, there + _HEAD_BYTES, offset + _HEAD_BYTES, there, damage)
    padded = min(length + (length & 1), there)
    return Segment(_kind_name(kind), offset, padded + _HEAD_BYTES, offset + _HEAD_BYTES, length)


def _kind_name(kind: bytes) -> str:
    """Spell a FourCC without its padding blanks, or as hex where it is no text."""
    return (
        kind.decode("ascii").rstrip(" ")
        if kind.isascii() and kind.decode("ascii").isprintable()
        else "0x" + kind.hex()
    )


def canvas_size(data: Source, segments: list[Segment]) -> tuple[int, int] | None:
    """Read width and height from VP8X, VP8L or VP8, or None where they do not say."""
    for segment in segments:
        head = data[segment.payload_offset : segment.payload_offset + 10]
        if segment.kind == "VP8X" and len(head) >= 10:  # noqa: PLR2004 - flags and two sizes of 24 bits
            return 1 + int.from_bytes(head[4:7], "little"), 1 + int.from_bytes(head[7:10], "little")
        if segment.kind == "VP8L" and head[:1] == b"\x2f" and len(head) >= 5:  # noqa: PLR2004 - signature and 28 bits
            bits = int.from_bytes(head[1:5], "little")
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        if segment.kind == "VP8" and head[3:6] == b"\x9d\x01\x2a" and len(head) >= 10:  # noqa: PLR2004 - frame tag, start code, sizes
            return int.from_bytes(head[6:8], "little") & 0x3FFF, int.from_bytes(head[8:10], "little") & 0x3FFF
    return None


def is_lossless(segments: list[Segment]) -> bool:
    """Whether the pixels are stored without loss (VP8L)."""
    return any(segment.kind == "VP8L" for segment in segments)


def has_alpha(data: Source, segments: list[Segment]) -> bool:
    """Whether the header says that an alpha channel is used."""
    for segment in segments:
        head = data[segment.payload_offset : segment.payload_offset + 5]
        if segment.kind == "VP8X" and head:
            return bool(head[0] & 0x10)
        if segment.kind == "VP8L" and len(head) == 5:  # noqa: PLR2004 - signature and 32 bits
            return bool(int.from_bytes(head[1:5], "little") >> 28 & 1)
    return False
