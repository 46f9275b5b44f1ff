"""PSD and PSB: resources, layer records, the merged picture, and lengths that lie."""

import struct

import pytest
from tests.documents.drawing import DRAWING, Drawn, names
from tests.documents.psd import XMP, block, layer_info, resource, write_psd

from makingof.metadata.documents.document import Claim, LayerKind, PictureRole, Step
from makingof.metadata.documents.read import read_document, read_document_file


def test_xmp_tells_program_times_history_and_ancestors():
    document = read_document(write_psd())
    assert (document.tool, document.tool_version) == ("photoshop", "Adobe Photoshop 26.1 (Windows)")
    assert document.claim("created_at") == "2026-03-01T10:00:00+08:00"
    assert document.claim("modified_at") == "2026-03-01T11:30:00+08:00"
    history = document.history
    assert [step.action for step in history.steps] == ["created", "saved"]
    assert history.steps[1] == Step(
        "saved",
        "2026-03-01T11:30:00+08:00",
        "Adobe Photoshop 26.1 (Windows)",
        "xmp.iid:three",
        "/",
        None,
        "8BIM:1060 XMP History[2]",
    )
    assert history.ancestors == ("xmp.did:pasted", "0A1B2C")
    assert history.derived_from == ("xmp.did:one", "xmp.iid:one")
    assert (history.document_id, history.original_id) == ("xmp.did:two", "xmp.did:one")
    assert history.log == "2026-03-01\t打开 a.png\n画笔工具"


def test_the_same_packet_is_a_reading_with_its_span():
    data = write_psd()
    (reading,) = [reading for reading in read_document(data).readings if reading.tool == "photoshop"]
    span = reading.locator
    assert data[span.offset : span.offset + span.size_bytes] == reading.raw == XMP
    assert "saved" in reading.value("tool:History")


def test_a_document_without_xmp_is_named_by_its_writer():
    document = read_document(write_psd(xmp=None, resources=[]))
    assert document.tool is None
    assert document.history.is_empty
    version = struct.pack(">IBI", 1, 1, 15) + "Adobe Photoshop".encode("utf-16-be")
    assert read_document(write_psd(xmp=None, resources=[(1057, version)])).tool == "photoshop"


def test_damaged_xmp_is_said_and_kept():
    document = read_document(write_psd(xmp=b"<x:xmpmeta><broken"))
    assert any("XMP" in str(damage) for damage in document.damage)
    assert any(reading.raw == b"<x:xmpmeta><broken" for reading in document.readings)
    assert list(names(document.layers)) == list(names(DRAWING))


def test_names_with_a_trailing_null_lose_it():
    """Krita's export writes one."""
    assert list(names(read_document(write_psd(trailing_null=True)).layers)) == list(names(DRAWING))


def test_a_layer_without_a_unicode_name_keeps_its_old_one():
    data = write_psd((Drawn("plain", size=(2, 2)),)).replace(b"luni", b"luxx")
    assert [layer.name for layer in read_document(data).layers] == ["plain"]


def test_a_name_with_half_a_character_can_be_written_down():
    raw = "a\ud800b".encode("utf-16-be", "surrogatepass")
    data = write_psd((Drawn("axb", size=(2, 2)),)).replace("axb".encode("utf-16-be"), raw)
    (layer,) = read_document(data).layers
    assert layer.name == "a\ufffdb"


def test_ids_and_layer_times_come_back_as_the_file_has_them():
    by_name = {layer.name: layer for layer in read_document(write_psd()).walk()}
    assert by_name["hand"].id == "13"
    assert by_name["hand"].made_at == "1772330413.5"
    assert by_name["hand"].at == (20, 30)
    assert by_name["hand"].size == (16, 16)


