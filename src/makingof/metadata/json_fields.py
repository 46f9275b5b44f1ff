"""Fields out of a tool's JSON object: shared names where several tools agree, the tool's own otherwise."""

from collections.abc import Mapping
from typing import Any

from makingof.errors import MalformedError
from makingof.metadata.record import Record, text_field
from makingof.metadata.tool_json import parse_tool_object, spell
from makingof.reading import Check, Field, Reading, State


def fields_of(value: Mapping[str, Any], shared: Mapping[str, str], place: str) -> dict[str, Field]:
    """Make a field of every key: under its shared name if `shared` has one, else behind `tool:`.

    A JSON null is a field that is there and holds nothing: absent. Of two keys with
    one shared name the first that says something counts, the other keeps its own.
    """
    fields: dict[str, Field] = {}
    for key, item in value.items():
        name = shared.get(key)
        field = make_field(item, f"{place} {key}".strip())
        if name is None or (name in fields and fields[name].value is not None):
            name = f"tool:{key}"
        fields[name] = field
    return fields


def make_field(value: Any, source: str) -> Field:
    """Spell one value; null is absent, what cannot be spelled is unreadable."""
    if value is None:
        return Field(None, State.ABSENT, source)
    try:
        return text_field(spell(value), source)
    except MalformedError:
        return Field(None, State.UNREADABLE, source)


def object_in(record: Record | None, *telling: str) -> dict[str, Any] | None:
    """Return the JSON object a record holds if it has one of the `telling` words, else None.

    JSON that does not parse gives None too: `unreadable_json` says so where a record
    is known to be a tool's.
    """
    if record is None or record.text is None or record.text.lstrip()[:1] != "{":
        return None
    if telling and not any(word in record.text for word in telling):
        return None
    try:
        return parse_tool_object(record.text)[0]
    except MalformedError:
        return None


def json_checks(record: Record) -> tuple[Check, ...]:
    """Return the record's checks, and one that failed where a key stands twice."""
    try:
        duplicates = parse_tool_object(record.text or "")[1]
    except MalformedError as err:
        return (*record.checks, Check("parses", held=False, detail=str(err)))
    if not duplicates:
        return record.checks
    detail = f"{duplicates} keys stand there twice, the last counts"
    return (*record.checks, Check("keys_unique", held=False, detail=detail))


def side_reading(tool: str, record: Record, reader: str) -> Reading:
    """Keep a record that belongs to a tool beside its main one."""
    if record.text is None:
        check = Check("decodes", held=False, detail=record.damage or "bytes are no text known here")
        return Reading(tool, record.locator, State.UNREADABLE, record.raw, checks=(check,), reader=reader)
    fields = {f"tool:{record.key}": text_field(record.text, record.place)}
    return Reading(
        tool, record.locator, State.PRESENT, record.raw, fields=fields, checks=record.checks, reader=reader
    )


def unreadable(tool: str, record: Record, reason: str, reader: str, *, is_main: bool = False) -> Reading:
    """Say that a tool's record is there and does not parse."""
    check = Check("parses", held=False, detail=reason)
    checks = (*record.checks, check)
    return Reading(
        tool, record.locator, State.UNREADABLE, record.raw, main=is_main, checks=checks, reader=reader
    )
