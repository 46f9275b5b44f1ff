"""InvokeAI followed from outside: a stand-in with a real database, real HTTP and rows of a real InvokeAI."""

import base64
import json
import shutil
import sqlite3
from contextlib import contextmanager

import pytest
from tests.contract.follower import *  # noqa: F403 - every follower keeps to these
from tests.hooks import events, own_facts
from tests.invokeai_host import InvokeAI, serving

from makingof.archive.archive import Archive
from makingof.archive.following import Following, look_again
from makingof.archive.fsck import check_archive
from makingof.archive.second_look import last_second_looks
from makingof.capture.generators import find_generator
from makingof.capture.invokeai import InvokeAIFollower
from makingof.capture.local_http import LocalHost
from makingof.clock import SystemClock
from makingof.errors import SourceError
from makingof.event import Event, Kind
from makingof.part import Choice, FileBody, Parameters, Part, PartType, Place, Report, Text
from makingof.stamp.trust import built_in_trust


class Run:
    def __init__(self, archive: Archive, host: InvokeAI, url: str) -> None:
        self.archive, self.host = archive, host
        self.local = LocalHost.parse(url)
        self.follow()

    def follow(self) -> None:
        """Follow anew, as after a start of the recorder."""
        self.following = Following(self.archive, self.follower())

    def follower(self) -> InvokeAIFollower:
        return InvokeAIFollower(self.local, self.host.root)

    def submit(self) -> str:
        return self.host.session_id(self.host.enqueue())

    def finish(self, job: str) -> None:
        item = self.host.item_of(job)
        self.host.start(item)
        self.host.finish(item)

    def cancel(self, job: str) -> None:
        self.host.leave_queue(self.host.item_of(job))

    def look(self) -> int:
        return self.following.look()

    def second_look(self):
        return look_again(self.archive, self.local, find_generator(self.local))

    def of(self, *kinds: Kind) -> list[tuple[Event, list[Part]]]:
        positions = sorted(p for kind in kinds for p in self.archive.index.positions_of_kind(kind))
        return [
            (
                Event.parse(self.archive.log.entry(position)),
                [Part.parse(part.data) for part in self.archive.log.parts(position) if part.data],
            )
            for position in positions
        ]

    def one(self, kind: Kind) -> tuple[Event, list[Part]]:
        (found,) = self.of(kind)
        return found

    def outcomes(self) -> dict[str, str | None]:
        found = {}
        for event, parts in self.of(Kind.GENERATED, Kind.ATTEMPTED):
            (report,) = read(parts, PartType.REPORT, Report)
            found[report.job] = report.outcome or event.kind.value
        return found


def read(parts, kind, shape):
    return [part.read(shape) for part in parts if part.type is kind and part.listed() is None]


@contextmanager
def running(archive, tmp_path):
    archive.clock = archive.recorder._clock = SystemClock()
    host = InvokeAI(tmp_path / "invokeai")
    host.ended_ago = 60  # what ended just now may still be under way to the record
    with serving(host) as url:
        yield Run(archive, host, url)
    host.close()


@pytest.fixture
def run(archive, tmp_path):
    with running(archive, tmp_path) as made:
        yield made


@pytest.fixture
def followed(run):
    return run


def test_every_job_that_ends_is_recorded_as_what_became_of_it(run):
    run.look()
    jobs = {}
    item, (name,) = run.host.run()
    jobs[item] = "generated"
    item, _ = run.host.run(count=3)
    jobs[item] = "generated"
    item = run.host.enqueue()
    run.host.start(item)
    run.host.finish(item, 0, again=[name])
    jobs[item] = "redelivered"
    item = run.host.enqueue()
    run.host.start(item)
    run.host.fail(item)
    jobs[item] = "failed"
    item = run.host.enqueue()
    run.host.cancel(item)
    jobs[item] = "cancelled"
    item = run.host.enqueue()
    run.host.start(item)
    run.host.cancel(item)
    jobs[item] = "interrupted"
    item = run.host.enqueue()
    run.host.start(item)
    run.host.finish(item, 0)
    jobs[item] = "attempted"
    run.look()
    run.following.close()
    assert run.outcomes() == {run.host.session_id(item): outcome for item, outcome in jobs.items()}
    assert {means for _, means in events(run.archive, "generated", "attempted")} == {"watched"}
    assert own_facts(run.archive, Kind.GAP) == []
    again = run.second_look()
    assert (again.recorded, again.jobs, again.missing) == (7, 7, {})
    check_archive(run.archive, built_in_trust(), openssl=None).require()


def test_what_stood_there_at_the_first_look_is_recovered_and_not_told_again(run):
    run.host.run()
    run.look()
    assert events(run.archive, "generated") == [("generated", "recovered")]
    assert run.look() == 0
    run.follow()
    assert run.look() == 0


