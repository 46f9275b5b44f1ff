"""The spool folder: what waits in it, in order, and taking it away once it is recorded."""

import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from makingof import durable

_NAME = re.compile(r"([0-9a-f]{32})-([0-9]{10})\.handover")
# A host killed while it wrote: under its temporary name, or attachments whose handover never came.
_LEFTOVER = re.compile(r"(\.?)([0-9a-f]{32})-([0-9]{10})(-[0-9a-f]{8})?(\.files)?")


@dataclass(frozen=True, slots=True, order=True)
class Waiting:
    """A handover in the spool, by its name; `files` is the folder of its attachments, there or not."""

    stream: str
    seq: int
    path: Path

    @property
    def files(self) -> Path:
        return self.path.with_suffix(".files")


def list_waiting(spool: Path) -> list[Waiting]:
    """Return what waits, stream by stream in order of its numbers; other names are not ours.

    Two looks, because one look may show a file and not the one written before it.
    """
    if not spool.is_dir():
        return []
    names = {path.name for _ in range(2) for path in spool.iterdir()}
    found = [(match, spool / name) for name in names if (match := _NAME.fullmatch(name))]
    return sorted(Waiting(match[1], int(match[2]), path) for match, path in found)


def list_leftovers(spool: Path, before: float) -> list[Waiting]:
    """Return what a host began to write and did not finish, untouched since `before` (seconds since 1970)."""
    found = set()
    for path in spool.iterdir() if spool.is_dir() else ():
        match = _LEFTOVER.fullmatch(path.name)
        if match is None or path.lstat().st_mtime >= before:
            continue
        stem = path.name.removesuffix(".files")
        target = spool / (stem if match[1] else f"{stem}.handover")
        if match[1] or not target.exists():
            found.add(Waiting(match[2], int(match[3]), target))
    return sorted(found)


def attached_files(waiting: Waiting, limit: int) -> list[Path]:
    """Return up to `limit` plain files that lie beside a handover; links are not followed."""
    with suppress(OSError):
        inside = sorted(waiting.files.iterdir())
        return [path for path in inside if path.is_file() and not path.is_symlink()][:limit]
    return []


def remove_recorded(taken: Iterable[Waiting]) -> None:
    """Take recorded handovers out of the spool.

    Attachments go first: a handover without them is known as recorded by its number,
    and attachments without their handover would lie there for ever.
    """
    folders = set()
    for waiting in taken:
        if waiting.files.is_symlink():
            waiting.files.unlink()
        elif waiting.files.is_dir():
            shutil.rmtree(waiting.files)
        waiting.path.unlink(missing_ok=True)
        folders.add(waiting.path.parent)
    for folder in folders:
        durable.sync_folder(folder)
