"""What one file says about itself, as `inspect --json` prints it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from makingof.containers.source import Source
from makingof.errors import MalformedError
from makingof.metadata.contradictions import Contradiction, find_contradictions
from makingof.metadata.documents.describe import describe_document
from makingof.metadata.documents.document import Document
from makingof.metadata.documents.read import read_document
from makingof.metadata.gather import gather
from makingof.metadata.registry import main_reading
from makingof.metadata.secrets import Secret, find_secrets
from makingof.metadata.thorough import read_gathered
from makingof.reading import Reading, State

FACTS = ("prompt", "negative", "seed", "steps", "model")


@dataclass(frozen=True, slots=True)
class Examined:
    """Everything one file says, and what there is to say about that."""

    readings: tuple[Reading, ...]
    document: Document | None
    secrets: tuple[Secret, ...]
    contradictions: tuple[Contradiction, ...]
    container: str | None = None
    size: tuple[int, int] | None = None  # in pixels

    @property
    def main(self) -> Reading | None:
        """The record that speaks for the picture, if one does."""
        return main_reading(list(self.readings))


def examine(data: Source, name: str) -> Examined:
    """Read every record of a file with every check, and the layered document it may be."""
    sheet = gather(data, name)
    readings = read_gathered(data, sheet, name)
    document = _document(data, name)
    if document is not None:
        readings = _joined(readings, document)
    size = (sheet.width, sheet.height) if sheet.width and sheet.height else None
    return Examined(
        tuple(readings),
        document,
        tuple(find_secrets(readings)),
        tuple(find_contradictions(readings, size)),
        document.format if document else sheet.container,
        size,
    )


def _document(data: Source, name: str) -> Document | None:
    """Read a layered document; one without even a header is, like any file of no known kind, none."""
    try:
        return read_document(data, name)
    except MalformedError:
        return None


def _joined(readings: list[Reading], document: Document) -> list[Reading]:
    """Put the document's own records first, where its jobs count them, and each record once."""
    known = {(reading.raw_digest, str(reading.locator), reading.ordinal) for reading in document.readings}
    more = [r for r in readings if (r.raw_digest, str(r.locator), r.ordinal) not in known]
    return [*document.readings, *more]


def facts_of(data: Source, name: str) -> dict[str, Any]:
    """Return tool, prompt, negative, seed, steps and model of the main record, and all records.

    Values are text as the tool spelled them; what the main record does not state is
    None, and `tool` is None where nothing was recognised. Where the main record names a
    value as computed, a second record of the same tool in the file may state it.
    """
    return describe_examined(examine(data, name), name)


def describe_examined(examined: Examined, name: str) -> dict[str, Any]:
    """Spell what was found as JSON values; a document without a main record is by its own program."""
    main, document = examined.main, examined.document
    tool = main.tool if main else document.tool if document else None
    facts: dict[str, Any] = {"file": name, "tool": tool}
    facts |= {fact: _said(fact, main, list(examined.readings)) for fact in FACTS}
    facts["records"] = [describe(reading) for reading in examined.readings]
    facts["document"] = None if document is None else describe_document(document)
    facts["secrets"] = [
        {"where": secret.where, "kind": secret.kind, "excerpt": secret.excerpt} for secret in examined.secrets
    ]
    facts["contradictions"] = [
        {"kind": found.kind, "message": str(found.message), "places": list(found.places)}
        for found in examined.contradictions
    ]
    return facts


class Worth(StrEnum):
    """On whose word a record stands. None of it says who made the picture."""

    VOUCHED = "vouched"  # a signature of its vendor checks
    CLAIMED = "claimed"  # whoever could write the file could write the record
    HINT = "hint"  # only the file's name says so
    UNREADABLE = "unreadable"


def worth_of(reading: Reading) -> Worth:
    """Tell what a record is worth, by the checks that were made on it."""
    if reading.state is State.UNREADABLE:
        return Worth.UNREADABLE
    if reading.locator.place == "file name":
        return Worth.HINT
    signed = any(check.held and check.name.endswith("_signature") for check in reading.checks)
    broken = any(check.held is False for check in reading.checks)
    return Worth.VOUCHED if signed and not broken else Worth.CLAIMED


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
        "worth": str(worth_of(reading)),
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
