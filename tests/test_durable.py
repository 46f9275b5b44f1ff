"""What durable writes survives a power cut; what fails leaves nothing half under a final name."""

import errno
import gzip
import io
import os
import stat
from contextlib import suppress

import pytest
from tests.durable_systems import ALL, FakeLinux, FakeMac, FakeWindows, Fault, PowerCutError, fail_at

from makingof import durable
from makingof.digest import Digest
from makingof.errors import StorageError, UsageError

DATA = b"the very bytes" * 100
OLD = b"what was there"


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    return folder


def write_new(folder, system):
    durable.write_new(folder / "new", DATA, system=system)


def replace(folder, system):
    durable.replace(folder / "old", DATA, system=system)


def copy_new(folder, system):
    with (folder / "old").open("rb") as source:
        durable.copy_new(source, folder / "new", system=system)


def make_folders(folder, system):
    durable.make_folders(folder / "a" / "b" / "c", system=system)


def remove(folder, system):
    durable.remove(folder / "old", system=system)


ACTS = [write_new, replace, copy_new, make_folders, remove]


def allowed(act):
    """What each act may leave: before it, and after it."""
    before = {"old": OLD}
    return {
        write_new: (before, {"old": OLD, "new": DATA}),
        replace: (before, {"old": DATA}),
        copy_new: (before, {"old": OLD, "new": OLD}),
        make_folders: (before, {"old": OLD, "a/b/c": None}),
        remove: (before, {}),
    }[act]


def contents(folder):
    """Everything in a folder but what a crash may leave; folders only where empty."""
    found = {}
    for path in folder.rglob("*"):
        if durable.is_temporary(path.name) or (path.is_dir() and any(path.iterdir())):
            continue
        found[str(path.relative_to(folder))] = None if path.is_dir() else path.read_bytes()
    return found


def operations_of(act, system_class, folder):
    (folder / "old").write_bytes(OLD)
    system = system_class(folder)
    act(folder, system)
    return len(system.log)


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("system_class", ALL)
def test_what_returned_is_on_disk(act, system_class, disk, tmp_path):
    (disk / "old").write_bytes(OLD)
    system = system_class(disk)
    act(disk, system)
    system.cut_power(tmp_path / "after")
    before, after = allowed(act)
    if system_class is FakeWindows and act in (make_folders, remove):
        # Windows writes neither through: both are repeated by whoever needs them.
        assert contents(tmp_path / "after") in (before, after)
    else:
        assert contents(tmp_path / "after") == after


@pytest.mark.parametrize("happens", [False, True])
@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("system_class", ALL)
def test_a_power_cut_at_any_operation_leaves_before_or_after(act, system_class, happens, tmp_path):
    probe = tmp_path / "probe"
    probe.mkdir()
    before, after = allowed(act)
    for index in range(1, operations_of(act, system_class, probe) + 1):
        folder = tmp_path / f"disk{index}"
        folder.mkdir()
        (folder / "old").write_bytes(OLD)
        system = system_class(folder, fail_at(index, PowerCutError(), happens=happens))
        with pytest.raises(PowerCutError):
            act(folder, system)
        for seed in (None, 1, 2, 3, 4):
            into = tmp_path / f"after{index}-{seed}"
            system.cut_power(into, seed=seed)
            left = contents(into)
            if act is make_folders:
                assert left in (before, after, {"old": OLD, "a": None}, {"old": OLD, "a/b": None})
            else:
                assert left in (before, after)


@pytest.mark.parametrize("happens", [False, True])
@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("system_class", ALL)
def test_a_full_disk_at_any_operation_leaves_no_half_file(act, system_class, happens, tmp_path):
    probe = tmp_path / "probe"
    probe.mkdir()
    before, after = allowed(act)
    for index in range(1, operations_of(act, system_class, probe) + 1):
        folder = tmp_path / f"disk{index}"
        folder.mkdir()
        (folder / "old").write_bytes(OLD)
        system = system_class(folder, fail_at(index, OSError(errno.ENOSPC, "full"), happens=happens))
        with pytest.raises(StorageError, match="the disk is full") as caught:
            act(folder, system)
        assert "free some space" in str(caught.value.hint)
        left = contents(folder)
        partly_made = [{"old": OLD, "a": None}, {"old": OLD, "a/b": None}] if act is make_folders else []
        assert left in [before, after, *partly_made]
        # Only a file whose making was reported as a failure stays: nobody knows its name to remove it.
        assert system.operations[-1] in {"create", "clone"} or not [
            path for path in folder.iterdir() if durable.is_temporary(path.name)
        ]


def test_a_file_is_synced_before_its_name_and_its_folder_after(disk):
    system = FakeLinux(disk)
    write_new(disk, system)
    assert system.operations == ["create", "write", "sync_file", "rename_new", "sync_folder"]


def test_replacing_syncs_in_the_same_order(disk):
    system = FakeLinux(disk)
    durable.replace(disk / "settings", DATA, system=system)
    assert system.operations == ["create", "write", "sync_file", "replace", "sync_folder"]


