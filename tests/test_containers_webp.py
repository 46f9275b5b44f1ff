import pytest
from PIL import Image
from tests import records_elsewhere as records

from makingof.containers.webp import canvas_size, has_alpha, is_lossless, walk_webp
from makingof.errors import MalformedError


def test_chunks_come_with_their_padding_and_cover_the_file():
    data = records.webp(records.riff_chunk(b"EXIF", b"odd")) + b"behind"
    segments = walk_webp(data)
    assert b"".join([data[s.offset : s.end] for s in segments]) == data
    exif = next(s for s in segments if s.kind == "EXIF")
    assert exif.payload(data) == b"odd"
    assert exif.size_bytes == 12
    assert segments[-1].kind == "tail"


@pytest.mark.parametrize("lossless", [True, False])
def test_the_head_tells_size_loss_and_alpha(lossless):
    image = Image.new("RGBA", (21, 13), (1, 2, 3, 250))
    data = records.webp(lossless=lossless, image=image)
    segments = walk_webp(data)
    assert canvas_size(data, segments) == (21, 13)
    assert is_lossless(segments) is lossless
    assert has_alpha(data, segments)


def test_simple_files_tell_their_size_too():
    for lossless in (True, False):
        data = records.saved(Image.new("RGB", (21, 13)), "WEBP", lossless=lossless)
        assert canvas_size(data, walk_webp(data)) == (21, 13)


def test_lengths_beyond_the_file_are_damage():
    data = records.webp(records.riff_chunk(b"EXIF", b"x" * 50))
    for length in range(12, len(data), 5):
        segments = walk_webp(data[:length])
        assert segments[-1].end == length
        assert segments[0].damage


def test_no_webp_is_malformed():
    with pytest.raises(MalformedError):
        walk_webp(b"RIFF\0\0\0\0AVI ")
