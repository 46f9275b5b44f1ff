"""One drawing in every format: names, order, groups, visibility and opacity come back."""

import mmap

import pytest
from tests.documents import clipstudio, gimp, krita, openraster, procreate, psd
from tests.documents.drawing import DRAWING, HEIGHT, WIDTH, Drawn, merged, names, png, walk
from tests.documents.zipped import write_zip

from makingof.digest import Digest
from makingof.errors import MalformedError
from makingof.metadata.documents.document import LayerKind, PictureRole
from makingof.metadata.documents.read import read_document, read_document_file
from makingof.metadata.documents.stored import stored_digest

FORMATS = {
    "psd": psd.write_psd(),
    "psb": psd.write_psd(big=True),
    "psd, 16 bits": psd.write_psd(depth=16),
    "psb, 16 bits": psd.write_psd(big=True, depth=16),
    "kra": krita.write_kra(),
    "ora": openraster.write_ora(),
    "xcf 0": gimp.write_xcf(version=0),
    "xcf 3": gimp.write_xcf(version=3),
    "xcf 11": gimp.write_xcf(version=11),
    "procreate": procreate.write_procreate(),
    "clip": clipstudio.write_clip(),
}
SHARE = {"psd": "128/255", "psb": "128/255", "kra": "128/255", "clip": "128/256"}

every_format = pytest.mark.parametrize("data", FORMATS.values(), ids=FORMATS)


@every_format
def test_layers_come_back_with_names_order_and_groups(data):
    document = read_document(data)
    assert list(names(document.layers)) == list(names(DRAWING))
    kinds = {layer.name: layer.kind for layer in document.walk()}
    assert {name for name, kind in kinds.items() if kind is LayerKind.GROUP} == {"修改 retouch", "光 light"}
    assert document.damage == ()


@every_format
def test_visibility_and_opacity_come_back(data):
    document = read_document(data)
    assert [layer.visible for layer in document.walk()] == [drawn.visible for drawn in walk(DRAWING)]
    opacity = next(layer.opacity for layer in document.walk() if layer.name == "题字")
    number, _, scale = opacity.partition("/")
    assert abs(float(number) / float(scale or 1) - 128 / 255) < 0.002


@every_format
def test_size_comes_back(data):
    document = read_document(data)
    assert (document.width, document.height) == (WIDTH, HEIGHT)


@every_format
def test_a_map_and_an_open_file_say_the_same_as_bytes(data, tmp_path):
    path = tmp_path / "document"
    path.write_bytes(data)
    expected = read_document(data, "a.doc")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert read_document(mapped, "a.doc") == expected
        assert read_document_file(file, "a.doc") == expected
    assert expected.name == "a.doc"


@every_format
def test_every_picture_and_recording_can_be_got_out_again(data):
    document = read_document(data)
    places = [picture.stored for picture in document.pictures]
    places += [recording.stored for recording in document.recordings]
    places += [layer.stored for layer in document.walk() if layer.stored]
    for place in places:
        assert len(place.read(data)) == place.size_bytes
        if place.locator.offset is not None:
            start = place.locator.offset
            assert data[start : start + place.locator.size_bytes] == place.read(data)


@pytest.mark.parametrize("name", ["kra", "ora"])
def test_the_merged_picture_is_the_one_that_was_written(name):
    document = read_document(FORMATS[name])
    assert document.composite.role is PictureRole.COMPOSITE
    assert document.composite.media_type == "image/png"
    assert stored_digest(document.composite.stored, FORMATS[name]) == Digest.of(png(merged()))


@pytest.mark.parametrize(
    "data", [b"", b"8BP", png(merged()), b"PK\3\4" + bytes(40), write_zip([("a", b"")]), b"\0" * 64]
)
def test_other_files_are_no_documents(data):
    assert read_document(data) is None


@pytest.mark.parametrize(
    "data", [b"8BPS\0\1", b"8BPS\0\x09" + bytes(40), b"gimp xcf v0x1\0" + bytes(40), b"gimp xcf v001"]
)
def test_a_header_that_breaks_off_or_is_unknown_is_malformed(data):
    with pytest.raises(MalformedError):
        read_document(data)


def test_the_bytes_decide_and_not_the_name():
    assert read_document(FORMATS["kra"], "cheated.psd").format == "kra"
    assert read_document(png(merged()), "cheated.kra") is None


def test_a_document_of_another_office_program_is_none_of_ours():
    word = write_zip([("mimetype", b"application/x-kword"), ("maindoc.xml", b"<DOC><PAPER/></DOC>")])
    assert read_document(word) is None


def test_krita_documents_packed_again_by_another_program_are_known():
    """Templates that come with Krita name `application/zip` as their type."""
    packed = write_zip([("mimetype", b"application/zip"), ("maindoc.xml", krita.maindoc().encode())])
    assert read_document(packed).format == "kra"
    assert read_document(write_zip([("maindoc.xml", krita.maindoc().encode())])).format == "kra"


@pytest.mark.parametrize("name", ["kra", "ora", "procreate"])
def test_half_a_zipped_document_gives_what_came_first(name):
    data = FORMATS[name]
    document = read_document(data[: data.index(b"PK\1\2")])
    assert list(names(document.layers)) == list(names(DRAWING))
    assert "directory is missing" in document.damage[0].what


def test_two_thousand_layers_are_read():
    many = tuple(Drawn(f"layer {n}", size=(1, 1), id=n + 10) for n in range(2000))
    for data in (psd.write_psd(many), clipstudio.write_clip(many), procreate.write_procreate(many)):
        assert len(read_document(data).layers) == 2000


def test_groups_nested_beyond_every_program_are_cut_and_never_overflow():
    deep = Drawn("bottom", size=(1, 1), id=9)
    for number in range(150):
        deep = Drawn(f"group {number}", children=(deep,), id=number + 10)
    for data in (
        psd.write_psd((deep,)),
        gimp.write_xcf((deep,)),
        procreate.write_procreate((deep,)),
        clipstudio.write_clip((deep,)),
        krita.write_kra((deep,)),
        openraster.write_ora((deep,)),
    ):
        document = read_document(data)
        assert max((depth for depth, _ in names(document.layers)), default=0) <= 101
        assert repr(document)
