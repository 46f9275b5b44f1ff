"""Zips as services hand them out: read like the folder they hold, and never unpacked into one.

What counts for the making of pictures is taken: pictures, layered documents, and exports
that tell something. The rest of such a zip is mostly other people's words and the
service's own counts; it stays where it is. A member's place is written `export.zip!/member`;
it names a place and no path that is ever opened or written.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import BinaryIO

from makingof.capture.exports.recognise import MAX_JSON_BYTES, may_be_export, may_tell, read_export
from makingof.containers.sniff import sniff
from makingof.containers.source import SeekableFile
from makingof.containers.zip import Member, Zip, open_zip, salvage_zip
from makingof.durable import open_regular
from makingof.errors import MalformedError

SUFFIX = ".zip"
_MARK = "!"
_PICTURES = frozenset({"png", "jpeg", "webp", "gif", "tiff", "avif", "heif", "jxl", "psd"})
_PICTURE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".jfif", ".webp", ".gif", ".tif", ".tiff", ".avif", ".heic", ".heif", ".jxl"}
)
_DOCUMENT_SUFFIXES = frozenset({".psd", ".psb", ".kra", ".ora", ".xcf", ".procreate", ".clip"})
_LOG = "-wal"
_DATABASES = (".db", ".sqlite", ".sqlite3")
_HEAD_BYTES = 64
_READ_BYTES = 1 << 20
_MAX_MEMBERS = 500_000
# A picture hardly packs; a document with empty layers packs well, a bomb a thousandfold.
_MAX_MEMBER_BYTES = 8 << 30
_PACKS_WELL = 200
_SMALL_BYTES = 64 << 20
_MAX_TIMES_ITSELF = 20
_MAX_SMALL_TOTAL_BYTES = 4 << 30
_DRIVE = re.compile(r"[A-Za-z]:")


class _SharedFile(SeekableFile):
    """A file that several threads read by spans."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._lock = Lock()

    def __getitem__(self, span: slice, /) -> bytes:
        with self._lock:
            return super().__getitem__(span)


class ZippedFolder:
    """An opened zip that holds what this program records; safe to read from several threads."""

    def __init__(self, path: Path, file: BinaryIO, archive: Zip, limit_bytes: int | None = None) -> None:
        self.path = path
        self.members = tuple(member for member in archive.members if not _is_litter(member.name))
        self.damage = archive.damage
        self._file = file
        self._archive = archive
        self._state = _state(file)
        self.file_bytes = os.fstat(file.fileno()).st_size
        self._left_bytes = limit_bytes or max(_MAX_SMALL_TOTAL_BYTES, _MAX_TIMES_ITSELF * self.file_bytes)
        self._lock = Lock()

    @property
    def likely(self) -> tuple[Member, ...]:
        """The members that are worth taking by their names."""
        return tuple(member for member in self.members if _is_named_well(member.name))

    @property
    def folder(self) -> Path:
        """The place that stands for the inside of the zip."""
        return self.path.with_name(f"{self.path.name}{_MARK}")

    @property
    def is_unchanged(self) -> bool:
        """Whether the file is still as it was when it was opened."""
        return _state(self._file) == self._state

    def place(self, member: Member) -> Path:
        """Return where a member lies; a name that leads anywhere else is a `MalformedError`."""
        # Zips made by old Windows programs have backslashes where the format wants slashes.
        name = member.name if "/" in member.name else member.name.replace("\\", "/")
        parts = PurePosixPath(name).parts
        if not parts or ".." in parts or parts[0] == "/" or _DRIVE.match(name) or "\0" in name:
            message = f"zip member {member.name!r} has a name that leads out of the zip"
            raise MalformedError(message)
        return self.folder.joinpath(*parts)

    def wants(self, member: Member) -> bool:
        """Tell by its first bytes, and of an export by all of them, whether a member is worth taking.

        Raises `MalformedError` for what cannot be read, or unpacks to more than is taken.
        """
        name = PurePosixPath(member.name.replace("\\", "/")).name
        if not _is_named_well(name) and member.encrypted:
            return False
        _require_sane(member)
        if name.lower().endswith((*_DATABASES, _LOG)):
            return self._wants_database(member, name)
        with self._archive.open(member) as stream:
            head = stream.read(_HEAD_BYTES)
        if sniff(head) in _PICTURES or PurePosixPath(name).suffix.lower() in _DOCUMENT_SUFFIXES:
            return bool(head)
        return may_be_export(name) and self._is_export(member, name)

    def open(self, member: Member) -> BinaryIO:
        """Open a member that is taken; all together may unpack to so much and no more."""
        with self._lock:
            self._left_bytes -= member.size_bytes
            if self._left_bytes < 0:
                message = f"zip member {member.name!r} is one too many: the zip unpacks to more than is taken"
                raise MalformedError(message)
        return BufferedReader(self._archive.open(member), _READ_BYTES)

    def _is_export(self, member: Member, name: str) -> bool:
        """Pages and tables of other programs may have any size; only one of ours can be too large."""
        with self._archive.open(member) as stream:
            if not may_tell(name, iter(lambda: stream.read(_READ_BYTES), b"")):
                return False
        return read_export(self._archive.read(member, limit_bytes=MAX_JSON_BYTES), name) is not None

    def _wants_database(self, member: Member, name: str) -> bool:
        """A write-ahead log goes with its database."""
        if name.endswith(_LOG):
            beside = self._archive.find(member.name.removesuffix(_LOG))
            return beside is not None and self.wants(beside)
        with self._archive.open(member) as stream:
            return may_tell(name, iter(lambda: stream.read(_READ_BYTES), b""))


