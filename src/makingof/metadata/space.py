"""Hugging Face Spaces: plain JSON in `parameters`, as the diffusers demos there write it."""

import re

from makingof.metadata.found import NOTHING, Found
from makingof.metadata.json_fields import fields_of, json_checks, object_in
from makingof.metadata.record import Sheet
from makingof.reading import Field, Reading, State

READER = "huggingface-space/1"

_SHARED = {
    "prompt": "prompt",
    "negative_prompt": "negative",
    "seed": "seed",
    "num_inference_steps": "steps",
    "sampler": "sampler",
    "guidance_scale": "guidance",
    "Model": "model",
    "Model hash": "model_hash",
}


def read(sheet: Sheet) -> Found:
    """Read the object if it has the keys these Spaces write together."""
    for record in sheet.find_all("parameters", "UserComment", "metadata"):
        value = object_in(record, '"num_inference_steps"', '"resolution"')
        if value is None or "prompt" not in value or not {"Model", "resolution"} & value.keys():
            continue
        fields = fields_of(value, _SHARED, record.place)
        if isinstance(model := value.get("Model"), dict):  # some write both names once more inside
            fields |= fields_of(model, _SHARED, f"{record.place} Model")
        size = re.fullmatch(r"(\d+)\s*x\s*(\d+)", str(value.get("resolution", "")))
        if size:
            fields["width"] = Field(size[1], source=f"{record.place} resolution")
            fields["height"] = Field(size[2], source=f"{record.place} resolution")
        reading = Reading(
            tool="huggingface-space",
            locator=record.locator,
            state=State.PRESENT,
            raw=record.raw,
            fields=fields,
            main=True,
            checks=json_checks(record),
            reader=READER,
        )
        return Found([reading], [record])
    return NOTHING
