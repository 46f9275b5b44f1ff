"""Collecting: texts, EXIF, XMP and manifests of one file, with limits over all of them together."""

import struct

from makingof.containers.exif import Tag, exif_start, parse_exif
from makingof.containers.exif_text import decode_bytes, decode_user_comment, decode_utf16le
from makingof.containers.inflate import MAX_INFLATED_BYTES
from makingof.containers.manifest import TIFF_TAG
from makingof.containers.png import PngText
from makingof.containers.source import Source
from makingof.containers.xmp import (
    Packet,
    Part,
    extended_guid,
    join_extended,
    parse_extended_part,
    parse_xmp,
)
from makingof.errors import MalformedError
from makingof.metadata.record import Record

MAX_RECORDS = 2_000
MAX_ALL_BYTES = 96 << 20  # of raw and decoded bytes of one file together
_MAX_PROFILE_CHARS = 16 << 20
_MAX_FAILURES = 8  # a file full of bombs is not tried one by one

# EXIF tags whose numbers tell that a camera was at work.
_CAMERA_NUMBERS = frozenset({"ExposureTime", "FNumber", "ISO", "FocalLength"})
_JUMBF_HEAD_BYTES = 8  # "JP", box instance, packet number
_IPTC_NAMES = {
    5: "ObjectName",
    40: "SpecialInstructions",
    80: "By-line",
    110: "Credit",
    115: "Source",
    116: "Copyright",
    120: "Caption",
}