def test_each_new_folder_is_synced_into_its_parent(disk):
    system = FakeLinux(disk)
    make_folders(disk, system)
    assert system.log == [
        ("make_folder", disk / "a"),
        ("sync_folder", disk),
        ("make_folder", disk / "a" / "b"),
        ("sync_folder", disk / "a"),
        ("make_folder", disk / "a" / "b" / "c"),
        ("sync_folder", disk / "a" / "b"),
    ]


def test_a_file_that_could_not_be_synced_is_never_synced_again(disk):
    # After a failed fsync the kernel may drop the pages and call the next fsync a success.
    system = FakeLinux(disk)
    system.plan = lambda _n, operation, _p: (
        Fault(happens=False, error=OSError(errno.EIO, "i/o")) if operation == "sync_file" else None
    )
    with pytest.raises(StorageError, match="the disk reports an error"):
        write_new(disk, system)
    assert system.operations == ["create", "write", "sync_file", "remove"]
    assert contents(disk) == {}


@pytest.mark.parametrize("system_class", ALL)
def test_an_existing_file_is_never_overwritten(system_class, disk):
    (disk / "new").write_bytes(OLD)
    with pytest.raises(UsageError, match="new exists already"):
        write_new(disk, system_class(disk))
    assert (disk / "new").read_bytes() == OLD
    assert [path.name for path in disk.iterdir()] == ["new"]


def test_a_link_under_the_name_is_not_written_through(disk, tmp_path):
    (disk / "new").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError):
        durable.write_new(disk / "new", DATA)
    durable.replace(disk / "new", DATA)
    assert not (tmp_path / "elsewhere").exists()
    assert not (disk / "new").is_symlink()


@pytest.mark.parametrize("mode", [durable.PRIVATE, durable.READ_ONLY, durable.SHARED])
def test_files_get_the_mode_asked_for_less_the_umask(mode, disk):
    umask = os.umask(0o027)
    try:
        durable.write_new(disk / "new", DATA, mode=mode)
    finally:
        os.umask(umask)
    assert stat.S_IMODE((disk / "new").stat().st_mode) == mode & ~0o027


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "quota is used up"),
        (errno.EROFS, "the disk is read-only"),
        (errno.EACCES, "permission denied"),
        (errno.EFBIG, "larger than this disk"),
        (errno.ENAMETOOLONG, "too long for this disk"),
        (errno.ENODEV, "is gone"),
        (errno.EIO, "reports an error"),
        (errno.EMFILE, "too many files are open"),
        (errno.ENOTSUP, "could not be read or written: Operation not supported"),
    ],
)
def test_each_refusal_says_what_to_do(number, words, disk):
    system = FakeLinux(disk, fail_at(1, OSError(number, os.strerror(number)), happens=False))
    with pytest.raises(StorageError, match=words) as caught:
        write_new(disk, system)
    assert (caught.value.hint is None) == (number == errno.ENOTSUP)
    assert isinstance(caught.value.__cause__, OSError)


def test_a_folder_that_is_gone_is_said_to_be(disk):
    with pytest.raises(StorageError, match="is gone"):
        durable.write_new(disk / "nowhere" / "new", DATA)
    with pytest.raises(StorageError, match="is gone"):
        durable.sync_folder(disk / "nowhere")
    durable.remove(disk / "nowhere" / "old")


def test_a_file_in_the_way_of_a_folder_is_said(disk):
    (disk / "a").write_bytes(b"")
    with pytest.raises(StorageError, match="is not a folder"):
        durable.make_folders(disk / "a")
    with pytest.raises(StorageError):
        make_folders(disk, FakeLinux(disk))


def test_folders_are_for_their_owner_alone(disk):
    durable.make_folders(disk / "a" / "b")
    assert stat.S_IMODE((disk / "a").stat().st_mode) == 0o700
    durable.make_folders(disk / "a" / "b")


def test_a_folder_made_by_another_process_meanwhile_is_synced(disk):
    system = FakeLinux(disk)

    def other_makes_it(_number, operation, path):
        if operation == "make_folder":
            path.mkdir()
            system._folder(path.parent).names[path.name] = system._folder(path.parent).__class__()

    system.plan = other_makes_it
    durable.make_folders(disk / "a", system=system)
    assert system.log[-1] == ("sync_folder", disk)


def test_a_copy_is_named_by_what_was_written(disk):
    copied = durable.copy_new(io.BytesIO(DATA), disk / "new")
    assert copied == durable.Copied(Digest.of(DATA), len(DATA), reflinked=False)
    assert (disk / "new").read_bytes() == DATA


def test_a_whole_file_is_cloned_where_the_system_can(disk):
    (disk / "old").write_bytes(OLD)
    with (disk / "old").open("rb") as source:
        copied = durable.copy_new(source, disk / "new", system=FakeMac(disk))
    assert copied == durable.Copied(Digest.of(OLD), len(OLD), reflinked=True)
    assert (disk / "new").stat().st_ino != (disk / "old").stat().st_ino


