"""A log as a folder of static files (C2SP tlog-tiles v0.1.0), which other programs can read and serve.

Tiles hold 256 hashes of one level each, entry bundles 256 entries; the last
ones of a tree are partial. All but `checkpoint` never change, so writing
again adds what is new and refuses to replace what is different.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from makingof.durable import SHARED, make_folders, replace, write_new
from makingof.errors import IntegrityError, LogForkError, MalformedError, UsageError
from makingof.keys.signing import PublicKey
from makingof.tlog import merkle
from makingof.tlog.checkpoint import Checkpoint, read_checkpoint, verify_checkpoint
from makingof.tlog.database import MAX_ENTRY_BYTES
from makingof.tlog.merkle import EMPTY_EDGE, HASH_BYTES, leaf_hash
from makingof.tlog.note import MAX_NOTE_BYTES
from makingof.tlog.reader import LogReader

TILE_WIDTH = 256
TILE_LEVELS = 8  # levels of the tree from one tile level to the next
CHECKPOINT_NAME = "checkpoint"
ENTRIES = -1  # the level under which entry bundles go, beside the tiles' 0 to 63

_LENGTH_BYTES = 2
_MAX_LEVEL = 63
_PATH = re.compile(
    r"tile/(entries|[0-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True)
class Tile:
    """Names one file: `width` hashes of a level, or entries (level `ENTRIES`), from `index * 256` on."""

    level: int
    index: int
    width: int = TILE_WIDTH


def tile_path(tile: Tile) -> str:
    """Return where a tile or entry bundle lies under the folder; `parse_tile_path` is its inverse."""
    if not ENTRIES <= tile.level <= _MAX_LEVEL or tile.index < 0 or not 1 <= tile.width <= TILE_WIDTH:
        message = f"there is no tile {tile}"
        raise UsageError(message)
    level = "entries" if tile.level == ENTRIES else str(tile.level)
    partial = "" if tile.width == TILE_WIDTH else f".p/{tile.width}"
    return f"tile/{level}/{_spell_index(tile.index)}{partial}"


def parse_tile_path(path: str) -> Tile:
    """Read the name of a tile back; any other spelling is a `MalformedError`."""
    found = _PATH.fullmatch(path)
    if found:
        digits = found[2].replace("x", "").replace("/", "")
        level = ENTRIES if found[1] == "entries" else int(found[1])
        # Enough for 2^63 entries; Python refuses to read numbers of thousands of digits.
        tile = Tile(level, int(digits[:21]), int(found[3] or TILE_WIDTH))
        if tile.width <= TILE_WIDTH and tile_path(tile) == path:
            return tile
    message = f"{path[:200]!r} is not the path of a tile"
    raise MalformedError(message)


def list_tiles(size: int) -> Iterator[Tile]:
    """Name every tile and entry bundle of a tree of `size` leaves."""
    yield from _tiles_of_row(ENTRIES, size)
    level, row = 0, size
    while row:
        yield from _tiles_of_row(level, row)
        level, row = level + 1, row // TILE_WIDTH


def write_tiles(reader: LogReader, folder: Path, checkpoint: bytes) -> int:
    """Write the tree that `checkpoint` signs under `folder` and return the number of new files.

    A file that is there with the same bytes is left alone; with other bytes
    it is a `LogForkError` and stays. The checkpoint comes last, so that a
    reader never sees one whose tiles are missing.
    """
    size = read_checkpoint(checkpoint).size
    written = sum(
        _write_once(folder / tile_path(tile), _make_tile(reader, tile)) for tile in list_tiles(size)
    )
    make_folders(folder)
    replace(folder / CHECKPOINT_NAME, checkpoint, mode=SHARED)
    return written


@dataclass(frozen=True, slots=True)
class VerifiedTiles:
    """What a folder of tiles was found to hold."""

    checkpoint: Checkpoint
    files: int


def verify_tiles(folder: Path, key: PublicKey) -> VerifiedTiles:
    """Read a folder back and return what it holds if every file is what the checkpoint signs.

    Every entry is hashed into its leaf, every leaf into the root. Files the
    tree does not need are not looked at.

    Raises:
        MalformedError: a file is missing or does not parse.
        ProofError: the checkpoint is not signed by the log of `key`.
        IntegrityError: entries, tiles and root contradict each other.
    """
    checkpoint = verify_checkpoint(_read_file(folder, CHECKPOINT_NAME, MAX_NOTE_BYTES), key)
    edge = EMPTY_EDGE
    rows: list[list[bytes]] = [[]]  # per level, hashes of the tile being filled
    files = 0
    for tile in _tiles_of_row(ENTRIES, checkpoint.size):
        for entry in _read_bundle(folder, tile):
            leaf = leaf_hash(entry)
            edge, _ = edge.append(leaf)
            rows[0].append(leaf)
        files += 1 + _fold_full_rows(folder, rows, tile.index)
    for level, row in enumerate(rows):
        if row:
            index = (checkpoint.size >> level * TILE_LEVELS) // TILE_WIDTH
            _require_tile(folder, Tile(level, index, len(row)), row)
            files += 1
    if edge.head() != checkpoint.head:
        message = f"tiles in {folder} hash to another root than their checkpoint signs"
        raise IntegrityError(message)
    return VerifiedTiles(checkpoint, files)


def read_tile_entries(folder: Path, size: int) -> Iterator[bytes]:
    """Yield the first `size` entries from the entry bundles in `folder`; verifying them is `verify_tiles`."""
    for tile in _tiles_of_row(ENTRIES, size):
        yield from _read_bundle(folder, tile)


def _fold_full_rows(folder: Path, rows: list[list[bytes]], bundle: int) -> int:
    """Compare each row that has become full with its tile, and move its root up one level."""
    compared = 0
    level = 0
    while len(rows[level]) == TILE_WIDTH:
        _require_tile(folder, Tile(level, bundle // TILE_WIDTH**level), rows[level])
        compared += 1
        if level + 1 == len(rows):
            rows.append([])
        rows[level + 1].append(_root_of(rows[level]))
        rows[level] = []
        level += 1
    return compared


def _root_of(hashes: list[bytes]) -> bytes:
    while len(hashes) > 1:
        hashes = [
            merkle.node_hash(left, right) for left, right in zip(hashes[::2], hashes[1::2], strict=True)
        ]
    return hashes[0]


def _require_tile(folder: Path, tile: Tile, hashes: list[bytes]) -> None:
    data = _read_file(folder, tile_path(tile), TILE_WIDTH * HASH_BYTES)
    if data != b"".join(hashes):
        message = f"tile {tile_path(tile)} is not what the entries below it hash to"
        raise IntegrityError(message)


def _read_bundle(folder: Path, tile: Tile) -> list[bytes]:
    name = tile_path(tile)
    data = _read_file(folder, name, tile.width * (_LENGTH_BYTES + MAX_ENTRY_BYTES))
    entries, place = [], 0
    for _ in range(tile.width):
        start = place + _LENGTH_BYTES
        end = start + int.from_bytes(data[place:start])
        if start > len(data) or end > len(data):
            message = f"entry bundle {name} is cut short"
            raise MalformedError(message)
        entries.append(data[start:end])
        place = end
    if place != len(data):
        message = f"entry bundle {name} has bytes after its last entry"
        raise MalformedError(message)
    return entries


def _read_file(folder: Path, name: str, max_bytes: int) -> bytes:
    try:
        with (folder / name).open("rb") as stream:
            data = stream.read(max_bytes + 1)
    except OSError as err:
        message = f"{name} cannot be read: {err.strerror}"
        raise MalformedError(message) from err
    if len(data) > max_bytes:
        message = f"{name} is longer than {max_bytes} bytes"
        raise MalformedError(message)
    return data


def _tiles_of_row(level: int, width: int) -> Iterator[Tile]:
    full, rest = divmod(width, TILE_WIDTH)
    for index in range(full):
        yield Tile(level, index)
    if rest:
        yield Tile(level, full, rest)


def _make_tile(reader: LogReader, tile: Tile) -> bytes:
    start = tile.index * TILE_WIDTH
    if tile.level == ENTRIES:
        entries = reader.entries(start, start + tile.width)
        return b"".join(len(item.entry).to_bytes(_LENGTH_BYTES) + item.entry for item in entries)
    return b"".join(reader.nodes(tile.level * TILE_LEVELS, start, start + tile.width))


def _write_once(path: Path, data: bytes) -> int:
    if path.exists():
        if path.read_bytes() != data:
            message = f"{path} holds another history than this log"
            raise LogForkError(message)
        return 0
    make_folders(path.parent)
    write_new(path, data, mode=SHARED)
    return 1


def _spell_index(index: int) -> str:
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03d}")
    return "/".join(groups)
