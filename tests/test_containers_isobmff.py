import struct

import pytest
from tests import records_elsewhere as records

from makingof.containers.isobmff import Item, find_c2pa, find_items, walk_boxes
from makingof.errors import MalformedError


def box(kind, payload):
    return struct.pack(">I4s", len(payload) + 8, kind) + payload


def test_items_of_a_real_avif_are_found():
    block = records.exif({0x0131: b"Some Software 1.0\0"})
    packet = records.xmp({"xmp:CreatorTool": "Something"})
    data = records.avif(exif_block=b"Exif\0\0" + block, xmp_packet=packet)
    items = {item.kind: item.payload(data) for item in find_items(data, walk_boxes(data))}
    assert items["Exif"].endswith(block)
    assert items["mime application/rdf+xml"] == packet


def test_boxes_cover_the_file():
    data = records.avif(xmp_packet=b"<x/>") + b"abc"
    boxes = walk_boxes(data)
    assert b"".join([data[s.offset : s.end] for s in boxes]) == data


def test_extents_that_cost_nothing_to_claim_are_bounded():
    infe = box(b"infe", b"\x02\0\0\0" + struct.pack(">HH", 1, 0) + b"Exif\0")
    iinf = box(b"iinf", bytes(4) + struct.pack(">H", 1) + infe)
    entry = struct.pack(">HHH", 1, 0, 0xFFFF)
    iloc = box(b"iloc", bytes(6) + struct.pack(">H", 0xFFFF) + entry * 9_000)
    data = box(b"ftyp", b"avif\0\0\0\0") + box(b"meta", bytes(4) + iinf + iloc)
    assert find_items(data, walk_boxes(data)) == []


def test_overlapping_extents_are_not_copied_without_end():
    with pytest.raises(MalformedError):
        Item("Exif", tuple((0, 1 << 20) for _ in range(100))).payload(bytes(1 << 20))


def test_tables_that_end_early_are_malformed():
    iinf = box(b"iinf", bytes(4) + struct.pack(">H", 1) + box(b"infe", b"\x02\0\0\0\0"))
    data = box(b"meta", bytes(4) + iinf + box(b"iloc", bytes(8)))
    with pytest.raises(MalformedError):
        find_items(data, walk_boxes(data))


def test_a_manifest_is_found_by_its_uuid():
    uuid = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
    data = box(b"ftyp", b"avif\0\0\0\0") + box(b"uuid", uuid + b"rest")
    found = find_c2pa(data, walk_boxes(data))
    assert found is not None
    assert find_c2pa(data, walk_boxes(box(b"uuid", bytes(16)))) is None


def test_what_begins_with_no_box_is_malformed():
    with pytest.raises(MalformedError):
        walk_boxes(b"\0\0\0\x04ftyp")
