"""A watched folder: what is told of, and when."""

import shutil
import threading
import time

import pytest
from tests.records import png

from makingof.capture.watching import Change, Tracker, What, watch_folders


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "out"
    made.mkdir()
    return made


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tracker(folder, clock):
    made = Tracker((folder,), clock)
    made.start()
    return made


def settle(tracker, clock, seconds=1.0):
    tracker.settled()
    clock.now += seconds
    return tracker.settled()


def test_a_file_is_told_of_once_it_has_stopped_changing(tracker, clock, folder):
    path = folder / "a.bin1"
    path.write_bytes(b"first half")
    tracker.note(path)
    assert tracker.settled() == []
    clock.now += 0.2
    path.write_bytes(b"first half, second half")
    assert tracker.settled() == []
    clock.now += 0.2
    assert tracker.settled() == []
    clock.now += 0.2
    assert tracker.settled() == [Change(What.APPEARED, path)]
    assert settle(tracker, clock) == []


def test_a_picture_without_its_end_is_waited_for_and_taken_in_the_end(tracker, clock, folder):
    path, whole = folder / "a.png", png(width=64, height=64)
    path.write_bytes(whole[:-20])
    tracker.note(path)
    assert settle(tracker, clock, 5) == []
    path.write_bytes(whole)
    assert settle(tracker, clock) == [Change(What.APPEARED, path)]
    cut = folder / "b.png"
    cut.write_bytes(whole[:-20])
    tracker.note(cut)
    assert settle(tracker, clock, 11) == [Change(What.APPEARED, cut)]


def test_replaced_renamed_and_deleted_are_told_apart(tracker, clock, folder):
    a, b = folder / "a.txt", folder / "b.txt"
    a.write_bytes(b"1")
    tracker.note(a)
    settle(tracker, clock)
    a.write_bytes(b"22")
    tracker.note(a)
    assert settle(tracker, clock) == [Change(What.REPLACED, a)]
    a.rename(b)
    tracker.note(a)
    tracker.note(b)
    assert settle(tracker, clock) == [Change(What.RENAMED, b, a)]
    b.unlink()
    tracker.note(b)
    assert settle(tracker, clock) == [Change(What.DELETED, b)]


def test_an_atomic_save_is_a_replacement_and_nothing_else(tracker, clock, folder):
    path = folder / "picture.psd"
    path.write_bytes(b"first")
    tracker.note(path)
    settle(tracker, clock)
    temporary = folder / "picture.psd.tmp"
    temporary.write_bytes(b"second")
    tracker.note(temporary)
    temporary.replace(path)
    tracker.note(temporary)
    tracker.note(path)
    assert settle(tracker, clock) == [Change(What.REPLACED, path)]


def test_a_name_freed_and_taken_by_other_bytes_is_a_replacement(tracker, clock, folder):
    path = folder / "ComfyUI_00001_.bin1"
    path.write_bytes(b"first")
    tracker.note(path)
    settle(tracker, clock)
    path.unlink()
    tracker.note(path)
    path.write_bytes(b"other bytes")
    tracker.note(path)
    assert settle(tracker, clock) == [Change(What.REPLACED, path)]


def test_a_new_folder_is_looked_through(tracker, clock, folder):
    inner = folder / "2026/03/01"
    inner.mkdir(parents=True)
    for number in range(3):
        (inner / f"{number}.txt").write_bytes(b"x")
    tracker.note(folder / "2026")
    assert {change.path.name for change in settle(tracker, clock)} == {"0.txt", "1.txt", "2.txt"}


def test_what_no_notice_told_of_is_found_by_looking_through_everything(tracker, clock, folder):
    (folder / "unheard.txt").write_bytes(b"x")
    tracker.reconcile()
    assert settle(tracker, clock) == [Change(What.APPEARED, folder / "unheard.txt")]


def test_a_folder_that_vanishes_is_not_a_folder_whose_files_were_deleted(tracker, clock, folder, tmp_path):
    (folder / "a.txt").write_bytes(b"x")
    tracker.note(folder / "a.txt")
    settle(tracker, clock)
    folder.rename(tmp_path / "taken out")
    tracker.note(folder / "a.txt")
    assert tracker.reconcile() == [Change(What.FOLDER_VANISHED, folder)]
    assert tracker.reconcile() == []
    assert settle(tracker, clock) == []
    (tmp_path / "taken out").rename(folder)
    assert tracker.reconcile() == [Change(What.FOLDER_BACK, folder)]
    assert settle(tracker, clock) == []


def test_hidden_unfinished_and_linked_files_and_our_own_archive_are_not_taken(
    tracker, clock, folder, tmp_path
):
    (folder / ".makingof/blobs").mkdir(parents=True)
    (tmp_path / "outside.txt").write_bytes(b"x")
    (folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    for name in (".hidden", "a.part", "b.crdownload", "model.safetensors", ".makingof/blobs/x.txt"):
        (folder / name).write_bytes(b"x")
    tracker.reconcile()
    assert settle(tracker, clock, 20) == []


def test_the_systems_own_notices_are_heard(folder):
    tracker, stop, seen = Tracker((folder,)), threading.Event(), []
    tracker.start()

    def listen():
        for changes in watch_folders(tracker, stop):
            seen.extend(changes)

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        time.sleep(0.3)
        (folder / "deep/er").mkdir(parents=True)
        (folder / "deep/er/a.png").write_bytes(png())
        (folder / "b.png").write_bytes(png())
        deadline = time.monotonic() + 10
        while len(seen) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        shutil.rmtree(folder / "deep")
        while len(seen) < 3 and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        stop.set()
        thread.join()
    told = {(change.what, change.path.name) for change in seen}
    assert told == {(What.APPEARED, "a.png"), (What.APPEARED, "b.png"), (What.DELETED, "a.png")}
