"""Drafts for the demonstration: a cat pendant, drawn by this script and by no model.

Each draft carries the text a Stable Diffusion web UI would write, with a last
line that says what it is, so that nobody takes one for the output of a model.
"""

import math
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, PngImagePlugin

_SIDE = 384
_NEGATIVE = "text, watermark, blurry, extra paws"
_TOOL = (
    "Steps: 28, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: {guidance}, Seed: {seed}, "
    "Size: 384x384, Model hash: 0000000000, Model: makingof-demonstration, "
    "Version: v1.10.1-demonstration"
)


@dataclass(frozen=True, slots=True)
class DraftPicture:
    """What one draft was asked for, and how it looks."""

    name: str
    prompt: str
    seed: int
    guidance: str
    gem: tuple[int, int, int]
    sky: tuple[tuple[int, int, int], tuple[int, int, int]]
    tilt: float


DRAFTS = (
    DraftPicture(
        "draft-1.png",
        "a cat pendant made of crystal, silver chain, dusk light",
        1001, "7", (150, 190, 230), ((60, 60, 100), (220, 150, 120)), 0.0,
    ),
    DraftPicture(
        "draft-2.png",
        "a sitting cat pendant made of crystal, silver chain, dusk light, (facets:1.2)",
        1001, "7", (170, 160, 235), ((50, 50, 110), (235, 160, 110)), 0.12,
    ),
    DraftPicture(
        "draft-3.png",
        "a sitting cat pendant made of rose crystal, thin gold chain, dusk light, (facets:1.3)",
        1002, "6.5", (235, 150, 170), ((70, 40, 90), (250, 180, 130)), -0.1,
    ),
    DraftPicture(
        "draft-4.png",
        "a sitting cat pendant made of rose crystal, thin gold chain, morning light, (facets:1.3)",
        1003, "6.5", (240, 170, 160), ((120, 160, 210), (250, 220, 190)), 0.05,
    ),
)  # fmt: skip


def write_drafts(folder: Path) -> list[Path]:
    """Write every draft into `folder` as a PNG with its record."""
    paths = []
    for draft in DRAFTS:
        info = PngImagePlugin.PngInfo()
        settings = _TOOL.format(guidance=draft.guidance, seed=draft.seed)
        info.add_text("parameters", f"{draft.prompt}\nNegative prompt: {_NEGATIVE}\n{settings}")
        info.add_text("Comment", "Demonstration of makingof: drawn by a script, not by a model.")
        path = folder / draft.name
        draw(draft).save(path, pnginfo=info)
        paths.append(path)
    return paths


def write_edit(source: Path, target: Path) -> None:
    """Paint a small highlight onto a draft and save it without any record, as an editor does."""
    with Image.open(source) as opened:
        picture = opened.convert("RGB")
    brush = ImageDraw.Draw(picture)
    brush.ellipse((214, 196, 226, 208), fill=(255, 255, 255))
    brush.line((220, 184, 220, 220), fill=(255, 255, 255), width=2)
    brush.line((202, 202, 238, 202), fill=(255, 255, 255), width=2)
    picture.save(target)


def draw(draft: DraftPicture) -> Image.Image:
    """Draw the pendant at twice its size and shrink it, so that edges are smooth."""
    side = _SIDE * 2
    picture = _sky(side, *draft.sky)
    brush = ImageDraw.Draw(picture)
    middle = side / 2
    chain = tuple(min(255, int(part * 0.55 + 110)) for part in (230, 200, 140))
    for end in (-0.42, 0.42):
        _chain(brush, (middle + end * side, 0), (middle, side * 0.30), chain)
    brush.ellipse((middle - 14, side * 0.28, middle + 14, side * 0.28 + 28), outline=chain, width=6)
    _cat(brush, middle, side, draft)
    return picture.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)


def _sky(side: int, top: tuple[int, int, int], bottom: tuple[int, int, int]) -> Image.Image:
    column = Image.new("RGB", (1, side))
    for row in range(side):
        share = row / (side - 1)
        column.putpixel((0, row), tuple(round(a + (b - a) * share) for a, b in zip(top, bottom, strict=True)))
    return column.resize((side, side))


def _chain(
    brush: ImageDraw.ImageDraw, start: tuple[float, float], end: tuple[float, float], colour: tuple[int, ...]
) -> None:
    links = 22
    for link in range(links):
        share = link / links
        x = start[0] + (end[0] - start[0]) * share
        y = start[1] + (end[1] - start[1]) * share + 40 * math.sin(math.pi * share)
        brush.ellipse((x - 7, y - 5, x + 7, y + 5), outline=colour, width=3)


def _cat(brush: ImageDraw.ImageDraw, middle: float, side: int, draft: DraftPicture) -> None:
    """A sitting cat as facets: body, head, ears and tail, each a fan of triangles in shades of the gem."""
    lean = draft.tilt * side * 0.2
    _facets(brush, (middle, side * 0.66), (side * 0.15, side * 0.20), 9, draft.gem, lean)
    _facets(brush, (middle + lean, side * 0.43), (side * 0.115, side * 0.10), 8, draft.gem, 0)
    for ear in (-1, 1):
        tip = (middle + lean + ear * side * 0.10, side * 0.30)
        foot = middle + lean + ear * side * 0.03
        brush.polygon(
            [tip, (foot, side * 0.36), (foot + ear * side * 0.075, side * 0.40)], fill=_shade(draft.gem, 1.1)
        )
        eye = middle + lean + ear * side * 0.042
        brush.ellipse((eye - 9, side * 0.42, eye + 9, side * 0.42 + 20), fill=(40, 30, 50))
    tail = [(middle + side * 0.14 + 60 * math.sin(step / 9), side * 0.83 - step * 9) for step in range(26)]
    brush.line(tail, fill=_shade(draft.gem, 0.8), width=22, joint="curve")


def _facets(
    brush: ImageDraw.ImageDraw,
    centre: tuple[float, float],
    radius: tuple[float, float],
    count: int,
    gem: tuple[int, int, int],
    lean: float,
) -> None:
    corners = []
    for number in range(count):
        angle = 2 * math.pi * number / count
        height = math.sin(angle)
        x = centre[0] + radius[0] * math.cos(angle) - lean * height
        corners.append((x, centre[1] + radius[1] * height))
    for number, corner in enumerate(corners):
        shade = 0.75 + 0.5 * ((number * 3) % count) / count
        brush.polygon([centre, corner, corners[(number + 1) % count]], fill=_shade(gem, shade))


def _shade(colour: tuple[int, int, int], share: float) -> tuple[int, int, int]:
    red, green, blue = (min(255, round(part * share)) for part in colour)
    return red, green, blue
