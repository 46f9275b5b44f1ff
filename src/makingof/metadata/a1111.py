"""The text that AUTOMATIC1111 made common: prompt, negative prompt, one line of settings.

    a jade pendant, macro
    Negative prompt: watermark
    Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 42, Size: 512x512, Version: v1.10.1

Forge and its kin, SD.Next, stable-diffusion.cpp, hubs and many savers write it with
their own keys. `parse_infotext` knows the grammar; who wrote it is told by `infotext_tool`.
"""

import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from msgspec.structs import replace

from makingof.errors import MalformedError
from makingof.metadata.civitai_resources import find_checkpoint
from makingof.metadata.found import Found
from makingof.metadata.record import Record, Sheet, text_field, with_text
from makingof.metadata.tool_json import parse_tool_json
from makingof.reading import Check, Field, Reading, State

READER = "a1111/1"

NEGATIVE_LABEL = "Negative prompt:"
_KEYS = ("parameters", "UserComment", "COM", "ImageDescription", "XPComment", "Comment", "Description")
_SDCPP = "https://github.com/leejet/stable-diffusion.cpp/ns/1.0/"  # its XMP property in WebP
_MIN_PAIRS = 3  # fewer, and A1111 itself takes the line for a part of the prompt
_TEMPLATE_LABELS = {
    "Template:": "typed_prompt",
    "Negative template:": "typed_negative",
    "Negative Template:": "typed_negative",
}

_MAX_SETTINGS_CHARS = 1 << 20
_MAX_KEPT_CHARS = 64  # of keys and versions remembered from one file to the next

# A prompt may hold three colons too; a line of settings names at least one of these.
_TELLING_KEYS = frozenset(
    {"Steps", "Seed", "Sampler", "CFG scale", "Size", "Model", "Model hash", "Version", "App"}
)

_TEMPLATES = tuple(_TEMPLATE_LABELS)
_PLAIN_PAIR = re.compile(r'\s*(\w[\w \-/]*):\s*([^,\s"\[{][^,]*)')
_SIZE = re.compile(r"(\d+)x(\d+)")
_OPENING = '"[{'
_KEY_NAME = re.compile(r"\s*(\w[\w \-/]*)")
_KEY = re.compile(r"\s*(\w[\w \-/]*)(:|(?=,|$))\s*")

_SHARED = {
    "Steps": "steps",
    "Sampler": "sampler",
    "Schedule type": "scheduler",
    "Scheduler": "scheduler",
    "CFG scale": "guidance",
    "CFG Scale": "guidance",
    "Seed": "seed",
    "Model": "model",
    "Model hash": "model_hash",
    "VAE": "vae",
    "Denoising strength": "denoise",
    "Clip skip": "clip_skip",
    "CLiP-skip": "clip_skip",  # SD.Next's spelling
    "Lora hashes": "adapters",
    "User": "user",
    "Created Date": "made_at",
    "Template": "typed_prompt",
    "Negative Template": "typed_negative",
    "Raw prompt": "typed_prompt",
    "Guidance Scale": "guidance",
    "Raw negative prompt": "typed_negative",
}


class Infotext(NamedTuple):
    """The three parts of such a text; None where a part is not there at all."""

    prompt: str | None
    negative: str | None
    settings: dict[str, str]
    typed_prompt: str | None
    typed_negative: str | None
    doubts: tuple[str, ...]


def parse_infotext(text: str) -> Infotext:
    """Take the text apart by lines, as its writers put it together.

    The settings are the last line with at least three pairs; only template lines
    may follow it. Without one everything is prompt and negative prompt. The first line
    that begins with the label starts the negative prompt; a second one is a doubt.
    """
    lines = text.rstrip("\0").strip().replace("\r\n", "\n").split("\n")
    at, settings = _find_settings(lines)
    body, trailing = lines[:at], lines[at + 1 :]
    is_sdnext = _is_sdnext(settings)
    parts: dict[str, list[str]] = {"prompt": []}
    doubts = []
    current = "prompt"
    for line in body:
        label = _label(line, is_sdnext=is_sdnext)
        if label == "negative" and "negative" in parts:  # A1111 reads it back as one negative prompt
            doubts.append("a second line begins with the label of the negative prompt")
            parts[current].append(line[len(NEGATIVE_LABEL) :].strip())
        elif label:
            current = label
            parts[current] = [line.split(":", 1)[1].strip()]
        else:
            parts[current].append(line)
    for line in trailing:
        for label, name in _TEMPLATE_LABELS.items():
            if line.startswith(label):
                parts[name] = [line[len(label) :].strip()]
    said = {name: "\n".join(words).strip() for name, words in parts.items()}
    return Infotext(
        said["prompt"],
        said.get("negative"),
        settings,
        said.get("typed_prompt"),
        said.get("typed_negative"),
        tuple(doubts),
    )


