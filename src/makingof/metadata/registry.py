"""Every reader, in the order they are asked, and the function that asks them.

A reader gets the records nobody before it has claimed, and says which it has read.
Special formats come before the general ones they are built of: a hub's record may
hold a ComfyUI graph, a ComfyUI saver may write A1111 text. What nobody claims is
returned as a reading without a tool, so that nothing a file says is lost.
"""

from collections.abc import Callable
from dataclasses import replace

import msgspec

from makingof.containers.segment import Data
from makingof.metadata import (
    a1111,
    aigc,
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

Reader = Callable[[Sheet], Found]

READERS: tuple[Reader, ...] = (
    swarmui.read,
    invokeai.read,
    novelai.read,
    fooocus.read,
    hubs.read_civitai,
    hubs.read_tensorart,
    hubs.read_stability_matrix,
    drawthings.read,
    easydiffusion.read,
    aigc.read,
    comfyui.read,
    space.read,
    a1111.read,
    midjourney.read,
    editors.read,
    iptc.read,
)


def read_records(data: Data, name: str | None = None) -> list[Reading]:
    """Read every record of a file: tool, fields, raw bytes, where they lie.

    `name` is the file's name; some tools put facts into it. At most one reading is
    `main`. Bytes that are no known container give an empty list. Pure: the same
    bytes and name always give the same readings.
    """
    return read_sheet(gather(data, name))


def read_sheet(sheet: Sheet) -> list[Reading]:
    """Ask every reader about records already gathered."""
    readings: list[Reading] = []
    left = list(sheet.records)
    for reader in READERS:
        found = reader(msgspec.structs.replace(sheet, records=tuple(left)))
        readings.extend(found.readings)
        left = [record for record in left if not any(record is used for used in found.used)]
    readings.extend(map(unclaimed, left))
    return _with_one_main(readings)


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
