"""One zip member, unpacked as it is read: in bounded memory, however large it is."""

import zlib
from dataclasses import dataclass
from io import RawIOBase
from typing import Any

from makingof.containers.source import Source
from makingof.errors import MalformedError

_CHUNK_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class Claim:
    """What a member's entry says of it; more bytes than that are never given out."""

    name: str
    size_bytes: int
    crc32: int


class MemberStream(RawIOBase):
    """Gives a member's bytes from its start; reading to the end checks its size and its check sum.

    A member that is cut off, does not unpack or is not what its entry claims is a
    `MalformedError`, at the latest from the read that would have returned nothing.
    """

    def __init__(self, source: Source, packed: slice, claim: Claim, *, is_stored: bool) -> None:
        super().__init__()
        self._source = source
        self._at: int = packed.start
        self._end: int = packed.stop
        self._claim = claim
        self._machine = None if is_stored else zlib.decompressobj(-zlib.MAX_WBITS)
        self._size = 0
        self._crc32 = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        with memoryview(buffer).cast("B") as view:
            if not view:
                return 0
            data = self._stored(len(view)) if self._machine is None else self._inflated(len(view))
            view[: len(data)] = data
        self._size += len(data)
        self._crc32 = zlib.crc32(data, self._crc32)
        self._check(at_end=not data)
        return len(data)

    def _stored(self, count: int) -> bytes:
        wanted = min(count, _CHUNK_BYTES, self._end - self._at)
        return self._packed(wanted) if wanted else b""

    def _inflated(self, count: int) -> bytes:
        assert self._machine is not None  # noqa: S101 - only deflated members come here
        while not self._machine.eof:
            packed = self._machine.unconsumed_tail
            if not packed and self._at < self._end:
                packed = self._packed(min(_CHUNK_BYTES, self._end - self._at))
            try:
                data = self._machine.decompress(packed, count)
            except zlib.error as err:
                message = f"zip member {self._claim.name!r} does not unpack: {err}"
                raise MalformedError(message) from err
            if data:
                return data
            if not packed and not self._machine.eof:
                message = f"zip member {self._claim.name!r} is cut off"
                raise MalformedError(message)
        return b""

    def _packed(self, count: int) -> bytes:
        data = self._source[self._at : self._at + count]
        if len(data) != count:
            message = f"zip member {self._claim.name!r} is cut off"
            raise MalformedError(message)
        self._at += count
        return data

    def _check(self, *, at_end: bool) -> None:
        size_bytes = self._claim.size_bytes
        if self._size > size_bytes or (at_end and self._size < size_bytes):
            message = f"zip member {self._claim.name!r} has {self._size} bytes and claims {size_bytes}"
            raise MalformedError(message)
        if at_end and self._crc32 != self._claim.crc32:
            message = f"zip member {self._claim.name!r} does not match its check sum"
            raise MalformedError(message)
