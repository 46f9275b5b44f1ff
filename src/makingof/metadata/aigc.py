"""China's implicit label for AI-generated pictures (GB 45438-2025, TC260-PG-20259A).

Read leniently, for what stands in files is often not what the standard says; reported
strictly, each deviation as a check of its own. A provider code is only ever checked.
"""

import base64
import binascii
import html
import re
from typing import Any, NamedTuple

from makingof.errors import MalformedError
from makingof.metadata.found import NOTHING, Found
from makingof.metadata.json_fields import make_field
from makingof.metadata.record import Record, Sheet
from makingof.metadata.tool_json import Number, parse_tool_object
from makingof.reading import Check, Reading, State

READER = "aigc/1"

NAMESPACE = "http://www.tc260.org.cn/ns/AIGC/1.0/"
KEYS = (
    "Label",
    "ContentProducer",
    "ProduceID",
    "ReservedCode1",
    "ContentPropagator",
    "PropagateID",
    "ReservedCode2",
)
LABELS = {"1": "is AI-generated", "2": "is possibly AI-generated", "3": "is suspected to be AI-generated"}

# Annex E j): no blank, no quote, no backslash, nothing beyond ASCII.
_ALLOWED = re.compile(r"[!#-\[\]-~]*")
_CODE = re.compile(
    r"00(?P<subject>[0-9])(?P<binding>[0-9])(?P<uscc>[0-9A-Z]{18})(?P<service>[0-9])(?P<model>[0-9A-Z]{4})"
)
_SERVICES = {"ContentProducer": "1", "ContentPropagator": "2"}
_ORGANISATION = "11"  # an organisation, bound to its unified social credit code
_USCC_LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100-2015: without I, O, S, V, Z


class _Label(NamedTuple):
    record: Record
    text: str
    is_primary: bool  # XMP, where the seven fields stand without the outer key


def read(sheet: Sheet) -> Found:
    """Read every label of a file; there may be one."""
    labels = _labels(sheet)
    if not labels:
        return NOTHING
    one = len(labels) == 1
    detail = "" if one else f"{len(labels)} labels, at {', '.join(label.record.place for label in labels)}"
    only = Check("aigc_one_label", held=one, detail=detail)
    return Found([_read_label(label, only) for label in labels], [label.record for label in labels])


def _labels(sheet: Sheet) -> list[_Label]:
    found = []
    for record, packet in sheet.packets:
        text = packet.text(NAMESPACE, "AIGC")
        if text is not None:
            found.append(_Label(record, text, is_primary=True))
    for record in sheet.find_all("AIGC", "UserComment"):
        text = record.text or ""
        if record.key == "AIGC" or (text.lstrip()[:1] == "{" and '"AIGC"' in text):
            found.append(_Label(record, text, is_primary=False))
    return found


def _read_label(label: _Label, only: Check) -> Reading:
    record = label.record
    value, how = _parse(label.text)
    if value is None:
        checks = (*record.checks, only, Check("aigc_is_json", held=False, detail=how))
        return Reading(None, record.locator, State.UNREADABLE, record.raw, checks=checks, reader=READER)
    wrapped = isinstance(value.get("AIGC"), dict)
    fields = value["AIGC"] if wrapped else value
    checks = (
        *record.checks,
        only,
        Check("aigc_is_json", held=not how, detail=how),
        _wrapping(label, wrapped=wrapped),
        _keys(list(fields)),
        _label_value(fields.get("Label")),
        _characters(fields),
        *(_provider_code(name, fields.get(name)) for name in _SERVICES),
        _first_write(fields),
    )
    return Reading(
        tool=None,
        locator=record.locator,
        state=State.PRESENT,
        raw=record.raw,
        fields={f"tool:AIGC.{key}": make_field(item, f"{record.place} AIGC") for key, item in fields.items()},
        checks=checks,
        reader=READER,
    )


