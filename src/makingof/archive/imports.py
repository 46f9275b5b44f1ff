"""Importing into an archive: the recorder's import with the index as its memory."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from makingof.archive.acts import PROGRAM
from makingof.archive.archive import Archive
from makingof.digest import Digest
from makingof.recorder.importing import Import, Imported
from makingof.store.base import Progress


@dataclass(frozen=True, slots=True)
class IndexMemory:
    """What the index remembers of earlier imports."""

    archive: Archive

    def known_among(self, digests: Collection[Digest]) -> Collection[Digest]:
        return self.archive.index.known_among(digests)

    def has_place(self, digest: Digest, path: Path) -> bool:
        return self.archive.index.has_place(digest, str(path))

    def find_event(self, digest: Digest) -> Digest | None:
        files = self.archive.index.files_of(digest)
        return files[0].event if files else None

    def find_told(self, key: str) -> Digest | None:
        return self.archive.index.find_told(key)

    def find_file_part(self, digest: Digest) -> Digest | None:
        files = self.archive.index.files_of(digest)
        return files[0].part if files else None


def new_import(archive: Archive, *, in_place: bool, single: bool = False) -> Import:
    """Begin a run of the recorder's import into `archive`, which has to be writable."""
    archive.require_writable()
    return Import(
        recorder=archive.recorder,
        store=archive.store,
        memory=IndexMemory(archive),
        source=PROGRAM,
        in_place=in_place,
        single=single,
        project=archive.index.current_project(),
    )


def import_files(
    archive: Archive,
    paths: Iterable[Path],
    *,
    in_place: bool = False,
    single: bool = False,
    progress: Progress | None = None,
) -> Iterator[Imported]:
    """Record `paths` as they are now, yielding each when it is durable; the index follows at the end.

    With `in_place` the bytes stay where they are and only digests and records are
    kept. `single` is for a picture an act met for the first time.
    """
    run = new_import(archive, in_place=in_place, single=single)
    try:
        yield from run.run(paths, progress)
    finally:
        archive.index.follow(archive.log)
