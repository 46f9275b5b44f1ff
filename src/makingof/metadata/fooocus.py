"""Fooocus and RuinedFooocus: JSON in `parameters`, or in EXIF without any character code."""

from typing import Any

from makingof.metadata.a1111 import infotext_reading, parse_infotext
from makingof.metadata.found import NOTHING, Found
from makingof.metadata.json_fields import fields_of, json_checks, object_in, side_reading
from makingof.metadata.record import Record, Sheet
from makingof.reading import Field, Reading, State

READER = "fooocus/1"

_SHARED = {
    "prompt": "prompt",
    "negative_prompt": "negative",
    "full_prompt": "expanded_prompt",
    "full_negative_prompt": "expanded_negative",
    "seed": "seed",
    "steps": "steps",
    "sampler": "sampler",
    "scheduler": "scheduler",
    "guidance_scale": "guidance",
    "base_model": "model",
    "base_model_hash": "model_hash",
    "loras": "adapters",
    "vae": "vae",
    "clip_skip": "clip_skip",
    "created_by": "user",
}
_RUINED = {
    "Prompt": "prompt",
    "Negative": "negative",
    "seed": "seed",
    "steps": "steps",
    "cfg": "guidance",
    "sampler_name": "sampler",
    "scheduler": "scheduler",
    "base_model_name": "model",
    "base_model_hash": "model_hash",
    "loras": "adapters",
    "width": "width",
    "height": "height",
    "clip_skip": "clip_skip",
}


def read(sheet: Sheet) -> Found:
    """Read Fooocus's JSON, or its A1111-like text where `fooocus_scheme` says so."""
    for record in sheet.find_all("parameters", "UserComment", "Comment"):
        value = object_in(record, '"base_model', "RuinedFooocus")
        if value is not None and value.get("software") == "RuinedFooocus":
            return Found([_reading("ruinedfooocus", record, value, _RUINED)], [record])
        if (
            value is not None
            and "base_model" in value
            and ("metadata_scheme" in value or "performance" in value)
        ):
            scheme = sheet.find_all("fooocus_scheme")
            sides = [side_reading("fooocus", side, READER) for side in scheme]
            return Found([_reading("fooocus", record, value, _SHARED), *sides], [record, *scheme])
    return _read_text(sheet)


def _read_text(sheet: Sheet) -> Found:
    scheme = sheet.find("fooocus_scheme")
    record = sheet.find("parameters")
    if scheme is None or record is None or record.text is None:
        return NOTHING
    text = parse_infotext(record.text)
    if not text.settings:
        return NOTHING
    reading = infotext_reading(record, text, "fooocus", is_main=True)
    return Found([reading, side_reading("fooocus", scheme, READER)], [record, scheme])


def _reading(tool: str, record: Record, value: dict[str, Any], shared: dict[str, str]) -> Reading:
    version = value.get("version")
    return Reading(
        tool=tool,
        locator=record.locator,
        state=State.PRESENT,
        raw=record.raw,
        fields=fields_of(value, shared, record.place) | _resolution(value, record),
        tool_version=version if isinstance(version, str) else None,
        main=True,
        checks=json_checks(record),
        reader=READER,
    )


def _resolution(value: dict[str, Any], record: Record) -> dict[str, Field]:
    """Read `(768, 1280)`, the text of a Python tuple."""
    text = value.get("resolution")
    sides = text.strip("() ").split(",") if isinstance(text, str) else []
    if len(sides) != 2 or not all(side.strip().isdigit() for side in sides):  # noqa: PLR2004 - width, height
        return {}
    source = f"{record.place} resolution"
    return {"width": Field(sides[0].strip(), source=source), "height": Field(sides[1].strip(), source=source)}
