"""One reading of a job of ComfyUI, whoever asks: the host's history, a saved answer, a single job."""

import json

import pytest

from makingof.capture.comfyui_entry import Output, parse_job_answer, parse_job_entry
from makingof.errors import MalformedError
from makingof.metadata.tool_json import parse_tool_json

MESSAGES = [
    ["execution_start", {"timestamp": 1772355600000}],
    ["execution_cached", {"nodes": ["4", 6], "timestamp": 1772355600001}],
    ["execution_success", {"timestamp": 1772355609500}],
]
OUTPUTS = {
    "9": {"images": [{"filename": "a_1.png", "subfolder": "day", "type": "output"}], "animated": [True]},
    "10": {"text": ["hello"], "images": [{"filename": "b.png", "type": "input"}, 7]},
}
STATUS = {"status_str": "success", "completed": True, "messages": MESSAGES}
ENTRY = {"prompt": [1, "j", {"9": {}}, {}, ["9"]], "outputs": OUTPUTS, "status": STATUS}
ANSWER = {"id": "j", "workflow": {"prompt": {"9": {}}}, "outputs": OUTPUTS, "execution_status": STATUS}


def spelled(value):
    """As a reader that keeps the spelling of numbers gives it."""
    return parse_tool_json(json.dumps(value))[0]


@pytest.mark.parametrize(
    "job",
    [
        parse_job_entry("j", ENTRY),
        parse_job_entry("j", spelled(ENTRY)),
        parse_job_answer(ANSWER),
        parse_job_answer(spelled(ANSWER)),
    ],
)
def test_a_job_reads_the_same_however_it_was_told(job):
    assert (job.id, job.status, job.broken_off, job.error) == ("j", "success", None, None)
    assert (job.started_ms, job.ended_ms) == (1772355600000, 1772355609500)
    assert job.cached == {"4", "6"}
    assert job.outputs == (Output("9", "a_1.png", "day", "output"),)


@pytest.mark.parametrize(
    ("message", "word"), [("execution_interrupted", "interrupted"), ("execution_error", "failed")]
)
def test_an_interruption_is_no_failure_though_the_status_is_the_same(message, word):
    told = {
        "status_str": "error",
        "messages": [[message, {"exception_message": "no memory", "timestamp": 1}]],
    }
    job = parse_job_entry("j", ENTRY | {"status": told})
    assert (job.broken_off, job.ended_ms) == (word, 1)
    assert job.error == ("exception_message: no memory" if word == "failed" else None)


@pytest.mark.parametrize(
    "entry", [7, {}, {"prompt": []}, {"prompt": [1, 2, 3, 4, 5]}, ENTRY | {"outputs": [1]}]
)
def test_an_entry_without_a_graph_is_malformed(entry):
    with pytest.raises(MalformedError):
        parse_job_entry("j", entry)
    with pytest.raises(MalformedError):
        parse_job_answer(entry)


@pytest.mark.parametrize("time", [True, -1, 0, 1 << 60, "9" * 30, "1.5", "٣", None, [1]])
def test_a_time_that_is_none_is_not_told(time):
    job = parse_job_entry("j", ENTRY | {"status": {"messages": [["execution_start", {"timestamp": time}]]}})
    assert job.started_ms is None
