"""InvokeAI followed while things go wrong: killed, moved, locked, damaged, set up anew, hostile."""

import base64
import json
import shutil
import sqlite3

import pytest
from tests.hooks import events, own_facts
from tests.invokeai_host import InvokeAI
from tests.invokeai_run import read, running

from makingof.archive.following import Following
from makingof.capture.invokeai import InvokeAIFollower
from makingof.errors import SourceError
from makingof.event import Kind
from makingof.part import FileBody, PartType


@pytest.fixture
def run(archive, tmp_path):
    with running(archive, tmp_path) as made:
        yield made


def test_a_host_killed_during_a_job_leaves_it_interrupted_when_it_is_back(run):
    run.look()
    item = run.host.enqueue()
    run.host.start(item)
    run.look()
    run.host.cancel(item)  # what InvokeAI does at its next start
    run.look()
    assert run.outcomes() == {run.host.session_id(item): "interrupted"}


def test_a_recorder_killed_and_started_again_records_the_rest_as_recovered(run):
    run.look()
    run.host.run()
    run.look()
    lost, _ = run.host.run()
    run.follow()
    run.look()
    assert events(run.archive, "generated") == [("generated", "watched"), ("generated", "recovered")]
    assert run.second_look().missing == {}
    assert lost


def test_two_generators_on_one_folder_are_both_recorded(run, tmp_path):
    run.look()
    run.host.run()
    (run.host.pictures / "of-another-program.png").write_bytes(InvokeAI.png("other", ""))
    run.look()
    _, parts = run.one(Kind.GENERATED)
    assert len(read(parts, PartType.FILE, FileBody)) == 1


def test_a_folder_that_is_another_invokeais_is_refused(run, tmp_path):
    run.host.run()
    other = InvokeAI(tmp_path / "other")
    following = Following(run.archive, InvokeAIFollower(run.local, other.root))
    with pytest.raises(SourceError, match="is not the folder of the program"):
        following.look()
    other.close()


def test_a_folder_without_a_database_is_said_so(run, tmp_path):
    with pytest.raises(SourceError, match=r"invokeai\.db is not there"):
        Following(run.archive, InvokeAIFollower(run.local, tmp_path)).look()


def test_a_database_that_cannot_be_read_is_a_gap_and_what_came_meanwhile_only_recovered(run):
    run.look()
    run.host.run()
    run.look()
    path = run.host.root / "databases" / "invokeai.db"
    path.rename(path.with_suffix(".away"))
    for _ in range(2):
        with pytest.raises(SourceError):
            run.look()
    assert [gap["why"] for gap in own_facts(run.archive, Kind.GAP)] == ["database_unreadable"]
    path.with_suffix(".away").rename(path)
    run.host.run()
    run.look()
    assert events(run.archive, "generated") == [("generated", "watched"), ("generated", "recovered")]


def test_a_damaged_database_is_said_so_and_stops_nothing_else(run):
    run.host.run()
    run.host.close()
    path = run.host.root / "databases" / "invokeai.db"
    path.write_bytes(path.read_bytes()[:100] + b"\xff" * 40_000)
    path.with_name("invokeai.db-wal").unlink(missing_ok=True)
    run.host.database = sqlite3.connect(":memory:", check_same_thread=False)
    run.host.database.execute("CREATE TABLE session_queue (item_id)")
    with pytest.raises(SourceError, match="could not be read"):
        run.look()


def test_a_database_locked_by_another_program_is_said_so(run):
    run.host.database.execute("PRAGMA journal_mode = DELETE")
    run.host.database.execute("BEGIN EXCLUSIVE")
    with pytest.raises(SourceError, match="locked"):
        InvokeAIFollower(run.local, run.host.root)._tables.read(0)
    run.host.database.execute("COMMIT")


def test_looking_changes_nothing_of_invokeais(run):
    run.host.run()
    folder = run.host.root / "databases"
    before = {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith("-shm")}
    run.look()
    run.look()
    assert {
        path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith("-shm")
    } == before


def test_a_host_that_ends_is_said_so_and_its_database_still_looked_at(archive, tmp_path):
    with running(archive, tmp_path) as run:
        run.look()
    reopened = sqlite3.connect(tmp_path / "invokeai" / "databases" / "invokeai.db", isolation_level=None)
    run.host.database = reopened
    run.host.run()
    with pytest.raises(SourceError, match="no usable answer"):
        run.look()
    assert events(archive, "generated") == [("generated", "watched")]
    reopened.close()


def test_another_database_in_the_same_folder_is_followed_from_its_beginning(run, tmp_path):
    run.host.run()
    run.look()
    other = InvokeAI(tmp_path / "other")
    other.run()
    other.close()
    run.host.close()
    folder = run.host.root / "databases"
    for path in folder.glob("invokeai.db-*"):
        path.unlink()
    shutil.copytree(other.pictures, run.host.pictures, dirs_exist_ok=True)
    (other.root / "databases" / "invokeai.db").replace(folder / "invokeai.db")
    run.look()
    assert events(run.archive, "generated", "removed") == [("generated", "recovered")] * 2


def test_credentials_in_a_graph_are_left_out(run):
    run.look()
    item = run.host.enqueue()
    session = run.host.session(item)
    session["graph"]["nodes"]["seed"]["api_key"] = "sk-very-secret"
    run.host._update(item, session=json.dumps(session))
    run.look()
    _, parts = run.one(Kind.PROMPTED)
    raw = next(part.body["base64"] for part in parts if part.type is PartType.RAW)
    assert b"sk-very-secret" not in base64.b64decode(raw)
    assert b"removed by makingof" in base64.b64decode(raw)


@pytest.mark.parametrize("session", ["", "[]", "{", '{"graph": 7}', '{"graph": {"nodes": []}}', "[" * 5000])
def test_a_session_of_another_shape_does_not_lose_the_job(run, session):
    run.look()
    item = run.host.enqueue()
    run.host.start(item)
    run.host.finish(item)
    run.host._update(item, session=session)
    run.look()
    assert run.outcomes() == {run.host.session_id(item): "generated"}


def test_a_name_that_leads_out_of_the_folder_is_not_followed(run, tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(InvokeAI.png("secret", ""))
    run.look()
    item = run.host.enqueue()
    run.host.start(item)
    run.host.picture(session=run.host.session_id(item), image_name="../../../secret.png")
    run.host.finish(item, 0)
    run.look()
    assert run.of(Kind.GENERATED) == []
    assert [gap["why"] for gap in own_facts(run.archive, Kind.GAP)] == ["pictures_gone"]
