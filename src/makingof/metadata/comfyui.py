"""ComfyUI: the executed graph beside the picture, one reading for every sampler in it.

The main reading is the sampler that feeds the saved image last. Where several
samplers feed it side by side (a stitched page), no single one speaks for the
picture: a reading of the graph as a whole then says only what they agree on.
"""

import re
from collections.abc import Iterable

from msgspec.structs import replace

from makingof.errors import MalformedError
from makingof.metadata.a1111 import read_infotext
from makingof.metadata.comfy_graph import Graph, Link, Node, parse_graph
from makingof.metadata.comfy_picture import find_picture
from makingof.metadata.comfy_sampler import SamplerFacts
from makingof.metadata.comfy_text import POSITIVE, find_text
from makingof.metadata.found import Found
from makingof.metadata.json_fields import make_field, unreadable
from makingof.metadata.record import Record, Sheet, text_field, with_text
from makingof.metadata.tool_json import parse_tool_object
from makingof.reading import Check, Field, Reading, State

READER = "comfyui/1"
MAX_SAMPLERS = 64


def read(sheet: Sheet) -> Found:
    """Read the graphs of a file; the user interface's own graph (`workflow`) is kept as it is.

    A1111 text beside a graph was written by a saver inside ComfyUI.
    """
    readings: list[Reading] = []
    used: list[Record] = []
    workflows = []
    for record in sheet.records:
        unwrapped = _unwrap(record)
        if unwrapped is None:
            continue
        if found := read_graph(unwrapped, sheet):
            readings.extend(found)
            used.append(record)
        elif is_workflow(unwrapped):
            workflows.append(record)
    readings.extend(keep_workflow(record, is_main=not readings) for record in workflows)
    used.extend(workflows)
    if readings:
        texts = [(record, text) for record in sheet.records if (text := _saver_text(record))]
        readings.extend(text for _, text in texts)
        used.extend(record for record, _ in texts)
    return Found(readings, used)


# In EXIF the key stands before the JSON: `prompt:{…}`, from one saver `Prompt: {…}`.
_KEYED = re.compile(r"(prompt|workflow)\s{0,4}:\s{0,4}(?=\{)", re.IGNORECASE)
_KEY_SIGNS = tuple("pPwW")


def _unwrap(record: Record) -> Record | None:
    """Return the record with its text being a graph's JSON, or None where it can be none."""
    text = record.text
    if text is None:
        return None
    if text.startswith("{"):
        return record
    keyed = _KEYED.match(text) if text.startswith(_KEY_SIGNS) else None
    return with_text(record, text[keyed.end() :]) if keyed else None


def _saver_text(record: Record) -> Reading | None:
    if record.key not in ("parameters", "UserComment", "Comment", "COM"):
        return None
    reading = read_infotext(record)
    return replace(reading, tool="comfyui") if reading and reading.tool in ("a1111", "comfyui") else None


def is_workflow(record: Record) -> bool:
    """Whether a record looks like the graph of the user interface, without parsing it."""
    return record.text is not None and '"nodes"' in record.text and '"links"' in record.text


def keep_workflow(record: Record, *, is_main: bool = False) -> Reading:
    """Keep the user interface's graph: its values are positional, so nothing is read from it."""
    return Reading(
        "comfyui",
        record.locator,
        State.PRESENT,
        record.raw,
        main=is_main,
        checks=record.checks,
        reader=READER,
    )


def read_graph(record: Record, sheet: Sheet) -> list[Reading]:
    """Read an executed graph (`prompt`); an empty list where the record holds none.

    Some savers wrap it: `{"prompt": …, "workflow": …}`, the graph as object or as JSON
    text. JSON that does not parse is one reading in state `unreadable`.
    """
    if record.text is None or "class_type" not in record.text:
        return []
    try:
        value, duplicates = parse_tool_object(record.text)
        graph = parse_graph(value)
        inner = value.get("prompt") if graph is None else None
        if isinstance(inner, str):
            inner, duplicates = parse_tool_object(inner)
        if isinstance(inner, dict):
            graph = parse_graph(inner)
    except MalformedError as err:
        return [unreadable("comfyui", record, str(err), READER, is_main=True)]
    if graph is None:
        return []
    checks = record.checks
    if duplicates:
        checks += (
            Check("keys_unique", held=False, detail=f"{duplicates} keys stand there twice, the last counts"),
        )
    return graph_readings(graph, record, sheet, checks)


