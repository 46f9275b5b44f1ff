"""GIF, block by block, after the GIF89a specification."""

from makingof.containers.segment import Segment
from makingof.containers.source import Source
from makingof.errors import MalformedError

MAX_BLOCKS = 100_000
_SCREEN_BYTES = 13
_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_KINDS = {0xFE: "comment", 0xFF: "application", 0xF9: "control", 0x01: "text"}


def walk_gif(data: Source) -> list[Segment]:
    """Return header, extensions, images and trailer in file order, covering the file.

    An extension's payload still holds the lengths of its sub-blocks; `join_blocks`
    takes them out. Source without a GIF header is a `MalformedError`.
    """
    if data[:6] not in (b"GIF87a", b"GIF89a") or len(data) < _SCREEN_BYTES:
        message = "data has no GIF header"
        raise MalformedError(message)
    at = _SCREEN_BYTES + _table_bytes(_byte(data, 10))
    segments = [Segment("header", 0, min(at, len(data)), 6, min(at, len(data)) - 6)]
    for _ in range(MAX_BLOCKS):
        if at >= len(data) or _byte(data, at) not in (_EXTENSION, _IMAGE, _TRAILER):
            break
        segment = _block(data, at)
        segments.append(segment)
        at = segment.end
        if segment.kind == "trailer":
            break
    if at < len(data):
        segments.append(Segment("tail", at, len(data) - at, at, len(data) - at, "bytes that form no block"))
    return segments


def join_blocks(payload: bytes) -> bytes:
    """Put the sub-blocks of an extension together."""
    parts = []
    at = 0
    while at < len(payload) and payload[at]:
        parts.append(payload[at + 1 : at + 1 + payload[at]])
        at += 1 + payload[at]
    return b"".join(parts)


def _table_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _byte(data: Source, at: int) -> int:
    """One byte, or 0 behind the end, which ends a block."""
    return int.from_bytes(data[at : at + 1], "big")


def _block(data: Source, at: int) -> Segment:
    introducer = _byte(data, at)
    if introducer == _TRAILER:
        return Segment("trailer", at, 1, at + 1, 0)
    if introducer == _EXTENSION:
        label = _byte(data, at + 1)
        kind, payload = _KINDS.get(label, f"extension 0x{label:02x}"), at + 2
    else:
        flags = _byte(data, at + 9)
        kind, payload = "image", at + 10 + _table_bytes(flags) + 1
    end, damage = _after_blocks(data, payload)
    payload = min(payload, len(data))
    return Segment(kind, at, end - at, payload, end - payload, damage)


def _after_blocks(data: Source, at: int) -> tuple[int, str]:
    size = len(data)
    while at < size:
        length = _byte(data, at)
        at += 1 + length
        if not length:
            return at, ""
    return size, "file ends inside a block"


def screen_size(data: Source) -> tuple[int, int]:
    """Read the logical screen's width and height."""
    return int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
