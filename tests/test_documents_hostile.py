"""Arbitrary and damaged bytes: a document, None or `MalformedError`, and never anything else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.documents import clipstudio, gimp, krita, openraster, procreate, psd
from tests.documents.drawing import Drawn

from makingof import canonical
from makingof.errors import MalformedError
from makingof.metadata.documents.describe import describe_document
from makingof.metadata.documents.difference import compare_documents
from makingof.metadata.documents.document import Document
from makingof.metadata.documents.read import read_document

SMALL = (
    Drawn("a 名", size=(4, 4), id=11),
    Drawn("g", id=12, children=(Drawn("b", size=(3, 3), visible=False, mask="m", id=13),)),
)
GOOD = {
    "psd": psd.write_psd(SMALL, thumbnail=b"\xff\xd8\xff\xd9"),
    "psb": psd.write_psd(SMALL, big=True, depth=16),
    "kra": krita.write_kra_with_ai(layers=SMALL),
    "ora": openraster.write_ora(SMALL),
    "xcf": gimp.write_xcf(SMALL),
    "xcf 3": gimp.write_xcf(SMALL, version=3, colormap=True),
    "procreate": procreate.write_procreate(SMALL),
    "clip": clipstudio.write_clip(SMALL),
}
MAGIC = (b"8BPS\0\1", b"8BPS\0\2", b"gimp xcf v003\0", b"gimp xcf v011\0", b"CSFCHUNK", b"PK\3\4", b"")


def everything_of(data: bytes) -> Document | None:
    """Read a document and all that hangs on it."""
    try:
        document = read_document(data)
    except MalformedError:
        return None
    if document is None:
        return None
    places = [picture.stored for picture in document.pictures]
    places += [recording.stored for recording in document.recordings]
    places += [result.picture.stored for job in document.jobs for result in job.results if result.picture]
    places += [layer.stored for layer in document.walk()]
    for place in filter(None, places):
        try:
            assert len(place.read(data)) == place.size_bytes
        except MalformedError:
            continue
    assert compare_documents(document, document) == ()
    canonical.to_bytes(describe_document(document))  # no lone surrogates: what is said can be written down
    return document


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(MAGIC), st.binary(max_size=300))
def test_arbitrary_bytes(magic, data):
    everything_of(magic + data)


@pytest.mark.parametrize("name", GOOD)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_few_bytes_changed(name, data):
    damaged = bytearray(GOOD[name])
    # Heads and tables lie at both ends; the pixels between them are not looked at.
    edges = st.one_of(
        st.integers(0, min(len(damaged), 2_500) - 1),
        st.integers(max(0, len(damaged) - 2_500), len(damaged) - 1),
    )
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(edges)] = data.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]) | st.integers(0, 255))
    everything_of(bytes(damaged))


@pytest.mark.parametrize("name", GOOD)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_stretch_cut_out_or_repeated(name, data):
    good = GOOD[name]
    at = data.draw(st.integers(0, len(good)))
    length = data.draw(st.integers(0, 400))
    everything_of(good[:at] + good[at + length :])
    everything_of(good[:at] + good[at : at + length] * 2 + good[at + length :])


@pytest.mark.parametrize("name", GOOD)
def test_every_length_of_the_beginning(name):
    good = GOOD[name]
    for end in [*range(64), *range(64, len(good), max(1, len(good) // 60))]:
        everything_of(good[:end])


@pytest.mark.parametrize("name", GOOD)
def test_the_good_ones_are_whole(name):
    document = everything_of(GOOD[name])
    assert [layer.name for layer in document.walk()] == ["a 名", "g", "b"]
    assert not document.damage or name == "kra"
