"""InvokeAI, three generations: `invokeai_metadata`, `sd-metadata`, and the command line of `Dream`."""

import re
from typing import Any

from makingof.errors import MalformedError
from makingof.metadata.found import NOTHING, Found
from makingof.metadata.json_fields import fields_of, json_checks, make_field, side_reading, unreadable
from makingof.metadata.record import Record, Sheet, text_field
from makingof.metadata.tool_json import parse_tool_object
from makingof.reading import Field, Reading, State

READER = "invokeai/1"

_SHARED = {
    "positive_prompt": "prompt",
    "negative_prompt": "negative",
    "seed": "seed",
    "steps": "steps",
    "scheduler": "sampler",  # InvokeAI calls the sampler so
    "cfg_scale": "guidance",
    "strength": "denoise",
    "width": "width",
    "height": "height",
    "clip_skip": "clip_skip",
    "sampler": "sampler",
}
_SWITCHES = {
    "s": "steps", "S": "seed", "W": "width", "H": "height", "C": "guidance", "A": "sampler", "f": "denoise",
}  # fmt: skip
_SWITCH = re.compile(r"\s+-{1,2}([A-Za-z_]+)[ =]?([^\s-][^\s]*|-\d[^\s]*)?")
_NEGATIVE_WORDS = re.compile(r"\[([^\[\]]*)\]")


def read(sheet: Sheet) -> Found:
    """Read the newest generation of records as the main one; older copies beside it stay side readings."""
    readings: list[Reading] = []
    used: list[Record] = []
    for key, reader in (
        ("invokeai_metadata", _read_core),
        ("sd-metadata", _read_legacy),
        ("Dream", _read_dream),
    ):
        for record in sheet.find_all(key):
            reading = reader(record, is_main=not readings)
            if reading is not None:
                readings.append(reading)
                used.append(record)
    for record in sheet.find_all("invokeai_workflow", "invokeai_graph"):
        readings.append(side_reading("invokeai", record, READER))
        used.append(record)
    return Found(readings, used) if readings else NOTHING


def _reading(record: Record, fields: dict[str, Field], version: Any, *, is_main: bool) -> Reading:
    return Reading(
        tool="invokeai",
        locator=record.locator,
        state=State.PRESENT,
        raw=record.raw,
        fields=fields,
        tool_version=str(version) if isinstance(version, str) else None,
        main=is_main,
        checks=json_checks(record) if record.key != "Dream" else record.checks,
        reader=READER,
    )


def _parse(record: Record) -> dict[str, Any]:
    if record.text is None:
        raise MalformedError(record.damage or "chunk holds no text")
    return parse_tool_object(record.text)[0]


def _read_core(record: Record, *, is_main: bool) -> Reading:
    try:
        value = _parse(record)
    except MalformedError as err:
        return unreadable("invokeai", record, str(err), READER, is_main=is_main)
    return core_reading(record, value, is_main=is_main)


def core_reading(record: Record, value: dict[str, Any], *, is_main: bool) -> Reading:
    """Read the values of InvokeAI's own metadata, whether a picture holds them or a graph is about to."""
    fields = fields_of(value, _SHARED, record.place)
    model = value.get("model")
    if isinstance(
        model, dict
    ):  # {key, hash, name, base, type}; before version 4 {model_name, base_model, model_type}
        name = model.get("name", model.get("model_name"))
        fields["model"] = make_field(name, f"{record.place} model.name")
        if "hash" in model:
            fields["model_hash"] = make_field(model["hash"], f"{record.place} model.hash")
        del fields["tool:model"]
    vae = value.get("vae")
    if isinstance(vae, dict):
        fields["vae"] = make_field(vae.get("name", vae.get("model_name")), f"{record.place} vae.name")
    if value.get("loras"):
        fields["adapters"] = fields.pop("tool:loras")
    return _reading(record, fields, value.get("app_version"), is_main=is_main)


def _read_legacy(record: Record, *, is_main: bool) -> Reading:
    try:
        value = _parse(record)
    except MalformedError as err:
        return unreadable("invokeai", record, str(err), READER, is_main=is_main)
    image = value.get("image")
    image = image if isinstance(image, dict) else {}
    fields = fields_of(
        {key: item for key, item in image.items() if key != "prompt"}, _SHARED, f"{record.place} image"
    )
    fields |= _prompt_fields(_joined_prompt(image.get("prompt")), f"{record.place} image.prompt")
    fields |= fields_of(
        {key: item for key, item in value.items() if key != "image"},
        {"model_weights": "model", "model_hash": "model_hash"},
        record.place,
    )
    return _reading(record, fields, value.get("app_version"), is_main=is_main)


def _joined_prompt(prompt: Any) -> str | None:
    if isinstance(prompt, str):
        return str(prompt)
    if isinstance(prompt, list):
        words = [part.get("prompt") for part in prompt if isinstance(part, dict)]
        return "\n".join([word for word in words if isinstance(word, str)]) or None
    return None


def _prompt_fields(text: str | None, source: str) -> dict[str, Field]:
    """Split the old prompt, in which words in brackets are the negative ones."""
    if text is None:
        return {}
    negative = [words.strip(" ,") for words in _NEGATIVE_WORDS.findall(text)]
    if not negative:
        return {"prompt": text_field(text, source)}
    positive = [words.strip(" ,") for words in _NEGATIVE_WORDS.sub("\0", text).split("\0")]
    return {
        "prompt": text_field(", ".join(filter(None, positive)), source),
        "negative": text_field(", ".join(negative), source),
        "typed_prompt": text_field(text, source),
    }


def _read_dream(record: Record, *, is_main: bool) -> Reading | None:
    text = record.text or ""
    end = text.rfind('"')
    if text[:1] != '"' or end < 1:
        return None
    fields = _prompt_fields(text[1:end], record.place)
    for switch, value in _SWITCH.findall(text[end + 1 :]):
        name = _SWITCHES.get(switch, f"tool:{switch}")
        fields[name] = text_field(value or "true", f"{record.place} -{switch}")
    return _reading(record, fields, None, is_main=is_main)
