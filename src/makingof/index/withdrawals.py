"""Which events are withdrawn: by a withdrawal that was not itself taken back."""

import sqlite3

_CITED = """
SELECT DISTINCT e.position FROM cites AS c JOIN events AS e ON e.name = c.cited
 WHERE c.position = ? AND e.position < ?"""
_STANDS = """
SELECT EXISTS (
    SELECT 1 FROM events AS e
      JOIN cites AS c ON c.cited = e.name
      JOIN events AS w ON w.position = c.position AND w.kind = 'withdrawn' AND w.position > e.position
     WHERE e.position = ? AND w.position NOT IN (SELECT position FROM withdrawn)
)"""


def apply_withdrawal(connection: sqlite3.Connection, position: int) -> None:
    """Bring `withdrawn` up to date after the withdrawal at `position`, the newest event there is.

    A withdrawal of a withdrawal lets what that one took back stand again, and so on
    down; each step goes to earlier events, so it ends.
    """
    changed = {position}
    while changed:
        latest = max(changed)  # what is above it is settled
        changed.remove(latest)
        for (cited,) in connection.execute(_CITED, (latest, latest)).fetchall():
            if _settle(connection, cited):
                changed.add(cited)


def _settle(connection: sqlite3.Connection, position: int) -> bool:
    """Mark one event as it should be; return whether that was a change that goes on."""
    should = bool(connection.execute(_STANDS, (position,)).fetchone()[0])
    statement = (
        "INSERT OR IGNORE INTO withdrawn VALUES (?)" if should else "DELETE FROM withdrawn WHERE position = ?"
    )
    if connection.execute(statement, (position,)).rowcount == 0:
        return False
    kind = connection.execute("SELECT kind FROM events WHERE position = ?", (position,)).fetchone()[0]
    return bool(kind == "withdrawn")
