"""What InvokeAI's graph asks for, read from the graph of a real job and from graphs without metadata."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.invokeai_host import ROWS

from makingof.metadata.invokeai_graph import read_graph
from makingof.metadata.record import Record
from makingof.reading import State

GRAPH = ROWS["session_queue"]["session"]["graph"]


def read(graph: Any):
    text = graph if isinstance(graph, str) else json.dumps(graph)
    return read_graph(Record("api", "queue:graph", "graph", text.encode(), text))


def edge(source, output, into, name):
    return {
        "source": {"node_id": source, "field": output},
        "destination": {"node_id": into, "field": name},
    }


def test_the_graph_of_a_real_job_says_what_its_picture_says():
    (reading,) = read(GRAPH)
    said = json.loads(ROWS["images"]["metadata"])
    assert reading.fields["prompt"].value == said["positive_prompt"]
    assert reading.fields["negative"].value == said["negative_prompt"]
    assert reading.fields["seed"].value == str(said["seed"])
    assert reading.fields["sampler"].value == said["scheduler"]
    assert reading.fields["model"].value == said["model"]["name"]
    assert reading.fields["model_hash"].value == said["model"]["hash"]
    assert "type" not in {name.removeprefix("tool:") for name in reading.fields}


def test_without_metadata_the_edges_are_followed_back_from_what_denoises():
    nodes = {name: node for name, node in GRAPH["nodes"].items() if name != "metadata"}
    edges = [item for item in GRAPH["edges"] if item["destination"]["node_id"] != "metadata"]
    (reading,) = read({"nodes": nodes, "edges": edges})
    values = {name: field.value for name, field in reading.fields.items()}
    assert (values["prompt"], values["negative"]) == ("a crane at dusk", "blurry")
    assert (values["seed"], values["steps"], values["model"]) == ("1", "2", "model")


def test_a_prompt_that_another_node_writes_is_computed_and_not_guessed():
    nodes = {
        "meta": {"id": "meta", "type": "core_metadata", "positive_prompt": "left from before"},
        "writer": {"id": "writer", "type": "string_join", "string_left": "a"},
    }
    (reading,) = read({"nodes": nodes, "edges": [edge("writer", "value", "meta", "positive_prompt")]})
    assert (reading.fields["prompt"].value, reading.fields["prompt"].state) == (None, State.COMPUTED)


def test_a_graph_that_goes_in_a_circle_is_read_to_an_end():
    nodes = {name: {"id": name, "type": "string"} for name in ("a", "b")}
    nodes["denoise"] = {"id": "denoise", "type": "denoise_latents", "steps": 2}
    edges = [
        edge("a", "value", "b", "value"),
        edge("b", "value", "a", "value"),
        edge("a", "value", "denoise", "positive_conditioning"),
    ]
    (reading,) = read({"nodes": nodes, "edges": edges})
    assert "prompt" not in reading.fields


@pytest.mark.parametrize("graph", ["", "[]", "{", "7", "[" * 10_000])
def test_what_is_no_graph_is_unreadable(graph):
    (reading,) = read(graph)
    assert reading.state is State.UNREADABLE


@pytest.mark.parametrize(
    "graph", [{}, {"nodes": {}}, {"nodes": [], "edges": {}}, {"nodes": {"a": 7}, "edges": [7]}]
)
def test_a_graph_that_asks_for_no_picture_says_nothing(graph):
    assert read(graph) == []


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(nodes=_JSON, edges=_JSON)
@settings(max_examples=60, deadline=None)
def test_a_graph_of_any_shape_gives_readings_or_nothing(nodes, edges):
    read({"nodes": nodes, "edges": edges})
