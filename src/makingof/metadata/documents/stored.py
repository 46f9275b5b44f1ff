"""Stored: where something lies inside a document, and how to get its bytes out again.

A `Document` holds no pixels. It says where they are; whoever has the same file
reads them when they are wanted, one at a time and within a limit.
"""

from dataclasses import dataclass
from typing import TypeAlias

from makingof.containers.source import Cursor, Source
from makingof.containers.zip import open_zip, salvage_zip
from makingof.digest import Digest
from makingof.errors import MalformedError
from makingof.metadata.documents.database import Database
from makingof.reading import Locator

MAX_STORED_BYTES = 512 << 20


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of the file itself."""

    container: str
    place: str
    offset: int
    size_bytes: int

    @property
    def locator(self) -> Locator:
        """Where they lie, as readings say it."""
        return Locator(self.container, self.place, self.offset, self.size_bytes)

    def read(self, source: Source, *, limit_bytes: int = MAX_STORED_BYTES) -> bytes:
        """Return the bytes; more than `limit_bytes`, or fewer in the file, is a `MalformedError`."""
        _require_size(self.place, self.size_bytes, limit_bytes)
        return Cursor(source, self.offset).take(self.size_bytes)


@dataclass(frozen=True, slots=True)
class Member:
    """A zip member, or the part of it from `start` on."""

    container: str
    member: str
    size_bytes: int
    start: int = 0
    offset: int | None = None  # in the file, where the member is not compressed

    @property
    def locator(self) -> Locator:
        """Where it lies; a compressed member has no span."""
        if self.offset is None:
            return Locator(self.container, self.member)
        return Locator(self.container, self.member, self.offset, self.size_bytes)

    def read(self, source: Source, *, limit_bytes: int = MAX_STORED_BYTES) -> bytes:
        """Unpack the member and return this part of it, within `limit_bytes` for the whole member."""
        try:
            archive = open_zip(source)
        except MalformedError:
            archive = salvage_zip(source)
        member = archive.find(self.member)
        if member is None:
            message = f"zip has no member {self.member!r}"
            raise MalformedError(message)
        data = archive.read(member, limit_bytes=limit_bytes)
        if self.start + self.size_bytes > len(data):
            message = f"zip member {self.member!r} ends before byte {self.start + self.size_bytes}"
            raise MalformedError(message)
        return data[self.start : self.start + self.size_bytes]


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a database that lies in the file from `offset` on."""

    container: str
    table: str
    column: str
    row: int
    offset: int
    database_bytes: int
    size_bytes: int

    @property
    def locator(self) -> Locator:
        """Where it lies; a database spreads its values over pages."""
        return Locator(self.container, f"{self.table}.{self.column}[{self.row}]")

    def read(self, source: Source, *, limit_bytes: int = MAX_STORED_BYTES) -> bytes:
        """Open the database again and return the value."""
        _require_size(f"{self.table}.{self.column}", self.size_bytes, limit_bytes)
        with Database.open(source, self.offset, self.database_bytes) as database:
            return database.blob(self.table, self.column, self.row)


Stored: TypeAlias = Span | Member | Cell


def stored_digest(stored: Stored, source: Source) -> Digest:
    """Name the bytes that lie there; what cannot be read is a `MalformedError`."""
    return Digest.of(stored.read(source))


def _require_size(what: str, size_bytes: int, limit_bytes: int) -> None:
    if size_bytes > limit_bytes:
        message = f"{what} has {size_bytes} bytes, over {limit_bytes}"
        raise MalformedError(message)
