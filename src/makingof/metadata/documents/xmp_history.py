"""What XMP says of a document's past: who saved it when, what it came from, what was pasted in."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from makingof.containers.xmp import DC, PHOTOSHOP, XMP, XMP_MM, Packet, Value
from makingof.metadata.documents.document import Claim, Damage, History, Step
from makingof.metadata.record import Record

MAX_STEPS = 20_000
_EVENT = "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#"
_REFERENCE = "http://ns.adobe.com/xap/1.0/sType/ResourceRef#"

_TOOLS = (
    (re.compile(r"Adobe Photoshop\b"), "photoshop"),
    (re.compile(r"Krita\b", re.IGNORECASE), "krita"),
    (re.compile(r"GIMP\b", re.IGNORECASE), "gimp"),
    (re.compile(r"Procreate\b"), "procreate"),
    (re.compile(r"CLIP STUDIO", re.IGNORECASE), "clip-studio"),
)
_CLAIMS = (
    (XMP, "CreateDate", "created_at"),
    (XMP, "ModifyDate", "modified_at"),
    (XMP, "MetadataDate", "tool:MetadataDate"),
    (XMP, "CreatorTool", "tool:CreatorTool"),
    (PHOTOSHOP, "DateCreated", "tool:DateCreated"),
    (DC, "title", "title"),
    (DC, "description", "description"),
)


class Past(NamedTuple):
    """History and claims, and the program named as the document's maker."""

    history: History = History()
    claims: tuple[Claim, ...] = ()
    tool: str | None = None
    tool_version: str | None = None
    damage: tuple[Damage, ...] = ()


def read_history(packets: Iterable[tuple[Record, Packet]]) -> Past:
    """Read the first packet; without one the past is empty."""
    record, packet = next(iter(packets), (None, None))
    if record is None or packet is None:
        return Past()
    history, damage = _history(packet, record.place)
    maker = packet.text(XMP, "CreatorTool")
    return Past(history, tuple(_claims(packet, record.place)), tool_named(maker), maker, damage)


def tool_named(maker: str | None) -> str | None:
    """Return our name of the program that calls itself `maker`, or None where it is none we know."""
    if maker is None:
        return None
    return next((tool for pattern, tool in _TOOLS if pattern.match(maker)), None)


def _claims(packet: Packet, place: str) -> Iterator[Claim]:
    for uri, name, claim in _CLAIMS:
        if (value := packet.text(uri, name)) is not None:
            yield Claim(claim, value, f"{place} {name}")
    for creator in _texts(packet.find(DC, "creator")):
        yield Claim("creator", creator, f"{place} creator")


def _history(packet: Packet, place: str) -> tuple[History, tuple[Damage, ...]]:
    events = packet.find(XMP_MM, "History")
    entries = events if isinstance(events, list) else []
    steps = tuple(
        _step(entry, f"{place} History[{number}]") for number, entry in enumerate(entries[:MAX_STEPS], 1)
    )
    damage: tuple[Damage, ...] = ()
    if len(entries) > MAX_STEPS:
        damage = (Damage(place, f"history has {len(entries)} steps, and {MAX_STEPS} were read"),)
    history = History(
        steps=steps,
        log=_log(packet.find(PHOTOSHOP, "History")),
        document_id=packet.text(XMP_MM, "DocumentID"),
        original_id=packet.text(XMP_MM, "OriginalDocumentID"),
        instance_id=packet.text(XMP_MM, "InstanceID"),
        derived_from=tuple(_references(packet.find(XMP_MM, "DerivedFrom"))),
        ancestors=tuple(_texts(packet.find(PHOTOSHOP, "DocumentAncestors"))),
    )
    return history, damage


def _step(entry: Value, source: str) -> Step:
    def said(name: str) -> str | None:
        value = entry.get(f"{{{_EVENT}}}{name}") if isinstance(entry, dict) else None
        return value if isinstance(value, str) else None

    action = entry if isinstance(entry, str) else said("action")
    return Step(
        action=action,
        when=said("when"),
        agent=said("softwareAgent"),
        instance=said("instanceID"),
        changed=said("changed"),
        parameters=said("parameters"),
        source=source,
    )


def _log(value: Value | None) -> str | None:
    """Photoshop's own log is one text; a file saved by two versions may hold several."""
    texts = list(_texts(value))
    return "\n".join(texts) if texts else None


def _references(value: Value | None) -> Iterator[str]:
    if not isinstance(value, dict):
        yield from _texts(value)
        return
    for name in ("documentID", "instanceID", "originalDocumentID"):
        if isinstance(found := value.get(f"{{{_REFERENCE}}}{name}"), str):
            yield found


def _texts(value: Value | None) -> Iterator[str]:
    if isinstance(value, str) and value:
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
