"""When to stamp: a pure function of what happened since the last stamp.

The rules, and why: at the opening of a sitting, so that its first events have
a lower bound; after the first choice or publication since the last stamp,
because those are what is argued about; at the close; and else at most every
fifteen minutes with news. Events of the recorder about itself are no news: a
`stamped` event would call for the next stamp for ever. Offline nothing is
queued, because a later token over the newest checkpoint covers all before it.

That only one process stamps an archive at a time is for the caller to see to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

SITTING_PAUSE = timedelta(hours=1)
NEWS_INTERVAL = timedelta(minutes=15)
REQUEST_INTERVAL = timedelta(seconds=15)
CALENDAR_INTERVAL = timedelta(days=1)
COMPLETION_INTERVAL = timedelta(hours=3)
CHOICES = frozenset({"selected", "published", "affirmed"})


class Reason(StrEnum):
    """Why a stamp is due."""

    OPENING = "opening"
    CHOICE = "choice"
    CLOSE = "close"
    NEWS = "news"


@dataclass(frozen=True, slots=True)
class Act:
    """An event that is news: its kind and when it was recorded. Leave `own` events out with `news`."""

    kind: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """A stamp is due for `reason`, from `at` on; `at` may lie ahead."""

    reason: Reason
    at: datetime


@dataclass(frozen=True, slots=True)
class Stamping:
    """What is known of stamping in one archive.

    `acts` are the acts since the checkpoint stamped last, oldest first, and
    `act_before` is the last act under it. `asked_at` is the last request made,
    answered or not.
    """

    acts: tuple[Act, ...] = ()
    act_before: datetime | None = None
    stamped_at: datetime | None = None
    asked_at: datetime | None = None


def news(events: Sequence[tuple[str, str, datetime]]) -> tuple[Act, ...]:
    """Keep what is news of (kind, means, recorded at): everything but the recorder's words about itself."""
    return tuple(Act(kind, at) for kind, means, at in events if means != "own")


def next_stamp(stamping: Stamping, now: datetime) -> Due | None:
    """Return the stamp that is due or will be next, or None while there is no news.

    A clock set back makes every interval look unfinished; then what is due is
    due now, because waiting for a clock could mean waiting for ever.
    """
    if not stamping.acts:
        return None
    reason, at = _wish(stamping, now)
    asked_at = stamping.asked_at
    if asked_at is not None and asked_at <= now:
        at = max(at, asked_at + REQUEST_INTERVAL)
    return Due(reason, at)


def sitting_ended_at(last_act_at: datetime | None, now: datetime) -> datetime | None:
    """Return when the sitting of the last act ended, or None while it lasts or there was none."""
    if last_act_at is None or now - last_act_at < SITTING_PAUSE:
        return None
    return last_act_at + SITTING_PAUSE


def calendar_is_due(submitted_at: datetime | None, now: datetime) -> bool:
    """Tell whether the newest checkpoint goes to the OpenTimestamps calendars: once a day, with news."""
    return submitted_at is None or not timedelta(0) <= now - submitted_at < CALENDAR_INTERVAL


def completion_is_due(submitted_at: datetime, asked_at: datetime | None, now: datetime) -> bool:
    """Tell whether to ask after a pending proof: blocks take hours, and volunteers run the calendars."""
    since = submitted_at if asked_at is None else asked_at
    return not timedelta(0) <= now - since < COMPLETION_INTERVAL


def _wish(stamping: Stamping, now: datetime) -> tuple[Reason, datetime]:
    first, last = stamping.acts[0], stamping.acts[-1]
    if stamping.act_before is None or first.at - stamping.act_before >= SITTING_PAUSE:
        return Reason.OPENING, min(first.at, now)
    choice = next((act for act in stamping.acts if act.kind in CHOICES), None)
    if choice is not None:
        return Reason.CHOICE, min(choice.at, now)
    closes_at = last.at + SITTING_PAUSE
    if now >= closes_at:
        return Reason.CLOSE, closes_at
    if stamping.stamped_at is None or stamping.stamped_at > now:
        return Reason.NEWS, min(first.at, now)
    return Reason.NEWS, max(first.at, stamping.stamped_at + NEWS_INTERVAL)
