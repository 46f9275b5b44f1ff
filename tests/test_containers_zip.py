"""Zip with limits: what an honest writer made is read, what an attacker made is refused."""

import io
import mmap
import struct
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.documents.zipped import deflate, end, entry, local, write_zip

from makingof.containers.source import Cursor, SeekableFile
from makingof.containers.zip import open_zip, salvage_zip
from makingof.errors import MalformedError

MEMBERS = [("mimetype", b"a/b"), ("深/名.txt", "内容".encode() * 50), ("empty", b"")]


def test_every_member_is_listed_in_order_and_read():
    archive = open_zip(write_zip(MEMBERS))
    assert archive.names() == ("mimetype", "深/名.txt", "empty")
    assert [archive.read(member, limit_bytes=1000) for member in archive.members] == [
        data for _, data in MEMBERS
    ]


def test_bytes_a_map_and_an_open_file_give_the_same(tmp_path):
    data = write_zip(MEMBERS)
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        for source in (data, mapped, SeekableFile(file)):
            archive = open_zip(source)
            assert archive.members == open_zip(data).members
            assert archive.read(archive.find("深/名.txt"), limit_bytes=1000) == MEMBERS[1][1]


def test_a_member_that_is_not_compressed_is_told_by_its_span():
    data = write_zip(MEMBERS)
    archive = open_zip(data)
    at = archive.stored_offset(archive.find("mimetype"))
    assert data[at : at + 3] == b"a/b"
    assert archive.stored_offset(archive.find("深/名.txt")) is None


def test_zip64_is_read():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, archive.open("large", "w", force_zip64=True) as member:
        member.write(b"x" * 10)
    data = out.getvalue()
    found = open_zip(data)
    assert found.read(found.find("large"), limit_bytes=10) == b"x" * 10


def test_a_directory_in_zip64_is_read():
    first = local(b"a", b"x", crc=zlib.crc32(b"x"), size=1, method=0)
    listed = entry(b"a", 1, 1, 0, crc=zlib.crc32(b"x"), method=0)
    wide = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, len(listed), len(first))
    where = struct.pack("<4sIQI", b"PK\6\7", 0, len(first) + len(listed), 1)
    data = first + listed + wide + where + end(0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, disk=0)
    assert open_zip(data).names() == ("a",)
    with pytest.raises(MalformedError, match="no zip64 directory"):
        open_zip(first + listed + end(0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF))


def test_a_directory_that_claims_a_billion_members_is_refused_at_once():
    count = 1 << 30
    wide = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, 46 * count, 0)
    data = wide + struct.pack("<4sIQI", b"PK\6\7", 0, 0, 1) + end(0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
    with pytest.raises(MalformedError, match="claims 1073741824 members"):
        open_zip(data)


def bomb(claimed, packed, *, crc=0, method=8, flags=0, name=b"bomb"):
    first = local(name, packed, crc=crc, size=claimed, method=method, flags=flags)
    listed = entry(name, len(packed), claimed, 0, crc=crc, method=method, flags=flags)
    return first + listed + end(1, len(listed), len(first))


def test_a_bomb_is_unpacked_no_further_than_it_claims():
    huge = deflate(bytes(50 << 20))
    archive = open_zip(bomb(10, huge[:1000]))
    with pytest.raises(MalformedError, match=r"has 11 bytes and claims 10|longer packed"):
        archive.read(archive.members[0], limit_bytes=1 << 20)
    archive = open_zip(bomb(50 << 20, huge))
    with pytest.raises(MalformedError, match="claims 52428800 bytes, over 1000"):
        archive.read(archive.members[0], limit_bytes=1000)


def test_a_small_claim_does_not_make_a_large_packed_member_be_loaded():
    archive = open_zip(bomb(1, bytes(200_000)))
    with pytest.raises(MalformedError, match="longer packed than its size allows"):
        archive.read(archive.members[0], limit_bytes=1 << 20)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (bomb(5, b"hello", crc=zlib.crc32(b"hello"), method=0, flags=1), "is encrypted"),
        (bomb(5, b"hello", crc=1, method=0), "does not match its check sum"),
        (bomb(5, b"hello", method=12), "compression 12"),
        (bomb(5, b"\xff" * 5), "does not unpack"),
        (bomb(9, deflate(b"hello")), "has 5 bytes and claims 9"),
    ],
)
def test_a_member_that_cannot_be_trusted_is_refused(data, reason):
    archive = open_zip(data)
    with pytest.raises(MalformedError, match=reason):
        archive.read(archive.members[0], limit_bytes=1000)


def test_members_that_share_bytes_are_refused():
    first = local(b"a", b"x", size=1, method=0)
    listed = entry(b"a", 1, 1, 0, method=0) + entry(b"b", 1, 1, 0, method=0)
    with pytest.raises(MalformedError, match="overlaps"):
        open_zip(first + listed + end(2, len(listed), len(first)))


