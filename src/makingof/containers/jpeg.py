"""JPEG, segment by segment, after ITU-T T.81 annex B, entropy-coded data left coded."""

import re
import struct
from collections.abc import Iterator

from makingof.containers.segment import Data, Segment
from makingof.errors import MalformedError

MAX_SEGMENTS = 20_000
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_ALONE = frozenset({0x01, *range(0xD0, 0xDA)})  # markers without a length

_FRAMES = (0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF)
_NAMES = {
    0xD8: "SOI", 0xD9: "EOI", 0xDA: "SOS", 0xDB: "DQT", 0xC4: "DHT", 0xCC: "DAC", 0xDD: "DRI", 0xDC: "DNL",
    0xFE: "COM",
    **{0xE0 + number: f"APP{number}" for number in range(16)},
    **{marker: f"SOF{marker - 0xC0}" for marker in _FRAMES},
}  # fmt: skip

# In coded data 0xFF is followed by a stuffed zero or a restart marker; anything else ends it.
_SCAN_END = re.compile(rb"\xff(?![\x00\xd0-\xd7\xff])[\s\S]")


def walk_jpeg(data: Data) -> list[Segment]:
    """Return every segment in file order, each scan with its coded data as one.

    The segments cover the file without a hole: bytes that form no segment are
    `junk`, what follows `EOI` is the `tail`. Data without SOI is a `MalformedError`.
    """
    return list(_walk(data, to_scan=False))


def walk_jpeg_head(data: Data) -> list[Segment]:
    """Return the segments up to the first scan, where records stand; coded data is not searched."""
    return list(_walk(data, to_scan=True))


def _walk(data: Data, *, to_scan: bool) -> Iterator[Segment]:
    if data[:2] != b"\xff\xd8":
        message = "data has no JPEG start of image"
        raise MalformedError(message)
    yield Segment("SOI", 0, 2, 2, 0)
    size = len(data)
    offset = 2
    for _ in range(MAX_SEGMENTS):
        if offset >= size:
            return
        marker_at = _marker_at(data, offset)
        if marker_at is None:
            break
        marker = data[marker_at + 1]
        if marker == _SOS and to_scan:
            return
        segment = _segment(data, offset, marker_at, marker)
        yield segment
        offset = segment.end
        if marker == _EOI:
            break
    if offset < size:
        yield Segment("tail", offset, size - offset, offset, size - offset, "bytes that belong to no segment")


def _marker_at(data: Data, offset: int) -> int | None:
    """Find the marker at `offset`, behind any fill bytes; None where there is none."""
    at = offset
    while data[at : at + 2] == b"\xff\xff":
        at += 1
    return at if data[at : at + 1] == b"\xff" and at + 1 < len(data) and data[at + 1] != 0 else None


def _segment(data: Data, start: int, marker_at: int, marker: int) -> Segment:
    name = _NAMES.get(marker, f"0xff{marker:02x}")
    payload = marker_at + 2
    if marker in _ALONE:
        return Segment(name, start, payload - start, payload, 0)
    there = len(data) - payload
    length = struct.unpack_from(">H", data, payload)[0] if there >= 2 else 0  # noqa: PLR2004 - the length field itself
    if length < 2 or length > there:  # noqa: PLR2004
        damage = (
            f"segment claims {length} bytes and the file ends after {there}"
            if length > there
            else "segment has no length"
        )
        return Segment(name, start, len(data) - start, min(payload + 2, len(data)), max(there - 2, 0), damage)
    end = payload + length
    if marker != _SOS:
        return Segment(name, start, end - start, payload + 2, length - 2)
    found = _SCAN_END.search(data, end)
    scan_end = found.start() if found else len(data)
    damage = "" if found else "coded data does not end"
    return Segment(name, start, scan_end - start, payload + 2, length - 2, damage)


def frame_size(data: Data, segments: list[Segment]) -> tuple[int, int] | None:
    """Read width and height from the frame header, or None where there is none."""
    for segment in segments:
        if segment.kind.startswith("SOF") and segment.payload_bytes >= 5:  # noqa: PLR2004 - precision, height, width
            height, width = struct.unpack_from(">HH", data, segment.payload_offset + 1)
            return width, height
    return None
