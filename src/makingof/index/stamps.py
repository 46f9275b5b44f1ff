"""Questions about time and health: what is stamped, who answered, when health was looked at."""

from datetime import datetime

from makingof.clock import parse_instant
from makingof.index.database import Database
from makingof.index.values import Check

# A pending proof counts for nothing, a deposit is not about our checkpoints.
_DATED = """
SELECT s.size, e.recorded_at FROM stamps AS s JOIN events AS e ON e.position = s.part >> 20
 WHERE EXISTS (SELECT 1 FROM receipts AS r
                WHERE r.part = s.part AND r.what = 'checkpoint' AND r.kind <> 'deposit' AND r.pending <= ?)
 ORDER BY s.size DESC, s.part LIMIT 1"""


def calendar_asked_at(database: Database) -> datetime | None:
    """Return when an OpenTimestamps calendar last answered."""
    return last_stamp_at(database, "position IN (SELECT part >> 20 FROM receipts WHERE kind = 'ots')")


def last_receipt_at(database: Database) -> datetime | None:
    """Return when, by our clock, an authority's receipt was last recorded."""
    return last_stamp_at(database, "position IN (SELECT part >> 20 FROM receipts WHERE kind = 'rfc3161')")


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


def newest_stamp(database: Database, *, pending: bool) -> tuple[int, datetime | None]:
    """Return how many entries the newest stamped checkpoint holds, and when its stamp was recorded.

    With `pending`, a proof that waits for its block is enough.
    """
    rows = database.query(_DATED, (pending,))
    return (rows[0][0], parse_instant(rows[0][1])) if rows else (0, None)


def last_stamp_at(database: Database, condition: str) -> datetime | None:
    """Return when the newest `stamped` event was recorded that fulfils `condition`."""
    stamped = f"SELECT recorded_at FROM events WHERE kind = 'stamped' AND {condition}"
    rows = database.query(f"{stamped} ORDER BY position DESC LIMIT 1")
    return parse_instant(rows[0][0]) if rows else None
