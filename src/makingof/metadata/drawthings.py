"""Draw Things: JSON in XMP's `exif:UserComment`, its summary in `dc:description`."""

import re
from typing import Any

from makingof.containers.xmp import EXIF, XMP
from makingof.errors import MalformedError
from makingof.metadata.found import NOTHING, Found
from makingof.metadata.json_fields import fields_of, object_in
from makingof.metadata.record import Record, Sheet
from makingof.metadata.tool_json import parse_tool_object
from makingof.reading import Field, Reading, State

READER = "drawthings/1"

_SHARED = {
    "c": "prompt",
    "uc": "negative",
    "seed": "seed",
    "steps": "steps",
    "sampler": "sampler",
    "scale": "guidance",
    "model": "model",
    "strength": "denoise",
    "lora": "adapters",
}


def read(sheet: Sheet) -> Found:
    """Read the JSON where the packet, or the record beside it, names Draw Things or has its keys."""
    for record, packet in sheet.packets:
        text = packet.text(EXIF, "UserComment")
        if text is None or not (packet.text(XMP, "CreatorTool") or "").startswith("Draw Things"):
            continue
        try:
            value = parse_tool_object(text)[0]
        except MalformedError:
            continue
        return Found([_reading(record, value, "exif:UserComment")], [record])
    software = any((record.text or "").startswith("Draw Things") for record in sheet.find_all("Software"))
    for record in sheet.find_all("UserComment", "Comment"):
        value = object_in(record, '"uc"') or {}
        if "c" in value and "uc" in value and (software or "sampler" in value):
            return Found([_reading(record, value, record.place)], [record])
    return NOTHING


def _reading(record: Record, value: dict[str, Any], place: str) -> Reading:
    fields = fields_of(value, _SHARED, place)
    size = re.fullmatch(r"(\d+)x(\d+)", str(value.get("size", "")))
    if size:
        fields["width"] = Field(size[1], source=f"{place} size")
        fields["height"] = Field(size[2], source=f"{place} size")
    return Reading(
        tool="drawthings",
        locator=record.locator,
        state=State.PRESENT,
        raw=record.raw,
        fields=fields,
        main=True,
        checks=record.checks,
        reader=READER,
    )
