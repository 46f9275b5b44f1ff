"""The file of the index: made anew, shared, interrupted, scrubbed."""

import os
import re
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.histories import History, blob, file, note, parameters, place, prompt
from tests.logs import log_path, make_log

from makingof.errors import ConflictError, StorageError
from makingof.event import Kind
from makingof.index.database import Database, schema_version
from makingof.index.queries import Index
from makingof.index.values import EventFilter
from makingof.tlog.log import EncodedEntry, Log, Pending
from makingof.tlog.reader import open_reader

HIDDEN = "zebracorn 月光少女"
FOLLOW = """
import sys
from pathlib import Path
from makingof.index.queries import Index
from makingof.tlog.reader import open_reader
with open_reader(Path(sys.argv[1])) as log, Index.open(Path(sys.argv[2])) as index:
    print("ready", flush=True)
    index.follow(log)
"""


def story(count: int) -> History:
    history = History()
    for number in range(count):
        said = [
            prompt(f"a cat number {number}, 女孩"),
            parameters(seed=str(number)),
            place(f"/out/{number}.png"),
        ]
        made = history.generate(f"{number}.png", said=said)
        if number % 10 == 0:
            history.keep(made.file())
    return history


def write_history(log: Log, history: History) -> None:
    """Append a history to a real log: its heads are those of the same tree."""
    log.append([as_pending(history, position) for position in range(history.size())])


def as_pending(history: History, position: int) -> Pending:
    encoded = EncodedEntry(history.entry(position), tuple(history.told[position].parts.values()))
    return Pending(lambda _: encoded)


