"""A .clip, synthesised: the layout is that of public readers' notes, no genuine file was at hand."""

import sqlite3
import struct
import zlib

from tests.documents.drawing import DRAWING, HEIGHT, WIDTH, merged, png

BLOBS = [b"frames " + bytes([n]) * 50 for n in (1, 2)]


def write_clip(
    layers=DRAWING, *, database=None, blobs=BLOBS, declared=0, hint=None, unit=0, edit=""
) -> bytes:
    """Head, outside data, database, foot; the head knows where the database lies."""
    external = [chunk(b"CHNKExta", _external(number, data)) for number, data in enumerate(blobs)]
    content = make_database(layers, len(blobs), unit=unit, edit=edit) if database is None else database
    before = b"".join(external)
    at = 24 + 56 + len(before)
    head = chunk(b"CHNKHead", struct.pack(">QQQ", 256, at if hint is None else hint, 16) + bytes(16))
    body = head + before + b"CHNKSQLi" + struct.pack(">Q", declared or len(content)) + content
    body += chunk(b"CHNKFoot", b"")
    return b"CSFCHUNK" + struct.pack(">QQ", 24 + len(body), 24) + body


def chunk(tag: bytes, payload: bytes) -> bytes:
    return tag + struct.pack(">Q", len(payload)) + payload


def identity(number: int) -> bytes:
    return b"extrnlid" + f"{number:032X}".encode()


def _external(number: int, data: bytes) -> bytes:
    packed = zlib.compress(data)
    body = struct.pack(">I", len(packed)) + packed
    return struct.pack(">Q", 40) + identity(number) + struct.pack(">Q", len(body)) + body


def make_database(layers=DRAWING, blobs=0, *, unit=0, edit="") -> bytes:
    """Tables and columns as clipfile-rs and clip-tools describe them, and only those that are read."""
    connection = sqlite3.connect(":memory:")
    connection.executescript(
        """
        CREATE TABLE Project(_PW_ID INTEGER PRIMARY KEY, ProjectInternalVersion TEXT, ProjectName TEXT,
            ProjectCanvas INTEGER);
        CREATE TABLE Canvas(_PW_ID INTEGER PRIMARY KEY, MainId INTEGER, CanvasUnit INTEGER, CanvasWidth REAL,
            CanvasHeight REAL, CanvasResolution REAL, CanvasRootFolder INTEGER);
        CREATE TABLE CanvasPreview(_PW_ID INTEGER PRIMARY KEY, CanvasId INTEGER, ImageType INTEGER,
            ImageWidth INTEGER, ImageHeight INTEGER, ImageData BLOB);
        CREATE TABLE Layer(_PW_ID INTEGER PRIMARY KEY, MainId INTEGER, LayerName TEXT, LayerType INTEGER,
            LayerFolder INTEGER, LayerVisibility INTEGER, LayerOpacity INTEGER, LayerComposite INTEGER,
            LayerUuid TEXT, LayerOffsetX INTEGER, LayerOffsetY INTEGER, LayerLayerMaskMipmap INTEGER,
            LayerNextIndex INTEGER, LayerFirstChildIndex INTEGER);
        """
    )
    connection.execute("INSERT INTO Project VALUES (1, '1.1.0', '猫 cat', 1)")
    connection.execute(
        "INSERT INTO Canvas VALUES (1, 1, ?, ?, ?, 72.0, 1)", (unit, float(WIDTH), float(HEIGHT))
    )
    preview = png(merged())
    connection.execute("INSERT INTO CanvasPreview VALUES (1, 1, 1, ?, ?, ?)", (WIDTH, HEIGHT, preview))
    rows = [(1, "", 256, 1, 1, 256, 0, "root", 0, 0, 0, 0, _first(layers))]
    _add_layers(rows, layers)
    connection.executemany("INSERT INTO Layer VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    if blobs:
        connection.execute(
            "CREATE TABLE TimeLapseBlob(_PW_ID INTEGER PRIMARY KEY, MainId INTEGER, BlobType INTEGER, "
            "BlobData BLOB)"
        )
        listed = [(number + 1, 0, identity(number)) for number in range(blobs)]
        connection.executemany("INSERT INTO TimeLapseBlob VALUES (NULL, ?, ?, ?)", listed)
    if edit:
        connection.executescript(edit)
    connection.commit()
    return bytes(connection.serialize())


def _first(layers) -> int:
    """The chain begins at the bottom."""
    return layers[-1].id if layers else 0


def _add_layers(rows, layers) -> None:
    from_the_bottom = list(reversed(layers))
    for number, drawn in enumerate(from_the_bottom):
        following = from_the_bottom[number + 1].id if number + 1 < len(from_the_bottom) else 0
        is_group = drawn.children is not None
        rows.append(
            (
                drawn.id,
                drawn.name,
                0 if is_group else 1,
                1 if is_group else 0,
                1 if drawn.visible else 0,
                drawn.opacity * 256 // 255,
                30 if is_group else 0,
                f"00000000-0000-0000-0000-{drawn.id:012d}",
                *drawn.at,
                0 if drawn.mask is None else 7,
                following,
                _first(drawn.children) if is_group else 0,
            )
        )
        _add_layers(rows, drawn.children or ())
