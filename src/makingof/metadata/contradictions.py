"""Records of one file that cannot all be true, found before somebody else finds them.

Only what truly contradicts is named. A picture larger than its generation was
upscaled, and a missing value contradicts nothing.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from makingof.metadata.registry import main_reading
from makingof.reading import Reading, State
from makingof.texts import Message, say

# Tools whose record states the size of the picture they gave out, or of a first pass that is never larger.
_SIZED = frozenset(
    {"a1111", "forge", "reforge", "sdnext", "novelai", "fooocus", "invokeai", "stable-diffusion.cpp"}
)
_GENERATORS = _SIZED | {
    "comfyui", "ruinedfooocus", "swarmui", "easydiffusion", "drawthings", "civitai", "tensorart",
    "stabilitymatrix", "midjourney", "huggingface-space",
}  # fmt: skip
_SETTINGS = ("ExposureTime", "FNumber", "ISO", "FocalLength", "LensModel", "LensMake", "BodySerialNumber")
_COMPARED = ("seed", "steps", "prompt", "negative", "model")
_FAILING = frozenset(
    {"novelai_signature", "c2pa_signature", "c2pa_bytes", "digital_source_type_is_uri", "aigc_one_label"}
)
_CAPTURED = ("digitalCapture", "negativeFilm", "positiveFilm", "print", "computationalCapture")


class Contradiction(NamedTuple):
    """What does not go together, for people and by place."""

    kind: str
    message: Message
    places: tuple[str, ...]


def find_contradictions(
    readings: Sequence[Reading], size: tuple[int, int] | None = None
) -> list[Contradiction]:
    """Name what contradicts in the records of one file; `size` is the picture's width and height."""
    found = _differing_records(readings)
    main = main_reading(list(readings))
    if main is not None and main.tool in _GENERATORS:
        found += _too_small(main, size)
        found += _camera(main, readings)
        found += _source_types(main, readings)
    return found + _failed_checks(readings)


def _differing_records(readings: Sequence[Reading]) -> list[Contradiction]:
    """Compare every record of a generator with the main one; samplers of one graph are one record."""
    main = main_reading(list(readings))
    if main is None or main.tool not in _GENERATORS:
        return []
    family = [reading for reading in readings if reading.locator == main.locator and reading.raw == main.raw]
    found = []
    for other in readings:
        if other.locator == main.locator or other.tool not in _GENERATORS or other.state is not State.PRESENT:
            continue
        if not any(other.value(name) for name in _COMPARED) or _is_sampler_of_another(other, readings):
            continue
        if other.tool != main.tool:
            found.append(_two("two_tools", main, other, main.tool or "", other.tool or ""))
        for name in _COMPARED:
            said = other.value(name)
            ours = [value for reading in family if (value := reading.value(name))]
            if said and ours and not any(_agree(name, said, value) for value in ours):
                shown = main.value(name) or ours[0]
                found.append(_two("records_differ", main, other, shown, said, field=name))
    return found


def _is_sampler_of_another(other: Reading, readings: Sequence[Reading]) -> bool:
    """Whether a reading is one of several of its record: the record's last is compared, once."""
    later = [
        reading
        for reading in readings
        if reading.locator == other.locator and reading.ordinal > other.ordinal
    ]
    return bool(later)


def _agree(name: str, one: str, other: str) -> bool:
    if name in ("prompt", "negative"):  # savers add adapters' tags and change blanks
        plain, theirs = (re.sub(r"<[^<>]{1,200}>|[\s,]+", " ", text).strip() for text in (one, other))
        return plain in theirs or theirs in plain
    if name == "model":
        return _stem(one) == _stem(other)
    return one == other or (_is_number(one) and _is_number(other) and float(one) == float(other))


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", text) is not None


def _stem(model: str) -> str:
    name = re.split(r"[/\\]", model)[-1].lower()
    return re.sub(r"\.(safetensors|ckpt|gguf|pt|pth|sft)$", "", name)


def _too_small(main: Reading, size: tuple[int, int] | None) -> list[Contradiction]:
    if main.tool not in _SIZED or size is None:
        return []
    width, height = main.value("width") or "", main.value("height") or ""
    if not (re.fullmatch(r"\d{1,6}", width) and re.fullmatch(r"\d{1,6}", height)):
        return []
    if size[0] >= int(width) and size[1] >= int(height):
        return []
    message = say(
        "readings.smaller_than_made",
        first=str(main.locator),
        one=f"{width}x{height}",
        other=f"{size[0]}x{size[1]}",
    )
    return [Contradiction("smaller_than_made", message, (str(main.locator),))]


def _camera(main: Reading, readings: Sequence[Reading]) -> list[Contradiction]:
    settings = [
        reading
        for reading in readings
        if reading.tool is None and any(reading.fields.get(f"tool:{name}") for name in _SETTINGS)
    ]
    if not settings:
        return []
    named = ", ".join(sorted(name.removeprefix("tool:") for reading in settings for name in reading.fields))
    message = say("readings.camera", first=str(main.locator), one=main.tool, other=named)
    return [
        Contradiction("camera", message, (str(main.locator), *(str(reading.locator) for reading in settings)))
    ]


def _source_types(main: Reading, readings: Sequence[Reading]) -> list[Contradiction]:
    found = []
    for reading in readings:
        said = reading.value("tool:DigitalSourceType") or reading.value("tool:digitalSourceType") or ""
        if said.rpartition("/")[2] in _CAPTURED:
            found.append(_two("source_type", main, reading, main.tool or "", said))
    return found


def _failed_checks(readings: Sequence[Reading]) -> list[Contradiction]:
    return [
        Contradiction(
            "check_failed",
            say("readings.check_failed", first=str(reading.locator), one=check.name, other=check.detail),
            (str(reading.locator),),
        )
        for reading in readings
        for check in reading.checks
        if check.held is False and check.name in _FAILING
    ]


def _two(kind: str, first: Reading, second: Reading, one: str, other: str, **more: str) -> Contradiction:
    places = (str(first.locator), str(second.locator))
    values = {"first": places[0], "second": places[1], "one": one, "other": other, **more}
    return Contradiction(kind, say(f"readings.{kind}", **values), places)