def test_the_rest_of_a_file_and_unpacked_bytes_are_copied_not_cloned(disk):
    (disk / "old").write_bytes(OLD)
    (disk / "old.gz").write_bytes(gzip.compress(OLD))
    with (disk / "old").open("rb") as source:
        source.read(5)
        assert durable.copy_new(source, disk / "rest", system=FakeMac(disk)).digest == Digest.of(OLD[5:])
    with gzip.open(disk / "old.gz") as source:
        assert durable.copy_new(source, disk / "unpacked", system=FakeMac(disk)).digest == Digest.of(OLD)


def test_copying_onto_an_existing_file_changes_nothing(disk):
    (disk / "new").write_bytes(OLD)
    with pytest.raises(UsageError):
        durable.copy_new(io.BytesIO(DATA), disk / "new")
    assert contents(disk) == {"new": OLD}


def test_windows_waits_for_another_program_to_let_go(disk):
    (disk / "old").write_bytes(OLD)
    system = FakeWindows(disk)
    system.held[disk / "old"] = 3
    durable.replace(disk / "old", DATA, system=system)
    assert (disk / "old").read_bytes() == DATA
    assert system.operations.count("pause") == 3


def test_windows_gives_up_on_a_file_that_stays_open(disk):
    (disk / "old").write_bytes(OLD)
    system = FakeWindows(disk)
    system.held[disk / "old"] = 1000
    for act in (replace, remove):
        with pytest.raises(StorageError, match="another program has it open") as caught:
            act(disk, system)
        assert "virus scan" in str(caught.value.hint)
    assert contents(disk) == {"old": OLD}
    assert len(list(disk.iterdir())) == 1


def test_windows_removes_and_replaces_read_only_files(disk):
    system = FakeWindows(disk)
    durable.write_new(disk / "old", OLD, mode=durable.READ_ONLY, system=system)
    durable.replace(disk / "old", DATA, mode=durable.READ_ONLY, system=system)
    assert (disk / "old").read_bytes() == DATA
    durable.remove(disk / "old", system=system)
    assert contents(disk) == {}


def test_windows_takes_paths_of_any_length(disk):
    system = FakeWindows(disk)
    folder = disk / ("a" * 120) / ("b" * 120)
    durable.make_folders(folder, system=system)
    durable.write_new(folder / ("c" * 100), DATA, system=system)
    assert (folder / ("c" * 100)).read_bytes() == DATA
    with durable.open_regular(folder / ("c" * 100), system=system) as stream:
        assert stream.read() == DATA


def test_windows_refuses_names_of_devices(disk):
    system = FakeWindows(disk)
    with pytest.raises(UsageError, match="cannot be used on every system"):
        durable.write_new(disk / "nul.txt", DATA, system=system)
    assert contents(disk) == {}


@pytest.mark.parametrize(
    "name",
    [
        *("con", "NUL", "nul.txt", "Com1", "LPT9.tar.gz", "com¹", "CONIN$", "aux .txt"),
        *("a.", "a ", "a:b", "a/b", "a\\b", "a?", "*", "<a>", '"', "a|b", "a\nb", "\0", "", ".", ".."),
    ],
)
def test_names_that_some_system_cannot_hold_are_refused(name):
    with pytest.raises(UsageError, match="cannot be used on every system"):
        durable.require_portable_name(name)


@pytest.mark.parametrize("name", ["console", "com10", "nul1", "a.b.c", ".hidden", "女孩.png", "a b", "CON-1"])
def test_names_that_every_system_can_hold_pass(name):
    durable.require_portable_name(name)


def test_links_pipes_and_folders_are_no_plain_files(disk):
    (disk / "file").write_bytes(DATA)
    (disk / "link").symlink_to(disk / "file")
    os.mkfifo(disk / "pipe")
    for name in ("link", "pipe", ".", "absent"):
        with pytest.raises(OSError):
            durable.open_regular(disk / name)
    with durable.open_regular(disk / "link", follow_links=True) as stream:
        assert stream.read() == DATA


def test_a_staged_file_can_be_written_by_its_path(disk):
    with durable.stage(disk) as file:
        file.path.write_bytes(DATA)
        file.sync()
        assert file.place_new(disk / "new")
    assert (disk / "new").read_bytes() == DATA


def test_a_staged_file_takes_nothing_after_its_sync(disk):
    with durable.stage(disk) as file:
        file.sync()
        with pytest.raises(ValueError, match="is synced and closed"):
            file.write(DATA)
    assert contents(disk) == {}


def test_a_kept_staged_file_outlives_its_block_unless_it_failed(disk):
    with durable.stage(disk) as file:
        file.keep()
    assert file.path.exists()
    file.discard()
    assert not file.path.exists()
    with suppress(KeyError), durable.stage(disk) as file:
        file.keep()
        raise KeyError
    assert not file.path.exists()


def test_temporary_names_are_recognised(disk):
    with durable.stage(disk) as file:
        assert durable.is_temporary(file.path.name)
    for name in (
        "old",
        ".makingof-x.tmp",
        "x.makingof-0123456789abcdef.tmp",
        ".makingof-0123456789abcdef.tmp2",
    ):
        assert not durable.is_temporary(name)