def test_a_request_seen_in_the_queue_is_cited_by_its_result(run):
    run.look()
    item = run.host.enqueue()
    run.look()
    run.host.start(item)
    run.look()
    run.host.finish(item)
    run.look()
    assert events(run.archive, "prompted", "generated") == [("prompted", "watched"), ("generated", "watched")]
    request, _ = run.one(Kind.PROMPTED)
    result, _ = run.one(Kind.GENERATED)
    assert result.header.cites == (request.name,)


def test_all_pictures_of_a_job_are_numbered_in_one_event(run):
    run.look()
    item, _ = run.host.run(count=3)
    run.look()
    _, parts = run.one(Kind.GENERATED)
    files = read(parts, PartType.FILE, FileBody)
    assert [(file.role.value, file.number) for file in files] == [("output", 0), ("output", 1), ("output", 2)]
    (report,) = read(parts, PartType.REPORT, Report)
    assert (report.outputs, report.facts["item_id"]) == (3, str(item))
    assert {str(part.means) for part in parts if part.type is PartType.FILE} == {"watched"}


def test_the_prompt_is_read_from_the_graph_and_only_recovered(run):
    run.look()
    run.host.run("黄昏里的仙鹤", seed=2**63)
    run.look()
    _, parts = run.one(Kind.GENERATED)
    (prompt,) = read(parts, PartType.PROMPT, Text)
    (negative,) = read(parts, PartType.NEGATIVE, Text)
    (parameters,) = read(parts, PartType.PARAMETERS, Parameters)
    assert (prompt.effective, negative.effective) == ("黄昏里的仙鹤", "blurry")
    assert (parameters.fields["seed"].value, parameters.fields["model"].value) == (str(2**63), "model")
    assert {str(part.means) for part in parts if part.type is PartType.PROMPT} == {"recovered"}


def test_a_picture_that_was_used_goes_along_as_what_it_was_used_for(run):
    used = run.host.upload()
    run.look()
    item = run.host.enqueue(used=used)
    run.host.start(item)
    run.host.finish(item)
    run.look()
    _, parts = run.one(Kind.GENERATED)
    assert [file.role.value for file in read(parts, PartType.FILE, FileBody)] == ["output", "init"]


def test_an_intermediate_is_a_preview(run):
    run.look()
    run.host.run(is_intermediate=1)
    run.look()
    _, parts = run.one(Kind.GENERATED)
    assert [file.role.value for file in read(parts, PartType.FILE, FileBody)] == ["preview"]


@pytest.mark.parametrize(
    ("judge", "text"),
    [
        (lambda host, name: host.set(name, starred=1), "starred"),
        (lambda host, name: host.set(name, is_intermediate=0), "saved to the gallery"),
        (lambda host, name: host.put(host.board("chosen"), name), "put on a board"),
    ],
)
def test_what_people_do_to_a_picture_while_we_look_is_a_choice_that_names_it(run, judge, text):
    run.look()
    _, (name,) = run.host.run(is_intermediate=1)
    run.look()
    judge(run.host, name)
    run.look()
    made, _ = run.one(Kind.GENERATED)
    event, parts = run.one(Kind.SELECTED)
    (choice,) = read(parts, PartType.CHOICE, Choice)
    file = next(ref.digest for ref in made.header.parts if ref.type is PartType.FILE)
    assert (choice.judged, event.header.means.value) == ((file,), "watched")
    assert event.header.cites == (made.name,)
    assert read(parts, PartType.REPORT, Report)[0].text == text
    assert run.look() == 0


def test_a_star_taken_off_takes_the_choice_back_and_put_again_is_a_new_one(run):
    run.look()
    _, (name,) = run.host.run()
    run.host.set(name, starred=1)
    run.look()
    run.host.set(name, starred=0)
    run.look()
    chosen, _ = run.one(Kind.SELECTED)
    taken_back, _ = run.one(Kind.WITHDRAWN)
    assert taken_back.header.cites == (chosen.name,)
    assert taken_back.header.means.value == "watched"
    run.host.set(name, starred=1)
    run.look()
    assert len(run.of(Kind.SELECTED)) == 2


def test_a_star_that_stood_there_is_told_once_also_after_a_new_start(run):
    _, (name,) = run.host.run()
    run.host.set(name, starred=1)
    for _ in range(2):
        run.follow()
        run.look()
    assert events(run.archive, "selected") == [("selected", "recovered")]


def test_a_star_on_a_picture_nobody_recorded_brings_the_picture_along(run):
    name = run.host.picture(session="long gone from the queue")
    run.look()
    run.host.set(name, starred=1)
    run.look()
    event, parts = run.one(Kind.SELECTED)
    (choice,) = read(parts, PartType.CHOICE, Choice)
    assert choice.judged == tuple(ref.digest for ref in event.header.parts if ref.type is PartType.FILE)


