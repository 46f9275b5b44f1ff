"""Which recorded picture an export means by a name: found for certain, or not at all.

A wrong picture is worse than none. A name alone is believed where it is unique by
itself, or where the file lies in the place the export's program keeps it; elsewhere the
picture's own records must agree. Where several different files answer, none is taken.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath

from makingof.archive.archive import Archive
from makingof.archive.zips import open_place
from makingof.capture.exports.told import Wanted
from makingof.digest import Digest
from makingof.errors import MakingofError
from makingof.index.values import FileRow
from makingof.metadata.registry import read_records
from makingof.reading import Reading
from makingof.recorder.files import mapped

_TOKEN = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|file_[0-9a-zA-Z]{8,80}|file-[0-9A-Za-z]{8,80}"
)
_INDEX = re.compile(r"_([0-3])(?=[._-]|$)")


class NamedFiles:
    """Recorded files by name, as the index knows them when this is made."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._by_name: dict[str, list[tuple[str | None, Digest]]] = defaultdict(list)
        self._by_token: dict[str, list[tuple[str, Digest]]] = defaultdict(list)
        for name, path, part in archive.index.named_files():
            self._by_name[name].append((path, part))
            for token in set(_TOKEN.findall(name)):
                self._by_token[token].append((name, part))

    def find(self, wanted: Wanted, beside: Path) -> FileRow | None:
        """Return the one picture that `wanted` can mean in an export that lies at `beside`, or None."""
        if wanted.digest is not None:
            return self.find_bytes(wanted.digest)
        if wanted.token is not None:
            found = self._rows(
                part for name, part in self._by_token[wanted.token] if _has_index(name, wanted)
            )
            return _the_one(found)
        named = self._by_name.get(wanted.name, [])
        for folder in wanted.folders:
            place = _normal(beside.parent / folder / wanted.name)
            here = self._rows(part for path, part in named if path is not None and _normal(path) == place)
            agreed = [row for row in here if self._fits(wanted, row) is not False]
            if agreed:  # what lay in one place at different times may be several files: then none
                return _the_one(agreed)
        found = self._rows(part for _, part in named)
        return _the_one(
            [row for row in found if wanted.unique or (wanted.fits and self._fits(wanted, row) is True)]
        )

    def find_bytes(self, digest: Digest) -> FileRow | None:
        """Return the oldest file part of these bytes."""
        files = self._archive.index.files_of(digest)
        return files[0] if files else None

    def _rows(self, parts: Iterable[Digest]) -> list[FileRow]:
        """Return what the index says of file parts, each picture by the part that gave it first."""
        rows = [row for part in parts if (row := self._archive.index.file_part(part)) is not None]
        return [
            first
            for blob in dict.fromkeys(row.blob for row in rows)
            if blob is not None and (first := self.find_bytes(blob)) is not None
        ]

    def _fits(self, wanted: Wanted, row: FileRow) -> bool | None:
        return wanted.fits(self._readings(row)) if wanted.fits else None

    def _readings(self, row: FileRow) -> Sequence[Reading]:
        """Read a candidate's records again; one whose bytes are not at hand says nothing."""
        if row.blob is None or not self._archive.store.has(row.blob):
            return self._readings_in_place(row)
        with self._archive.store.open(row.blob) as stream, mapped(stream) as data:
            return read_records(data, row.name)

    def _readings_in_place(self, row: FileRow) -> Sequence[Reading]:
        """A picture left in place counts only if the bytes there are still those recorded."""
        for path in [] if row.blob is None else self._archive.index.places_of(row.blob):
            data = _read_place(path)
            if data is not None and Digest.of(data) == row.blob:
                return read_records(data, row.name)
        return ()


def read_recorded(archive: Archive, digest: Digest, path: Path) -> bytes | None:
    """Return the recorded bytes of an export, from the store or from where they lie unchanged."""
    try:
        if archive.store.has(digest):
            return archive.store.read(digest)
        data = _read_place(str(path))
    except MakingofError:
        return None
    return data if data is not None and Digest.of(data) == digest else None


def _read_place(place: str) -> bytes | None:
    stream = open_place(place)
    if stream is None:
        return None
    try:
        with stream:
            return stream.read()
    except OSError:
        return None


def _the_one(rows: Sequence[FileRow]) -> FileRow | None:
    return rows[0] if len({row.blob for row in rows}) == 1 else None


def _has_index(name: str, wanted: Wanted) -> bool:
    after = name.partition(wanted.token or "")[2]
    found = _INDEX.match(after)
    return (int(found[1]) if found else None) == wanted.index


def _normal(path: Path | str) -> str:
    """Spell a path so that it can be compared: `..` resolved by name, one kind of slash."""
    kept: list[str] = []
    for part in PurePath(str(path).replace("\\", "/")).parts:
        if part == ".." and len(kept) > 1:
            kept.pop()
        elif part not in ("..", "."):
            kept.append(part)
    return "/".join(kept)