def _label(line: str, *, is_sdnext: bool) -> str | None:
    if line.startswith(NEGATIVE_LABEL):
        return "negative"
    if is_sdnext:  # anybody else's line that begins so is a part of the prompt
        return next((name for label, name in _TEMPLATE_LABELS.items() if line.startswith(label)), None)
    return None


def _find_settings(lines: list[str]) -> tuple[int, dict[str, str]]:
    """Find the line of settings: the last one, unless only template lines come after it.

    Where there is none, everything stands before it.
    """
    at = len(lines) - 1
    while at > 0 and lines[at].startswith(_TEMPLATES):
        at -= 1
    for number in (at, len(lines) - 1):
        if settings := _settings_of(lines[number]):
            return number, settings
    return len(lines), {}


def _settings_of(line: str) -> dict[str, str]:
    """Split a line of settings; empty for a line of prompt such as `(a:1.2), style: x, mood: y`."""
    if ":" not in line or len(line) > _MAX_SETTINGS_CHARS:
        return {}
    pairs = _plain_pairs(line) or list(_pairs(line))
    spelled = {key for key, _, is_bare in pairs if not is_bare}
    if len(spelled) < _MIN_PAIRS or spelled.isdisjoint(_TELLING_KEYS):
        return {}
    return _first_of_each(pairs)


def parse_settings(line: str) -> dict[str, str]:
    """Split `key: value, key: value`; values may be quoted as JSON text or be bare JSON."""
    return _first_of_each(_pairs(line))


def _first_of_each(pairs: Iterable[tuple[str, str, bool]]) -> dict[str, str]:
    """Keep the first of a key that comes twice: extensions append to what the generator wrote."""
    settings: dict[str, str] = {}
    for key, value, _ in pairs:
        settings.setdefault(key, value)
    return settings


def _plain_pairs(line: str) -> list[tuple[str, str, bool]]:
    """Split a line as most are, without quotes, brackets and bare keys; empty for any other line."""
    pairs = []
    for piece in line.split(","):
        spelled, _, value = piece.partition(":")
        key, value = _plain_key(spelled) if len(spelled) <= _MAX_KEPT_CHARS else "", value.strip()
        if not key or not value or value[0] in _OPENING:
            return []
        pairs.append((key, value, False))
    return pairs


@lru_cache(maxsize=1024)
def _plain_key(spelled: str) -> str:
    """Return the key before a colon without the blanks around it; empty where it is no key."""
    found = _KEY_NAME.fullmatch(spelled)
    return found[1].rstrip() if found else ""


def _pairs(line: str) -> Iterator[tuple[str, str, bool]]:
    """Yield key, value and whether the key stood alone, which means that its value equals it.

    Bare objects and lists (`SDCPP: {…}`, `Civitai resources: […]`) hold commas and
    are not quoted by their writers, so a decoder measures them.
    """
    at = 0
    while at < len(line):
        if plain := _PLAIN_PAIR.match(line, at):
            yield plain[1].rstrip(), plain[2].rstrip(), False
            at = plain.end() + 1
            continue
        found = _KEY.match(line, at)
        if found and found[2]:
            value, at = _value(line, found.end())
            yield found[1].rstrip(), value, False
        elif found:
            at = found.end()
            yield found[1].rstrip(), found[1].rstrip(), True
        comma = line.find(",", at)
        at = len(line) if comma < 0 else comma + 1


def _value(line: str, at: int) -> tuple[str, int]:
    """Read one value at `at`; return it and where it ends."""
    if line[at : at + 1] in ('"', "[", "{"):
        try:
            value, end = _json.raw_decode(line, at)
        except (ValueError, RecursionError):
            pass  # an unbalanced quote or bracket: the value is what stands before the comma
        else:
            return (value if isinstance(value, str) else line[at:end]), end
    comma = line.find(",", at)
    end = len(line) if comma < 0 else comma
    return line[at:end].strip(), end


_json = json.JSONDecoder(strict=False)


def infotext_tool(settings: dict[str, str]) -> str:
    """Name the program that wrote these settings.

    What its own `Version` or `App` says decides. A text without either is called
    `a1111`, which then names the format rather than a program.
    """
    version = settings.get("Version", "")
    if _is_sdnext(settings):
        return "sdnext"
    if "SDCPP" in settings:
        return "stable-diffusion.cpp"
    if tool := _tool_of_version(version[:_MAX_KEPT_CHARS]):
        return tool
    if "Civitai resources" in settings or "Civitai metadata" in settings:
        return "civitai"
    return "a1111"


@lru_cache(maxsize=1024)
def _tool_of_version(version: str) -> str | None:
    return next((tool for pattern, tool in _VERSIONS if pattern.match(version)), None)


