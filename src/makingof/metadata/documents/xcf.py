"""GIMP's XCF, after GIMP's own `devel-docs/xcf.txt` and `xcf-private.h`, versions 0 to 26.

Image, layers and channels are structures found by pointers (of 32 bits, from version
11 on of 64), each with a list of properties. Tiles are never visited. The file holds
no undo history and no date; what GIMP knows of the making lies in parasites: a
comment, and the metadata of the picture it was made from.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple, TypeAlias

from makingof.containers.source import Cursor, Source
from makingof.errors import MalformedError
from makingof.metadata.documents.document import Claim, Damage, Document, Layer, LayerKind, listed
from makingof.metadata.documents.gimp_metadata import METADATA, read_gimp_metadata
from makingof.metadata.record import Record, Sheet
from makingof.metadata.registry import read_sheet

MAGIC = b"gimp xcf "
MAX_LAYERS = 32_768
MAX_PROPERTIES = 100_000  # of the whole file: layers may point into each other's lists
MAX_PARASITES = 100_000
MAX_RECORDS_BYTES = 64 << 20
MAX_DEPTH = 100
_MAX_NAME_BYTES = 64 << 10
_MAX_PARASITE_BYTES = 16 << 20
MAX_SIZE = 524_288  # GIMP's own limit
_COLOURS = 6
_WIDE_POINTERS = 11
_WITH_PRECISION = 4

_END, _COLORMAP, _FLOATING, _OPACITY, _MODE, _VISIBLE = 0, 1, 5, 6, 7, 8
_OFFSETS, _TATTOO, _PARASITES, _TEXT_FLAGS = 15, 20, 21, 26
_GROUP, _PATH, _FLOAT_OPACITY, _VECTOR, _LINK = 29, 30, 33, 47, 48
_TEXT_PARASITE = "gimp-text-layer"
_COMMENT = "gimp-comment"

_VERSION = re.compile(rb"v(\d{3})")


class Parasite(NamedTuple):
    """A named record that GIMP or a plug-in attached."""

    name: str
    at: int
    size_bytes: int


class _Budget:
    """Counts entries over the whole file."""

    def __init__(self, left: int, what: str) -> None:
        self._left = left
        self._what = what

    def spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            message = f"more {self._what} than are read here"
            raise MalformedError(message)


class _File(NamedTuple):
    """What every structure needs to be read."""

    source: Source
    version: int
    properties: _Budget
    parasites: _Budget

    def pointer(self, cursor: Cursor) -> int:
        return cursor.u64() if self.version >= _WIDE_POINTERS else cursor.u32()


class _Properties(NamedTuple):
    payloads: dict[int, tuple[int, int]]  # kind: where and how long; of two the later counts, as in GIMP
    parasites: tuple[Parasite, ...]


class _Item(NamedTuple):
    layer: Layer
    path: tuple[int, ...] | None


_Branches: TypeAlias = dict[tuple[int, ...], list[tuple[Layer, tuple[int, ...]]]]


def read_xcf(source: Source, name: str | None = None) -> Document:
    """Read an XCF file. Data that does not begin with its header is a `MalformedError`."""
    cursor = Cursor(source)
    version = _version(cursor)
    width, height = cursor.u32(), cursor.u32()
    file = _File(source, version, _Budget(MAX_PROPERTIES, "properties"), _Budget(MAX_PARASITES, "parasites"))
    damage: list[Damage] = []
    parasites: tuple[Parasite, ...] = ()
    items: list[_Item] = []
    try:
        cursor.skip(8 if version >= _WITH_PRECISION else 4)
        parasites = _properties(cursor, file).parasites
        items = _items(file, _pointers(cursor, file), damage)
    except MalformedError as err:
        damage.append(Damage("image", str(err)))
    records = _records(source, parasites, damage)
    past = read_gimp_metadata(records)
    others = [record for record in records if record.key != METADATA]
    sheet = Sheet("xcf", name, width, height, (*past.records, *others))
    return Document(
        format="xcf",
        name=name,
        tool="gimp",
        tool_version=past.tool_version,
        width=width,
        height=height,
        layers=_tree(items, damage),
        history=past.history,
        claims=(Claim("tool:xcf version", str(version), "header"), *past.claims, *_comments(records)),
        readings=(*read_sheet(sheet), *past.readings),
        damage=listed([*damage, *past.damage]),
    )


def _version(cursor: Cursor) -> int:
    if cursor.take(min(len(MAGIC), cursor.left)) != MAGIC:
        message = "data is no XCF file"
        raise MalformedError(message)
    tag = cursor.take(5)
    if tag == b"file\0":
        return 0
    found = _VERSION.fullmatch(tag[:4])
    if found is None:
        message = f"XCF file has version {tag!r}, which is not known"
        raise MalformedError(message)
    return int(found[1])


def _properties(cursor: Cursor, file: _File) -> _Properties:
    """Walk a property list to its end.

    The length of the colour map cannot be trusted: old versions of GIMP wrote n + 4
    and then 3n + 4 bytes.
    """
    payloads: dict[int, tuple[int, int]] = {}
    parasites: list[Parasite] = []
    while True:
        file.properties.spend()
        kind, length = cursor.u32(), cursor.u32()
        if kind == _END:
            return _Properties(payloads, tuple(parasites))
        if kind == _COLORMAP:
            length = 4 + 3 * int.from_bytes(cursor.peek(4), "big")
        payloads[kind] = (cursor.at, length)
        payload = cursor.part(length)
        if kind == _PARASITES:
            parasites += _parasites(payload, file)


def _parasites(cursor: Cursor, file: _File) -> Iterator[Parasite]:
    while cursor.left:
        file.parasites.spend()
        name = _string(cursor)
        cursor.skip(4)
        size = cursor.u32()
        yield Parasite(name, cursor.at, size)
        cursor.skip(size)


def _string(cursor: Cursor) -> str:
    length = cursor.u32()
    if length > _MAX_NAME_BYTES:
        message = f"a name of {length} bytes at offset {cursor.at}"
        raise MalformedError(message)
    return cursor.take(length).decode("utf-8", "replace").rstrip("\0")


def _pointers(cursor: Cursor, file: _File) -> list[int]:
    """Read the pointers to layers, topmost layer first, up to the null that ends them."""
    found: list[int] = []
    while pointer := file.pointer(cursor):
        found.append(pointer)
        if len(found) > MAX_LAYERS:
            message = f"more than {MAX_LAYERS} layers"
            raise MalformedError(message)
    return found


def _items(file: _File, pointers: list[int], damage: list[Damage]) -> list[_Item]:
    items = []
    for number, pointer in enumerate(pointers, 1):
        try:
            items.append(_item(file, pointer))
        except MalformedError as err:
            damage.append(Damage(f"layer {number} of {len(pointers)}, counted from the top", str(err)))
    if damage:
        damage.append(Damage("groups", "a layer is missing, so those after it may stand in a wrong group"))
    return items


def _item(file: _File, pointer: int) -> _Item:
    source = file.source
    cursor = Cursor(source, pointer)
    width, height, colours = cursor.u32(), cursor.u32(), cursor.u32()
    if not (0 < width <= MAX_SIZE and 0 < height <= MAX_SIZE and colours < _COLOURS):
        message = f"no layer begins at offset {pointer}"
        raise MalformedError(message)
    name = _string(cursor)
    properties = _properties(cursor, file)
    file.pointer(cursor)  # to the pixels
    mask = file.pointer(cursor)
    layer = Layer(
        name=name,
        kind=_kind(properties),
        visible=_visible(source, properties),
        opacity=_opacity(source, properties),
        blend=_as_text(_number(source, properties, _MODE)),
        id=_as_text(_number(source, properties, _TATTOO)),
        at=_offsets(source, properties),
        size=(width, height),
        masks=(_mask_name(source, mask),) if mask else (),
    )
    return _Item(layer, _path(source, properties))


def _kind(properties: _Properties) -> LayerKind:
    if _GROUP in properties.payloads:
        return LayerKind.GROUP
    if _FLOATING in properties.payloads:
        return LayerKind.SELECTION
    if _TEXT_FLAGS in properties.payloads or any(p.name == _TEXT_PARASITE for p in properties.parasites):
        return LayerKind.TEXT
    if _LINK in properties.payloads:
        return LayerKind.EMBEDDED
    return LayerKind.VECTOR if _VECTOR in properties.payloads else LayerKind.PAINT


def _payload(source: Source, properties: _Properties, kind: int, size: int) -> bytes | None:
    at, length = properties.payloads.get(kind, (0, 0))
    return Cursor(source, at).take(size) if length >= size else None


def _number(source: Source, properties: _Properties, kind: int) -> int | None:
    raw = _payload(source, properties, kind, 4)
    return None if raw is None else int.from_bytes(raw, "big")


def _as_text(number: int | None) -> str | None:
    return None if number is None else str(number)


def _visible(source: Source, properties: _Properties) -> bool | None:
    number = _number(source, properties, _VISIBLE)
    return None if number is None else number != 0


def _opacity(source: Source, properties: _Properties) -> str | None:
    """Return the exact value, which GIMP 2.10 writes beside the one of 8 bits."""
    raw = _payload(source, properties, _FLOAT_OPACITY, 4)
    if raw is not None:
        return f"{struct.unpack('>f', raw)[0]:.6g}"
    number = _number(source, properties, _OPACITY)
    return None if number is None else f"{number}/255"


def _offsets(source: Source, properties: _Properties) -> tuple[int, int] | None:
    raw = _payload(source, properties, _OFFSETS, 8)
    if raw is None:
        return None
    x, y = struct.unpack(">ii", raw)
    return x, y


def _mask_name(source: Source, pointer: int) -> str:
    try:
        cursor = Cursor(source, pointer)
        cursor.skip(8)
        return _string(cursor)
    except MalformedError:
        return ""


def _path(source: Source, properties: _Properties) -> tuple[int, ...] | None:
    """Read the place of a layer in the tree: an index for each level."""
    at, length = properties.payloads.get(_PATH, (0, 0))
    if not length or length % 4 or length > 4 * MAX_DEPTH:
        return None
    raw = Cursor(source, at).take(length)
    return tuple(index for (index,) in struct.iter_unpack(">I", raw))


def _tree(items: list[_Item], damage: list[Damage]) -> tuple[Layer, ...]:
    """Put layers into their groups, which come before what is in them.

    A path is an index for each level. Layers at the top have none; theirs is how
    many came before them.
    """
    branches: _Branches = {(): []}
    for layer, path in items:
        own = path or (len(branches[()]),)
        parent = own[:-1]
        if parent not in branches:
            damage.append(Damage(f"layer {layer.name!r}", "is in a group that is not there"))
            parent = ()
        branches[parent].append((layer, own))
        if layer.kind is LayerKind.GROUP:
            branches.setdefault(own, [])
    return _branch((), branches)


def _branch(path: tuple[int, ...], branches: _Branches) -> tuple[Layer, ...]:
    return tuple(
        replace(layer, children=_branch(own, branches)) if layer.kind is LayerKind.GROUP else layer
        for layer, own in branches.pop(path, [])
    )


def _records(source: Source, parasites: tuple[Parasite, ...], damage: list[Damage]) -> list[Record]:
    """Take the parasites of the image as records; GIMP writes text with a null at its end.

    Of two with one name the later counts, as in GIMP: some versions write them twice.
    """
    last = {parasite.name: parasite for parasite in parasites}
    records = []
    budget = MAX_RECORDS_BYTES
    for parasite in last.values():
        if parasite.size_bytes > min(_MAX_PARASITE_BYTES, budget):
            damage.append(Damage(f"parasite {parasite.name}", f"{parasite.size_bytes} bytes are too many"))
            continue
        budget -= parasite.size_bytes
        raw = Cursor(source, parasite.at).take(parasite.size_bytes)
        records.append(_record(parasite, raw))
    return records


def _record(parasite: Parasite, raw: bytes) -> Record:
    place = f"parasite:{parasite.name}"
    try:
        text = raw.rstrip(b"\0").decode()
    except UnicodeDecodeError:
        return Record("xcf", place, parasite.name, raw, None, parasite.at)
    return Record("xcf", place, parasite.name, raw, text, parasite.at, "utf-8")


def _comments(records: list[Record]) -> Iterator[Claim]:
    for record in records:
        if record.key == _COMMENT and record.text:
            yield Claim("comment", record.text, record.place)
