"""Civitai, TensorArt, Stability Matrix: a record of their own beside a ComfyUI graph or A1111 text."""

from typing import Any

from msgspec.structs import replace

from makingof.errors import MalformedError
from makingof.metadata.a1111 import read_infotext
from makingof.metadata.comfyui import is_workflow, keep_workflow, read_graph
from makingof.metadata.found import NOTHING, Found
from makingof.metadata.json_fields import fields_of, json_checks, object_in, side_reading
from makingof.metadata.record import Record, Sheet
from makingof.metadata.tool_json import parse_tool_object
from makingof.reading import Field, Reading, State

READER = "hubs/1"

_CIVITAI = {
    "prompt": "prompt",
    "negativePrompt": "negative",
    "seed": "seed",
    "steps": "steps",
    "cfgScale": "guidance",
    "sampler": "sampler",
    "scheduler": "scheduler",
    "denoise": "denoise",
    "width": "width",
    "height": "height",
    "clipSkip": "clip_skip",
}
_TENSORART = {
    **_CIVITAI,
    "samplerName": "sampler",
    "sdVae": "vae",
}
_STABILITY_MATRIX = {
    "PositivePrompt": "prompt",
    "NegativePrompt": "negative",
    "Seed": "seed",
    "Steps": "steps",
    "CfgScale": "guidance",
    "Sampler": "sampler",
    "Width": "width",
    "Height": "height",
    "ModelName": "model",
    "ModelHash": "model_hash",
}


def read_civitai(sheet: Sheet) -> Found:
    """Read Civitai's form of a graph, with `extra` and `extraMetadata` among its nodes."""
    for record in sheet.find_all("UserComment", "prompt", "COM", "Comment"):
        value = object_in(record, '"extraMetadata"', '"resource-stack"')
        if value is None or "extraMetadata" not in value:
            continue
        readings = [replace(reading, tool="civitai") for reading in read_graph(record, sheet)]
        stated = _civitai_fields(value, record)
        main = next((reading for reading in readings if reading.main), None)
        if main is None:
            main = _reading("civitai", record, stated)
            return Found([main, *readings], [record])
        # What the hub states was asked for goes before what the graph was made into.
        said = {name: field for name, field in stated.items() if field.value is not None}
        merged = replace(main, fields={**main.fields, **said}, reader=READER)
        return Found([merged if reading is main else reading for reading in readings], [record])
    return NOTHING


def _civitai_fields(value: dict[str, Any], record: Record) -> dict[str, Field]:
    fields: dict[str, Field] = {}
    extra = value["extraMetadata"]
    if isinstance(extra, str):
        try:
            extra = parse_tool_object(extra)[0]
        except MalformedError:
            return {"tool:extraMetadata": Field(None, State.UNREADABLE, f"{record.place} extraMetadata")}
    if isinstance(extra, dict):
        fields = fields_of(extra, _CIVITAI, f"{record.place} extraMetadata")
    for key in ("extra", "resource-stack"):
        if key in value:
            fields |= fields_of({key: value[key]}, {}, record.place)
    return fields


def read_tensorart(sheet: Sheet) -> Found:
    """Read `generation_data`; where its seed is left to chance the graph beside it knows the real one."""
    record = sheet.find("generation_data")
    value = object_in(record)
    if record is None or value is None:
        return NOTHING
    fields = fields_of(value, _TENSORART, record.place)
    base = value.get("baseModel")
    if isinstance(base, dict):
        fields |= fields_of(
            base, {"modelFileName": "model", "hash": "model_hash"}, f"{record.place} baseModel"
        )
    if isinstance(value.get("models"), list) and value["models"]:
        fields["adapters"] = fields.pop("tool:models")
    readings: list[Reading] = []
    used = [record]
    for graph in sheet.find_all("prompt"):
        found = read_graph(graph, sheet)
        readings.extend(replace(reading, tool="tensorart", main=False) for reading in found)
        used.extend([graph] if found else [])
        main = next((reading for reading in found if reading.main), None)
        seed = main.fields.get("seed") if main else None
        if seed is not None and seed.value is not None and fields.get("seed", seed).value in (None, "-1"):
            fields["seed"] = replace(seed, source=f"{graph.place} {seed.source}")
    for workflow in filter(is_workflow, sheet.find_all("workflow")):
        readings.append(replace(keep_workflow(workflow), tool="tensorart"))
        used.append(workflow)
    return Found([_reading("tensorart", record, fields), *readings], used)


def read_stability_matrix(sheet: Sheet) -> Found:
    """Read `parameters-json`, or the A1111 text where only the project beside it names the program."""
    record = sheet.find("parameters-json")
    project = sheet.find_all("smproj")
    value = object_in(record)
    sides = [side_reading("stabilitymatrix", other, READER) for other in project]
    if record is not None and value is not None:
        text = sheet.find("parameters")
        other = read_infotext(text) if text else None
        if text is not None and other is not None:
            sides.append(replace(other, tool="stabilitymatrix"))
            project = [*project, text]
        fields = fields_of(value, _STABILITY_MATRIX, record.place)
        return Found([_reading("stabilitymatrix", record, fields), *sides], [record, *project])
    text = sheet.find("parameters")
    reading = read_infotext(text) if project and text else None
    if text is None or reading is None:
        return NOTHING
    return Found([replace(reading, tool="stabilitymatrix", main=True), *sides], [text, *project])


def _reading(tool: str, record: Record, fields: dict[str, Field]) -> Reading:
    return Reading(
        tool=tool,
        locator=record.locator,
        state=State.PRESENT,
        raw=record.raw,
        fields=fields,
        main=True,
        checks=json_checks(record),
        reader=READER,
    )
