"""OpenRaster."""

import pytest
from tests.documents.drawing import DRAWING, Drawn, names
from tests.documents.openraster import stack, write_ora
from tests.documents.zipped import write_zip

from makingof.metadata.documents.document import PictureRole
from makingof.metadata.documents.read import read_document


def test_a_layer_names_its_picture():
    data = write_ora()
    by_name = {layer.name: layer for layer in read_document(data).walk()}
    assert by_name["hand"].stored.read(data).startswith(b"\x89PNG")
    assert by_name["hand"].at == (20, 30)
    assert by_name["修改 retouch"].stored is None


def test_what_is_not_said_is_not_filled_in_but_for_visibility():
    xml = (
        stack((Drawn("a", id=1),))
        .replace(' opacity="1.0000"', "")
        .replace(' composite-op="svg:src-over"', "")
    )
    (layer,) = read_document(write_zip([("stack.xml", xml.encode())])).layers
    assert (layer.visible, layer.opacity, layer.blend) == (True, None, None)


def test_the_format_names_no_program_and_no_date():
    document = read_document(write_ora())
    assert (document.tool, document.claims, document.readings) == (None, (), ())


def test_thumbnail_and_pictures_of_no_layer_are_listed():
    document = read_document(write_ora(extra=[("data/unused.png", b"\x89PNG")]))
    assert [picture.role for picture in document.pictures] == [PictureRole.PREVIEW, PictureRole.REFERENCE]


def test_a_picture_that_is_missing_is_said():
    document = read_document(write_ora(without=("data/13.png",)))
    assert [(damage.where, damage.what) for damage in document.damage] == [
        ("data/13.png", "is named by a layer and not in the archive")
    ]
    assert list(names(document.layers)) == list(names(DRAWING))


@pytest.mark.parametrize("xml", [b"<image><stack>", b"<other/>", b"", b"<image/>"])
def test_a_stack_that_does_not_parse_leaves_the_pictures(xml):
    data = write_zip([("mimetype", b"image/openraster"), ("stack.xml", xml), ("mergedimage.png", b"\x89PNG")])
    document = read_document(data)
    assert document.layers == ()
    assert document.composite is not None
    assert bool(document.damage) == (xml != b"<image/>")
