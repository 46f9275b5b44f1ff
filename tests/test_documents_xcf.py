"""GIMP's XCF: layers by pointer, groups by path, and what parasites keep of the picture before."""

import base64
import struct

import pytest
from tests.documents.drawing import DRAWING, Drawn, names
from tests.documents.gimp import PARASITES, TAGS, metadata, write_xcf

from makingof.metadata.documents.document import LayerKind
from makingof.metadata.documents.read import read_document
from makingof.reading import State


def read_with(tags):
    return read_document(write_xcf(parasites=(("gimp-image-metadata", metadata(tags)),)))


def test_a_prompt_from_the_jpeg_before_survives_two_encodings_deep():
    """GIMP spells the bytes of `UserComment` as decimal numbers inside XML."""
    (reading,) = [reading for reading in read_document(write_xcf()).readings if reading.tool == "a1111"]
    assert reading.value("prompt") == "a jade cat, 光"
    assert reading.value("negative") == "text"
    assert reading.value("seed") == "42"
    assert reading.locator.place == "parasite:gimp-image-metadata Exif.Photo.UserComment"


def test_every_tag_is_kept():
    (reading,) = [reading for reading in read_document(write_xcf()).readings if reading.tool == "gimp"]
    assert {f"tool:{tag}" for tag in TAGS} == set(reading.fields)
    assert reading.raw == metadata()


def test_history_ids_and_dates_come_out_of_the_tags():
    document = read_document(write_xcf())
    (step,) = document.history.steps
    assert (step.action, step.when, step.agent) == ("saved", "2026-03-01T12:00:00+08:00", "Gimp 2.10 (Linux)")
    assert document.history.document_id == "gimp:docid:gimp:1"
    assert document.claim("modified_at") == "2026:03:01 12:00:00"
    assert document.tool_version == "GIMP 2.10.34"


def test_ancestors_and_photoshop_s_log_survive_in_gimp():
    history = read_with(
        {
            "Xmp.photoshop.DocumentAncestors[1]": "xmp.did:pasted",
            "Xmp.photoshop.History": "打开",
            "Xmp.xmpMM.DerivedFrom/stRef:documentID": "xmp.did:before",
            "Xmp.xmpMM.History[10]/stEvt:action": "second",
            "Xmp.xmpMM.History[9]/stEvt:action": "first",
        }
    ).history
    assert history.ancestors == ("xmp.did:pasted",)
    assert history.log == "打开"
    assert history.derived_from == ("xmp.did:before",)
    assert [step.action for step in history.steps] == ["first", "second"]


def test_values_in_base64_are_decoded():
    raw = metadata({"Iptc.Application2.Caption": "X"}).replace(
        b'Caption">X', b'Caption" encoding="base64">' + base64.b64encode("说明".encode())
    )
    document = read_document(write_xcf(parasites=(("gimp-image-metadata", raw),)))
    assert document.readings[0].value("tool:Iptc.Application2.Caption") == "说明"
    broken = raw.replace(b'base64">', b'base64">*')
    document = read_document(write_xcf(parasites=(("gimp-image-metadata", broken),)))
    assert "no base64" in document.damage[0].what


def test_a_comment_is_a_claim_and_kept_with_its_span():
    data = write_xcf()
    document = read_document(data)
    assert document.claim("comment") == "drawn by hand"
    (reading,) = [reading for reading in document.readings if "gimp-comment" in reading.locator.place]
    start = reading.locator.offset
    assert data[start : start + reading.locator.size_bytes] == reading.raw == PARASITES[0][1]


def test_a_parasite_written_twice_counts_once_and_the_later_wins():
    document = read_document(write_xcf(parasites=(("gimp-comment", b"one"), ("gimp-comment", b"two"))))
    assert document.claim("comment") == "two"


def test_a_parasite_that_is_no_text_is_kept_as_bytes():
    document = read_document(write_xcf(parasites=(("icc-profile", b"\xff\xfe\0\1"),)))
    assert [(reading.state, reading.raw) for reading in document.readings] == [
        (State.UNREADABLE, b"\xff\xfe\0\1")
    ]


