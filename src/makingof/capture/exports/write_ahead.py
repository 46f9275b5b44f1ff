"""A database with what its program had written and not yet moved into it: SQLite's write-ahead log, replayed.

InvokeAI keeps its database in this mode: while it runs, and after it was killed, the newest
rows stand only in `…-wal` beside the file. SQLite would change both files on opening them.
Here the pages of whole, intact transactions are put over a copy; the layout is SQLite's
file format, section 4.
"""

import struct
import sys
from array import array

from makingof.errors import MalformedError

MAX_LOG_BYTES = 128 << 20
_HEADER = struct.Struct(">8I")
_FRAME = struct.Struct(">6I")
_MAGIC = 0x377F0682  # its last bit: whether check sums are counted big-endian
_VERSION = 3_007_000
_PAGE_SIZES = frozenset(1 << bits for bits in range(9, 17))
_MAX_BYTES = 1 << 30
_MASK = 0xFFFFFFFF


def apply_write_ahead_log(database: bytes, log: bytes) -> bytes:
    """Return `database` with every whole and intact transaction of `log`; an empty log changes nothing.

    Frames after the first that is not intact, or that belong to an earlier log, count
    for nothing, as for SQLite. A log that is none is a `MalformedError`.
    """
    if not log:
        return database
    if len(log) < _HEADER.size or len(log) > MAX_LOG_BYTES:
        message = f"write-ahead log of {len(log)} bytes cannot be read"
        raise MalformedError(message)
    magic, version, page_bytes, _, *salts, first, second = _HEADER.unpack_from(log)
    if magic & ~1 != _MAGIC or version != _VERSION or page_bytes not in _PAGE_SIZES:
        message = "write-ahead log has another header than SQLite's"
        raise MalformedError(message)
    sums = _Sums(is_big_endian=bool(magic & 1))
    sums.add(log[: _HEADER.size - 8])
    if (sums.first, sums.second) != (first, second):
        return database  # SQLite takes it for a log that was never finished, and ignores it
    pages: dict[int, bytes] = {}
    pending: dict[int, bytes] = {}
    size = None
    for at in range(_HEADER.size, len(log) - _FRAME.size - page_bytes + 1, _FRAME.size + page_bytes):
        number, committed, *said = _FRAME.unpack_from(log, at)
        page = log[at + _FRAME.size : at + _FRAME.size + page_bytes]
        sums.add(log[at : at + 8])
        sums.add(page)
        if said != [*salts, sums.first, sums.second] or not 0 < number * page_bytes <= _MAX_BYTES:
            break
        pending[number] = page
        if committed:
            pages |= pending
            pending = {}
            size = committed
    return database if size is None else _with_pages(database, pages, size, page_bytes)


def _with_pages(database: bytes, pages: dict[int, bytes], size: int, page_bytes: int) -> bytes:
    whole = size * page_bytes
    if whole > _MAX_BYTES:
        message = f"write-ahead log makes a database of {whole} bytes"
        raise MalformedError(message)
    made = bytearray(database[:whole].ljust(whole, b"\0"))
    for number, page in pages.items():
        if number <= size:
            made[(number - 1) * page_bytes : number * page_bytes] = page
    return bytes(made)


class _Sums:
    """SQLite's two running check sums over pairs of 32-bit words."""

    def __init__(self, *, is_big_endian: bool) -> None:
        self.first = self.second = 0
        self._swaps = is_big_endian is (sys.byteorder == "little")

    def add(self, data: bytes) -> None:
        words = array("I", data)
        if self._swaps:
            words.byteswap()
        first, second = self.first, self.second
        for even, odd in zip(words[::2], words[1::2], strict=True):
            first = (first + even + second) & _MASK
            second = (second + odd + first) & _MASK
        self.first, self.second = first, second
