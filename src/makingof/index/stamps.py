"""Questions about time and health: what is stamped, what waits, when a sitting began."""

from contextlib import closing
from datetime import datetime, timedelta

import msgspec

from makingof.clock import format_instant, parse_instant
from makingof.event import Kind
from makingof.index.database import Database, Row
from makingof.index.values import Act, Check, PendingProof, SinceStamp
from makingof.lineage.links import milliseconds
from makingof.stamp.kept import parse_kept
from makingof.stamp.schedule import CHOICES, SITTING_PAUSE

# A pending proof counts for nothing, a deposit is not about our checkpoints.
_DATED = """
SELECT s.size, e.recorded_at FROM stamps AS s JOIN events AS e ON e.position = s.part >> 20
 WHERE EXISTS (SELECT 1 FROM receipts AS r
                WHERE r.part = s.part AND r.what = 'checkpoint' AND r.kind <> 'deposit' AND r.pending <= ?)
 ORDER BY s.size DESC, s.part LIMIT 1"""

_ACTS = "SELECT position, kind, recorded_at FROM events WHERE means <> 'own'"

_PENDING = """
SELECT r.facts, s.checkpoint, e.recorded_at
  FROM receipts AS r JOIN stamps AS s ON s.part = r.part JOIN events AS e ON e.position = r.part >> 20
 WHERE r.pending = 1 AND NOT EXISTS (
       SELECT 1 FROM receipts AS done WHERE done.about = r.about AND done.kind = r.kind AND done.pending = 0)
 ORDER BY r.part, r.number"""


def dated_size(database: Database) -> tuple[int, datetime | None]:
    """Return how many entries the newest stamped checkpoint holds, and when its stamp was recorded."""
    return _newest(database, pending=False)


def since_last_stamp(database: Database) -> SinceStamp:
    """Return what happened since the checkpoint that was stamped last; a pending proof is enough to wait."""
    size, stamped_at = _newest(database, pending=True)
    before = database.query(f"{_ACTS} AND position < ? ORDER BY position DESC LIMIT 1", (size,))
    return SinceStamp(
        size=size,
        acts=tuple(
            Act(Kind(kind), parse_instant(at)) for _, kind, at in sorted(_telling_acts(database, size))
        ),
        act_before=parse_instant(before[0][2]) if before else None,
        stamped_at=stamped_at,
        asked_at=_last_recorded_at(database, "1"),
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


def calendar_asked_at(database: Database) -> datetime | None:
    """Return when an OpenTimestamps calendar last answered."""
    return _last_recorded_at(database, "position IN (SELECT part >> 20 FROM receipts WHERE kind = 'ots')")


def last_receipt_at(database: Database) -> datetime | None:
    """Return when, by our clock, an authority's receipt was last recorded."""
    return _last_recorded_at(database, "position IN (SELECT part >> 20 FROM receipts WHERE kind = 'rfc3161')")


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


def last_check(database: Database) -> Check | None:
    """Return the newest health check."""
    rows = database.query(
        "SELECT e.recorded_at, c.boot FROM checks AS c JOIN events AS e ON e.position = c.part >> 20"
        " ORDER BY c.part DESC LIMIT 1"
    )
    return Check(parse_instant(rows[0][0]), rows[0][1]) if rows else None


def last_second_looks(database: Database) -> list[int]:
    """Return where the newest comparison with each generator stands, in log order."""
    rows = database.query("SELECT max(part) >> 20 FROM second_looks GROUP BY tool, url")
    return sorted(position for (position,) in rows)


def _newest(database: Database, *, pending: bool) -> tuple[int, datetime | None]:
    rows = database.query(_DATED, (pending,))
    return (rows[0][0], parse_instant(rows[0][1])) if rows else (0, None)


def _last_recorded_at(database: Database, condition: str) -> datetime | None:
    stamped = f"SELECT recorded_at FROM events WHERE kind = 'stamped' AND {condition}"
    rows = database.query(f"{stamped} ORDER BY position DESC LIMIT 1")
    return parse_instant(rows[0][0]) if rows else None
