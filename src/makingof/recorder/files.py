"""Looking at a file once, through one open handle: what it is, what its records say, how it comes apart."""

import mmap
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from makingof.containers.pieces import Piece as Span
from makingof.containers.pieces import segments
from makingof.containers.segment import Data
from makingof.containers.sniff import sniff
from makingof.containers.source import SeekableFile
from makingof.digest import Digest
from makingof.errors import MalformedError
from makingof.metadata.documents.read import read_document
from makingof.metadata.registry import read_records
from makingof.observation import Attachment
from makingof.part import SALT_BYTES, Piece
from makingof.pictures import find_size
from makingof.reading import Reading
from makingof.recorder.document_events import Layered, with_document_readings
from makingof.recorder.inside import Keep, keep_pictures
from makingof.recorder.parts import TakenApart, piece_digest
from makingof.store.base import BlobStore, Failure
from makingof.store.source_file import hash_many

_IN_MEMORY_BYTES = 128 << 20
_MEDIA_TYPES = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "tiff": "image/tiff",
    "avif": "image/avif",
    "heif": "image/heif",
    "jxl": "image/jxl",
    "psd": "image/vnd.adobe.photoshop",
    "zip": "application/zip",
}
_DOCUMENTS = {
    "psd": "image/vnd.adobe.photoshop",
    "psb": "image/vnd.adobe.photoshop",
    "kra": "application/x-krita",
    "ora": "image/openraster",
    "xcf": "image/x-xcf",
    "procreate": "application/x-procreate",
    "clip": "application/x-clipstudio",
}


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look at a file's bytes shows."""

    media_type: str | None
    width: int | None
    height: int | None
    readings: tuple[Reading, ...]
    apart: TakenApart | None
    layered: Layered | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A file the store has, or whose digest is known, with what a look at the same bytes showed."""

    digest: Digest
    size_bytes: int
    looked: Looked


def look(stream: BinaryIO, name: str, keep: Keep | None = None) -> Looked:
    """Look at a blob of ours. Damage is never an error here: what can be read is.

    With `keep`, a layered document is read too, and the pictures inside it are stored.
    """
    with mapped(stream) as data:
        return _look_at(data, name, keep)


def look_in_place(stream: BinaryIO, name: str, keep: Keep | None = None) -> Looked:
    """Look at a file that is not ours, without mapping it: cut short meanwhile, a map would end this process.

    Of one too large for memory only the records are read: it has no size and no pieces.
    """
    size_bytes = os.fstat(stream.fileno()).st_size
    if size_bytes <= _IN_MEMORY_BYTES:  # asking for more than there is would make room for it first
        return _look_at(stream.read(size_bytes), name, keep)
    file = SeekableFile(stream)
    return Looked(_MEDIA_TYPES.get(sniff(file) or ""), None, None, tuple(read_records(file, name)), None)


def _look_at(data: Data, name: str, keep: Keep | None) -> Looked:
    container = sniff(data)
    width, height = _find_size(data)
    readings = tuple(read_records(data, name))
    layered = None if keep is None else _look_inside(data, name, readings, keep)
    document = layered.document if layered else None
    return Looked(
        media_type=_MEDIA_TYPES.get(container or "") if document is None else _DOCUMENTS[document.format],
        width=width if document is None else document.width,
        height=height if document is None else document.height,
        readings=readings if layered is None else layered.readings,
        apart=take_apart(data),
        layered=layered,
    )


def _look_inside(data: Data, name: str, readings: tuple[Reading, ...], keep: Keep) -> Layered | None:
    """Read a layered document; one that has not even a header is a file like any other."""
    try:
        document = read_document(data, name)
    except MalformedError:
        return None
    if document is None:
        return None
    return Layered(document, keep_pictures(document, data, keep), with_document_readings(readings, document))


def take_apart(data: Data) -> TakenApart | None:
    """Return salted digests of a container's segments under a fresh key; None for what we cannot segment."""
    container, found = sniff(data), segments(data)
    if container is None or found is None:
        return None
    key = secrets.token_bytes(SALT_BYTES)
    with memoryview(data) as view:
        pieces = tuple(
            Piece(piece.name, piece.size_bytes, _digest_span(key, number, view, piece))
            for number, piece in enumerate(found)
        )
    return TakenApart(container, key, pieces)


@contextmanager
def mapped(stream: BinaryIO) -> Iterator[Data]:
    """Give the bytes of an open file as a read-only map; an empty file cannot be mapped and is b""."""
    try:
        data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    except ValueError:
        yield b""
        return
    with data:
        yield data


def take(store: BlobStore, item: Attachment) -> Taken:
    """Bring an attachment into the store, or hash it where it lies, and look at the same bytes.

    A file that cannot be read is a `SourceError`.
    """
    name = item.name or ""
    if isinstance(item.content, Path) and not item.held:
        found = next(hash_many([item.content], lambda stream, _path: look_in_place(stream, name)))
        if isinstance(found, Failure):
            raise found.error
        return Taken(found.digest, found.size_bytes, found.seen)
    digest = _store(store, item.content)
    with store.open(digest) as stream:
        return Taken(digest, store.size(digest), look(stream, name))


def _store(store: BlobStore, content: Path | bytes | Digest) -> Digest:
    match content:
        case Path():
            return store.put_file(content).digest
        case bytes():
            return store.put(content)
        case Digest():
            return content


def _digest_span(key: bytes, number: int, view: memoryview, span: Span) -> Digest:
    with view[span.offset : span.offset + span.size_bytes] as data:
        return piece_digest(key, number, data)


def _find_size(data: Data) -> tuple[int | None, int | None]:
    try:
        found = find_size(data)
    except MalformedError:
        return None, None
    return (None, None) if found is None else found
