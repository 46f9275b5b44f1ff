"""XMP packets: RDF/XML of strangers turned into plain values, by namespace and name.

Prefixes are the writer's whim (Midjourney writes `iptcExt` where others write
`Iptc4xmpExt`), so a property is known by its namespace URI alone.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import msgspec
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from makingof.errors import MalformedError

MAX_PACKET_BYTES = 16 << 20
_MAX_DEPTH = 12
_XML = "{http://www.w3.org/XML/1998/namespace}"
_MAX_PROPERTIES = 20_000

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XMP = "http://ns.adobe.com/xap/1.0/"
XMP_MM = "http://ns.adobe.com/xap/1.0/mm/"
XMP_NOTE = "http://ns.adobe.com/xmp/note/"
DC = "http://purl.org/dc/elements/1.1/"
EXIF = "http://ns.adobe.com/exif/1.0/"
PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"

Value: TypeAlias = str | list["Value"] | dict[str, "Value"]
"""Text, an array, or a structure whose keys are `{uri}name`."""


class Packet(msgspec.Struct, frozen=True):
    """The properties of one packet, keyed `{uri}name`."""

    properties: Mapping[str, Value]

    def find(self, uri: str, name: str) -> Value | None:
        """Return a property, or None."""
        return self.properties.get(f"{{{uri}}}{name}")

    def text(self, uri: str, name: str) -> str | None:
        """Return a property as one text: of an array the first entry, which is the default language."""
        value = self.find(uri, name)
        while isinstance(value, list):
            value = value[0] if value else None
        return value if isinstance(value, str) else None


def parse_xmp(packet: bytes) -> Packet:
    """Read a packet; document types, entities and nesting are refused as `MalformedError`.

    A packet in UTF-16 is read by its byte order mark. Of a property that comes twice
    the first counts.
    """
    if len(packet) > MAX_PACKET_BYTES:
        message = f"XMP of {len(packet)} bytes is longer than the {MAX_PACKET_BYTES} read here"
        raise MalformedError(message)
    try:
        is_wide = b"\0" in packet[:4]  # two bytes a letter: a null at the end belongs to the last one
        root = fromstring(packet if is_wide else packet.strip(b"\0 \t\r\n"), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as err:
        message = f"XMP is not XML that can be read: {err}"
        raise MalformedError(message) from err
    budget = _Budget(_MAX_PROPERTIES)
    properties: dict[str, Value] = {}
    for rdf in root.iter(f"{{{RDF}}}RDF"):
        for description in rdf:
            for name, value in _struct(description, 0, budget).items():
                properties.setdefault(name, value)
    return Packet(properties)


class _Budget:
    """Counts what is read, so that a small packet cannot grow into a large value."""

    def __init__(self, left: int) -> None:
        self._left = left

    def spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            message = f"XMP holds more than {_MAX_PROPERTIES} properties"
            raise MalformedError(message)


def _struct(element: Any, depth: int, budget: _Budget) -> dict[str, Value]:
    """Read the properties of a node: its attributes and its child elements."""
    if depth > _MAX_DEPTH:
        message = f"XMP is nested deeper than {_MAX_DEPTH}"
        raise MalformedError(message)
    found: dict[str, Value] = {}
    for name, text in element.attrib.items():
        if name.startswith("{") and not name.startswith((f"{{{RDF}}}", _XML)):
            budget.spend()
            found.setdefault(name, text)
    for child in element:
        budget.spend()
        found.setdefault(child.tag, _value(child, depth + 1, budget))
    return found


def _value(element: Any, depth: int, budget: _Budget) -> Value:
    """Read the value of a property element or of an array item."""
    if (resource := element.get(f"{{{RDF}}}resource")) is not None:
        return str(resource)
    if element.get(f"{{{RDF}}}parseType") == "Resource":
        return _struct(element, depth, budget)
    inner = next(iter(element), None)
    if inner is None:
        fields = _struct(element, depth, budget)
        return fields or (element.text or "")
    if inner.tag in (f"{{{RDF}}}Bag", f"{{{RDF}}}Seq", f"{{{RDF}}}Alt"):
        return _array(inner, depth, budget)
    node = _struct(inner if inner.tag == f"{{{RDF}}}Description" else element, depth, budget)
    return node.get(f"{{{RDF}}}value", node)


def _array(container: Any, depth: int, budget: _Budget) -> list[Value]:
    if depth > _MAX_DEPTH:
        message = f"XMP is nested deeper than {_MAX_DEPTH}"
        raise MalformedError(message)
    items = sorted(container, key=lambda item: item.get(f"{_XML}lang") not in (None, "x-default"))
    values = []
    for item in items:
        budget.spend()
        values.append(_value(item, depth + 1, budget))
    return values


# Extended XMP: what is too long for one JPEG segment (XMP specification part 3, 1.1.3.1).


class Part(msgspec.Struct, frozen=True, gc=False):
    """One segment of extended XMP: which packet, of what length, where in it, and its bytes."""

    guid: str
    total_bytes: int
    offset: int
    body: bytes


_PART_HEAD_BYTES = 40


def parse_extended_part(payload: bytes) -> Part:
    """Read what follows the extension's signature in an APP1 segment; too short is a `MalformedError`."""
    if len(payload) < _PART_HEAD_BYTES:
        message = "extended XMP segment is too short for its header"
        raise MalformedError(message)
    guid = payload[:32].decode("latin-1")
    total, offset = int.from_bytes(payload[32:36], "big"), int.from_bytes(payload[36:40], "big")
    return Part(guid, total, offset, payload[_PART_HEAD_BYTES:])


def join_extended(parts: Iterable[Part], guid: str) -> bytes:
    """Put the parts of the packet `guid` together, in whatever order they stand in the file.

    Gaps, overlaps, lengths that disagree and a GUID that is not the MD5 of the
    whole, as the specification wants it, are a `MalformedError`.
    """
    mine = sorted((part for part in parts if part.guid == guid), key=lambda part: part.offset)
    if not mine or mine[0].total_bytes > MAX_PACKET_BYTES:
        message = (
            f"extended XMP {guid!r} is not there"
            if not mine
            else f"extended XMP {guid!r} is too long to be read"
        )
        raise MalformedError(message)
    at = 0
    for part in mine:
        if part.offset != at or part.total_bytes != mine[0].total_bytes:
            message = f"parts of extended XMP {guid!r} leave a gap, overlap or disagree on its length"
            raise MalformedError(message)
        at += len(part.body)
    whole = b"".join([part.body for part in mine])
    digest = hashlib.md5(whole, usedforsecurity=False).hexdigest().upper()
    if at != mine[0].total_bytes or digest != guid.upper():
        message = f"extended XMP {guid!r} is not whole: its MD5 is {digest}"
        raise MalformedError(message)
    return whole


def extended_guid(packet: Packet) -> str | None:
    """Return the GUID of the extended packet that `packet` announces, or None."""
    return packet.text(XMP_NOTE, "HasExtendedXMP")
