"""From container to records: every text a file carries beside its pixels.

Damage stays with the record that has it; nothing here fails for the whole file.
"""

from collections.abc import Callable

from makingof.containers.gif import join_blocks, screen_size, walk_gif
from makingof.containers.isobmff import find_c2pa, find_items, walk_boxes
from makingof.containers.jpeg import frame_size, walk_jpeg_head
from makingof.containers.manifest import is_gif_manifest, is_jumbf
from makingof.containers.png import parse_header, parse_text_chunk, walk_png
from makingof.containers.segment import Segment
from makingof.containers.sniff import sniff
from makingof.containers.source import Source
from makingof.containers.webp import canvas_size, has_alpha, is_lossless, walk_webp
from makingof.errors import MalformedError
from makingof.metadata.collect import Collector
from makingof.metadata.record import Sheet

_PNG_TEXT_KINDS = frozenset({"tEXt", "zTXt", "iTXt", "comf"})
_EXIF = b"Exif\0\0"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
_PHOTOSHOP = b"Photoshop 3.0\0"
_PARAMETERS = b"parameters\0"


def gather(data: Source, name: str | None = None) -> Sheet:
    """Collect the records of a file, in file order. A file of an unknown kind has none.

    Of `name`, which may be a path of any system, the last part counts.
    """
    name = name.replace("\\", "/").rpartition("/")[2] if name else None
    container = sniff(data)
    read = _CONTAINERS.get(container or "")
    if container is None or read is None:
        return Sheet(container, name, None, None, ())
    collector = Collector(container)
    size: tuple[int, int] | None
    try:
        size, alpha = read(data, collector)
    except MalformedError as err:  # the head of the file itself; what was found before stands
        collector.damage(str(err))
        size, alpha = None, False
    width, height = size or (None, None)
    return Sheet(container, name, width, height, tuple(collector.records), tuple(collector.packets()), alpha)


Shape = tuple[tuple[int, int] | None, bool]
"""Width and height if known, and whether hidden text may lie in an alpha channel."""


def _png(data: Source, collector: Collector) -> Shape:
    for segment in walk_png(data):
        if segment.kind in _PNG_TEXT_KINDS:
            _png_text(data, segment, collector)
        elif segment.kind == "eXIf":
            collector.exif(segment.payload(data), segment.payload_offset, "eXIf")
        elif segment.kind == "caBX":
            collector.add(
                "caBX", "C2PA", segment.payload(data), segment.payload_offset, damage=segment.damage
            )
    header = parse_header(data)
    return (header.width, header.height), header.has_alpha


def _png_text(data: Source, segment: Segment, collector: Collector) -> None:
    raw = segment.payload(data)
    offset = segment.payload_offset
    try:
        chunk = parse_text_chunk(segment.kind, raw, limit_bytes=collector.inflate_limit)
    except MalformedError as err:
        collector.failures += 1
        keyword = raw.partition(b"\0")[0][:79].decode("latin-1")
        collector.add(f"{segment.kind}:{keyword}", keyword, raw, offset, damage=segment.damage or str(err))
        return
    collector.chunk(segment.kind, chunk, raw, offset, segment.damage)


def _jpeg(data: Source, collector: Collector) -> Shape:
    segments = walk_jpeg_head(data)
    for segment in segments:
        if segment.kind == "COM":
            collector.add_bytes("COM", "COM", segment.payload(data), segment.payload_offset, segment.damage)
        elif segment.kind.startswith("APP"):
            _jpeg_app(data, segment, collector)
    collector.join_jumbf()
    collector.join_extended_xmp()
    return frame_size(data, segments), False


