"""Pictures to measure with: noise of a size one chooses, with the records two generators write."""

import json
import random
import shutil
import zlib
from pathlib import Path

from tests.records import infotext, png, text_to_image, workflow_of

SMALL = 365  # noise of 365 × 365 pixels does not shrink: some 400 kB
LARGE = 816  # some 2 MB, as generators save 1024 × 1024 pixels
_WORDS = (
    "studio product photo of a jade pendant shaped as a sleeping cat on dark silk",
    "翡翠猫咪吊坠，丝绸背景，柔和的侧光",
    "watercolour harbour at dusk, boats, long reflections",
)
_NEGATIVE = "blurry, watermark, text, low quality"


def make_corpus(folder: Path, count: int, side: int = SMALL) -> list[Path]:
    """Return `count` different PNG files, every other one from A1111 and from ComfyUI; made once."""
    ready = folder / f"{count}.ready"
    if not ready.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for number in range(count):
            (folder / f"{number:05}.png").write_bytes(_picture(number, side))
        ready.touch()
    return sorted(folder.glob("*.png"))


def _picture(number: int, side: int) -> bytes:
    drawn = random.Random(number)  # noqa: S311 - the same pictures in every run
    rows = b"".join(b"\0" + drawn.randbytes(3 * side) for _ in range(side))
    packed = zlib.compress(rows, 0)
    return png(_records(number), width=side, height=side, packed_pixels=packed)


def _records(number: int) -> dict[str, str]:
    prompt = f"{_WORDS[number % len(_WORDS)]}, variation {number}"
    if number % 2:
        return {"parameters": infotext(prompt, _NEGATIVE, Seed=1_000_000 + number)}
    graph = text_to_image(prompt, _NEGATIVE, seed=1_000_000 + number)
    return {"prompt": json.dumps(graph), "workflow": json.dumps(workflow_of(graph))}
