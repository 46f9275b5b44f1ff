"""Copies without some segments check against the pieces recorded, and nothing else does."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.packages import PROMPT
from tests.records import a1111_png

from makingof.bundle.copies import check_copy, make_copy
from makingof.bundle.description import CopyOf
from makingof.containers.pieces import segments
from makingof.digest import Digest
from makingof.errors import IntegrityError, MalformedError
from makingof.part import FileBody, FilePieces, Piece, Role, piece_salt

PART = Digest.of(b"pieces part")
KEY = bytes(range(16))


def record(data: bytes) -> tuple[FileBody, FilePieces]:
    """A file part and pieces as the recorder writes them."""
    pieces = tuple(
        Piece(
            piece.name,
            piece.size_bytes,
            Digest.of(piece_salt(KEY, number) + data[piece.offset : piece.offset + piece.size_bytes]),
        )
        for number, piece in enumerate(segments(data))
    )
    body = FileBody(Role.OUTPUT, Digest.of(data), len(data), pieces_key=KEY.hex())
    return body, FilePieces(PART, "png", pieces)


def jpeg() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (16, 16), (9, 90, 200)).save(out, "JPEG", comment=PROMPT.encode())
    return out.getvalue()


def webp() -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = PROMPT
    Image.new("RGB", (16, 16), (9, 90, 200)).save(out, "WEBP", lossless=True, exif=exif)
    return out.getvalue()


PICTURES = {"png": a1111_png(PROMPT), "jpeg": jpeg(), "webp": webp()}


def check(copy: bytes, recorded: FilePieces, described: CopyOf) -> list[str]:
    return check_copy([memoryview(copy)], len(copy), recorded, described)


@pytest.mark.parametrize("form", PICTURES)
def test_a_copy_has_no_prompt_shows_the_same_pixels_and_checks(form):
    data = PICTURES[form]
    body, recorded = record(data)
    copy, described = make_copy(data, body, recorded, PART)
    assert PROMPT.encode()[:20] in data
    assert PROMPT.encode()[:20] not in copy
    left_out = check(copy, recorded, described)
    assert left_out
    assert not {"IDAT", "SOS", "VP8L"} & set(left_out)
    with Image.open(io.BytesIO(data)) as original, Image.open(io.BytesIO(copy)) as shown:
        assert original.convert("RGB").tobytes() == shown.convert("RGB").tobytes()


@pytest.mark.parametrize("form", PICTURES)
def test_every_flipped_byte_of_a_copy_is_caught(form):
    data = PICTURES[form]
    body, recorded = record(data)
    copy, described = make_copy(data, body, recorded, PART)
    for at in range(len(copy)):
        bad = copy[:at] + bytes([copy[at] ^ 1]) + copy[at + 1 :]
        with pytest.raises(IntegrityError):
            check(bad, recorded, described)


@given(st.integers(1, 300))
@settings(max_examples=30, deadline=None)
def test_a_copy_may_come_in_chunks_of_any_size(size):
    data = PICTURES["webp"]
    body, recorded = record(data)
    copy, described = make_copy(data, body, recorded, PART)
    chunks = [memoryview(copy[at : at + size]) for at in range(0, len(copy), size)]
    assert check_copy(chunks, len(copy), recorded, described) == check(copy, recorded, described)


def test_a_copy_with_pieces_missing_added_or_moved_does_not_check():
    data = PICTURES["png"]
    body, recorded = record(data)
    copy, described = make_copy(data, body, recorded, PART)
    for bad in (copy[:-1], copy + b"x", copy[8:] + copy[:8], b""):
        with pytest.raises(IntegrityError):
            check(bad, recorded, described)
    for shown in (described.shown[::-1], described.shown * 2):
        with pytest.raises(MalformedError):
            check(copy, recorded, CopyOf(PART, shown))
    with pytest.raises(MalformedError):
        check(copy, recorded, CopyOf(PART, described.shown, "zip"))
    with pytest.raises(MalformedError):
        check(copy, recorded, CopyOf(PART, described.shown, "riff"))


def test_what_cannot_be_cut_or_was_not_recorded_so_gives_no_copy():
    data = PICTURES["png"]
    body, recorded = record(data)
    assert make_copy(b"just some text", body, recorded, PART) is None
    assert make_copy(data, FileBody(Role.OUTPUT, body.digest, body.size), recorded, PART) is None
    other, pieces = record(a1111_png("another", colour=(1, 2, 3)))
    assert make_copy(data, other, pieces, PART) is None
