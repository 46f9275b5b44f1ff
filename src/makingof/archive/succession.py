"""Successor logs: how an archive goes on after it was restored, moved, or lost its key.

Appending under the old key to an archive that lies behind its mark would make two
histories of one log. Instead a new log begins with a new key; its entry 0 names the
old one, signed by the old key or the recovery key where one is at hand, and a `gap`
says what may lie between. Without such a signature the succession is only claimed.
"""

import base64
from dataclasses import dataclass, replace
from pathlib import Path

from makingof import durable
from makingof.archive.archive import Archive, Plan, create_archive
from makingof.archive.home import INDEX_FILE, LOG_FILE, SETTINGS_FILE, Home, read_settings
from makingof.clock import Clock
from makingof.config import Settings
from makingof.digest import Digest
from makingof.errors import UsageError
from makingof.event import Kind
from makingof.keys.folder import find_key
from makingof.keys.mark import MarkFile
from makingof.keys.recovery import RecoveryKey
from makingof.keys.signing import SigningKey, file_stem
from makingof.part import Own, Part, PartType
from makingof.texts import say
from makingof.tlog.log import Log, open_log
from makingof.tlog.merkle import TreeHead

EARLIER = "earlier"


@dataclass(frozen=True, slots=True)
class Previous:
    """The log a new one succeeds, as far as it lies here, and who signs that."""

    origin: str
    head: TreeHead
    mark_size: int | None  # what this machine once signed, if it knows
    signer: SigningKey | None
    signed_by: str | None  # "log" or "recovery"

    def to_facts(self, new_origin: str) -> dict[str, object]:
        """Return what entry 0 of the new log says of the old one."""
        statement = succession_statement(self.origin, self.head, new_origin)
        signature = None if self.signer is None else base64.b64encode(self.signer.sign(statement)).decode()
        return {
            "origin": self.origin,
            "size": self.head.size,
            "root": Digest.from_raw(self.head.root),
            "signed_by": self.signed_by,
            "signer": None if self.signer is None else self.signer.public.raw.hex(),
            "signature": signature,
        }


def succession_statement(origin: str, head: TreeHead, new_origin: str) -> bytes:
    """Return what the old or the recovery key signs (docs/spec/log.md, Succession)."""
    root = base64.b64encode(head.root).decode()
    return f"makingof succession v1\n{origin}\n{head.size}\n{root}\n{new_origin}\n".encode()


def open_successor(
    home: Home, clock: Clock, *, owner: str, recovery: RecoveryKey | None = None
) -> tuple[Archive, RecoveryKey | None]:
    """Move the archive's log to `earlier/` and begin its successor in its place.

    Blobs are shared. The earlier log stays readable with `--archive` and its folder.
    A crash between the move and the new log leaves the folder without a log; running
    this again finds the earlier one and goes on.
    """
    settings = read_settings(home.path)
    previous = _look_at(home, recovery)
    _move_away(home, previous.origin, settings)
    plan = Plan(
        owner=owner,
        settings=settings,
        takes_recovery_key=recovery is not None,
        previous=previous.to_facts,
    )
    archive, new_recovery = create_archive(home, clock, plan)
    facts: dict[str, object] = {
        "why": "succession",
        "previous": previous.origin,
        "size": previous.head.size,
        "signed_size": previous.mark_size,
    }
    archive.record_own(Kind.GAP, facts)
    return archive, new_recovery


def _look_at(home: Home, recovery: RecoveryKey | None) -> Previous:
    path = home.log_path if home.log_path.exists() else _interrupted(home)
    with open_log(path, home.state) as log:
        if log.read_only is None and path == home.log_path:
            raise UsageError(say("archive.not_read_only"), hint=say("archive.not_read_only_hint"))
        if recovery is not None and str(recovery.public_digest) != _recovery_hash(log):
            raise UsageError(say("archive.other_recovery_key"))
        key = find_key(home.state, log.origin)
        mark = MarkFile(home.state, log.origin).read()
        by_recovery = None if recovery is None else recovery.signing_key
        signer = key or by_recovery
        signed_by = "log" if key else "recovery" if by_recovery else None
        return Previous(log.origin, log.head(), None if mark is None else mark.size, signer, signed_by)


def _recovery_hash(log: Log) -> object:
    """Return the hash of the recovery key that entry 0 committed to, or None."""
    if log.size() == 0:
        return None
    parts = [Part.parse(part.data) for part in log.parts(0) if part.data is not None]
    facts = next((part.read(Own).facts for part in parts if part.type is PartType.OWN), {})
    return facts.get("recovery")


def _interrupted(home: Home) -> Path:
    """Find the log of a succession that was cut off between the move and the new log."""
    found = sorted((home.path / EARLIER).glob(f"*/{LOG_FILE}"), key=lambda path: path.stat().st_mtime_ns)
    if not found:
        raise UsageError(say("archive.none", path=home.path), hint=say("archive.none_hint"))
    return found[-1]


def _move_away(home: Home, origin: str, settings: Settings) -> None:
    """Give the old log a folder of its own that opens as an archive and shares the blobs."""
    if not home.log_path.exists():
        return
    folder = home.path / EARLIER / file_stem(origin)
    durable.make_folders(folder)
    shared = replace(settings, blobs=f"../../{settings.blobs}", authorities=(), watched=())
    durable.replace(folder / SETTINGS_FILE, shared.to_text().encode())
    for suffix in ("-wal", "-shm", ""):
        path = home.log_path.with_name(LOG_FILE + suffix)
        if path.exists():
            path.replace(folder / path.name)
    for path in home.path.glob(f"{INDEX_FILE}*"):
        durable.remove(path)
    durable.sync_folder(folder)
    durable.sync_folder(home.path)
