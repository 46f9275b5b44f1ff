"""The door: which kind of document a file is, and its reader."""

from typing import BinaryIO

from makingof.containers.source import SeekableFile, Source
from makingof.containers.zip import Zip, open_zip, salvage_zip
from makingof.errors import MalformedError
from makingof.metadata.documents import clip, psd, xcf
from makingof.metadata.documents.document import Document
from makingof.metadata.documents.kra import MAINDOC, read_kra
from makingof.metadata.documents.markup import MAX_XML_BYTES
from makingof.metadata.documents.ora import STACK, read_ora
from makingof.metadata.documents.procreate import ARCHIVE, read_procreate

_ZIP = b"PK\x03\x04"
_MAX_TYPE_BYTES = 256
_KRITA_TYPES = ("application/x-krita", "application/x-kra", "application/x-krita-archive")
_OPENRASTER_TYPE = "image/openraster"


def read_document(data: Source, name: str | None = None) -> Document | None:
    """Read a layered document, or return None where the file is none that is known.

    What a file is, its own bytes decide; `name` is only kept. Damage is stated in
    the document and the rest is read. A file that begins like a document and has
    not even its header is a `MalformedError`. Pure: the same bytes and name always
    give the same document.
    """
    head = data[:16]
    if head.startswith(psd.MAGIC):
        return psd.read_psd(data, name)
    if head.startswith(xcf.MAGIC):
        return xcf.read_xcf(data, name)
    if head.startswith(clip.MAGIC):
        return clip.read_clip(data, name)
    if head.startswith(_ZIP):
        return _read_zipped(data, name)
    return None


def read_document_file(file: BinaryIO, name: str | None = None) -> Document | None:
    """Like `read_document`, of an open file, of which only the parts needed are read."""
    return read_document(SeekableFile(file), name)


def _read_zipped(data: Source, name: str | None) -> Document | None:
    try:
        archive = open_zip(data)
    except MalformedError:
        try:
            archive = salvage_zip(data)
        except MalformedError:
            return None
    kind = _zipped_kind(archive)
    if kind == "kra":
        return read_kra(data, archive, name)
    if kind == "ora":
        return read_ora(data, archive, name)
    return read_procreate(data, archive, name) if kind == "procreate" else None


def _zipped_kind(archive: Zip) -> str | None:
    """Tell by the type the archive names in its first member, else by the member that holds the layers.

    The type alone is not enough: templates that come with Krita 5.1 were packed by
    another program and name `application/zip`, and other office programs have a
    `maindoc.xml` as well.
    """
    named = _member(archive, "mimetype", _MAX_TYPE_BYTES).decode("ascii", "replace").strip()
    if named in _KRITA_TYPES or (archive.find(MAINDOC) and (not named or _is_image(archive))):
        return "kra"
    if named == _OPENRASTER_TYPE or archive.find(STACK):
        return "ora"
    return "procreate" if archive.find(ARCHIVE) else None


def _is_image(archive: Zip) -> bool:
    return b"<IMAGE" in _member(archive, MAINDOC, MAX_XML_BYTES)


def _member(archive: Zip, name: str, limit_bytes: int) -> bytes:
    member = archive.find(name)
    if member is None:
        return b""
    try:
        return archive.read(member, limit_bytes=limit_bytes)
    except MalformedError:
        return b""
