"""What InvokeAI keeps of one job: the graph as asked for, the pictures it used and those it delivered."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from makingof.part import Role

_MAX_DEPTH = 12  # of lists and objects in which a node may name a picture
_MAX_NAMED = 1_000


@dataclass(frozen=True, slots=True)
class Session:
    """One job's session: `used` pictures by name with their role, and names its results `delivered`."""

    graph: Mapping[str, Any]
    used: Mapping[str, Role]
    delivered: tuple[str, ...]


def parse_session(text: str | None) -> Session | None:
    """Read the session column of a queue's row; None where it is gone or no session."""
    try:
        told = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    graph = told.get("graph") if isinstance(told, dict) else None
    if not isinstance(graph, dict):
        return None
    used = _used(graph)
    results = told.get("results")
    delivered = [
        name
        for result in (results.values() if isinstance(results, dict) else ())
        for name in _named(result, 0)
        if name not in used
    ]
    return Session(graph, used, tuple(dict.fromkeys(delivered))[:_MAX_NAMED])


def _used(graph: Mapping[str, Any]) -> dict[str, Role]:
    nodes = graph.get("nodes")
    found: dict[str, Role] = {}
    for node in nodes.values() if isinstance(nodes, dict) else ():
        for name in _named(node, 0) if isinstance(node, dict) else ():
            if len(found) < _MAX_NAMED:
                found.setdefault(name, _role(str(node.get("type"))))
    return found


def _role(kind: str) -> Role:
    """Tell by a node's type what it takes a picture for."""
    if "mask" in kind:
        return Role.MASK
    if "control" in kind or "t2i_adapter" in kind:
        return Role.CONTROL
    return Role.INIT if kind == "i2l" or kind.endswith("_i2l") else Role.REFERENCE


def _named(value: Any, depth: int) -> Iterator[str]:
    """Yield the names of pictures in what a node takes or gives."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, dict):
        if isinstance(name := value.get("image_name"), str) and name:
            yield name
        for item in value.values():
            yield from _named(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _named(item, depth + 1)
