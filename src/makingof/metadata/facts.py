"""What one file says about itself, as `inspect --json` prints it."""

from typing import Any

from makingof.containers.segment import Data
from makingof.metadata.registry import main_reading
from makingof.metadata.thorough import read_thoroughly
from makingof.reading import Reading

FACTS = ("prompt", "negative", "seed", "steps", "model")


def facts_of(data: Data, name: str) -> dict[str, Any]:
    """Return tool, prompt, negative, seed, steps and model of the main record, and all records.

    Values are text as the tool spelled them; what the main record does not state is
    None, and `tool` is None where nothing was recognised.
    """
    readings = read_thoroughly(data, name)
    main = main_reading(readings)
    facts: dict[str, Any] = {"file": name, "tool": main.tool if main else None}
    facts |= {fact: main.value(fact) if main else None for fact in FACTS}
    facts["records"] = [describe(reading) for reading in readings]
    return facts


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
        "raw_sha256": reading.raw_digest,
        "raw_bytes": len(reading.raw),
        "checks": [
            {"name": check.name, "held": check.held, "detail": check.detail} for check in reading.checks
        ],
        "reader": reading.reader,
    }
