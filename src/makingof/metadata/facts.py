"""What one file says about itself, as `inspect --json` prints it."""

from typing import Any

from makingof.containers.source import Source
from makingof.metadata.registry import main_reading
from makingof.metadata.thorough import read_thoroughly
from makingof.reading import Reading, State

FACTS = ("prompt", "negative", "seed", "steps", "model")


def facts_of(data: Source, name: str) -> dict[str, Any]:
    """Return tool, prompt, negative, seed, steps and model of the main record, and all records.

    Values are text as the tool spelled them; what the main record does not state is
    None, and `tool` is None where nothing was recognised. Where the main record names a
    value as computed, a second record of the same tool in the file may state it.
    """
    readings = read_thoroughly(data, name)
    main = main_reading(readings)
    facts: dict[str, Any] = {"file": name, "tool": main.tool if main else None}
    facts |= {fact: _said(fact, main, readings) for fact in FACTS}
    facts["records"] = [describe(reading) for reading in readings]
    return facts


def _said(fact: str, main: Reading | None, readings: list[Reading]) -> str | None:
    if main is None:
        return None
    if main.state_of(fact) is not State.COMPUTED:
        return main.value(fact)
    # A saver that ran at the end of the graph knew what the graph's own record could not.
    others = {
        value
        for reading in readings
        if reading.tool == main.tool
        and reading.locator != main.locator
        and (value := reading.value(fact)) is not None
    }
    return others.pop() if len(others) == 1 else None


def describe(reading: Reading) -> dict[str, Any]:
    """Spell one reading as JSON values."""
    return {
        "tool": reading.tool,
        "tool_version": reading.tool_version,
        "locator": str(reading.locator),
        "state": str(reading.state),
        "main": reading.main,
        "ordinal": reading.ordinal,
        "fields": {
            name: {"value": field.value, "state": str(field.state), "source": field.source}
            for name, field in reading.fields.items()
        },
        "digest": reading.raw_digest,
        "size": len(reading.raw),
        "checks": [
            {"name": check.name, "held": check.held, "detail": check.detail} for check in reading.checks
        ],
        "reader": reading.reader,
    }
