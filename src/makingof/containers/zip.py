"""Zip, after PKWARE's APPNOTE, with limits: members are listed first and read one by one.

The standard library's reader trusts what the archive claims: it unpacks without a
limit, takes the last of two members with one name, and reads a central directory of
any length. Here a member is unpacked into at most as many bytes as the caller
allows, two members of one name are both seen, and the span of every member in the
file is known, so that a record in it can be cited.
"""

import zlib
from collections.abc import Iterator

import msgspec

from makingof.containers.source import Cursor, Source
from makingof.containers.zip_stream import Claim, MemberStream
from makingof.errors import MalformedError

MAX_MEMBERS = 100_000
MAX_NAME_BYTES = 4_096
MAX_SALVAGED_BYTES = 256 << 20
_MAX_DIRECTORY_BYTES = 64 << 20
_MAX_COMMENT_BYTES = 0xFFFF

_LOCAL = b"PK\x03\x04"
_CENTRAL = b"PK\x01\x02"
_END = b"PK\x05\x06"
_END64 = b"PK\x06\x06"
_LOCATOR64 = b"PK\x06\x07"

_END_BYTES = 22
_LOCATOR64_BYTES = 20
_FULL16 = 0xFFFF
_FULL32 = 0xFFFFFFFF

_ENCRYPTED = 0x1
_SIZES_LATER = 0x8
_UTF8 = 0x800
_TIMES = 0x5455

STORED = 0
DEFLATED = 8

_CHUNK_BYTES = 1 << 16


class Member(msgspec.Struct, frozen=True, gc=False):
    """One entry as the directory lists it: nothing of it has been unpacked."""

    name: str
    offset: int  # of its local header in the file
    packed_bytes: int
    size_bytes: int  # as claimed
    crc32: int
    method: int
    encrypted: bool = False
    modified_s: int | None = None  # since 1970, where the archive states an instant


class Zip:
    """A listed archive over `source`; `members` are in directory order."""

    def __init__(self, source: Source, members: tuple[Member, ...], damage: tuple[str, ...] = ()) -> None:
        self._source = source
        self.members = members
        self.damage = damage
        self._first: dict[str, Member] = {}
        for member in members:
            self._first.setdefault(member.name, member)

    def find(self, name: str) -> Member | None:
        """Return the first member called `name`, as every streaming reader would meet it."""
        return self._first.get(name)

    def names(self) -> tuple[str, ...]:
        """Name every member once, in directory order."""
        return tuple(self._first)

    def read(self, member: Member, *, limit_bytes: int) -> bytes:
        """Unpack one member; it must have the size and check sum its entry claims.

        More than `limit_bytes`, encryption, another compression than deflate, and
        a local header that names another member are `MalformedError`.
        """
        self._require_readable(member)
        if member.size_bytes > limit_bytes:
            message = f"zip member {member.name!r} claims {member.size_bytes} bytes, over {limit_bytes}"
            raise MalformedError(message)
        packed = Cursor(self._source, self._data_offset(member)).take(member.packed_bytes)
        data = packed if member.method == STORED else _inflate(member, packed)
        if len(data) != member.size_bytes:
            message = f"zip member {member.name!r} has {len(data)} bytes and claims {member.size_bytes}"
            raise MalformedError(message)
        if zlib.crc32(data) != member.crc32:
            message = f"zip member {member.name!r} does not match its check sum"
            raise MalformedError(message)
        return data

    def open(self, member: Member) -> MemberStream:
        """Open one member, to be unpacked as it is read and refused where `read` would refuse it."""
        self._require_readable(member)
        start = self._data_offset(member)
        packed = slice(start, start + member.packed_bytes)
        claim = Claim(member.name, member.size_bytes, member.crc32)
        return MemberStream(self._source, packed, claim, is_stored=member.method == STORED)

    def stored_offset(self, member: Member) -> int | None:
        """Return where the member's bytes lie in the file, or None where they are compressed or damaged."""
        if member.method != STORED or member.encrypted:
            return None
        try:
            return self._data_offset(member)
        except MalformedError:
            return None

    def _require_readable(self, member: Member) -> None:
        if member.encrypted:
            message = f"zip member {member.name!r} is encrypted"
            raise MalformedError(message)
        if member.method not in (STORED, DEFLATED):
            message = f"zip member {member.name!r} has compression {member.method}, which is not read here"
            raise MalformedError(message)
        if member.packed_bytes > _longest_packed(member):
            message = f"zip member {member.name!r} is longer packed than its size allows"
            raise MalformedError(message)

    def _data_offset(self, member: Member) -> int:
        """Follow the entry to its local header; a different name there is an attack or damage.

        Two programs that trust different headers would see two different files.
        """
        local = Cursor(self._source, member.offset)
        head = local.take(30)
        name_bytes = int.from_bytes(head[26:28], "little")
        extra_bytes = int.from_bytes(head[28:30], "little")
        flags = int.from_bytes(head[6:8], "little")
        if head[:4] != _LOCAL or _decode(local.take(name_bytes), flags) != member.name:
            message = f"zip member {member.name!r} is not where the directory says"
            raise MalformedError(message)
        local.skip(extra_bytes)
        return local.at


