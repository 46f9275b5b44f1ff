"""What editors leave in XMP: Photoshop's history, document ids, the documents pasted in.

Times are the editor's own words, claimed and never checked.
"""

from makingof.containers.xmp import PHOTOSHOP, XMP, XMP_MM, Packet, Value
from makingof.metadata.found import Found
from makingof.metadata.record import Record, Sheet, text_field
from makingof.metadata.tool_json import spell
from makingof.reading import Field, Reading, State

READER = "editors/1"

_MAX_STEPS = 5_000
_TEXTS = (
    (XMP, "CreatorTool"),
    (XMP, "CreateDate"),
    (XMP, "ModifyDate"),
    (XMP_MM, "DocumentID"),
    (XMP_MM, "OriginalDocumentID"),
    (XMP_MM, "InstanceID"),
)


def read(sheet: Sheet) -> Found:
    """Read every packet that tells of an editor or of a document's history."""
    found = [
        (record, reading) for record, packet in sheet.packets if (reading := _read_packet(record, packet))
    ]
    return Found([reading for _, reading in found], [record for record, _ in found])


def _read_packet(record: Record, packet: Packet) -> Reading | None:
    history = packet.find(XMP_MM, "History")
    fields: dict[str, Field] = {}
    for uri, name in _TEXTS:
        if (text := packet.text(uri, name)) is not None:
            fields[f"tool:{name}"] = text_field(text, f"{record.place} {name}")
    for name in ("DerivedFrom", "Ingredients"):
        if (value := packet.find(XMP_MM, name)) is not None:
            fields[f"tool:{name}"] = _field(value, record, name)
    if (ancestors := packet.find(PHOTOSHOP, "DocumentAncestors")) is not None:
        fields["tool:DocumentAncestors"] = _field(ancestors, record, "DocumentAncestors")
    if (log := packet.text(PHOTOSHOP, "History")) is not None:
        fields["tool:HistoryLog"] = text_field(log, f"{record.place} photoshop:History")
    if isinstance(history, list):
        fields["tool:History"] = _field(history[:_MAX_STEPS], record, "History")
    if "tool:CreateDate" in fields:
        fields["made_at"] = fields["tool:CreateDate"]
    tool = _tool(packet, history)
    telling = {
        "tool:History",
        "tool:HistoryLog",
        "tool:DocumentAncestors",
        "tool:DocumentID",
        "tool:DerivedFrom",
    }
    if tool is None and telling.isdisjoint(fields):
        return None
    return Reading(
        tool=tool,
        locator=record.locator,
        state=State.PRESENT,
        raw=record.raw,
        fields=fields,
        tool_version=packet.text(XMP, "CreatorTool"),
        main=tool is not None,
        checks=record.checks,
        reader=READER,
    )


def _field(value: Value, record: Record, name: str) -> Field:
    """Spell an array or structure as JSON, its keys without their namespaces."""
    return text_field(spell(_plain(value)), f"{record.place} {name}")


def _plain(value: Value) -> Value:
    if isinstance(value, dict):
        return {key.rpartition("}")[2]: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _tool(packet: Packet, history: Value | None) -> str | None:
    """Name Photoshop where the packet or its last step does; other editors are not told apart here."""
    agents = [packet.text(XMP, "CreatorTool") or ""]
    for step in history if isinstance(history, list) else []:
        if isinstance(step, dict):
            agents.extend(
                item for key, item in step.items() if key.endswith("}softwareAgent") and isinstance(item, str)
            )
    return "photoshop" if any(agent.startswith("Adobe Photoshop") for agent in agents) else None
