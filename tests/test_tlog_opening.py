import sqlite3
import sys
from pathlib import Path

import pytest
from tests.logs import (
    KEY,
    OTHER_KEY,
    FailingDisk,
    check_whole,
    damage,
    fill,
    leaves_of,
    log_path,
    make_log,
    mark_of,
    pending,
    plain_head,
    reopen,
    state_path,
)

from makingof.errors import (
    ConflictError,
    IntegrityError,
    LogForkError,
    MalformedError,
    StorageError,
    UsageError,
)
from makingof.keys.folder import keep_key
from makingof.keys.mark import Mark
from makingof.tlog.checkpoint import verify_checkpoint
from makingof.tlog.log import create_log, open_log
from makingof.tlog.reader import open_reader
from makingof.tlog.readonly import ReadOnlyReason

# Opening


def test_a_log_without_its_key_can_be_read_and_says_why_not_written(log, tmp_path):
    fill(log, 3)
    log.close()
    with open_log(log_path(tmp_path), tmp_path / "elsewhere") as again:
        assert again.read_only.reason is ReadOnlyReason.NO_KEY
        assert again.head() == plain_head(leaves_of(3))
        verify_checkpoint(again.checkpoint(), KEY.public)
        for refused in (lambda: again.append([pending("x")]), lambda: again.checkpoint(2)):
            with pytest.raises(UsageError) as caught:
                refused()
            assert caught.value.hint.in_language("zh")


def test_a_damaged_key_does_not_keep_a_log_from_being_read(log, tmp_path):
    fill(log, 3)
    log.close()
    next((state_path(tmp_path) / "keys").iterdir()).write_bytes(b"torn")
    with reopen(tmp_path) as again:
        assert again.read_only.reason is ReadOnlyReason.NO_KEY
        assert "cannot be used" in str(again.read_only.message)
        assert again.size() == 3


def test_a_key_whose_mark_is_lost_or_damaged_does_not_go_on(log, tmp_path):
    fill(log, 3)
    log.close()
    mark_of(tmp_path).path.write_bytes(b"{}")
    with reopen(tmp_path) as again:
        assert again.read_only.reason is ReadOnlyReason.NO_MARK
    mark_of(tmp_path).path.unlink()
    with reopen(tmp_path) as again:
        assert again.read_only.reason is ReadOnlyReason.NO_MARK
        with pytest.raises(ConflictError):
            again.append([pending("x")])
        assert again.checkpoint(2)  # what was signed once may be signed again


def copy_database(source: Path, target: Path) -> None:
    with sqlite3.connect(source) as old, sqlite3.connect(target) as new:
        old.backup(new)
    old.close()
    new.close()


def test_a_restored_archive_is_read_only_and_its_original_is_not(log, tmp_path):
    fill(log, 3)
    copy_database(log.path, tmp_path / "backup.sqlite")
    fill(log, 2)
    with open_log(tmp_path / "backup.sqlite", state_path(tmp_path)) as restored:
        assert restored.read_only.reason is ReadOnlyReason.BEHIND_MARK
        assert "3" in str(restored.read_only.message)
        assert "5" in str(restored.read_only.message)
        with pytest.raises(ConflictError):
            restored.append([pending("x")])
        assert restored.size() == 3
    assert log.append([pending("x")])[0].index == 5


def test_of_two_copies_open_at_once_only_the_first_to_go_on_may(log, tmp_path):
    fill(log, 3)
    copy_database(log.path, tmp_path / "copy.sqlite")
    with open_log(tmp_path / "copy.sqlite", state_path(tmp_path)) as copy:
        assert copy.read_only is None
        fill(log, 1)
        with pytest.raises(ConflictError):
            copy.append([pending("x")])
        assert copy.size() == 3


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be replaced there")
def test_an_archive_replaced_while_it_is_open_takes_no_more_entries(log, tmp_path):
    fill(log, 3)
    copy_database(log.path, tmp_path / "backup.sqlite")
    (tmp_path / "backup.sqlite").replace(log.path)
    with pytest.raises(ConflictError) as caught:
        fill(log, 1)
    assert caught.value.hint
    log.path.unlink()
    with pytest.raises(ConflictError):
        fill(log, 1)


