"""From the host's own objects to the parts of an observation. Pure; what has another shape says nothing."""

from collections.abc import Iterator
from typing import Any

from .plain import MAX_TEXT, Part, portable, raw_part, report_part, without_credentials

WEIGHTS = (".safetensors", ".sft", ".ckpt", ".pt", ".pth", ".bin", ".gguf", ".onnx")
_ERROR_FIELDS = ("node_id", "node_type", "exception_type", "exception_message")


def graph_parts(data: bytes, locator: str, files: "list[Part]") -> "list[Part]":
    """Keep a graph's own bytes in a part, or among `files` where they are too many for one."""
    data, removed = without_credentials(data)
    parts = [raw_part(data, locator, "comfyui", files, "graph.json")]
    if removed:
        parts.append(report_part(None, None, None, None, {"credentials_removed": removed}))
    return parts


def messages_of(entry: Any) -> "dict[str, dict[str, Any]]":
    """Return the status messages of a history entry by name, the last of each."""
    found = {}
    for message in (entry.get("status") or {}).get("messages") or ():
        if isinstance(message, (list, tuple)) and len(message) > 1 and isinstance(message[1], dict):
            found[str(message[0])] = message[1]
    return found


def file_names(entry: Any) -> "list[dict[str, Any]]":
    """Return every file the outputs of a history entry name, with the node that gave it; no inputs."""
    named = (
        {**item, "node": str(node)}
        for node, told in (entry.get("outputs") or {}).items()
        for items in (told.values() if isinstance(told, dict) else ())
        for item in (items if isinstance(items, (list, tuple)) else ())
        if isinstance(item, dict) and isinstance(item.get("filename"), str)
    )
    return [item for item in named if item.get("type") != "input"]


def texts_of(entry: Any, graph: Any) -> "list[Part]":
    """Texts that nodes made while the job ran: they stand in no graph, so they are marked as made then."""
    parts = []
    for node, told in (entry.get("outputs") or {}).items():
        items = told.get("text") if isinstance(told, dict) else None
        texts = (
            [item for item in items or () if isinstance(item, str)]
            if isinstance(items, (list, tuple))
            else []
        )
        if texts:
            kind = (graph.get(node) or {}).get("class_type", "") if isinstance(graph, dict) else ""
            title = f"text made at run time by node {node} ({kind})"
            body = {"text": portable("\n".join(texts))[:MAX_TEXT], "title": portable(title)}
            parts.append({"type": "note", "from": f"node:{node}", "body": body})
    return parts


def error_text(told: Any) -> "str | None":
    """Spell an error of the host without the values it failed on: those hold whole pictures as text."""
    if not isinstance(told, dict):
        return None
    lines = [f"{name}: {told[name]}" for name in _ERROR_FIELDS if name in told]
    error = told.get("error")
    if isinstance(error, dict):
        lines += [f"{error.get('type')}: {error.get('message')} {error.get('details') or ''}".strip()]
    elif error:
        lines.append(str(error))
    for node, found in (
        (told.get("node_errors") or {}).items() if isinstance(told.get("node_errors"), dict) else ()
    ):
        for item in found.get("errors") or () if isinstance(found, dict) else ():
            lines.append(
                f"node {node}: {item.get('type')}: {item.get('message')} {item.get('details') or ''}".strip()
            )
    return "\n".join(lines)[:MAX_TEXT] or None


def input_names(graph: Any) -> Iterator["tuple[str, str]"]:
    """Yield the pictures that nodes load, and what they are to the job."""
    for node in graph.values() if isinstance(graph, dict) else ():
        kind = str(node.get("class_type", "")) if isinstance(node, dict) else ""
        inputs = node.get("inputs") if isinstance(node, dict) else None
        name = inputs.get("image") if isinstance(inputs, dict) else None
        if kind.startswith("LoadImage") and isinstance(name, str):
            yield name, "mask" if "Mask" in kind else "init"


def weight_names(graph: Any) -> Iterator["tuple[str, str]"]:
    """Yield every model file a graph names, with the place that names it."""
    for node_id, node in graph.items() if isinstance(graph, dict) else ():
        inputs = node.get("inputs") if isinstance(node, dict) else None
        for name, value in inputs.items() if isinstance(inputs, dict) else ():
            if isinstance(value, str) and value.lower().endswith(WEIGHTS):
                yield f"{node_id}.{name}", value
