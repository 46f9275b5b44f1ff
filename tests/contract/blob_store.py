"""What every blob store must do. A backend's test file imports these and gives three fixtures:

`store` (an empty store), `damage` (a function of digest and bytes that puts other
bytes under the name, behind the store's back) and `tmp_path`.
"""

import gzip
import hashlib
import io
import os
import threading
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from makingof.digest import Digest
from makingof.errors import (
    CorruptBlobError,
    MalformedError,
    MissingBlobError,
    SourceError,
)
from makingof.store.base import Failure, Stored

ABSENT = Digest.of(b"never stored")
LARGE = (9 << 20) + 7  # over what is read into memory at once


def test_put_returns_the_sha256_of_the_bytes(store):
    assert store.put(b"abc") == "sha256:" + hashlib.sha256(b"abc").hexdigest()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.binary(max_size=2000))
def test_what_was_put_is_read_back(store, data):
    digest = store.put(data)
    assert store.read(digest) == data
    assert store.has(digest)
    assert store.size(digest) == len(data)
    store.verify(digest)
    with store.open(digest) as stream:
        assert stream.read() == data


def test_the_empty_blob_is_a_blob(store):
    digest = store.put(b"")
    assert store.size(digest) == 0
    assert store.read(digest) == b""


def test_putting_twice_is_a_no_op(store):
    assert store.put(b"same") == store.put(b"same")
    assert list(store.iter_digests()) == [Digest.of(b"same")]


def test_digests_come_in_order_and_once(store):
    digests = {store.put(bytes([number])) for number in range(40)}
    assert list(store.iter_digests()) == sorted(digests)


def test_an_empty_store_names_nothing(store):
    assert list(store.iter_digests()) == []


@pytest.mark.parametrize("ask", ["open", "read", "size", "verify"])
def test_asking_for_what_is_not_there_is_a_missing_blob(store, ask):
    store.put(b"something else")
    with pytest.raises(MissingBlobError, match="is not in the store"):
        getattr(store, ask)(ABSENT)
    assert not store.has(ABSENT)


@pytest.mark.parametrize("ask", ["open", "read", "size", "verify", "has", "remove"])
@pytest.mark.parametrize("name", ["../../etc/passwd", "sha256:../../../etc/passwd", "sha256:" + "A" * 64, ""])
def test_a_name_that_is_no_digest_is_refused(store, ask, name):
    with pytest.raises(MalformedError):
        getattr(store, ask)(Digest(name))


def test_a_removed_blob_is_gone_and_can_come_back(store):
    digest = store.put(b"personal")
    store.remove(digest)
    assert not store.has(digest)
    assert list(store.iter_digests()) == []
    store.remove(digest)
    assert store.put(b"personal") == digest
    assert store.read(digest) == b"personal"


def test_removing_what_was_never_there_is_no_error(store):
    store.remove(ABSENT)


@pytest.mark.parametrize("other", [b"longer than before", b"Same", b""])
def test_other_bytes_under_a_name_are_corruption_and_stay(store, damage, other):
    digest = store.put(b"same")
    damage(digest, other)
    with pytest.raises(CorruptBlobError, match="is stored with other content"):
        store.read(digest)
    with pytest.raises(CorruptBlobError):
        store.verify(digest)
    with pytest.raises(CorruptBlobError):
        store.put(b"same")
    with store.open(digest) as stream:
        assert stream.read() == other


def test_files_are_stored_with_their_own_time(store, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"picture")
    os.utime(path, ns=(1, 1_700_000_000_123_456_789))
    stored = store.put_file(path)
    assert stored.digest == Digest.of(b"picture")
    assert (stored.size_bytes, stored.is_new, stored.path) == (7, True, path)
    assert stored.modified_ns == path.stat().st_mtime_ns
    assert not store.put_file(path).is_new


def test_an_open_handle_is_stored_from_its_start(store, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"picture")
    with path.open("rb") as buffered, path.open("rb", buffering=0) as raw:
        assert store.put_file(buffered).digest == Digest.of(b"picture")
        assert not store.put_file(raw).is_new


