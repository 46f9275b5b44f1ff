"""Importing what lies in a zip, member by member, without unpacking it to disk.

The members that are taken become blobs like other files; the zip itself is named by its
digest and stays where it is. With `in_place` the members stay in it, and their bytes are
found there again as long as the zip is the one that was recorded.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

from makingof.archive.archive import Archive
from makingof.archive.imports import new_import
from makingof.capture.zipped import ZippedFolder, opened_zip, split_place
from makingof.containers.zip import Member
from makingof.digest import Digest
from makingof.errors import MalformedError, SourceError
from makingof.recorder.files import Looked, look_in_place
from makingof.recorder.importing import Found, Imported
from makingof.store.base import Failure, Stored
from makingof.store.source_file import ChangedError, Hashed, hash_many, in_order

_THREADS = 4
_COPY_BYTES = 1 << 20

Seen = Callable[[bool], None]
"""Told of each member that was looked at, whether it stays in the zip."""


def import_zip(archive: Archive, zipped: ZippedFolder, *, in_place: bool, seen: Seen) -> Iterator[Imported]:
    """Record what `zipped` holds, then the zip itself by its digest, yielding each when it is durable.

    What cannot be read is yielded as failed and the rest goes on; so is a zip that
    changed while it was read.
    """
    run = new_import(archive, in_place=in_place)
    try:
        yield from run.run_found(_found(archive, zipped, in_place=in_place, seen=seen))
    finally:
        archive.index.follow(archive.log)


def open_place(place: str) -> BinaryIO | None:
    """Open what lies at a recorded place now, in a zip or not; None where nothing is there.

    Nobody has checked that it is what was recorded.
    """
    inside = split_place(Path(place))
    if inside is None:
        try:
            return Path(place).open("rb")
        except OSError:
            return None
    path, name = inside
    with opened_zip(path) as zipped:
        member = None if zipped is None else _find(zipped, name)
        if zipped is None or member is None:
            return None
        try:
            return _copied(zipped.open(member))
        except MalformedError:
            return None  # damaged since: nothing is there that could be what was recorded


def _found(archive: Archive, zipped: ZippedFolder, *, in_place: bool, seen: Seen) -> Iterator[Found]:
    def take(member: Member) -> Found | None:
        return _take(archive, zipped, member, in_place=in_place)

    with (
        ThreadPoolExecutor(_THREADS) as pool,
        closing(in_order(pool, take, zipped.members)) as taken,
    ):
        for item in taken:
            seen(item is None)
            if item is not None:
                yield item
    yield from (Failure(zipped.path, SourceError(damage)) for damage in zipped.damage)
    yield from _zip_itself(zipped)


def _zip_itself(zipped: ZippedFolder) -> Iterator[Found]:
    found = next(hash_many([zipped.path], lambda stream, path: look_in_place(stream, path.name)))
    yield found if zipped.is_unchanged else Failure(zipped.path, ChangedError(zipped.path))


def _take(archive: Archive, zipped: ZippedFolder, member: Member, *, in_place: bool) -> Found | None:
    place = zipped.folder
    try:
        place = zipped.place(member)
        if not zipped.wants(member):
            return None
        modified_ns = None if member.modified_s is None else member.modified_s * 1_000_000_000
        with zipped.open(member) as stream:
            if in_place:
                return _look(stream, place, modified_ns)
            stored: Stored = archive.store.put_file(stream)
        return replace(stored, path=place, modified_ns=modified_ns)
    except MalformedError as err:
        return Failure(place, SourceError(str(err)))


def _look(stream: BinaryIO, place: Path, modified_ns: int | None) -> Hashed[Looked]:
    with _copied(stream) as copy:
        digest, size_bytes = Digest.of_stream(copy)
        copy.seek(0)
        return Hashed(place, digest, size_bytes, modified_ns, look_in_place(copy, place.name))


def _copied(stream: BinaryIO) -> BinaryIO:
    """Copy a member to where it can be read anywhere; the copy is gone when it is closed."""
    copy = TemporaryFile()  # noqa: SIM115 - handed to the caller, who closes it
    try:
        while chunk := stream.read(_COPY_BYTES):
            copy.write(chunk)
    except MalformedError:
        copy.close()
        raise
    copy.seek(0)
    return copy


def _find(zipped: ZippedFolder, name: str) -> Member | None:
    """Return the first member that lies at `name`, spelled as its place is."""
    place = zipped.folder.joinpath(name)
    for member in zipped.members:
        with suppress(MalformedError):  # a name that leads out of the zip is no place in it
            if zipped.place(member) == place:
                return member
    return None
