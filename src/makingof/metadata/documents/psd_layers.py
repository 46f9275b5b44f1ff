"""The layer records of a PSD: names, order, groups, and where each layer's pixels lie."""

import struct
from dataclasses import replace
from typing import NamedTuple

from makingof.containers.source import Cursor
from makingof.errors import MalformedError
from makingof.metadata.documents.document import Layer, LayerKind
from makingof.metadata.documents.psd_blocks import Block, Blocks, read_blocks, unicode_text
from makingof.metadata.documents.stored import Span

MAX_CHANNELS = 128  # Photoshop allows 56
MAX_LAYER_BLOCKS = 200
MAX_BLOCKS = 300_000  # of all layers together
MAX_DEPTH = 100  # Photoshop allows 10 groups in groups
MAX_NAME_BYTES = 64 << 10
_MAX_METADATA_BYTES = 1 << 20

_HIDDEN = 0x02
_GROUP_OPEN, _GROUP_CLOSED, _GROUP_END = 1, 2, 3
_LAYER_TIME = b"layerTimedoub"

_TEXT = frozenset({b"TySh", b"tySh"})
_FILLS = frozenset({b"SoCo", b"GdFl", b"PtFl"})
_EMBEDDED = frozenset({b"SoLd", b"SoLE", b"PlLd", b"plLd"})
_ADJUSTMENTS = frozenset(
    {
        b"brit", b"levl", b"curv", b"expA", b"vibA", b"hue ", b"hue2", b"blnc", b"blwh", b"phfl", b"mixr",
        b"clrL", b"nvrt", b"post", b"thrs", b"grdm", b"selc", b"CgEd",
    }
)  # fmt: skip
_VECTORS = frozenset({b"vscg", b"vstk"})

_rectangle = struct.Struct(">iiii")
_channel = struct.Struct(">hI")
_wide_channel = struct.Struct(">hQ")
_blend = struct.Struct(">4s4sBBBB")


class LayerTable(NamedTuple):
    """The tree, topmost first, how many records are claimed, and what was wrong."""

    layers: tuple[Layer, ...]
    claimed: int
    damage: list[str]


class _Record(NamedTuple):
    layer: Layer
    divider: int  # lsct: 0 no group, 1 and 2 a group's head, 3 its end
    pixel_bytes: int
    blocks: int


def read_layer_table(cursor: Cursor, container: str, *, wide: bool) -> LayerTable:
    """Read every record; a damaged one ends the list, those before it stay.

    Photoshop writes from the bottom up. A negative count says that the first
    channel of the merged picture is its transparency, and nothing about layers.
    """
    damage: list[str] = []
    try:
        count = abs(int.from_bytes(cursor.take(2), "big", signed=True))
    except MalformedError as err:
        return LayerTable((), 0, [str(err)])
    records: list[_Record] = []
    budget = MAX_BLOCKS
    for number in range(count):
        try:
            record = _record(cursor, min(budget, MAX_LAYER_BLOCKS), damage, wide=wide)
        except MalformedError as err:
            damage.append(f"layer {number + 1} of {count}, counted from the bottom: {err}")
            break
        records.append(record)
        budget -= record.blocks
    if len(records) == count:
        records = _placed(records, cursor, container, damage)
    return LayerTable(_tree(records, damage), count, damage)


def _record(cursor: Cursor, limit: int, damage: list[str], *, wide: bool) -> _Record:
    top, left, bottom, right = _rectangle.unpack(cursor.take(_rectangle.size))
    channels = cursor.u16()
    if channels > MAX_CHANNELS:
        message = f"layer claims {channels} channels"
        raise MalformedError(message)
    shape = _wide_channel if wide else _channel
    lengths = shape.iter_unpack(cursor.take(channels * shape.size))
    pixel_bytes = sum(length for _, length in lengths)
    signature, blend, opacity, _, flags, _ = _blend.unpack(cursor.take(_blend.size))
    if signature != b"8BIM":
        message = f"layer record has no signature at offset {cursor.at - _blend.size}"
        raise MalformedError(message)
    extra = cursor.part(cursor.u32())
    mask_bytes = extra.u32()
    extra.skip(mask_bytes)
    extra.skip(extra.u32())
    old_name = _old_name(extra)
    blocks = read_blocks(extra, wide=wide, limit=limit)
    name = _name(blocks, cursor, old_name)
    if blocks.damage:
        damage.append(f"layer {name!r}: {blocks.damage}")
    divider = _divider(blocks, cursor)
    layer = Layer(
        name=name,
        kind=_kind(blocks, divider),
        visible=not flags & _HIDDEN,
        opacity=f"{opacity}/255",
        blend=blend.decode("latin-1").rstrip(),
        id=_id(blocks, cursor),
        at=(left, top),
        size=(right - left, bottom - top),
        masks=("",) if mask_bytes else (),
        made_at=_made_at(blocks, cursor),
    )
    return _Record(layer, divider, pixel_bytes, len(blocks.blocks))


