"""The tree of layers in a Clip Studio database: first child, next sibling, from the bottom up."""

from typing import TypeAlias

from makingof.metadata.documents.database import Database, Row, Value
from makingof.metadata.documents.document import Damage, Layer, LayerKind

MAX_DEPTH = 100
_COLUMNS = (
    "MainId",
    "LayerName",
    "LayerType",
    "LayerFolder",
    "LayerVisibility",
    "LayerOpacity",
    "LayerComposite",
    "LayerUuid",
    "LayerOffsetX",
    "LayerOffsetY",
    "LayerLayerMaskMipmap",
    "LayerNextIndex",
    "LayerFirstChildIndex",
    "TextLayerType",
    "VectorNormalType",
    "ResizableOriginalMipmap",
)
_PIXEL, _CORRECTION, _PAPER = 1, 4096, 1584
_FOLDER = 1
_VISIBLE = 1
_OPAQUE = 256

_Rows: TypeAlias = dict[int, Row]


def read_clip_layers(database: Database, canvas: Row) -> tuple[tuple[Layer, ...], list[Damage]]:
    """Build the tree below the canvas's root folder, which itself is no layer.

    Links that lead in a ring, twice to one layer or nowhere are cut and said;
    layers that nothing leads to are counted.
    """
    rows = {
        row["MainId"]: row
        for row in database.rows("Layer", _COLUMNS, "MainId")
        if isinstance(row["MainId"], int)
    }
    reader = _Tree(rows)
    root = canvas.get("CanvasRootFolder")
    top = rows.get(root) if isinstance(root, int) else None
    if top is None:
        if rows:
            reader.damage.append(Damage("Layer", f"root folder {root!r} is not there"))
        return (), reader.damage
    reader.seen.add(int(root) if isinstance(root, int) else 0)
    layers = reader.branch(top["LayerFirstChildIndex"], 1)
    lost = len(rows) - len(reader.seen)
    if lost:
        reader.damage.append(Damage("Layer", f"layers that hang on nothing and are not listed: {lost}"))
    return layers, reader.damage


class _Tree:
    """Follows links, each layer once."""

    def __init__(self, rows: _Rows) -> None:
        self._rows = rows
        self.seen: set[int] = set()
        self.damage: list[Damage] = []

    def branch(self, first: Value, depth: int) -> tuple[Layer, ...]:
        """Read siblings from `first` on and return them topmost first."""
        layers = []
        link = first
        while isinstance(link, int) and link:
            row = self._rows.get(link)
            if row is None or link in self.seen or depth > MAX_DEPTH:
                self.damage.append(Damage(f"Layer {link}", "a link leads nowhere, in a ring or too deep"))
                break
            self.seen.add(link)
            layers.append(_layer(row, self.branch(row["LayerFirstChildIndex"], depth + 1)))
            link = row["LayerNextIndex"]
        return tuple(reversed(layers))


def _layer(row: Row, children: tuple[Layer, ...]) -> Layer:
    visibility, opacity, blend = row["LayerVisibility"], row["LayerOpacity"], row["LayerComposite"]
    identity = row["LayerUuid"] or row["MainId"]
    return Layer(
        name=row["LayerName"] if isinstance(row["LayerName"], str) else "",
        kind=_kind(row),
        visible=bool(visibility & _VISIBLE) if isinstance(visibility, int) else None,
        opacity=f"{opacity}/{_OPAQUE}" if isinstance(opacity, int) else None,
        blend=None if blend is None else str(blend),
        id=None if identity is None else str(identity),
        at=_at(row),
        masks=("",) if row["LayerLayerMaskMipmap"] else (),
        children=children,
    )


def _at(row: Row) -> tuple[int, int] | None:
    x, y = row["LayerOffsetX"], row["LayerOffsetY"]
    return (x, y) if isinstance(x, int) and isinstance(y, int) else None


def _kind(row: Row) -> LayerKind:
    """Tell by the columns that are filled; `LayerType` is a set of flags."""
    flags = row["LayerType"] if isinstance(row["LayerType"], int) else 0
    folder = row["LayerFolder"] if isinstance(row["LayerFolder"], int) else 0
    for is_so, kind in (
        (flags == _PAPER, LayerKind.FILL),
        (folder & _FOLDER, LayerKind.GROUP),
        (row["TextLayerType"] is not None, LayerKind.TEXT),
        (flags & _CORRECTION, LayerKind.ADJUSTMENT),
        (flags & _PIXEL, LayerKind.PAINT),
        (row["VectorNormalType"] is not None, LayerKind.VECTOR),
        (row["ResizableOriginalMipmap"], LayerKind.EMBEDDED),
    ):
        if is_so:
            return kind
    return LayerKind.OTHER