def test_an_archive_with_another_history_than_was_signed_is_a_fork(log, tmp_path):
    fill(log, 3)
    log.close()
    head = mark_of(tmp_path).read()
    for mark in (Mark(3, bytes(32)), Mark(2, bytes(32))):
        mark_of(tmp_path).path.unlink()
        mark_of(tmp_path).advance(mark)
        with pytest.raises(LogForkError):
            reopen(tmp_path)
    mark_of(tmp_path).path.unlink()
    mark_of(tmp_path).advance(head)
    reopen(tmp_path).close()


def test_an_archive_ahead_of_its_mark_catches_up_when_it_is_opened(tmp_path):
    disk = FailingDisk()
    with make_log(tmp_path, disk=disk.as_disk()) as log:
        fill(log, 2)
        disk.arm(1, applies=False)  # the mark, after the entries
        with pytest.raises(StorageError):
            fill(log, 1)
        assert mark_of(tmp_path).read().size == 2
        assert verify_checkpoint(log.checkpoint(), KEY.public).size == 2
    assert check_whole(tmp_path).unsigned == 1
    with reopen(tmp_path) as again:
        assert verify_checkpoint(again.checkpoint(), KEY.public).size == 3
        assert mark_of(tmp_path).read().size == 3
    assert check_whole(tmp_path).unsigned == 0


