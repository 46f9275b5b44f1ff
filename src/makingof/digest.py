"""Digest: the SHA-256 name of bytes."""

import hashlib
import re
import threading
from io import BufferedReader, FileIO
from typing import BinaryIO, Self

from makingof.errors import MalformedError

_SPELLING = re.compile(r"sha256:[0-9a-f]{64}")
_READ_BYTES = 1 << 20
_own = threading.local()


class Digest(str):
    """Names bytes by what they contain, written `sha256:6e34…`.

    A `Digest` is a string in its one canonical spelling, so it can be a
    dictionary key, a JSON value or a file name without conversion. It is only
    made by `parse`, `of` and `of_stream`: a plain `str` is never one.
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: object) -> Self:
        """Read the canonical form; any other spelling is a `MalformedError`.

        Upper-case hex is refused on purpose: a digest is compared as text in
        file names and packages, so it must have exactly one spelling.
        """
        if not isinstance(text, str) or not _SPELLING.fullmatch(text):
            message = f"digest {text!r} is not spelled sha256: and 64 lower-case hex digits"
            raise MalformedError(message)
        return cls(text)

    @classmethod
    def of(cls, data: bytes | bytearray | memoryview) -> Self:
        """Name `data`."""
        return cls("sha256:" + hashlib.sha256(data).hexdigest())

    @classmethod
    def of_stream(cls, stream: BinaryIO) -> tuple[Self, int]:
        """Read `stream` to its end; return its name and its size in bytes."""
        state = hashlib.sha256()
        size_bytes = 0
        while chunk := stream.read(_READ_BYTES):
            state.update(chunk)
            size_bytes += len(chunk)
        return cls("sha256:" + state.hexdigest()), size_bytes

    @classmethod
    def of_file(cls, file: FileIO | BufferedReader) -> tuple[Self, int]:
        """Do as `of_stream`, faster: new memory for each piece would cost more than hashing it."""
        buffer = getattr(_own, "buffer", None)
        if buffer is None:
            buffer = _own.buffer = memoryview(bytearray(_READ_BYTES))
        state = hashlib.sha256()
        size_bytes = 0
        while count := file.readinto(buffer):
            state.update(buffer[:count])
            size_bytes += count
        return cls("sha256:" + state.hexdigest()), size_bytes

    @classmethod
    def from_raw(cls, raw: bytes) -> Self:
        """Wrap 32 bytes of SHA-256; any other length is a `MalformedError`."""
        if len(raw) != hashlib.sha256().digest_size:
            message = f"a SHA-256 value has 32 bytes, not {len(raw)}"
            raise MalformedError(message)
        return cls("sha256:" + raw.hex())

    @property
    def hex(self) -> str:
        """The 64 hex digits alone."""
        return self[7:]

    @property
    def raw(self) -> bytes:
        """The 32 bytes."""
        return bytes.fromhex(self.hex)
