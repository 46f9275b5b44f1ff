"""The store in files keeps the promises of every store, and those of a folder."""

import errno
import io
import os
import stat
from datetime import UTC, datetime

import pytest
from tests.contract.blob_store import *  # noqa: F403 - a backend's test file is a constructor and an import
from tests.durable_systems import ALL, FakeLinux, FakeMac, Fault

from makingof import durable
from makingof.digest import Digest
from makingof.errors import CorruptBlobError, MalformedError, MissingBlobError, SourceError, StorageError
from makingof.store.base import Failure
from makingof.store.files import FileStore


@pytest.fixture
def store(tmp_path):
    return FileStore(tmp_path / "blobs")


@pytest.fixture
def damage(store):
    def replace(digest, data):
        path = store.blob_path(digest)
        path.unlink()
        path.write_bytes(data)

    return replace


def test_a_blob_lies_where_its_name_says_and_is_read_only(store, tmp_path):
    digest = store.put(b"abc")
    path = tmp_path / "blobs" / digest.hex[:2] / digest.hex
    assert path.read_bytes() == b"abc"
    assert stat.S_IMODE(path.stat().st_mode) == 0o444 & ~_umask()
    assert stat.S_IMODE((tmp_path / "blobs").stat().st_mode) == 0o700


def test_a_blob_is_never_a_hard_link(store, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"picture")
    stored = store.put_file(path)
    path.write_bytes(b"PICTURE")  # an editor that saves in place
    assert store.read(stored.digest) == b"picture"
    assert store.blob_path(stored.digest).stat().st_nlink == 1


def test_originals_keep_their_bytes_times_and_mode(store, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"picture")
    path.chmod(0o640)
    os.utime(path, ns=(1_600_000_000_000_000_000, 1_700_000_000_000_000_000))
    before = path.stat()
    store.put_file(path)
    list(store.put_many([path]))
    after = path.stat()
    assert (after.st_mode, after.st_mtime_ns, after.st_ctime_ns) == (
        before.st_mode,
        before.st_mtime_ns,
        before.st_ctime_ns,
    )


def test_two_stores_on_one_folder_see_each_other(store, tmp_path):
    other = FileStore(tmp_path / "blobs")
    digest = store.put(b"abc")
    assert other.has(digest)
    assert not other.put_file(io.BytesIO(b"abc")).is_new
    assert other.put(b"abc") == digest


def test_an_archive_that_cannot_be_written_can_be_read(store, tmp_path):
    digest = store.put(b"abc")
    system = FakeLinux(tmp_path, lambda *_: Fault(happens=False, error=OSError(errno.EROFS, "read-only")))
    read_only = FileStore(tmp_path / "blobs", system=system)
    assert read_only.read(digest) == b"abc"
    assert list(read_only.iter_digests()) == [digest]
    assert read_only.leftovers() == []
    with pytest.raises(StorageError, match="the disk is read-only"):
        read_only.put(b"new")


def test_what_others_put_into_the_folder_is_a_stray(store, tmp_path):
    digest = store.put(b"abc")
    blobs = tmp_path / "blobs"
    shard = blobs / digest.hex[:2]
    other = f"{(int(digest.hex[:2], 16) + 1) % 256:02x}"
    planted = [
        blobs / ".DS_Store",
        blobs / "zz",
        shard / "notes.txt",
        shard / digest.hex.upper(),
        blobs / other / digest.hex,
        blobs / other / f"{other}{'0' * 62}",
    ]
    (blobs / other).mkdir()
    for path in planted[:-1]:
        path.write_bytes(b"")
    planted[-1].symlink_to(shard / digest.hex)
    assert sorted(store.iter_strays()) == sorted(planted)
    assert list(store.iter_digests()) == [digest, Digest.parse(f"sha256:{planted[-1].name}")]


def test_a_link_in_place_of_a_blob_is_not_followed(store, tmp_path):
    (tmp_path / "secret").write_bytes(b"abc")
    digest = store.put(b"abc")
    store.remove(digest)
    store.blob_path(digest).symlink_to(tmp_path / "secret")
    for ask in (store.read, store.verify, store.has, store.size):
        with pytest.raises(CorruptBlobError, match="something that is not a file"):
            ask(digest)
    with pytest.raises(CorruptBlobError):
        store.put(b"abc")
    assert (tmp_path / "secret").read_bytes() == b"abc"


