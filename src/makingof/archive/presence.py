"""Whether a recorder runs: it shows itself in the spool, so that hooks and people can tell."""

import os
from contextlib import suppress

import msgspec

from makingof import durable
from makingof.archive.hooks import spool_path
from makingof.archive.reader import ArchiveReader
from makingof.canonical import strict_json
from makingof.errors import MakingofError
from makingof.spool.place import RECORDER

_GONE_MS = 15_000


def show_itself(archive: ArchiveReader) -> None:
    """Say in the spool that a recorder runs, as of now."""
    told = {
        "v": 1,
        "boot": archive.clock.boot_id(),
        "uptime_ms": archive.clock.uptime_ms(),
        "pid": os.getpid(),
    }
    with suppress(MakingofError):  # a full disk: hooks then start a drain of their own
        durable.replace(spool_path(archive) / RECORDER, msgspec.json.encode(told))


def is_running(archive: ArchiveReader) -> bool:
    """Tell whether a recorder has shown itself within the last seconds of this boot."""
    try:
        told = strict_json((spool_path(archive) / RECORDER).read_bytes())
        age = archive.clock.uptime_ms() - told["uptime_ms"]
    except (OSError, MakingofError, KeyError, TypeError):
        return False
    return bool(told.get("boot") == archive.clock.boot_id() and 0 <= age < _GONE_MS)