def open_zip(source: Source, *, max_members: int = MAX_MEMBERS) -> Zip:
    """List the members of an archive by its central directory.

    Data without one, several disks, more than `max_members` members and members that
    overlap each other or the directory (zip bombs do) are `MalformedError`.
    """
    count, size, offset = _directory(source)
    if count > max_members or size > _MAX_DIRECTORY_BYTES:
        message = f"zip claims {count} members in a directory of {size} bytes"
        raise MalformedError(message)
    entries = Cursor(source, offset, offset + size)
    members = tuple(_entry(entries) for _ in range(count))
    _require_apart(members, offset)
    return Zip(source, members)


def salvage_zip(source: Source) -> Zip:
    """List what can be read from the front of an archive whose directory is missing or damaged.

    Half a file, or one still being copied, begins with whole members. What this
    finds is never proof that nothing followed, and `damage` says so. At most
    `MAX_SALVAGED_BYTES` are unpacked to find where members end.
    """
    members: list[Member] = []
    budget = MAX_SALVAGED_BYTES
    damage = "zip directory is missing or damaged; members were found by their own headers"
    for member in _local_members(source):
        members.append(member)
        budget -= member.size_bytes if member.method == DEFLATED else 0
        if len(members) >= MAX_MEMBERS or budget <= 0:
            damage += "; the search ended early"
            break
    if not members:
        message = "data holds no whole zip member"
        raise MalformedError(message)
    return Zip(source, tuple(members), (damage,))


def _directory(source: Source) -> tuple[int, int, int]:
    """Find how many members the directory has, its length and its offset."""
    start = max(0, len(source) - _END_BYTES - _MAX_COMMENT_BYTES)
    tail = source[start : len(source)]
    at = tail.rfind(_END)
    if at < 0 or at + _END_BYTES > len(tail):
        message = "data has no zip directory"
        raise MalformedError(message)
    end = tail[at : at + _END_BYTES]
    disk, _, here, count = (int.from_bytes(end[n : n + 2], "little") for n in (4, 6, 8, 10))
    size, offset = (int.from_bytes(end[n : n + 4], "little") for n in (12, 16))
    if _FULL16 in (disk, here, count) or _FULL32 in (size, offset):
        return _directory64(source, start + at)
    if disk or here != count:
        message = "zip is spread over several disks"
        raise MalformedError(message)
    return count, size, offset


def _directory64(source: Source, end_at: int) -> tuple[int, int, int]:
    locator = source[max(0, end_at - _LOCATOR64_BYTES) : end_at]
    if locator[:4] != _LOCATOR64:
        message = "zip is larger than its directory can say, and has no zip64 directory"
        raise MalformedError(message)
    record = Cursor(source, int.from_bytes(locator[8:16], "little")).take(56)
    if record[:4] != _END64 or record[16:24] != bytes(8):
        message = "zip64 directory is not where its locator says"
        raise MalformedError(message)
    count, size, offset = (int.from_bytes(record[n : n + 8], "little") for n in (32, 40, 48))
    return count, size, offset


def _entry(entries: Cursor) -> Member:
    head = entries.take(46)
    if head[:4] != _CENTRAL:
        message = f"zip directory is damaged at offset {entries.at - 46}"
        raise MalformedError(message)
    flags, method = (int.from_bytes(head[n : n + 2], "little") for n in (8, 10))
    crc32, packed, size = (int.from_bytes(head[n : n + 4], "little") for n in (16, 20, 24))
    name_bytes, extra_bytes, comment_bytes = (int.from_bytes(head[n : n + 2], "little") for n in (28, 30, 32))
    offset = int.from_bytes(head[42:46], "little")
    name = _decode(entries.take(name_bytes), flags)
    extra = entries.take(extra_bytes)
    entries.skip(comment_bytes)
    size, packed, offset = _widened(extra, size, packed, offset)
    is_encrypted = bool(flags & _ENCRYPTED)
    return Member(name, offset, packed, size, crc32, method, is_encrypted, _modified(extra))


def _modified(extra: bytes) -> int | None:
    """Return the extended time stamp; the time of the entry itself has no offset from UTC."""
    field = _extra_field(extra, _TIMES)
    return int.from_bytes(field[1:5], "little", signed=True) if len(field) > 4 and field[0] & 1 else None  # noqa: PLR2004 - flags and one time


