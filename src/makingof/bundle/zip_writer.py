"""Writes a zip that depends on nothing but its content: stored, fixed times, names in order.

Python's own `zipfile` may write other bytes in its next version; a package
must come out the same whenever it is made again.
"""

import hashlib
import struct
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import BinaryIO

from makingof.digest import Digest
from makingof.errors import CorruptBlobError

_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_END_64 = struct.Struct("<4sQHHIIQQQQ")
_LOCATOR_64 = struct.Struct("<4sIQI")
_VERSION, _VERSION_64 = 20, 45
_MADE_BY_UNIX = 3 << 8
_MODE = 0o100644 << 16
_DATE = 0x21  # 1 January 1980, the earliest a zip can say
_MAX_32, _MAX_16 = 0xFFFFFFFF, 0xFFFF
_READ_BYTES = 1 << 18
_CRC_OFFSET = 14


@dataclass(frozen=True, slots=True)
class Member:
    """One file to write: its bytes are read once, and must have `size` and `digest`."""

    name: str
    size: int
    digest: Digest
    open: Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True)
class _Written:
    name: bytes
    size: int
    crc: int
    offset: int


def write_zip(out: BinaryIO, members: Iterable[Member]) -> None:
    """Write `members` in the order given to `out`, which must be empty and seekable.

    Bytes that do not have the digest announced raise `CorruptBlobError`; `out`
    then holds half a package, which its caller removes.
    """
    written = [_write_member(out, member) for member in members]
    start = out.tell()
    out.writelines(_central_header(item) for item in written)
    _write_end(out, len(written), start, out.tell() - start)


def _write_member(out: BinaryIO, member: Member) -> _Written:
    name = member.name.encode("ascii")
    offset = out.tell()
    out.write(_local_header(name, member.size))
    crc = _copy(out, member)
    end = out.tell()
    out.seek(offset + _CRC_OFFSET)
    out.write(struct.pack("<I", crc))
    out.seek(end)
    return _Written(name, member.size, crc, offset)


def _copy(out: BinaryIO, member: Member) -> int:
    state, crc, size = hashlib.sha256(), 0, 0
    with member.open() as stream:
        while chunk := stream.read(_READ_BYTES):
            state.update(chunk)
            crc = zlib.crc32(chunk, crc)
            size += len(chunk)
            out.write(chunk)
    if size != member.size or state.hexdigest() != member.digest.hex:
        message = f"{member.digest} ({member.name}) is stored with other content"
        raise CorruptBlobError(message)
    return crc


def _local_header(name: bytes, size: int) -> bytes:
    large = size >= _MAX_32
    extra = struct.pack("<HHQQ", 1, 16, size, size) if large else b""
    short = _MAX_32 if large else size
    version = _VERSION_64 if large else _VERSION
    head = _LOCAL.pack(b"PK\x03\x04", version, 0, 0, 0, _DATE, 0, short, short, len(name), len(extra))
    return head + name + extra


def _central_header(item: _Written) -> bytes:
    wide = b""
    size, offset = item.size, item.offset
    if size >= _MAX_32:
        wide += struct.pack("<QQ", size, size)
        size = _MAX_32
    if offset >= _MAX_32:
        wide += struct.pack("<Q", offset)
        offset = _MAX_32
    extra = struct.pack("<HH", 1, len(wide)) + wide if wide else b""
    version = _VERSION_64 if wide else _VERSION
    head = _CENTRAL.pack(
        b"PK\x01\x02", _MADE_BY_UNIX | version, version, 0, 0, 0, _DATE, item.crc, size, size,
        len(item.name), len(extra), 0, 0, 0, _MODE, offset,
    )  # fmt: skip
    return head + item.name + extra


def _write_end(out: BinaryIO, count: int, start: int, size: int) -> None:
    if count >= _MAX_16 or start >= _MAX_32 or size >= _MAX_32:
        position = out.tell()
        versions = (_MADE_BY_UNIX | _VERSION_64, _VERSION_64)
        own_size = _END_64.size - 12  # it does not count its signature and itself
        out.write(_END_64.pack(b"PK\x06\x06", own_size, *versions, 0, 0, count, count, size, start))
        out.write(_LOCATOR_64.pack(b"PK\x06\x07", 0, position, 1))
    short_count = min(count, _MAX_16)
    out.write(
        _END.pack(b"PK\x05\x06", 0, 0, short_count, short_count, min(size, _MAX_32), min(start, _MAX_32), 0)
    )
