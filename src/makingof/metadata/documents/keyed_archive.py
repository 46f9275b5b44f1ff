"""NSKeyedArchiver: how Apple's programs write objects, as one flat table in a binary property list.

`$objects` is the table, a UID an index into it, `$top` says where to begin. The
standard library reads the property list; what it would do with a hostile one is
checked before: objects there may overlap, so that a megabyte becomes a terabyte.
"""

import plistlib
import struct
from typing import Any, Self

from makingof.errors import MalformedError

MAX_ARCHIVE_BYTES = 32 << 20
MAX_OBJECTS = 500_000
_MAGIC = b"bplist0"
_TRAILER_BYTES = 32
_NULL = "$null"

# Bytes per element of what is counted: data, ASCII, UTF-16; of references by their own size.
_COUNTED = {0x4: 1, 0x5: 1, 0x6: 2}
_REFERRING = {0xA: 1, 0xB: 1, 0xC: 1, 0xD: 2}
_LONG = 0xF


class KeyedArchive:
    """The table of objects, followed by reference only: nothing is unfolded that was not asked for."""

    def __init__(self, objects: list[Any], root: Any) -> None:
        self._objects = objects
        self.root = root

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read an archive; anything else is a `MalformedError`."""
        _require_sound(data)
        try:
            value = plistlib.loads(data, fmt=plistlib.FMT_BINARY)
        except (ValueError, TypeError, RecursionError, OverflowError, IndexError, struct.error) as err:
            message = f"property list does not read: {err}"
            raise MalformedError(message) from err
        objects = value.get("$objects") if isinstance(value, dict) else None
        top = value.get("$top") if isinstance(value, dict) else None
        if not isinstance(objects, list) or not isinstance(top, dict):
            message = "property list is no keyed archive"
            raise MalformedError(message)
        archive = cls(objects, None)
        archive.root = archive.follow(top.get("root"))
        return archive

    def follow(self, value: Any) -> Any:
        """Return what a reference stands for, other values as they are; the null object is None."""
        if isinstance(value, plistlib.UID):
            value = self._objects[value.data] if value.data < len(self._objects) else None
        return None if isinstance(value, plistlib.UID) or value == _NULL else value

    def get(self, holder: Any, key: str) -> Any:
        """Return a value of an object, or None where the object or the value is not there."""
        return self.follow(holder.get(key)) if isinstance(holder, dict) else None

    def entries(self, holder: Any, key: str) -> list[Any]:
        """Return the references in an array of an object, not yet followed."""
        found = self.get(holder, key)
        listed = found.get("NS.objects") if isinstance(found, dict) else found
        return listed if isinstance(listed, list) else []

    def class_name(self, holder: Any) -> str:
        """Name the class of an object, or "" where it has none."""
        name = self.get(self.get(holder, "$class"), "$classname")
        return name if isinstance(name, str) else ""


def _require_sound(data: bytes) -> None:
    """Refuse a list whose objects together claim more bytes than it has: some would overlap."""
    if len(data) > MAX_ARCHIVE_BYTES or len(data) < _TRAILER_BYTES or not data.startswith(_MAGIC):
        message = f"{len(data)} bytes are no binary property list that is read here"
        raise MalformedError(message)
    offset_bytes, reference_bytes, count, _, table = struct.unpack(">6xBBQQQ", data[-_TRAILER_BYTES:])
    end = table + count * offset_bytes
    if count > MAX_OBJECTS or not offset_bytes or end > len(data) - _TRAILER_BYTES:
        message = f"property list claims {count} objects"
        raise MalformedError(message)
    claimed = 0
    for at in range(table, end, offset_bytes):
        claimed += _extent(data, int.from_bytes(data[at : at + offset_bytes], "big"), reference_bytes)
    if claimed > len(data):
        message = "property list has objects that overlap"
        raise MalformedError(message)


def _extent(data: bytes, at: int, reference_bytes: int) -> int:
    """Measure one object by its first bytes."""
    kind, count = divmod(data[at] if at < len(data) else 0, 16)
    unit = _COUNTED.get(kind, _REFERRING.get(kind, 0) * reference_bytes)
    if not unit:
        return 1
    if count == _LONG:
        length_bytes = 1 << (data[at + 1] & 0xF) if at + 1 < len(data) else 1
        count = int.from_bytes(data[at + 2 : at + 2 + length_bytes], "big")
    return 1 + count * unit
