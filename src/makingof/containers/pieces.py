"""Pieces: a file cut along its container's own seams, so that a part can be withheld.

A package may show a picture without the segments that hold its prompt. For that
the file is cut into pieces that give it back when put together again, a salted
digest of each is recorded, and the copy shown holds the other pieces byte for byte.

The rule for checking such a copy needs no parser. Its pieces stand there one after
the other, in order, without those withheld. Only a WebP copy has a new header: the
12 bytes `RIFF`, size, `WEBP`, whose size is that of the copy, because viewers refuse
a file shorter than its header claims.
"""

import struct
from collections.abc import Collection
from typing import NamedTuple

from makingof.containers.jpeg import walk_jpeg
from makingof.containers.png import walk_png
from makingof.containers.segment import Data, Segment
from makingof.containers.sniff import sniff
from makingof.containers.webp import walk_webp
from makingof.errors import MalformedError, UsageError

RIFF_HEADER = "RIFF"
_RIFF_HEADER_BYTES = 12


class Piece(NamedTuple):
    """One piece: a name unique in its file, where it lies, and whether it may hold text.

    Names tell kind and ordinal (`tEXt`, `tEXt.2`), never a keyword: a name is shown
    even where the piece is withheld.
    """

    name: str
    offset: int
    size_bytes: int
    holds_text: bool


def segments(data: Data) -> list[Piece] | None:
    """Cut a file into pieces that cover every byte in order; None for containers not cut here.

    PNG, JPEG and WebP are cut, damaged ones too: what forms no segment is a piece
    that may hold text.
    """
    container = sniff(data)
    walk = {"png": walk_png, "jpeg": walk_jpeg, "webp": walk_webp}.get(container or "")
    if container is None or walk is None:
        return None
    counts: dict[str, int] = {}
    pieces = []
    for segment in walk(data):
        number = counts[segment.kind] = counts.get(segment.kind, 0) + 1
        name = segment.kind if number == 1 else f"{segment.kind}.{number}"
        pieces.append(
            Piece(name, segment.offset, segment.size_bytes, not _is_structural(data, container, segment))
        )
    return pieces


def holds_text(piece: Piece) -> bool:
    """Whether a piece may carry words: everything may that is not known to be structure.

    Structure is a short list of segments at the size their specification gives them.
    Colour profiles are not on it, for they carry descriptions.
    """
    return piece.holds_text


def without(data: Data, names: Collection[str]) -> bytes:
    """Return a copy without the named pieces, every other piece byte for byte.

    PNG and JPEG viewers do not miss what is gone. A WebP copy gets a header with its
    own size if anything is gone; flags in `VP8X` then still announce metadata that is
    not there, which decoders accept. Names that do not occur, and containers that are
    not cut, are a `UsageError`.
    """
    pieces = segments(data)
    if pieces is None:
        message = "container is not one that can be cut into pieces"
        raise UsageError(message)
    if unknown := set(names) - {piece.name for piece in pieces}:
        message = f"pieces {sorted(unknown)} do not occur in the file"
        raise UsageError(message)
    kept = [piece for piece in pieces if piece.name not in names]
    body = b"".join([data[piece.offset : piece.offset + piece.size_bytes] for piece in kept])
    if len(kept) == len(pieces) or pieces[0].name != RIFF_HEADER or kept[:1] != pieces[:1]:
        return body
    return riff_header(len(body)) + body[_RIFF_HEADER_BYTES:]


def riff_header(size_bytes: int) -> bytes:
    """Make the header of a WebP file of `size_bytes`, the header itself included."""
    if not _RIFF_HEADER_BYTES <= size_bytes <= 0xFFFFFFFF:  # noqa: PLR2004 - the size field has 32 bits
        message = f"a WebP file of {size_bytes} bytes cannot be"
        raise MalformedError(message)
    return struct.pack("<4sI4s", b"RIFF", size_bytes - 8, b"WEBP")


# Structural segments and the largest payload their specification allows them: a
# longer one has room for words and is not structure. None: pixels, any size.
_PNG_STRUCTURE = {
    "signature": 8, "IHDR": 13, "PLTE": 768, "IDAT": None, "IEND": 0, "tRNS": 256, "gAMA": 4, "cHRM": 32,
    "sRGB": 1, "pHYs": 9, "sBIT": 4, "bKGD": 6, "acTL": 8, "fcTL": 26, "fdAT": None,
}  # fmt: skip
_WEBP_STRUCTURE = {"RIFF": 4, "VP8": None, "VP8L": None, "VP8X": 10, "ALPH": None, "ANIM": 6}


def _is_structural(data: Data, container: str, segment: Segment) -> bool:
    if container == "jpeg":
        return _is_jpeg_structure(segment.kind, segment.payload(data), damaged=bool(segment.damage))
    if segment.kind == "ANMF":
        return _is_frame(segment.payload(data))
    allowed = _PNG_STRUCTURE if container == "png" else _WEBP_STRUCTURE
    if segment.kind not in allowed:
        return False
    limit = allowed[segment.kind]
    if limit is None or segment.kind == RIFF_HEADER:
        return True
    return segment.payload_bytes <= limit and not segment.damage


def _is_frame(payload: bytes) -> bool:
    """Whether an animation frame holds nothing but pixels: it may carry unknown chunks too."""
    at = 16  # position, size, duration, flags
    while at + 8 <= len(payload):
        if payload[at : at + 4] not in (b"ALPH", b"VP8 ", b"VP8L"):
            return False
        length = int.from_bytes(payload[at + 4 : at + 8], "little")
        at += 8 + length + (length & 1)
    return at >= len(payload)


def _is_jpeg_structure(kind: str, payload: bytes, *, damaged: bool) -> bool:
    """Whether a segment is laid out as T.81 says, with no room left over."""
    size = len(payload)
    if kind == "SOS":
        return payload[:1] != b"" and size == 4 + 2 * payload[0]
    if damaged:
        return False
    if kind.startswith("SOF"):
        return payload[5:6] != b"" and size == 6 + 3 * payload[5]
    if kind in ("DQT", "DHT"):
        return _is_tables(kind, payload)
    if kind == "APP0" and payload[:5] == b"JFIF\0" and payload[13:14]:
        return size == 14 + 3 * payload[12] * payload[13]  # the thumbnail has the size it says
    is_adobe = kind == "APP14" and payload[:5] == b"Adobe"
    return size == (12 if is_adobe else {"SOI": 0, "EOI": 0, "DRI": 2, "DNL": 2}.get(kind))


def _is_tables(kind: str, payload: bytes) -> bool:
    at = 0
    while at < len(payload):
        if kind == "DQT":
            at += 1 + (128 if payload[at] >> 4 else 64)
        else:
            at += 17 + sum(payload[at + 1 : at + 17])
    return at == len(payload)
