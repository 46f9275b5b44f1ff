"""Copies without some segments, and how they are checked against the `pieces` recorded with the original.

The salt of piece `i` is the first 16 bytes of HMAC-SHA-256(`pieces_key`, i). The
key lies in the file part, which is sealed with the original, so that only the
salts of the pieces shown can be known: a guessed prompt cannot be tried
against the digest of the piece that holds it.
"""

import hashlib
from collections.abc import Iterable

from makingof.bundle.description import CopyOf, ShownPiece
from makingof.containers.pieces import RIFF_HEADER, riff_header, segments, without
from makingof.digest import Digest
from makingof.errors import IntegrityError, MalformedError
from makingof.part import FileBody, FilePieces, piece_salt

_RIFF = "riff"
_RIFF_BYTES = 12


def cut_copy(data: bytes) -> bytes:
    """Return a picture without the segments that may hold text; it must be one that can be cut."""
    pieces = segments(data) or []
    return without(data, {piece.name for piece in pieces if piece.holds_text})


def make_copy(
    data: bytes, file: FileBody, recorded: FilePieces, pieces_part: Digest
) -> tuple[bytes, CopyOf] | None:
    """Return a copy of a picture without the segments that may hold text, and how to check it.

    None where the file cannot be cut, or its pieces were not recorded as they are now.
    """
    pieces = segments(data)
    if pieces is None or file.pieces_key is None or len(pieces) != len(recorded.pieces):
        return None
    key = bytes.fromhex(file.pieces_key)
    left_out = {piece.name for piece in pieces if piece.holds_text}
    copy = cut_copy(data)
    replaced = bool(left_out) and pieces[0].name == RIFF_HEADER
    shown = [
        number
        for number, piece in enumerate(pieces)
        if piece.name not in left_out and not (replaced and number == 0)
    ]
    description = CopyOf(
        pieces=pieces_part,
        shown=tuple(ShownPiece(number, piece_salt(key, number).hex()) for number in shown),
        header=_RIFF if replaced else None,
    )
    try:
        check_copy([memoryview(copy)], len(copy), recorded, description)
    except IntegrityError:
        return None
    return copy, description


def check_copy(chunks: Iterable[memoryview], size: int, recorded: FilePieces, copy: CopyOf) -> list[str]:
    """Return the names of the pieces left out, if the rest is what was recorded, byte for byte and in order.

    No container is parsed: the sizes in the `pieces` part say where one piece ends.

    Raises:
        IntegrityError: the copy holds something else than recorded pieces.
        MalformedError: the description names pieces there are not, or no header of its own that is known.
    """
    numbers = [piece.number for piece in copy.shown]
    if numbers != sorted(set(numbers)) or not all(0 <= number < len(recorded.pieces) for number in numbers):
        message = "copy is described by pieces its original does not have, or not in order"
        raise MalformedError(message)
    reader = _Cutter(chunks)
    expected = sum(recorded.pieces[number].size for number in numbers)
    if copy.header is not None:
        _check_header(reader, copy, recorded, size)
        expected += _RIFF_BYTES
    if expected != size:
        message = f"copy has {size} bytes and the pieces it is made of have {expected}"
        raise IntegrityError(message)
    for piece in copy.shown:
        found = recorded.pieces[piece.number]
        if reader.digest(found.size, bytes.fromhex(piece.salt)) != found.digest:
            message = f"copy differs from its original in piece {found.name}"
            raise IntegrityError(message)
    shown = set(numbers) | ({0} if copy.header else set())
    return [piece.name for number, piece in enumerate(recorded.pieces) if number not in shown]


def _check_header(reader: "_Cutter", copy: CopyOf, recorded: FilePieces, size: int) -> None:
    known = copy.header == _RIFF and recorded.pieces[0].name == RIFF_HEADER
    if not known or any(piece.number == 0 for piece in copy.shown):
        message = f"copy has a header of its own of the unknown form {copy.header!r}"
        raise MalformedError(message)
    if reader.take(_RIFF_BYTES) != riff_header(size):
        message = "copy begins with another header than one of its size"
        raise IntegrityError(message)


class _Cutter:
    """Cuts a stream of chunks into runs of given sizes, hashing as it goes."""

    def __init__(self, chunks: Iterable[memoryview]) -> None:
        self._chunks = iter(chunks)
        self._rest = memoryview(b"")

    def take(self, size: int) -> bytes:
        return b"".join(bytes(view) for view in self._runs(size))

    def digest(self, size: int, salt: bytes) -> Digest:
        state = hashlib.sha256(salt)
        for view in self._runs(size):
            state.update(view)
        return Digest.from_raw(state.digest())

    def _runs(self, size: int) -> Iterable[memoryview]:
        while size:
            if not self._rest:
                chunk = next(self._chunks, None)
                if chunk is None:
                    message = "copy ends before its pieces do"
                    raise IntegrityError(message)
                self._rest = chunk
            view, self._rest = self._rest[:size], self._rest[size:]
            size -= len(view)
            yield view
