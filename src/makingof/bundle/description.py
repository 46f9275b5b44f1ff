"""`data/package.json`: what the exporter says this package is; its claims are checked against the rest."""

import re
from enum import StrEnum
from typing import Self

import msgspec

from makingof import canonical
from makingof.bundle import layout
from makingof.canonical import convert
from makingof.digest import Digest
from makingof.errors import MalformedError

MAX_DESCRIPTION_BYTES = 64 << 20

_FILE_NAME = re.compile(re.escape(layout.FILES) + r"[0-9]{4,7}(-copy|-preview)?\.[a-z0-9]{1,8}")
_SALT = re.compile(r"[0-9a-f]{32}")


class Shows(StrEnum):
    """What a file in the package is beside the file that was recorded."""

    ORIGINAL = "original"  # the very bytes
    COPY = "copy"  # the very bytes without some segments, checked against `pieces`
    PREVIEW = "preview"  # a small picture made for this package; no evidence
    NOTHING = "nothing"  # only its record is here


class Why(StrEnum):
    """Why a file is not here as its original."""

    WITHHELD = "withheld"  # it holds what is withheld
    BRIEF = "brief"  # neither an ancestor nor judged; `--full` brings it
    UNAVAILABLE = "unavailable"  # kept elsewhere, and not found there with its bytes
    ERASED = "erased"


class ShownPiece(msgspec.Struct, frozen=True):
    """One segment of a copy: its number in the `pieces` part, and its salt."""

    number: int
    salt: str


class CopyOf(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a copy is checked: which `pieces` part, and which of its segments the copy is made of, in order.

    With `header` `riff` the copy begins with 12 bytes of its own, the header of a WebP
    file of its size, because viewers refuse one that states another.
    """

    pieces: Digest
    shown: tuple[ShownPiece, ...]
    header: str | None = None


class File(msgspec.Struct, frozen=True, omit_defaults=True):
    """One file of the record: `parts` are the file parts that speak of it. `number` stands in its name."""

    number: int
    parts: tuple[Digest, ...]
    shows: Shows
    name: str | None = None
    size: int | None = None
    sha256: Digest | None = None  # of the file in the package
    sm3: str | None = None
    why: Why | None = None
    copy: CopyOf | None = None


class Receipt(msgspec.Struct, frozen=True, omit_defaults=True):
    """One receipt: under whose name it was asked for, its bytes, and the documents kept beside it."""

    kind: str
    authority: str
    name: str
    beside: tuple[str, ...] = ()


class Stamp(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file of this package that outsiders stamped: a checkpoint of `size` entries, a picture, a sheet."""

    subject: str
    receipts: tuple[Receipt, ...]
    size: int | None = None


class Log(msgspec.Struct, frozen=True):
    """The log and the size at which it was taken."""

    origin: str
    size: int
    root: Digest


class Options(msgspec.Struct, frozen=True):
    """What the exporter asked for. `withhold` is sorted: part types, `prompts`, or `EVENT:part` by name."""

    withhold: tuple[str, ...] = ()
    full: bool = False


DEFAULT_OPTIONS = Options()


class Description(msgspec.Struct, frozen=True, omit_defaults=True):
    """The whole document."""

    format: str
    made_with: str
    log: Log
    pictures: tuple[Digest, ...]  # file parts
    lineage_rule: int
    lineage: tuple[int, ...]  # positions, ascending
    options: Options
    files: tuple[File, ...] = ()
    stamps: tuple[Stamp, ...] = ()
    carried: dict[str, Digest] = {}  # the verifiers that lie beside the payload

    def to_bytes(self) -> bytes:
        """Return the document's bytes."""
        return canonical.to_bytes(msgspec.to_builtins(self, enc_hook=str))

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read it back; anything but one canonical, well-shaped description is a `MalformedError`."""
        found = convert(canonical.from_bytes(data), cls, "package.json")
        if found.format != layout.FORMAT:
            message = f"package format {found.format[:40]!r} is not {layout.FORMAT}"
            raise MalformedError(message, hint="a newer makingof may read it")
        if not found.pictures:
            message = "package.json does not say which pictures the package is about"
            raise MalformedError(message)
        _check_files(found.files)
        if list(found.lineage) != sorted(set(found.lineage)) or not all(
            0 <= position < found.log.size for position in found.lineage
        ):
            message = "lineage in package.json is not a rising list of positions in the log"
            raise MalformedError(message)
        return found


def _check_files(files: tuple[File, ...]) -> None:
    numbers = [file.number for file in files]
    if numbers != list(range(1, len(files) + 1)):
        message = "files in package.json are not numbered from 1 on"
        raise MalformedError(message)
    for file in files:
        _check_file(file)


def _check_file(file: File) -> None:
    here = file.shows is not Shows.NOTHING
    named = (file.name, file.size, file.sha256)
    if here == (None in named) or (not here and named != (None, None, None)):
        message = f"file {file.number} in package.json is neither here with name, size and digest nor absent"
        raise MalformedError(message)
    if (file.why is None) != (file.shows is Shows.ORIGINAL) or (file.copy is None) == (
        file.shows is Shows.COPY
    ):
        message = f"file {file.number} in package.json does not say how it stands to its original"
        raise MalformedError(message)
    if file.name is not None and (
        not _FILE_NAME.fullmatch(file.name) or f"{file.number:04d}" not in file.name
    ):
        message = f"file {file.number} in package.json has the name {file.name[:80]!r}"
        raise MalformedError(message)
    if file.copy and not all(_SALT.fullmatch(piece.salt) for piece in file.copy.shown):
        message = f"file {file.number} in package.json has a salt that is not 16 bytes in hex"
        raise MalformedError(message)
