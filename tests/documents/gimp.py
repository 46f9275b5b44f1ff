"""XCF after GIMP's `xcf.txt`: versions 3 (pointers of 32 bits) and 11 (of 64)."""

import struct
from xml.sax.saxutils import escape

from tests.documents.drawing import DRAWING, HEIGHT, WIDTH, Drawn

USER_COMMENT = b"UNICODE\0" + (
    "a jade cat, 光\nNegative prompt: text\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 42, Size: 96x80"
).encode("utf-16-be")

TAGS = {
    "Exif.Photo.UserComment": " ".join(map(str, USER_COMMENT)),
    "Exif.Image.DateTime": "2026:03:01 12:00:00",
    "Exif.Image.Software": "GIMP 2.10.34",
    "Xmp.xmpMM.DocumentID": "gimp:docid:gimp:1",
    "Xmp.xmpMM.OriginalDocumentID": "xmp.did:0",
    "Xmp.xmpMM.History[1]/stEvt:action": "saved",
    "Xmp.xmpMM.History[1]/stEvt:when": "2026-03-01T12:00:00+08:00",
    "Xmp.xmpMM.History[1]/stEvt:softwareAgent": "Gimp 2.10 (Linux)",
    "Xmp.xmpMM.History[1]/stEvt:changed": "/",
}


def metadata(tags=TAGS) -> bytes:
    rows = "".join(f'  <tag name="{escape(name)}">{escape(value)}</tag>\n' for name, value in tags.items())
    return f"<?xml version='1.0' encoding='UTF-8'?>\n<metadata>\n{rows}</metadata>\n\0".encode()


PARASITES = (("gimp-comment", b"drawn by hand\0"), ("gimp-image-metadata", metadata()))


class _Writer:
    """Bytes with holes for pointers that are known later."""

    def __init__(self, version: int) -> None:
        self.data = bytearray()
        self.pointer = ">Q" if version >= 11 else ">I"

    def put(self, shape: str, *values) -> None:
        self.data += struct.pack(shape, *values)

    def hole(self) -> int:
        at = len(self.data)
        self.put(self.pointer, 0)
        return at

    def fill(self, at: int) -> None:
        struct.pack_into(self.pointer, self.data, at, len(self.data))

    def string(self, text: str) -> None:
        raw = text.encode() + b"\0"
        self.put(">I", len(raw))
        self.data += raw

    def property(self, kind: int, payload: bytes, *, length: int | None = None) -> None:
        self.put(">II", kind, len(payload) if length is None else length)
        self.data += payload


def write_xcf(layers=DRAWING, *, version=11, parasites=PARASITES, colormap=False) -> bytes:
    out = _Writer(version)
    out.data += b"gimp xcf file\0" if version == 0 else f"gimp xcf v{version:03d}\0".encode()
    out.put(">III", WIDTH, HEIGHT, 0)
    if version >= 4:
        out.put(">I", 150)
    if colormap:  # with the wrong length that old versions of GIMP wrote
        out.property(1, struct.pack(">I", 2) + bytes(6), length=2 + 4)
    out.property(17, b"\0")
    if parasites:
        out.property(21, b"".join(_parasite(name, data) for name, data in parasites))
    out.property(0, b"")
    placed = list(_with_paths(layers))
    holes = [out.hole() for _ in placed]
    out.put(out.pointer, 0)
    out.put(out.pointer, 0)
    for hole, (drawn, path) in zip(holes, placed, strict=True):
        out.fill(hole)
        _layer(out, drawn, path)
    return bytes(out.data)


def _parasite(name: str, data: bytes) -> bytes:
    raw = name.encode() + b"\0"
    return struct.pack(">I", len(raw)) + raw + struct.pack(">II", 1, len(data)) + data


def _with_paths(layers, above=()):
    for number, drawn in enumerate(layers):
        path = (*above, number)
        yield drawn, path
        yield from _with_paths(drawn.children or (), path)


def _layer(out: _Writer, drawn: Drawn, path: tuple[int, ...]) -> None:
    width, height = drawn.size
    out.put(">III", width, height, 1)
    out.string(drawn.name)
    if drawn.children is not None:  # first, as in GIMP: it makes another object of the layer
        out.property(29, b"")
    out.property(6, struct.pack(">I", drawn.opacity))
    if out.pointer == ">Q":
        out.property(33, struct.pack(">f", drawn.opacity / 255))
    out.property(8, struct.pack(">I", drawn.visible))
    out.property(15, struct.pack(">ii", *drawn.at))
    out.property(7, struct.pack(">I", 0))
    out.property(20, struct.pack(">I", drawn.id))
    if drawn.children is not None:
        out.property(31, struct.pack(">I", 1))
    if len(path) > 1:  # GIMP writes no path for layers at the top
        out.property(30, struct.pack(f">{len(path)}I", *path))
    out.property(0, b"")
    pixels, mask = out.hole(), out.hole()
    out.fill(pixels)
    _hierarchy(out, width, height, bytes(drawn.colour))
    if drawn.mask is not None:
        out.fill(mask)
        out.put(">II", width, height)
        out.string(drawn.mask)
        out.property(0, b"")
        hole = out.hole()
        out.fill(hole)
        _hierarchy(out, width, height, b"\xff")


def _hierarchy(out: _Writer, width: int, height: int, pixel: bytes) -> None:
    out.put(">III", width, height, len(pixel))
    level = out.hole()
    out.put(out.pointer, 0)
    out.fill(level)
    out.put(">II", width, height)
    tiles = [
        (min(64, width - x), min(64, height - y)) for y in range(0, height, 64) for x in range(0, width, 64)
    ]
    holes = [out.hole() for _ in tiles]
    out.put(out.pointer, 0)
    for hole, (across, down) in zip(holes, tiles, strict=True):
        out.fill(hole)
        out.data += pixel * (across * down)
