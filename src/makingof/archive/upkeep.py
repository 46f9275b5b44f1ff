"""What happens around a command without being asked for: health checks, and stamps that are due."""

import os
import subprocess
import sys

from makingof.archive.archive import Archive
from makingof.archive.health import is_due, look_at_health
from makingof.event import Kind
from makingof.stamp.schedule import Act, Stamping, next_stamp

_DUE_COMMAND = ("-m", "makingof", "stamp", "--due")


def record_health(archive: Archive) -> None:
    """Record a `checked` event where one is due: once a day and once per boot."""
    last = archive.index.last_check()
    if last is not None and not is_due(last.at, last.boot, archive.clock):
        return
    facts = look_at_health(archive.home.path, archive.clock, archive.index.last_receipt_at())
    archive.record_own(Kind.CHECKED, facts)


def stamping_state(archive: Archive) -> Stamping:
    """Return what is known of stamping here, for `schedule.next_stamp`."""
    since = archive.index.since_last_stamp()
    return Stamping(
        acts=tuple(Act(kind, at) for kind, at in since.acts),
        act_before=since.act_before,
        stamped_at=since.stamped_at,
        asked_at=since.asked_at,
    )


def start_due_stamping(archive: Archive) -> bool:
    """Start a detached process that stamps, if authorities are set and a stamp is due; return whether.

    The command that was run has answered already: asking an authority takes seconds
    and may fail, and neither is a reason to keep a person waiting.
    """
    if not archive.settings.authorities:
        return False
    due = next_stamp(stamping_state(archive), archive.clock.now())
    if due is None or due.at > archive.clock.now():
        return False
    _start_detached([sys.executable, *_DUE_COMMAND, "--archive", str(archive.home.path)])
    return True


def _start_detached(arguments: list[str]) -> None:
    options: dict[str, object] = {"start_new_session": True}
    if os.name == "nt":
        options = {"creationflags": 0x00000008 | 0x00000200}  # DETACHED_PROCESS, CREATE_NEW_PROCESS_GROUP
    subprocess.Popen(
        arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        close_fds=True,
        **options,
    )
