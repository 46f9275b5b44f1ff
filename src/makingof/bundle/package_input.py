"""What a package is made of, gathered beforehand: plain values, and functions that open the larger files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from makingof.bundle.description import DEFAULT_OPTIONS, CopyOf, Options, Shows, Why
from makingof.bundle.search import NOTHING_WITHHELD, Withheld
from makingof.digest import Digest
from makingof.keys.signing import PublicKey
from makingof.stamp.base import Receipt


@dataclass(frozen=True, slots=True)
class EntryRange:
    """Entries side by side in the log from `start` on, with their range proof."""

    start: int
    entries: tuple[bytes, ...]
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class FileInput:
    """One file of the record. `open` gives the bytes that go into the package, of `size` and `digest`."""

    parts: tuple[Digest, ...]
    shows: Shows
    why: Why | None = None
    suffix: str = "bin"
    size: int = 0
    digest: Digest | None = None
    open: Callable[[], BinaryIO] | None = None
    copy: CopyOf | None = None


@dataclass(frozen=True, slots=True)
class StampInput:
    """A checkpoint that was stamped: the signed note, its proof against the package's own, the receipts.

    The proof leads from the smaller of the two trees to the larger; between
    trees of one size it is empty.
    """

    size: int
    checkpoint: bytes
    consistency: tuple[bytes, ...]
    receipts: tuple[Receipt, ...]


@dataclass(frozen=True, slots=True)
class FileStampInput:
    """Receipts for one file: a sheet that lies beside them, or the file input `number`, counted from 1."""

    receipts: tuple[Receipt, ...]
    sheet: bytes | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class PackageInput:
    """Everything a package holds; the same input makes the same bytes."""

    key: PublicKey
    checkpoint: bytes
    ranges: tuple[EntryRange, ...]
    inclusions: Mapping[int, tuple[bytes, ...]]  # position → inclusion proof, for the lineage
    parts: Mapping[Digest, bytes]
    pictures: tuple[Digest, ...]
    lineage: tuple[int, ...]
    lineage_rule: int
    options: Options = DEFAULT_OPTIONS
    files: tuple[FileInput, ...] = ()
    stamps: tuple[StampInput, ...] = ()
    file_stamps: tuple[FileStampInput, ...] = ()
    findings: bytes | None = None
    withheld: Withheld = NOTHING_WITHHELD
