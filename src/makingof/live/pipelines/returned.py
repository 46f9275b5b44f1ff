"""What a pipeline gave back: pictures as pixels, which become files only here.

A pipeline writes no file. The bytes recorded are a PNG of the pixels it returned, made by
us; a file the program saves itself has other bytes, and that both hold the same pixels is
found later.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from makingof.live.pipelines.copies import Array, Picture, Room, copy_of, is_array, is_picture, plain
from makingof.spool.carried import Json

MAX_PICTURES = 256
FILES_ARE = "PNG made by makingof of the pixels the pipeline returned; the pipeline itself writes no file"
ROUNDED = "values from 0 to 1 rounded to 8 bits, as diffusers does it"
_COMPRESSION = 1  # deflating harder costs ten times as much and saves a tenth
_BATCH_DIMENSIONS = 4
_CHANNELS = {1: "L", 3: "RGB", 4: "RGBA"}


@dataclass(slots=True)
class Returned:
    """Copies of what one call returned."""

    pictures: Sequence[Picture | Array]
    flags: Any = None  # nsfw_content_detected, as returned
    latents: bool = False
    kind: str = ""  # the class of the result
    left_out: int = 0
    files: list[Json] = field(default_factory=list)
    facts: Json = field(default_factory=dict)

    def has_pictures(self) -> bool:
        """Tell whether there is anything that can become a picture."""
        kept = (item.image if isinstance(item, Picture) else item.values for item in self.pictures)
        return not self.latents and any(values is not None for values in kept)

    def write_files(self) -> None:
        """Make the files, numbered as returned, and the facts that say what they are; slow."""
        self.facts |= {"returned": self.kind, "nsfw_content_detected": plain(self.flags)}
        arrays = [str(item) for item in self.pictures if isinstance(item, Array)]
        if arrays:
            self.facts["arrays"] = arrays
        if self.latents:
            self.facts["latents"] = True
            return
        images = [image for item in self.pictures for image in _images(item)]
        for number, image in enumerate(images[:MAX_PICTURES]):
            data = None if image is None else _png(image)
            if data is not None:
                name = f"{number:04d}.png"
                self.files.append({"bytes": data, "role": "output", "name": name, "number": number})
        self.left_out = len(images) - len(self.files)
        self.facts |= {"files_are": FILES_ARE} | ({"rounded": ROUNDED} if arrays else {})


def take(result: Any, output_type: Any, room: Room) -> Returned:
    """Copy the pictures out of what a pipeline returned; in the program's thread, so nothing is encoded."""
    found, flags = _find(result)
    copies = [copy_of(item, room) for item in _leaves(found)]
    return Returned(
        pictures=[item for item in copies if isinstance(item, (Picture, Array))],
        flags=flags if flags is None or isinstance(flags, bool) else copy_of(flags, room),
        latents=output_type == "latent",
        kind=type(result).__name__,
    )


def input_file(picture: Picture, role: str, name: str) -> Json | None:
    """Make a file of a picture the pipeline was given; None where it was not kept."""
    data = None if picture.image is None else _png(picture.image)
    return None if data is None else {"bytes": data, "role": role, "name": f"{name}.png"}


def _find(result: Any) -> tuple[Any, Any]:
    """Return the pictures and the flags, whichever of its ways the library returns them in."""
    if isinstance(result, tuple):
        return (result[0] if result else None), (result[1] if len(result) > 1 else None)
    flags = getattr(result, "nsfw_content_detected", None)
    for name in ("images", "frames", "image"):
        if (found := getattr(result, name, None)) is not None:
            return found, flags
    values = getattr(result, "values", None)  # a modular pipeline's state
    if isinstance(values, dict):
        return values.get("images"), values.get("nsfw_content_detected")
    return result, flags


def _leaves(found: Any) -> Iterator[Any]:
    if is_picture(found) or is_array(found):
        yield found
    elif isinstance(found, (list, tuple)):
        for item in found[: MAX_PICTURES + 1]:
            yield from _leaves(item)


def _images(item: Picture | Array) -> Iterator[Any]:
    """Yield pictures of Pillow's; None for each that was not kept or is none."""
    if isinstance(item, Picture):
        yield item.image
    elif len(item.shape) > _BATCH_DIMENSIONS or item.values is None:
        yield None
    elif len(item.shape) == _BATCH_DIMENSIONS:
        for values in item.values:
            yield _image(values)
    else:
        yield _image(item.values)


def _image(values: Any) -> Any:
    """Make a picture of an array of one: height, width, channels; a tensor has the channels first."""
    from PIL import Image  # noqa: PLC0415 - loaded only where pixels are handled

    if hasattr(values, "detach"):
        if len(values.shape) == 3:  # noqa: PLR2004
            values = values.permute(1, 2, 0)
        values = _eight_bits_of_tensor(values)
    elif str(values.dtype) != "uint8":
        values = _eight_bits_of_array(values)
    mode = _CHANNELS.get(values.shape[2]) if len(values.shape) == 3 else "L"  # noqa: PLR2004
    if mode is None or len(values.shape) not in (2, 3):
        return None
    size = (int(values.shape[1]), int(values.shape[0]))
    return Image.frombytes(mode, size, bytes(values.tobytes()))


def _eight_bits_of_tensor(values: Any) -> Any:
    torch = sys.modules["torch"]
    if values.dtype is not torch.uint8:
        values = (values.float().nan_to_num(0.0) * 255).round().clamp(0, 255).to(torch.uint8)
    return values.contiguous().numpy()


def _eight_bits_of_array(values: Any) -> Any:
    values = values.astype("float32")
    values[values != values] = 0.0  # noqa: PLR0124 - not a number: what failed half way is black, as diffusers shows it
    return (values * 255).round().clip(0, 255).astype("uint8")


def _png(image: Any) -> bytes | None:
    """Encode a picture; None for what PNG has no form for."""
    data = BytesIO()
    try:
        image.save(data, "PNG", compress_level=_COMPRESSION)
    except (OSError, ValueError):
        return None
    return data.getvalue()
