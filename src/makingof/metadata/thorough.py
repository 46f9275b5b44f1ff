"""Reading one file with every check that can be made on it, however long that takes."""

from msgspec.structs import replace

from makingof.containers.source import Source
from makingof.metadata import c2pa
from makingof.metadata.gather import gather
from makingof.metadata.novelai import SIGNATURE_CHECK
from makingof.metadata.pixels import check_novelai, may_hide_text, read_stealth
from makingof.metadata.record import Sheet
from makingof.metadata.registry import main_reading, read_sheet
from makingof.reading import Check, Reading


def read_thoroughly(data: Source, name: str | None = None) -> list[Reading]:
    """Read every record as `read_records` does, and make the checks it leaves open.

    Those are NovelAI's signature, which decodes the picture, the signature and bytes
    of a C2PA manifest, which hashes the file, and the look for text hidden in the
    pixels, where a lossless picture with an alpha channel says nothing in its chunks.
    """
    return read_gathered(data, gather(data, name), name)


def read_gathered(data: Source, sheet: Sheet, name: str | None = None) -> list[Reading]:
    """Read the records of `data` that were gathered already, as `read_thoroughly` does."""
    readings = [_checked(data, sheet, reading) for reading in read_sheet(sheet)]
    if not may_hide_text(sheet):
        return readings
    has_main = main_reading(readings) is not None
    return readings + [
        replace(hidden, main=hidden.main and not has_main) for hidden in read_stealth(data, name)
    ]


def _checked(data: Source, sheet: Sheet, reading: Reading) -> Reading:
    made: tuple[Check, ...] = ()
    open_checks = {check.name for check in reading.checks if check.held is None}
    if SIGNATURE_CHECK in open_checks:
        record = next((record for record in sheet.records if record.locator == reading.locator), None)
        made = (check_novelai(data, record.text or ""),) if record else ()
    elif c2pa.SIGNATURE in open_checks:
        made = c2pa.check_manifest(data, reading.raw)
    by_name = {check.name: check for check in made}
    return replace(reading, checks=tuple(by_name.get(check.name, check) for check in reading.checks))
