"""Reads the directory of a zip that a stranger made, and refuses what two readers could read differently.

The members must fill the file from its first byte to the directory, each local
header saying what the directory says: nothing overlaps, nothing hides between,
before or behind. Checksums of the zip are not looked at; every file of a
package has its SHA-256 in a manifest.
"""

import struct
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import BinaryIO

from makingof.bundle import layout
from makingof.errors import MalformedError
from makingof.texts import say

_END = struct.Struct("<4sHHHHIIH")
_LOCATOR_64 = struct.Struct("<4sIQI")
_END_64 = struct.Struct("<4sQHHIIQQQQ")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_MAX_32, _MAX_16 = 0xFFFFFFFF, 0xFFFF
_ENCRYPTED = 0x2041  # encrypted, strongly encrypted, directory encrypted
_DESCRIPTOR = 0x8
_KNOWN_FLAGS = 0x80E  # speed of deflate, descriptor, UTF-8 names
_STORED, _DEFLATED = 0, 8
_MAX_DIRECTORY_BYTES = 256 << 20
_MAX_MEMBERS = 1_000_000
_MAX_RATIO = 1100  # deflate cannot do better than 1032 to 1
_READ_BYTES = 1 << 18

Guard = AbstractContextManager[object]
"""A lock, as far as reading needs one."""
_UNSHARED: Guard = nullcontext()


@dataclass(frozen=True, slots=True)
class ZipMember:
    """One file of a zip, and where its bytes lie."""

    name: str
    size: int
    packed_size: int
    deflated: bool
    start: int


@dataclass(frozen=True, slots=True)
class _Record:
    """What the directory says of one member."""

    name: bytes
    flags: int
    method: int
    crc: int
    size: int
    packed_size: int
    offset: int


def read_directory(stream: BinaryIO) -> list[ZipMember]:
    """List the files of a zip in the order they lie in it; anything doubtful is a `MalformedError`."""
    length = stream.seek(0, 2)
    start, size, count = _find_directory(stream, length)
    stream.seek(start)
    records = sorted(_parse_directory(stream.read(size), count), key=lambda record: record.offset)
    members = []
    position = 0
    for record in records:
        if record.offset != position:
            raise MalformedError(say("package.zip_gap"))
        member, position = _locate(stream, record, start)
        _check_name(member.name)
        if not member.name.endswith("/"):
            members.append(member)
        elif member.size:
            raise MalformedError(say("package.zip_header", name=member.name))
    if position != start:
        raise MalformedError(say("package.zip_gap"))
    if len({member.name for member in members}) != len(members):
        raise MalformedError(say("package.zip_duplicate", name=_first_twin(members)))
    return members


def open_member(stream: BinaryIO, member: ZipMember, lock: Guard = _UNSHARED) -> Iterator[memoryview]:
    """Yield a member's bytes; more or fewer than declared are a `MalformedError`.

    With one `lock` for a stream, several members can be read in several threads.
    """
    packed = _packed_chunks(stream, member, lock)
    yield from _inflated(packed, member) if member.deflated else packed


def _find_directory(stream: BinaryIO, length: int) -> tuple[int, int, int]:
    """Return start, size and number of records of the directory; the end record must follow it."""
    if length < _END.size:
        raise MalformedError(say("package.zip_not"))
    position = length - _END.size
    signature, disk, first_disk, on_disk, count, size, start, comment = _END.unpack(
        _read(stream, position, _END.size)
    )
    if signature != b"PK\x05\x06" or comment:
        raise MalformedError(say("package.zip_not"))
    if disk or first_disk or on_disk != count:
        raise MalformedError(say("package.zip_split"))
    if _MAX_32 in (size, start) or count == _MAX_16:
        position, count, size, start = _find_directory_64(stream, position)
    if start + size != position:
        raise MalformedError(say("package.zip_gap"))
    if size > _MAX_DIRECTORY_BYTES or count > _MAX_MEMBERS:
        raise MalformedError(say("package.too_many_files", limit=_MAX_MEMBERS))
    return start, size, count