def _parse(text: str) -> tuple[dict[str, Any] | None, str]:
    """Decode the label, trying what writers do to it; say what had to be undone."""
    attempts = [(text, "")]
    if "&quot;" in text:
        attempts.append((html.unescape(text), "quotes are escaped twice"))
    try:
        plain = base64.b64decode(text.strip().translate(str.maketrans("-_", "+/")) + "==").decode()
        attempts.append((plain, "the JSON is coded as Base64"))
    except (binascii.Error, ValueError):
        pass  # then it is no Base64, and the attempts made say what is wrong
    reason = ""
    for attempt, how in attempts:
        try:
            value, duplicates = parse_tool_object(attempt)
        except MalformedError as err:
            reason = reason or str(err)
            continue
        return value, "; ".join(
            filter(None, [how, f"{duplicates} keys stand there twice" if duplicates else ""])
        )
    return None, reason


def _wrapping(label: _Label, *, wrapped: bool) -> Check:
    right = wrapped is not label.is_primary
    expected = "the seven fields alone" if label.is_primary else 'the fields inside {"AIGC": …}'
    return Check(
        "aigc_form", held=right, detail="" if right else f"{label.record.place} should hold {expected}"
    )


def _keys(keys: list[str]) -> Check:
    missing = [key for key in KEYS if key not in keys]
    unknown = [key for key in keys if key not in KEYS]
    notes = []
    if missing:
        notes.append(f"missing: {', '.join(missing)}")
    if unknown:
        notes.append(f"unknown: {', '.join(unknown)}")
    if not notes and tuple(keys) != KEYS:
        notes.append(f"in another order: {', '.join(keys)}")
    return Check("aigc_keys", held=not notes, detail="; ".join(notes))


def _label_value(value: Any) -> Check:
    held = isinstance(value, str) and not isinstance(value, Number) and value in LABELS
    return Check(
        "aigc_label_value",
        held=held,
        detail=LABELS[value] if held else f'Label is {value!r}, not "1", "2" or "3"',
    )


def _characters(fields: dict[str, Any]) -> Check:
    wrong = [
        key
        for key, item in fields.items()
        if isinstance(item, str) and (isinstance(item, Number) or not _ALLOWED.fullmatch(item))
    ]
    wrong += [key for key, item in fields.items() if not isinstance(item, str)]
    detail = f"not text of the allowed characters: {', '.join(wrong)}" if wrong else ""
    return Check("aigc_characters", held=not wrong, detail=detail)


def _provider_code(name: str, value: Any) -> Check:
    check = f"aigc_code_{'producer' if name == 'ContentProducer' else 'propagator'}"
    if not isinstance(value, str) or not value:
        return Check(check, held=None, detail=f"{name} is empty")
    code = _CODE.fullmatch(value)
    if code is None:
        return Check(
            check, held=False, detail=f"{name} is not a code of 27 digits and capitals that begins with 00"
        )
    if code["service"] != _SERVICES[name]:
        return Check(
            check, held=False, detail=f"{name} has service type {code['service']}, not {_SERVICES[name]}"
        )
    if code["subject"] + code["binding"] != _ORGANISATION:
        return Check(check, held=None, detail="only codes of organisations are known here")
    held = is_credit_code(code["uscc"])
    return Check(check, held=held, detail="" if held else f"check digit of {code['uscc']} is wrong")


def is_credit_code(code: str) -> bool:
    """Whether a unified social credit code has the check digit of GB 32100-2015."""
    if len(code) != 18 or any(letter not in _USCC_LETTERS for letter in code):  # noqa: PLR2004 - GB 32100-2015, 4.2
        return False
    total = sum(_USCC_LETTERS.index(letter) * pow(3, place, 31) for place, letter in enumerate(code[:17]))
    return _USCC_LETTERS[-total % 31] == code[17]


def _first_write(fields: dict[str, Any]) -> Check:
    """Note whether the label is still as first written, when both sides are equal."""
    same = all(
        fields.get(ours) == fields.get(theirs)
        for ours, theirs in (("ContentProducer", "ContentPropagator"), ("ProduceID", "PropagateID"))
    )
    detail = (
        "producer and propagator are the same"
        if same
        else "passed on by somebody other than the producer, or changed"
    )
    return Check("aigc_as_first_written", held=True if same else None, detail=detail)
