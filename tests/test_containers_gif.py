import pytest
from tests import records_elsewhere as records

from makingof.containers.gif import join_blocks, screen_size, walk_gif
from makingof.errors import MalformedError

LONG = b"a jade pendant " * 40


def test_blocks_cover_the_file_and_comments_are_joined():
    data = records.gif(records.gif_comment(LONG), records.gif_xmp(b"<x/>")) + b"behind"
    segments = walk_gif(data)
    assert b"".join([data[s.offset : s.end] for s in segments]) == data
    assert [s.kind for s in segments][:3] == ["header", "comment", "application"]
    assert join_blocks(segments[1].payload(data)) == LONG
    assert screen_size(data) == (16, 16)


def test_truncated_files_are_read_as_far_as_they_go():
    data = records.gif(records.gif_comment(LONG))
    for length in range(13, len(data), 11):
        assert walk_gif(data[:length])[-1].end == length


def test_no_gif_is_malformed():
    with pytest.raises(MalformedError):
        walk_gif(b"GIF89a")
