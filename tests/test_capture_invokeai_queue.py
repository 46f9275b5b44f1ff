"""InvokeAI's queue and workflow library: what was asked for and left no picture, and what a person saved."""

import json

import pytest
from tests.exports import Invoke, invoke_graph, invoke_metadata

from makingof.capture.exports.invokeai_queue import read_session
from makingof.capture.exports.recognise import read_export
from makingof.event import Kind
from makingof.part import PartType

SEED = 2**63 + 1


@pytest.fixture
def database(tmp_path):
    return Invoke(tmp_path / "invokeai.db")


def told(database):
    database.close()
    return read_export(database.path.read_bytes(), "invokeai.db").told


def body(item, part_type):
    return next(draft.body for draft in item.observation.drafts if draft.type is part_type)


def test_a_job_that_failed_says_what_was_asked(database):
    database.job("s1", "failed", graph=invoke_graph("a crane", SEED), error_message="out of memory")
    (failed,) = told(database)
    assert failed.observation.kind is Kind.ATTEMPTED
    assert body(failed, PartType.REPORT)["outcome"] == "failed"
    (reading,) = failed.readings
    assert [reading.value(name) for name in ("prompt", "negative", "seed", "steps", "model")] == [
        "a crane", "blurry", str(SEED), "30", "dreamshaper",
    ]  # fmt: skip


def test_a_finished_job_without_a_picture_was_asked_for_and_no_more(database):
    database.job("s1", "completed", graph=invoke_graph("a crane", 7))
    database.job("s2", "completed", graph=invoke_graph("a heron", 8))
    database.image("a.png", session_id="s2", metadata=invoke_metadata("a heron", 8))
    asked, made = sorted(told(database), key=lambda item: item.key, reverse=True)
    assert (asked.observation.kind, asked.readings[0].value("prompt")) == (Kind.PROMPTED, "a crane")
    assert made.observation.kind is Kind.GENERATED


def test_a_waiting_job_can_be_told_again_when_it_has_ended(database):
    database.job("s1", "pending", graph=invoke_graph("a crane", 7))
    (waiting,) = told(database)
    assert (waiting.observation.kind, waiting.key) == (Kind.PROMPTED, "told:invokeai/session/s1/pending")


def test_an_empty_graph_of_a_job_that_did_not_fail_tells_nothing(database):
    database.job("s1", "completed")
    assert told(database) == ()


def test_a_workflow_a_person_saved_is_noted_and_those_of_the_house_are_not(database):
    database.workflow("w1", "my cranes", {"nodes": []})
    database.workflow("w2", "Text to Image", {"nodes": []}, category="default")
    (saved,) = told(database)
    assert (saved.observation.kind, body(saved, PartType.NOTE)["text"]) == (Kind.NOTED, "my cranes")
    assert json.loads(saved.readings[0].raw)["nodes"] == []


def test_what_comes_by_an_edge_from_a_node_that_works_is_not_guessed():
    graph = invoke_graph("a crane", 7)
    graph["nodes"]["words"]["type"] = "dynamic_prompt"
    (reading,) = read_session(json.dumps({"graph": graph}), "session_queue 1")
    assert reading.value("prompt") is None
    assert reading.value("seed") == "7"


def test_of_several_nodes_that_write_metadata_none_speaks_for_the_job():
    graph = invoke_graph("a crane", 7)
    graph["nodes"]["second"] = {"type": "core_metadata", "positive_prompt": "a heron"}
    assert read_session(json.dumps({"graph": graph}), "session_queue 1") == ()


@pytest.mark.parametrize(
    "session",
    [
        None,
        "",
        "{",
        "[]",
        "{}",
        '{"graph": {"nodes": []}}',
        '{"graph": {"nodes": {"a": 7, "b": {"type": "core_metadata"}, "c": {"type": "core_metadata"}}}}',
        "[" * 100_000,
    ],
)
def test_a_session_of_another_shape_tells_nothing(session):
    assert read_session(session, "session_queue 1") == ()


@pytest.mark.parametrize(
    "edges", [None, 7, [7], [{"source": 1, "destination": {"node_id": "core"}}], [{"destination": {}}]]
)
def test_edges_of_another_shape_change_nothing(edges):
    graph = invoke_graph("a crane", 7) | {"edges": edges}
    (reading,) = read_session(json.dumps({"graph": graph}), "session_queue 1")
    assert reading.value("prompt") == "stands there from before"
