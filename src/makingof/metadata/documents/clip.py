"""Clip Studio Paint's .clip: chunks of tiles and, between them, an SQLite database.

The format is not published. The layout was learned from public readers and their
notes (Aodaruma/clipfile-rs, al3ks1s/clip-tools, dobrokot/clip_to_psd); no genuine
file was to be had here. The database differs between versions of the program, so
every table and column may be missing.
"""

from typing import NamedTuple

from makingof.containers.source import Cursor, Source
from makingof.errors import MalformedError
from makingof.metadata.documents.clip_layers import read_clip_layers
from makingof.metadata.documents.database import Database, Row
from makingof.metadata.documents.document import (
    Claim,
    Damage,
    Document,
    Layer,
    Picture,
    PictureRole,
    Recording,
    listed,
)
from makingof.metadata.documents.stored import Cell, Span

MAGIC = b"CSFCHUNK"
MAX_CHUNKS = 300_000
MAX_PREVIEWS = 100
_HEAD_BYTES = 16
_ID_BYTES = 40
_EXTERNAL_HEAD_BYTES = 8 + _ID_BYTES + 8
_PIXELS = 0

_CANVAS = ("MainId", "CanvasUnit", "CanvasWidth", "CanvasHeight", "CanvasResolution", "CanvasRootFolder")
_PROJECT = {"ProjectName": "title", "ProjectInternalVersion": "tool:ProjectInternalVersion"}
_UNITS = {1: "cm", 2: "mm", 3: "in", 5: "pt"}


class _Chunks(NamedTuple):
    """Where the database lies, and every piece of outside data by its id."""

    database: tuple[int, int] | None
    external: dict[str, tuple[int, int]]


class _Facts(NamedTuple):
    """What the database says."""

    size: tuple[int | None, int | None] = (None, None)
    layers: tuple[Layer, ...] = ()
    pictures: tuple[Picture, ...] = ()
    claims: tuple[Claim, ...] = ()
    recordings: tuple[Recording, ...] = ()


def read_clip(source: Source, name: str | None = None) -> Document:
    """Read a Clip Studio document. Data that does not begin with its header is a `MalformedError`."""
    cursor = Cursor(source)
    if cursor.take(min(len(MAGIC), cursor.left)) != MAGIC:
        message = "data is no Clip Studio document"
        raise MalformedError(message)
    damage: list[Damage] = []
    chunks = _walk(source, damage)
    facts = _Facts()
    if chunks.database is None:
        damage.append(Damage("CHNKSQLi", "the database is not in the file"))
    else:
        try:
            facts = _read_database(source, chunks, damage)
        except MalformedError as err:
            damage.append(Damage("CHNKSQLi", str(err)))
    return Document(
        format="clip",
        name=name,
        tool="clip-studio",
        width=facts.size[0],
        height=facts.size[1],
        layers=facts.layers,
        pictures=facts.pictures,
        claims=facts.claims,
        recordings=facts.recordings,
        damage=listed(damage),
    )


def _walk(source: Source, damage: list[Damage]) -> _Chunks:
    """Go from chunk to chunk by their lengths; where that ends early, the header still knows the database."""
    external: dict[str, tuple[int, int]] = {}
    database = None
    hinted = None
    cursor = Cursor(source, len(MAGIC))
    try:
        cursor.skip(8)
        cursor.at = cursor.u64()
        for _ in range(MAX_CHUNKS):
            if not cursor.left:
                break
            tag, size = cursor.take(8), cursor.u64()
            at = cursor.at
            if tag == b"CHNKHead" and size >= _HEAD_BYTES:
                hinted = int.from_bytes(cursor.peek(_HEAD_BYTES)[8:], "big")
            elif tag == b"CHNKExta":
                _note_external(external, cursor, size)
            elif tag == b"CHNKSQLi":
                database = (at, min(size, cursor.left))
            elif tag == b"CHNKFoot":
                break
            cursor.skip(size)
    except MalformedError as err:
        damage.append(Damage("chunks", str(err)))
    return _Chunks(database or _hinted_database(source, hinted), external)