class Collector:
    """Takes what a walker finds and keeps it as records, until the file's limits are reached."""

    def __init__(self, container: str) -> None:
        self._container = container
        self.records: list[Record] = []
        self.room = MAX_ALL_BYTES
        self.failures = 0  # of chunks taken apart
        self._packets: list[tuple[Record, Packet]] = []
        self._parts: list[Part] = []
        self._jumbf: dict[int, list[tuple[int, bytes]]] = {}

    @property
    def inflate_limit(self) -> int:
        """How much one compressed text may unpack to; nothing after many that did not unpack."""
        return min(MAX_INFLATED_BYTES, self.room) if self.failures < _MAX_FAILURES else 0

    def packets(self) -> list[tuple[Record, Packet]]:
        """Return the XMP packets that parsed, each with its record."""
        return self._packets

    def add(
        self,
        place: str,
        key: str,
        raw: bytes,
        offset: int | None,
        *,
        text: str | None = None,
        decoding: str = "",
        damage: str = "",
    ) -> Record | None:
        """Keep one record; past the limits only a note that something was left out."""
        if len(self.records) >= MAX_RECORDS:
            return None
        if len(raw) > self.room:
            damage = f"{len(raw)} bytes are more than is read of one file"
            raw, text = b"", None
        self.room -= len(raw)
        record = Record(self._container, place, key, raw, text, offset, decoding, damage)
        self.records.append(record)
        return record

    def damage(self, reason: str) -> None:
        """Note that the container itself broke off."""
        self.add("file", "", b"", None, damage=reason)

    def add_bytes(self, place: str, key: str, raw: bytes, offset: int | None, damage: str = "") -> None:
        """Keep a text of unknown encoding."""
        text, decoding = decode_bytes(raw)
        self.add(place, key, raw, offset, text=text, decoding=decoding, damage=damage)

    def add_joined(self, place: str, key: str, raw: bytes, offset: int, joined: bytes, damage: str) -> None:
        """Keep a text whose bytes lie in sub-blocks."""
        text, decoding = decode_bytes(joined)
        self.add(place, key, raw, offset, text=text, decoding=decoding, damage=damage)

    def chunk(self, kind: str, chunk: PngText, raw: bytes, offset: int, damage: str) -> None:
        """Keep a PNG text chunk; those that wrap EXIF or XMP are unwrapped."""
        keyword = chunk.keyword.decode("latin-1")
        self.room -= len(chunk.text)
        if keyword == "XML:com.adobe.xmp":
            inner = offset + len(raw) - len(chunk.text) if raw.endswith(chunk.text) else None
            self.xmp(chunk.text, inner, f"{kind}:{keyword}", damage)
            return
        if keyword.startswith("Raw profile type ") and (profile := _raw_profile(chunk.text)) is not None:
            self._profile(keyword, profile)
        text, decoding = decode_chunk(chunk.text)
        self.add(f"{kind}:{keyword}", keyword, raw, offset, text=text, decoding=decoding, damage=damage)

    def _profile(self, keyword: str, profile: bytes) -> None:
        """Read what ImageMagick wrapped as hex: EXIF or XMP that once lay in another container."""
        if profile.startswith(b"http://ns.adobe.com/xap/1.0/\0"):
            self.xmp(profile.partition(b"\0")[2], None, keyword, "")
        elif keyword.endswith("xmp"):
            self.xmp(profile, None, keyword, "")
        elif profile[:6] == b"Exif\0\0" or profile[:4] in (b"II*\0", b"MM\0*"):
            self.exif(profile, None, keyword)
        elif keyword.endswith("iptc"):
            self.photoshop(profile, None)

    # EXIF.

    def exif(self, block: Source, offset: int | None, place: str, *, has_offset: bool = False) -> None:
        """Keep the texts of an EXIF block, and the numbers that show a camera."""
        head = bytes(block[:16])
        start = exif_start(head)
        if has_offset:  # ISO items and JPEG XL boxes begin with the distance to the TIFF header
            start = 4 + struct.unpack(">I", head[:4])[0] if len(head) >= 4 else 0  # noqa: PLR2004 - the distance itself
        try:
            tags = parse_exif(block, start)
        except MalformedError as err:
            self.add(f"{place or 'APP1'} EXIF", "EXIF", bytes(block[:4096]), offset, damage=str(err))
            return
        for tag in tags:
            self._tag(tag, block, offset)

    def _tag(self, tag: Tag, block: Source, offset: int | None) -> None:
        if tag.size_bytes > self.room:
            return
        raw = tag.value(block)
        at = None if offset is None else offset + tag.offset
        place = f"EXIF:{tag.name}" if tag.ifd != "IFD1" else f"EXIF:IFD1:{tag.name}"
        if tag.number == TIFF_TAG:
            self.add("TIFF:0xcd41", "C2PA", raw, at)
        elif tag.name == "XMP":
            self.xmp(raw, at, place, "")
        elif tag.name == "Photoshop":
            self.photoshop(raw, at)
        elif tag.name == "UserComment":
            text, decoding = decode_user_comment(raw)
            self.add(place, tag.name, raw, at, text=text, decoding=decoding)
        elif tag.name.startswith("XP"):
            self.add(place, tag.name, raw, at, text=decode_utf16le(raw), decoding="utf-16-le")
        elif tag.is_text or (tag.name == "MakerNote" and raw.isascii() and b"\0" not in raw.rstrip(b"\0")):
            text, decoding = decode_bytes(raw)
            if text:
                self.add(place, tag.name, raw, at, text=text, decoding=decoding)
        elif tag.name in _CAMERA_NUMBERS:
            self.add(place, tag.name, raw, at, text=" ".join(tag.numbers(block)), decoding="number")

    # XMP.

    def xmp(self, packet: bytes, offset: int | None, place: str, damage: str) -> None:
        """Keep a packet, parsed if it can be."""
        try:
            parsed = parse_xmp(packet)
        except MalformedError as err:
            self.add(place, "XMP", packet, offset, damage=damage or str(err))
            return
        record = self.add(
            place,
            "XMP",
            packet,
            offset,
            text=packet.decode("utf-8", "replace"),
            decoding="xml",
            damage=damage,
        )
        if record is not None and record.raw:
            self._packets.append((record, parsed))

    def extended_xmp(self, payload: bytes) -> None:
        """Keep one part of an extended packet until all are there."""
        try:
            self._parts.append(parse_extended_part(payload))
        except MalformedError as err:
            self.add("APP1 extended", "XMP", payload, None, damage=str(err))

    def join_extended_xmp(self) -> None:
        """Put extended packets together; one that no main packet announces is kept and said to be so."""
        announced = {guid for _, packet in self._packets if (guid := extended_guid(packet))}
        for guid in dict.fromkeys(part.guid for part in self._parts):
            try:
                whole = join_extended(self._parts, guid)
            except MalformedError as err:
                body = b"".join([part.body for part in self._parts if part.guid == guid])
                self.add("APP1 extended", "XMP", body, None, damage=str(err))
                continue
            orphan = "" if guid in announced else f"extended XMP {guid!r} is announced by no packet"
            self.xmp(whole, None, "APP1 extended", orphan)

    # C2PA in JPEG: one box in many segments (ISO 19566-5, annex D).

    def jumbf_part(self, payload: bytes) -> None:
        """Keep one segment of a box."""
        if len(payload) > _JUMBF_HEAD_BYTES:
            instance, number = struct.unpack_from(">HI", payload, 2)
            self._jumbf.setdefault(instance, []).append((number, payload[_JUMBF_HEAD_BYTES:]))

    def join_jumbf(self) -> None:
        """Put the boxes together: every segment repeats the box header, the first one's counts."""
        for parts in self._jumbf.values():
            ordered = [body for _, body in sorted(parts, key=lambda part: part[0])]
            head = 16 if ordered[0][:4] == b"\0\0\0\1" else 8
            box = ordered[0] + b"".join([body[head:] for body in ordered[1:]])
            self.add("APP11", "C2PA", box, None)

    # Photoshop's resources, for the IPTC texts among them.

    def photoshop(self, resources: bytes, offset: int | None) -> None:
        """Keep the captions and names of the IPTC record, if there is one."""
        at = 0
        while resources[at : at + 4] == b"8BIM" and at + 12 <= len(resources):
            number = struct.unpack_from(">H", resources, at + 4)[0]
            name_bytes = resources[at + 6] + 1
            body = at + 6 + name_bytes + (name_bytes & 1)
            if body + 4 > len(resources):
                return
            length = struct.unpack_from(">I", resources, body)[0]
            if number == 0x0404:  # noqa: PLR2004 - IPTC-NAA
                self._iptc(
                    resources[body + 4 : body + 4 + length], None if offset is None else offset + body + 4
                )
            at = body + 4 + length + (length & 1)

    def _iptc(self, block: bytes, offset: int | None) -> None:
        at = 0
        while block[at : at + 1] == b"\x1c" and at + 5 <= len(block):
            record, number, length = struct.unpack_from(">BBH", block, at + 1)
            raw = block[at + 5 : at + 5 + length]
            if record == 2 and number in _IPTC_NAMES and length < 0x8000:  # noqa: PLR2004 - longer ones are coded otherwise
                key = _IPTC_NAMES[number]
                self.add_bytes(f"IPTC:{key}", key, raw, None if offset is None else offset + at + 5)
            at += 5 + length


def decode_chunk(raw: bytes) -> tuple[str, str]:
    """Decode a PNG text as UTF-8, else as latin-1, and say which.

    The PNG specification says latin-1 for `tEXt`, yet writers that put UTF-8 there
    exist; bytes that are valid UTF-8 beyond ASCII are practically never latin-1.
    """
    try:
        return raw.decode(), "utf-8"
    except UnicodeDecodeError:
        return raw.decode("latin-1"), "latin-1"


def _raw_profile(text: bytes) -> bytes | None:
    """Unwrap ImageMagick's profile: a line with the name, a line with the length, hex."""
    if len(text) > _MAX_PROFILE_CHARS:
        return None
    lines = text.lstrip(b"\n").split(b"\n", 2)
    try:
        return bytes.fromhex(lines[2].decode("ascii"))
    except (IndexError, ValueError):
        return None
