import os
import random

import pytest
from tests import records

from makingof.containers.headed import HEAD_BYTES, HeadedFile, _seek_and_read
from makingof.metadata.registry import read_records


def test_every_slice_is_that_of_the_bytes(tmp_path):
    data = random.Random(1).randbytes(3 * HEAD_BYTES + 77)
    path = tmp_path / "file"
    path.write_bytes(data)
    drawn = random.Random(2)
    with HeadedFile(path) as file:
        assert len(file) == len(data)
        for _ in range(2_000):
            start = drawn.randrange(len(data) + 9)
            stop = start + drawn.choice((-3, 0, 1, 8, 12, 511, 512, 513, 5_000))
            assert file[start:stop] == data[start:stop]
        assert (file[:8], file[-12:], file[:]) == (data[:8], data[-12:], data)
        with pytest.raises(ValueError, match="without steps"):
            file[::2]


def test_reading_without_pread_gives_the_same(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    with path.open("rb") as file:
        assert [_seek_and_read(file.fileno(), 4, at) for at in (6, 0, 8, 10)] == [
            b"6789",
            b"0123",
            b"89",
            b"",
        ]


def test_records_behind_many_pixels_and_long_ones_are_read(tmp_path):
    data = records.png(
        {"parameters": records.infotext("a jade pendant " * 2_000)},
        packed_pixels=bytes(5 * HEAD_BYTES),
        after=[records.text_chunk("Comment", "behind"), records.text_chunk("Software", "x" * HEAD_BYTES)],
    )
    path = tmp_path / "a.png"
    path.write_bytes(data)
    with HeadedFile(path) as file:
        found = read_records(file, "a.png")
    assert found == read_records(data, "a.png")
    assert [reading.tool for reading in found] == ["a1111", None, None]


def test_the_file_is_closed_behind_the_block(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    with HeadedFile(path) as file:
        assert file[:] == b"abc"
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(file._file)
    with pytest.raises(OSError, match="Errno"):
        HeadedFile(tmp_path)
