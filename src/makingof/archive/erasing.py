"""Erasing for good: the event first, then the bytes, wherever we keep them.

`erased` says who, why and what; it is durable before anything is touched, so that a
crash half-way leaves a record of what was meant, and `apply_erasures` finishes it.
The headers, digests and proofs stay: that something was there, when, and that it is
gone, remains checkable.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from makingof import durable
from makingof.archive.acts import PROGRAM, Teller
from makingof.archive.archive import Archive
from makingof.digest import Digest
from makingof.errors import UsageError
from makingof.event import MAX_CITES, Kind
from makingof.observation import Draft, Observation, Position
from makingof.part import Own, Part, PartType, Reason, body_of
from makingof.recorder.write import Recorded, new_stream, own_draft
from makingof.texts import say

# No running import leaves a staged file alone for an hour, nor pauses this long while it writes one.
_ABANDONED = timedelta(hours=1)
_AT_REST = timedelta(seconds=10)
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Erasure:
    """What is to be erased: parts by digest, and files by their file parts."""

    parts: tuple[Digest, ...] = ()
    files: tuple[Digest, ...] = ()


def erase(archive: Archive, what: Erasure, teller: Teller, reason: str) -> Recorded:
    """Record an erasure and carry it out; when this returns, the bytes are gone from everything of ours.

    Bytes a file shares with another event go for both: the other file parts of the
    same bytes are named in the event too. Beyond reach are a disk's spare blocks, file
    system snapshots, earlier backups and packages that were handed over.
    """
    if not (what.parts or what.files):
        raise UsageError(say("erasing.nothing"))
    if not reason.strip():
        raise UsageError(say("erasing.no_reason"), hint=say("erasing.no_reason_hint"))
    files = tuple(dict.fromkeys(twin for file in what.files for twin in archive.index.twins_of(file)))
    # A file part holds the bare digest of its bytes: left there, it would confirm a copy of what is gone.
    parts = tuple(dict.fromkeys((*what.parts, *files)))
    events = archive.index.events_of_parts(parts)
    if not events:
        raise UsageError(say("erasing.unknown"))
    observation = Observation(
        kind=Kind.ERASED,
        source=PROGRAM,
        drafts=(
            own_draft({"parts": list(parts), "files": list(files)}),
            Draft(PartType.REASON, body_of(Reason(reason)), "person"),
        ),
        actor=teller.actor,
        position=Position(new_stream(), 0),
        cites=tuple(events[:MAX_CITES]),
    )
    recorded = archive.record([observation], means=teller.means)[0]
    apply_erasures(archive)
    return recorded


def apply_erasures(archive: Archive) -> int:
    """Carry out every `erased` event again, and return how many parts and files were still there.

    Bytes go before the file parts that tell which bytes are meant, and what a crash
    left of them on their way into the store goes before the bytes it is told by.
    """
    parts: set[Digest] = set()
    blobs: set[Digest] = set()
    for own in _erasures(archive):
        parts.update(Digest.parse(item) for item in own.facts.get("parts", []))
        for item in own.facts.get("files", []):
            file = archive.index.file_part(Digest.parse(item))
            if file is not None and file.blob is not None:
                blobs.add(file.blob)
    still = [digest for digest in blobs if archive.store.has(digest)]
    leftovers = _remove_leftovers(archive, blobs, still)
    for digest in still:
        archive.store.remove(digest)
    salts = _erase_parts(archive, parts)
    archive.log.purge(salts)
    archive.index.purge(parts)
    return len(still) + len(salts) + leftovers


def remove_abandoned(archive: Archive) -> list[Path]:
    """Remove what imports that were cut off left beside the store, an hour after they last wrote."""
    return archive.store.remove_leftovers(before=archive.clock.now() - _ABANDONED)


def _remove_leftovers(archive: Archive, blobs: set[Digest], held: Sequence[Digest]) -> int:
    """Remove staged copies of these bytes, whole ones and beginnings; return how many.

    Another process may be importing other files: what is neither abandoned nor a copy
    is left alone. A file that is still being written is no copy yet.
    """
    removed = len(remove_abandoned(archive))
    resting = (archive.clock.now() - _AT_REST).timestamp()
    for path in archive.store.leftovers():
        if _holds_any(archive, path, blobs, held, resting):
            durable.remove(path)
            removed += 1
    return removed


def _holds_any(
    archive: Archive, path: Path, blobs: set[Digest], held: Sequence[Digest], resting: float
) -> bool:
    """Tell whether a leftover has one of these digests, or is at rest and begins as one that is held."""
    try:
        with durable.open_regular(path) as stream:
            digest, size_bytes = Digest.of_file(stream)
            at_rest = path.lstat().st_mtime < resting
    except OSError:  # its import has just given it its name, or it is no plain file: `fsck` lists it
        return False
    if digest in blobs:
        return True
    return at_rest and any(_begins_with(archive, blob, digest, size_bytes) for blob in held)


def _begins_with(archive: Archive, blob: Digest, digest: Digest, size_bytes: int) -> bool:
    if not 0 < size_bytes < archive.store.size(blob):
        return False
    found = hashlib.sha256()
    with archive.store.open(blob) as stream:
        while size_bytes and (chunk := stream.read(min(size_bytes, _CHUNK_BYTES))):
            found.update(chunk)
            size_bytes -= len(chunk)
    return Digest.from_raw(found.digest()) == digest


def _erase_parts(archive: Archive, parts: set[Digest]) -> list[bytes]:
    """Overwrite the parts that still have bytes; return their salts, which lay nowhere else."""
    salts = []
    for digest, position in archive.index.positions_of_parts(parts):
        for stored in archive.log.parts(position):
            if stored.digest == digest and stored.data is not None:
                salts.append(Part.parse(stored.data).salt.encode())
                archive.log.erase_part(position, stored.number)
    return salts


def _erasures(archive: Archive) -> Sequence[Own]:
    found = []
    for position in archive.index.positions_of_kind(Kind.ERASED):
        for stored in archive.log.parts(position):
            part = None if stored.data is None else Part.parse(stored.data)
            if part is not None and part.type is PartType.OWN:
                found.append(part.read(Own))
    return found
