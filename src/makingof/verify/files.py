"""Whether the pictures and documents of a package are the ones recorded."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes

from makingof.bundle.container import Container
from makingof.bundle.copies import check_copy
from makingof.bundle.description import Description, File, Shows
from makingof.bundle.record import Record
from makingof.digest import Digest
from makingof.errors import IntegrityError
from makingof.event import Kind
from makingof.lineage.entry import PartState
from makingof.part import FileBody, FilePieces, Own, PartType, Pieces
from makingof.texts import Message, say


@dataclass(frozen=True, slots=True)
class FilesSeen:
    """How many files are here as what, and what each copy lacks."""

    counts: Mapping[Shows, int]
    lacking: tuple[Message, ...]


def verify_files(container: Container, record: Record, listed: Mapping[str, str]) -> FilesSeen:
    """Return what is here, if every file is what its file parts say.

    `listed` are the digests of the payload's files, which were compared with their
    bytes before. A preview is compared with nothing: it is no evidence.

    Raises:
        IntegrityError: an original has another digest or size than was recorded, a
            copy is not made of recorded segments, two files claim one file part, or
            a file part of the lineage has no file.
    """
    lacking = []
    for file in record.description.files:
        _check_parts(record, file)
        if file.name and file.sha256 and file.sha256.hex != listed[file.name]:
            message = f"{file.name} is described with another SHA-256 than it is listed with"
            raise IntegrityError(message)
        if file.name and file.size != container.size(file.name):
            message = f"{file.name} is described with another size than it has"
            raise IntegrityError(message)
        if file.shows is Shows.COPY:
            lacking.append(_check_copy(container, record, file))
    _require_all_described(record)
    counts = {shows: sum(file.shows is shows for file in record.description.files) for shows in Shows}
    return FilesSeen(counts, tuple(lacking))


def warn_of_previews(description: Description) -> list[Message]:
    """Say of which of the pictures the package is about only a preview is here."""
    about = set(description.pictures)
    return [
        say("verify.warn_preview", number=file.number)
        for file in description.files
        if file.shows is Shows.PREVIEW and about.intersection(file.parts)
    ]


def _check_parts(record: Record, file: File) -> None:
    bodies = []
    for part in file.parts:
        if part not in record.file_parts:
            message = f"file {file.number} is said to be {part}, which no event names"
            raise IntegrityError(message)
        bodies.append(record.file_parts[part][1])
    known = [body for body in bodies if body is not None]
    if file.shows is Shows.ORIGINAL and not known:
        message = f"file {file.number} is called an original, and nothing shown says so"
        raise IntegrityError(message)
    for body in known:
        _check_body(file, body, known[0])


def _check_body(file: File, body: FileBody, first: FileBody) -> None:
    if body.digest != first.digest:
        message = f"file {file.number} is said to be two different recorded files"
        raise IntegrityError(message)
    if file.shows is Shows.ORIGINAL and (body.digest, body.size) != (file.sha256, file.size):
        message = f"file {file.number} is not the recorded one: {body.digest} was recorded"
        raise IntegrityError(message)


def _check_copy(container: Container, record: Record, file: File) -> Message:
    if file.copy is None or file.name is None:
        message = f"file {file.number} is a copy and not described as one"
        raise IntegrityError(message)
    recorded = _find_pieces(record, file, file.copy.pieces)
    left_out = check_copy(container.chunks(file.name), container.size(file.name), recorded, file.copy)
    sizes = {piece.name: piece.size for piece in recorded.pieces}
    return say(
        "verify.copy_lacks",
        number=file.number,
        pieces=", ".join(left_out),
        bytes=sum(sizes[name] for name in left_out),
    )


def _find_pieces(record: Record, file: File, part: Digest) -> FilePieces:
    for entry in record.entries:
        if isinstance(entry.parts.get(part, PartState.SEALED), PartState):
            continue
        for statement in entry.statements(PartType.PIECES, Pieces):
            for pieces in statement.body.files:
                if statement.digest == part and pieces.file in file.parts:
                    return pieces
    message = f"file {file.number} is a copy, and the pieces it is made of are not shown"
    raise IntegrityError(message)


def _require_all_described(record: Record) -> None:
    described = [part for file in record.description.files for part in file.parts]
    if len(set(described)) != len(described):
        message = "two files of the package are said to be one recorded file"
        raise IntegrityError(message)
    wanted = {
        part
        for entry in record.lineage
        for part, part_type in entry.types.items()
        if part_type is PartType.FILE
    }
    if missing := sorted(wanted - set(described)):
        message = f"{missing[0]} belongs to the record, and the package does not say what became of it"
        raise IntegrityError(message)


def compute_sm3(chunks: Iterable[memoryview]) -> str:
    """Return the SM3 of a file as 64 hex digits."""
    state = hashes.Hash(hashes.SM3())
    for chunk in chunks:
        state.update(chunk)
    return state.finalize().hex()


def find_erased(record: Record) -> set[Digest]:
    """Return the parts that `erased` events of the record say are gone."""
    erased: set[Digest] = set()
    for entry in record.entries:
        own = entry.first(PartType.OWN, Own) if entry.kind is Kind.ERASED else None
        named = own.facts.get("parts", []) if own else []
        erased |= {Digest.parse(part) for part in named if isinstance(part, str)}
    return erased
