"""Tagged blocks: how PSD files say everything that was invented after 1990."""

from typing import NamedTuple

from makingof.containers.source import Cursor
from makingof.errors import MalformedError

MAX_BLOCKS = 100_000
_SIGNATURES = frozenset({b"8BIM", b"8B64"})
_MIN_BYTES = 12
# In a PSB the length of these blocks has 64 bits. The specification lists some, the files show the rest.
_WIDE = frozenset(
    {
        b"LMsk", b"Lr16", b"Lr32", b"Layr", b"Mt16", b"Mt32", b"Mtrn", b"Alph", b"FMsk", b"lnk2", b"lnk3",
        b"lnkE", b"FEid", b"FXid", b"FELS", b"PxSD", b"pths", b"extd", b"extn", b"cinf", b"artd",
    }
)  # fmt: skip


class Block(NamedTuple):
    """One block: four letters and a span of the file."""

    key: bytes
    at: int
    size_bytes: int

    @property
    def name(self) -> str:
        """Its letters as text."""
        return self.key.decode("latin-1").rstrip()


class Blocks(NamedTuple):
    """What was found, and what ended the search early."""

    blocks: list[Block]
    damage: str = ""

    def find(self, *keys: bytes) -> Block | None:
        """Return the first block with one of `keys`, or None."""
        return next((block for block in self.blocks if block.key in keys), None)


def read_blocks(cursor: Cursor, *, wide: bool, limit: int = MAX_BLOCKS) -> Blocks:
    """List the blocks up to the cursor's end; payloads are not touched.

    A block that reaches past the end is cut there and said. Padding between blocks
    is not the same in all writers, so up to three bytes are stepped over.
    """
    blocks: list[Block] = []
    while cursor.left >= _MIN_BYTES:
        if not _find_signature(cursor):
            return Blocks(blocks, f"no block begins at offset {cursor.at}")
        cursor.skip(4)
        key = cursor.take(4)
        long = wide and key in _WIDE
        if cursor.left < (8 if long else 4):
            return Blocks(blocks, f"block {key!r} has no room for its length")
        length = cursor.u64() if long else cursor.u32()
        blocks.append(Block(key, cursor.at, min(length, cursor.left)))
        if length > cursor.left:
            return Blocks(blocks, f"block {key!r} claims {length} bytes and {cursor.left} are there")
        cursor.skip(length)
        if len(blocks) >= limit:
            return Blocks(blocks, f"more than {limit} blocks")
    return Blocks(blocks)


def _find_signature(cursor: Cursor) -> bool:
    ahead = cursor.peek(min(7, cursor.left))
    for padding in range(len(ahead) - 3):
        if ahead[padding : padding + 4] in _SIGNATURES:
            cursor.skip(padding)
            return True
    return False


def unicode_text(raw: bytes) -> str:
    """Read a count and that many UTF-16 units, without the nulls some writers end them with.

    Units that form no character come back as U+FFFD: a name with a lone surrogate
    could not be written down anywhere.
    """
    cursor = Cursor(raw)
    try:
        units = cursor.u32()
    except MalformedError:
        return ""
    text = cursor.take(min(2 * units, cursor.left & ~1)).decode("utf-16-be", "replace")
    return text.rstrip("\0")
