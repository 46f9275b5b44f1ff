"""Proving that recording works, from the hook's own files to the log: `checked`, good or bad alike."""

import hashlib
import hmac
import secrets
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from makingof.archive.archive import Archive
from makingof.archive.connecting import CARRIED, CONNECTION, LAYOUTS, Layout, find_changed
from makingof.archive.draining import drain
from makingof.archive.health import look_at_health
from makingof.archive.hooks import hook_folder
from makingof.capture.local_http import LocalHost
from makingof.errors import SourceError
from makingof.event import Event, Kind
from makingof.observation import Position
from makingof.part import Own, Part, PartType
from makingof.recorder.write import stream_key
from makingof.spool.carried import HookStream
from makingof.spool.hook import PYTHON, Hook

_SECONDS = 30
_SAY = """
import sys
sys.path.insert(0, sys.argv[1])
from handing_over import HookStream, load_connection
connection = load_connection(sys.argv[2])
stream = HookStream(connection, {"name": "makingof-doctor", "version": "1"})
if stream.open({"host": "doctor"}) is None or stream.close() is None:
    sys.exit(1)
print(stream.stream)
"""


@dataclass(frozen=True, slots=True)
class Examined:
    """How one hook stands."""

    hook: Hook
    changed: tuple[str, ...] | None  # None: it is not in its tool any more
    round_trip: str  # ok, late, refused, failed, not_tried
    host: str  # attached, not_ours, no_answer, not_asked
    listening: tuple[str, ...] = ()

    @property
    def is_well(self) -> bool:
        """Whether what was looked at is as it should be; a host that does not run is no fault."""
        return self.changed == () and self.round_trip == "ok" and self.host != "not_ours"


def examine(archive: Archive, url: str | None) -> list[Examined]:
    """Try every hook: its files, a round trip through the spool with its own code, and the host at `url`.

    The result is recorded as `checked`.
    """
    archive.require_writable()
    found = [_examine(archive, hook, url) for hook in hook_folder(archive).all()]
    if any(item.host == "attached" for item in found):
        # One has proved that it is in the host at `url`; the others' hosts are elsewhere.
        found = [replace(item, host="not_asked") if item.host == "not_ours" else item for item in found]
    facts = look_at_health(archive.home.path, archive.clock, archive.index.last_receipt_at())
    told = [
        {
            "hook": item.hook.id,
            "tool": item.hook.tool,
            "changed": None if item.changed is None else list(item.changed),
            "round_trip": item.round_trip,
            "host": item.host,
            "listening": list(item.listening),
        }
        for item in found
    ]
    archive.record_own(Kind.CHECKED, facts | {"hooks": told})
    return found


def _examine(archive: Archive, hook: Hook, url: str | None) -> Examined:
    changed = find_changed(hook)
    round_trip = "not_tried" if changed is None else _round_trip(archive, hook)
    host, listening = (
        ("not_asked", ()) if url is None or hook.tool == PYTHON else ask_host(hook, LocalHost.parse(url))
    )
    return Examined(hook, None if changed is None else tuple(changed), round_trip, host, listening)


def _round_trip(archive: Archive, hook: Hook) -> str:
    """Have the hook's own code hand over a stream, drain, and look what became of it."""
    if hook.tool == PYTHON:
        stream = _hand_over_here(hook)
    else:
        stream = _hand_over_there(LAYOUTS[hook.tool], Path(hook.folder))
    if stream is None:
        return "failed"
    drain(archive)
    position = archive.log.find_key(stream_key(Position(stream, 0)))
    if position is None or Event.parse(archive.log.entry(position)).kind is not Kind.OPENED:
        return "refused"
    parts = [Part.parse(part.data) for part in archive.log.parts(position) if part.data is not None]
    facts = next(part.read(Own).facts for part in parts if part.type is PartType.OWN)
    if not facts.get("accepted"):
        return "refused"
    return "ok" if facts.get("in_time") else "late"


def _hand_over_there(layout: Layout, root: Path) -> str | None:
    """Run the copy that lies in the tool, apart from ours; return the stream it handed over, or None."""
    folder = layout.modules_folder(root)
    if not (folder / CARRIED).is_file():
        return None
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", _SAY, str(folder), str(layout.hook_folder(root) / CONNECTION)],
            capture_output=True, text=True, timeout=_SECONDS, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _hand_over_here(hook: Hook) -> str | None:
    """Hand over as a program that imports makingof does."""
    stream = HookStream(msgspec.structs.asdict(hook), {"name": "makingof-doctor", "version": "1"})
    done = stream.open({"host": "doctor"}) is not None and stream.close() is not None
    return stream.stream if done else None


def ask_host(hook: Hook, host: LocalHost) -> tuple[str, tuple[str, ...]]:
    """Ask the running host for a proof that this very hook is in it."""
    asked = secrets.token_hex(16)
    try:
        told = host.ask(f"/makingof/hook?say={asked}")
    except SourceError:
        return "no_answer", ()
    question = f"makingof-doctor/1\n{asked}\n".encode()
    mac = hmac.new(bytes.fromhex(hook.secret), question, hashlib.sha256).hexdigest()
    if not isinstance(told, dict) or not hmac.compare_digest(str(told.get("mac")), mac):
        return "not_ours", ()
    listening = told.get("attached")
    return "attached", tuple(map(str, listening)) if isinstance(listening, list) else ()