@pytest.mark.parametrize("big", [False, True])
def test_the_span_of_a_layer_is_its_own_pixels(big):
    data = write_psd(big=big)
    layer = next(layer for layer in read_document(data).walk() if layer.name == "hand")
    assert layer.stored.read(data) == b"".join(
        struct.pack(">H", 0) + bytes([value]) * 256 for value in (255, 250, 200, 180)
    )


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (b"TySh", LayerKind.TEXT),
        (b"SoLd", LayerKind.EMBEDDED),
        (b"curv", LayerKind.ADJUSTMENT),
        (b"SoCo", LayerKind.FILL),
        (b"vscg", LayerKind.VECTOR),
    ],
)
def test_kinds_are_told_by_their_blocks(key, kind):
    data = write_psd((Drawn("one", size=(2, 2), id=5),)).replace(b"lyid", key)
    assert read_document(data).layers[0].kind is kind


def test_a_mask_is_counted():
    document = read_document(write_psd((Drawn("a", size=(2, 2), mask="m"), Drawn("b", size=(2, 2)))))
    assert [layer.masks for layer in document.layers] == [("",), ()]


def test_the_thumbnail_is_the_jpeg_behind_its_header():
    jpeg = b"\xff\xd8\xff\xe0 thumbnail \xff\xd9"
    data = write_psd(thumbnail=jpeg)
    (picture,) = read_document(data).pictures
    assert picture.role is PictureRole.PREVIEW
    assert (picture.media_type, picture.width) == ("image/jpeg", 16)
    assert picture.stored.read(data) == jpeg


def test_the_merged_picture_is_the_rest_of_the_file():
    data = write_psd()
    composite = read_document(data).composite
    assert composite.stored.read(data) == data[composite.stored.offset :]
    assert composite.media_type is None


def test_a_blank_written_in_place_of_the_merged_picture_is_not_claimed():
    document = read_document(write_psd(real_composite=False))
    assert document.composite is None
    assert Claim("merged_picture", "no", "8BIM:1057") in document.claims


def test_iptc_and_exif_are_read_by_the_shared_readers():
    caption = b"\x1c\x02\x78\x00\x05hello"
    exif = b"MM\0*\0\0\0\x08\0\x01\x01\x0e\0\x02\0\0\0\x06\0\0\0\x1a\0\0\0\0" + b"a cat\0"
    document = read_document(write_psd(resources=[(1028, caption), (1058, exif)]))
    values = {value.value for reading in document.readings for value in reading.fields.values()}
    assert {"hello", "a cat"} <= values


def test_signs_of_generative_tools_that_nobody_documents_are_kept():
    data = write_psd(blocks=[(b"GenI", b"\0\0\0\x10 something"), (b"CAI ", b"credentials")])
    kept = {reading.locator.place: reading.raw for reading in read_document(data).readings}
    assert kept["8BIM:GenI"] == b"\0\0\0\x10 something"
    assert kept["8BIM:CAI"] == b"credentials"


def test_lengths_of_four_gigabytes_are_cut_and_said():
    data = bytearray(write_psd())
    at = 26
    resources = int.from_bytes(data[at + 4 : at + 8], "big")
    layers_at = at + 8 + resources
    struct.pack_into(">I", data, layers_at, 0xFFFFFFFF)
    document = read_document(bytes(data))
    assert any("section claims 4294967295 bytes" in damage.what for damage in document.damage)
    assert list(names(document.layers)) == list(names(DRAWING))
    struct.pack_into(">I", data, layers_at + 4, 0xFFFFFFF0)
    assert list(names(read_document(bytes(data)).layers)) == list(names(DRAWING))
    struct.pack_into(">I", data, at + 4, 0xFFFFFFFF)
    document = read_document(bytes(data))
    assert document.tool == "photoshop"
    assert document.layers == ()


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.8, 0.99])
def test_a_file_cut_anywhere_is_read_as_far_as_it_goes(share):
    data = write_psd()
    document = read_document(data[: max(30, int(len(data) * share))])
    assert document.width == 96
    assert document.damage or document.composite


def test_a_damaged_layer_record_leaves_those_below_it():
    data = bytearray(write_psd())
    third = [at for at in range(len(data)) if data[at : at + 8] == b"8BIMnorm"][2]
    data[third : third + 4] = b"XXXX"
    document = read_document(bytes(data))
    assert [name for _, name in names(document.layers)] == ["generated"]
    assert any("layer 3 of 8" in damage.what for damage in document.damage)