def _jpeg_app(data: Source, segment: Segment, collector: Collector) -> None:
    payload, offset = segment.payload(data), segment.payload_offset
    if payload.startswith(_EXIF):
        collector.exif(payload, offset, "")
    elif payload.startswith(_XMP):
        collector.xmp(payload[len(_XMP) :], offset + len(_XMP), "APP1", segment.damage)
    elif payload.startswith(_EXTENDED_XMP):
        collector.extended_xmp(payload[len(_EXTENDED_XMP) :])
    elif payload.startswith(_PHOTOSHOP):
        collector.photoshop(payload[len(_PHOTOSHOP) :], offset + len(_PHOTOSHOP))
    elif is_jumbf(data, segment):
        collector.jumbf_part(payload)
    elif payload.startswith(_PARAMETERS):
        at = len(_PARAMETERS)
        collector.add_bytes(
            f"{segment.kind}:parameters", "parameters", payload[at:], offset + at, segment.damage
        )


def _webp(data: Source, collector: Collector) -> Shape:
    segments = walk_webp(data)
    for segment in segments:
        if segment.kind == "EXIF":
            collector.exif(segment.payload(data), segment.payload_offset, "EXIF")
        elif segment.kind == "XMP":
            collector.xmp(segment.payload(data), segment.payload_offset, "XMP", segment.damage)
        elif segment.kind == "C2PA":
            collector.add(
                "C2PA", "C2PA", segment.payload(data), segment.payload_offset, damage=segment.damage
            )
    return canvas_size(data, segments), is_lossless(segments) and has_alpha(data, segments)


def _gif(data: Source, collector: Collector) -> Shape:
    for segment in walk_gif(data):
        if segment.kind == "comment":
            raw = segment.payload(data)
            collector.add_joined(
                "comment", "COM", raw, segment.payload_offset, join_blocks(raw), segment.damage
            )
        elif is_gif_manifest(data, segment):
            raw = segment.payload(data)
            collector.add("C2PA_GIF", "C2PA", join_blocks(raw[12:]), None, damage=segment.damage)
        elif segment.kind == "application" and segment.payload(data)[1:12] == b"XMP DataXMP":
            # XMP lies there without sub-blocks; the ladder of bytes behind it stops readers of sub-blocks.
            packet = segment.payload(data)[12:]
            ladder = packet.rfind(b"\x01\xff\xfe\xfd")
            packet = packet[:ladder] if ladder >= 0 else packet
            collector.xmp(packet, segment.payload_offset + 12, "XMP", segment.damage)
    return screen_size(data), False


def _tiff(data: Source, collector: Collector) -> Shape:
    collector.exif(data, 0, "TIFF")
    return None, False


def _iso(data: Source, collector: Collector) -> Shape:
    boxes = walk_boxes(data)
    if (box := find_c2pa(data, boxes)) is not None:
        at = (
            0 if box.kind == "jumb" else 16 + 4
        )  # past the UUID and version and flags; the box's purpose follows
        raw = data[box.offset : box.end] if box.kind == "jumb" else _after_purpose(box.payload(data)[at:])
        collector.add(box.kind, "C2PA", raw, box.end - len(raw), damage=box.damage)
    for box in boxes:  # JPEG XL keeps its records in boxes of their own
        if box.kind == "Exif":
            collector.exif(box.payload(data), box.payload_offset, "Exif", has_offset=True)
        elif box.kind == "xml ":
            collector.xmp(box.payload(data), box.payload_offset, "xml", box.damage)
    for item in find_items(data, boxes):
        offset = item.extents[0][0] if len(item.extents) == 1 else None
        if item.kind == "Exif":
            collector.exif(item.payload(data), offset, "Exif", has_offset=True)
        elif item.kind == "mime application/rdf+xml":
            collector.xmp(item.payload(data), offset, "XMP", "")
    return None, False


def _after_purpose(payload: bytes) -> bytes:
    """Skip the purpose (`manifest`) and the merkle offset of C2PA's UUID box."""
    return payload[payload.find(b"\0") + 1 + 8 :]


_CONTAINERS: dict[str, Callable[[Source, Collector], Shape]] = {
    "png": _png,
    "jpeg": _jpeg,
    "webp": _webp,
    "gif": _gif,
    "tiff": _tiff,
    "avif": _iso,
    "heif": _iso,
    "jxl": _iso,
}
