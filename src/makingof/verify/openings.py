"""What was opened apart from a package: sealed statements, and the originals they name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from makingof.bundle.disclosed import order_parts, read_entries
from makingof.bundle.lines import split_lines
from makingof.bundle.record import Record
from makingof.digest import Digest
from makingof.errors import IntegrityError, SourceError
from makingof.part import Part

MAX_DISCLOSURES_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Openings:
    """Part bytes, and files by digest and size."""

    parts: tuple[bytes, ...] = ()
    files: tuple[tuple[Digest, int], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.parts or self.files)


NOTHING_OPENED = Openings()


def read_openings(paths: Iterable[Path]) -> Openings:
    """Read files given beside a package: lines of parts (`.jsonl`), and any other file as an original."""
    parts: list[bytes] = []
    files: list[tuple[Digest, int]] = []
    for path in paths:
        try:
            with path.open("rb") as stream:
                if path.suffix == ".jsonl":
                    parts += split_lines(stream.read(MAX_DISCLOSURES_BYTES), path.name)
                else:
                    files.append(Digest.of_stream(stream))
        except OSError as err:
            message = f"{path} cannot be read: {err.strerror or err}"
            raise SourceError(message) from err
    return Openings(tuple(parts), tuple(files))


def open_parts(record: Record, shown: Mapping[Digest, bytes], openings: Openings) -> Record:
    """Return the record with the opened parts shown beside the bytes that are `shown` already.

    Raises:
        MalformedError: one of them is no part.
        IntegrityError: one of them is cited by no entry shown, or a file is not one
            whose file part is shown or opened.
    """
    opened = {Digest.of(line): line for line in openings.parts}
    for line in openings.parts:
        Part.parse(line)
    placed = [(entry.position, entry.event.entry) for entry in record.entries]
    entries = tuple(read_entries(placed, {**opened, **shown}))
    cited = set(order_parts(entries))
    if strangers := sorted(opened.keys() - cited):
        message = f"{strangers[0]} is cited by no entry of the package"
        raise IntegrityError(message)
    result = Record(record.key, record.checkpoint, record.description, entries)
    named = {(body.digest, body.size) for _, body in result.file_parts.values() if body is not None}
    for digest, size in openings.files:
        if (digest, size) not in named:
            message = f"{digest} of {size} bytes is not a file this record names"
            raise IntegrityError(message)
    return result