@pytest.mark.parametrize("name", [Digest.of(b"abc").hex[:2], "incoming"])
def test_a_link_in_place_of_a_folder_is_refused(name, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / name).symlink_to(tmp_path / "elsewhere")
    store = FileStore(tmp_path / "blobs")
    assert list(store.iter_strays()) == [tmp_path / "blobs" / name]
    with pytest.raises(StorageError, match="is not a folder"):
        store.put(b"abc")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_folder_in_place_of_a_blob_is_said(store):
    digest = store.put(b"abc")
    store.blob_path(digest).unlink()
    store.blob_path(digest).mkdir()
    with pytest.raises(CorruptBlobError, match="something that is not a file"):
        store.read(digest)


def test_a_planted_digest_cannot_lead_out_of_the_store(store):
    with pytest.raises(MalformedError):
        store.blob_path(Digest("sha256:../../../../etc/passwd"))


def test_only_old_leftovers_are_removed(store, tmp_path):
    digest = store.put(b"abc")
    with durable.stage(tmp_path / "blobs" / "incoming") as old, durable.stage(old.path.parent) as running:
        os.utime(old.path, (1_700_000_000, 1_700_000_000))
        assert sorted(store.leftovers()) == sorted([old.path, running.path])
        removed = store.remove_leftovers(before=datetime(2024, 1, 1, tzinfo=UTC))
        assert removed == [old.path]
        assert store.leftovers() == [running.path]
    assert store.read(digest) == b"abc"


@pytest.mark.parametrize("size_bytes", [7, 9 << 20])
@pytest.mark.parametrize("system_class", ALL)
def test_a_file_that_changes_as_it_is_taken_in_is_read_again(system_class, size_bytes, tmp_path):
    path = tmp_path / "a.psd"
    path.write_bytes(b"a" * size_bytes)
    changes = []

    def save_once(_number, operation, _path):
        if operation == "clone" and not changes:  # tried before anything is read
            changes.append(operation)
            path.write_bytes(b"saved, and longer")
            os.utime(path, (1, 1))

    store = FileStore(tmp_path / "blobs", system=system_class(tmp_path, save_once))
    assert store.put_file(path).digest == Digest.of(b"saved, and longer")
    assert changes
    assert store.leftovers() == []


@pytest.mark.parametrize("system_class", ALL)
def test_a_file_that_goes_on_changing_is_refused(system_class, tmp_path):
    path = tmp_path / "a.psd"
    path.write_bytes(b"a" * (9 << 20))

    def grow(_number, operation, _path):
        if operation in {"create", "clone"}:
            with path.open("ab") as stream:
                stream.write(b"b")

    store = FileStore(tmp_path / "blobs", system=system_class(tmp_path, grow))
    with pytest.raises(SourceError, match=r"a\.psd changed while it was read"):
        store.put_file(path)
    (failure,) = store.put_many([path])
    assert isinstance(failure, Failure)
    assert list(store.iter_digests()) == store.leftovers() == []


def test_a_handle_that_changes_is_refused(tmp_path):
    path = tmp_path / "a.psd"
    path.write_bytes(b"header|" + b"a" * 100)

    def grow(_number, operation, _path):
        if operation == "create":
            with path.open("ab") as stream:
                stream.write(b"b")

    store = FileStore(tmp_path / "blobs", system=FakeLinux(tmp_path, grow))
    with path.open("rb") as stream:
        stream.seek(7)
        with pytest.raises(SourceError, match="changed while it was read"):
            store.put_file(stream)
    assert list(store.iter_digests()) == store.leftovers() == []


def test_files_are_cloned_where_the_system_can(tmp_path):
    paths = []
    for number in range(3):
        paths.append(tmp_path / f"{number}.png")
        paths[-1].write_bytes(b"%d" % (number % 2))
    store = FileStore(tmp_path / "blobs", system=FakeMac(tmp_path))
    stored = list(store.put_many(paths))
    assert [item.reflinked for item in stored] == [item.is_new for item in stored] == [True, True, False]
    assert store.leftovers() == []


def test_known_bytes_are_hashed_and_not_written(tmp_path):
    for name, size in (("small", 10), ("large", 9 << 20)):
        (tmp_path / name).write_bytes(b"a" * size)
    FileStore(tmp_path / "blobs").put_file(tmp_path / "small")
    FileStore(tmp_path / "blobs").put_file(tmp_path / "large")
    system = FakeLinux(tmp_path)
    list(FileStore(tmp_path / "blobs", system=system).put_many([tmp_path / "small", tmp_path / "large"]))
    assert set(system.operations) <= {"sync_folder", "clone"}


