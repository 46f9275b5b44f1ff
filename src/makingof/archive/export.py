"""Exporting: stamped first, gathered from the archive, written as one file, and noted in the log."""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from makingof import durable
from makingof.archive.archive import Archive
from makingof.archive.reader import ArchiveReader
from makingof.archive.zips import open_place
from makingof.bundle.collect import collect_package
from makingof.bundle.description import Options
from makingof.bundle.request import Request, Sources
from makingof.bundle.write import write_package
from makingof.canonical import convert
from makingof.containers.sniff import sniff
from makingof.digest import Digest
from makingof.errors import MalformedError, UsageError
from makingof.event import Event, Kind
from makingof.keys.folder import find_key
from makingof.keys.sshsig import sign_ssh
from makingof.metadata.stealth import find_stealth
from makingof.part import Own, Part
from makingof.pictures import thumbnail
from makingof.recorder.write import Recorded
from makingof.texts import say

NAMESPACE = "makingof-package"
PREVIEW_SIDE = 512
_LOSSLESS = frozenset({"png", "webp"})  # what hides in the lowest bits of pixels survives nowhere else


@dataclass(frozen=True, slots=True)
class Exported:
    """A package that lies on disk, and the event that says so."""

    path: Path
    payload: Digest
    recorded: Recorded


def sources_of(archive: ArchiveReader) -> Sources:
    """Return the archive as far as packages are made from it."""
    return Sources(
        log=archive.log,
        graph=archive.index.graph(archive.log),
        checkpoint=archive.log.checkpoint,
        open_blob=lambda digest: _open_blob(archive, digest),
        stamped=archive.index.stamped_positions(),
        make_preview=_preview,
        has_pixel_data=_has_pixel_data,
    )


def export_package(archive: Archive, request: Request, path: Path) -> Exported:
    """Write the package of `request` to `path`, which must not exist, and log that it was done.

    The file appears under its name when it is whole and synced. `exported` notes what
    it takes to make the same bytes again, and is itself not in the package.
    """
    archive.require_writable()
    payload = write_request(archive, request, path)
    facts: dict[str, object] = {
        "size": request.size,
        "payload": payload,
        "pictures": list(request.pictures),
        "options": {"withhold": list(request.options.withhold), "full": request.options.full},
        "later_stamps": list(request.later_stamps),
    }
    return Exported(path, payload, archive.record_own(Kind.EXPORTED, facts))


def write_request(archive: ArchiveReader, request: Request, path: Path) -> Digest:
    """Write the package of `request` to `path` and return its payload's digest; nothing is logged."""
    key = find_key(archive.home.state, archive.log.origin)
    if key is None:
        raise UsageError(say("export.no_key"), hint=say("export.no_key_hint"))
    package = collect_package(sources_of(archive), request)
    with durable.stage(path.absolute().parent, mode=durable.SHARED) as staged:
        with durable.explained(path), staged.path.open("wb") as out:
            payload = write_package(out, package, sign=lambda text: sign_ssh(key, text, NAMESPACE))
        staged.sync()
        if not staged.place_new(path):
            raise UsageError(say("export.exists", path=path), hint=say("export.exists_hint"))
    durable.sync_folder(path.absolute().parent)
    return payload


def repeat_request(archive: ArchiveReader, event: Digest) -> tuple[Request, Digest]:
    """Return the request an `exported` event notes, and the payload digest it had."""
    position = archive.log.find_leaf(event.raw)
    if position is None or Event.parse(archive.log.entry(position)).kind is not Kind.EXPORTED:
        raise UsageError(say("export.not_an_export", name=event), hint=say("export.not_an_export_hint"))
    own = next(part for part in archive.log.parts(position) if part.data is not None)
    facts = Part.parse(own.data or b"").read(Own).facts
    noted = convert(facts, _Noted, "exported event")
    request = Request(
        pictures=noted.pictures, size=noted.size, options=noted.options, later_stamps=noted.later_stamps
    )
    return request, noted.payload


def part_bytes(archive: ArchiveReader, event: Digest, part_type: str) -> list[bytes]:
    """Return the bytes of an event's parts, of one type or of all: what opens them in a package.

    Parts listed by a list part come with it. An unknown type, and an event without
    such a part, is a `UsageError`.
    """
    position = archive.log.find_leaf(event.raw)
    stored = [] if position is None else [part.data for part in archive.log.parts(position) if part.data]
    found = [data for data in stored if part_type in ("", Part.parse(data).type)]
    if not found:
        raise UsageError(say("export.no_such_part", name=event, part=part_type or "–"))
    return found


class _Noted(msgspec.Struct, frozen=True):
    """What an `exported` event notes."""

    size: int
    payload: Digest
    pictures: tuple[Digest, ...]
    options: Options = Options()
    later_stamps: tuple[int, ...] = ()


def _open_blob(archive: ArchiveReader, digest: Digest) -> BinaryIO | None:
    """Open a held blob, or a file left in place if its bytes still have their name."""
    if archive.store.has(digest):
        return archive.store.open(digest)
    for place in archive.index.places_of(digest):
        stream = open_place(place)
        if stream is None:
            continue  # gone or moved: the package lists the file as not available
        if Digest.of_stream(stream)[0] == digest:
            stream.seek(0)
            return stream
        stream.close()
    return None


def _has_pixel_data(data: bytes) -> bool:
    """Tell whether a record hides in the pixels; where that cannot be told, take it for yes."""
    container = sniff(data)
    if container not in _LOSSLESS:
        return False
    try:
        return find_stealth(data, container) is not None
    except MalformedError:
        return True


def _preview(data: bytes) -> bytes | None:
    """Return a small JPEG without metadata, or None for what is no picture."""
    try:
        return thumbnail(data, longest=PREVIEW_SIDE)
    except MalformedError:
        return None
