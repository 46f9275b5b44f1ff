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
from makingof.metadata.invokeai_graph import metadata_asked_for
from makingof.metadata.tool_json import parse_tool_object, spell
from makingof.reading import Reading


def read_session(text: str | None, where: str) -> tuple[Reading, ...]:
    """Read what a session asked for; nothing where it holds no such node, or several."""
    try:
        session, _ = parse_tool_object(text or "")
    except MalformedError:
        return ()
    graph = session.get("graph")
    asked = metadata_asked_for(graph) if isinstance(graph, dict) else {}
    said = {name: value for name, value in asked.items() if value is not None}
    return _readings(said, where) if said else ()


def _readings(said: Mapping[str, Any], where: str) -> tuple[Reading, ...]:
    sheet = sheet_of("sqlite", f"{where} session", "invokeai_metadata", spell(dict(said)))
    return tuple(invokeai.read(sheet).readings)
