"""Midjourney: downloads from its web page, and what its file names say.

The layout is known from documentation and other readers; no genuine download was
to be had. A name is weaker than a record: anybody renames a file.
"""

import re

from msgspec.structs import replace

from makingof.containers.xmp import IPTC_EXT
from makingof.metadata.found import NOTHING, Found
from makingof.metadata.json_fields import side_reading
from makingof.metadata.record import Record, Sheet, text_field
from makingof.reading import Check, Field, Locator, Reading, State

READER = "midjourney/1"

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_JOB = re.compile(rf"Job ID: ?({_UUID})\s{{0,16}}")
_NAME = re.compile(rf"(?P<words>[^_].*_.*)_(?P<job>{_UUID})_(?P<index>[0-3])")
# A flag begins with two hyphens; phones turn these into a dash.
_DASHES = "(?:--|[—–])"
_FLAG = re.compile(
    rf"(?:^|\s){_DASHES}(?P<name>[A-Za-z]+)(?:\s+(?!{_DASHES}[A-Za-z])(?P<value>(?:(?!\s{_DASHES}[A-Za-z]).)*))?",
    re.DOTALL,
)
_MAX_PROMPT_CHARS = 65_536
_MAX_NAME_CHARS = 255
_ALIASES = {
    "v": "version",
    "s": "stylize",
    "c": "chaos",
    "q": "quality",
    "w": "weird",
    "aspect": "ar",
    "p": "profile",
}


def read(sheet: Sheet) -> Found:
    """Read `Description` with its job id; the XMP packet of the same job stands beside it."""
    for record in sheet.find_all("Description", "ImageDescription"):
        text = record.text or ""
        at = text.rfind("Job ID:")
        job = _JOB.fullmatch(text, at) if at >= 0 else None
        if job and len(text) <= _MAX_PROMPT_CHARS:
            return _read_download(sheet, record, text[:at], job[1])
    return _read_name(sheet)


def _read_download(sheet: Sheet, record: Record, command: str, job: str) -> Found:
    fields = prompt_fields(command, record.place)
    fields["job"] = text_field(job, record.place)
    author = sheet.find("Author", "Artist")
    made = sheet.find("Creation Time")
    sides = [side for side in (author, made) if side is not None]
    if author is not None and author.text:
        fields["user"] = text_field(author.text, author.place)
    if made is not None and made.text:
        fields["made_at"] = text_field(made.text, made.place)
    reading = replace(_reading(record.locator, record.raw, fields, record.checks), main=True)
    return Found([reading, *(side_reading("midjourney", side, READER) for side in sides)], [record, *sides])


def prompt_fields(command: str, place: str) -> dict[str, Field]:
    """Take a full command apart: the words, and every flag as the tool spells it.

    Flags may have been appended by account settings, so the whole command is kept
    as `tool:command`. `--no` words are the negative prompt.
    """
    first = _FLAG.search(command)
    words = command[: first.start()] if first else command
    fields = {"prompt": text_field(words.strip(), place), "tool:command": text_field(command.strip(), place)}
    for flag in _FLAG.finditer(command, first.start() if first else len(command)):
        name = _ALIASES.get(flag["name"].lower(), flag["name"].lower())
        value = (flag["value"] or "").strip() or "true"
        target = {"seed": "seed", "no": "negative"}.get(name, f"tool:--{name}")
        fields[target] = text_field(value, f"{place} --{flag['name']}")
        if name in ("version", "niji"):
            fields["model"] = text_field(f"{name} {value}", f"{place} --{flag['name']}")
    return fields


def _read_name(sheet: Sheet) -> Found:
    """Read `user_words_jobid_0.png`; the words are cut off, so they are no prompt.

    A name alone does not speak for the picture; it does where XMP names the same job.
    """
    stem = (sheet.name or "").rsplit(".", 1)[0]
    if stem[-2:-1] != "_" or len(stem) > _MAX_NAME_CHARS:
        return NOTHING
    found = _NAME.fullmatch(stem)
    if not found:
        return NOTHING
    fields = {
        "job": text_field(found["job"], "file name"),
        "tool:name": text_field(found["words"], "file name"),
        "tool:index": text_field(found["index"], "file name"),
    }
    record = _packet_of(sheet, found["job"])
    if record is None:
        check = Check(
            "in_the_file", held=None, detail="only the file's name says so, and anybody renames a file"
        )
        locator = Locator(sheet.container or "", "file name")
        raw = (sheet.name or "").encode("utf-8", "surrogatepass")
        return Found([_reading(locator, raw, fields, (check,))], [])
    fields["job"] = text_field(found["job"], f"{record.place} DigImageGUID, file name")
    return Found([replace(_reading(record.locator, record.raw, fields, record.checks), main=True)], [record])


def _reading(locator: Locator, raw: bytes, fields: dict[str, Field], checks: tuple[Check, ...]) -> Reading:
    return Reading("midjourney", locator, State.PRESENT, raw, fields=fields, checks=checks, reader=READER)


def _packet_of(sheet: Sheet, job: str) -> Record | None:
    """Find the XMP packet that names the job and says that a model made the picture."""
    for record, packet in sheet.packets:
        source = packet.text(IPTC_EXT, "DigitalSourceType") or ""
        if packet.text(IPTC_EXT, "DigImageGUID") == job and source.endswith("trainedAlgorithmicMedia"):
            return record
    return None
