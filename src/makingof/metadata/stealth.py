"""Stealth PNG info: a record hidden in the lowest bits of the pixels.

It survives tools that strip metadata, and dies in JPEG and in any change of pixels.
Looking for it decodes the picture, so nobody does it in passing: `read_stealth` is
asked where a lossless picture says nothing else, or on demand.
"""

import io
import zlib
from typing import TYPE_CHECKING

from makingof.containers.inflate import inflate
from makingof.containers.source import Source
from makingof.errors import MalformedError
from makingof.metadata.record import Record

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 64_000_000
_SIGNATURE_BYTES = 15
_MODES = {
    b"stealth_pnginfo": ("alpha", False),
    b"stealth_pngcomp": ("alpha", True),
    b"stealth_rgbinfo": ("rgb", False),
    b"stealth_rgbcomp": ("rgb", True),
}
_LENGTH_BITS = 32


def find_stealth(data: Source, container: str) -> Record | None:
    """Look for a hidden record; None where there is none.

    A picture that cannot be decoded, a length beyond the pixels or a payload that does
    not unpack is a `MalformedError`. The record has no span: its bits lie in the pixels.
    """
    image = open_picture(data)
    for channels in ("alpha", "rgb"):
        if channels == "alpha" and "A" not in image.getbands():
            continue
        bits = _Bits(image, channels)
        mode = _MODES.get(bits.take_bytes(_SIGNATURE_BYTES * 8))
        if mode is not None and mode[0] == channels:
            return _record(bits, container, *mode)
    return None


def open_picture(data: Source) -> "Image":
    """Decode a picture of at most `MAX_PIXELS`; what Pillow refuses is a `MalformedError`."""
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - Pillow is loaded only where pixels are asked for

    try:
        image = Image.open(io.BytesIO(data[0 : len(data)]))
        if image.width * image.height > MAX_PIXELS:
            message = f"picture of {image.width} x {image.height} pixels is larger than is decoded here"
            raise MalformedError(message)
        image.load()
    except (
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        zlib.error,
        UnidentifiedImageError,
        Image.DecompressionBombError,
    ) as err:
        message = f"picture does not decode: {err}"
        raise MalformedError(message) from err
    return image


def _record(bits: "_Bits", container: str, channels: str, packed: bool) -> Record:  # noqa: FBT001 - from a table
    length = int.from_bytes(bits.take_bytes(_LENGTH_BITS), "big")
    if length > bits.left:
        message = f"hidden record claims {length} bits and the picture has {bits.left}"
        raise MalformedError(message)
    raw = bits.take_bytes(length)
    text = inflate(raw) if packed else raw
    place = f"pixels:{channels}"
    try:
        return Record(container, place, "stealth", raw, text.decode(), None, "utf-8")
    except UnicodeDecodeError:
        return Record(container, place, "stealth", raw, text.decode("latin-1"), None, "latin-1")


class _Bits:
    """Lowest bits of a picture's channels, column by column, as bytes on demand."""

    def __init__(self, image: "Image", channels: str) -> None:
        # Pillow walks rows; a transposed picture's rows are the columns.
        from PIL import Image  # noqa: PLC0415 - see open_picture

        turned = image.transpose(Image.Transpose.TRANSPOSE)
        plane = turned.getchannel("A") if channels == "alpha" else turned.convert("RGB")
        self._plane = plane.tobytes()
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._plane) - self._at

    def take_bytes(self, bits: int) -> bytes:
        """Pack the next bits, most significant first; a last part of a byte is dropped."""
        part = self._plane[self._at : self._at + bits // 8 * 8]
        self._at += bits
        lowest = part.translate(_LOWEST)
        return (
            int(lowest or b"0", 2).to_bytes(len(lowest) // 8, "big")
            if len(lowest) < _SMALL_BITS
            else _pack(lowest)
        )


_SMALL_BITS = 4_096
_LOWEST = bytes(ord("0") + (byte & 1) for byte in range(256))


def _pack(digits: bytes) -> bytes:
    """Turn a long row of binary digits into bytes, in parts: `int` is quadratic in its digits."""
    parts = [digits[at : at + _SMALL_BITS] for at in range(0, len(digits), _SMALL_BITS)]
    return b"".join([int(part, 2).to_bytes(len(part) // 8, "big") for part in parts])