@contextmanager
def following(folder):
    """Another process that follows the log in `folder`, ended whatever happens."""
    script = [sys.executable, "-c", FOLLOW, str(log_path(folder)), str(folder / "index.sqlite")]
    with subprocess.Popen(script, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield process
        finally:
            process.kill()


def assert_whole(folder):
    with (
        open_reader(log_path(folder)) as log,
        Index.open(folder / "index.sqlite") as index,
        Index.in_memory() as fresh,
    ):
        index.follow(log)
        fresh.follow(log)
        assert index.size() == log.size()
        assert index.differs_from(fresh) == []


def test_a_real_log_is_followed_and_its_lineages_found(tmp_path):
    history = story(30)
    with make_log(tmp_path) as log, Index.open(tmp_path / "index.sqlite") as index:
        write_history(log, history)
        assert index.follow(log) == history.size()
        assert index.lineage(log, [blob("7.png")]) == index.lineage(history, [blob("7.png")])
    assert_whole(tmp_path)


def test_the_file_deleted_and_followed_again_says_the_same(tmp_path):
    with make_log(tmp_path) as log:
        write_history(log, story(30))
        with Index.open(tmp_path / "index.sqlite") as index:
            index.follow(log)
        with Index.open(tmp_path / "second.sqlite") as second, Index.open(tmp_path / "index.sqlite") as index:
            second.follow(log)
            assert index.differs_from(second) == []


@pytest.mark.parametrize("damage", [b"not a database at all, but long enough to be looked at" * 100, b""])
def test_a_file_that_is_no_index_is_made_anew(tmp_path, damage):
    path = tmp_path / "index.sqlite"
    path.write_bytes(damage)
    history = story(3)
    with Index.open(path) as index:
        index.follow(history)
        assert index.size() == history.size()


def test_a_damaged_index_is_made_anew(tmp_path):
    path, history = tmp_path / "index.sqlite", story(30)
    with Index.open(path) as index:
        index.follow(history)
    data = path.read_bytes()
    path.write_bytes(data[:100] + b"\xff" * 4000 + data[4100:])
    with Index.open(path) as index:
        assert index.size() == 0


def test_an_index_of_another_version_is_made_anew(tmp_path):
    path, history = tmp_path / "index.sqlite", story(3)
    with Index.open(path) as index:
        index.follow(history)
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {schema_version() ^ 1}")
    connection.execute("CREATE TABLE of_another_time (x)")
    connection.close()
    with Index.open(path) as index:
        assert index.size() == 0
        assert index.follow(history) == history.size()


def test_where_nothing_can_be_written_that_is_said(tmp_path):
    with pytest.raises(StorageError):
        Index.open(tmp_path / "no such folder" / "index.sqlite")


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes where it may not")
def test_a_write_protected_index_is_refused(tmp_path):
    path = tmp_path / "index.sqlite"
    Index.open(path).close()
    path.chmod(0o400)
    with pytest.raises(StorageError, match="cannot be written"):
        Index.open(path)


@pytest.mark.skipif(os.name == "nt", reason="no such mode bits there")
def test_nobody_else_may_read_the_index(tmp_path):
    Index.open(tmp_path / "index.sqlite").close()
    assert (tmp_path / "index.sqlite").stat().st_mode & 0o777 == 0o600


def test_several_processes_may_follow_at_once(tmp_path):
    with make_log(tmp_path) as log:
        write_history(log, story(400))
    with following(tmp_path) as one, following(tmp_path) as two, following(tmp_path) as three:
        assert [process.wait(60) for process in (one, two, three)] == [0, 0, 0]
    assert_whole(tmp_path)


def test_one_that_is_killed_leaves_whole_chunks(tmp_path):
    with make_log(tmp_path) as log:
        write_history(log, story(1200))
    for wait in (0.05, 0.2):
        with following(tmp_path):
            time.sleep(wait)
        with Index.open(tmp_path / "index.sqlite") as index:
            assert index.size() in (0, 1000, 1320)
    assert_whole(tmp_path)


def test_a_full_disk_is_said_and_nothing_half_read_stays(tmp_path):
    history = story(400)
    database = Database.open(tmp_path / "index.sqlite")
    with Index(database) as index, Index.in_memory() as fresh:
        database.query("PRAGMA max_page_count = 90")
        with pytest.raises(StorageError, match="full"):
            index.follow(history)
        assert index.size() == 0
        with pytest.raises(StorageError, match="full"):
            index.follow(history)
        database.query("PRAGMA max_page_count = 100000")
        assert index.follow(history) == history.size()
        fresh.follow(history)
        assert index.differs_from(fresh) == []


def test_threads_share_one_index():
    history = story(200)
    with Index.in_memory() as index:
        index.follow(history)
        wrong: list[object] = []

        def look():
            for number in range(0, 200, 7):
                found = index.files_of(blob(f"{number}.png"))
                wrong.extend(row for row in found if row.blob != blob(f"{number}.png"))

        threads = [threading.Thread(target=look) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []


def _holds(folder, text):
    forms = {text.encode(), text.encode("utf-16-le"), text.casefold().encode()}
    return [path.name for path in folder.iterdir() for form in forms if form in path.read_bytes()]


def test_purged_text_is_in_none_of_the_files(tmp_path):
    history = story(400)
    told = history.generate(
        "secret.png",
        said=[
            prompt(HIDDEN),
            note(HIDDEN),
            place(f"/home/{HIDDEN}.png"),
            parameters(seed="1", prompt=HIDDEN),
        ],
    )
    later = history.generate("later.png", said=[prompt("nothing of note")])
    with Index.open(tmp_path / "index.sqlite") as index:
        index.follow(history)
        assert _holds(tmp_path, "zebracorn")
        parts = list(told.parts)
        history.forget(*parts)
        index.purge(parts)
        for word in ("zebracorn", "月光", "光少", "少女", blob("secret.png").raw.hex()):
            assert not _holds(tmp_path, word)
        assert blob("secret.png").raw not in (tmp_path / "index.sqlite").read_bytes()
        assert index.events(EventFilter(text="nothing"))[0].name == later.name
        assert index.events(EventFilter(text="zebracorn")) == []
    assert not _holds(tmp_path, "zebracorn")


def test_a_purge_says_when_somebody_still_reads(tmp_path):
    history = story(20)
    told = history.generate("secret.png", said=[prompt(HIDDEN)])
    path = tmp_path / "index.sqlite"
    database = Database.open(path)
    with Index(database) as index:
        index.follow(history)
        reader = sqlite3.connect(path, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM events").fetchone()
        database.query("PRAGMA busy_timeout = 50")
        with pytest.raises(ConflictError, match="in use"):
            index.purge(told.parts)
        reader.close()
        index.purge(told.parts)
        assert not _holds(tmp_path, "zebracorn")


def test_other_programs_read_the_public_views(tmp_path):
    history = History()
    made = history.generate("a.png", said=[prompt("a cat"), parameters(seed="7"), place("/out/a.png")])
    history.keep(made.file())
    history.tell(Kind.NOTED, note("x"))
    history.erase(files=[made.file()])
    with Index.open(tmp_path / "index.sqlite") as index:
        index.follow(history)
    connection = sqlite3.connect(tmp_path / "index.sqlite")
    views = {
        view: connection.execute(f"SELECT * FROM {view} LIMIT 1").fetchone()  # noqa: S608 - names of our own
        for (view,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'view'").fetchall()
    }
    connection.close()
    assert views["public_events"][:4] == (0, made.name, "generated", "live")
    assert views["public_files"][:4] == (0, made.file(), blob("a.png"), "output")
    assert views["public_files"][-1] == "erased"
    assert views["public_texts"] == (0, "prompt", "a cat")
    assert views["public_parameters"] == (0, "comfyui", 0, 1, "seed", "7", "present")
    assert views["public_choices"] == (1, "selected", 0, made.file(), 0)
    assert views["public_places"][2:4] == ("/out/a.png", "a.png")


def test_a_file_part_in_a_list_is_found(tmp_path):
    history = History()
    history.generate(*(f"{number}.png" for number in range(30)), listed=True)
    with Index.in_memory() as index:
        index.follow(history)
        assert len(index.files_in(history.told[0].name)) == 30
        assert index.files_of(blob("29.png"))[0].part == history.told[0].file(30)


def test_one_file_used_by_two_parts_of_one_event_counts_for_both():
    history = History()
    history.generate("a.png", said=[file("a.png")])
    with Index.in_memory() as index:
        index.follow(history)
        assert len(index.files_of(blob("a.png"))) == 2
        assert index.count_pictures() == 1


def test_the_query_of_the_page_runs(tmp_path):
    page = (Path(__file__).parents[1] / "docs" / "reference" / "index-views.md").read_text("utf-8")
    statement = re.search(r"```sql\n(.*?)```", page, re.DOTALL)
    assert statement is not None
    history = History()
    made = history.generate("a.png", "b.png", said=[prompt("a cat")])
    history.keep(made.file(0))
    with Index.open(tmp_path / "index.sqlite") as index:
        index.follow(history)
    connection = sqlite3.connect(f"file:{tmp_path / 'index.sqlite'}?mode=ro", uri=True)
    assert connection.execute(statement[1]).fetchall() == [(blob("a.png"), "a cat")]
    columns = {
        view: " ".join(row[1] for row in connection.execute(f"PRAGMA table_info({view})"))
        for (view,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'view'").fetchall()
    }
    connection.close()
    assert dict(re.findall(r"^\| `(public_\w+)` \| `([^`]+)`", page, re.MULTILINE)) == columns