def _widened(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Take from the zip64 field, in its fixed order, each value the entry has no room for."""
    values = [size, packed, offset]
    if _FULL32 not in values:
        return size, packed, offset
    field = _extra_field(extra, 1)
    for number, value in enumerate(values):
        if value == _FULL32 and len(field) >= 8:  # noqa: PLR2004 - one value of 64 bits
            values[number], field = int.from_bytes(field[:8], "little"), field[8:]
    return values[0], values[1], values[2]


def _extra_field(extra: bytes, wanted: int) -> bytes:
    while len(extra) >= 4:  # noqa: PLR2004 - kind and length
        kind, length = int.from_bytes(extra[:2], "little"), int.from_bytes(extra[2:4], "little")
        if kind == wanted:
            return extra[4 : 4 + length]
        extra = extra[4 + length :]
    return b""


def _decode(raw: bytes, flags: int) -> str:
    """Read a name: UTF-8 where flagged or valid, else code page 437, which the format has by default."""
    if len(raw) > MAX_NAME_BYTES:
        message = f"zip member has a name of {len(raw)} bytes"
        raise MalformedError(message)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace") if flags & _UTF8 else raw.decode("cp437")


def _require_apart(members: tuple[Member, ...], directory_offset: int) -> None:
    """Refuse members whose bytes overlap: a small file could unpack to terabytes."""
    edge = 0
    for member in sorted(members, key=lambda member: member.offset):
        if member.offset < edge:
            message = f"zip member {member.name!r} overlaps another"
            raise MalformedError(message)
        edge = member.offset + 30 + member.packed_bytes
    if edge > directory_offset:
        message = "zip members reach into the directory"
        raise MalformedError(message)


def _longest_packed(member: Member) -> int:
    """Bound the packed bytes by the claimed size: deflate adds five bytes for each 16 KiB it cannot shrink.

    Without it a member of one byte could make us load gigabytes to find that out.
    """
    slack = 0 if member.method == STORED else (member.size_bytes >> 8) + 1024
    return member.size_bytes + slack


def _inflate(member: Member, packed: bytes) -> bytes:
    """Unpack at most one byte more than the member claims: one is enough to know that it lied."""
    machine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        return machine.decompress(packed, member.size_bytes + 1)
    except zlib.error as err:
        message = f"zip member {member.name!r} does not unpack: {err}"
        raise MalformedError(message) from err


def _local_members(source: Source) -> Iterator[Member]:
    """Yield whole members from the front, until one is cut off or something else begins."""
    at = 0
    while True:
        try:
            member, at = _local_member(source, at)
        except MalformedError:
            return
        yield member


def _local_member(source: Source, at: int) -> tuple[Member, int]:
    local = Cursor(source, at)
    head = local.take(30)
    if head[:4] != _LOCAL:
        message = f"no zip member begins at offset {at}"
        raise MalformedError(message)
    flags, method = (int.from_bytes(head[n : n + 2], "little") for n in (6, 8))
    crc32, packed, size = (int.from_bytes(head[n : n + 4], "little") for n in (14, 18, 22))
    name = _decode(local.take(int.from_bytes(head[26:28], "little")), flags)
    extra = local.take(int.from_bytes(head[28:30], "little"))
    size, packed, _ = _widened(extra, size, packed, 0)
    encrypted = bool(flags & _ENCRYPTED)
    if not flags & _SIZES_LATER:
        local.skip(packed)
        return Member(name, at, packed, size, crc32, method, encrypted), local.at
    if method != DEFLATED or encrypted:
        message = f"zip member {name!r} does not say where it ends"
        raise MalformedError(message)
    packed, size, crc32 = _measure(source, local.at)
    end = local.at + packed
    return Member(name, at, packed, size, crc32, method), end + _descriptor_bytes(source, end)


def _measure(source: Source, start: int) -> tuple[int, int, int]:
    """Unpack a deflated member, keeping nothing, to learn its packed length, its size and its check sum."""
    machine = zlib.decompressobj(-zlib.MAX_WBITS)
    at, size, crc32 = start, 0, 0
    while not machine.eof:
        chunk = machine.unconsumed_tail or source[at : at + _CHUNK_BYTES]
        if not machine.unconsumed_tail:
            at += len(chunk)
        if not chunk:
            message = f"zip member at offset {start} is cut off"
            raise MalformedError(message)
        try:
            data = machine.decompress(chunk, _CHUNK_BYTES)
        except zlib.error as err:
            message = f"zip member at offset {start} does not unpack: {err}"
            raise MalformedError(message) from err
        size += len(data)
        crc32 = zlib.crc32(data, crc32)
        if size > MAX_SALVAGED_BYTES:
            message = f"zip member at offset {start} unpacks to more than {MAX_SALVAGED_BYTES} bytes"
            raise MalformedError(message)
    return at - len(machine.unused_data) - start, size, crc32


def _descriptor_bytes(source: Source, at: int) -> int:
    """Measure the data descriptor, which may or may not begin with a signature and be wide."""
    signed = 4 if source[at : at + 4] == b"PK\x07\x08" else 0
    for wide in (12, 20):
        if source[at + signed + wide : at + signed + wide + 2] == b"PK":
            return signed + wide
    return signed + 12
