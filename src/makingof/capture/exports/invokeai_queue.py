"""The graph a queue item of InvokeAI holds, read for what was asked for.

    {"graph": {"nodes": {id: {"type": "core_metadata", …}},
               "edges": [{"source": {"node_id", "field"}, "destination": {"node_id", "field"}}]}}

The settings stand in its `core_metadata` node, as they will in the picture; the words and
the seed may come to it from nodes that hold nothing else. A job that failed left them
nowhere but here.
"""

from collections.abc import Mapping
from typing import Any

from makingof.capture.exports.told import sheet_of
from makingof.errors import MalformedError
from makingof.metadata import invokeai
from makingof.metadata.tool_json import parse_tool_object, spell
from makingof.reading import Reading

_METADATA = "core_metadata"
_OWN = frozenset({"id", "type", "is_intermediate", "use_cache"})
_PLAIN = frozenset({"string", "integer", "float", "string_batch", "integer_batch"})


def read_session(text: str | None, where: str) -> tuple[Reading, ...]:
    """Read what a session asked for; nothing where it holds no such node, or several that differ."""
    if not text:
        return ()
    try:
        session, _ = parse_tool_object(text)
        said = _asked(session.get("graph"))
        return () if said is None else _readings(said, where)
    except MalformedError:
        return ()


def _readings(said: Mapping[str, Any], where: str) -> tuple[Reading, ...]:
    sheet = sheet_of("sqlite", f"{where} session", "invokeai_metadata", spell(dict(said)))
    return tuple(invokeai.read(sheet).readings)


def _asked(graph: Any) -> dict[str, Any] | None:
    nodes = graph.get("nodes") if isinstance(graph, dict) else None
    if not isinstance(nodes, dict):
        return None
    found = {
        key: node for key, node in nodes.items() if isinstance(node, dict) and node.get("type") == _METADATA
    }
    if len(found) != 1:
        return None
    ((identity, node),) = found.items()
    said = {name: value for name, value in node.items() if name not in _OWN and value is not None}
    edges = graph.get("edges")
    for edge in edges if isinstance(edges, list) else ():
        name, source = _edge_into(edge, identity)
        value = _plain_value(nodes.get(source))
        if name is None:
            continue
        said.pop(name, None)  # what comes in by the edge counts, and not what stood there before
        if value is not None:
            said[name] = value
    return said


def _edge_into(edge: Any, identity: str) -> tuple[str | None, Any]:
    ends = [edge.get(name) if isinstance(edge, dict) else None for name in ("source", "destination")]
    source, destination = (end if isinstance(end, dict) else {} for end in ends)
    name = destination.get("field")
    is_it = destination.get("node_id") == identity and isinstance(name, str)
    return (name if is_it else None), str(source.get("node_id"))


def _plain_value(node: Any) -> str | None:
    """Return what a node that only holds a value gives out; other nodes make theirs as they run."""
    if not isinstance(node, dict) or node.get("type") not in _PLAIN:
        return None
    value = node.get("value")
    return value if isinstance(value, str) else None
