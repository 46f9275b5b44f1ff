"""From the host's own objects to the parts of an observation. What has another shape says nothing."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .pictures import Picture
from .plain import REMOVED, SECRET, Part, cleaned_value, portable, raw_part

INFOTEXTS = "processed.infotexts"
READER = "makingof-a1111/1"
MAX_TEXTS = 256  # different prompts of one job that are written out; the pictures' own texts have all
_MAX_VALUE = 2_000

# The host's name of a setting → the name that readers of its pictures give it.
_FIELDS = {
    "steps": "steps",
    "sampler_name": "sampler",
    "scheduler": "scheduler",
    "cfg_scale": "guidance",
    "seed": "seed",
    "width": "width",
    "height": "height",
    "denoising_strength": "denoise",
    "sd_model_name": "model",
    "sd_model_hash": "model_hash",
    "sd_vae_name": "vae",
    "clip_skip": "clip_skip",
}
_OTHER_FIELDS = (
    "subseed",
    "subseed_strength",
    "seed_resize_from_h",
    "seed_resize_from_w",
    "batch_size",
    "n_iter",
    "styles",
    "restore_faces",
    "tiling",
    "distilled_cfg_scale",
    "enable_hr",
    "hr_scale",
    "hr_upscaler",
    "hr_second_pass_steps",
    "hr_resize_x",
    "hr_resize_y",
    "hr_checkpoint_name",
    "hr_sampler_name",
    "hr_scheduler",
    "hr_prompt",
    "hr_negative_prompt",
    "hr_cfg",
    "hr_distilled_cfg",
    "image_cfg_scale",
    "resize_mode",
    "mask_blur",
    "inpainting_fill",
    "inpaint_full_res",
    "inpaint_full_res_padding",
    "inpainting_mask_invert",
    "initial_noise_multiplier",
    "refiner_checkpoint",
    "refiner_switch_at",
    "eta",
    "s_churn",
    "s_noise",
    "sd_vae_hash",
)


@dataclass
class Request:
    """What a job was asked for, in plain values taken at that moment."""

    typed: "list[str]" = field(default_factory=list)
    typed_negative: "list[str]" = field(default_factory=list)
    effective: "list[str]" = field(default_factory=list)  # after styles and wildcards; empty: not known yet
    negative: "list[str]" = field(default_factory=list)
    seeds: "list[str]" = field(default_factory=list)
    subseeds: "list[str]" = field(default_factory=list)
    fields: "dict[str, str]" = field(default_factory=dict)
    facts: "dict[str, Any]" = field(default_factory=dict)


def request_of(p: Any) -> Request:
    """Read what is asked for, before the host works on it."""
    request = Request(_texts(p, "prompt"), _texts(p, "negative_prompt"))
    request.fields = fields_of(p)
    for name in ("user", "is_api"):
        value = getattr(p, name, None)
        if isinstance(value, (str, bool)) and value not in ("", None):
            request.facts[name] = value
    request.facts["kind"] = type(p).__name__
    return request


def note_effective(request: Request, p: Any) -> None:
    """Add what the host made of the request: styles, wildcards and seeds are settled now."""
    request.effective = _texts(p, "all_prompts") or request.effective
    request.negative = _texts(p, "all_negative_prompts") or request.negative
    request.seeds = _texts(p, "all_seeds") or request.seeds
    request.subseeds = _texts(p, "all_subseeds") or request.subseeds
    request.fields |= fields_of(p) | ({"seed": request.seeds[0]} if request.seeds else {})


def fields_of(p: Any) -> "dict[str, str]":
    """Return the settings as the host spells them; what is not set is left out."""
    found = {name: _value(getattr(p, attribute, None)) for attribute, name in _FIELDS.items()}
    found |= {f"tool:{name}": _value(getattr(p, name, None)) for name in _OTHER_FIELDS}
    for table in ("extra_generation_params", "override_settings"):
        told = getattr(p, table, None)
        for name, value in list(told.items())[:200] if isinstance(told, dict) else ():
            is_secret = isinstance(value, str) and SECRET.search(str(name))
            found[f"tool:{name}"] = REMOVED if is_secret else _value(value)
    return {name: value for name, value in found.items() if value is not None}


def request_parts(request: Request, pasted: "Iterable[str]") -> "list[Part]":
    """What was asked for: prompts as typed, and as they took effect where that is known."""
    parts = text_parts("prompt", request.typed, request.effective, pasted)
    if any(request.typed_negative) or any(request.negative):
        parts += text_parts("negative", request.typed_negative, request.negative, pasted)
    return parts


def parameters_part(request: Request, tool: str) -> Part:
    fields = {
        portable(name): {"value": portable(value), "source": "p"} for name, value in request.fields.items()
    }
    body = {"tool": tool, "reader": READER, "main": True, "fields": fields}
    return {"type": "parameters", "from": "p", "body": body}


def text_parts(
    part_type: str, typed: "list[str]", effective: "list[str]", pasted: "Iterable[str]"
) -> "list[Part]":
    """Write each different prompt of a job once, with what was typed for it."""
    pairs: dict[tuple[str | None, str | None], int] = {}
    for number in range(max(len(typed), len(effective), 1)):
        written = typed[number] if number < len(typed) else typed[0] if typed else None
        pairs.setdefault((written, effective[number] if number < len(effective) else None), number)
    parts: list[Part] = []
    for (written, came), number in list(pairs.items())[:MAX_TEXTS]:
        body = {
            "effective": portable(came),
            "typed": portable(written),
            "state": "absent" if written is None and came is None else "present",
            "written": "pasted" if written and written in pasted else "unknown",
            "ordinal": number,
        }
        body = {name: value for name, value in body.items() if value is not None}
        source = "p.prompt" if part_type == "prompt" else "p.negative_prompt"
        parts.append({"type": part_type, "from": source, "body": body})
    return parts


def infotext_parts(pictures: "list[Picture]", tool: str, files: "list[Part]") -> "list[Part]":
    """Each picture's own text, byte for byte; the first `len(pictures)` of `files` are these pictures."""
    parts = []
    for number, picture in enumerate(pictures):
        if picture.infotext:
            data = picture.infotext.encode("utf-8", "surrogatepass")
            part = raw_part(data, f"{INFOTEXTS}[{number}]", tool, files, "infotext.txt")
            part["body"].setdefault("file", {"attached": number})
            parts.append(part)
    return parts


def cleaned_facts(facts: "dict[str, Any]") -> "dict[str, Any]":
    """Leave out values in fields named like credentials, and say which."""
    cleaned, removed = cleaned_value(facts)
    return {**cleaned, "credentials_removed": removed} if removed else dict(cleaned)


def _texts(holder: Any, name: str) -> "list[str]":
    value = getattr(holder, name, None)
    if isinstance(value, (list, tuple)):
        return [str(item) for item in value]
    return [] if value is None else [str(value)]


def _value(value: Any) -> "str | None":
    """Spell a plain value; objects have no spelling."""
    if isinstance(value, (list, tuple)):
        words = [word for word in map(_value, value) if word is not None]
        return ", ".join(words)[:_MAX_VALUE] if words else None
    if value is None or not isinstance(value, (str, int, float, bool)):
        return None
    return str(value)[:_MAX_VALUE] if value != "" else None
