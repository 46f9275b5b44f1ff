"""Which files of a lineage go into a package, and as what: original, copy, preview, or not at all."""

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import BinaryIO

from makingof.bundle.copies import cut_copy, make_copy
from makingof.bundle.description import Shows, Why
from makingof.bundle.package_input import FileInput
from makingof.bundle.request import Sources
from makingof.bundle.search import Withheld
from makingof.bundle.withhold import Rule
from makingof.containers.pieces import segments
from makingof.containers.sniff import sniff
from makingof.digest import Digest
from makingof.errors import CorruptBlobError
from makingof.event import Kind
from makingof.lineage.entry import Entry, PartState
from makingof.lineage.lineage import Lineage
from makingof.lineage.lineage import Why as Belongs
from makingof.lineage.links import links_of
from makingof.part import Choice, FileBody, FilePieces, PartType, Pieces, Role
from makingof.stamp.sm3 import sm3_hex

_MAX_SEARCHED_BYTES = 1 << 30
_HEAD_BYTES = 64
_SUFFIXES = {
    "png": "png", "jpeg": "jpg", "webp": "webp", "gif": "gif", "tiff": "tif", "avif": "avif", "heif": "heif",
    "jxl": "jxl", "psd": "psd",
}  # fmt: skip
# What people brought or made by hand is shown whole; what a generator made beside it is shown small.
_BY_PEOPLE = frozenset({Kind.BRIEFED, Kind.NOTED, Kind.EDITED, Kind.PUBLISHED, Kind.AFFIRMED})

RecordedPieces = Mapping[Digest, tuple[Digest, FilePieces]]
"""File part → the part its pieces stand in, and these."""


@dataclass
class FileGroup:
    """One file of the lineage, under all file parts that name its bytes."""

    digest: Digest
    bodies: dict[Digest, FileBody] = field(default_factory=dict)
    whole: bool = False

    @property
    def parts(self) -> tuple[Digest, ...]:
        """The file parts, in log order."""
        return tuple(self.bodies)

    @property
    def size(self) -> int:
        """Size of the file in bytes, as recorded."""
        return next(iter(self.bodies.values())).size


@dataclass(frozen=True, slots=True)
class Treatment:
    """What the exporter asked for, as far as files go."""

    rule: Rule
    withheld: Withheld
    named: frozenset[Digest]  # file parts withheld by name
    full: bool


@dataclass(frozen=True, slots=True)
class FilePlan:
    """The files of a package, and the raw digests of those that are sealed."""

    files: tuple[FileInput, ...]
    sealed: frozenset[bytes]


def plan_files(sources: Sources, lineage: Lineage, pieces: RecordedPieces, treat: Treatment) -> FilePlan:
    """Decide for every file of the lineage, in log order."""
    groups = _group(lineage)
    whole = whole_blobs(lineage)
    files: list[FileInput] = []
    sealed: set[bytes] = set()
    for number, (key, group) in enumerate(groups.items(), 1):
        sources.on_file(number, len(groups))
        if isinstance(group, PartState):
            files.append(
                FileInput((key,), Shows.NOTHING, Why.ERASED if group is PartState.ERASED else Why.WITHHELD)
            )
            continue
        group.whole = treat.full or group.digest in whole
        planned, digests = _Planner(sources, group, pieces, treat).plan()
        files.append(planned)
        sealed |= digests
    return FilePlan(tuple(files), frozenset(sealed))


def find_pieces(entries: Iterable[Entry]) -> RecordedPieces:
    """Return the recorded pieces by the file part they cut up."""
    return {
        pieces.file: (statement.digest, pieces)
        for entry in entries
        for statement in entry.statements(PartType.PIECES, Pieces)
        for pieces in statement.body.files
    }


def _group(lineage: Lineage) -> dict[Digest, FileGroup | PartState]:
    """Put the file parts of a lineage together by the bytes they name; a silent one stands alone."""
    groups: dict[Digest, FileGroup | PartState] = {}
    for entry in lineage.entries():
        groups.update(entry.silent(PartType.FILE))
        for statement in entry.files():
            group = groups.setdefault(statement.body.digest, FileGroup(statement.body.digest))
            if isinstance(group, FileGroup):
                group.bodies[statement.digest] = statement.body
    return groups


def whole_blobs(lineage: Lineage) -> set[Digest]:
    """Return the bytes asked about, those used for them, those judged, and what people brought or made.

    They go in whole; a verifier holds the exporter to it.
    """
    whole = {picture.blob for picture in lineage.pictures}
    for member in lineage.by_why(Belongs.PICTURE, Belongs.ANCESTOR, Belongs.JOB):
        whole |= {link.blob for link in links_of(member.entry).files if not link.given}
    for member in lineage.by_why(Belongs.ANCESTOR):
        given = {link.blob for link in links_of(member.entry).files if link.given}
        if not given & whole:  # it was cited without saying which picture: all of them
            whole |= given
    whole |= judged_blobs(lineage)
    for entry in lineage.entries():
        whole |= {
            item.body.digest
            for item in entry.files()
            if entry.kind in _BY_PEOPLE or item.body.role is Role.FINAL
        }
    return {blob for blob in whole if blob is not None}


