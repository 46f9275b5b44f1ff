"""The graph of an InvokeAI job, read for what was asked for: before it has run, or where it gave no picture.

Values travel along edges. The prompt stands in a `string` node, and the node that writes a
picture's metadata has it only once it runs; so an edge from a node that holds its value is
followed, and what any other node makes is `computed`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from makingof.errors import MalformedError
from makingof.metadata.invokeai import core_reading
from makingof.metadata.json_fields import unreadable
from makingof.metadata.record import Record
from makingof.metadata.tool_json import parse_tool_object
from makingof.reading import Field, Reading, State

READER = "invokeai-graph/1"
_HOLDING = frozenset({"string", "integer", "float", "boolean"})  # their output is the value they hold
_PLUMBING = frozenset({"id", "type", "is_intermediate", "use_cache", "board", "metadata"})
_SIDES = {
    "positive_prompt": ("positive_conditioning", "positive_text_conditioning"),
    "negative_prompt": ("negative_conditioning", "negative_text_conditioning"),
}
_SETTINGS = ("steps", "cfg_scale", "scheduler")
_SHARED = {"positive_prompt": "prompt", "negative_prompt": "negative"}

_Ends = Mapping[str, tuple[str, str]]  # input of a node → (node, output) it comes from


@dataclass(frozen=True, slots=True)
class _Graph:
    nodes: Mapping[str, Mapping[str, Any]]
    sources: Mapping[str, _Ends]

    def inputs(self, node: str) -> _Ends:
        return self.sources.get(node, {})

    def value(self, node: str, name: str) -> tuple[Any, bool]:
        """Return what an input gets, and whether only running the graph tells."""
        source, output = self.inputs(node).get(name, ("", ""))
        if not source:
            return self.nodes.get(node, {}).get(name), False
        held = self.nodes.get(source, {})
        if held.get("type") in _HOLDING and output == "value" and "value" not in self.inputs(source):
            return held.get("value"), False
        return None, True

    def before(self, node: str) -> Iterator[str]:
        """Yield `node` and what leads to it, the nearest first, each once."""
        found, waiting = {node}, [node]
        for at in waiting:
            yield at
            new = [source for source, _ in self.inputs(at).values() if source not in found]
            found.update(new)
            waiting += dict.fromkeys(new)


def read_graph(record: Record) -> list[Reading]:
    """Read the one thing the graph asks for; a graph that asks for no picture gives nothing."""
    try:
        graph = _graph_of(parse_tool_object(record.text or "")[0])
    except MalformedError as err:
        return [unreadable("invokeai", record, str(err), READER, is_main=True)]
    asked = _metadata(graph) or _walked(graph)
    if not asked:
        return []
    known = {name: value for name, (value, is_computed) in asked.items() if not is_computed}
    reading = core_reading(record, known, is_main=True)
    computed = {
        _SHARED.get(name, name): Field(None, State.COMPUTED, f"{record.place} {name}")
        for name, (_, is_computed) in asked.items()
        if is_computed
    }
    return [msgspec.structs.replace(reading, fields=reading.fields | computed, reader=READER)]


def metadata_asked_for(graph: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a picture's metadata will hold, as far as the parsed `graph` tells before it runs."""
    return {
        name: value for name, (value, is_computed) in _metadata(_graph_of(graph)).items() if not is_computed
    }


def _graph_of(told: Mapping[str, Any]) -> _Graph:
    nodes, edges = told.get("nodes"), told.get("edges")
    sources: dict[str, dict[str, tuple[str, str]]] = {}
    for edge in edges if isinstance(edges, list) else ():
        into, out = (_end(edge, side) for side in ("destination", "source"))
        if into is not None and out is not None:
            sources.setdefault(into[0], {})[into[1]] = out
    found = nodes if isinstance(nodes, dict) else {}
    return _Graph({name: node for name, node in found.items() if isinstance(node, dict)}, sources)


def _end(edge: Any, side: str) -> tuple[str, str] | None:
    told = edge.get(side) if isinstance(edge, dict) else None
    if not isinstance(told, dict):
        return None
    node, name = told.get("node_id"), told.get("field")
    return (node, name) if isinstance(node, str) and isinstance(name, str) else None


def _metadata(graph: _Graph) -> dict[str, tuple[Any, bool]]:
    """Return what the node that writes the picture's metadata will get; of several none speaks for all."""
    found = [name for name, node in graph.nodes.items() if node.get("type") == "core_metadata"]
    if len(found) != 1:
        return {}
    (node,) = found
    names = [*graph.nodes[node], *graph.inputs(node)]
    return {name: graph.value(node, name) for name in dict.fromkeys(names) if name not in _PLUMBING}


def _walked(graph: _Graph) -> dict[str, tuple[Any, bool]]:
    """Follow the edges back from the first node that denoises: a graph that writes no metadata."""
    node = next((name for name in graph.nodes if _side(graph, name, "positive_prompt")), None)
    if node is None:
        return {}
    found = {name: graph.value(node, name) for name in _SETTINGS if name in graph.nodes[node]}
    for side in _SIDES:
        at = _side(graph, node, side)
        speaking = (
            next((name for name in graph.before(at) if _has(graph, name, "prompt")), None) if at else None
        )
        if speaking is not None:
            found[side] = graph.value(speaking, "prompt")
    seeded = next((name for name in graph.before(node) if _has(graph, name, "seed")), None)
    if seeded is not None:
        found["seed"] = graph.value(seeded, "seed")
    loader = next(
        (name for name in graph.before(node) if isinstance(graph.nodes[name].get("model"), dict)), None
    )
    if loader is not None:
        found["model"] = graph.value(loader, "model")
    return found


def _has(graph: _Graph, node: str, name: str) -> bool:
    return name in graph.nodes.get(node, {}) or name in graph.inputs(node)


def _side(graph: _Graph, node: str, side: str) -> str | None:
    """Return the node that one side of the conditioning comes from."""
    inputs = graph.inputs(node)
    return next((inputs[name][0] for name in _SIDES[side] if name in inputs), None)
