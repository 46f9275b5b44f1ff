"""Every blob that was acknowledged survives, whenever and however the process or the machine stops."""

import itertools
import os
import signal
import subprocess
import sys
import textwrap
from contextlib import suppress

import pytest
from tests.durable_systems import (
    FakeLinux,
    FakeMac,
    FakeWindows,
    Fault,
    PowerCutError,
    fail_at,
    nothing_fails,
)

from makingof import durable
from makingof.digest import Digest
from makingof.errors import StorageError
from makingof.store.files import FileStore

SOURCES = {"a.png": b"a" * 30, "b.png": b"b" * 3000, "again.png": b"a" * 30, "empty.png": b""}


@pytest.fixture
def sources(tmp_path):
    folder = tmp_path / "sources"
    folder.mkdir()
    for name, data in SOURCES.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in SOURCES]


def record(store, sources, acknowledged, erased):
    """Use every way in and out, noting what was acknowledged as soon as it was."""
    acknowledged.append(store.put(b"first"))
    acknowledged.append(store.put(b"a prompt's attachment"))
    for stored in store.put_many(sources):
        acknowledged.append(stored.digest)
    acknowledged.append(store.put_file(sources[1]).digest)
    erased.append(Digest.of(b"first"))
    store.remove(Digest.of(b"first"))
    erased.append("done")


def require_kept(folder, acknowledged, erased):
    """Check a store as it is found after a crash, and that work goes on."""
    store = FileStore(folder / "blobs")
    for digest in acknowledged:
        if digest not in erased:
            store.verify(digest)
    for digest in store.iter_digests():
        store.verify(digest)
    assert not (folder / "blobs").exists() or list(store.iter_strays()) == []
    assert all(durable.is_temporary(path.name) for path in store.leftovers())


@pytest.mark.parametrize(("system_class", "step"), [(FakeLinux, 1), (FakeMac, 2), (FakeWindows, 2)])
def test_acknowledged_blobs_survive_a_power_cut_before_any_operation(system_class, step, sources, tmp_path):
    for index in itertools.count(1, step):
        root = tmp_path / f"disk{index}"
        root.mkdir()
        system = system_class(root, fail_at(index, PowerCutError(), happens=False))
        acknowledged, erased = [], []
        with suppress(PowerCutError):
            record(FileStore(root / "blobs", system=system), sources, acknowledged, erased)
        for seed in (None, index):
            after = tmp_path / f"after{index}-{seed}"
            system.cut_power(after, seed=seed)
            require_kept(after, acknowledged, erased)
        require_kept(root, acknowledged, erased)  # the process died, the machine did not
        if erased[-1:] == ["done"]:
            break
    assert index > 20


def test_a_blob_that_another_process_has_named_and_not_synced_is_synced_before_it_counts(tmp_path):
    root = tmp_path / "disk"
    root.mkdir()
    system = FakeLinux(root)
    shard = FileStore(root / "blobs").blob_path(Digest.of(b"shared")).parent
    system.plan = lambda _n, operation, path: _stop(
        operation == "sync_folder" and path == shard
    )  # the first process dies just before
    with pytest.raises(StorageError):
        FileStore(root / "blobs", system=system).put(b"shared")
    system.plan = nothing_fails
    FileStore(root / "blobs", system=system).put(b"shared")
    system.cut_power(tmp_path / "after")
    assert FileStore(tmp_path / "after" / "blobs").read(Digest.of(b"shared")) == b"shared"


def test_folders_that_another_process_has_made_and_not_synced_are_synced_before_they_count(tmp_path):
    root = tmp_path / "disk"
    root.mkdir()
    system = FakeLinux(root)
    system.plan = lambda _n, operation, path: _stop(operation == "sync_folder" and path.name == "blobs")
    with pytest.raises(StorageError):
        FileStore(root / "blobs", system=system).put(b"other")
    system.plan = nothing_fails
    digest = FileStore(root / "blobs", system=system).put(b"other")
    system.cut_power(tmp_path / "after")
    assert FileStore(tmp_path / "after" / "blobs").read(digest) == b"other"


IMPORT = """
    import sys
    from pathlib import Path
    from makingof.store.files import FileStore

    paths = sorted(Path(sys.argv[2]).iterdir())
    for stored in FileStore(Path(sys.argv[1])).put_many(paths):
        print(stored.digest, flush=True)
"""


@pytest.mark.parametrize("after_lines", [1, 70])
def test_acknowledged_blobs_survive_a_kill(after_lines, tmp_path):
    folder = tmp_path / "sources"
    folder.mkdir()
    for number in range(300):
        (folder / f"{number}.png").write_bytes(os.urandom(20_000))
    command = [sys.executable, "-c", textwrap.dedent(IMPORT), str(tmp_path / "blobs"), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        lines = [process.stdout.readline() for _ in range(after_lines)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
    acknowledged = [Digest.parse(line.strip()) for line in lines if line.endswith("\n")]
    assert len(acknowledged) >= after_lines
    require_kept(tmp_path, acknowledged, [])
    assert sum(result.is_new for result in FileStore(tmp_path / "blobs").put_many(folder.iterdir())) < 300


def test_a_limit_on_file_size_stores_nothing_half(tmp_path):
    script = """
        import resource, sys
        from pathlib import Path
        from makingof.errors import StorageError
        from makingof.store.files import FileStore

        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        store = FileStore(Path(sys.argv[1]))
        store.put(b"a" * 50_000)
        try:
            store.put(b"b" * 50_001)
        except StorageError as err:
            print(err)
        assert len(list(store.iter_digests())) == 1
        assert store.leftovers() == []
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "blobs")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "larger than this disk or this account allows" in done.stdout


def _stop(stops):
    return Fault(happens=False, error=OSError(5, "died here")) if stops else None
