"""SwarmUI: JSON with `sui_image_params`, in `parameters` or in EXIF as UTF-16 little-endian."""

from typing import Any

from makingof.metadata.found import NOTHING, Found
from makingof.metadata.json_fields import fields_of, json_checks, make_field, object_in
from makingof.metadata.record import Record, Sheet
from makingof.reading import Reading, State

READER = "swarmui/1"

_SHARED = {
    "prompt": "prompt",
    "negativeprompt": "negative",
    "seed": "seed",
    "steps": "steps",
    "sampler": "sampler",
    "scheduler": "scheduler",
    "cfgscale": "guidance",
    "model": "model",
    "vae": "vae",
    "loras": "adapters",
    "width": "width",
    "height": "height",
    "clipstopatlayer": "clip_skip",
    "initimagecreativity": "denoise",
}
_EXTRA = {
    "original_prompt": "typed_prompt",
    "original_negativeprompt": "typed_negative",
    "date": "made_at",
}


def read(sheet: Sheet) -> Found:
    """Read the parameters; a ComfyUI graph beside them stays for its own reader."""
    for record in sheet.find_all("parameters", "UserComment", "Comment", "Model"):
        value = object_in(record, "sui_image_params")
        if value is not None and isinstance(value.get("sui_image_params"), dict):
            return Found([_reading(record, value)], [record])
    return NOTHING


def _reading(record: Record, value: dict[str, Any]) -> Reading:
    parameters = value["sui_image_params"]
    fields = fields_of(parameters, _SHARED, f"{record.place} sui_image_params")
    extra = value.get("sui_extra_data")
    if isinstance(extra, dict):
        for name, field in fields_of(extra, _EXTRA, f"{record.place} sui_extra_data").items():
            fields.setdefault(name, field)
    for key, item in value.items():
        if key not in ("sui_image_params", "sui_extra_data"):
            fields[f"tool:{key}"] = make_field(item, f"{record.place} {key}")
    models = value.get("sui_models")
    for model in models if isinstance(models, list) else []:
        if isinstance(model, dict) and model.get("param") == "model" and "hash" in model:
            fields["model_hash"] = make_field(model["hash"], f"{record.place} sui_models")
    version = parameters.get("swarm_version")
    return Reading(
        tool="swarmui",
        locator=record.locator,
        state=State.PRESENT,
        raw=record.raw,
        fields=fields,
        tool_version=version if isinstance(version, str) else None,
        main=True,
        checks=json_checks(record),
        reader=READER,
    )
