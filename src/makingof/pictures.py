"""Pixels: how large a picture is, a small copy of it, and how much two pictures differ.

`find_size` reads a few header bytes and nothing else. The other two decode, with
Pillow, which is loaded only then: nothing on the way from a generator to the
store decodes anything. What a damaged or hostile picture makes Pillow do is a
`MalformedError`; how many pixels are decoded at most is the caller's to say.

Values hold counts, never fractions, so that they can be recorded as they are.
"""

import hashlib
import mmap
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from itertools import islice
from types import ModuleType
from typing import TYPE_CHECKING

from makingof.errors import MalformedError

if TYPE_CHECKING:
    from PIL.Image import Image

THRESHOLD = 8  # of 255: what a JPEG saved again changes by itself, and an eye does not see
MAX_PIXELS = 1 << 27

Data = bytes | memoryview | mmap.mmap
Size = tuple[int, int]

_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "AVIF", "PSD")
_PIXEL_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_MOST_SEGMENTS = 1 << 16
_JPEG_QUALITY = 85
_MARKER_PREFIX = 0xFF  # and fill byte: any number may stand before a marker (T.81 B.1.1.2)
_START_OF_SCAN = 0xDA
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0…SOF15 without DHT, JPG, DAC
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # TEM, RSTn, SOI have no length


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of pixels; `right` and `bottom` are the first column and row outside."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True)
class Difference:
    """How two pictures differ as they are seen.

    Where they have different sizes nothing can be counted pixel by pixel, and
    `differing`, `unequal` and `box` are None.
    """

    size_before: Size
    size_after: Size
    total: int  # pixels of the picture after
    differing: int | None = None  # pixels of which some channel differs by more than the threshold
    unequal: int | None = None  # pixels that differ at all
    box: Box | None = (
        None  # where those that differ by more than the threshold lie; None where there are none
    )

    @property
    def same_size(self) -> bool:
        """Whether pixels could be compared."""
        return self.size_before == self.size_after


def find_size(data: Data) -> Size | None:
    """Return width and height as stored, from the header alone, or None for what is no picture known here.

    An orientation written beside the pixels is not applied. A header that
    breaks off or has no pixels is a `MalformedError`.
    """
    head = bytes(data[:32])
    for magic, find in _FINDERS.items():
        if head.startswith(magic):
            return _positive(find(data))
    if head[4:8] == b"ftyp" and (b"avif" in head[8:] or b"avis" in head[8:]):
        return _positive(_opened_size(data))
    return None


def thumbnail(data: Data, *, longest: int, max_pixels: int = MAX_PIXELS) -> bytes:
    """Return a JPEG of at most `longest` pixels a side, upright, on white, holding pixels and nothing else.

    No text, profile or embedded preview comes along, nor what is hidden in the lowest bits of
    pixels; colours are the stored numbers without their profile. The same
    picture gives the same bytes as long as Pillow is the same.
    """
    with _decoded(data, max_pixels, draft=longest * 2) as image:
        small = _eight_bit(image)
        small.thumbnail((longest, longest))
        flat = _on_white(_upright(small))
        flat.info.clear()  # the writer would take a comment or a profile from there
        out = BytesIO()
        flat.save(out, "JPEG", quality=_JPEG_QUALITY, subsampling=0, optimize=False, progressive=False)
        return out.getvalue()


def md5_of_pixels(data: Data, *, max_pixels: int = MAX_PIXELS) -> str:
    """Return the MD5 of the decoded pixels, in hex, as Pillow lays them out: how A1111 names a picture.

    It tells pictures apart that nobody forged; what cannot be decoded is a `MalformedError`.
    """
    with _decoded(data, max_pixels) as image:
        return hashlib.md5(image.tobytes(), usedforsecurity=False).hexdigest()


