"""The raw operations of the platform this runs on, and what can be run of the others."""

import os
from pathlib import Path

import pytest

from makingof.system import Linux, Mac, System, Windows, _look_and_rename, this_system


@pytest.fixture
def system() -> System:
    return this_system()


def test_a_rename_that_spares_the_target(system, tmp_path):
    (tmp_path / "old").write_bytes(b"new")
    (tmp_path / "there").write_bytes(b"there")
    with pytest.raises(FileExistsError):
        system.rename_new(tmp_path / "old", tmp_path / "there")
    assert (tmp_path / "there").read_bytes() == b"there"
    system.rename_new(tmp_path / "old", tmp_path / "free")
    assert (tmp_path / "free").read_bytes() == b"new"
    with pytest.raises(FileNotFoundError):
        system.rename_new(tmp_path / "old", tmp_path / "other")


def test_a_rename_spares_the_target_where_the_file_system_cannot(tmp_path):
    class NoSparing(Linux):
        def _rename_sparing(self, _old, _new):
            raise OSError(22, "invalid argument")

    test_a_rename_that_spares_the_target(NoSparing(), tmp_path)


def test_looking_before_renaming_sees_dangling_links(tmp_path):
    (tmp_path / "old").write_bytes(b"new")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileExistsError):
        _look_and_rename(tmp_path / "old", tmp_path / "link")


def test_a_c_library_without_the_call_falls_back(tmp_path):
    # macOS' renamex_np is missing here as renameat2 is from an old C library.
    test_a_rename_that_spares_the_target(Mac(), tmp_path)


def test_macos_syncs_as_well_as_the_drive_can(tmp_path):
    system = Mac()
    handle = system.create(tmp_path / "file", 0o600)
    system.write(handle, b"bytes")
    system.sync_file(handle)  # F_FULLFSYNC is refused here, as by some external drives
    system.close(handle)
    system.sync_folder(tmp_path)


def test_a_clone_that_cannot_be_leaves_nothing(tmp_path):
    reading, writing = os.pipe()
    assert Linux().clone(reading, tmp_path / "clone", 0o600) is None
    assert list(tmp_path.iterdir()) == []
    os.close(reading)
    os.close(writing)


def test_a_read_only_file_can_be_written_through_the_handle_that_made_it(system, tmp_path):
    handle = system.create(tmp_path / "file", 0o444)
    system.write(handle, b"bytes")
    system.close(handle)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o444


def test_a_file_is_never_made_twice(system, tmp_path):
    system.close(system.create(tmp_path / "file", 0o600))
    with pytest.raises(FileExistsError):
        system.create(tmp_path / "file", 0o600)


@pytest.mark.parametrize(
    ("path", "spelled"),
    [("C:\\archive", "\\\\?\\C:\\archive"), ("\\\\nas\\share", "\\\\?\\UNC\\nas\\share")],
)
def test_windows_paths_are_spelled_without_a_limit(path, spelled, monkeypatch):
    monkeypatch.setattr(os.path, "abspath", str)  # here it would see a relative name
    assert str(Windows().spell(Path(path))) == spelled
    assert str(Windows().spell(Path(spelled))) == spelled