def _find_directory_64(stream: BinaryIO, position: int) -> tuple[int, int, int, int]:
    locator = position - _LOCATOR_64.size
    record = locator - _END_64.size
    if record < 0:
        raise MalformedError(say("package.zip_not"))
    signature, disk, at, disks = _LOCATOR_64.unpack(_read(stream, locator, _LOCATOR_64.size))
    if signature != b"PK\x06\x07" or disk or disks != 1 or at != record:
        raise MalformedError(say("package.zip_split"))
    fields = _END_64.unpack(_read(stream, record, _END_64.size))
    signature, own_size, _, _, disk, first_disk, on_disk, count, size, start = fields
    if signature != b"PK\x06\x06" or own_size != _END_64.size - 12 or disk or first_disk or on_disk != count:
        raise MalformedError(say("package.zip_split"))
    return record, count, size, start


def _parse_directory(data: bytes, count: int) -> list[_Record]:
    records, position = [], 0
    while position < len(data):
        record, position = _parse_record(data, position)
        records.append(record)
    if len(records) != count:
        raise MalformedError(say("package.zip_gap"))
    return records


def _parse_record(data: bytes, position: int) -> tuple[_Record, int]:
    if len(data) - position < _CENTRAL.size:
        raise MalformedError(say("package.zip_gap"))
    fields = _CENTRAL.unpack_from(data, position)
    (
        signature,
        _,
        _,
        flags,
        method,
        _,
        _,
        crc,
        packed,
        size,
        name_size,
        extra_size,
        comment_size,
        disk,
        _,
        _,
        offset,
    ) = fields
    name_start = position + _CENTRAL.size
    end = name_start + name_size + extra_size + comment_size
    if signature != b"PK\x01\x02" or end > len(data):
        raise MalformedError(say("package.zip_gap"))
    name = data[name_start : name_start + name_size]
    if disk:
        raise MalformedError(say("package.zip_split"))
    extra = data[name_start + name_size : name_start + name_size + extra_size]
    size, packed, offset = _widen(extra, (size, packed, offset), name)
    record = _Record(name, flags, method, crc, size, packed, offset)
    _check_record(record)
    return record, end


def _widen(extra: bytes, values: tuple[int, int, int], name: bytes) -> tuple[int, int, int]:
    """Replace each value that says "see the zip64 field" by what stands there."""
    if _MAX_32 not in values:
        return values
    wide = _extra_field(extra, 1)
    widened, position = [], 0
    for value in values:
        if value == _MAX_32:
            if position + 8 > len(wide):
                raise MalformedError(say("package.zip_header", name=_shown(name)))
            value = int.from_bytes(wide[position : position + 8], "little")  # noqa: PLW2901 - the same value, in full
            position += 8
        widened.append(value)
    return widened[0], widened[1], widened[2]


def _extra_field(extra: bytes, wanted: int) -> bytes:
    position = 0
    while position + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, position)
        if kind == wanted:
            return extra[position + 4 : position + 4 + size]
        position += 4 + size
    return b""


def _check_record(record: _Record) -> None:
    name = _shown(record.name)
    if record.flags & _ENCRYPTED:
        raise MalformedError(say("package.zip_encrypted", name=name))
    if record.flags & ~_KNOWN_FLAGS or record.method not in (_STORED, _DEFLATED):
        raise MalformedError(say("package.zip_method", name=name))
    if record.method == _STORED and record.size != record.packed_size:
        raise MalformedError(say("package.zip_header", name=name))
    if record.size > record.packed_size * _MAX_RATIO:
        raise MalformedError(say("package.zip_size", name=name))


def _check_name(name: str) -> None:
    """Refuse what leads out of the folder, or reads differently on another system; folders' names too."""
    try:
        layout.check_name(name.removesuffix("/"))
    except MalformedError as err:
        raise MalformedError(say("package.zip_name", name=shown(name))) from err


