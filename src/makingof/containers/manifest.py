"""Where a file keeps its C2PA manifest store: the only bytes a manifest may leave out of its hash."""

from collections.abc import Iterable

from makingof.containers.exif import parse_exif
from makingof.containers.gif import walk_gif
from makingof.containers.jpeg import walk_jpeg_head
from makingof.containers.png import walk_png
from makingof.containers.segment import Segment
from makingof.containers.sniff import sniff
from makingof.containers.source import Source
from makingof.containers.webp import walk_webp
from makingof.errors import MalformedError

TIFF_TAG = 0xCD41
GIF_NAME = b"C2PA_GIF\x01\x00\x00"


def find_manifest_ranges(data: Source) -> list[tuple[int, int]]:
    """Return first and last offset (exclusive) of every stretch of the store; adjacent ones joined.

    Empty where there is none, or in a container in which it is not looked for.
    """
    ranges: list[tuple[int, int]] = []
    try:
        found = _ranges(data)
    except MalformedError:
        return []
    for start, end in found:
        if ranges and ranges[-1][1] == start:
            ranges[-1] = (ranges[-1][0], end)
        else:
            ranges.append((start, end))
    return ranges


def _ranges(data: Source) -> list[tuple[int, int]]:
    match sniff(data):
        case "png":
            return _spans(segment for segment in walk_png(data) if segment.kind == "caBX")
        case "jpeg":
            return _spans(segment for segment in walk_jpeg_head(data) if is_jumbf(data, segment))
        case "webp":
            return _spans(segment for segment in walk_webp(data) if segment.kind == "C2PA")
        case "gif":
            return _spans(segment for segment in walk_gif(data) if is_gif_manifest(data, segment))
        case "tiff":
            return _tiff_ranges(data)
        case _:
            return []


def _tiff_ranges(data: Source) -> list[tuple[int, int]]:
    """The store and its entry in the IFD, whose length and offset are written after hashing."""
    tags = [tag for tag in parse_exif(data) if tag.number == TIFF_TAG]
    entries = [(tag.entry_offset, tag.entry_offset + 12) for tag in tags]
    return sorted(entries + [(tag.offset, tag.offset + tag.size_bytes) for tag in tags])


def is_jumbf(data: Source, segment: Segment) -> bool:
    """Whether a JPEG segment carries a part of a JUMBF box."""
    return segment.kind == "APP11" and data[segment.payload_offset : segment.payload_offset + 2] == b"JP"


def is_gif_manifest(data: Source, segment: Segment) -> bool:
    """Whether a GIF extension carries a manifest store."""
    at = segment.payload_offset
    return segment.kind == "application" and data[at + 1 : at + 9] == GIF_NAME[:8]


def _spans(segments: Iterable[Segment]) -> list[tuple[int, int]]:
    return [(segment.offset, segment.end) for segment in segments]
