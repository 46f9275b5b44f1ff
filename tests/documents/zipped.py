"""Zip archives as programs write them, and as attackers do."""

import io
import struct
import zipfile
import zlib

WHEN = (2026, 3, 1, 12, 0, 0)


def write_zip(members, *, stored=("mimetype",)) -> bytes:
    """Write (name, bytes) pairs in order; the type comes first and is not compressed."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members:
            entry = zipfile.ZipInfo(name, WHEN)
            method = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            archive.writestr(entry, data, method)
    return out.getvalue()


def local(name: bytes, packed: bytes, *, crc=0, size=0, method=8, flags=0, later=False) -> bytes:
    """A local header with its data; `later` leaves sizes to a descriptor behind the data."""
    if later:
        head = struct.pack("<4s5H3I2H", b"PK\3\4", 20, flags | 8, method, 0, 0, 0, 0, 0, len(name), 0)
        return head + name + packed + struct.pack("<4s3I", b"PK\7\x08", crc, len(packed), size)
    head = struct.pack("<4s5H3I2H", b"PK\3\4", 20, flags, method, 0, 0, crc, len(packed), size, len(name), 0)
    return head + name + packed


def entry(name: bytes, packed: int, size: int, offset: int, *, crc=0, method=8, flags=0) -> bytes:
    head = struct.pack(
        "<4s6H3I5H2I",
        b"PK\1\2", 20, 20, flags, method, 0, 0, crc, packed, size, len(name), 0, 0, 0, 0, 0, offset,
    )  # fmt: skip
    return head + name


def end(count: int, size: int, offset: int, *, disk=0) -> bytes:
    return struct.pack("<4s4H2IH", b"PK\5\6", disk, disk, count, count, size, offset, 0)


def deflate(data: bytes) -> bytes:
    machine = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return machine.compress(data) + machine.flush()
