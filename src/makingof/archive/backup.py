"""Backups: a copy of the archive without its key, and putting one back.

A backup is itself an archive that can be opened and verified. It holds no key, so it
can never append; put back on the machine whose mark it lies behind, it stays read-only
until it opens a successor log.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from makingof import durable
from makingof.archive.archive import open_archive
from makingof.archive.erasing import apply_erasures
from makingof.archive.home import LOG_FILE, SETTINGS_FILE, Home, read_settings
from makingof.archive.reader import ArchiveReader
from makingof.archive.succession import EARLIER
from makingof.clock import Clock
from makingof.config import Settings
from makingof.errors import CorruptBlobError, UsageError
from makingof.store.base import BlobStore
from makingof.store.files import FileStore
from makingof.texts import say

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Copied:
    """What lies in the copy now; `goes_on` tells whether one can go on recording in it as it is."""

    entries: int
    blobs: int
    new_blobs: int
    goes_on: bool = False


def back_up(archive: ArchiveReader, folder: Path, progress: Progress) -> Copied:
    """Copy log, settings and blobs into `folder`; blobs that lie there already are not copied again.

    Blobs go first, so that no event in the copy names one the copy lacks; the log is
    copied as one consistent state, also while somebody writes.
    """
    durable.make_folders(folder)
    size = archive.log.size()
    blobs, new = _copy_blobs(archive.store, FileStore(folder / "blobs"), progress)
    plain = replace(archive.settings, blobs=Settings().blobs, watched=())
    durable.replace(folder / SETTINGS_FILE, plain.to_text().encode())
    _copy_beside(archive.home.path, folder, archive.settings)
    _copy_log(archive.home.log_path, folder)
    _forget_erased(archive, FileStore(folder / "blobs"))
    return Copied(size, blobs, new)


def restore_backup(folder: Path, home: Home, clock: Clock, progress: Progress) -> Copied:
    """Put a backup into `home`, where no archive may be; everything on record as erased is erased again."""
    if home.log_path.exists():
        raise UsageError(say("archive.exists", path=home.path), hint=say("archive.exists_hint"))
    if not (folder / LOG_FILE).exists():
        raise UsageError(say("archive.none", path=folder), hint=say("backup.none_hint"))
    durable.make_folders(home.path)
    blobs, new = _copy_blobs(FileStore(folder / "blobs"), FileStore(home.path / "blobs"), progress)
    settings = read_settings(folder)
    durable.replace(home.path / SETTINGS_FILE, settings.to_text().encode())
    _copy_beside(folder, home.path, settings)
    _copy_log(folder / LOG_FILE, home.path)
    with open_archive(home, clock) as archive:
        apply_erasures(archive)
        return Copied(archive.log.size(), blobs, new, goes_on=archive.log.read_only is None)


def _copy_beside(source: Path, target: Path, settings: Settings) -> None:
    """Copy what lies beside the log: the trust file, and the logs this one has succeeded."""
    if settings.trust and (source / settings.trust).is_file():
        durable.replace(target / Path(settings.trust).name, (source / settings.trust).read_bytes())
    for earlier in sorted((source / EARLIER).glob(f"*/{LOG_FILE}")):
        folder = target / EARLIER / earlier.parent.name
        durable.make_folders(folder)
        durable.replace(folder / SETTINGS_FILE, read_settings(earlier.parent).to_text().encode())
        _copy_log(earlier, folder)


def _forget_erased(archive: ArchiveReader, copy: FileStore) -> None:
    """Take from an older copy what has been erased since: the archive does not hold it any more."""
    for digest in list(copy.iter_digests()):
        if not archive.store.has(digest):
            copy.remove(digest)


def _copy_blobs(source: BlobStore, target: BlobStore, progress: Progress) -> tuple[int, int]:
    """Copy what is missing, each blob checked against its name on the way."""
    digests = list(source.iter_digests())
    new = 0
    for number, digest in enumerate(digests, 1):
        if not target.has(digest):
            with source.open(digest) as stream:
                stored = target.put_file(stream)
            if stored.digest != digest:
                target.remove(stored.digest)
                raise CorruptBlobError(say("backup.corrupt", blob=digest))
            new += 1
        progress(number, len(digests))
    return len(digests), new


def _copy_log(source: Path, folder: Path) -> None:
    """Copy a log as one state, through SQLite's own backup, and give it its name when it is synced."""
    with durable.stage(folder) as staged:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as reading,
            closing(sqlite3.connect(staged.path)) as writing,
        ):
            reading.backup(writing)
        staged.sync()
        staged.place_over(folder / LOG_FILE)
    durable.sync_folder(folder)
