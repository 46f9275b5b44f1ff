"""Saved answers of ComfyUI's `/api/jobs`, as a real server gave them and as attackers might."""

import json
from pathlib import Path

import pytest

from makingof.capture.exports.recognise import read_export
from makingof.event import Kind
from makingof.part import PartType

RUNS = Path(__file__).parents[2] / "shared" / "samples" / "comfyui-runs" / "0.8.0"
recorded = pytest.mark.skipif(not RUNS.exists(), reason="the recorded runs are not beside this checkout")
LISTED = {
    "id": "job-1",
    "status": "completed",
    "create_time": 1772355600000,
    "execution_start_time": 1772355600000,
    "execution_end_time": 1772355609500,
    "outputs_count": 2,
    "preview_output": {"filename": "a_1.png", "subfolder": "", "type": "output", "nodeId": "9"},
}


def read(value):
    return read_export(json.dumps(value).encode(), "jobs.json")


def answer(name):
    """The body of a recorded answer: the recording wraps it with the status."""
    return json.loads((RUNS / name).read_text("utf-8"))["body"]


def report(told):
    return next(draft.body for draft in told.observation.drafts if draft.type is PartType.REPORT)


@recorded
def test_one_job_is_told_like_its_entry_in_the_history():
    job = answer("job.json")
    (told,) = read(job).told
    entry = {
        "prompt": [1, job["id"], job["workflow"]["prompt"], {}, []],
        "outputs": job["outputs"],
        "status": job["execution_status"],
    }
    (same,) = read({job["id"]: entry}).told
    assert (told.key, told.observation, told.job) == (same.key, same.observation, same.job)
    assert [picture.name for picture in told.wanted] == ["api_00001_.png"]
    assert told.readings[0].value("seed") == "4400"


@recorded
def test_a_list_tells_when_jobs_ran_and_how_they_ended():
    jobs = answer("jobs.json")
    told = {item.job: item for item in read(jobs).told}
    assert len(told) == len(jobs["jobs"])
    failed = [job["id"] for job in jobs["jobs"] if job["status"] == "failed"]
    assert {told[job].observation.kind for job in failed} == {Kind.ATTEMPTED}
    assert sum("interrupted" in (report(told[job]).get("text") or "") for job in failed) == 1
    assert all(item.observation.occurred_by == "tool" for item in told.values())


def test_a_list_names_no_picture_for_certain():
    (told,) = read({"jobs": [LISTED], "pagination": {}}).told
    assert told.observation.kind is Kind.PROMPTED
    assert (told.wanted, told.readings, report(told)["outputs"]) == ((), (), 2)
    assert told.after == ("told:comfyui/job-1/1772355600000",)


def test_a_job_that_waits_or_runs_is_left_to_a_later_answer():
    assert read({"jobs": [LISTED | {"status": "in_progress"}, LISTED | {"status": "pending"}]}).told == ()


@pytest.mark.parametrize(
    "job",
    [
        LISTED | {"outputs_count": "many", "preview_output": [], "execution_end_time": -1},
        LISTED | {"outputs_count": 1e99, "execution_error": 7, "execution_end_time": None},
        LISTED | {"status": "failed", "preview_output": {"filename": 7}},
        LISTED | {"id": "\ud800"},
    ],
)
def test_values_of_another_kind_are_survived(job):
    assert len(read({"jobs": [job]}).told) == 1


@pytest.mark.parametrize("job", [7, {"id": None}])
def test_an_entry_of_another_shape_is_a_problem(job):
    found = read({"jobs": [LISTED, LISTED, LISTED, job]})
    assert (len(found.told), len(found.problems)) == (3, 1)


def test_one_job_without_a_graph_is_a_problem():
    found = read({"id": "a", "execution_status": {}, "workflow": {}, "outputs": {}})
    assert (found.told, len(found.problems)) == ((), 1)
