"""The forms bodies have on the wire: content encodings, JSON, server-sent events, multipart. Pure, bounded.

What comes from a service is a stranger's bytes: it is read as far as it goes, within
limits, or is a `MalformedError`. Numbers stay the text they were, for seeds have 64 bits.
"""

import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from makingof.errors import MalformedError

MAX_DECODED_BYTES = 192 << 20
MAX_SSE_EVENTS = 20_000
MAX_FORM_FIELDS = 500
_MAX_CODINGS = 3
_MAX_MEMBERS = 10_000
_STEP_BYTES = 1 << 16
_BOUNDARY = re.compile(r'boundary="?([^";,\s]{1,200})', re.IGNORECASE)
_FIELD_NAME = re.compile(rb'[;\s]name="((?:[^"\\]|\\.){0,500})"', re.IGNORECASE)
_FILE_NAME = re.compile(rb'[;\s]filename="((?:[^"\\]|\\.){0,500})"', re.IGNORECASE)
_CONTENT_TYPE = re.compile(rb"^content-type:[ \t]*([^\r\n]{1,200})", re.IGNORECASE | re.MULTILINE)
_LINE_END = re.compile(r"\r\n|\n|\r")


def decode_content(data: bytes, encoding: str, limit: int = MAX_DECODED_BYTES) -> tuple[bytes, bool]:
    """Undo a `Content-Encoding`; return the bytes and whether they ended as they should.

    What was cut off is decoded as far as it goes. Refused: a coding not known here, what
    does not decode from its first byte on, and more than `limit` bytes.
    """
    names = [
        name.strip().lower() for name in encoding.split(",") if name.strip().lower() not in ("", "identity")
    ]
    if len(names) > _MAX_CODINGS:
        message = f"body has {len(names)} content codings"
        raise MalformedError(message)
    is_whole = True
    for name in reversed(names):
        data, ended = _decode_one(data, name, limit)
        is_whole = is_whole and ended
    return data, is_whole


def _decode_one(data: bytes, name: str, limit: int) -> tuple[bytes, bool]:
    if name in ("gzip", "x-gzip"):
        return _inflate(data, zlib.MAX_WBITS | 16, limit)
    if name == "deflate":
        # Named after zlib's form, and written by some servers without its frame.
        is_framed = len(data) > 1 and data[0] & 0x0F == zlib.DEFLATED and (data[0] << 8 | data[1]) % 31 == 0
        return _inflate(data, zlib.MAX_WBITS if is_framed else -zlib.MAX_WBITS, limit)
    if name in ("br", "zstd"):
        return _decode_by_library(data, name, limit)
    message = f"content coding {name!r} is not known here"
    raise MalformedError(message)


def _inflate(data: bytes, window: int, limit: int) -> tuple[bytes, bool]:
    """Inflate every member: gzip may hold several, one after another."""
    found: list[bytes] = []
    size = 0
    for _ in range(_MAX_MEMBERS):
        inflater = zlib.decompressobj(window)
        try:
            piece = inflater.decompress(data, limit - size + 1)
        except zlib.error as err:
            message = f"body does not inflate: {err}"
            raise MalformedError(message) from err
        size += len(piece)
        _refuse_over(size, limit)
        found.append(piece)
        data = inflater.unused_data
        if not inflater.eof or not data.startswith(b"\x1f\x8b"):
            return b"".join(found), inflater.eof
    message = f"body has more than {_MAX_MEMBERS} members"
    raise MalformedError(message)


def _decode_by_library(data: bytes, name: str, limit: int) -> tuple[bytes, bool]:
    """Use the library by which the program itself asked for this coding, piece by piece."""
    decode = _brotli_decoder() if name == "br" else _zstd_decoder()
    found: list[bytes] = []
    size = 0
    try:
        for start in range(0, len(data), _STEP_BYTES):
            for piece in decode(data[start : start + _STEP_BYTES]):
                size += len(piece)
                _refuse_over(size, limit)
                found.append(piece)
    except MalformedError:
        raise
    except Exception as err:  # each library has errors of its own, and no common base
        message = f"body does not decode as {name}: {err}"
        raise MalformedError(message) from err
    return b"".join(found), True


