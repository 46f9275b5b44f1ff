"""A small drawing, told once and written in every format: what a reader must give back.

Topmost layer first, as on screen. All writers beside this file follow the formats'
own rules; `procreate` and `clipstudio` are synthesised, since those programs do not
run here and none of their files was to be had.
"""

import io
from dataclasses import dataclass

from PIL import Image

WIDTH, HEIGHT = 96, 80


@dataclass(frozen=True)
class Drawn:
    """One layer, or a group where `children` is not None."""

    name: str
    colour: tuple[int, int, int, int] = (200, 60, 30, 255)
    at: tuple[int, int] = (0, 0)
    size: tuple[int, int] = (WIDTH, HEIGHT)
    visible: bool = True
    opacity: int = 255
    children: tuple["Drawn", ...] | None = None
    mask: str | None = None
    id: int = 0

    def pixels(self) -> bytes:
        return bytes(self.colour) * (self.size[0] * self.size[1])


DRAWING = (
    Drawn("题字", colour=(10, 10, 10, 255), at=(8, 8), size=(40, 16), opacity=128, id=11),
    Drawn(
        "修改 retouch",
        id=12,
        children=(
            Drawn("hand", colour=(250, 200, 180, 255), at=(20, 30), size=(16, 16), visible=False, id=13),
            Drawn(
                "光 light",
                id=14,
                children=(Drawn("glow", colour=(255, 255, 90, 200), at=(0, 0), size=(64, 64), id=15),),
            ),
        ),
    ),
    Drawn("generated", colour=(60, 90, 160, 255), id=16),
)


def names(layers, depth=0):
    """Flatten a tree of `Drawn` or `Layer` to (depth, name), from the top down."""
    for layer in layers:
        yield depth, layer.name
        yield from names(layer.children or (), depth + 1)


def walk(layers):
    for layer in layers:
        yield layer
        yield from walk(layer.children or ())


def merged(layers=DRAWING) -> Image.Image:
    """Paint the visible layers over each other."""
    canvas = Image.new("RGBA", (WIDTH, HEIGHT), (0, 0, 0, 0))
    for layer in reversed(layers):
        if not layer.visible:
            continue
        if layer.children is not None:
            canvas.alpha_composite(merged(layer.children))
            continue
        sheet = Image.new("RGBA", (WIDTH, HEIGHT), (0, 0, 0, 0))
        *colour, alpha = layer.colour
        sheet.paste((*colour, alpha * layer.opacity // 255), (*layer.at, *_corner(layer)))
        canvas.alpha_composite(sheet)
    return canvas


def _corner(layer: Drawn) -> tuple[int, int]:
    return layer.at[0] + layer.size[0], layer.at[1] + layer.size[1]


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
