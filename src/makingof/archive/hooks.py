"""Where hooks and an archive meet: the spool, the hooks' secrets, the nonce a stream opens with."""

import sys
from contextlib import suppress
from pathlib import Path

import msgspec

from makingof import durable
from makingof.archive.reader import ArchiveReader
from makingof.keys.signing import file_stem
from makingof.part import Own, Part, PartType
from makingof.spool.hook import Hook, HookFolder
from makingof.spool.place import NEWEST, SPOOL


def spool_path(archive: ArchiveReader) -> Path:
    """Return the folder where this archive's hooks hand over."""
    return archive.home.path / SPOOL


def hook_folder(archive: ArchiveReader) -> HookFolder:
    """Return where this log's hooks are kept: in the state folder, beside its key."""
    return HookFolder(hook_state(archive))


def add_hook(archive: ArchiveReader, tool: str, folder: str) -> tuple[Hook, Path]:
    """Give a new hook its id and secret, ready to hand over; return it and the file that holds them."""
    program = (sys.executable, "-m", "makingof", "drain", "--background")
    drain = (*program, "--archive", str(archive.home.path.absolute()))
    environment = {"MAKINGOF_STATE": str(archive.home.state.absolute())}
    hook = Hook.make(tool, folder, spool_path(archive).absolute(), drain, environment)
    path = hook_folder(archive).add(hook)
    durable.make_folders(spool_path(archive))
    publish_nonce(archive)
    return hook, path


def publish_nonce(archive: ArchiveReader) -> None:
    """Write the nonce that new streams open with: the newest receipt's event, else entry 0.

    The event's name commits to the receipts in it, so a stream that opens with it was
    opened after they were given.
    """
    nonce = archive.log.leaf(_newest_receipt(archive)).hex()
    told = {"v": 1, "nonce": nonce, "log": file_stem(archive.log.origin)}
    path, data = spool_path(archive) / NEWEST, msgspec.json.encode(told)
    with suppress(FileNotFoundError):
        if path.read_bytes() == data:
            return
    durable.make_folders(path.parent)
    durable.replace(path, data)


def _newest_receipt(archive: ArchiveReader) -> int:
    """Return where the newest event with a receipt stands, or 0; that nobody answered dates nothing."""
    for position in reversed(archive.index.stamped_positions()):
        for part in archive.log.parts(position):
            if part.data is not None and _has_receipts(Part.parse(part.data)):
                return position
    return 0


def _has_receipts(part: Part) -> bool:
    return part.type is PartType.OWN and bool(part.read(Own).facts.get("receipts"))


def hook_state(archive: ArchiveReader) -> Path:
    """Return where this log keeps what it shares with hooks, outside the archive."""
    return archive.home.state / "hooks" / file_stem(archive.log.origin)
