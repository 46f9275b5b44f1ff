"""A Bitcoin block header: 80 bytes that say when, and cost work to make.

What can be checked without the chain: that the header commits to a Merkle
root, that its hash meets the target it names, and how much work that is. That
it lies in the chain, and at which height, only somebody with the chain can say.
"""

import hashlib
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from makingof.errors import MalformedError, ProofError

HEADER_BYTES = 80
_EASIEST_TARGET = 0xFFFF << 208  # difficulty 1
_MANTISSA_BITS = 24


@dataclass(frozen=True, slots=True)
class BlockHeader:
    """The fields of a header that matter here."""

    data: bytes
    merkle_root: bytes
    time: datetime
    target: int

    @property
    def hash(self) -> str:
        """The block's hash as explorers spell it: reversed, in hex."""
        return _double_sha256(self.data)[::-1].hex()

    @property
    def difficulty(self) -> int:
        """How many times harder than the easiest target, rounded down."""
        return _EASIEST_TARGET // self.target


def parse_header(data: bytes) -> BlockHeader:
    """Read 80 bytes; a target that no block can have is a `MalformedError`."""
    if len(data) != HEADER_BYTES:
        message = f"block header has {len(data)} bytes and not {HEADER_BYTES}"
        raise MalformedError(message)
    seconds, bits = struct.unpack_from("<II", data, 68)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return BlockHeader(data=data, merkle_root=data[36:68], time=moment, target=_target(bits))


def check_work(header: BlockHeader) -> None:
    """Raise `ProofError` unless the header's hash meets the target it names."""
    if int.from_bytes(_double_sha256(header.data), "little") > header.target:
        message = f"block {header.hash} does not meet its own target"
        raise ProofError(message)


def join_height(height: int, header: bytes) -> bytes:
    """Write a header with its height in front, as it is kept beside a receipt."""
    return height.to_bytes(4, "big") + header


def split_height(data: bytes) -> tuple[int, BlockHeader]:
    """Read what `join_height` wrote."""
    return int.from_bytes(data[:4], "big"), parse_header(data[4:])


def _target(bits: int) -> int:
    """Expand the compact form: one byte of exponent, three of mantissa, of which the top bit is a sign."""
    exponent, mantissa = bits >> _MANTISSA_BITS, bits & 0x7FFFFF
    target = mantissa >> 8 * (3 - exponent) if exponent <= 3 else mantissa << 8 * (exponent - 3)  # noqa: PLR2004 - bytes in the mantissa
    if target == 0 or bits & 0x800000 or target >> 256:
        message = f"block header names the target {bits:08x}, which no block can have"
        raise MalformedError(message)
    return target


def _double_sha256(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()