def test_what_is_left_of_a_handle_is_stored(store, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"header|picture")
    with path.open("rb") as stream:
        stream.read(7)
        assert store.put_file(stream).digest == Digest.of(b"picture")


def test_a_stream_without_a_file_is_stored(store):
    stored = store.put_file(io.BytesIO(b"from a zip"))
    assert store.read(stored.digest) == b"from a zip"
    assert stored.modified_ns is None


def test_a_stream_that_unpacks_a_file_gives_what_it_reads(store, tmp_path):
    # Its fileno is that of the packed file: cloning that would store other bytes than were read.
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"unpacked"))
    with gzip.open(path) as stream:
        assert store.put_file(stream).digest == Digest.of(b"unpacked")


def test_a_stream_that_fails_is_a_source_error(store):
    class Broken(io.RawIOBase):
        name = "broken.png"

        def read(self, _size=-1):
            raise OSError(5, "input/output error")

    with pytest.raises(SourceError, match=r"broken\.png could not be read"):
        store.put_file(Broken())
    assert list(store.iter_digests()) == []


def test_a_large_file_is_stored_whole(store, tmp_path):
    data = os.urandom(1 << 16) * (LARGE // (1 << 16)) + b"tail"
    path = tmp_path / "large.psd"
    path.write_bytes(data)
    stored = store.put_file(path)
    assert stored.digest == Digest.of(data)
    assert store.size(stored.digest) == len(data)
    assert not store.put_file(path).is_new
    store.verify(stored.digest)


@pytest.mark.parametrize("make", ["absent", "folder", "pipe", "dangling"])
def test_what_is_no_file_is_a_source_error(store, tmp_path, make):
    path = tmp_path / "thing"
    if make == "folder":
        path.mkdir()
    elif make == "pipe":
        os.mkfifo(path)
    elif make == "dangling":
        path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(SourceError, match="could not be read"):
        store.put_file(path)
    (failure,) = store.put_many([path])
    assert isinstance(failure, Failure)
    assert isinstance(failure.error, SourceError)


def test_many_files_come_back_in_order_with_failures_between(store, tmp_path):
    paths = []
    for number in range(150):
        path = tmp_path / f"{number}.png"
        if number % 30 != 29:
            path.write_bytes(bytes([number % 20]) * (number % 20))  # many are equal
        paths.append(path)
    seen = []
    results = list(store.put_many(iter(paths), progress=lambda path, size: seen.append((path, size))))
    assert [result.path for result in results] == paths
    failed = [result.path for result in results if isinstance(result, Failure)]
    assert failed == paths[29::30]
    stored = [result for result in results if isinstance(result, Stored)]
    assert sum(result.is_new for result in stored) == len(list(store.iter_digests())) == 20
    assert seen == [(result.path, result.size_bytes) for result in stored]
    for result in stored:
        assert result.path
        assert store.read(result.digest) == result.path.read_bytes()
    assert not any(result.is_new for result in store.put_many(paths) if isinstance(result, Stored))


def test_what_was_yielded_stays_when_the_caller_stops(store, tmp_path):
    paths = []
    for number in range(200):
        paths.append(tmp_path / f"{number}.png")
        paths[-1].write_bytes(b"%d" % number)
    run = store.put_many(paths)
    first = next(run)
    run.close()
    assert store.read(first.digest) == b"0"
    for digest in store.iter_digests():
        store.verify(digest)


def test_a_damaged_blob_does_not_stop_an_import(store, damage, tmp_path):
    (tmp_path / "a").write_bytes(b"aaaa")
    (tmp_path / "b").write_bytes(b"bbbb")
    damage(store.put(b"aaaa"), b"rotten")
    results = list(store.put_many([tmp_path / "a", tmp_path / "b"]))
    assert [type(result) for result in results] == [Failure, Stored]
    assert isinstance(results[0].error, CorruptBlobError)


def test_threads_may_put_the_same_bytes_at_once(store):
    data = zlib.compress(b"x" * 1000)
    found = []
    threads = [threading.Thread(target=lambda: found.append(store.put(data))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [Digest.of(data)] * 8
    assert list(store.iter_digests()) == [Digest.of(data)]
