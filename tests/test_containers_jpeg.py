import pytest
from tests import records_elsewhere as records

from makingof.containers.jpeg import frame_size, walk_jpeg, walk_jpeg_head
from makingof.errors import MalformedError


def test_segments_cover_the_file_and_a_scan_is_one():
    data = records.jpeg(records.jpeg_segment(0xFE, b"a comment")) + b"behind"
    segments = walk_jpeg(data)
    assert b"".join([data[s.offset : s.end] for s in segments]) == data
    assert [s.kind for s in segments][:3] == ["SOI", "COM", "APP0"]
    assert [s.kind for s in segments][-3:] == ["SOS", "EOI", "tail"]


def test_the_head_ends_before_the_scan():
    assert walk_jpeg_head(records.jpeg())[-1].kind == "DHT"


def test_restart_markers_stuffing_and_fill_bytes_do_not_end_a_scan():
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + b"ab\xff\x00c\xff\xd0d"
    data = b"\xff\xd8" + scan + b"\xff\xff\xff\xd9"
    assert [s.kind for s in walk_jpeg(data)] == ["SOI", "SOS", "EOI"]


def test_the_frame_tells_the_size():
    data = records.jpeg(width=40, height=24)
    assert frame_size(data, walk_jpeg_head(data)) == (40, 24)
    assert frame_size(b"\xff\xd8", walk_jpeg_head(b"\xff\xd8")) is None


def test_a_truncated_file_is_read_as_far_as_it_goes():
    whole = records.jpeg(records.jpeg_segment(0xFE, b"a comment"))
    for length in range(2, len(whole), 7):
        segments = walk_jpeg(whole[:length])
        assert segments[-1].end == length


def test_a_segment_longer_than_the_file_is_damage():
    data = b"\xff\xd8\xff\xfe\xff\xffshort"
    last = walk_jpeg(data)[-1]
    assert last.damage.startswith("segment claims 65535 bytes")
    assert last.payload(data) == b"short"


def test_no_start_of_image_is_malformed():
    with pytest.raises(MalformedError):
        walk_jpeg(b"GIF89a")
