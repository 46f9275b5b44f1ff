"""What lies inside a layered document and becomes a blob of its own: merged picture, preview, job results."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from makingof.containers.segment import Data
from makingof.containers.sniff import sniff
from makingof.digest import Digest
from makingof.errors import MalformedError
from makingof.metadata.documents.document import Document, Job, Picture, PictureRole, Result
from makingof.metadata.documents.stored import Member

Keep = Callable[[bytes], Digest]
"""Stores bytes and returns their name when they are durable."""

MAX_PICTURES = 2_000
MAX_PICTURE_BYTES = 256 << 20
MAX_UNPACKED_BYTES = 1 << 30  # of one document, counted by what is unpacked and not by what is cut out
_SHOWN = (PictureRole.COMPOSITE, PictureRole.PREVIEW)


@dataclass(frozen=True, slots=True)
class KeptPicture:
    """A picture of a document, stored."""

    picture: Picture
    digest: Digest


@dataclass(slots=True)
class Kept:
    """What was taken out of one document; `left` says what was not, and why."""

    shown: list[KeptPicture] = field(default_factory=list)
    results: dict[tuple[int, int], KeptPicture] = field(default_factory=dict)  # job, number → picture
    left: list[str] = field(default_factory=list)
    unpacked_bytes: int = 0


def keep_pictures(document: Document, data: Data, keep: Keep) -> Kept:
    """Store the merged picture, previews and job results of `document`, which was read from `data`.

    Only what is a picture by its own first bytes is kept: packed channels are none. What
    is damaged, too large or one too many is said in `left`, and the rest is kept.
    """
    kept = Kept()
    for picture in (document.composite, *document.pictures):
        if picture is not None and picture.role in _SHOWN and picture.media_type is not None:
            found = _read(picture, data, kept)
            if found is not None:
                kept.shown.append(KeptPicture(picture, keep(found)))
    for number, job in enumerate(document.jobs):
        for result, found in _read_results(job, data, kept):
            if result.picture is not None and len(kept.results) < MAX_PICTURES:
                kept.results[number, result.number] = KeptPicture(result.picture, keep(found))
    return kept


def _read(picture: Picture, data: Data, kept: Kept) -> bytes | None:
    where = str(picture.stored.locator)
    if not _may_unpack(picture.stored.size_bytes, where, kept):
        return None
    try:
        found = picture.stored.read(data, limit_bytes=MAX_PICTURE_BYTES)
    except MalformedError as err:
        kept.left.append(f"{where}: {err}")
        return None
    return _a_picture(found, where, kept)


def _read_results(job: Job, data: Data, kept: Kept) -> Iterable[tuple[Result, bytes]]:
    """Unpack the member that holds a job's results once, and cut them out of it."""
    by_member: dict[str, list[tuple[Result, Member]]] = {}
    for result in job.results:
        if result.picture is not None and isinstance(result.picture.stored, Member):
            stored = result.picture.stored
            by_member.setdefault(stored.member, []).append((result, stored))
    for member, results in by_member.items():
        end = max(stored.start + stored.size_bytes for _, stored in results)
        if len(kept.results) + len(results) > MAX_PICTURES:
            kept.left.append(f"{member}: more than {MAX_PICTURES} results")
            continue
        if not _may_unpack(end, member, kept):
            continue
        try:
            whole = replace(results[0][1], start=0, size_bytes=end).read(data, limit_bytes=MAX_PICTURE_BYTES)
        except MalformedError as err:
            kept.left.append(f"{member}: {err}")
            continue
        for result, stored in results:
            cut = whole[stored.start : stored.start + stored.size_bytes]
            if _a_picture(cut, f"{member}[{result.number}]", kept) is not None:
                yield result, cut


def _may_unpack(size_bytes: int, where: str, kept: Kept) -> bool:
    if size_bytes > MAX_PICTURE_BYTES or kept.unpacked_bytes + size_bytes > MAX_UNPACKED_BYTES:
        kept.left.append(f"{where}: {size_bytes} bytes are more than are taken out of one document")
        return False
    kept.unpacked_bytes += size_bytes
    return True


def _a_picture(found: bytes, where: str, kept: Kept) -> bytes | None:
    if sniff(found) is not None:
        return found
    kept.left.append(f"{where}: is no picture")
    return None