def _is_sdnext(settings: dict[str, str]) -> bool:
    """Tell SD.Next; before it named itself it wrote a bare commit as version, beside keys of its own."""
    if settings.get("App", "").startswith("SD.Next"):
        return True
    return bool(_COMMIT.fullmatch(settings.get("Version", ""))) and not _SDNEXT_KEYS.isdisjoint(settings)


_COMMIT = re.compile(r"[0-9a-f]{7,8}")
_SDNEXT_KEYS = frozenset({"Backend", "Operations", "Parser", "Pipeline"})


_VERSIONS = tuple(
    (re.compile(pattern), tool)
    for pattern, tool in (
        (r"stable-diffusion\.cpp", "stable-diffusion.cpp"),
        (r"Fooocus", "fooocus"),
        (r"ComfyUI", "comfyui"),
        (r"f\d+(\.\d+)*(v\d+)?-v\d", "reforge"),  # f1.7.0-v1.10.1RC-latest-…; Forge has no dash there
        (r"reforge", "reforge"),
        (r"f\d|forge|classic|neo", "forge"),  # f2.0.1v1.10.1-previous-…, Forge Classic, Forge Neo
        (r"v?\d+\.\d+", "a1111"),
    )
)


def read(sheet: Sheet) -> Found:
    """Read every such text of a file; the first speaks for the picture."""
    readings: list[Reading] = []
    used = []
    for record in sheet.find_all(*_KEYS):
        if reading := read_infotext(record):
            readings.append(reading if readings else replace(reading, main=True))
            used.append(record)
    for record, packet in sheet.packets:
        text = packet.text(_SDCPP, "parameters")
        if text is not None and (reading := read_infotext(with_text(record, text))):
            readings.append(replace(reading, main=not readings))
            used.append(record)
    for record in sheet.find_all("postprocessing", "extras"):
        if record.text and (settings := parse_settings(record.text[:_MAX_SETTINGS_CHARS])):
            text_of_tab = Infotext(None, None, settings, None, None, ())
            readings.append(infotext_reading(record, text_of_tab, is_main=not readings))
            used.append(record)
    return Found(readings, used)


def read_infotext(record: Record) -> Reading | None:
    """Read a text of this kind, or return None where nothing shows that it is one.

    It is one if it has a line of settings, or under `parameters` a line that begins
    with the label of the negative prompt; a plain sentence is not enough.
    """
    if record.text is None or _is_json(record.text):
        return None
    text = parse_infotext(record.text)
    if not text.settings and (text.negative is None or record.key != "parameters"):
        return None
    return infotext_reading(record, text)


def _is_json(text: str) -> bool:
    """Tell whether another tool's JSON stands here; prompts too begin with a bracket: `[a:b:0.5]`."""
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        parse_tool_json(text)
    except MalformedError:
        return False
    return True


def infotext_reading(
    record: Record, text: Infotext, tool: str | None = None, *, is_main: bool = False
) -> Reading:
    """Turn the parts into fields; what was not written stays out, no default is filled in."""
    place = record.place
    fields = {name: text_field(words, place) for name, words in _spoken(text) if words is not None}
    for key, value in text.settings.items():
        name = _SHARED.get(key) or f"tool:{key}"
        if name not in fields:
            fields[name] = text_field(value, f"{place} {key}")
    fields.update(_size_fields(text.settings, record))
    tool = tool or infotext_tool(text.settings)
    if tool == "stable-diffusion.cpp":
        _name_model_of_sdcpp(fields)
    resources = text.settings.get("Civitai resources")
    if resources and "model" not in fields and (model := find_checkpoint(resources)):
        fields["model"] = text_field(model, f"{record.place} Civitai resources")
    doubts = tuple(Check("infotext_unambiguous", held=False, detail=doubt) for doubt in text.doubts)
    return Reading(
        tool=tool,
        locator=record.locator,
        state=State.PRESENT,
        raw=record.raw,
        fields=fields,
        tool_version=text.settings.get("Version"),
        main=is_main,
        checks=record.checks + doubts,
        reader=READER,
    )


def _spoken(text: Infotext) -> tuple[tuple[str, str | None], ...]:
    return (
        ("prompt", text.prompt),
        ("negative", text.negative),
        ("typed_prompt", text.typed_prompt),
        ("typed_negative", text.typed_negative),
    )


def _size_fields(settings: dict[str, str], record: Record) -> dict[str, Field]:
    size = _SIZE.fullmatch(settings.get("Size", ""))
    if not size:
        return {}
    source = f"{record.place} Size"
    return {"width": Field(size[1], source=source), "height": Field(size[2], source=source)}


def _name_model_of_sdcpp(fields: dict[str, Field]) -> None:
    """Models given in parts leave `Model` empty; the diffusion model is then named under `Unet`."""
    unet = fields.get("tool:Unet")
    model = fields.get("model")
    if unet and unet.value and not (model and model.value):
        fields["model"] = unet