def _brotli_decoder() -> Any:
    try:
        decompressor = import_module("brotli").Decompressor()
    except ImportError as err:
        message = "body is brotli, and no library for it is here"
        raise MalformedError(message) from err

    def decode(data: bytes) -> Iterator[bytes]:
        # Before 1.2 there was no limit to what one call gives: a bomb would fill the memory.
        yield decompressor.process(data, output_buffer_limit=_STEP_BYTES)
        while not decompressor.can_accept_more_data():
            yield decompressor.process(b"", output_buffer_limit=_STEP_BYTES)

    return decode


def _zstd_decoder() -> Any:
    try:
        library = import_module("zstandard")
    except ImportError as err:
        message = "body is zstandard, and no library for it is here"
        raise MalformedError(message) from err
    decompressor = library.ZstdDecompressor(max_window_size=1 << 27).decompressobj(write_size=_STEP_BYTES)

    def decode(data: bytes) -> Iterator[bytes]:
        # A block gives at most 128 KiB and takes at least three bytes.
        for start in range(0, len(data), 64):
            yield decompressor.decompress(data[start : start + 64])

    return decode


def _refuse_over(size: int, limit: int) -> None:
    if size > limit:
        message = f"body decodes to more than {limit} bytes"
        raise MalformedError(message)


def parse_json(data: bytes | str) -> Any:
    """Read a stranger's JSON, numbers as their source text; anything else is a `MalformedError`."""
    try:
        text = data if isinstance(data, str) else data.decode("utf-8-sig", "surrogateescape")
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError) as err:
        message = f"body is not JSON: {err}"
        raise MalformedError(message) from err


def sse_events(data: bytes) -> list[tuple[str, str]]:
    """Return (event, data) of a stream of server-sent events; what has no blank line after it was cut off."""
    found: list[tuple[str, str]] = []
    event, lines = "", list[str]()
    for line in _LINE_END.split(data.decode("utf-8-sig", "replace"))[:-1]:
        if not line:
            if lines:
                found.append((event, "\n".join(lines)))
            event, lines = "", []
            if len(found) >= MAX_SSE_EVENTS:
                return found
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            lines.append(value)
        elif name == "event":
            event = value
    return found


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of a multipart form; `filename` where it is a file. `start` and `end` bound its content."""

    name: str
    filename: str | None
    media_type: str | None
    start: int
    end: int


def form_fields(data: bytes, content_type: str) -> list[FormField]:
    """Return the fields of a multipart form in order; what was cut off inside the last is not among them."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        message = "form has no boundary"
        raise MalformedError(message)
    mark = b"--" + found[1].encode("utf-8", "surrogateescape")
    fields: list[FormField] = []
    at = data.find(mark)
    while at >= 0 and len(fields) < MAX_FORM_FIELDS:
        head = at + len(mark)
        end = data.find(b"\r\n" + mark, head)
        body = data.find(b"\r\n\r\n", head, end if end >= 0 else len(data))
        if end < 0 or body < 0:
            break
        fields.append(_form_field(data[head:body], body + 4, end))
        at = end + 2
    return fields


def _form_field(head: bytes, start: int, end: int) -> FormField:
    name, file, media = (pattern.search(head) for pattern in (_FIELD_NAME, _FILE_NAME, _CONTENT_TYPE))
    return FormField(
        name=_spelled(name[1]) if name else "",
        filename=_spelled(file[1]) if file else None,
        media_type=_spelled(media[1]).strip() if media else None,
        start=start,
        end=end,
    )


def _spelled(name: bytes) -> str:
    return name.decode("utf-8", "replace").replace('\\"', '"').replace("%22", '"')
