"""PNG, chunk by chunk, after the PNG specification (third edition), pixels left packed.

Chunks after `IDAT` are seen (some tools write their record there), and so are
chunks no viewer knows (`comf`, `caBX`). Of image data the check sum is not
computed: that would read the whole file, and the file's own digest says more.
"""

import struct
import zlib

import msgspec

from makingof.containers.inflate import MAX_INFLATED_BYTES, inflate
from makingof.containers.segment import Segment, take
from makingof.containers.source import Source
from makingof.errors import MalformedError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 100_000
_HEAD_BYTES = 8  # length, type
_FRAME_BYTES = 12  # and the check sum
_MAX_CHECKED_BYTES = 16 << 20
_WINDOW_BYTES = 1 << 10  # looked at in one piece: most chunks lie at the head of the file
_PIXEL_KINDS = frozenset({b"IDAT", b"fdAT"})
_NAMES = {name.encode(): name for name in ("IHDR", "tEXt", "iTXt", "zTXt", "eXIf", "caBX", "comf", "IEND")}

_head = struct.Struct(">I4s")


def walk_png(data: Source) -> list[Segment]:
    """Return the signature and every chunk in file order, consecutive `IDAT` as one segment.

    The segments cover the file without a hole. What follows `IEND`, and what no
    longer forms a chunk, is a segment of kind `tail`. Damage is stated in the
    segment that has it. Source without a PNG signature is a `MalformedError`.
    """
    window = data[:_WINDOW_BYTES]
    if window[:8] != SIGNATURE:
        message = "data has no PNG signature"
        raise MalformedError(message)
    segments = [Segment("signature", 0, 8, 0, 8)]
    size = len(data)
    offset, window_at = 8, 0
    kind = b""
    pixels_from = -1  # where the run of IDAT chunks began that we are in
    while offset + _FRAME_BYTES <= size and kind != b"IEND" and len(segments) < MAX_CHUNKS:
        at = offset - window_at
        if at + _HEAD_BYTES > len(window):
            window, window_at, at = take(data, offset, _HEAD_BYTES), offset, 0
        length, kind = _head.unpack_from(window, at)
        end = offset + _FRAME_BYTES + length
        if kind == b"IDAT" and end <= size:
            pixels_from = offset if pixels_from < 0 else pixels_from
            offset = end
            continue
        if pixels_from >= 0:
            segments.append(_pixels(pixels_from, offset))
            pixels_from = -1
        segments.append(_chunk(data, offset, length, kind, window[at + 4 : at + _FRAME_BYTES + length]))
        offset = min(end, size)
    if pixels_from >= 0:
        segments.append(_pixels(pixels_from, offset))
    return _with_end(segments, offset, size)


def _with_end(segments: list[Segment], offset: int, size: int) -> list[Segment]:
    """Add what follows the last chunk, or note that IEND is missing."""
    last = segments[-1]
    if offset < size:
        damage = "bytes after IEND" if last.kind == "IEND" else "bytes that form no chunk"
        return [*segments, Segment("tail", offset, size - offset, offset, size - offset, damage)]
    if last.kind != "IEND" and not last.damage:
        segments[-1] = msgspec.structs.replace(last, damage="file ends without IEND")
    return segments


def _pixels(start: int, end: int) -> Segment:
    return Segment("IDAT", start, end - start, start, end - start)


def _chunk(data: Source, offset: int, length: int, kind: bytes, checked: bytes) -> Segment:
    """Make the segment of one chunk; `checked` is as much of type, payload and sum as is at hand."""
    name = _NAMES.get(kind) or kind_name(kind)
    there = len(data) - offset - 8
    if length + 4 > there:
        damage = f"chunk claims {length} bytes and the file ends after {there}"
        return Segment(name, offset, there + 8, offset + 8, min(length, there), damage)
    damage = ""
    if length <= _MAX_CHECKED_BYTES and kind not in _PIXEL_KINDS:
        if len(checked) != length + 8:
            checked = data[offset + 4 : offset + 12 + length]
        if len(checked) != length + 8 or zlib.crc32(checked[:-4]) != int.from_bytes(checked[-4:], "big"):
            damage = "check sum does not match"
    return Segment(name, offset, length + _FRAME_BYTES, offset + 8, length, damage)


def kind_name(kind: bytes) -> str:
    """Spell a chunk type: its four letters, or hex where they are no letters."""
    return kind.decode("ascii") if kind.isalpha() and kind.isascii() else "0x" + kind.hex()


class PngText(msgspec.Struct, frozen=True, gc=False):
    """What a text chunk holds: keyword and text as bytes, neither decoded nor judged."""

    keyword: bytes
    text: bytes
    utf8: bool  # the chunk's type promises UTF-8 (iTXt)


def parse_text_chunk(kind: str, payload: bytes, *, limit_bytes: int = MAX_INFLATED_BYTES) -> PngText:
    """Take `tEXt`, `zTXt`, `iTXt` or ComfyUI's `comf` apart, decompressing up to `limit_bytes`.

    A missing separator, an unknown compression or data that does not unpack is a
    `MalformedError`. Nulls at the end of the text stay: some tools write them.
    """
    keyword, separator, rest = payload.partition(b"\0")
    if not separator:
        message = f"{kind} chunk has no null after its keyword"
        raise MalformedError(message)
    if kind == "zTXt":
        _require_deflate(kind, rest[:1])
        return PngText(keyword, inflate(rest[1:], limit_bytes=limit_bytes), utf8=False)
    if kind != "iTXt":
        return PngText(keyword, rest, utf8=False)
    flag, method, tagged = rest[:1], rest[1:2], rest[2:]
    fields = tagged.split(b"\0", 2)
    if len(fields) < 3 or flag not in (b"\0", b"\1"):  # noqa: PLR2004 - language, translated keyword, text
        message = "iTXt chunk is not laid out as the PNG specification says"
        raise MalformedError(message)
    if flag == b"\0":
        return PngText(keyword, fields[2], utf8=True)
    _require_deflate(kind, method)
    return PngText(keyword, inflate(fields[2], limit_bytes=limit_bytes), utf8=True)


def _require_deflate(kind: str, method: bytes) -> None:
    if method != b"\0":
        message = (
            f"{kind} chunk names compression {method.hex() or 'nothing'}, the specification knows only 0"
        )
        raise MalformedError(message)


class Header(msgspec.Struct, frozen=True, gc=False):
    """Facts of the `IHDR` chunk."""

    width: int
    height: int
    depth: int
    color_type: int

    @property
    def has_alpha(self) -> bool:
        """Whether an alpha channel is stored (colour types 4 and 6)."""
        return self.color_type in (4, 6)


def parse_header(data: Source) -> Header:
    """Read `IHDR`, which must come first; otherwise `MalformedError`."""
    head = data[:26]
    if len(head) != 26 or head[:8] != SIGNATURE or head[12:16] != b"IHDR":  # noqa: PLR2004 - up to the colour type
        message = "PNG does not begin with IHDR"
        raise MalformedError(message)
    return Header(*struct.unpack_from(">IIBB", head, 16))
