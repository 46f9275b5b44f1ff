"""EXIF and TIFF: the tree of tags (IFDs), values left as bytes where they lie."""

import struct
from collections.abc import Iterator

import msgspec

from makingof.containers.segment import take
from makingof.containers.source import Source
from makingof.errors import MalformedError

MAX_TAGS = 4_000
MAX_VALUE_BYTES = 32 << 20  # of one value; a longer one is not copied
_MAX_IFDS = 64
_ENTRY_BYTES = 12
_INLINE_BYTES = 4

_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 129: 1}
_TEXT_TYPES = (2, 129)  # ASCII, and the UTF-8 of Exif 3
_SUB_IFDS = {0x8769: "Exif", 0x8825: "GPS", 0xA005: "Interop"}

NAMES = {
    0x010D: "DocumentName", 0x010E: "ImageDescription", 0x010F: "Make", 0x0110: "Model", 0x0131: "Software",
    0x0132: "DateTime", 0x013B: "Artist", 0x013C: "HostComputer", 0x02BC: "XMP", 0x8298: "Copyright",
    0x829A: "ExposureTime", 0x829D: "FNumber", 0x83BB: "IPTC", 0x8649: "Photoshop", 0x8827: "ISO",
    0x9003: "DateTimeOriginal", 0x9004: "DateTimeDigitized", 0x9010: "OffsetTime", 0x920A: "FocalLength",
    0x927C: "MakerNote", 0x9286: "UserComment", 0x9C9B: "XPTitle", 0x9C9C: "XPComment", 0x9C9D: "XPAuthor",
    0x9C9E: "XPKeywords", 0x9C9F: "XPSubject", 0xA430: "CameraOwnerName", 0xA431: "BodySerialNumber",
    0xA433: "LensMake", 0xA434: "LensModel", 0xA435: "LensSerialNumber",
}  # fmt: skip


class Tag(msgspec.Struct, frozen=True, gc=False):
    """One tag: where it stands, what it is, and where its value lies in the block."""

    ifd: str  # IFD0, IFD1…, Exif, GPS, Interop
    number: int
    kind: int  # TIFF type
    offset: int
    size_bytes: int
    is_big_endian: bool
    entry_offset: int  # of its twelve bytes in the IFD

    @property
    def name(self) -> str:
        """The tag's usual name, or its number in hex."""
        return NAMES.get(self.number, f"0x{self.number:04x}")

    @property
    def is_text(self) -> bool:
        """Whether its type is one for text."""
        return self.kind in _TEXT_TYPES

    def value(self, block: Source) -> bytes:
        """Copy the value out of the block the tag was found in."""
        return block[self.offset : self.offset + self.size_bytes]

    def numbers(self, block: Source) -> list[str]:
        """Spell integers and fractions; empty for other types."""
        order = ">" if self.is_big_endian else "<"
        raw = self.value(block)
        if self.kind == 3:  # noqa: PLR2004 - SHORT
            return [str(number) for (number,) in struct.iter_unpack(order + "H", raw[:64])]
        if self.kind in (5, 10):
            return [f"{above}/{below}" for above, below in struct.iter_unpack(order + "II", raw[:64])]
        return []


def parse_exif(block: Source, start: int = 0) -> list[Tag]:
    """Return all tags of a TIFF block beginning at `start`, in file order of the IFDs.

    `block` is a whole file or an EXIF payload; offsets count from its beginning.
    Tags whose value lies outside are left out, loops are cut. A block without a
    TIFF header is a `MalformedError`.
    """
    head = block[start : start + 8]
    if head[:4] not in (b"II*\0", b"MM\0*") or len(head) < 8:  # noqa: PLR2004 - order, 42, offset
        message = "block has no TIFF header"
        raise MalformedError(message)
    order = ">" if head[:2] == b"MM" else "<"
    return list(_walk(block, start, order, struct.unpack_from(order + "I", head, 4)[0]))


def exif_start(payload: bytes) -> int:
    """Tell where the TIFF header of an EXIF payload is: some writers put `Exif` and two nulls before it."""
    return 6 if payload[:6] == b"Exif\0\0" else 0


def _walk(block: Source, start: int, order: str, first: int) -> Iterator[Tag]:
    waiting = [("IFD0", first)]
    seen: set[int] = set()
    tags = 0
    for ifd, at in waiting:  # grows while it is walked
        if at in seen or at == 0 or len(seen) >= _MAX_IFDS:
            continue
        seen.add(at)
        base = start + at
        if base + 2 > len(block):
            continue
        count = struct.unpack(order + "H", take(block, base, 2))[0]
        table = block[base + 2 : base + 2 + count * _ENTRY_BYTES + 4]
        for number in range(min(count, len(table) // _ENTRY_BYTES, MAX_TAGS - tags)):
            tags += 1
            tag, pointer = _entry(block, start, order, ifd, base + 2, table, number)
            if tag is not None:
                yield tag
                if tag.number in _SUB_IFDS:
                    waiting.append((_SUB_IFDS[tag.number], pointer))
        if ifd.startswith("IFD") and len(table) == count * _ENTRY_BYTES + 4:
            waiting.append((f"IFD{int(ifd[3:]) + 1}", struct.unpack(order + "I", table[-4:])[0]))


def _entry(
    block: Source, start: int, order: str, ifd: str, base: int, table: bytes, number: int
) -> tuple[Tag | None, int]:
    at = number * _ENTRY_BYTES
    tag, kind, count, pointer = struct.unpack_from(order + "HHII", table, at)
    size = _TYPE_BYTES.get(kind, 0) * count
    offset = base + at + 8 if size <= _INLINE_BYTES else start + pointer
    if not size or size > MAX_VALUE_BYTES or offset + size > len(block):
        return None, pointer
    return Tag(ifd, tag, kind, offset, size, order == ">", base + at), pointer