@contextmanager
def opened_zip(path: Path, *, limit_bytes: int | None = None) -> Iterator[ZippedFolder | None]:
    """Open a zip that holds pictures, documents or exports; None for any other file.

    One with a damaged end is read from its front, and `damage` says so. All members
    together unpack to `limit_bytes`, or without it to what such zips do at most.
    """
    if path.suffix.lower() != SUFFIX:
        yield None
        return
    try:
        file = open_regular(path, follow_links=True)
    except OSError:
        yield None  # the import of the file itself says why
        return
    with file:
        archive = _listed(_SharedFile(file))
        is_ours = archive is not None and any(_is_named_well(member.name) for member in archive.members)
        yield ZippedFolder(path, file, archive, limit_bytes) if archive and is_ours else None


def split_place(place: Path) -> tuple[Path, str] | None:
    """Return the zip and the member that a place inside a zip names; None for any other place."""
    for number, part in enumerate(place.parts):
        if part.lower().endswith(f"{SUFFIX}{_MARK}"):
            return Path(*place.parts[:number], part.removesuffix(_MARK)), "/".join(place.parts[number + 1 :])
    return None


def _listed(data: _SharedFile) -> Zip | None:
    try:
        return open_zip(data, max_members=_MAX_MEMBERS)
    except MalformedError:
        pass  # half a download begins with whole members
    try:
        return salvage_zip(data)
    except MalformedError:
        return None


def _is_named_well(name: str) -> bool:
    last = name.replace("\\", "/").rpartition("/")[2]
    suffix = PurePosixPath(last).suffix.lower()
    return suffix in _PICTURE_SUFFIXES or suffix in _DOCUMENT_SUFFIXES or may_be_export(last)


def _is_litter(name: str) -> bool:
    """Folders, and what file managers put beside files."""
    parts = name.replace("\\", "/").split("/")
    return not parts[-1] or "__MACOSX" in parts or parts[-1].startswith(".")


def _require_sane(member: Member) -> None:
    packs_too_well = member.size_bytes > max(_SMALL_BYTES, _PACKS_WELL * member.packed_bytes)
    if member.size_bytes > _MAX_MEMBER_BYTES or packs_too_well:
        sizes = f"{member.packed_bytes} to {member.size_bytes} bytes"
        message = f"zip member {member.name!r} claims to unpack from {sizes}"
        raise MalformedError(message)


def _state(file: BinaryIO) -> tuple[int, int]:
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns
