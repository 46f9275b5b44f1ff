"""Photoshop's PSD and PSB, after Adobe's "Photoshop File Formats Specification" (2019).

A file is five sections, each with its own length: header, colour mode, image
resources, layers and masks, merged picture. A PSB is the same with some lengths of
64 bits. Only lengths, names and flags are read; the pixels, most of the file, are
stepped over. What a length claims beyond the file's end is cut and said.
"""

from typing import NamedTuple

from makingof.containers.source import Cursor, Source
from makingof.errors import MalformedError
from makingof.metadata.collect import Collector
from makingof.metadata.documents.document import Claim, Damage, Document, Layer, Picture, PictureRole, listed
from makingof.metadata.documents.psd_blocks import read_blocks
from makingof.metadata.documents.psd_layers import LayerTable, read_layer_table
from makingof.metadata.documents.stored import Span
from makingof.metadata.documents.xmp_history import read_history, tool_named
from makingof.metadata.record import Sheet
from makingof.metadata.registry import read_sheet

MAGIC = b"8BPS"
_HEADER_BYTES = 26
_MAX_RESOURCES = 20_000
_MAX_RECORD_BYTES = 16 << 20
_RESOURCE_SIGNATURES = frozenset({b"8BIM", b"MeSa", b"AgHg", b"PHUT", b"DCSR"})
_THUMBNAIL_HEADER_BYTES = 28

_IPTC, _THUMBNAIL, _VERSION, _EXIF, _XMP = 1028, 1036, 1057, 1058, 1060
_OLD_THUMBNAIL = 1033
_RECORDS = frozenset({_IPTC, _EXIF, _XMP})
# Undocumented: signs of generative tools and of content credentials; kept as they are.
_KEPT_BLOCKS = frozenset({b"GenI", b"CAI "})
_DEEP_LAYERS = frozenset({b"Lr16", b"Lr32", b"Layr"})

_NO_WRITER = frozenset({"", "\0"})


class _Resource(NamedTuple):
    number: int
    start: int  # of its signature
    at: int  # of its data
    size_bytes: int


class _Draft:
    """What was found so far; one section's damage leaves the others alone."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.format = "psd"
        self.has_merged_picture: bool | None = None
        self.claims: list[Claim] = []
        self.pictures: list[Picture] = []
        self.layers: tuple[Layer, ...] = ()
        self.composite: Picture | None = None
        self.damage: list[Damage] = []
        self.collector = Collector("psd")

    def hurt(self, where: str, what: object) -> None:
        self.damage.append(Damage(where, str(what)))

    def take(self, where: str, at: int, size_bytes: int) -> bytes | None:
        """Read a record's bytes, or note that it is too long to be read."""
        if size_bytes > _MAX_RECORD_BYTES:
            self.hurt(where, f"record of {size_bytes} bytes is more than the {_MAX_RECORD_BYTES} read here")
            return None
        return Cursor(self.source, at).take(size_bytes)


def read_psd(source: Source, name: str | None = None) -> Document:
    """Read a PSD or PSB. Data that does not begin with its header is a `MalformedError`."""
    head = Cursor(source)
    if head.peek(min(4, head.left)) != MAGIC:
        message = "data is no Photoshop document"
        raise MalformedError(message)
    fields = head.take(_HEADER_BYTES)
    version, height, width = (
        fields[4:6],
        int.from_bytes(fields[14:18], "big"),
        int.from_bytes(fields[18:22], "big"),
    )
    if version not in (b"\0\1", b"\0\2"):
        message = f"Photoshop document has version {int.from_bytes(version, 'big')}, and 1 and 2 are known"
        raise MalformedError(message)
    draft = _Draft(source)
    draft.format = "psb" if version == b"\0\2" else "psd"
    draft.collector = Collector(draft.format)
    size = (width, height)
    at = _section(draft, "colour mode", _HEADER_BYTES, 4)[1]
    start, at = _section(draft, "image resources", at, 4)
    _read_resources(draft, start, at)
    start, at = _section(draft, "layers", at, 8 if draft.format == "psb" else 4)
    _read_layers(draft, start, at)
    _find_composite(draft, at, size)
    return _finish(draft, name, size)


def _section(draft: _Draft, where: str, at: int, length_bytes: int) -> tuple[int, int]:
    """Return where a section's content starts and ends, cut to the file."""
    total = len(draft.source)
    if at + length_bytes > total:
        if at < total or not draft.damage:
            draft.hurt(where, f"file ends at offset {total}, before the section")
        return total, total
    length = int.from_bytes(draft.source[at : at + length_bytes], "big")
    start = at + length_bytes
    if start + length > total:
        draft.hurt(where, f"section claims {length} bytes and the file ends after {total - start}")
    return start, min(start + length, total)


def _read_resources(draft: _Draft, start: int, end: int) -> None:
    cursor = Cursor(draft.source, start, end)
    for _ in range(_MAX_RESOURCES):
        if cursor.left < 12:  # noqa: PLR2004 - shorter than an empty resource
            return
        try:
            resource = _next_resource(cursor)
            _read_resource(draft, resource)
        except MalformedError as err:
            draft.hurt("image resources", err)
            return
    draft.hurt("image resources", f"more than {_MAX_RESOURCES} resources")


def _next_resource(cursor: Cursor) -> _Resource:
    start = cursor.at
    signature = cursor.take(4)
    if signature not in _RESOURCE_SIGNATURES:
        message = f"no resource begins at offset {cursor.at - 4}"
        raise MalformedError(message)
    number = cursor.u16()
    name_bytes = cursor.u8()
    cursor.skip(name_bytes + (1 - name_bytes % 2))
    size = cursor.u32()
    at = cursor.at
    cursor.skip(size)
    cursor.skip(min(size % 2, cursor.left))
    return _Resource(number, start, at, size)


def _read_resource(draft: _Draft, resource: _Resource) -> None:
    where = f"image resource {resource.number}"
    if resource.number in _RECORDS:
        _read_record(draft, resource, where)
    elif resource.number in (_THUMBNAIL, _OLD_THUMBNAIL):
        _read_thumbnail(draft, resource, where)
    elif resource.number == _VERSION:
        _read_version(draft, resource, where)


def _read_record(draft: _Draft, resource: _Resource, where: str) -> None:
    """Hand a record to the readers of texts. Photoshop lets XMP grow without end: long ones are said only."""
    if resource.number == _XMP and draft.collector.packets():
        draft.hurt(where, "a second XMP packet was left out")
        return
    if resource.number == _IPTC:
        raw = draft.take(where, resource.start, resource.at - resource.start + resource.size_bytes)
        if raw is not None:
            draft.collector.photoshop(raw, resource.start)
        return
    raw = draft.take(where, resource.at, resource.size_bytes)
    if raw is None:
        return
    if resource.number == _XMP:
        draft.collector.xmp(raw, resource.at, "8BIM:1060 XMP", "")
    else:
        draft.collector.exif(raw, resource.at, "8BIM:1058")


def _read_thumbnail(draft: _Draft, resource: _Resource, where: str) -> None:
    """A JPEG behind 28 bytes: kind, sizes, lengths. 1033 has its colours in another order."""
    if resource.size_bytes < _THUMBNAIL_HEADER_BYTES:
        draft.hurt(where, "thumbnail is shorter than its header")
        return
    head = Cursor(draft.source, resource.at).take(_THUMBNAIL_HEADER_BYTES)
    kind, width, height = (int.from_bytes(head[n : n + 4], "big") for n in (0, 4, 8))
    span = Span(
        draft.format,
        f"8BIM:{resource.number} thumbnail",
        resource.at + _THUMBNAIL_HEADER_BYTES,
        resource.size_bytes - _THUMBNAIL_HEADER_BYTES,
    )
    media_type = "image/jpeg" if kind == 1 else None
    draft.pictures.append(Picture(PictureRole.PREVIEW, span, media_type, width, height))


