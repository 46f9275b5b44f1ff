"""What a file found on disk becomes: a pure function of its readings and its name.

A file that carries a generator's record was generated, and we learned it from
what the tool left behind: means `recovered`. A file an editor wrote was edited.
A file with no record at all is merely imported. Nothing here is guessed from
how a picture looks.
"""

import base64
import re
from collections.abc import Sequence
from pathlib import Path

from makingof.event import Kind
from makingof.observation import Attached, Draft
from makingof.part import (
    CheckMade,
    Means,
    Parameter,
    Parameters,
    PartType,
    Place,
    Raw,
    Role,
    Text,
    Vouched,
    Written,
    body_of,
    escaped,
    portable_text,
)
from makingof.reading import Field, Reading, State

# A grid shows the other outputs of its job once more; it is not one of them.
_GRID_NAME = re.compile(r"grid-\d+", re.IGNORECASE)
_GRID_TOOLS = frozenset({"a1111", "forge", "reforge", "sdnext"})
EDITORS = frozenset({"photoshop", "krita", "gimp", "procreate", "clipstudio"})
TEXT_FIELDS = frozenset({"prompt", "negative", "typed_prompt", "typed_negative"})
_MAX_LOOSE_BYTES = 512 * 1024


def kind_of(readings: Sequence[Reading]) -> Kind:
    """Decide what the readings of one file make of it."""
    tools = {reading.tool for reading in readings if reading.tool is not None}
    if tools - EDITORS and any(_speaks_of_making(reading) for reading in readings):
        return Kind.GENERATED
    if tools & EDITORS:
        return Kind.EDITED
    return Kind.IMPORTED


def _speaks_of_making(reading: Reading) -> bool:
    return reading.tool is not None and reading.tool not in EDITORS


def role_of(name: str, readings: Sequence[Reading]) -> Role:
    """Tell a contact sheet from an output."""
    tools = {reading.tool for reading in readings}
    if tools & _GRID_TOOLS and _GRID_NAME.match(name):
        return Role.GRID
    return Role.OUTPUT


def place_draft(path: Path, number: int | None = 0, *, modified: str | None = None) -> Draft:
    """Say where attachment `number` lay, or a file that is none. Names often hold the prompt: sealed with it.

    `modified` is the modification time as the file system tells it: a claim.
    """
    text, unreadable = portable_text(str(path.absolute()))
    name, _ = portable_text(path.name)
    place = Place(path=text, name=name, modified=modified, base64=unreadable)
    file = {} if number is None else {"file": Attached(number)}
    return Draft(PartType.PLACE, body_of(place) | file, "file system")


def reading_drafts(readings: Sequence[Reading], means: Means, *, copy_raw: bool) -> list[Draft]:
    """Write what the records of attachment 0 say: prompts, parameters, and the records themselves.

    With `copy_raw` the records' bytes go into the parts, for files whose own bytes
    are not held; else a record is the span of the file it lies in. `means` is that of
    the parts: a record inside a file is `recovered` however we met the file.
    """
    drafts: list[Draft] = []
    for reading in readings:
        vouched = _vouched(reading)
        drafts += _text_drafts(reading, means, vouched)
        if any(name not in TEXT_FIELDS for name in reading.fields) or reading.checks:
            drafts.append(_parameters_draft(reading, means, vouched))
    seen: set[str] = set()
    for reading in readings:
        key = f"{reading.locator} {reading.raw_digest}"
        if key not in seen:
            seen.add(key)
            drafts.append(_raw_draft(reading, means, copy_raw=copy_raw))
    return drafts


def _text_drafts(reading: Reading, means: Means, vouched: Vouched | None) -> list[Draft]:
    drafts = []
    for part_type, name, typed_name in (
        (PartType.PROMPT, "prompt", "typed_prompt"),
        (PartType.NEGATIVE, "negative", "typed_negative"),
    ):
        found = reading.fields.get(name)
        typed = reading.fields.get(typed_name)
        if found is None and typed is None:
            continue
        text = _text(found, typed, reading.ordinal)
        source = found.source if found else typed.source if typed else ""
        drafts.append(Draft(part_type, body_of(text), f"{reading.locator} {source}".strip(), means, vouched))
    return drafts


def _text(found: Field | None, typed: Field | None, ordinal: int) -> Text:
    effective, unreadable = portable_text(found.value) if found and found.value is not None else (None, None)
    before, _ = portable_text(typed.value) if typed and typed.value is not None else (None, None)
    state = State.UNREADABLE if unreadable else found.state if found else State.ABSENT
    return Text(
        effective=effective,
        typed=before,
        state=state,
        written=Written.UNKNOWN,
        base64=unreadable,
        ordinal=ordinal,
    )


def _parameters_draft(reading: Reading, means: Means, vouched: Vouched | None) -> Draft:
    fields = {
        escaped(name): Parameter(_portable_or_none(field.value), field.state, escaped(field.source))
        for name, field in reading.fields.items()
        if name not in TEXT_FIELDS
    }
    checks = tuple(CheckMade(check.name, check.held, escaped(check.detail)) for check in reading.checks)
    body = Parameters(
        tool=reading.tool,
        reader=reading.reader,
        ordinal=reading.ordinal,
        main=reading.main,
        state=reading.state,
        fields=fields,
        checks=checks,
    )
    return Draft(
        PartType.PARAMETERS, body_of(body) | {"file": Attached(0)}, str(reading.locator), means, vouched
    )


def _raw_draft(reading: Reading, means: Means, *, copy_raw: bool) -> Draft:
    loose = copy_raw or reading.locator.offset is None
    body = Raw(
        locator=str(reading.locator),
        digest=reading.raw_digest,
        size=len(reading.raw),
        tool=reading.tool,
        offset=reading.locator.offset,
        base64=base64.b64encode(reading.raw).decode("ascii")
        if loose and len(reading.raw) <= _MAX_LOOSE_BYTES
        else None,
    )
    return Draft(PartType.RAW, body_of(body) | {"file": Attached(0)}, str(reading.locator), means)


def _vouched(reading: Reading) -> Vouched | None:
    """Name a vendor whose signature on the record checked."""
    for check in reading.checks:
        if check.held and check.name.endswith("_signature"):
            return Vouched(by=reading.tool or "unknown", check=check.name)
    return None


def _portable_or_none(text: str | None) -> str | None:
    return None if text is None else escaped(text)