def test_a_local_header_that_names_another_member_is_refused():
    first = local(b"seen", b"x", size=1, method=0, crc=zlib.crc32(b"x"))
    listed = entry(b"told", 1, 1, 0, method=0, crc=zlib.crc32(b"x"))
    archive = open_zip(first + listed + end(1, len(listed), len(first)))
    with pytest.raises(MalformedError, match="is not where the directory says"):
        archive.read(archive.members[0], limit_bytes=10)


def test_of_two_members_with_one_name_both_are_listed_and_the_first_is_found():
    data = b"".join(local(b"a", text, size=1, method=0, crc=zlib.crc32(text)) for text in (b"1", b"2"))
    listed = b"".join(
        entry(b"a", 1, 1, at, method=0, crc=zlib.crc32(text)) for at, text in ((0, b"1"), (32, b"2"))
    )
    archive = open_zip(data + listed + end(2, len(listed), len(data)))
    assert len(archive.members) == 2
    assert archive.read(archive.find("a"), limit_bytes=1) == b"1"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no zip directory"),
        (b"PK\3\4" + bytes(40), "no zip directory"),
        (end(1, 46, 0, disk=1), "several disks"),
        (end(0xFFFE, 10, 0), "46 bytes are claimed"),
        (bytes(46) + end(1, 46, 0), "damaged at offset 0"),
        (end(1, 0xFFFFFFF0, 0), "directory of"),
        (entry(b"n" * 5000, 0, 0, 0) + end(1, 5046, 0), "name of 5000 bytes"),
        (entry(b"a", 100, 100, 0, method=0) + end(1, 47, 0), "reach into the directory"),
    ],
)
def test_a_directory_that_lies_is_refused(data, reason):
    with pytest.raises(MalformedError, match=reason):
        open_zip(data)


def test_half_an_archive_gives_its_whole_members():
    data = write_zip([*MEMBERS, ("late", b"z" * 5000)], stored=("mimetype", "late"))
    cut = data[: data.index(b"zzz") + 100]
    with pytest.raises(MalformedError):
        open_zip(cut)
    archive = salvage_zip(cut)
    assert archive.names() == ("mimetype", "深/名.txt", "empty")
    assert archive.read(archive.find("深/名.txt"), limit_bytes=1000) == MEMBERS[1][1]
    assert "directory is missing or damaged" in archive.damage[0]


@pytest.mark.parametrize("signed", [True, False])
def test_members_whose_sizes_come_later_are_measured(signed):
    text = b"measured " * 500
    made = local(b"a", deflate(text), crc=zlib.crc32(text), size=len(text), later=True)
    if not signed:
        made = made[:-16] + made[-12:]
    archive = salvage_zip(made + local(b"b", b"x", size=1, method=0, crc=zlib.crc32(b"x")))
    assert archive.read(archive.find("a"), limit_bytes=10_000) == text
    assert archive.read(archive.find("b"), limit_bytes=10) == b"x"


def test_a_stored_member_without_a_size_ends_the_search():
    first = local(b"ok", b"x", size=1, method=0, crc=zlib.crc32(b"x"))
    assert salvage_zip(first + local(b"a", b"text", method=0, later=True)).names() == ("ok",)


def test_nothing_whole_is_malformed():
    with pytest.raises(MalformedError, match="no whole zip member"):
        salvage_zip(b"PK\3\4" + bytes(10))


def test_a_cursor_never_steps_past_its_end():
    cursor = Cursor(b"abcdef", 1, 4)
    assert cursor.take(2) == b"bc"
    for step in (lambda: cursor.take(2), lambda: cursor.skip(2), cursor.u16, cursor.u64):
        with pytest.raises(MalformedError, match="1 are there"):
            step()
    assert cursor.take(1) == b"d"


def test_a_file_that_shrank_while_it_was_read_is_malformed(tmp_path):
    path = tmp_path / "shrinking"
    path.write_bytes(bytes(100))
    with path.open("rb") as file:
        source = SeekableFile(file)
        path.write_bytes(bytes(10))
        with pytest.raises(MalformedError, match="file ended at offset 10"):
            Cursor(source).take(50)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.text(min_size=1, max_size=8), st.binary(max_size=60)),
        max_size=5,
        unique_by=lambda m: m[0],
    )
)
def test_what_the_standard_library_writes_is_read_back(members):
    members = [(name.encode("utf-8", "replace").decode().replace("\0", "_"), data) for name, data in members]
    members = list(dict(members).items())
    archive = open_zip(write_zip(members))
    assert [(m.name, archive.read(m, limit_bytes=60)) for m in archive.members] == members


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_archive_is_read_or_malformed(data):
    good = bytearray(write_zip(MEMBERS))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(good[: data.draw(st.integers(0, len(good)))])
    for opener in (open_zip, salvage_zip):
        try:
            archive = opener(damaged)
            for member in archive.members:
                archive.stored_offset(member)
                archive.read(member, limit_bytes=10_000)
        except MalformedError:
            continue
