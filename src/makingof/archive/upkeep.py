"""What happens around a command without being asked for: health checks, and stamps that are due."""

import secrets
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from makingof.archive.archive import Archive
from makingof.archive.authorities import authorities_of, trust_of
from makingof.archive.health import is_due, look_at_health
from makingof.archive.stamping import (
    Stamped,
    complete_pending,
    sitting_sheet,
    stamp_log,
    stamp_sheet,
)
from makingof.errors import ConflictError, UnavailableError
from makingof.event import Kind
from makingof.keys.mark import hold_lock
from makingof.keys.signing import file_stem
from makingof.spool.carried import start_detached
from makingof.stamp.base import Kind as ReceiptKind
from makingof.stamp.base import StampingAuthority
from makingof.stamp.http import HttpFetch
from makingof.stamp.opentimestamps import CalendarAuthority
from makingof.stamp.schedule import (
    REQUEST_INTERVAL,
    Act,
    Due,
    Reason,
    Stamping,
    calendar_is_due,
    completion_is_due,
    next_stamp,
    sitting_ended_at,
)

_DUE_COMMAND = ("-m", "makingof", "stamp", "--due")
_NONCE_BYTES = 16


def record_health(archive: Archive) -> None:
    """Record a `checked` event where one is due: once a day and once per boot."""
    last = archive.index.last_check()
    if last is not None and not is_due(last.at, last.boot, archive.clock):
        return
    facts = look_at_health(archive.home.path, archive.clock, archive.index.last_receipt_at())
    archive.record_own(Kind.CHECKED, facts)


def find_due(archive: Archive) -> Due | None:
    """Return the stamp that is due now, or None."""
    since = archive.index.since_last_stamp()
    stamping = Stamping(
        acts=tuple(Act(act.kind, act.at) for act in since.acts),
        act_before=since.act_before,
        stamped_at=since.stamped_at,
        asked_at=since.asked_at,
    )
    due = next_stamp(stamping, archive.clock.now())
    return due if due is not None and due.at <= archive.clock.now() else None


def stamp_due(archive: Archive, *, sleep: Callable[[float], None] = time.sleep) -> Stamped | None:
    """Do what is due: a stamp, the sheet of a sitting that ended, once a day the calendars.

    One process at a time: whoever finds another at it leaves it to that one. Between two
    requests to one authority lie the seconds that public ones ask for.
    """
    try:
        with hold_lock(archive.home.state / "stamping" / f"{file_stem(archive.log.origin)}.lock", 0):
            due = find_due(archive)
            if due is None:
                _complete_proofs(archive)
                return None
            sheet = _sheet_of_ended_sitting(archive, due)
            authorities = _asked_now(archive)
            stamped = stamp_log(archive, authorities)
            if sheet is not None:
                sleep(REQUEST_INTERVAL.total_seconds())
                stamp_sheet(archive, authorities, sheet)
            _complete_proofs(archive)
            return stamped
    except ConflictError:
        return None


def start_due_stamping(archive: Archive) -> bool:
    """Start a detached process that stamps, if authorities are set and a stamp is due; return whether.

    The command that was run has answered already: asking an authority takes seconds
    and may fail, and neither is a reason to keep a person waiting.
    """
    if not archive.settings.authorities or find_due(archive) is None:
        return False
    start_detached([sys.executable, *_DUE_COMMAND, "--archive", str(archive.home.path)], {})
    return True


def _asked_now(archive: Archive) -> list[StampingAuthority]:
    """Everybody the settings name, and the calendars if a day has gone by."""
    asked = authorities_of(archive)
    calendars = trust_of(archive.home.path, archive.settings).find(archive.settings.calendars)
    last = archive.index.calendar_asked_at()
    if calendars is not None and calendar_is_due(last, archive.clock.now()):
        asked.append(CalendarAuthority(calendars, HttpFetch(), secrets.token_bytes(_NONCE_BYTES)))
    return asked


def _complete_proofs(archive: Archive) -> None:
    calendars = trust_of(archive.home.path, archive.settings).find(archive.settings.calendars)
    submitted = archive.index.oldest_pending_at()
    if calendars is None or calendars.kind is not ReceiptKind.OTS or submitted is None:
        return
    if completion_is_due(submitted, archive.index.calendar_asked_at(), archive.clock.now()):
        # A calendar that does not answer leaves the proof pending, as `status` shows; it is asked again.
        with suppress(UnavailableError):
            complete_pending(archive, calendars, HttpFetch())


def _sheet_of_ended_sitting(archive: Archive, due: Due) -> bytes | None:
    """At the close, and when the opening of the next shows that the last one closed unnoticed."""
    since = archive.index.since_last_stamp()
    last = since.acts[-1].at if due.reason is Reason.CLOSE else since.act_before
    if due.reason not in (Reason.CLOSE, Reason.OPENING) or last is None:
        return None
    ended = sitting_ended_at(last, archive.clock.now())
    return None if ended is None else sitting_sheet(archive, archive.index.sitting_start(last), ended)