def test_a_board_that_takes_new_pictures_by_itself_chooses_nothing(run):
    board = run.host.board("new ones")
    run.look()
    _, (name,) = run.host.run()
    run.look()
    run.host.put(board, name, seconds=0)  # committed a moment after the picture, between two looks
    run.look()
    assert run.of(Kind.SELECTED) == []


def test_a_picture_moved_to_another_board_leaves_the_first(run):
    first, second = run.host.board("first"), run.host.board("second")
    run.look()
    _, (name,) = run.host.run()
    run.host.put(first, name)
    run.look()
    run.host.put(second, name)
    run.look()
    run.host.take_off(name)
    run.look()
    chosen = [event.name for event, _ in run.of(Kind.SELECTED)]
    assert [event.header.cites for event, _ in run.of(Kind.WITHDRAWN)] == [(chosen[0],), (chosen[1],)]


def test_a_deleted_picture_is_removed_and_what_recorded_it_is_cited(run):
    run.look()
    _, (name,) = run.host.run()
    run.look()
    run.host.delete(name)
    run.look()
    made, _ = run.one(Kind.GENERATED)
    event, parts = run.one(Kind.REMOVED)
    assert (event.header.cites, event.header.means.value) == ((made.name,), "watched")
    assert read(parts, PartType.PLACE, Place)[0].name == name


def test_a_picture_deleted_before_we_looked_is_said_to_be_gone(run):
    run.look()
    item, (name,) = run.host.run()
    run.host.delete(name)
    run.look()
    _, parts = run.one(Kind.ATTEMPTED)
    assert read(parts, PartType.PLACE, Place)[0].name == name
    assert read(parts, PartType.PROMPT, Text)[0].effective == "a crane at dusk"
    (gap,) = own_facts(run.archive, Kind.GAP)
    assert gap == {"why": "pictures_gone", "job": run.host.session_id(item), "pictures": 1}


def test_of_several_pictures_those_left_are_recorded(run):
    run.look()
    _, names = run.host.run(count=3)
    run.host.delete(names[1])
    run.look()
    _, parts = run.one(Kind.GENERATED)
    assert len(read(parts, PartType.FILE, FileBody)) == 2
    assert [gap["pictures"] for gap in own_facts(run.archive, Kind.GAP)] == [1]


def test_jobs_cleared_from_the_queue_are_cancelled(run):
    run.look()
    waiting, working = run.host.enqueue(), run.host.enqueue()
    run.host.start(working)
    sessions = [run.host.session_id(item) for item in (waiting, working)]
    run.look()
    run.host.leave_queue(waiting, working)
    run.look()
    assert run.outcomes() == dict(zip(sessions, ("cancelled", "interrupted"), strict=True))


def test_pictures_of_a_job_that_was_pruned_between_two_looks_are_recorded(run):
    run.look()
    item, _ = run.host.run()
    session = run.host.session_id(item)
    run.host.leave_queue(item)
    run.look()
    assert run.outcomes() == {session: "generated"}
    assert run.look() == 0


def test_jobs_pruned_after_they_were_recorded_change_nothing(run):
    run.look()
    items = [run.host.run()[0] for _ in range(3)]
    run.look()
    run.host.leave_queue(*items)
    assert run.look() == 0
    assert run.second_look().jobs == 0


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


def test_the_second_look_names_the_jobs_that_are_not_recorded_and_why(run):
    before, _ = run.host.run()
    assert run.second_look().missing == {run.host.session_id(before): "no_hook"}
    run.look()
    lost, _ = run.host.run()
    found = run.second_look()
    assert (found.jobs, found.recorded, found.missing) == (2, 1, {run.host.session_id(lost): "unknown"})
    assert own_facts(run.archive, Kind.CHECKED)[-1]["second_look"]["tool"] == "invokeai"
    assert last_second_looks(run.archive) == [found]


def test_a_job_that_ended_just_now_is_not_missed_yet(run):
    run.look()
    run.host.ended_ago = 0
    run.host.run()
    assert run.second_look().jobs == 0


def test_a_host_with_several_users_is_asked_with_a_token_that_is_never_recorded(run):
    run.host.run()
    run.host.token = "let-me-in"  # noqa: S105 - made up
    with pytest.raises(SourceError, match="wants to know who asks") as refused:
        run.second_look()
    assert "MAKINGOF_TOKEN" in str(refused.value.hint)
    run.local = LocalHost.parse(run.local.url, "let-me-in")
    assert run.second_look().jobs == 1
    assert "let-me-in" not in repr(run.local)
    stored = b"".join(path.read_bytes() for path in run.archive.home.path.glob("log.sqlite*"))
    assert b"let-me-in" not in stored
