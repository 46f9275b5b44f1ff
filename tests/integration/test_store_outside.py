"""The store on real file systems and under strace: reflinks, full disks, the order of system calls, kills."""

import os
import re
import subprocess
import sys
import textwrap
from contextlib import contextmanager

import pytest

from makingof import durable
from makingof.digest import Digest
from makingof.errors import StorageError
from makingof.store.files import FileStore

pytestmark = pytest.mark.integration


@contextmanager
def mounted(folder, *arguments):
    """Mount something for a while; this needs a machine of one's own."""
    folder.mkdir()
    subprocess.run(["mount", *arguments, str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def xfs(tmp_path):
    image = tmp_path / "xfs.img"
    with image.open("wb") as stream:
        stream.truncate(320 << 20)
    subprocess.run(["mkfs.xfs", "-q", "-m", "reflink=1", str(image)], check=True)
    with mounted(tmp_path / "xfs", "-o", "loop", str(image)) as folder:
        yield folder


@pytest.fixture
def small_disk(tmp_path):
    with mounted(tmp_path / "small", "-t", "tmpfs", "-o", "size=4m", "tmpfs") as folder:
        yield folder


def used_bytes(folder):
    os.sync()
    status = os.statvfs(folder)
    return (status.f_blocks - status.f_bfree) * status.f_frsize


def test_files_are_reflinked_where_the_file_system_can(xfs):
    (xfs / "sources").mkdir()
    paths = [xfs / "sources" / f"{number:02}.png" for number in range(40)]
    for path in paths:
        path.write_bytes(os.urandom(1 << 20))
    FileStore(xfs / "blobs").put(b"the folders are there")
    before = used_bytes(xfs)
    stored = list(FileStore(xfs / "blobs").put_many(paths))
    assert all(item.reflinked and item.is_new for item in stored)
    assert used_bytes(xfs) - before < 4 << 20
    store = FileStore(xfs / "blobs")
    for item, path in zip(stored, paths, strict=True):
        assert store.read(item.digest) == path.read_bytes()
        with path.open("r+b") as stream:  # an editor that saves in place
            stream.write(b"changed")
        store.verify(item.digest)
        assert store.blob_path(item.digest).stat().st_mode & 0o222 == 0
    assert not any(item.reflinked for item in store.put_many([store.blob_path(stored[0].digest)]))
    assert store.leftovers() == []


def test_one_file_is_reflinked_and_a_copy_from_elsewhere_is_not(xfs, tmp_path):
    (xfs / "here.png").write_bytes(b"here" * 10_000)
    (tmp_path / "there.png").write_bytes(b"there" * 10_000)
    with (xfs / "here.png").open("rb") as here, (tmp_path / "there.png").open("rb") as there:
        assert durable.copy_new(here, xfs / "one").reflinked
        assert not durable.copy_new(there, xfs / "two").reflinked
    assert (xfs / "two").read_bytes() == b"there" * 10_000


def test_a_disk_that_fills_up_loses_nothing_acknowledged(small_disk, tmp_path):
    folder = tmp_path / "sources"
    folder.mkdir()
    for number in range(60):
        (folder / f"{number:02}.png").write_bytes(os.urandom(150_000))
    store = FileStore(small_disk / "blobs")
    first = store.put(b"from before")
    done = []

    def import_all():
        for item in store.put_many(sorted(folder.iterdir())):
            done.append(item)  # noqa: PERF402 - what came before the error counts

    with pytest.raises(StorageError, match="the disk is full"):
        import_all()
    assert done
    with pytest.raises(StorageError, match="the disk is full"):
        store.put(os.urandom(4 << 20))
    for digest in (first, *(item.digest for item in done)):
        store.verify(digest)
    for digest in store.iter_digests():
        store.verify(digest)
    assert store.leftovers() == []
    store.remove(done[0].digest)
    assert store.read(store.put(b"there is room again")) == b"there is room again"


def test_a_disk_that_turns_read_only_is_said_and_read(small_disk):
    store = FileStore(small_disk / "blobs")
    digest = store.put(b"from before")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StorageError, match="the disk is read-only"):
        store.put(b"new")
    with pytest.raises(StorageError, match="the disk is read-only"):
        store.remove(digest)
    assert FileStore(small_disk / "blobs").read(digest) == b"from before"


PUT = """
    import os, sys
    from pathlib import Path
    from makingof.store.files import FileStore

    store = FileStore(Path(sys.argv[1]))
    for number in range(6):
        os.write(1, f"acknowledged {store.put(b'blob %d' % number)}\\n".encode())
    for stored in store.put_many(sorted(Path(sys.argv[2]).iterdir())):
        os.write(1, f"acknowledged {stored.digest}\\n".encode())
"""


def trace(tmp_path, *options):
    """Run `PUT` under strace; return the digests it acknowledged."""
    folder = tmp_path / "sources"
    folder.mkdir(exist_ok=True)
    for number in range(10):
        (folder / f"{number}.png").write_bytes(b"file %d" % number)
    command = [sys.executable, "-c", textwrap.dedent(PUT), str(tmp_path / "blobs"), str(folder)]
    done = subprocess.run(["strace", "-f", *options, *command], check=False, capture_output=True, text=True)
    return [Digest.parse(word) for word in re.findall(r"acknowledged (sha256:[0-9a-f]{64})\n", done.stdout)]


def test_the_kernel_sees_file_then_name_then_folder_then_acknowledgement(tmp_path):
    calls = "trace=write,fsync,fdatasync,rename,renameat,renameat2"
    (tmp_path / "trace").touch()
    acknowledged = trace(tmp_path, "-y", "-s", "200", "-o", str(tmp_path / "trace"), "-e", calls)
    assert len(acknowledged) == 16
    lines = (tmp_path / "trace").read_text().splitlines()
    for digest in acknowledged:
        renamed = _find(lines, rf'renameat2\(.*"[^"]*/(\.makingof-[0-9a-f]+\.tmp)".*"[^"]*/{digest.hex}"')
        temporary = re.search(r"/(\.makingof-[0-9a-f]+\.tmp)", lines[renamed]).group(1)
        synced = _find(lines, rf"fsync\(\d+<[^>]*/{re.escape(temporary)}>")
        said = _find(lines, rf"write\(1<.*acknowledged {digest}")
        shard = [
            number
            for number, line in enumerate(lines)
            if re.search(rf"fsync\(\d+<[^>]*/blobs/{digest.hex[:2]}>", line) and renamed < number < said
        ]
        assert synced < renamed < said
        assert shard, f"{digest} was acknowledged before its folder was synced"


def test_acknowledged_blobs_survive_a_kill_at_any_sync(tmp_path):
    for number in range(1, 50):
        root = tmp_path / str(number)
        root.mkdir()
        acknowledged = trace(
            root, "-o", "/dev/null", "-e", "trace=fsync", "-e", f"inject=fsync:signal=KILL:when={number}"
        )
        store = FileStore(root / "blobs")
        for digest in acknowledged:
            store.verify(digest)
        for digest in store.iter_digests():
            store.verify(digest)
        if len(acknowledged) == 16:
            break
    assert number > 10  # strace counts for each thread
    assert len(acknowledged) == 16


@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
def test_a_sync_that_fails_is_never_acknowledged(error, tmp_path):
    for number in (3, 4, 7, 12):  # the first two are those of the store's folders
        root = tmp_path / str(number)
        root.mkdir()
        inject = f"inject=fsync:error={error}:when={number}"
        acknowledged = trace(root, "-o", "/dev/null", "-e", "trace=fsync", "-e", inject)
        assert len(acknowledged) < 6
        for digest in FileStore(root / "blobs").iter_digests():
            FileStore(root / "blobs").verify(digest)
        assert FileStore(root / "blobs").leftovers() == []


def _find(lines, pattern):
    (found,) = [number for number, line in enumerate(lines) if re.search(pattern, line)]
    return found
