import struct
import time
import zlib

import pytest
from tests import records

from makingof.containers.inflate import inflate
from makingof.containers.png import parse_header, parse_text_chunk, walk_png
from makingof.containers.segment import Segment
from makingof.errors import MalformedError


def kinds(data):
    return [segment.kind for segment in walk_png(data)]


def test_chunks_come_in_file_order_with_consecutive_idat_as_one():
    parts = [records.chunk(b"IDAT", piece) for piece in (b"a", b"b", b"c")]
    data = records.png(
        {"parameters": "x"}, packed_pixels=b"0", after=[*parts, records.chunk(b"comf", b"prompt\0{}")]
    )
    assert kinds(data) == ["signature", "IHDR", "tEXt", "IDAT", "comf", "IEND"]


def test_segments_cover_the_file_without_a_hole():
    data = records.png({"parameters": "x"}) + b"behind"
    segments = walk_png(data)
    assert b"".join([data[s.offset : s.end] for s in segments]) == data
    assert segments[-1] == Segment("tail", len(data) - 6, 6, len(data) - 6, 6, "bytes after IEND")


def test_a_wrong_check_sum_is_stated_and_the_chunk_still_read():
    data = bytearray(records.png({"parameters": "a jade pendant"}))
    at = data.index(b"a jade")
    data[at] = ord("A")
    text = next(segment for segment in walk_png(bytes(data)) if segment.kind == "tEXt")
    assert text.damage == "check sum does not match"
    assert text.payload(bytes(data)) == b"parameters\0A jade pendant"


def test_a_chunk_that_claims_two_gigabytes_takes_what_is_there():
    data = records.png()[:33] + struct.pack(">I4s", 0x7FFFFFFF, b"tEXt") + b"parameters\0rest"
    last = walk_png(data)[-1]
    assert last.payload(data) == b"parameters\0rest"
    assert last.damage.startswith("chunk claims 2147483647 bytes")


def test_a_truncated_file_is_read_as_far_as_it_goes():
    whole = records.png({"parameters": "x"})
    for length in range(8, len(whole)):
        segments = walk_png(whole[:length])
        assert segments[-1].end == length
        assert any(segment.damage for segment in segments)


def test_no_signature_is_malformed():
    with pytest.raises(MalformedError):
        walk_png(b"not a picture")


def test_the_header_tells_size_and_alpha():
    assert parse_header(records.png(width=3, height=5, colour=(1, 2, 3, 4))).has_alpha
    assert (
        parse_header(records.png(width=3, height=5)).width,
        parse_header(records.png(height=5)).height,
    ) == (3, 5)
    with pytest.raises(MalformedError):
        parse_header(b"\x89PNG\r\n\x1a\n")


@pytest.mark.parametrize(
    ("kind", "payload", "text"),
    [
        ("tEXt", b"parameters\0a\0b", b"a\0b"),
        ("zTXt", b"parameters\0\0" + zlib.compress(b"words"), b"words"),
        ("iTXt", b"parameters\0\0\0en\0Schl\xc3\xbcssel\0\xe4\xbb\x99", b"\xe4\xbb\x99"),
        ("iTXt", b"parameters\0\1\0\0\0" + zlib.compress(b"words"), b"words"),
        ("comf", b"prompt\0{}", b"{}"),
    ],
)
def test_text_chunks_give_their_text(kind, payload, text):
    assert parse_text_chunk(kind, payload).text == text


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("tEXt", b"no null"),
        ("zTXt", b"parameters\0\1" + zlib.compress(b"x")),
        ("zTXt", b"parameters\0\0" + zlib.compress(b"words")[:-4]),
        ("zTXt", b"parameters\0\0garbage"),
        ("iTXt", b"parameters\0\2\0\0\0x"),
        ("iTXt", b"parameters\0\0\0no nulls"),
    ],
)
def test_broken_text_chunks_are_malformed(kind, payload):
    with pytest.raises(MalformedError):
        parse_text_chunk(kind, payload)


def test_a_bomb_is_not_unpacked():
    bomb = zlib.compress(bytes(64 << 20), 6)
    started = time.process_time()
    with pytest.raises(MalformedError, match="more than"):
        inflate(bomb)
    assert time.process_time() - started < 2


def test_scanning_reads_heads_and_texts_only():
    class Watched(bytes):
        read = 0

        def __getitem__(self, key):
            part = super().__getitem__(key)
            Watched.read += len(part) if isinstance(part, bytes) else 1
            return part

    pixels = [records.chunk(b"IDAT", bytes(1 << 16)) for _ in range(320)]
    data = Watched(records.png({"parameters": "x" * 100}, after=pixels))
    assert len(data) > 20 << 20
    walk_png(data)
    assert Watched.read < 4_000
