"""InvokeAI followed from outside: a stand-in with a real database, real HTTP and rows of a real InvokeAI."""

import pytest
from tests.contract.follower import *  # noqa: F403 - every follower keeps to these
from tests.hooks import events, own_facts
from tests.invokeai_run import read, running

from makingof.archive.fsck import check_archive
from makingof.archive.second_look import last_second_looks
from makingof.capture.local_http import LocalHost
from makingof.errors import SourceError
from makingof.event import Kind
from makingof.part import FileBody, Parameters, PartType, Place, Report, Text
from makingof.stamp.trust import built_in_trust


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