def test_a_log_of_a_newer_format_is_refused_with_what_to_do(log, tmp_path):
    log.close()
    with sqlite3.connect(log_path(tmp_path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    connection.close()
    with pytest.raises(UsageError) as caught:
        reopen(tmp_path)
    assert "update" in str(caught.value.hint)


@pytest.mark.parametrize(
    "statement",
    [
        "PRAGMA application_id = 0",
        "CREATE TABLE more (x)",
        "DROP TRIGGER entries_final_delete",
        "CREATE TRIGGER extra AFTER INSERT ON entries BEGIN DELETE FROM parts; END",
        "DELETE FROM settings",
        "UPDATE settings SET value = 'makingof/0' WHERE name = 'origin'",
        f"UPDATE settings SET value = '{OTHER_KEY.public.vkey}' WHERE name = 'vkey'",  # noqa: S608 - a constant
        "UPDATE settings SET value = 'nonsense' WHERE name = 'vkey'",
        "UPDATE checkpoint SET note = x'00'",
    ],
)
def test_a_file_that_is_no_log_of_ours_is_malformed(log, tmp_path, statement):
    fill(log, 1)
    log.close()
    with sqlite3.connect(log_path(tmp_path)) as connection:
        connection.execute(statement)
    connection.close()
    with pytest.raises(MalformedError):
        reopen(tmp_path)
    with pytest.raises(MalformedError):
        open_reader(log_path(tmp_path))


@pytest.mark.parametrize("data", [b"", b"SQLite format 3\0" + bytes(200), b"not a database" * 100])
def test_a_file_that_is_no_database_is_malformed(tmp_path, data):
    log_path(tmp_path).write_bytes(data)
    with pytest.raises(MalformedError):
        reopen(tmp_path)


@pytest.mark.parametrize("name", ["a b", "100%25", "what?mode=ro", "#1", "女孩 光线"])
def test_a_folder_may_have_any_name(tmp_path, name):
    (tmp_path / name).mkdir()
    fill(make_log(tmp_path / name), 2).close()
    with reopen(tmp_path / name) as again:
        assert again.size() == 2
    assert log_path(tmp_path / name).exists()


def test_a_missing_log_is_not_made_by_opening_it(tmp_path):
    for opened in (lambda: reopen(tmp_path), lambda: open_reader(log_path(tmp_path))):
        with pytest.raises(UsageError):
            opened()
    assert not log_path(tmp_path).exists()


def test_a_file_cut_in_half_is_an_integrity_error(log, tmp_path):
    fill(log, 500)
    log.close()
    data = log_path(tmp_path).read_bytes()
    log_path(tmp_path).write_bytes(data[: len(data) // 2])
    with pytest.raises(IntegrityError):
        check_whole(tmp_path)


def test_a_damaged_page_is_an_integrity_error_with_what_to_do(log, tmp_path):
    fill(log, 20)
    log.close()
    with sqlite3.connect(log_path(tmp_path)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'nodes'").fetchone()
    connection.close()
    with log_path(tmp_path).open("r+b") as stream:
        stream.seek((page - 1) * 4096)
        stream.write(b"\xff" * 100)
    with pytest.raises(IntegrityError) as caught:
        reopen(tmp_path)
    assert caught.value.hint


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM entries WHERE idx = 20",
        "DELETE FROM nodes",
        "UPDATE entries SET leaf = zeroblob(32) WHERE idx = 20",
    ],
)
def test_a_log_that_is_not_what_its_checkpoint_signs_is_not_opened(log, tmp_path, statement):
    fill(log, 20)
    log.append([pending("the last one")])
    log.close()
    damage(tmp_path, statement)
    for opened in (lambda: reopen(tmp_path), lambda: open_reader(log_path(tmp_path))):
        with pytest.raises(IntegrityError):
            opened()


def test_a_log_whose_checkpoint_is_lost_is_signed_again(log, tmp_path):
    fill(log, 3)
    log.close()
    damage(tmp_path, "DELETE FROM checkpoint")
    with open_log(log_path(tmp_path), tmp_path / "elsewhere") as again, pytest.raises(UsageError):
        again.checkpoint()
    with reopen(tmp_path) as again:
        assert verify_checkpoint(again.checkpoint(), KEY.public).size == 3


def test_a_state_folder_that_refuses_makes_the_log_read_only(log, tmp_path):
    fill(log, 3)
    log.close()
    marks = state_path(tmp_path) / "marks"
    for path in marks.iterdir():
        path.unlink()
    marks.rmdir()
    marks.write_bytes(b"a file where a folder should be")
    with reopen(tmp_path) as again:
        assert again.read_only.reason is ReadOnlyReason.DISK
        with pytest.raises(StorageError) as caught:
            again.append([pending("x")])
        assert caught.value.hint
        assert again.size() == 3


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET entry = x'00'",
        "DELETE FROM entries",
        "UPDATE nodes SET hash = zeroblob(32)",
        "DELETE FROM nodes",
        "DELETE FROM parts",
        "UPDATE parts SET bytes = x'00'",
        "UPDATE parts SET bytes = NULL, number = 5",
        "UPDATE parts SET bytes = NULL, digest = zeroblob(32)",
    ],
)
def test_the_file_itself_refuses_to_change_what_is_final(log, tmp_path, statement):
    log.append([pending("a", "part"), pending("b")])
    with sqlite3.connect(log_path(tmp_path)) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)
    connection.close()


# Beginning


def test_a_key_begins_one_log_only(log, tmp_path):
    fill(log, 1)
    with pytest.raises(ConflictError):
        create_log(tmp_path / "second.sqlite", state_path(tmp_path), KEY)
    assert not (tmp_path / "second.sqlite").exists()
    keep_key(state_path(tmp_path), OTHER_KEY)
    with pytest.raises(UsageError):
        create_log(log_path(tmp_path), state_path(tmp_path), OTHER_KEY)


def test_a_beginning_cut_short_is_begun_again(tmp_path):
    log_path(tmp_path).touch()
    with make_log(tmp_path) as log:
        assert log.size() == 0
        assert verify_checkpoint(log.checkpoint(), KEY.public).size == 0
    check_whole(tmp_path)


def test_a_log_cannot_begin_where_there_is_no_folder(tmp_path):
    with pytest.raises(StorageError):
        create_log(tmp_path / "none" / "log.sqlite", state_path(tmp_path), KEY)
