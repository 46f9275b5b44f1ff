"""SM3 (GB/T 32905), the digest Chinese deposit platforms and courts ask for, beside SHA-256."""

import hashlib
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from cryptography.hazmat.primitives import hashes

from makingof.digest import Digest

_READ_BYTES = 1 << 20


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class FileDigests:
    """Both names of a file's bytes, and how many they are."""

    sha256: Digest
    sm3: str  # 64 lower-case hex digits
    size_bytes: int


def digest_stream(stream: BinaryIO) -> FileDigests:
    """Read `stream` to its end once and name it by SHA-256 and SM3."""
    sha256, sm3 = hashlib.sha256(), _new_sm3()
    size_bytes = 0
    while chunk := stream.read(_READ_BYTES):
        sha256.update(chunk)
        sm3.update(chunk)
        size_bytes += len(chunk)
    return FileDigests(Digest.from_raw(sha256.digest()), sm3.digest().hex(), size_bytes)


def sm3_hex(data: bytes) -> str:
    """Return the SM3 of `data` as 64 hex digits."""
    state = _new_sm3()
    state.update(data)
    return state.digest().hex()


def _new_sm3(*, from_hashlib: bool = "sm3" in hashlib.algorithms_available) -> _Hash:
    return hashlib.new("sm3") if from_hashlib else _CryptographySm3()


class _CryptographySm3:
    """Stands in where Python was built on a library without SM3."""

    def __init__(self) -> None:
        self._hash = hashes.Hash(hashes.SM3())

    def update(self, data: bytes, /) -> None:
        self._hash.update(data)

    def digest(self) -> bytes:
        return self._hash.copy().finalize()
