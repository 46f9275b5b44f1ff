"""Finds a withheld text in bytes, however a tool may have written it.

Sealing a part does nothing for a prompt that stands in a second place: a file
name, a service's answer, a JSON document inside a JSON document, a compressed
chunk. What is withheld is therefore searched for in everything that would be
shown. A search can miss a form nobody thought of; it is the second line of
defence, behind sealing whole kinds of parts.

The bytes are unwrapped (escapes, base64, hex, deflate) and the text is looked
for in the encodings tools use, because there are few of these and many texts.
"""

import base64
import html
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote_to_bytes

from makingof.digest import Digest

_MIN_BYTES = 8  # anything shorter is in everything
_PHRASE_BYTES = 16
_BREAKS = re.compile(r"[\r\n,;:，。；：、]+")
_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "latin-1", "gb18030", "shift_jis")

_BASE64_RUN = re.compile(rb"[A-Za-z0-9+/_-]{16,}")
_HEX_DIGEST = re.compile(rb"(?<![0-9A-Fa-f])[0-9A-Fa-f]{64}(?![0-9A-Fa-f])")
_HEX_RUN = re.compile(rb"(?:[0-9A-Fa-f]{2}){8,}")
_ESCAPE = re.compile(rb"((?:\\u[0-9A-Fa-f]{4})+)|\\(.)", re.DOTALL)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_STREAM_HEAD = re.compile(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_MAX_UNPACKED = 16 << 20
_MAX_STREAMS = 4096
_MAX_DEPTH = 3
_BUDGET_BYTES = 256 << 20


@dataclass(frozen=True)
class Withheld:
    """What must not be found: texts, and raw digests by which a sealed file could be recognised."""

    texts: frozenset[str] = frozenset()
    digests: frozenset[bytes] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.texts or self.digests)

    def with_digests(self, raw: Iterable[bytes]) -> "Withheld":
        """Return the same with more digests."""
        return Withheld(self.texts, self.digests | frozenset(raw))

    def is_in(self, data: bytes) -> bool:
        """Tell whether a text, a longer phrase of one, or a digest stands in `data`."""
        return self._is_found(data, self._phrases)

    def whole_is_in(self, data: bytes) -> bool:
        """Tell whether a whole text or a digest stands in `data`.

        Phrases do not count, and texts so short that our own words could be them.
        """
        return self._is_found(data, self._wholes)

    def stands_in(self, data: bytes) -> bool:
        """Tell whether a whole text or a digest stands in `data` as it is; quick, for pixels."""
        return bool(self) and self._is_plainly_in(data, self._wholes)

    def _is_found(self, data: bytes, needles: "_Needles") -> bool:
        return bool(self) and any(self._is_plainly_in(view, needles) for view in _views(data))

    def _is_plainly_in(self, data: bytes, needles: "_Needles") -> bool:
        return needles.are_in(data.lower()) or any(digest in data for digest in self.digests)

    @cached_property
    def _hex(self) -> frozenset[str]:
        return frozenset(digest.hex() for digest in self.digests)

    @cached_property
    def _wholes(self) -> "_Needles":
        return _Needles.of({text for text in self.texts if len(_plain(text)) >= _PHRASE_BYTES} | self._hex)

    @cached_property
    def _phrases(self) -> "_Needles":
        return _Needles.of(
            self.texts | {phrase for text in self.texts for phrase in _split(text)} | self._hex
        )


NOTHING_WITHHELD = Withheld()


@dataclass(frozen=True)
class _Needles:
    """Encoded texts in lower case, found by their first bytes: ten thousand cost little more than one."""

    by_start: dict[bytes, tuple[bytes, ...]]
    short: frozenset[bytes]  # found only as a whole JSON string

    @classmethod
    def of(cls, texts: Iterable[str]) -> "_Needles":
        starts: dict[bytes, set[bytes]] = {}
        short = set()
        for text in texts:
            for encoded in _encoded(text):
                if len(encoded) < _MIN_BYTES:
                    short.add(b'"' + encoded + b'"')
                else:
                    starts.setdefault(encoded[:_MIN_BYTES], set()).add(encoded)
        return cls({start: tuple(found) for start, found in starts.items()}, frozenset(short))

    def are_in(self, data: bytes) -> bool:
        if any(needle in data for needle in self.short):
            return True
        if len(self.by_start) < _FEW:
            return any(needle in data for needles in self.by_start.values() for needle in needles)
        windows = (data[at : at + _MIN_BYTES] for at in range(len(data) - _MIN_BYTES + 1))
        candidates = self.by_start.keys() & set(windows)
        return any(needle in data for start in candidates for needle in self.by_start[start])


_FEW = 200


def find_digests(data: bytes) -> set[Digest]:
    """Return every SHA-256 spelled in hex in `data`."""
    return {Digest.parse("sha256:" + run.decode("ascii").lower()) for run in _HEX_DIGEST.findall(data)}


def _split(text: str) -> list[str]:
    pieces = (piece.strip(" ()[]{}<>\"'") for piece in _BREAKS.split(text))
    return [piece for piece in pieces if len(_plain(piece)) >= _PHRASE_BYTES]


def _plain(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _encoded(text: str) -> Iterator[bytes]:
    for name in _ENCODINGS:
        try:
            yield text.encode(name, "surrogatepass" if name.startswith("utf") else "strict").lower()
        except UnicodeError:
            continue


def _views(data: bytes) -> Iterator[bytes]:
    """Yield `data` and everything wrapped in it, to a bounded depth and amount."""
    budget = _BUDGET_BYTES
    waiting = [(data, 0)]
    seen = set()
    while waiting and budget > 0:
        view, depth = waiting.pop()
        key = hash(view)
        if key in seen:
            continue
        seen.add(key)
        budget -= len(view)
        yield view
        if depth < _MAX_DEPTH:
            waiting += [(inner, depth + 1) for inner in _unwrapped(view) if len(inner) >= _MIN_BYTES]


def _unwrapped(data: bytes) -> Iterator[bytes]:
    if b"\0" in data:
        yield data.replace(b"\0", b"")  # wide encodings of what is ASCII
    if b"\\" in data:
        yield _ESCAPE.sub(_unescape, data)
    if b"%" in data:
        yield unquote_to_bytes(data.replace(b"+", b" "))
    if b"&" in data:
        yield html.unescape(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogatepass")
    for run in _HEX_RUN.findall(data):
        yield bytes.fromhex(run.decode("ascii"))
    for run in _BASE64_RUN.findall(data):
        for start in range(4):  # letters before it may have run into it
            yield _decode_base64(run[start:])
    for number, head in enumerate(_STREAM_HEAD.finditer(data)):
        if number == _MAX_STREAMS:
            break
        yield _inflate(data[head.start() :])


def _unescape(match: re.Match[bytes]) -> bytes:
    if match[1] is None:
        return _LETTERS.get(match[2], match[2])
    units = bytes.fromhex(match[1].replace(b"\\u", b"").decode("ascii"))  # UTF-16, pairs and all
    return units.decode("utf-16-be", "surrogatepass").encode("utf-8", "surrogatepass")


def _decode_base64(run: bytes) -> bytes:
    whole = run if len(run) % 4 != 1 else run[:-1]
    return base64.b64decode(whole.translate(_URL_SAFE) + b"=" * (-len(whole) % 4))


def _inflate(data: bytes) -> bytes:
    state = zlib.decompressobj(zlib.MAX_WBITS | 32)  # zlib or gzip, as its head says
    try:
        return state.decompress(data, _MAX_UNPACKED)
    except zlib.error:
        return b""