def compare(
    before: Data, after: Data, *, threshold: int = THRESHOLD, max_pixels: int = MAX_PIXELS
) -> Difference:
    """Count the pixels that differ between two pictures as they are seen: upright, in 8 bits, first frame.

    A channel counts as far as it shows: what lies under full transparency does
    not. Colour profiles are not applied.
    """
    first = _seen(before, max_pixels)
    second = _seen(after, max_pixels)
    total = second.width * second.height
    if first.size != second.size:
        return Difference(first.size, second.size, total)
    with _contained():
        most = _largest_channel_difference(first, second)
        counts = most.histogram()
        box = most.point([0] * (threshold + 1) + [255] * (255 - threshold)).getbbox()
    return Difference(
        first.size,
        second.size,
        total,
        differing=sum(counts[threshold + 1 :]),
        unequal=sum(counts[1:]),
        box=Box(*box) if box else None,
    )


# Sizes out of headers


def _png_size(data: Data) -> Size:
    return _unpack(">II", data, 16)


def _gif_size(data: Data) -> Size:
    return _unpack("<HH", data, 6)


def _psd_size(data: Data) -> Size:
    height, width = _unpack(">II", data, 14)
    return width, height


def _webp_size(data: Data) -> Size | None:
    if bytes(data[8:12]) != b"WEBP":
        return None
    match bytes(data[12:16]):
        case b"VP8 ":
            width, height = _unpack("<HH", data, 26)
            return width & 0x3FFF, height & 0x3FFF
        case b"VP8L":
            (bits,) = _unpack_any("<I", data, 21)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            low_width, high_width, low_height, high_height = _unpack_any("<HBHB", data, 24)
            return (low_width | high_width << 16) + 1, (low_height | high_height << 16) + 1
        case other:
            message = f"WebP picture starts with a segment {other!r}"
            raise MalformedError(message)


def _jpeg_size(data: Data) -> Size:
    """Walk the segments to the frame header; an embedded preview lies inside one and is passed over."""
    for marker, offset in islice(_jpeg_segments(data), _MOST_SEGMENTS):
        if marker in _FRAME_HEADERS:
            height, width = _unpack(">HH", data, offset + 3)
            return width, height
    message = "JPEG picture has no frame header"
    raise MalformedError(message)


def _jpeg_segments(data: Data) -> Iterator[tuple[int, int]]:
    """Give marker and offset (of the length field) of each segment before the first scan."""
    offset = 2
    while True:
        prefix, marker = _unpack(">BB", data, offset)
        if prefix != _MARKER_PREFIX:
            message = f"JPEG picture has no marker at byte {offset}"
            raise MalformedError(message)
        if marker == _START_OF_SCAN:
            return
        offset += 1 if marker == _MARKER_PREFIX else 2
        yield marker, offset
        if marker not in {_MARKER_PREFIX, *_STANDALONE}:
            (length,) = _unpack_any(">H", data, offset)
            offset += max(length, 2)


def _opened_size(data: Data) -> Size:
    with _opened(data, MAX_PIXELS) as image:
        size: Size = image.size
        return size


_FINDERS = {
    _PNG_MAGIC: _png_size,
    b"\xff\xd8\xff": _jpeg_size,
    b"RIFF": _webp_size,
    b"GIF87a": _gif_size,
    b"GIF89a": _gif_size,
    b"8BPS": _psd_size,
    b"II*\0": _opened_size,
    b"MM\0*": _opened_size,
}


def _positive(size: Size | None) -> Size | None:
    if size is not None and (size[0] < 1 or size[1] < 1):
        message = f"picture of {size[0]} by {size[1]} pixels is none"
        raise MalformedError(message)
    return size


def _unpack(layout: str, data: Data, offset: int) -> tuple[int, int]:
    first, second = _unpack_any(layout, data, offset)
    return first, second


def _unpack_any(layout: str, data: Data, offset: int) -> tuple[int, ...]:
    try:
        return struct.unpack_from(layout, data, offset)
    except struct.error as err:
        message = f"picture breaks off in its header, before byte {offset + struct.calcsize(layout)}"
        raise MalformedError(message) from err


