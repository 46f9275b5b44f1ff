"""What lies in a folder: a listing for `import`, with what is left out and why."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from makingof.config import ARCHIVE_FOLDER
from makingof.errors import SourceError
from makingof.texts import say

_WEIGHTS = frozenset({".safetensors", ".ckpt", ".pt", ".pth", ".gguf", ".onnx", ".bin"})
_UNFINISHED = frozenset({".part", ".partial", ".tmp", ".crdownload", ".download"})
_LITTER = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db"})


class LeftOut(StrEnum):
    """Why a file is not imported."""

    HIDDEN = "hidden"
    WEIGHTS = "weights"
    UNFINISHED = "unfinished"
    NOT_A_FILE = "not_a_file"


@dataclass(slots=True)
class Listing:
    """Files to import, in a stable order; what was left out; what could not be listed."""

    files: list[Path] = field(default_factory=list)
    size_bytes: int = 0
    left_out: list[tuple[Path, LeftOut]] = field(default_factory=list)
    failed: list[tuple[Path, SourceError]] = field(default_factory=list)


def list_files(paths: Sequence[Path]) -> Listing:
    """List `paths`, folders recursively, without opening a file.

    A file named by the person is taken whatever its name. Folders of archives and
    links to folders are not entered, so no loop is walked; a folder that cannot be
    read is listed as failed and the rest goes on.
    """
    listing = Listing()
    for path in paths:
        if path.is_dir():
            for file in _walk(path, listing):
                _consider(file, listing, named=False)
        else:
            _consider(path, listing, named=True)
    listing.files = list(dict.fromkeys(listing.files))
    return listing


def _walk(top: Path, listing: Listing) -> Iterator[Path]:
    folders = [top]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as err:
            listing.failed.append((folder, _unreadable(folder, err)))
            continue
        inner = [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
        yield from (Path(entry.path) for entry in entries if entry not in inner)
        folders.extend(Path(entry.path) for entry in reversed(inner) if entry.name != ARCHIVE_FOLDER)


def _consider(path: Path, listing: Listing, *, named: bool) -> None:
    try:
        size_bytes = path.stat().st_size
    except OSError as err:
        listing.failed.append((path, _unreadable(path, err)))
        return
    reason = reason_to_leave_out(path)
    if reason is LeftOut.NOT_A_FILE or (reason and not named):
        listing.left_out.append((path, reason))
        return
    listing.files.append(path)
    listing.size_bytes += size_bytes


def reason_to_leave_out(path: Path) -> LeftOut | None:
    """Say why a file is not taken unless it is named, or None."""
    name = path.name.lower()
    if not path.is_file():
        return LeftOut.NOT_A_FILE
    if name.startswith(".") or name in _LITTER:
        return LeftOut.HIDDEN
    if path.suffix.lower() in _WEIGHTS:
        return LeftOut.WEIGHTS
    if path.suffix.lower() in _UNFINISHED:
        return LeftOut.UNFINISHED
    return None


def _unreadable(path: Path, err: OSError) -> SourceError:
    return SourceError(say("storage.source_unreadable", path=path, reason=err.strerror or str(err)))