def _old_name(extra: Cursor) -> str:
    """The name as it was before Unicode, in the code page of the writer's system: a last resort.

    Padded to a multiple of four with its length byte.
    """
    length = extra.u8()
    raw = extra.take(length)
    extra.skip(min(-(length + 1) % 4, extra.left))
    try:
        return raw.decode().rstrip("\0")
    except UnicodeDecodeError:
        return raw.decode("mac-roman").rstrip("\0")


def _name(blocks: Blocks, cursor: Cursor, old_name: str) -> str:
    block = blocks.find(b"luni")
    if block is None or block.size_bytes > MAX_NAME_BYTES:
        return old_name
    return unicode_text(_payload(cursor, block)) or old_name


def _divider(blocks: Blocks, cursor: Cursor) -> int:
    """Read the section divider; `lsdk` takes its place in groups nested more than five deep."""
    block = blocks.find(b"lsct", b"lsdk")
    if block is None or block.size_bytes < 4:  # noqa: PLR2004 - one number of 32 bits
        return 0
    return int.from_bytes(_payload(cursor, block)[:4], "big")


def _id(blocks: Blocks, cursor: Cursor) -> str | None:
    block = blocks.find(b"lyid")
    if block is None or block.size_bytes != 4:  # noqa: PLR2004 - one number of 32 bits
        return None
    return str(int.from_bytes(_payload(cursor, block), "big"))


def _made_at(blocks: Blocks, cursor: Cursor) -> str | None:
    """Find `layerTime`, seconds since 1970, in the descriptor Photoshop keeps with a layer."""
    block = blocks.find(b"shmd")
    if block is None or block.size_bytes > _MAX_METADATA_BYTES:
        return None
    payload = _payload(cursor, block)
    at = payload.find(_LAYER_TIME)
    raw = payload[at + len(_LAYER_TIME) :][:8]
    if at < 0 or len(raw) != 8:  # noqa: PLR2004 - one double
        return None
    return repr(struct.unpack(">d", raw)[0])


def _payload(cursor: Cursor, block: Block) -> bytes:
    return Cursor(cursor.source, block.at).take(block.size_bytes)


def _kind(blocks: Blocks, divider: int) -> LayerKind:
    if divider in (_GROUP_OPEN, _GROUP_CLOSED):
        return LayerKind.GROUP
    keys = {block.key for block in blocks.blocks}
    for wanted, kind in (
        (_TEXT, LayerKind.TEXT),
        (_EMBEDDED, LayerKind.EMBEDDED),
        (_ADJUSTMENTS, LayerKind.ADJUSTMENT),
        (_VECTORS, LayerKind.VECTOR),  # before fills: a shape is a fill with an outline
        (_FILLS, LayerKind.FILL),
    ):
        if not keys.isdisjoint(wanted):
            return kind
    return LayerKind.PAINT


def _placed(records: list[_Record], cursor: Cursor, container: str, damage: list[str]) -> list[_Record]:
    """Say where each layer's pixels lie: behind the records, in the same order, nothing between."""
    placed: list[_Record] = []
    at = cursor.at
    for number, record in enumerate(records):
        if at + record.pixel_bytes > cursor.end:
            damage.append(
                f"pixels of layer {record.layer.name!r} and {len(records) - number - 1} above it are cut off"
            )
            return placed + records[number:]
        span = Span(container, f"layer {number}", at, record.pixel_bytes)
        layer = replace(record.layer, stored=span)
        placed.append(record._replace(layer=layer))
        at += record.pixel_bytes
    return placed


def _tree(records: list[_Record], damage: list[str]) -> tuple[Layer, ...]:
    """Build the tree from the top down: a group's head comes first, its end last."""
    open_groups: list[tuple[Layer | None, list[Layer]]] = [(None, [])]
    too_deep = 0  # groups open beyond the limit: their layers are listed, their nesting is not
    for record in reversed(records):
        layer, divider = record.layer, record.divider
        if divider in (_GROUP_OPEN, _GROUP_CLOSED):
            if len(open_groups) > MAX_DEPTH:
                too_deep += 1
                open_groups[-1][1].append(layer)
            else:
                open_groups.append((layer, []))
        elif divider != _GROUP_END:
            open_groups[-1][1].append(layer)
        elif too_deep:
            too_deep -= 1
        elif len(open_groups) > 1:
            _close(open_groups)
        else:
            damage.append("a group ends that has not begun")
    if len(open_groups) > 1:
        damage.append(f"{len(open_groups) - 1 + too_deep} groups do not end")
    while len(open_groups) > 1:
        _close(open_groups)
    return tuple(open_groups[0][1])


def _close(open_groups: list[tuple[Layer | None, list[Layer]]]) -> None:
    head, children = open_groups.pop()
    if head is not None:
        open_groups[-1][1].append(replace(head, children=tuple(children)))