def _read_version(draft: _Draft, resource: _Resource, where: str) -> None:
    """Which program wrote the file, and whether the merged picture is real or a blank."""
    cursor = Cursor(draft.source, resource.at, resource.at + resource.size_bytes)
    cursor.skip(4)
    draft.has_merged_picture = cursor.u8() != 0
    said = "yes" if draft.has_merged_picture else "no"
    draft.claims.append(Claim("merged_picture", said, f"8BIM:{resource.number}"))
    characters = cursor.u32()
    writer = cursor.take(min(2 * characters, cursor.left)).decode("utf-16-be", "replace").rstrip("\0")
    if writer not in _NO_WRITER:
        draft.claims.append(Claim("tool:writer", writer, where))


def _read_layers(draft: _Draft, start: int, end: int) -> None:
    """Layer info, global mask, then blocks; documents of 16 and 32 bits keep their layers in a block."""
    wide = draft.format == "psb"
    cursor = Cursor(draft.source, start, end)
    if not cursor.left:
        return
    try:
        length = cursor.u64() if wide else cursor.u32()
        table = _layer_table(draft, cursor.at, min(cursor.at + length, end), wide=wide) if length else None
        if cursor.at + length > end:
            draft.hurt("layers", f"layer info claims {length} bytes and {end - cursor.at} are there")
            return
        cursor.skip(length)
        if cursor.left:
            cursor.skip(min(cursor.u32(), cursor.left) if cursor.left >= 4 else cursor.left)  # noqa: PLR2004 - global mask
        blocks = read_blocks(cursor, wide=wide)
    except MalformedError as err:
        draft.hurt("layers", err)
        return
    if blocks.damage:
        draft.hurt("layers", blocks.damage)
    for block in blocks.blocks:
        if block.key in _DEEP_LAYERS and (table is None or not table.claimed):
            table = _layer_table(draft, block.at, block.at + block.size_bytes, wide=wide)
        elif block.key in _KEPT_BLOCKS:
            raw = draft.take(f"block {block.name}", block.at, block.size_bytes)
            if raw is not None:
                draft.collector.add(f"8BIM:{block.name}", block.name, raw, block.at)


def _layer_table(draft: _Draft, start: int, end: int, *, wide: bool) -> LayerTable:
    table = read_layer_table(Cursor(draft.source, start, end), draft.format, wide=wide)
    draft.layers = table.layers
    draft.damage += [Damage("layers", text) for text in table.damage]
    return table


def _find_composite(draft: _Draft, at: int, size: tuple[int, int]) -> None:
    """The merged picture is the rest of the file: two bytes of compression, then packed channels.

    Where resource 1057 says that it is not real, the bytes there are a blank that
    Photoshop writes with "Maximize compatibility" off, and no composite is claimed.
    """
    there = len(draft.source) - at
    if there <= 2 or draft.has_merged_picture is False:  # noqa: PLR2004 - the compression alone
        return
    span = Span(draft.format, "merged picture", at, there)
    draft.composite = Picture(PictureRole.COMPOSITE, span, None, *size)


def _finish(draft: _Draft, name: str | None, size: tuple[int, int]) -> Document:
    records, packets = tuple(draft.collector.records), tuple(draft.collector.packets())
    past = read_history(packets)
    draft.damage += [Damage(record.place, record.damage) for record in records if record.damage]
    return Document(
        format=draft.format,
        name=name,
        tool=past.tool or tool_named(_claimed(draft, "tool:writer")),
        tool_version=past.tool_version,
        width=size[0],
        height=size[1],
        layers=draft.layers,
        composite=draft.composite,
        pictures=tuple(draft.pictures),
        history=past.history,
        claims=tuple(draft.claims) + past.claims,
        readings=tuple(read_sheet(Sheet(draft.format, name, *size, records, packets))),
        damage=listed([*draft.damage, *past.damage]),
    )


def _claimed(draft: _Draft, name: str) -> str | None:
    return next((claim.value for claim in draft.claims if claim.name == name), None)
