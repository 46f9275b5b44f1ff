"""JPEG, segment by segment, after ITU-T T.81 annex B, entropy-coded data left coded."""

import re
import struct
from collections.abc import Iterator

from makingof.containers.segment import Data, Segment, take
from makingof.containers.source import Source
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

    The segments cover the file without a hole: what belongs to no segment, behind
    `EOI` or instead of a marker, is the `tail`. Source without SOI is a `MalformedError`.
    """
    segments = list(_walk(data))
    at = segments[-1].end
    while at < len(data) and segments[-1].kind != "EOI" and len(segments) < MAX_SEGMENTS:
        scan = _scan(data, at)
        if scan is None:
            break
        segments.append(scan)
        segments.extend(_walk(data, scan.end))
        at = segments[-1].end
    if at < len(data):
        segments.append(
            Segment("tail", at, len(data) - at, at, len(data) - at, "bytes that belong to no segment")
        )
    return segments


def walk_jpeg_head(data: Source) -> list[Segment]:
    """Return the segments up to the first scan, where records stand; coded data is not searched."""
    return list(_walk(data))


def _walk(data: Source, offset: int = 0) -> Iterator[Segment]:
    """Yield segments up to a scan, the end, or bytes that are no segment."""
    if offset == 0:
        if data[:2] != b"\xff\xd8":
            message = "data has no JPEG start of image"
            raise MalformedError(message)
        yield Segment("SOI", 0, 2, 2, 0)
        offset = 2
    for _ in range(MAX_SEGMENTS):
        found = _marker(data, offset)
        if found is None or found[1] == _SOS:
            return
        segment = _segment(data, offset, *found)
        yield segment
        offset = segment.end
        if found[1] == _EOI:
            return


def _marker(data: Source, offset: int) -> tuple[int, int] | None:
    """Find the marker at `offset`, behind any fill bytes: where it stands and which; None where none does."""
    at = offset
    while (head := data[at : at + 2]) == b"\xff\xff":
        at += 1
    return (at, head[1]) if len(head) == 2 and head[0] == 0xFF and head[1] else None  # noqa: PLR2004 - a marker


def _segment(data: Source, start: int, marker_at: int, marker: int) -> Segment:
    name = _NAMES.get(marker, f"0xff{marker:02x}")
    payload = marker_at + 2
    if marker in _ALONE:
        return Segment(name, start, payload - start, payload, 0)
    there = len(data) - payload
    length = int.from_bytes(data[payload : payload + 2], "big") if there >= 2 else 0  # noqa: PLR2004 - the field itself
    if length < 2 or length > there:  # noqa: PLR2004
        damage = (
            f"segment claims {length} bytes and the file ends after {there}"
            if length > there
            else "no length"
        )
        first = min(payload + 2, len(data))
        return Segment(name, start, len(data) - start, first, len(data) - first, damage)
    return Segment(name, start, payload + length - start, payload + 2, length - 2)


def _scan(data: Data, offset: int) -> Segment | None:
    """Take a scan with its coded data, up to the next marker that is none of its own."""
    found = _marker(data, offset)
    if found is None or found[1] != _SOS:
        return None
    head = _segment(data, offset, *found)
    end = None if head.damage else _SCAN_END.search(data, head.end)
    if end is None:
        size = len(data) - offset
        return Segment(
            "SOS", offset, size, head.payload_offset, head.payload_bytes, "coded data does not end"
        )
    return Segment("SOS", offset, end.start() - offset, head.payload_offset, head.payload_bytes)


def frame_size(data: Source, segments: list[Segment]) -> tuple[int, int] | None:
    """Read width and height from the frame header, or None where there is none."""
    for segment in segments:
        if segment.kind.startswith("SOF") and segment.payload_bytes >= 5:  # noqa: PLR2004 - precision, height, width
            height, width = struct.unpack(">HH", take(data, segment.payload_offset + 1, 4))
            return width, height
    return None
