"""A zip member unpacked as it is read: whole, in any pieces, or refused."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.documents.zipped import write_zip

from makingof.containers.zip import open_zip
from makingof.errors import MalformedError


@given(data=st.binary(max_size=5000), count=st.integers(1, 700), stored=st.booleans())
def test_a_member_is_the_same_in_any_pieces(data, count, stored):
    archive = open_zip(write_zip([("a", data)], stored=("a",) if stored else ()))
    with archive.open(archive.members[0]) as stream:
        pieces = list(iter(lambda: stream.read(count), b""))
    assert b"".join(pieces) == data
    assert all(len(piece) <= count for piece in pieces)


@given(data=st.binary(min_size=1, max_size=500), at=st.integers(0, 10_000), stored=st.booleans())
def test_a_changed_byte_gives_the_same_bytes_or_is_malformed(data, at, stored):
    whole = bytearray(write_zip([("a", data)], stored=("a",) if stored else ()))
    whole[at % len(whole)] ^= 0x55
    try:
        archive = open_zip(bytes(whole))
        with archive.open(archive.members[0]) as stream:
            read = b"".join(iter(lambda: stream.read(64), b""))
    except MalformedError:
        return
    assert read == data


def test_a_large_member_is_read_in_little_memory():
    data = write_zip([("a", bytes(64 << 20))])
    archive = open_zip(data)
    tracemalloc.start()
    with archive.open(archive.members[0]) as stream:
        size = sum(map(len, iter(lambda: stream.read(1 << 16), b"")))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (size, peak < 4 << 20) == (64 << 20, True)


def test_a_member_that_was_cut_off_meanwhile_is_malformed():
    data = bytearray(write_zip([("a", b"x" * 5000)], stored=("a",)))
    archive = open_zip(data)
    stream = archive.open(archive.members[0])
    del data[100:]
    with pytest.raises(MalformedError, match="is cut off"):
        list(iter(lambda: stream.read(64), b""))
