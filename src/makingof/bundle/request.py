"""What is asked for when a package is made, and where it is taken from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from makingof.bundle.description import DEFAULT_OPTIONS, Options
from makingof.digest import Digest
from makingof.lineage.graph import Graph
from makingof.tlog.reader import LogReader

OpenBlob = Callable[[Digest], BinaryIO | None]
MakePreview = Callable[[bytes], bytes | None]
Checkpoint = Callable[[int], bytes]


def _ignore(_number: int, _count: int) -> None:
    """Nobody is waiting."""


@dataclass(frozen=True, slots=True)
class Sources:
    """An archive, as far as a package is made from it.

    `open_blob` gives the bytes of a digest, or None where they cannot be had; it
    answers for files left in place only after hashing them. `stamped` are the
    positions of the `stamped` events, in order. `make_preview` returns a small
    JPEG, or None for what is no picture; `has_pixel_data` tells whether a picture
    hides data in its pixels. `on_file` is told how far the files are: number and count.
    """

    log: LogReader
    graph: Graph
    checkpoint: Checkpoint
    open_blob: OpenBlob
    stamped: Sequence[int]
    make_preview: MakePreview
    has_pixel_data: Callable[[bytes], bool]
    on_file: Callable[[int, int], None] = _ignore


@dataclass(frozen=True, slots=True)
class Request:
    """Which pictures, taken from the first `size` entries, and how. Equal requests make equal packages.

    `later_stamps` are positions of `stamped` events at or after `size`, whose
    receipts come in too (`export --refresh`).
    """

    pictures: tuple[Digest, ...]
    size: int
    options: Options = DEFAULT_OPTIONS
    later_stamps: tuple[int, ...] = ()
    findings: bytes | None = None
