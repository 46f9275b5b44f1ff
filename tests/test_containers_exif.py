import struct

import pytest
from tests import records_elsewhere as records

from makingof.containers.exif import exif_start, parse_exif
from makingof.containers.exif_text import decode_bytes, decode_user_comment, decode_utf16le
from makingof.errors import MalformedError

CHINESE = "玉雕仙鹤吊坠，银质包边，柔和的窗光"
MIXED = "a jade pendant, 仙鹤\nSteps: 20, Sampler: Euler a"


@pytest.mark.parametrize("order", ["<", ">"])
def test_tags_of_both_ifds_are_found_in_either_byte_order(order):
    block = records.exif({0x0110: b"prompt:{}\0"}, {records.USER_COMMENT: b"ASCII\0\0\0words"}, order=order)
    tags = {
        (tag.ifd, tag.name): tag.value(block) for tag in parse_exif(block) if tag.number != records.SUB_IFD
    }
    assert tags == {("IFD0", "Model"): b"prompt:{}\0", ("Exif", "UserComment"): b"ASCII\0\0\0words"}


def test_short_values_lie_in_the_entry_itself():
    block = records.exif({0x010F: b"ab\0"})
    assert parse_exif(block)[0].value(block) == b"ab\0"


def test_numbers_are_spelled():
    values = {0x829A: struct.pack(">II", 1, 200), 0x8827: struct.pack(">H", 400)}
    block = records.exif(values, kinds={0x829A: 5, 0x8827: 3})
    assert {tag.name: tag.numbers(block) for tag in parse_exif(block)} == {
        "ExposureTime": ["1/200"],
        "ISO": ["400"],
    }


def test_offsets_count_from_the_tiff_header_wherever_it_stands():
    block = b"Exif\0\0" + records.exif({0x0131: b"Some Software 1.0\0"})
    (tag,) = parse_exif(block, exif_start(block))
    assert tag.value(block) == b"Some Software 1.0\0"


def test_values_outside_the_block_are_left_out():
    block = records.exif({0x0131: b"Some Software 1.0\0", 0x010F: b"abc"})
    assert [tag.name for tag in parse_exif(block[:-5])] == ["Make"]


def test_loops_of_ifds_end():
    block = b"MM\0*" + struct.pack(">IHI", 8, 0, 8)
    assert parse_exif(block) == []


def test_a_block_that_claims_ever_more_tags_is_bounded():
    entry = struct.pack(">HHII", 0x0131, 2, 1 << 31, 8)
    block = b"MM\0*" + struct.pack(">IH", 8, 0xFFFF) + entry * 0xFFFF
    assert parse_exif(block) == []


@pytest.mark.parametrize("block", [b"", b"II*\0", b"XX*\0\0\0\0\x08", b"MM\0*"])
def test_no_tiff_header_is_malformed(block):
    with pytest.raises(MalformedError):
        parse_exif(block)


@pytest.mark.parametrize("text", [CHINESE, MIXED, "plain words", "ключ, 鍵, 열쇠", "😀 emoji first"])
@pytest.mark.parametrize("order", ["be", "le"])
def test_two_byte_letters_are_read_in_the_order_they_were_written(text, order):
    decoded, rule = decode_user_comment(records.comment_utf16(text, order))
    assert decoded == text
    assert rule.startswith(f"utf-16-{order}")


@pytest.mark.parametrize("codec", ["utf-16-be", "utf-16-le"])
def test_a_byte_order_mark_decides(codec):
    assert decode_user_comment(b"UNICODE\0" + ("\ufeff" + CHINESE).encode(codec))[0] == CHINESE


def test_the_order_of_the_block_does_not_decide():
    block = records.exif({}, {records.USER_COMMENT: records.comment_utf16(MIXED, "le")}, order=">")
    comment = next(tag for tag in parse_exif(block) if tag.name == "UserComment")
    assert decode_user_comment(comment.value(block))[0] == MIXED


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"ASCII\0\0\0" + b'{"Comment": "x"}', '{"Comment": "x"}'),
        (b"ASCII\0\0\0" + "damaged \u4ed9".encode() + b"\0", "damaged \u4ed9"),
        (b'{"prompt": "no code at all"}', '{"prompt": "no code at all"}'),
        (bytes(8) + b"undefined", "undefined"),
        (b"UNICODE\0" + b"UTF-8 where two-byte letters should be", "UTF-8 where two-byte letters should be"),
        (b"JIS\0\0\0\0\0" + "鍵".encode("iso2022_jp"), "鍵"),
        (b"caf\xe9", "caf\xe9"),
        (b"UNICODE\0" + "cut".encode("utf-16-be") + b"\0", "cut"),
    ],
)
def test_every_other_way_to_write_a_comment(raw, text):
    assert decode_user_comment(raw)[0] == text


def test_lone_surrogates_stay_and_break_nothing():
    assert decode_user_comment(b"UNICODE\0" + "abc".encode("utf-16-be") + b"\xd8\x00")[0] == "abc\ud800"


def test_windows_tags_and_plain_bytes():
    assert decode_utf16le("标题\0".encode("utf-16-le")) == "标题"
    assert decode_bytes("标题".encode() + b"\0\0") == ("标题", "utf-8")
    assert decode_bytes("title".encode("utf-16-le"))[0] == "title"
