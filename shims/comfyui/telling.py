"""From the host's own objects to the parts of an observation. Pure; what has another shape says nothing."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MAX_RAW_BYTES = 512 * 1024
MAX_TEXT = 20_000
REMOVED = "(removed by makingof: a credential)"
# Named fields only. A prompt that looks like a key stays: removing it would destroy what is to be shown.
SECRET = re.compile(
    r"(?i)(^|[_\-.])(api[_\-]?key|auth[_\-]?token|access[_\-]?token|bearer|secret|password|passwd|authorization)($|[_\-.])"
)
_WEIGHTS = (".safetensors", ".sft", ".ckpt", ".pt", ".pth", ".bin", ".gguf", ".onnx")
_ERROR_FIELDS = ("node_id", "node_type", "exception_type", "exception_message")

Part = dict[str, Any]


def graph_parts(data: bytes, locator: str, files: "list[Part]") -> "list[Part]":
    """Keep a graph's own bytes in a part, or among `files` where they are too many for one."""
    data, removed = without_credentials(data)
    body: dict[str, Any] = {
        "locator": locator,
        "digest": "sha256:" + hashlib.sha256(data).hexdigest(),
        "size": len(data),
        "tool": "comfyui",
    }
    if len(data) <= MAX_RAW_BYTES:
        body["base64"] = base64.b64encode(data).decode("ascii")
    else:
        body |= {"file": {"attached": len(files)}, "offset": 0}
        files.append({"bytes": data, "role": "reference", "name": "graph.json"})
    parts: list[Part] = [{"type": "raw", "from": locator, "body": body}]
    if removed:
        parts.append(report_part(None, None, None, None, {"credentials_removed": removed}))
    return parts


def without_credentials(data: bytes) -> "tuple[bytes, list[str]]":
    """Return the graph without the values of fields named like credentials, and which those were."""
    if not SECRET.search(data.decode("utf-8", "replace").replace('"', ".")):
        return data, []
    removed: list[str] = []
    cleaned = _clean(json.loads(data), "", removed)
    return (json.dumps(cleaned).encode("utf-8", "surrogatepass"), removed) if removed else (data, [])


def _clean(value: Any, place: str, removed: "list[str]") -> Any:
    if isinstance(value, dict):
        kept = {}
        for name, item in value.items():
            if isinstance(item, str) and item and SECRET.search(str(name)):
                removed.append(f"{place}.{name}".lstrip("."))
                kept[name] = REMOVED
            else:
                kept[name] = _clean(item, f"{place}.{name}", removed)
        return kept
    if isinstance(value, list):
        return [_clean(item, place, removed) for item in value]
    return value


def report_part(
    outcome: "str | None",
    job: "str | None",
    outputs: "int | None",
    text: "str | None",
    facts: "dict[str, Any]",
) -> Part:
    """What the host said of a job."""
    told = {"outcome": outcome, "job": job, "outputs": outputs, "text": _portable(text)}
    body = {name: value for name, value in told.items() if value is not None}
    return {"type": "report", "from": "host", "body": body | {"facts": _plain(facts)}}


def place_part(path: Path, number: int) -> Part:
    """Where attachment `number` lies."""
    body = {"path": _portable(str(path)), "name": _portable(path.name), "file": {"attached": number}}
    return {"type": "place", "from": "host", "body": body}


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
            body = {"text": _portable("\n".join(texts))[:MAX_TEXT], "title": _portable(title)}
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
            if isinstance(value, str) and value.lower().endswith(_WEIGHTS):
                yield f"{node_id}.{name}", value


def _portable(text: "str | None") -> Any:
    return None if text is None else text.encode("utf-8", "backslashreplace").decode()


def _plain(value: Any) -> Any:
    """Facts hold text, whole numbers, truth values, lists and objects; a float is its text."""
    if isinstance(value, dict):
        return {_portable(str(name)): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if isinstance(value, (bool, int)) or value is None else _portable(str(value))
