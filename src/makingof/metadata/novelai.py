"""NovelAI: PNG chunks, the same in EXIF of its WebP files, and the same again hidden in the pixels."""

import base64
import binascii
import json
from typing import Any

from makingof.errors import MalformedError
from makingof.metadata.found import NOTHING, Found
from makingof.metadata.json_fields import (
    fields_of,
    json_checks,
    make_field,
    object_in,
    side_reading,
    unreadable,
)
from makingof.metadata.record import Record, Sheet, text_field
from makingof.metadata.tool_json import parse_tool_object
from makingof.reading import Check, Field, Reading, State

READER = "novelai/1"
SIGNATURE_CHECK = "novelai_signature"

_SHARED = {
    "prompt": "prompt",
    "uc": "negative",
    "seed": "seed",
    "steps": "steps",
    "sampler": "sampler",
    "noise_schedule": "scheduler",
    "scale": "guidance",
    "strength": "denoise",
    "width": "width",
    "height": "height",
}
# Keys nobody else writes; `uc` alone is Draw Things' as well.
_TELLING_KEYS = ("v4_prompt", "noise_schedule", "uncond_scale", "signed_hash", "request_type")
_SIDE_KEYS = (
    "Title",
    "Description",
    "Software",
    "Source",
    "Generation time",
    "DocumentName",
    "ImageDescription",
)


def read(sheet: Sheet) -> Found:
    """Read a file that names NovelAI as its software, or whose comment has NovelAI's keys."""
    software = next(
        (record for record in sheet.find_all("Software") if (record.text or "").startswith("NovelAI")), None
    )
    for record in sheet.find_all("Comment", "UserComment", "COM"):
        if (value := object_in(record)) is not None and (software or _is_telling(value)):
            break
    else:
        return _read_without_comment(sheet, software)
    try:
        inner = _inner_comment(value)
    except MalformedError as err:
        return Found([unreadable("novelai", record, str(err), READER, is_main=True)], [record])
    others = {key: item for key, item in value.items() if isinstance(item, str) and key != "Comment"}
    fields = comment_fields(inner, record.place)
    sides = sheet.find_all(*_SIDE_KEYS) if software or inner is not value else []
    texts = {other.key: other.text for other in sides if other.text} | (others if inner is not value else {})
    fields |= _side_fields(fields, texts)
    reading = Reading(
        tool="novelai",
        locator=record.locator,
        state=State.PRESENT,
        raw=record.raw,
        fields=fields,
        tool_version=texts.get("Source"),
        main=True,
        checks=json_checks(record) + _unverified(inner),
        reader=READER,
    )
    return Found([reading, *(side_reading("novelai", other, READER) for other in sides)], [record, *sides])


def _read_without_comment(sheet: Sheet, software: Record | None) -> Found:
    if software is None:
        return NOTHING
    sides = sheet.find_all(*_SIDE_KEYS, "Comment")
    readings = [side_reading("novelai", record, READER) for record in sides]
    main = Reading("novelai", software.locator, State.PRESENT, software.raw, main=True, reader=READER)
    return Found([main, *(reading for reading in readings if reading.raw is not software.raw)], sides)


def _is_telling(value: dict[str, Any]) -> bool:
    """Whether an object is NovelAI's: it says so, or it or the text inside it has NovelAI's keys."""
    inner = value.get("Comment")
    return (
        any(key in value for key in _TELLING_KEYS)
        or str(value.get("Software", "")).startswith("NovelAI")
        or (isinstance(inner, str) and any(f'"{key}"' in inner for key in _TELLING_KEYS))
    )


def _inner_comment(value: dict[str, Any]) -> dict[str, Any]:
    """Unwrap the WebP form, whose `Comment` is the JSON text of the PNG form."""
    inner = value.get("Comment")
    if isinstance(inner, str):
        return parse_tool_object(inner)[0]
    return inner if isinstance(inner, dict) else value


def comment_fields(comment: dict[str, Any], place: str) -> dict[str, Field]:
    """Make fields of NovelAI's parameters; since version 4 the prompt may be a structure too."""
    fields = fields_of(comment, _SHARED, place)
    for name, key in (("prompt", "v4_prompt"), ("negative", "v4_negative_prompt")):
        caption = comment[key].get("caption") if isinstance(comment.get(key), dict) else None
        if not isinstance(caption, dict):
            continue
        if name not in fields and "base_caption" in caption:
            fields[name] = make_field(caption["base_caption"], f"{place} {key}.caption.base_caption")
        characters = caption.get("char_captions")
        for number, character in enumerate(characters if isinstance(characters, list) else []):
            if isinstance(character, dict):
                source = f"{place} {key}.caption.char_captions[{number}]"
                fields[f"tool:{key} character {number + 1}"] = make_field(
                    character.get("char_caption"), source
                )
    return fields


def _side_fields(fields: dict[str, Field], texts: dict[str, str]) -> dict[str, Field]:
    """Take prompt and model from the chunks beside the comment; early versions keep the prompt only there."""
    found = {}
    description = texts.get("Description") or texts.get("ImageDescription")
    if "prompt" not in fields and description:
        found["prompt"] = text_field(description, "Description")
    if "Source" in texts:
        found["model"] = text_field(texts["Source"], "Source")
    return found


def _unverified(comment: dict[str, Any]) -> tuple[Check, ...]:
    if not isinstance(comment.get("signed_hash"), str):
        return ()
    return (Check(SIGNATURE_CHECK, held=None, detail="there is a signature; checking it needs the pixels"),)


def signature_of(comment_text: str) -> tuple[bytes, str] | None:
    """Return NovelAI's signature and the text it signs beside the pixels, or None where there is none.

    The signed text is the comment without `signed_hash`, as Python's `json.dumps`
    writes it: key order kept, default separators, ASCII escapes.
    """
    try:
        # Not our own parser: numbers must round-trip as in the signer's Python.
        comment = json.loads(comment_text)
        if isinstance(comment, dict) and isinstance(comment.get("Comment"), str):
            comment = json.loads(comment["Comment"])
    except (ValueError, RecursionError) as err:
        message = f"comment is not JSON: {err}"
        raise MalformedError(message) from err
    if not isinstance(comment, dict) or not isinstance(comment.get("signed_hash"), str):
        return None
    try:
        signature = base64.b64decode(comment.pop("signed_hash"), validate=True)
        return signature, json.dumps(comment)
    except (binascii.Error, ValueError, RecursionError) as err:
        message = "signature is not base64, or what it signs cannot be written again"
        raise MalformedError(message) from err
