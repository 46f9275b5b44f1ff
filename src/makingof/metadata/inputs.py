"""Pictures that a generator's record says it worked from: a sketch, an earlier output, a mask.

How well a record names them decides what may be made of it. ComfyUI writes the SHA-256 of
a loaded file beside the node that loads it (`is_changed`); A1111 writes the MD5 of the
pixels it was given (`Init image hash`). These name a picture. A bare name names whatever
somebody calls so, and is a hint.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from makingof.digest import Digest
from makingof.errors import MalformedError
from makingof.metadata.comfy_graph import Graph, Node, parse_graph
from makingof.metadata.comfy_picture import find_picture
from makingof.metadata.record import Sheet
from makingof.metadata.tool_json import parse_tool_object
from makingof.part import Role
from makingof.reading import Reading

MAX_INPUTS = 64
_MAX_SAVERS = 24
_MAX_VALUES = 100_000
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MD5 = re.compile(r"[0-9a-f]{32}")
_ANNOTATED = re.compile(r"(.*?) \[(?:input|output|temp)\]", re.DOTALL)
_INFOTEXT_TOOLS = frozenset({"a1111", "forge", "reforge", "sdnext"})
_INIT_HASH = "tool:Init image hash"


class Input(NamedTuple):
    """A picture a record says it worked from; where both digests are None, only `name` says which."""

    where: str
    role: Role
    sha256: Digest | None = None
    pixels_md5: str | None = None
    name: str | None = None


def find_inputs(readings: Sequence[Reading], sheet: Sheet) -> list[Input]:
    """Return what the records of one picture name as its inputs, at most `MAX_INPUTS`.

    Of a ComfyUI graph only what lies above the node that wrote this very file counts; where
    several may have written it, only what lies above all of them. `sheet` says how the file
    is called and how large the picture is.
    """
    found: dict[Input, None] = {}
    graphs: set[bytes] = set()
    for reading in readings:
        if reading.tool in _INFOTEXT_TOOLS:
            found |= dict.fromkeys(_of_infotext(reading))
        elif reading.tool == "invokeai" and reading.main:
            found |= dict.fromkeys(_of_invokeai(reading))
        elif b"class_type" in reading.raw and reading.raw not in graphs:
            graphs.add(reading.raw)
            found |= dict.fromkeys(_of_graph(reading, sheet))
    return list(found)[:MAX_INPUTS]


def _of_infotext(reading: Reading) -> Iterator[Input]:
    said = reading.value(_INIT_HASH) or ""
    if _MD5.fullmatch(said):
        yield Input(f"{reading.locator} Init image hash", Role.INIT, pixels_md5=said)


def _of_invokeai(reading: Reading) -> Iterator[Input]:
    """InvokeAI names pictures by random names of its own making; it keeps no digest of them."""
    waiting: list[tuple[str, Any]] = list(_parsed(reading).items())
    for count, (key, value) in enumerate(waiting):
        if count > _MAX_VALUES:
            return
        if isinstance(value, dict):
            waiting += value.items()
        elif isinstance(value, list):
            waiting += [(key, item) for item in value]
        elif key in ("image_name", "init_image") and isinstance(value, str) and value:
            yield Input(f"{reading.locator} {key}", Role.INIT, name=str(value))


def _of_graph(reading: Reading, sheet: Sheet) -> Iterator[Input]:
    value = _parsed(reading)
    inner = value.get("prompt")
    try:
        if isinstance(inner, str) and "class_type" in inner:
            value, _ = parse_tool_object(inner)
        elif isinstance(inner, dict) and "class_type" not in inner:
            value = inner
        graph = parse_graph(value)
    except MalformedError:
        return
    if graph is None:
        return
    is_animated = reading.locator.place.startswith("comf")
    for node in _above_the_saver(graph, sheet, is_animated=is_animated):
        yield from _of_node(node, value[node.id].get("is_changed"))


def _above_the_saver(graph: Graph, sheet: Sheet, *, is_animated: bool) -> list[Node]:
    picture = find_picture(graph, sheet, animated=is_animated)
    prefixed = tuple(node for node in graph.nodes.values() if "filename_prefix" in node.inputs)
    starts = picture.savers or prefixed or picture.last
    if not starts or len(starts) > _MAX_SAVERS:
        return []
    above = set.intersection(*({*graph.upstream([start])} for start in starts))
    return [node for node in graph.nodes.values() if node.id in above]


def _of_node(node: Node, changed: Any) -> Iterator[Input]:
    role = Role.MASK if "mask" in node.kind.lower() else Role.INIT
    named = node.inputs.get("image")
    name = str(named) if isinstance(named, str) else None
    annotated = _ANNOTATED.fullmatch(name or "")
    name = annotated[1] if annotated else name
    digests = [
        text for text in (changed if isinstance(changed, list) else [changed]) if isinstance(text, str)
    ]
    found = [Digest.parse(f"sha256:{text}") for text in digests if _SHA256.fullmatch(text)]
    for digest in found:
        yield Input(f"node {node}", role, sha256=digest, name=name)
    if not found and name and node.kind.startswith("LoadImage"):
        yield Input(f"node {node}", role, name=name)


def _parsed(reading: Reading) -> dict[str, Any]:
    """Return the JSON object a record holds, behind the word EXIF puts before it; {} for none."""
    text = reading.raw.decode("utf-8", "replace").rstrip("\0")
    try:
        return parse_tool_object(text[max(text.find("{"), 0) :])[0]
    except MalformedError:
        return {}