def test_the_wrong_length_of_old_colour_maps_is_not_believed():
    document = read_document(write_xcf(version=3, colormap=True))
    assert list(names(document.layers)) == list(names(DRAWING))
    assert document.claim("comment") == "drawn by hand"


def test_masks_and_tattoos_come_back():
    document = read_document(write_xcf((Drawn("a", mask="遮罩 mask", id=77),)))
    (layer,) = document.layers
    assert (layer.masks, layer.id, layer.kind) == (("遮罩 mask",), "77", LayerKind.PAINT)


def test_the_exact_opacity_is_preferred():
    opacity = {layer.name: layer.opacity for layer in read_document(write_xcf()).walk()}
    assert opacity["题字"] == "0.501961"
    opacity = {layer.name: layer.opacity for layer in read_document(write_xcf(version=3)).walk()}
    assert opacity["题字"] == "128/255"


def test_a_broken_pointer_loses_one_layer_and_says_that_groups_may_be_wrong():
    data = bytearray(write_xcf(DRAWING, parasites=()))
    at = 14 + 16 + 9 + 8  # behind name, size and the image's two properties
    struct.pack_into(">Q", data, at + 5 * 8, 1 << 60)
    document = read_document(bytes(data))
    assert [name for _, name in names(document.layers)] == [name for _, name in names(DRAWING)][:-1]
    assert "layer 6 of 6" in document.damage[0].where
    assert "wrong group" in document.damage[1].what


def test_damage_is_counted_beyond_what_is_listed():
    many = tuple(Drawn(f"l{n}", size=(1, 1), id=n + 1) for n in range(700))
    data = bytearray(write_xcf(many, parasites=()))
    at = 14 + 16 + 9 + 8
    data[at : at + 8 * 700] = struct.pack(">Q", 1 << 60) * 700
    damage = read_document(bytes(data)).damage
    assert len(damage) == 501
    assert damage[-1].what == "201 more parts are damaged than are listed"


def test_a_layer_in_a_group_that_is_not_there_stands_at_the_top():
    data = write_xcf().replace(struct.pack(">II", 29, 0), struct.pack(">II", 99, 0))
    document = read_document(data)
    assert {name for depth, name in names(document.layers) if depth == 0} >= {"hand", "generated"}
    assert any("group that is not there" in damage.what for damage in document.damage)


def test_layers_that_all_point_into_one_endless_list_are_bounded():
    head = b"gimp xcf v003\0" + struct.pack(">III", 10, 10, 0) + struct.pack(">II", 0, 0)
    count = 30_000
    after = len(head) + 4 * (count + 1) + 4
    body = struct.pack(">IIII", 10, 10, 0, 0) + struct.pack(">II", 9, 0) * 2_000
    data = head + struct.pack(">I", after) * count + struct.pack(">II", 0, 0) + body
    document = read_document(data)
    assert document.layers == ()
    assert any("more properties than are read here" in damage.what for damage in document.damage)


@pytest.mark.parametrize("share", [0.001, 0.01, 0.02, 0.3, 0.9])
def test_a_file_cut_anywhere_is_read_as_far_as_it_goes(share):
    data = write_xcf()
    document = read_document(data[: max(26, int(len(data) * share))])
    assert (document.width, document.height) == (96, 80)


def test_a_newer_version_is_read_by_the_same_rules():
    assert list(names(read_document(write_xcf(version=26)).layers)) == list(names(DRAWING))


@pytest.mark.parametrize("xml", [b"", b"<metadata", b"<metadata>" + b"<tag>" * 500, b"\xff\xff"])
def test_metadata_that_does_not_parse_is_said_and_kept(xml):
    document = read_document(write_xcf(parasites=(("gimp-image-metadata", xml),)))
    assert document.damage
    assert any(reading.state is State.UNREADABLE and reading.raw == xml for reading in document.readings)