def _note_external(external: dict[str, tuple[int, int]], cursor: Cursor, size: int) -> None:
    head = cursor.peek(min(_EXTERNAL_HEAD_BYTES, cursor.left))
    if size < _EXTERNAL_HEAD_BYTES or int.from_bytes(head[:8], "big") != _ID_BYTES:
        return
    identity = head[8 : 8 + _ID_BYTES].decode("latin-1")
    length = int.from_bytes(head[8 + _ID_BYTES :], "big")
    external[identity] = (cursor.at + _EXTERNAL_HEAD_BYTES, min(length, size - _EXTERNAL_HEAD_BYTES))


def _hinted_database(source: Source, at: int | None) -> tuple[int, int] | None:
    if at is None:
        return None
    try:
        cursor = Cursor(source, at)
        if cursor.take(8) != b"CHNKSQLi":
            return None
        size = cursor.u64()
    except MalformedError:
        return None
    return cursor.at, min(size, cursor.left)


def _read_database(source: Source, chunks: _Chunks, damage: list[Damage]) -> _Facts:
    at, size = chunks.database or (0, 0)
    with Database.open(source, at, size) as database:
        canvas = _canvas(database)
        layers, hurt = read_clip_layers(database, canvas)
        damage += hurt
        return _Facts(
            size=_size(canvas),
            layers=layers,
            pictures=_previews(database, at, size),
            claims=_claims(database, canvas),
            recordings=_recordings(database, chunks, damage),
        )


def _canvas(database: Database) -> Row:
    """Take the project's canvas, or the first where the project names none."""
    canvases = database.rows("Canvas", _CANVAS, "MainId")
    projects = database.rows("Project", ("ProjectCanvas",))
    wanted = projects[0]["ProjectCanvas"] if projects else None
    first: Row = canvases[0] if canvases else {}
    return next((canvas for canvas in canvases if canvas["MainId"] == wanted), first)


def _size(canvas: Row) -> tuple[int | None, int | None]:
    """A canvas measured in pixels has a size in pixels; one measured in millimetres is not converted."""
    width, height = canvas.get("CanvasWidth"), canvas.get("CanvasHeight")
    if canvas.get("CanvasUnit") not in (_PIXELS, None):
        return None, None
    return _whole(width), _whole(height)


def _whole(value: object) -> int | None:
    if isinstance(value, float) and not value.is_integer():
        return None
    return int(value) if isinstance(value, int | float) else None


def _claims(database: Database, canvas: Row) -> tuple[Claim, ...]:
    claims = []
    projects = database.rows("Project", tuple(_PROJECT))
    for column, value in (projects[0] if projects else {}).items():
        if isinstance(value, str) and value:
            claims.append(Claim(_PROJECT[column], value, f"Project.{column}"))
    unit = canvas.get("CanvasUnit")
    if isinstance(unit, int) and unit != _PIXELS:
        said = [canvas.get(column) for column in ("CanvasWidth", "CanvasHeight", "CanvasResolution")]
        width, height, resolution = (repr(value) for value in said)
        size = f"{width} x {height} {_UNITS.get(unit, f'unit {unit}')}, {resolution} dpi"
        claims.append(Claim("tool:canvas size", size, "Canvas"))
    return tuple(claims)


def _previews(database: Database, at: int, size: int) -> tuple[Picture, ...]:
    sizes = dict(database.sizes("CanvasPreview", "ImageData")[:MAX_PREVIEWS])
    rows = database.numbered("CanvasPreview", ("ImageWidth", "ImageHeight"), MAX_PREVIEWS)
    return tuple(
        Picture(
            PictureRole.PREVIEW,
            Cell("clip", "CanvasPreview", "ImageData", number, at, size, length),
            "image/png",
            _whole(rows.get(number, {}).get("ImageWidth")),
            _whole(rows.get(number, {}).get("ImageHeight")),
        )
        for number, length in sizes.items()
    )


def _recordings(database: Database, chunks: _Chunks, damage: list[Damage]) -> tuple[Recording, ...]:
    """List the pieces of the time-lapse: each a packed run of WebP frames in a chunk of its own."""
    recordings = []
    for number, row in enumerate(database.rows("TimeLapseBlob", ("MainId", "BlobData"), "MainId"), 1):
        identity = row["BlobData"]
        text = identity.decode("latin-1") if isinstance(identity, bytes) else str(identity)
        span = chunks.external.get(text)
        if span is None:
            damage.append(Damage(f"time-lapse piece {number}", "its data is not in the file"))
        stored = Span("clip", f"CHNKExta {text}", *span) if span else None
        recordings.append(Recording(number, stored, None, span[1] if span else None))
    return tuple(recordings)