# Decoding


@contextmanager
def _contained() -> Iterator[None]:
    """Let nothing out but `MalformedError`."""
    try:
        yield
    except MalformedError:
        raise
    except Exception as err:  # Pillow's readers let out whatever they trip over
        message = f"picture cannot be decoded: {type(err).__name__}: {err}"
        raise MalformedError(message) from err


@contextmanager
def _opened(data: Data, max_pixels: int) -> Iterator["Image"]:
    """Open a picture without decoding it."""
    with _contained(), _pil("Image").open(BytesIO(_pixels_only(data)), formats=_FORMATS) as image:
        _require_within(image.size, max_pixels)
        yield image


def _require_within(size: Size, max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        message = f"picture of {width} by {height} pixels is over the limit of {max_pixels}"
        raise MalformedError(message)


@contextmanager
def _decoded(data: Data, max_pixels: int, *, draft: int | None = None) -> Iterator["Image"]:
    with _opened(data, max_pixels) as image:
        if draft is not None:
            image.draft("RGB", (draft, draft))  # JPEG can be decoded at a half, a quarter or an eighth
        image.load()
        yield image


def _seen(data: Data, max_pixels: int) -> "Image":
    """Return a picture's first frame, upright, as RGB or, where it has transparency, premultiplied."""
    with _decoded(data, max_pixels) as image:
        return _upright(_eight_bit(image))


def _upright(image: "Image") -> "Image":
    turned: Image | None = _pil("ImageOps").exif_transpose(image)
    return turned or image


def _eight_bit(image: "Image") -> "Image":
    """Convert to RGB or RGBA of 8 bits each; 16 bits lose their lower half, as on any screen."""
    if image.mode.startswith("I;16"):
        return image.convert("I").point(lambda value: value / 256).convert("L").convert("RGB")
    if image.mode in {"I", "F"}:
        message = f"picture of mode {image.mode} has no 8-bit form"
        raise MalformedError(message)
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _on_white(image: "Image") -> "Image":
    if image.mode != "RGBA":
        return image
    white: Image = _pil("Image").new("RGB", image.size, "white")
    white.paste(image, mask=image)
    return white


def _largest_channel_difference(first: "Image", second: "Image") -> "Image":
    mode = "RGB" if first.mode == second.mode == "RGB" else "RGBa"  # premultiplied: as far as it shows
    chops = _pil("ImageChops")
    bands: tuple[Image, ...] = chops.difference(_as(first, mode), _as(second, mode)).split()
    most = bands[0]
    for band in bands[1:]:
        most = chops.lighter(most, band)
    return most


def _as(image: "Image", mode: str) -> "Image":
    return image if image.mode == mode else image.convert("RGBA").convert(mode)


def _pixels_only(data: Data) -> bytes:
    """Leave out of a PNG what is not pixels: a prompt over Pillow's limit must not hide the picture."""
    if bytes(data[:8]) != _PNG_MAGIC:
        return bytes(data)
    kept = [_PNG_MAGIC]
    offset = len(_PNG_MAGIC)
    with memoryview(data) as view:
        for _ in range(_MOST_SEGMENTS):
            if offset + 8 > len(view):
                return b"".join(kept)
            length, name = struct.unpack_from(">I4s", view, offset)
            if name in _PIXEL_CHUNKS:
                kept.append(bytes(view[offset : offset + 12 + length]))
            offset += 12 + length
    message = f"PNG picture has more than {_MOST_SEGMENTS} chunks"
    raise MalformedError(message)


@cache
def _pil(name: str) -> ModuleType:
    import importlib  # noqa: PLC0415 - see the module docstring

    # Remarks on odd EXIF and large sizes belong to nobody's terminal: the size is checked here.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    return importlib.import_module(f"PIL.{name}")