def graph_readings(graph: Graph, record: Record, sheet: Sheet, checks: tuple[Check, ...]) -> list[Reading]:
    """Make the readings of a graph: its samplers in dataflow order, or what else made the picture."""
    picture = find_picture(graph, sheet, animated=record.place.startswith("comf"))
    if picture.check:
        checks += (picture.check,)
    if not picture.samplers:
        return [
            _reading(record, _fields_without_sampler(graph, picture.savers), 0, is_main=True, checks=checks)
        ]
    samplers = picture.samplers
    if len(samplers) > MAX_SAMPLERS:
        detail = f"{len(samplers)} samplers, the last {MAX_SAMPLERS} are read"
        checks += (Check("all_samplers_read", held=False, detail=detail),)
        samplers = samplers[-MAX_SAMPLERS:]
    read = {node.id: node for node in (*samplers, *picture.last[:MAX_SAMPLERS])}
    fields = {id_: SamplerFacts(graph, node).fields() for id_, node in read.items()}
    main = picture.last[0].id if len(picture.last) == 1 else None
    readings = [
        _reading(record, fields[node.id], ordinal, is_main=node.id == main, checks=checks)
        for ordinal, node in enumerate(samplers)
    ]
    if main is None:
        several = [fields[node.id] for node in picture.last[:MAX_SAMPLERS]]
        readings.append(_reading(record, _agreed(several), len(readings), is_main=True, checks=checks))
    return readings


def _reading(
    record: Record, fields: dict[str, Field], ordinal: int, *, is_main: bool, checks: tuple[Check, ...]
) -> Reading:
    return Reading(
        tool="comfyui",
        locator=record.locator,
        state=State.PRESENT,
        raw=record.raw,
        fields=fields,
        ordinal=ordinal,
        main=is_main,
        checks=checks,
        reader=READER,
    )


def _agreed(several: list[dict[str, Field]]) -> dict[str, Field]:
    """Keep what all say alike; where they differ, say that there is more than one."""
    agreed: dict[str, Field] = {}
    for name in dict.fromkeys(name for fields in several for name in fields):
        said = [fields.get(name) for fields in several]
        first = said[0]
        if first is not None and all(
            field is not None and field.value == first.value and field.state == first.state for field in said
        ):
            agreed[name] = first
        else:
            agreed[name] = Field(None, State.SEVERAL, "; ".join(field.source for field in said if field))
    return agreed


_SERVICE_KEYS = {
    "prompt": ("prompt", "text", "positive_prompt"),
    "negative": ("negative_prompt",),
    "seed": ("seed",),
    "steps": ("steps", "num_inference_steps"),
    "guidance": ("guidance_scale", "guidance", "cfg_scale"),
    "model": ("model", "model_name"),
}
_SERVICE_SETTINGS = frozenset(
    {"seed", "model", "aspect_ratio", "resolution", "quality", "size", "model_name"}
)


def _fields_without_sampler(graph: Graph, savers: Iterable[Node]) -> dict[str, Field]:
    """Read a graph in which a remote service made the picture: the one next before the saver.

    Its seed often only forces the node to run again; it is what the graph says.
    """
    services = {node.id: node for node in graph.nodes.values() if _is_service(node)}
    nearest = [node for node in graph.upstream(savers, stop=frozenset(services)) if node in services]
    if len(nearest) != 1:
        return {}
    node = services[nearest[0]]
    fields = {"tool:node": Field(str(node), source=node.id)}
    by_last_name = {
        key.rpartition(".")[2]: key for key in reversed(node.inputs)
    }  # `model.prompt` is a prompt too
    for name, spellings in _SERVICE_KEYS.items():
        key = next((by_last_name[spelling] for spelling in spellings if spelling in by_last_name), None)
        if key is not None:
            fields[name] = _service_field(graph, node, key, is_text=name in ("prompt", "negative"))
    return fields


def _service_field(graph: Graph, node: Node, key: str, *, is_text: bool) -> Field:
    value = node.inputs[key]
    if type(value) is not Link:
        return make_field(value, node.source(key))
    if not is_text:
        return Field(None, State.COMPUTED, node.source(key))
    words = find_text(graph, value, POSITIVE)[0]
    return (
        Field(None, words.state, words.source)
        if words.value is None
        else text_field(words.value, words.source)
    )


def _is_service(node: Node) -> bool:
    """Whether a node takes words and settings and has no model of its own to encode them for."""
    names = {key.rpartition(".")[2] for key in node.inputs}
    is_asked = not names.isdisjoint(_SERVICE_KEYS["prompt"])
    return is_asked and "clip" not in names and not names.isdisjoint(_SERVICE_SETTINGS)