def judged_blobs(lineage: Lineage) -> set[Digest]:
    """Return the bytes that choices of the lineage judge, as far as it names them."""
    blob_of = {link.part: link.blob for entry in lineage.entries() for link in links_of(entry).files}
    judged = {
        blob_of.get(part)
        for entry in lineage.entries(Kind.SELECTED, Kind.REJECTED)
        for choice in entry.statements(PartType.CHOICE, Choice)
        for part in choice.body.judged
    }
    return {blob for blob in judged if blob is not None}


@dataclass(frozen=True, slots=True)
class _Planner:
    """Decides for one file."""

    sources: Sources
    group: FileGroup
    pieces: RecordedPieces
    treat: Treatment

    def plan(self) -> tuple[FileInput, set[bytes]]:
        """Return how the file goes in, and the digests nothing else may show."""
        if self.treat.named.intersection(self.group.parts):
            return self._nothing(Why.WITHHELD), {self.group.digest.raw}
        head = self._read_head()
        if self.treat.rule:
            return self._plan_searched(found=head is not None)
        if head is None:
            return self._nothing(Why.UNAVAILABLE), set()
        return (self._original(head) if self.group.whole else self._preview(Why.BRIEF)), set()

    def _plan_searched(self, *, found: bool) -> tuple[FileInput, set[bytes]]:
        # What cannot be searched may hold anything, and its bare digest would confirm a guess.
        if not found or self.group.size > _MAX_SEARCHED_BYTES:
            return self._nothing(Why.WITHHELD), {self.group.digest.raw}
        data = self._read()
        in_pixels = self.treat.rule.prompts and self.sources.has_pixel_data(data)
        if not in_pixels and not self._may_hold(data):
            return (self._original(data) if self.group.whole else self._preview(Why.BRIEF)), set()
        sealed = {self.group.digest.raw, bytes.fromhex(sm3_hex(data))}
        copy = self._copy(data) if self.group.whole and not in_pixels else None
        return copy or self._preview(Why.WITHHELD), sealed

    def _may_hold(self, data: bytes) -> bool:
        """Tell whether the file may hold what is withheld; where that is a prompt, every text segment may."""
        found = segments(data)
        if found is None:
            return self.treat.rule.prompts or self.treat.withheld.is_in(data)
        texts = [data[piece.offset : piece.offset + piece.size_bytes] for piece in found if piece.holds_text]
        return bool(texts) and (self.treat.rule.prompts or any(map(self.treat.withheld.is_in, texts)))

    def _copy(self, data: bytes) -> FileInput | None:
        part = next((part for part in self.group.parts if part in self.pieces), None)
        if part is None:
            return None
        pieces_part, recorded = self.pieces[part]
        made = make_copy(data, self.group.bodies[part], recorded, pieces_part)
        if made is None or self.treat.withheld.stands_in(made[0]):
            return None
        copied, description = made
        return FileInput(
            parts=self.group.parts,
            shows=Shows.COPY,
            why=Why.WITHHELD,
            suffix=_suffix(data),
            size=len(copied),
            digest=Digest.of(copied),
            open=self._open_copy,  # made once more when it is written: thousands do not fit into memory
            copy=description,
        )

    def _open_copy(self) -> BinaryIO:
        return io.BytesIO(cut_copy(self._read()))

    def _original(self, head: bytes) -> FileInput:
        return FileInput(
            parts=self.group.parts,
            shows=Shows.ORIGINAL,
            suffix=_suffix(head),
            size=self.group.size,
            digest=self.group.digest,
            open=partial(_open, self.sources, self.group.digest),
        )

    def _preview(self, why: Why) -> FileInput:
        """Show the picture small; a document, or a picture that does not decode, is not shown at all."""
        small = self.sources.make_preview(self._read()) if self.group.size <= _MAX_SEARCHED_BYTES else None
        return self._nothing(why) if small is None else self._small(why, small)

    def _nothing(self, why: Why) -> FileInput:
        return FileInput(self.group.parts, Shows.NOTHING, why)

    def _small(self, why: Why, data: bytes) -> FileInput:
        return FileInput(
            parts=self.group.parts,
            shows=Shows.PREVIEW,
            why=why,
            suffix="jpg",
            size=len(data),
            digest=Digest.of(data),
            open=partial(io.BytesIO, data),
        )

    def _read_head(self) -> bytes | None:
        stream = self.sources.open_blob(self.group.digest)
        if stream is None:
            return None
        with stream:
            return stream.read(_HEAD_BYTES)

    def _read(self) -> bytes:
        with _open(self.sources, self.group.digest) as stream:
            data = stream.read()
        if Digest.of(data) != self.group.digest:
            message = f"{self.group.digest} is stored with other content"
            raise CorruptBlobError(message)
        return data


def _suffix(head: bytes) -> str:
    return _SUFFIXES.get(sniff(head) or "", "bin")


def _open(sources: Sources, digest: Digest) -> BinaryIO:
    stream = sources.open_blob(digest)
    if stream is None:
        message = f"{digest} was there a moment ago and is gone"
        raise CorruptBlobError(message)
    return stream