def _locate(stream: BinaryIO, record: _Record, limit: int) -> tuple[ZipMember, int]:
    """Compare a member's local header with the directory; return the member and where the next begins."""
    name = _shown(record.name)
    fields = _LOCAL.unpack(_read(stream, record.offset, _LOCAL.size, limit=limit))
    signature, _, flags, method, _, _, crc, packed, size, name_size, extra_size = fields
    tail = _read(stream, record.offset + _LOCAL.size, name_size + extra_size, limit=limit)
    if signature != b"PK\x03\x04" or tail[:name_size] != record.name:
        raise MalformedError(say("package.zip_header", name=name))
    if flags != record.flags or method != record.method:
        raise MalformedError(say("package.zip_header", name=name))
    size, packed, _ = _widen(tail[name_size:], (size, packed, 0), record.name)
    described = bool(flags & _DESCRIPTOR)
    stated = (crc, size, packed) == (record.crc, record.size, record.packed_size)
    if not stated and not (described and (crc, size, packed) == (0, 0, 0)):
        raise MalformedError(say("package.zip_header", name=name))
    start = record.offset + _LOCAL.size + name_size + extra_size
    end = start + record.packed_size
    if end > limit:
        raise MalformedError(say("package.zip_gap"))
    if described:
        end += _descriptor_size(stream, record, end, limit)
    member = ZipMember(
        record.name.decode("latin-1"), record.size, record.packed_size, method == _DEFLATED, start
    )
    return member, end


def _descriptor_size(stream: BinaryIO, record: _Record, position: int, limit: int) -> int:
    """Return the size of the descriptor behind a member, which must say what the directory says."""
    for form in ("<4sIII", "<4sIQQ", "<III", "<IQQ"):
        size = struct.calcsize(form)
        if position + size > limit:
            continue
        stream.seek(position)
        fields = struct.unpack(form, stream.read(size))
        if len(fields) == 4 and fields[0] != b"PK\x07\x08":  # noqa: PLR2004 - signature and three numbers
            continue
        if tuple(fields[-3:]) == (record.crc, record.packed_size, record.size):
            return size
    raise MalformedError(say("package.zip_header", name=_shown(record.name)))


def _packed_chunks(stream: BinaryIO, member: ZipMember, lock: Guard) -> Iterator[memoryview]:
    buffer = memoryview(bytearray(min(_READ_BYTES, max(member.packed_size, 1))))
    left, position = member.packed_size, member.start
    while left:
        with lock:  # another member may be read between two chunks
            stream.seek(position)
            count = stream.readinto(buffer[: min(left, len(buffer))])  # type: ignore[attr-defined]
        if not count:
            raise MalformedError(say("package.file_changed", name=member.name))
        yield buffer[:count]
        left -= count
        position += count


def _inflated(packed: Iterator[memoryview], member: ZipMember) -> Iterator[memoryview]:
    state = zlib.decompressobj(-zlib.MAX_WBITS)
    left = member.size
    try:
        for chunk in packed:
            rest = bytes(chunk)
            while rest:
                data = state.decompress(rest, _READ_BYTES)
                rest = state.unconsumed_tail
                left -= len(data)
                if left < 0 or state.unused_data or (state.eof and rest):
                    raise MalformedError(say("package.zip_size", name=member.name))
                if data:
                    yield memoryview(data)
        # What the last input still held back, once no input is left to push it out.
        while data := state.decompress(b"", _READ_BYTES):
            left -= len(data)
            if left < 0:
                raise MalformedError(say("package.zip_size", name=member.name))
            yield memoryview(data)
    except zlib.error as err:
        raise MalformedError(say("package.zip_size", name=member.name)) from err
    if left or not state.eof:
        raise MalformedError(say("package.zip_size", name=member.name))


def _read(stream: BinaryIO, position: int, size: int, limit: int | None = None) -> bytes:
    if limit is not None and position + size > limit:
        raise MalformedError(say("package.zip_gap"))
    stream.seek(position)
    data = stream.read(size)
    if len(data) != size:
        raise MalformedError(say("package.zip_not"))
    return data


def _first_twin(members: list[ZipMember]) -> str:
    seen: set[str] = set()
    for member in members:
        if member.name in seen:
            return member.name
        seen.add(member.name)
    return ""


def shown(name: str) -> str:
    """Spell a hostile name so that it cannot move the cursor or pass for another."""
    return ascii(name[:120])[1:-1]


def _shown(name: bytes) -> str:
    return shown(name.decode("latin-1"))
