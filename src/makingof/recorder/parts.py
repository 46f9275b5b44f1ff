"""From drafts and attachments to the part bytes of one event."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from makingof.digest import Digest
from makingof.event import MAX_PARTS, PartRef
from makingof.observation import Draft, resolve_attached
from makingof.part import (
    FileBody,
    FilePieces,
    Means,
    Part,
    PartType,
    Piece,
    Pieces,
    body_of,
    piece_salt,
)
from makingof.recorder.salts import new_salt

_PIECES_PER_PART = 5_000  # a piece takes some 120 bytes
_LIST_LENGTH = 12_000  # digests in one list part: 12,000 × 75 bytes stays under 1 MiB


@dataclass(frozen=True, slots=True)
class PreparedParts:
    """The parts of one event, ready to be written: what the header cites, and every part's bytes."""

    refs: tuple[PartRef, ...]
    data: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class PreparedFile:
    """A stored attachment as its file part and, for containers we can take apart, its pieces."""

    part: bytes
    digest: Digest
    pieces: FilePieces | None


@dataclass(frozen=True, slots=True)
class TakenApart:
    """A container as its segments: the key that salts them, and their salted digests."""

    container: str
    key: bytes
    pieces: tuple[Piece, ...]


def prepare_file(body: FileBody, means: Means, origin: str, apart: TakenApart | None) -> PreparedFile:
    """Write the file part of `body`; the key to its pieces lies in it and is sealed with it."""
    if apart is None:
        part = _new_part(PartType.FILE, means, origin, body_of(body)).to_bytes()
        return PreparedFile(part, Digest.of(part), None)
    keyed = body_of(body) | {"pieces_key": apart.key.hex()}
    part = _new_part(PartType.FILE, means, origin, keyed).to_bytes()
    digest = Digest.of(part)
    return PreparedFile(part, digest, FilePieces(digest, apart.container, apart.pieces))


def piece_digest(key: bytes, number: int, data: memoryview | bytes) -> Digest:
    """Return SHA-256 of the segment's own salt and its bytes."""
    state = hashlib.sha256(piece_salt(key, number))
    state.update(data)
    return Digest.from_raw(state.digest())


def prepare_parts(drafts: Sequence[Draft], files: Sequence[PreparedFile], means: Means) -> PreparedParts:
    """Salt and write all parts of an event, files first; more than a header may cite become lists.

    A `Draft` whose means is None takes the event's.
    """
    by_type: dict[PartType, list[bytes]] = {}
    for file in files:
        by_type.setdefault(PartType.FILE, []).append(file.part)
    names = [file.digest for file in files]
    for draft in drafts:
        body = {key: value for key, value in resolve_attached(draft.body, names).items() if value is not None}
        part = Part(
            type=draft.type,
            salt=new_salt(),
            means=draft.means or means,
            from_=draft.from_,
            vouched=draft.vouched,
            body=body,
        )
        by_type.setdefault(draft.type, []).append(part.to_bytes())
    if taken_apart := [file.pieces for file in files if file.pieces is not None]:
        by_type[PartType.PIECES] = _pieces_parts(taken_apart)
    return _fit(by_type)


def _pieces_parts(files: Sequence[FilePieces]) -> list[bytes]:
    """Write one `pieces` part per few hundred segments, so that none outgrows its limit."""
    parts: list[bytes] = []
    batch: list[FilePieces] = []
    count = 0
    for file in files:
        if batch and count + len(file.pieces) > _PIECES_PER_PART:
            parts.append(_pieces_part(batch))
            batch, count = [], 0
        batch.append(file)
        count += len(file.pieces)
    return [*parts, _pieces_part(batch)]


def _pieces_part(files: Sequence[FilePieces]) -> bytes:
    body = body_of(Pieces(files=tuple(files)))
    return _new_part(PartType.PIECES, Means.OWN, "recorder", body).to_bytes()


def _fit(by_type: Mapping[PartType, list[bytes]]) -> PreparedParts:
    """Cite the parts, the largest groups through list parts until the header holds them all."""
    refs: list[PartRef] = []
    data: list[bytes] = []
    total = sum(len(group) for group in by_type.values())
    listed: set[PartType] = set()
    for part_type, group in sorted(by_type.items(), key=lambda item: -len(item[1])):
        if total <= MAX_PARTS:
            break
        chunks = -(-len(group) // _LIST_LENGTH)
        total -= len(group) - chunks
        listed.add(part_type)
    for part_type, group in by_type.items():
        if part_type in listed:
            for start in range(0, len(group), _LIST_LENGTH):
                digests = [Digest.of(part) for part in group[start : start + _LIST_LENGTH]]
                group_part = _new_part(part_type, Means.OWN, "recorder", {"parts": digests}).to_bytes()
                refs.append(PartRef(part_type, Digest.of(group_part)))
                data.append(group_part)
            data.extend(group)
        else:
            refs.extend(PartRef(part_type, Digest.of(part)) for part in group)
            data.extend(group)
    return PreparedParts(tuple(refs), tuple(data))


def _new_part(part_type: PartType, means: Means, origin: str, body: dict[str, object]) -> Part:
    return Part(
        type=part_type,
        salt=new_salt(),
        means=means,
        from_=origin,
        vouched=None,
        body=body,
    )
