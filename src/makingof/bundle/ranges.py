"""`data/log/ranges`: which positions of the log the entries stand at, and the hashes that prove it.

    makingof-ranges/1
    12 345
    <base64 of a hash, one a line, in the order of `tlog.merkle.make_range_proof`>

    400 401
    …

Each block is a half-open range of positions; the entries of all blocks lie one
a line in `data/log/entries.jsonl`, in the same order.
"""

import base64
import re
from dataclasses import dataclass

from makingof.errors import MalformedError
from makingof.tlog.checkpoint import decode_hash

MAX_RANGES_BYTES = 64 << 20
_MAX_LINES = 2_000_000
_TITLE = "makingof-ranges/1"
_BOUNDS = re.compile(r"(0|[1-9][0-9]{0,15}) ([1-9][0-9]{0,15})")


@dataclass(frozen=True, slots=True)
class ProvenRange:
    """The positions `[start, end)` and the hashes outside that lead from their leaves to the root."""

    start: int
    end: int
    proof: tuple[bytes, ...]

    def __len__(self) -> int:
        return self.end - self.start


def format_ranges(ranges: tuple[ProvenRange, ...]) -> bytes:
    """Spell ranges, which must be ascending and must not touch."""
    blocks = [
        "".join(
            [f"{item.start} {item.end}\n", *(base64.b64encode(value).decode() + "\n" for value in item.proof)]
        )
        for item in ranges
    ]
    return (_TITLE + "\n" + "\n".join(blocks)).encode("ascii")


def parse_ranges(data: bytes) -> tuple[ProvenRange, ...]:
    """Read ranges back; any other spelling, or ranges that meet or fall back, are a `MalformedError`."""
    text = data.decode("latin-1")
    title, _, rest = text.partition("\n")
    if title != _TITLE or text.count("\n") > _MAX_LINES:
        message = "ranges do not begin with their title, or are too many"
        raise MalformedError(message)
    ranges = tuple(_parse_block(block) for block in rest.removesuffix("\n").split("\n\n"))
    if format_ranges(ranges) != data:
        message = "ranges are not in their one spelling"
        raise MalformedError(message)
    before = -1
    for item in ranges:
        if not before < item.start < item.end:
            message = f"range {item.start} to {item.end} is empty, or meets the one before it"
            raise MalformedError(message)
        before = item.end
    return ranges


def _parse_block(block: str) -> ProvenRange:
    first, *lines = block.split("\n")
    bounds = _BOUNDS.fullmatch(first)
    if not bounds:
        message = f"range {first[:60]!r} is not two positions"
        raise MalformedError(message)
    return ProvenRange(int(bounds[1]), int(bounds[2]), tuple(decode_hash(line) for line in lines))