def test_a_blob_that_another_process_spoils_meanwhile_is_a_failure(tmp_path):
    (tmp_path / "a.png").write_bytes(b"picture")
    (tmp_path / "b.png").write_bytes(b"other")
    store = FileStore(tmp_path / "blobs", system=(system := FakeLinux(tmp_path)))
    target = store.blob_path(Digest.of(b"picture"))

    def spoil(_number, operation, path):
        if operation == "rename_new" and path == target:
            path.write_bytes(b"rot")

    system.plan = spoil
    failure, stored = store.put_many([tmp_path / "a.png", tmp_path / "b.png"])
    assert isinstance(failure.error, CorruptBlobError)
    assert stored.digest == Digest.of(b"other")
    assert target.read_bytes() == b"rot"
    assert store.leftovers() == []


def test_a_blob_that_another_process_erases_meanwhile_is_never_acknowledged(tmp_path):
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for path in paths:
        path.write_bytes(path.name.encode())
    known = FileStore(tmp_path / "blobs").put_file(paths[0]).digest
    store = FileStore(tmp_path / "blobs", system=(system := FakeLinux(tmp_path)))

    def erase(_number, operation, _path):
        if operation == "rename_new":
            FileStore(tmp_path / "blobs").remove(known)

    system.plan = erase
    failure, stored = reversed(list(store.put_many(reversed(paths))))
    assert isinstance(failure.error, MissingBlobError)
    assert stored.is_new


@pytest.mark.parametrize("count", [0, 128, 256])
def test_whole_batches_come_back_whole(count, store, tmp_path):
    (tmp_path / "a").write_bytes(b"a")
    assert len(list(store.put_many([tmp_path / "a"] * count))) == count


def test_stopping_early_leaves_nothing_behind(store, tmp_path):
    paths = []
    for number in range(300):
        paths.append(tmp_path / f"{number}.png")
        if number % 3:
            paths[-1].write_bytes(b"%d" % number)
    run = store.put_many(paths)
    next(run)
    run.close()
    assert store.leftovers() == []


def test_a_full_disk_ends_an_import_after_what_is_durable(tmp_path):
    paths = []
    for number in range(100):
        paths.append(tmp_path / f"{number:03}.png")
        paths[-1].write_bytes(b"%d" % number)

    def fills_up(_number, operation, path):
        # Only the file that holds "90" finds the disk full.
        if operation == "sync_file" and path.read_bytes() == b"90":
            return Fault(happens=False, error=OSError(errno.ENOSPC, "full"))
        return None

    store = FileStore(tmp_path / "blobs", system=FakeLinux(tmp_path, fills_up))
    done = []
    with pytest.raises(StorageError, match="the disk is full"):
        done.extend(store.put_many(paths))
    for result in store.put_many(paths[:90]):
        assert not result.is_new
    assert store.leftovers() == []


def test_what_was_yielded_before_a_full_disk_is_given_to_the_caller(tmp_path):
    paths = []
    for number in range(10):
        paths.append(tmp_path / f"{number}.png")
        paths[-1].write_bytes(b"%d" % number)

    def fills_up(_number, operation, path):
        if operation == "sync_file" and path.read_bytes() == b"7":
            return Fault(happens=False, error=OSError(errno.ENOSPC, "full"))
        return None

    store = FileStore(tmp_path / "blobs", system=FakeLinux(tmp_path, fills_up))
    run = store.put_many(paths)
    assert [next(run).path for _ in range(7)] == paths[:7]
    with pytest.raises(StorageError):
        next(run)
    assert store.leftovers() == []


@pytest.mark.parametrize("operation", ["rename_new", "sync_folder"])
def test_a_failure_while_naming_leaves_no_leftovers(operation, tmp_path):
    paths = []
    for number in range(10):
        paths.append(tmp_path / f"{number}.png")
        paths[-1].write_bytes(b"%d" % number)
    store = FileStore(tmp_path / "blobs", system=(system := FakeLinux(tmp_path)))
    store.put(b"prepared")
    count = iter(range(100))

    def fail_third(_number, name, _path):
        if name == operation and next(count) == 2:
            return Fault(happens=False, error=OSError(errno.EIO, "i/o"))
        return None

    system.plan = fail_third
    with pytest.raises(StorageError, match="the disk reports an error"):
        list(store.put_many(paths))
    assert store.leftovers() == []
    for digest in store.iter_digests():
        store.verify(digest)


def _umask():
    umask = os.umask(0)
    os.umask(umask)
    return umask
