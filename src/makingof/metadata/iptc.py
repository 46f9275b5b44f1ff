"""IPTC's words on generative AI, in XMP: the digital source type and the fields of 2025.1.

No generator was seen to write the 2025.1 fields. `AIPromptWriterName` is kept under its
own name and never as a user: its definition says that the prompt writer is not, for
that reason, to be regarded as the picture's creator.
"""

from makingof.containers.xmp import IPTC_EXT, Packet
from makingof.metadata.found import Found
from makingof.metadata.json_fields import make_field
from makingof.metadata.record import Record, Sheet, text_field
from makingof.reading import Check, Field, Reading, State

READER = "iptc/1"

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_FIELDS = (
    "DigitalSourceType",
    "AISystemUsed",
    "AISystemVersionUsed",
    "AIPromptInformation",
    "AIPromptWriterName",
    "DigImageGUID",
)


def read(sheet: Sheet) -> Found:
    """Read every packet that has one of the fields; they name no tool of their own."""
    readings = [reading for record, packet in sheet.packets if (reading := _read_packet(record, packet))]
    return Found(readings, [record for record, packet in sheet.packets if _read_packet(record, packet)])


def _read_packet(record: Record, packet: Packet) -> Reading | None:
    fields: dict[str, Field] = {}
    for name in _FIELDS:
        value = packet.find(IPTC_EXT, name)
        if value is not None:
            text = packet.text(IPTC_EXT, name)
            source = f"{record.place} Iptc4xmpExt:{name}"
            fields[f"tool:{name}"] = (
                text_field(text, source) if text is not None else make_field(value, source)
            )
    if not fields:
        return None
    checks = record.checks
    source_type = fields.get("tool:DigitalSourceType")
    if source_type is not None and source_type.value is not None:
        is_uri = source_type.value.startswith(SOURCE_TYPES)
        detail = "" if is_uri else f"{source_type.value!r} is not one of the URIs under {SOURCE_TYPES}"
        checks += (Check("digital_source_type_is_uri", held=is_uri, detail=detail),)
    return Reading(
        None, record.locator, State.PRESENT, record.raw, fields=fields, checks=checks, reader=READER
    )
