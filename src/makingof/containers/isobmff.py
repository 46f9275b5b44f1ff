"""ISO base media files (AVIF, HEIF) and JPEG XL boxes: the items and boxes that hold records."""

import struct
from collections.abc import Iterator

import msgspec

from makingof.containers.segment import Segment, take
from makingof.containers.source import Source
from makingof.errors import MalformedError

MAX_BOXES = 20_000
MAX_ITEMS = 10_000
MAX_EXTENTS = 20_000  # of all items: with fields of no width they would cost the writer nothing
MAX_ITEM_BYTES = 32 << 20
_C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_INSIDE = frozenset({"meta", "iprp", "ipco"})


class Item(msgspec.Struct, frozen=True, gc=False):
    """One item of a `meta` box that holds a record: EXIF or a MIME document such as XMP."""

    kind: str  # "Exif", or "mime" with its content type after a blank
    extents: tuple[tuple[int, int], ...]  # offset and size in the file

    def payload(self, data: Source) -> bytes:
        """Copy its extents out of the file, in their order.

        Extents may overlap, so their sum is limited: more than `MAX_ITEM_BYTES` is a `MalformedError`.
        """
        if sum(size for _, size in self.extents) > MAX_ITEM_BYTES:
            message = f"item is longer than the {MAX_ITEM_BYTES} bytes read here"
            raise MalformedError(message)
        return b"".join([data[offset : offset + size] for offset, size in self.extents])


def walk_boxes(data: Source) -> list[Segment]:
    """Return the top-level boxes in file order, covering the file.

    Source that begins with no box is a `MalformedError`.
    """
    boxes = list(_boxes(data, 0, len(data)))
    if not boxes:
        message = "data begins with no ISO base media box"
        raise MalformedError(message)
    end = boxes[-1].end
    if end < len(data):
        boxes.append(Segment("tail", end, len(data) - end, end, len(data) - end, "bytes that form no box"))
    return boxes


def _boxes(data: Source, start: int, end: int) -> Iterator[Segment]:
    at = start
    for _ in range(MAX_BOXES):
        if at + 8 > end:
            return
        size, kind = struct.unpack(">I4s", take(data, at, 8))
        head = 8
        if size == 1 and at + 16 <= end:
            size, head = int.from_bytes(take(data, at + 8, 8), "big"), 16
        elif size == 0:
            size = end - at
        name = kind.decode("latin-1")
        if size < head or not name.isprintable():
            return
        there = end - at
        damage = f"box claims {size} bytes and {there} are there" if size > there else ""
        size = min(size, there)
        yield Segment(name, at, size, at + head, size - head, damage)
        at += size


def find_c2pa(data: Source, boxes: list[Segment]) -> Segment | None:
    """Find the box that holds a C2PA manifest store: `uuid` in ISO files, `jumb` in JPEG XL."""
    for box in boxes:
        if box.kind == "jumb":
            return box
        if box.kind == "uuid" and data[box.payload_offset : box.payload_offset + 16] == _C2PA_UUID:
            return box
    return None


def find_items(data: Source, boxes: list[Segment]) -> list[Item]:
    """Return the EXIF and MIME items of the first `meta` box.

    Tables that do not parse are a `MalformedError`.
    """
    meta = next((box for box in boxes if box.kind == "meta"), None)
    if meta is None:
        return []
    inner = {
        box.kind: box for box in _boxes(data, meta.payload_offset + 4, meta.end)
    }  # past version and flags
    if "iinf" not in inner or "iloc" not in inner:
        return []
    try:
        kinds = dict(_item_kinds(data, inner["iinf"]))
        places = dict(_item_places(inner["iloc"].payload(data)))
    except (struct.error, IndexError) as err:
        message = f"tables of items do not parse: {err}"
        raise MalformedError(message) from err
    idat = inner["idat"].payload_offset if "idat" in inner else 0
    return [
        Item(kind, tuple((offset + (idat if method == 1 else 0), size) for offset, size in extents))
        for number, kind in kinds.items()
        for method, extents in [places.get(number, (0, []))]
        if method in (0, 1) and extents
    ]


def _item_kinds(data: Source, iinf: Segment) -> Iterator[tuple[int, str]]:
    version = take(data, iinf.payload_offset, 1)[0]
    start = iinf.payload_offset + (6 if version == 0 else 8)
    for number, infe in enumerate(_boxes(data, start, iinf.end)):
        if infe.kind != "infe" or number >= MAX_ITEMS:
            return
        entry = infe.payload(data)
        if entry[0] not in (2, 3):
            continue
        wide = entry[0] == 3  # noqa: PLR2004 - version 3 has 32-bit ids
        item = struct.unpack_from(">I" if wide else ">H", entry, 4)[0]
        rest = entry[10 if wide else 8 :]  # past the id and the protection index
        kind = rest[:4].decode("latin-1")
        if kind == "Exif":
            yield item, kind
        elif kind == "mime":
            names = rest[4:].split(b"\0")
            yield item, f"mime {names[1].decode('latin-1') if len(names) > 1 else ''}"


def _item_places(iloc: bytes) -> Iterator[tuple[int, tuple[int, list[tuple[int, int]]]]]:
    version = iloc[0]
    offset_size, length_size, base_size = iloc[4] >> 4, iloc[4] & 15, iloc[5] >> 4
    index_size = iloc[5] & 15 if version in (1, 2) else 0
    wide = version == 2  # noqa: PLR2004 - version 2 has 32-bit ids and count
    count = struct.unpack_from(">I" if wide else ">H", iloc, 6)[0]
    at = 10 if wide else 8
    left = MAX_EXTENTS
    for _ in range(min(count, MAX_ITEMS)):
        item = struct.unpack_from(">I" if wide else ">H", iloc, at)[0]
        at += 4 if wide else 2
        method = 0
        if version in (1, 2):
            method = struct.unpack_from(">H", iloc, at)[0] & 15
            at += 2
        at += 2  # data reference index
        base = _number(iloc, at, base_size)
        at += base_size
        extents = struct.unpack_from(">H", iloc, at)[0]
        at += 2
        found = []
        left -= extents
        if left < 0:
            return
        for _ in range(extents):
            at += index_size
            offset = base + _number(iloc, at, offset_size)
            at += offset_size
            found.append((offset, _number(iloc, at, length_size)))
            at += length_size
        yield item, (method, found)


def _number(data: bytes, at: int, size: int) -> int:
    if at + size > len(data):
        message = "table ends early"
        raise IndexError(message)
    return int.from_bytes(data[at : at + size], "big")
