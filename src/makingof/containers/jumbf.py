"""JUMBF (ISO 19566-5): the boxes in which C2PA manifests lie, by label."""

import struct
from collections.abc import Iterator

import msgspec

from makingof.errors import MalformedError

_MAX_DEPTH = 12
_MAX_BOXES = 20_000


class Superbox(msgspec.Struct, frozen=True):
    """One `jumb` box: its label, its content boxes (kind and bytes), the boxes inside it.

    `body` is everything behind its own header: what C2PA hashes of an assertion.
    """

    label: str
    body: bytes
    contents: tuple[tuple[str, bytes], ...]
    inside: "tuple[Superbox, ...]"

    def content(self, kind: str) -> bytes | None:
        """Return the first content box of a kind, or None."""
        return next((body for name, body in self.contents if name == kind), None)

    def walk(self) -> "Iterator[tuple[str, Superbox]]":
        """Yield this box and all inside it, with their paths of labels."""
        waiting = [(self.label, self)]
        for path, box in waiting:  # grows while it is walked
            yield path, box
            waiting.extend((f"{path}/{inner.label}", inner) for inner in box.inside)


def parse_jumbf(data: bytes) -> Superbox:
    """Read the superbox at the start of `data`; anything else is a `MalformedError`."""
    boxes = _Boxes()
    for kind, body in boxes.walk(data):
        if kind == "jumb":
            return boxes.superbox(body, 0)
        break
    message = "data begins with no JUMBF superbox"
    raise MalformedError(message)


class _Boxes:
    def __init__(self) -> None:
        self._left = _MAX_BOXES

    def walk(self, data: bytes) -> Iterator[tuple[str, bytes]]:
        at = 0
        while at + 8 <= len(data):
            self._left -= 1
            size, kind = struct.unpack_from(">I4s", data, at)
            head = 8
            if size == 1 and at + 16 <= len(data):
                size, head = struct.unpack_from(">Q", data, at + 8)[0], 16
            elif size == 0:
                size = len(data) - at
            if size < head or at + size > len(data) or self._left < 0:
                message = f"JUMBF box at {at} claims {size} bytes"
                raise MalformedError(message)
            yield kind.decode("latin-1"), data[at + head : at + size]
            at += size

    def superbox(self, body: bytes, depth: int) -> Superbox:
        if depth > _MAX_DEPTH:
            message = f"JUMBF is nested deeper than {_MAX_DEPTH}"
            raise MalformedError(message)
        label = ""
        contents = []
        inside = []
        for kind, inner in self.walk(body):
            if kind == "jumd":
                label = _label(inner)
            elif kind == "jumb":
                inside.append(self.superbox(inner, depth + 1))
            else:
                contents.append((kind, inner))
        return Superbox(label, body, tuple(contents), tuple(inside))


def _label(description: bytes) -> str:
    """Read the label of a description box: behind the type's UUID and a byte of toggles."""
    if len(description) > 17 and description[16] & 2:  # noqa: PLR2004 - UUID, toggles; bit 1: a label is there
        return description[17:].split(b"\0", 1)[0].decode("utf-8", "replace")
    return ""
