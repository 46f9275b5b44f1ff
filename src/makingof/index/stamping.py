"""What has to be known to stamp: what happened since the last time, what waits, when a sitting began."""

from contextlib import closing
from datetime import datetime, timedelta

import msgspec

from makingof.clock import format_instant, milliseconds, parse_instant
from makingof.event import Kind
from makingof.index.database import Database, Row
from makingof.index.stamps import last_stamp_at, newest_stamp
from makingof.stamp.kept import KeptReceipt, parse_kept
from makingof.stamp.schedule import CHOICES, SITTING_PAUSE

_ACTS = "SELECT position, kind, recorded_at FROM events WHERE means <> 'own'"

_PENDING = """
SELECT r.facts, s.checkpoint, e.recorded_at
  FROM receipts AS r JOIN stamps AS s ON s.part = r.part JOIN events AS e ON e.position = r.part >> 20
 WHERE r.pending = 1 AND NOT EXISTS (
       SELECT 1 FROM receipts AS done WHERE done.about = r.about AND done.kind = r.kind AND done.pending = 0)
 ORDER BY r.part, r.number"""


class Act(msgspec.Struct, frozen=True):
    """An event that is news: not the recorder's word about itself."""

    kind: Kind
    at: datetime


class SinceStamp(msgspec.Struct, frozen=True):
    """What happened since the checkpoint that was stamped last.

    `acts` are the first since then, the first choice, publication or affirmation, and
    the last: all that decides when to stamp. `act_before` is the last act under that
    checkpoint, `stamped_at` when its stamp was recorded, `asked_at` when one was last
    asked for, answered or not.
    """

    size: int
    acts: tuple[Act, ...]
    act_before: datetime | None
    stamped_at: datetime | None
    asked_at: datetime | None


class PendingProof(msgspec.Struct, frozen=True):
    """An OpenTimestamps proof that waits for its block, and the checkpoint it is about."""

    receipt: KeptReceipt
    checkpoint: bytes
    recorded_at: datetime


def since_last_stamp(database: Database) -> SinceStamp:
    """Return what happened since the checkpoint that was stamped last; a pending proof is enough to wait."""
    size, stamped_at = newest_stamp(database, pending=True)
    before = database.query(f"{_ACTS} AND position < ? ORDER BY position DESC LIMIT 1", (size,))
    return SinceStamp(
        size=size,
        acts=tuple(
            Act(Kind(kind), parse_instant(at)) for _, kind, at in sorted(_telling_acts(database, size))
        ),
        act_before=parse_instant(before[0][2]) if before else None,
        stamped_at=stamped_at,
        asked_at=last_stamp_at(database, "1"),
    )


def _telling_acts(database: Database, start: int) -> set[Row]:
    """Return the first act from `start` on, the first choice and the last: an import has 100,000."""
    kinds = ",".join(f"'{kind}'" for kind in sorted(CHOICES))
    return {
        row
        for condition in (
            "ORDER BY position",
            f"AND kind IN ({kinds}) ORDER BY position",
            "ORDER BY position DESC",
        )
        for row in database.query(f"{_ACTS} AND position >= ? {condition} LIMIT 1", (start,))
    }


def pending_proofs(database: Database) -> list[PendingProof]:
    """Return the proofs that wait for their block, the oldest first."""
    return [
        PendingProof(parse_kept(msgspec.json.decode(facts)), checkpoint.encode(), parse_instant(at))
        for facts, checkpoint, at in database.query(_PENDING)
    ]


def sitting_start(database: Database, last: datetime) -> int:
    """Return where the sitting began whose last act was recorded at `last`: no pause of an hour since."""
    start, later_ms = 0, milliseconds(format_instant(last))
    acts = database.each(
        "SELECT position, recorded_ms FROM events"
        " WHERE means <> 'own' AND recorded_ms <= ? ORDER BY position DESC",
        (later_ms,),
    )
    with closing(acts):
        for position, recorded_ms in acts:
            if timedelta(milliseconds=later_ms - recorded_ms) >= SITTING_PAUSE:
                break
            start, later_ms = position, recorded_ms
    return start
