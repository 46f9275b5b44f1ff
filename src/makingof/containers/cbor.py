"""The subset of CBOR (RFC 8949) that C2PA claims and assertions use, read within limits."""

import struct
from typing import Any

from makingof.errors import MalformedError

_MAX_DEPTH = 32
_MAX_ITEMS = 50_000
_INDEFINITE = 31
_BREAK = 0xFF


def parse_cbor(data: bytes) -> Any:
    """Decode one item: numbers, text, bytes, lists, dicts (keys as text), tags dropped.

    Bytes after it are ignored. Anything that is no CBOR, nested too deeply or too
    many items is a `MalformedError`.
    """
    reader = _Reader(data)
    try:
        return reader.item(0)
    except (IndexError, struct.error, UnicodeDecodeError) as err:
        message = f"bytes are not CBOR: {err}"
        raise MalformedError(message) from err


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._items = 0

    def item(self, depth: int) -> Any:
        self._items += 1
        if depth > _MAX_DEPTH or self._items > _MAX_ITEMS:
            message = "CBOR is nested too deeply or has too many items"
            raise MalformedError(message)
        head = self._data[self._at]
        self._at += 1
        major, extra = head >> 5, head & 31
        if major == 7:  # noqa: PLR2004 - simple values and floats
            return self._simple(extra)
        if extra == _INDEFINITE:
            return self._indefinite(major, depth)
        count = self._argument(extra)
        if major in (0, 1):
            return count if major == 0 else -1 - count
        return self._content(major, count, depth)

    def _content(self, major: int, count: int, depth: int) -> Any:
        match major:
            case 2:
                return self._take(count)
            case 3:
                return self._take(count).decode()
            case 4:
                return [self.item(depth + 1) for _ in range(self._fitting(count))]
            case 5:
                return {str(self.item(depth + 1)): self.item(depth + 1) for _ in range(self._fitting(count))}
            case _:  # a tag: what it says about the item behind it does not matter here
                return self.item(depth + 1)

    def _argument(self, extra: int) -> int:
        if extra < 24:  # noqa: PLR2004 - RFC 8949, 3: the argument itself
            return extra
        if extra > 27:  # noqa: PLR2004
            message = f"CBOR uses the reserved length {extra}"
            raise MalformedError(message)
        return int.from_bytes(self._take(1 << extra - 24), "big")

    def _fitting(self, count: int) -> int:
        if count > len(self._data) - self._at:  # every item takes a byte at least
            message = f"CBOR claims {count} items and has no room for them"
            raise MalformedError(message)
        return count

    def _take(self, count: int) -> bytes:
        if count > len(self._data) - self._at:
            message = f"CBOR claims {count} bytes and has fewer"
            raise MalformedError(message)
        self._at += count
        return self._data[self._at - count : self._at]

    def _simple(self, extra: int) -> Any:
        constants = {20: False, 21: True, 22: None, 23: None}
        if extra in constants:
            return constants[extra]
        if extra in (25, 26, 27):
            return struct.unpack({25: ">e", 26: ">f", 27: ">d"}[extra], self._take(1 << extra - 24))[0]
        message = f"CBOR uses the simple value {extra}"
        raise MalformedError(message)

    def _indefinite(self, major: int, depth: int) -> Any:
        items: list[Any] = []
        while self._data[self._at] != _BREAK:
            items.append(self.item(depth + 1))
        self._at += 1
        if major == 4:  # noqa: PLR2004 - array
            return items
        if major == 5 and len(items) % 2 == 0:  # noqa: PLR2004 - map
            return {str(key): value for key, value in zip(items[0::2], items[1::2], strict=True)}
        if major == 2 and all(isinstance(item, bytes) for item in items):  # noqa: PLR2004 - byte string
            return b"".join(items)
        if major == 3 and all(isinstance(item, str) for item in items):  # noqa: PLR2004 - text
            return "".join(items)
        message = "CBOR item of indefinite length is malformed"
        raise MalformedError(message)
