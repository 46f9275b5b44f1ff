"""Zips: written the same every time, read in one way only."""

import io
import struct
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.packages import make_session, packed, unpack

from makingof.bundle.container import FolderContainer, ZipContainer, open_container, read_file
from makingof.bundle.payload import small_file
from makingof.bundle.zip_reader import open_member, read_directory
from makingof.bundle.zip_writer import Member, write_zip
from makingof.digest import Digest
from makingof.errors import CorruptBlobError, MalformedError, SourceError

NAME = st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8}){0,2}", fullmatch=True)


def written(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    write_zip(out, [small_file(name, files[name]) for name in sorted(files)])
    return out.getvalue()


@given(st.dictionaries(NAME, st.binary(max_size=300), min_size=1, max_size=6))
@settings(max_examples=40, deadline=None)
def test_what_is_written_reads_back_here_and_in_the_standard_library(files):
    data = written(files)
    stream = io.BytesIO(data)
    members = read_directory(stream)
    assert {member.name: b"".join(map(bytes, open_member(stream, member))) for member in members} == files
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == files


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_arbitrary_bytes_are_a_zip_or_malformed(data):
    for candidate in (data, written({"a": data}) + data, data + written({"a": data})):
        try:
            read_directory(io.BytesIO(candidate))
        except MalformedError:
            continue


@given(st.integers(0, 10**6), st.integers(1, 255))
@settings(max_examples=300, deadline=None)
def test_a_flipped_byte_is_malformed_or_reads_the_same_names_and_sizes(at, mask):
    good = written({"bagit.txt": b"one", "data/two": b"2" * 50, "data/three": b""})
    at %= len(good)
    bad = good[:at] + bytes([good[at] ^ mask]) + good[at + 1 :]
    try:
        members = read_directory(io.BytesIO(bad))
    except MalformedError:
        return
    assert [(m.name, m.size, m.start) for m in members] == [
        (m.name, m.size, m.start) for m in read_directory(io.BytesIO(good))
    ]


def test_content_that_is_not_what_was_announced_is_not_written():
    with pytest.raises(CorruptBlobError):
        write_zip(io.BytesIO(), [Member("a", 3, Digest.of(b"one"), lambda: io.BytesIO(b"two"))])
    with pytest.raises(CorruptBlobError):
        write_zip(io.BytesIO(), [Member("a", 4, Digest.of(b"one"), lambda: io.BytesIO(b"one"))])


def deflated(size: int, stated: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"\0" * size)
    data = bytearray(out.getvalue())
    struct.pack_into("<I", data, 22, stated)
    struct.pack_into("<I", data, data.index(b"PK\x01\x02") + 24, stated)
    return bytes(data)


@pytest.mark.parametrize("by", [-1, 1, 1000])
def test_a_deflated_file_that_is_not_as_long_as_stated_is_malformed(by):
    stream = io.BytesIO(deflated(500_000, 500_000 + by))
    with pytest.raises(MalformedError):
        list(map(bytes, open_member(stream, read_directory(stream)[0])))


def test_a_deflated_file_is_read_to_its_last_byte():
    stream = io.BytesIO(deflated(3_000_000, 3_000_000))
    assert sum(map(len, open_member(stream, read_directory(stream)[0]))) == 3_000_000


def test_a_bomb_is_read_no_further_than_it_states():
    with pytest.raises(MalformedError):
        read_directory(io.BytesIO(deflated(1000, 2**31)))
    stream = io.BytesIO(deflated(50_000_000, 1000))
    chunks = open_member(stream, read_directory(stream)[0])
    with pytest.raises(MalformedError):
        next(chunks)


def test_a_name_leads_nowhere_else_and_is_shown_harmlessly():
    for name in ("../x", "/x", "a\\b", "c:x", "aux.png", "a/./b", "x.", "ü", "a b", "\x1b[2J"):
        data = written({"a" * len(name.encode()): b""}).replace(b"a" * len(name.encode()), name.encode())
        with pytest.raises(MalformedError) as caught:
            open_container(data)
        assert str(caught.value).isprintable()
        assert "\x1b" not in str(caught.value)


def test_a_package_lies_in_one_folder_or_in_none():
    files = unpack(make_session().archive.package(make_session().final))
    for base in ("", "a/", "somebody-renamed-it/"):
        assert open_container(packed(files, base=base)).names == files.keys()


def test_an_unpacked_folder_reads_like_its_zip(tmp_path):
    session = make_session()
    package = session.archive.package(session.final)
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        archive.extractall(tmp_path)
    folder, zipped = open_container(tmp_path), open_container(package)
    assert isinstance(folder, FolderContainer)
    assert isinstance(zipped, ZipContainer)
    assert folder.names == zipped.names
    for name in folder.names:
        assert read_file(folder, name, 10**6) == read_file(zipped, name, 10**6)


def test_links_out_of_a_folder_are_refused(tmp_path):
    (tmp_path / "bagit.txt").write_text("x")
    (tmp_path / "passwords").symlink_to("/etc/passwd")
    with pytest.raises(MalformedError):
        open_container(tmp_path)


def test_what_cannot_be_opened_is_said_so(tmp_path):
    with pytest.raises(SourceError):
        open_container(tmp_path / "none.zip")


def test_a_missing_and_a_large_file_are_malformed():
    container = open_container(written({"bagit.txt": b"12345"}))
    with pytest.raises(MalformedError):
        read_file(container, "none", 10)
    with pytest.raises(MalformedError):
        read_file(container, "bagit.txt", 4)
