"""Every reader, in the order they are asked, and the function that asks them.

A reader gets the records nobody before it has claimed, and says which it has read.
Special formats come before the general ones they are built of: a hub's record may
hold a ComfyUI graph, a ComfyUI saver may write A1111 text. What nobody claims is
returned as a reading without a tool, so that nothing a file says is lost.
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from makingof.containers.source import Source
from makingof.metadata import (
    a1111,
    aigc,
    c2pa,
    comfyui,
    drawthings,
    easydiffusion,
    editors,
    fooocus,
    hubs,
    invokeai,
    iptc,
    midjourney,
    novelai,
    space,
    swarmui,
)
from makingof.metadata.found import Found
from makingof.metadata.gather import gather
from makingof.metadata.record import Record, Sheet, text_field
from makingof.reading import Check, Reading, State


class Reader(NamedTuple):
    """A reader, and what a file must hold for it to be asked.

    One of `keys` whatever it says, one of `objects` where its text begins a JSON object,
    an XMP packet, or nothing at all where it reads the file's name.
    """

    read: Callable[[Sheet], Found]
    keys: frozenset[str] = frozenset()
    objects: frozenset[str] = frozenset()
    reads_xmp: bool = False
    reads_names: bool = False


# A text that may be anything: the keys that several tools share.
_COMMENTS = frozenset({"parameters", "UserComment", "Comment", "COM"})
_ANY_TEXT = _COMMENTS | {"ImageDescription", "XPComment", "Description"}

READERS = (
    Reader(swarmui.read, objects=_COMMENTS | {"Model"}),
    Reader(invokeai.read, frozenset({"invokeai_metadata", "sd-metadata", "Dream"})),
    Reader(novelai.read, frozenset({"Software"}), _COMMENTS),
    Reader(fooocus.read, frozenset({"fooocus_scheme"}), _COMMENTS),
    Reader(hubs.read_civitai, objects=_COMMENTS | {"prompt"}),
    Reader(hubs.read_tensorart, frozenset({"generation_data"})),
    Reader(hubs.read_stability_matrix, frozenset({"parameters-json", "smproj"})),
    Reader(drawthings.read, objects=_COMMENTS, reads_xmp=True),
    Reader(easydiffusion.read, easydiffusion.TELLING, _COMMENTS),
    Reader(aigc.read, frozenset({"AIGC"}), frozenset({"UserComment"}), reads_xmp=True),
    Reader(comfyui.read, _ANY_TEXT | {"prompt", "workflow", "Model", "Make", "Prompt", "Workflow"}),
    Reader(space.read, objects=_COMMENTS | {"metadata"}),
    Reader(a1111.read, _ANY_TEXT | {"postprocessing", "extras"}, reads_xmp=True),
    Reader(midjourney.read, frozenset({"Description", "ImageDescription"}), reads_names=True),
    Reader(c2pa.read, frozenset({"C2PA"})),
    Reader(editors.read, reads_xmp=True),
    Reader(iptc.read, reads_xmp=True),
)


def _asked_for(keys_of: Callable[[Reader], frozenset[str]]) -> dict[str, int]:
    """Turn the table round: which readers a key calls, as bits in their order."""
    asked: dict[str, int] = {}
    for number, reader in enumerate(READERS):
        for key in keys_of(reader):
            asked[key] = asked.get(key, 0) | 1 << number
    return asked


_BY_KEY = _asked_for(lambda reader: reader.keys)
_BY_OBJECT = _asked_for(lambda reader: reader.objects)
_BY_XMP = sum(1 << number for number, reader in enumerate(READERS) if reader.reads_xmp)
_BY_NAME = sum(1 << number for number, reader in enumerate(READERS) if reader.reads_names)


def read_records(data: Source, name: str | None = None) -> list[Reading]:
    """Read every record of a file: tool, fields, raw bytes, where they lie.

    `name` is the file's name; some tools put facts into it. At most one reading is
    `main`. Bytes that are no known container give an empty list. Pure: the same
    bytes and name always give the same readings.
    """
    return read_sheet(gather(data, name))


def read_sheet(sheet: Sheet) -> list[Reading]:
    """Ask every reader about records already gathered."""
    readings: list[Reading] = []
    left = sheet
    asked = _asked(left)
    for number, reader in enumerate(READERS):
        if not asked >> number & 1:
            continue
        found = reader.read(left)
        if found.readings:
            readings.extend(found.readings)
            used = {id(record) for record in found.used}  # all alive here, so no id is used twice
            rest = tuple([record for record in left.records if id(record) not in used])
            left = msgspec.structs.replace(left, records=rest)
            asked = _asked(left)
    readings.extend(map(unclaimed, left.records))
    return _with_one_main(readings)


def _asked(sheet: Sheet) -> int:
    """Tell which readers have something to look at, as bits in their order."""
    asked = _BY_NAME | _BY_XMP if sheet.packets else _BY_NAME
    for record in sheet.records:
        asked |= _BY_KEY.get(record.key, 0)
        if record.key in _BY_OBJECT and record.text is not None and record.text.lstrip()[:1] == "{":
            asked |= _BY_OBJECT[record.key]
    return asked


def main_reading(readings: list[Reading]) -> Reading | None:
    """Return the reading that speaks for the picture, or None where none does."""
    return next((reading for reading in readings if reading.main), None)


def unclaimed(record: Record) -> Reading:
    """Keep a record that no reader knows."""
    if record.text is None:
        check = Check("decodes", held=False, detail=record.damage or "bytes are no text known here")
        return Reading(None, record.locator, State.UNREADABLE, record.raw, checks=(check,))
    fields = {f"tool:{record.key}": text_field(record.text, record.place)}
    return Reading(None, record.locator, State.PRESENT, record.raw, fields=fields, checks=record.checks)


def _with_one_main(readings: list[Reading]) -> list[Reading]:
    """Let the first reading that claims to speak for the picture do so."""
    first = main_reading(readings)
    return [
        replace(reading, main=False) if reading.main and reading is not first else reading
        for reading in readings
    ]
