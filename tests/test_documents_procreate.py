"""Procreate, on synthesised files: strokes, tracked time, layers, time-lapse."""

import plistlib
import struct

import pytest
from tests.documents.drawing import DRAWING, Drawn, names
from tests.documents.procreate import SEGMENTS, keyed_archive, uuid, write_procreate

from makingof.errors import MalformedError
from makingof.metadata.documents.document import PictureRole
from makingof.metadata.documents.keyed_archive import KeyedArchive
from makingof.metadata.documents.read import read_document


def test_strokes_and_tracked_time_are_claims():
    document = read_document(write_procreate())
    assert document.tool == "procreate"
    assert document.claim("strokes") == "1423"
    assert document.claim("editing_seconds") == "5421.25"
    assert document.claim("title") == "猫 cat"
    assert document.claim("creator") is None  # the null object
    assert document.claim("recording_enabled") == "yes"
    assert document.claim("recording_purged") == "no"


def test_the_time_lapse_is_listed_by_number_and_can_be_got_out():
    data = write_procreate()
    recordings = read_document(data).recordings
    assert [recording.number for recording in recordings] == [1, 2, 10]
    assert [recording.stored.read(data) for recording in recordings] == list(SEGMENTS.values())
    assert {recording.media_type for recording in recordings} == {"video/mp4"}


def test_old_documents_keep_their_layers_in_a_flat_list():
    leaves = (Drawn("a", id=1), Drawn("b", id=2))
    document = read_document(write_procreate(leaves, archive=keyed_archive(leaves, tree=False)))
    assert [layer.name for layer in document.layers] == ["a", "b"]


def test_a_layer_has_its_id_and_a_mark_of_its_tiles():
    hand = DRAWING[1].children[0]
    by_name = {layer.name: layer for layer in read_document(write_procreate()).walk()}
    assert by_name["hand"].id == uuid(hand)
    assert by_name["hand"].mark.startswith("tiles:")
    assert by_name["修改 retouch"].mark is None


def test_a_mask_is_counted():
    document = read_document(write_procreate((Drawn("a", mask="m", id=1), Drawn("b", id=2))))
    assert [layer.masks for layer in document.layers] == [("",), ()]


def test_the_thumbnail_is_a_preview():
    (picture,) = read_document(write_procreate()).pictures
    assert picture.role is PictureRole.PREVIEW


@pytest.mark.parametrize(
    "archive", [b"", b"bplist00", b"not a list", plistlib.dumps({"a": 1}, fmt=plistlib.FMT_BINARY)]
)
def test_an_archive_that_does_not_read_leaves_the_recording(archive):
    document = read_document(write_procreate(archive=archive))
    assert document.layers == ()
    assert len(document.recordings) == 3
    assert document.damage[0].where == "Document.archive"


def test_an_archive_that_is_missing_is_no_procreate_document():
    assert read_document(write_procreate(without=("Document.archive",))) is None


def test_groups_that_hold_each_other_are_cut():
    ring = {
        "$class": plistlib.UID(2),
        "children": {"NS.objects": [plistlib.UID(1)]},
        "name": "ring",
    }
    objects = [
        "$null",
        ring,
        {"$classname": "SilicaGroup"},
        {"unwrappedLayers": {"NS.objects": [plistlib.UID(1)]}},
    ]
    archive = plistlib.dumps(
        {"$objects": objects, "$top": {"root": plistlib.UID(3)}}, fmt=plistlib.FMT_BINARY
    )
    document = read_document(write_procreate(archive=archive))
    assert max(depth for depth, _ in names(document.layers)) == 99
    assert any("groups in groups" in damage.what for damage in document.damage)


def test_references_that_lead_nowhere_are_none():
    archive = KeyedArchive([None, {"a": plistlib.UID(99), "b": plistlib.UID(0)}, plistlib.UID(1)], None)
    assert archive.follow(plistlib.UID(99)) is None
    assert archive.follow(plistlib.UID(2)) is None
    assert archive.get(archive.follow(plistlib.UID(1)), "a") is None
    assert archive.class_name(None) == ""


def hostile_list(objects, *, count=None, reference_bytes=2):
    """A binary property list put together by hand: (bytes of the objects, where each begins)."""
    body, starts = objects
    table = b"".join(start.to_bytes(4, "big") for start in starts)
    trailer = struct.pack(
        ">6xBBQQQ", 4, reference_bytes, len(starts) if count is None else count, 0, 8 + len(body)
    )
    return b"bplist00" + body + table + trailer


def test_objects_that_overlap_are_refused_before_they_are_unfolded():
    """A megabyte of text, named ten thousand times, would be ten gigabytes."""
    text = b"\x5f\x12" + (1 << 20).to_bytes(4, "big") + b"a" * (1 << 20)
    with pytest.raises(MalformedError, match="overlap"):
        KeyedArchive.parse(hostile_list((text, [8] * 10_000)))


@pytest.mark.parametrize(
    "data",
    [
        hostile_list((b"\x09", [8]), count=1 << 60),
        hostile_list((b"\x09", [8]), count=0),
        hostile_list((b"\xaf\x13" + b"\xff" * 8, [8])),
        hostile_list((b"\xa1\0\0", [8])),
        b"bplist00" + b"\xd1\x01\x02" * 20 + bytes(32),
    ],
)
def test_a_hostile_list_is_malformed(data):
    with pytest.raises(MalformedError):
        KeyedArchive.parse(data)


def test_nesting_beyond_the_stack_is_malformed():
    depth = 5_000
    body, starts = b"", []
    for number in range(depth):
        starts.append(8 + len(body))
        body += b"\xa1" + (number + 1).to_bytes(2, "big")
    starts.append(8 + len(body))
    with pytest.raises(MalformedError):
        KeyedArchive.parse(hostile_list((body + b"\x09", starts)))