def test_a_group_that_does_not_end_or_begin_is_said():
    data = write_psd().replace(b"lsct\0\0\0\4\0\0\0\3", b"lsct\0\0\0\4\0\0\0\1")
    assert any("groups do not end" in damage.what for damage in read_document(data).damage)
    data = write_psd().replace(b"lsct\0\0\0\4\0\0\0\1", b"lsct\0\0\0\4\0\0\0\3")
    assert any("has not begun" in damage.what for damage in read_document(data).damage)


def test_groups_nested_deep_are_closed_by_another_block():
    data = write_psd().replace(b"lsct\0\0\0\4\0\0\0\3", b"lsdk\0\0\0\4\0\0\0\3")
    assert list(names(read_document(data).layers)) == list(names(DRAWING))


def test_a_resource_of_a_foreign_signature_is_stepped_over():
    data = write_psd()
    foreign = resource(1000, b"odd", signature=b"MeSa")
    length = int.from_bytes(data[30:34], "big") + len(foreign)
    mixed = data[:30] + struct.pack(">I", length) + foreign + data[34:]
    assert read_document(mixed).tool == "photoshop"


def test_a_second_packet_is_left_out_and_said():
    document = read_document(write_psd(resources=[(1060, XMP)]))
    assert any("second XMP packet" in damage.what for damage in document.damage)


def test_a_layer_that_claims_a_thousand_channels_is_malformed_and_bounded():
    info = bytearray(layer_info(DRAWING))
    struct.pack_into(">H", info, 2 + 16, 60_000)
    data = write_psd().replace(layer_info(DRAWING), bytes(info))
    assert "channels" in read_document(data).damage[0].what


def test_blocks_that_never_end_are_bounded():
    data = write_psd(blocks=[(b"abcd", b"")] * 2000 + [(b"zzzz", b"x")])
    assert list(names(read_document(data).layers)) == list(names(DRAWING))
    torn = write_psd(blocks=[(b"abcd", b"1234")]).replace(
        block(b"abcd", b"1234"), b"8BIMabcd\xff\xff\xff\xff1234"
    )
    assert any("claims 4294967295 bytes" in damage.what for damage in read_document(torn).damage)


class Counting:
    """A file of claimed size that counts what is read of it."""

    def __init__(self, file):
        self._file = file
        self.read_bytes = 0

    def seek(self, *where):
        return self._file.seek(*where)

    def read(self, count):
        data = self._file.read(count)
        self.read_bytes += len(data)
        return data


@pytest.mark.parametrize("pixels", [300 << 20, 4_000 << 20])
def test_the_layer_list_of_four_gigabytes_does_not_read_the_pixels(tmp_path, pixels):
    """The pixels are a hole in a sparse file, behind true records."""
    data = write_psd((Drawn("huge", size=(1, 1), id=1), *DRAWING))
    info = layer_info((Drawn("huge", size=(1, 1), id=1), *DRAWING))
    at = data.index(info)
    last = [n for n in range(at, at + len(info)) if data[n : n + 8] == b"8BIMnorm"][-1]
    grown = bytearray(data[: at + len(info)])
    struct.pack_into(">I", grown, last - 4, pixels)  # the length of the top layer's last channel
    struct.pack_into(">I", grown, at - 4, len(info) + pixels)
    struct.pack_into(">I", grown, at - 8, len(info) + pixels + 8)
    path = tmp_path / "large.psd"
    with path.open("wb") as file:
        file.write(grown)
        file.seek(pixels, 1)
        file.write(data[at + len(info) :])
    with path.open("rb") as file:
        counting = Counting(file)
        document = read_document_file(counting)
    assert [layer.name for layer in document.layers][:2] == ["huge", "题字"]
    assert document.layers[0].stored.size_bytes > pixels
    assert counting.read_bytes < 64 << 10
