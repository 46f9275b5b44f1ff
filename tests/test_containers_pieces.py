import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tests import records
from tests import records_elsewhere as elsewhere

from makingof.containers.pieces import holds_text, riff_header, segments, without
from makingof.errors import UsageError

WORDS = "a jade pendant, 仙鹤"
PICTURES = {
    "png": records.a1111_png(WORDS, "watermark"),
    "comfyui": records.comfyui_png(records.text_to_image(WORDS, "watermark")),
    "jpeg": elsewhere.jpeg(
        elsewhere.exif_segment(elsewhere.comment_exif(WORDS)),
        elsewhere.xmp_segment(elsewhere.xmp({"exif:UserComment": WORDS})),
        elsewhere.jpeg_segment(0xFE, WORDS.encode()),
    ),
    "webp": elsewhere.webp(
        elsewhere.riff_chunk(b"EXIF", elsewhere.comment_exif(WORDS)),
        elsewhere.riff_chunk(b"XMP ", WORDS.encode()),
    ),
}


def joined(data, pieces):
    return b"".join([data[piece.offset : piece.offset + piece.size_bytes] for piece in pieces])


@pytest.mark.parametrize("name", PICTURES)
def test_pieces_put_together_give_the_file_back(name):
    data = PICTURES[name]
    assert joined(data, segments(data)) == data


@given(st.sampled_from(sorted(PICTURES)), st.integers(0, 2000), st.binary(max_size=40), st.booleans())
def test_pieces_of_any_damaged_file_give_it_back(name, at, put, cut):
    whole = PICTURES[name]
    at = 14 + at % (len(whole) - 14)
    data = whole[:at] + put + (b"" if cut else whole[at + len(put) :])
    pieces = segments(data)
    assert joined(data, pieces) == data
    assert len({piece.name for piece in pieces}) == len(pieces)


@pytest.mark.parametrize("name", PICTURES)
def test_a_copy_without_text_opens_shows_the_same_pixels_and_holds_no_word(name):
    data = PICTURES[name]
    copy = without(data, [piece.name for piece in segments(data) if holds_text(piece)])
    before, after = Image.open(io.BytesIO(data)), Image.open(io.BytesIO(copy))
    assert before.convert("RGB").tobytes() == after.convert("RGB").tobytes()
    for coded in (WORDS.encode(), WORDS.encode("utf-16-be"), WORDS.encode("utf-16-le"), b"jade"):
        assert coded not in copy


@pytest.mark.parametrize("name", PICTURES)
def test_the_pieces_left_stand_in_the_copy_byte_for_byte_one_after_the_other(name):
    data = PICTURES[name]
    pieces = segments(data)
    copy = without(data, [piece.name for piece in pieces if holds_text(piece)])
    left = [piece for piece in pieces if not holds_text(piece)]
    if name == "webp":
        assert copy[:12] == riff_header(len(copy))
        copy, left = copy[12:], left[1:]
    assert joined(data, left) == copy


def test_a_webp_with_nothing_withheld_keeps_its_own_header():
    assert without(PICTURES["webp"], []) == PICTURES["webp"]


def test_names_tell_kind_and_ordinal_and_never_a_keyword():
    data = records.png({"very secret words": "x", "more words": "y"})
    assert [piece.name for piece in segments(data)] == ["signature", "IHDR", "tEXt", "tEXt.2", "IDAT", "IEND"]


def test_only_structure_of_its_specified_size_is_shown():
    hiding = [
        records.chunk(b"gAMA", b"prompt in the gamma"),
        records.chunk(b"iCCP", b"profile\0\0words"),
        records.chunk(b"prVt", b"words"),
        records.chunk(b"tIME", bytes(7)),
    ]
    pieces = segments(records.png(before=hiding) + b"tail words")
    assert [piece.name for piece in pieces if holds_text(piece)] == ["gAMA", "iCCP", "prVt", "tIME", "tail"]
    assert [piece.name for piece in pieces if not holds_text(piece)] == ["signature", "IHDR", "IDAT", "IEND"]


def test_jpeg_structure_with_room_left_over_is_not_structure():
    words = b"words behind the table"
    hiding = [
        elsewhere.jpeg_segment(0xDB, bytes(65) + words),
        elsewhere.jpeg_segment(0xE0, b"JFIF\0" + bytes(9) + words),
    ]
    data = elsewhere.jpeg(*hiding)
    hidden = [piece.name for piece in segments(data) if holds_text(piece)]
    assert hidden == ["DQT", "APP0"]
    assert words not in without(data, hidden)


def test_an_animation_frame_with_a_foreign_chunk_may_hold_text():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:])
    data = out.getvalue()
    assert not any(holds_text(piece) for piece in segments(data))
    at = data.index(b"ANMF") + 24
    altered = data[:at] + b"WORD" + data[at + 4 :]
    assert [piece.name for piece in segments(altered) if holds_text(piece)] == ["ANMF"]


def test_containers_that_are_not_cut_give_none_and_refuse():
    assert segments(b"GIF89a" + bytes(20)) is None
    assert segments(b"") is None
    with pytest.raises(UsageError):
        without(b"", [])
    with pytest.raises(UsageError):
        without(PICTURES["png"], ["no such piece"])
