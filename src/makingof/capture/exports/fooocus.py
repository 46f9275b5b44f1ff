"""Fooocus's `log.html`: every picture of one day with its settings, those deleted since included.

The page is built by string, newest first, and nothing in it is escaped: a prompt with
`<lora:…>` breaks the table. Since 2.1 each entry also carries all values as JSON, quoted
for a link, behind its copy button; that is read where it is there.
"""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from urllib.parse import unquote

from makingof.capture.exports.told import (
    Export,
    Told,
    Wanted,
    content_key,
    observe,
    place,
    report,
    sheet_of,
)
from makingof.errors import MalformedError
from makingof.event import Kind
from makingof.metadata import fooocus
from makingof.metadata.tool_json import parse_tool_object, spell
from makingof.reading import Reading

TOOL = "fooocus"
MARK = b"fooocus-log-split"
MAX_LOG_BYTES = 256 << 20
MAX_ENTRIES = 50_000
_ENTRY = re.compile(r'<div id="[^"\n]{1,300}" class="image-container"')
_NAME = re.compile(r"""<a href=["']([^"'\n]{1,300})["']""")
_COPIED = re.compile(r"to_clipboard\('([^'\n]{2,8000000})'\)")
_ROW = re.compile(r"<tr><td class='(?:label|key)'>([^<]{1,80})</td><td class='value'>")
_ROW_END = re.compile(r"</td></tr>\r?\n")


def read_log(data: bytes) -> Export:
    """Read every entry; one without a picture's name is a problem and the rest is read."""
    text = data.decode("utf-8", "replace")
    starts = [found.start() for found in _ENTRY.finditer(text)]
    told: list[Told] = []
    problems: list[str] = []
    if len(starts) > MAX_ENTRIES:
        problems.append(f"{len(starts)} entries, and {MAX_ENTRIES} are read")
        starts = starts[:MAX_ENTRIES]
    for number, (start, end) in enumerate(pairwise([*starts, len(text)]), 1):
        entry = text[start:end]
        name = _NAME.search(entry)
        if name is None:
            problems.append(f"entry {number} names no picture")
            continue
        told.append(_made(unquote(name[1]), entry, number))
    # Newest first on the page; told in the order they were made.
    return Export("fooocus-log", tuple(reversed(told)), tuple(problems))


def _made(name: str, entry: str, number: int) -> Told:
    where = f"log.html entry {number} from the top"
    reading = _reading(entry, where)
    last = re.split(r"[/\\]", name)[-1]
    return Told(
        key=content_key(
            "fooocus", "log", f"{name}\n{'' if reading is None else reading.raw.decode('utf-8', 'replace')}"
        ),
        observation=observe(
            Kind.GENERATED,
            TOOL,
            [report(where, text="listed in Fooocus's log"), place(where, name)],
        ),
        wanted=(Wanted(last, fits=lambda found: _agrees(found, reading)),),
        readings=() if reading is None else (reading,),
    )


def _agrees(found: Sequence[Reading], told: Reading | None) -> bool | None:
    seeds = [value for reading in found if (value := reading.value("seed"))]
    seed = told.value("seed") if told else None
    return seed in seeds if seeds and seed else None


def _reading(entry: str, where: str) -> Reading | None:
    copied = _COPIED.search(entry)
    values = _copied(copied[1]) if copied else None
    if values is None:
        values = {_key(label): value for label, value in _rows(entry)}
    if not values:
        return None
    values.setdefault("base_model", "")
    values.setdefault("metadata_scheme", "")
    (record,) = sheet_of("html", where, "parameters", json.dumps(values, ensure_ascii=False)).records
    found = fooocus.read(sheet_of("html", where, "parameters", record.text or "")).readings
    return found[0] if found else None


def _copied(quoted: str) -> dict[str, str] | None:
    try:
        value, _ = parse_tool_object(unquote(quoted))
        return {_key(name): spell(said) for name, said in value.items() if said not in (None, "")}
    except MalformedError:
        return None


def _rows(entry: str) -> Iterator[tuple[str, str]]:
    at = 0
    while (label := _ROW.search(entry, at)) is not None:
        end = _ROW_END.search(entry, label.end())
        if end is None:  # nor will any later row have one
            return
        yield label[1], entry[label.end() : end.start()].replace(" </br> ", "\n")
        at = end.end()


def _key(label: str) -> str:
    """Old pages use the label as the key: `Negative Prompt`."""
    return label.strip().lower().replace(" ", "_")
