"""Questions about events: lists with filters, names, projects, people, streams."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from makingof.clock import format_instant, milliseconds
from makingof.digest import Digest
from makingof.errors import UsageError
from makingof.event import Kind
from makingof.index.database import PART_BITS, Database, Row
from makingof.index.matching import Conditions, find_rows
from makingof.index.values import EventFilter, EventRow, Project
from makingof.part import Means, PartType, Person
from makingof.texts import say

_EVENT = """
SELECT position, name, kind, means, actor, project, stream, seq, occurred_at, recorded_at, source, tool,
       position IN (SELECT position FROM withdrawn),
       (SELECT count(*) FROM files WHERE part >= position << 20 AND part < (position + 1) << 20),
       (SELECT count(*) FROM parts
         WHERE part >= position << 20 AND part < (position + 1) << 20 AND state <> 'shown'),
       (SELECT text FROM texts WHERE id >= position << 23 AND id < (position + 1) << 23 LIMIT 1)
  FROM events AS e"""

_PROJECTS = """
SELECT e.name, e.position,
       (SELECT text FROM texts
         WHERE id >= e.position << 23 AND id < (e.position + 1) << 23 AND field = 'title' LIMIT 1),
       e.position IN (SELECT position FROM withdrawn)
  FROM events AS e WHERE e.kind = 'briefed' ORDER BY e.position"""

_MOVED = """
SELECT e.stream, max(e.seq) AS reached, (
       SELECT max(last) FROM stream_facts WHERE stream = e.stream AND kind = 'pulse') AS told
  FROM stream_facts AS o CROSS JOIN events AS e ON e.stream = o.stream
 WHERE o.kind = 'opened' AND o.part IS NULL
   AND NOT EXISTS (SELECT 1 FROM stream_facts WHERE stream = o.stream AND kind = 'closed')
 GROUP BY e.stream HAVING told IS NULL OR reached > told"""


def list_events(
    database: Database, wanted: EventFilter, *, before: int | None = None, limit: int
) -> list[EventRow]:
    """Return up to `limit` events at positions below `before`, the newest first."""
    conditions = _conditions(wanted)
    if before is not None:
        conditions.add("e.position < ?", before)

    def find(among: str, positions: Sequence[object], count: int) -> list[Row]:
        values = (*conditions.values, *positions, count)
        statement = f"{_EVENT} WHERE {conditions} AND {among} ORDER BY e.position DESC LIMIT ?"
        return database.query(statement, values)

    until = None if before is None else before - 1
    return [_event_row(row) for row in find_rows(find, database, wanted.text, until=until, limit=limit)]


def count_events(database: Database, wanted: EventFilter) -> int:
    """Count the events a list without end would show."""
    conditions = _conditions(wanted)
    conditions.add_words("e.position", wanted.text)
    return int(
        database.query(f"SELECT count(*) FROM events AS e WHERE {conditions}", conditions.values)[0][0]
    )


def event_at(database: Database, position: int) -> EventRow | None:
    """Return the event at `position`."""
    rows = database.query(f"{_EVENT} WHERE position = ?", (position,))
    return _event_row(rows[0]) if rows else None


def position_of(database: Database, name: Digest) -> int | None:
    """Return where the event of this name stands."""
    rows = database.query("SELECT min(position) FROM events WHERE name = ?", (name.raw,))
    found: int | None = rows[0][0]
    return found


def find_events(database: Database, prefix: str, limit: int) -> list[Digest]:
    """Return up to `limit` events whose name begins with the hex digits `prefix`."""
    low, high = bytes.fromhex(prefix.ljust(64, "0")), bytes.fromhex(prefix.ljust(64, "f"))
    rows = database.query(
        "SELECT DISTINCT name FROM events WHERE name BETWEEN ? AND ? ORDER BY name LIMIT ?",
        (low, high, limit),
    )
    return _names(rows)


def positions_of_kind(database: Database, kind: Kind) -> list[int]:
    """Return where the events of one kind stand, in log order."""
    rows = database.query("SELECT position FROM events WHERE kind = ? ORDER BY position", (str(kind),))
    return [position for (position,) in rows]


def last_act(database: Database) -> Digest | None:
    """Return the newest event that is not the recorder's word about itself."""
    rows = database.query("SELECT name FROM events WHERE means <> 'own' ORDER BY position DESC LIMIT 1")
    return _names(rows)[0] if rows else None


def last_output_event(database: Database) -> Digest | None:
    """Return the newest event that gave a picture."""
    rows = database.query(
        "SELECT e.name FROM files AS f JOIN events AS e ON e.position = f.part >> 20"
        " WHERE f.picture = 1 ORDER BY f.part DESC LIMIT 1"
    )
    return _names(rows)[0] if rows else None


def parts_of_type(database: Database, position: int, types: Iterable[PartType]) -> list[Digest]:
    """Return the parts of these types of the event at `position`, in order."""
    rows = database.query_each(
        "SELECT digest FROM parts WHERE type IN {} AND part >= ? << 20 AND part < ? << 20 ORDER BY part",
        map(str, types),
        position,
        position + 1,
    )
    return _names(rows)


def positions_of_parts(database: Database, parts: Iterable[Digest]) -> list[tuple[Digest, int]]:
    """Return where these parts stand, in log order; unknown ones are left out."""
    return [(digest, part >> PART_BITS) for part, digest in number_parts(database, parts)]


def number_parts(database: Database, parts: Iterable[Digest]) -> list[tuple[int, Digest]]:
    """Return the numbers of these parts, in log order; every part there is gets looked at."""
    named = "SELECT part, digest FROM parts WHERE digest IN {}"
    rows = database.query_each(named, {digest.raw for digest in parts})
    return sorted((part, Digest.from_raw(digest)) for part, digest in rows)


def projects(database: Database) -> list[Project]:
    """Return every project, in the order they were opened."""
    return [
        Project(Digest.from_raw(name), position, title, bool(withdrawn))
        for name, position, title, withdrawn in database.query(_PROJECTS)
    ]


def current_project(database: Database) -> Project | None:
    """Return the project acts belong to now: the newest that was not taken back."""
    standing = [project for project in projects(database) if not project.withdrawn]
    return standing[-1] if standing else None


def find_project(database: Database, name: str) -> Project:
    """Return the project of this title or event name; of several with one title the newest that stands.

    Raises:
        UsageError: there is none.
    """
    found = [project for project in projects(database) if name in (project.title, project.name)]
    if not found:
        raise UsageError(say("index.no_project", name=name), hint=say("index.no_project_hint"))
    return max(found, key=lambda project: (not project.withdrawn, project.position))


def people(database: Database) -> list[Person]:
    """Return who was enrolled, each as told last, in the order they were first."""
    rows = database.query(
        "SELECT people.id, people.name, people.kind, role, version, key, account, bound_by FROM people"
        " JOIN events ON position = part >> 20"
        " WHERE events.kind = 'enrolled' AND position NOT IN (SELECT position FROM withdrawn)"
        " ORDER BY part, number"
    )
    return list({row[0]: Person(*row) for row in rows}.values())


def moved_streams(database: Database) -> dict[str, int]:
    """Return the last number of every open stream that went on since the last pulse told of it."""
    return {stream: last for stream, last, _ in database.query(_MOVED)}


def _conditions(wanted: EventFilter) -> Conditions:
    conditions = Conditions()
    conditions.add_one_of("e.kind", wanted.kinds)
    conditions.add_one_of("e.means", wanted.means)
    for condition, value in (
        ("e.actor = ?", wanted.actor),
        ("e.project = ?", None if wanted.project is None else wanted.project.raw),
        ("e.stream = ?", wanted.stream),
        ("e.recorded_ms >= ?", _milliseconds(wanted.since)),
        ("e.recorded_ms < ?", _milliseconds(wanted.until)),
    ):
        if value is not None:
            conditions.add(condition, value)
    if not wanted.own:
        conditions.add("e.means <> 'own'")
    return conditions


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else milliseconds(format_instant(moment))


def _names(rows: Iterable[Row]) -> list[Digest]:
    return [Digest.from_raw(name) for (name,) in rows]


def _event_row(row: Row) -> EventRow:
    position, name, kind, means, actor, project, *rest = row
    named = None if project is None else Digest.from_raw(project)
    stream, seq, occurred_at, recorded_at, source, tool, withdrawn, files, silent, text = rest
    return EventRow(
        position=position,
        name=Digest.from_raw(name),
        kind=Kind(kind),
        means=Means(means),
        actor=actor,
        project=named,
        stream=stream,
        seq=seq,
        occurred_at=occurred_at,
        recorded_at=recorded_at,
        source=source,
        tool=tool,
        withdrawn=bool(withdrawn),
        files=files,
        silent=silent,
        text=text,
    )


def recorded_jobs(database: Database, tool: str) -> set[str]:
    """Return the ids of the jobs of one tool that gave pictures or were attempted."""
    statement = """
SELECT DISTINCT j.id FROM jobs AS j JOIN events AS e ON e.position = j.part >> 20
 WHERE j.tool = ? AND e.kind IN ('generated', 'attempted')"""
    return {job for (job,) in database.query(statement, (tool,))}


def has_events_of(database: Database, tool: str, after: int) -> bool:
    """Tell whether an event of a source that looks at `tool` stands past `after`."""
    statement = "SELECT 1 FROM events WHERE position > ? AND tool = ? LIMIT 1"
    return bool(database.query(statement, (after, tool)))


def seen_jobs(database: Database, tool: str) -> set[str]:
    """Return the ids of the jobs of one tool that were recorded as they happened."""
    statement = """
SELECT DISTINCT j.id FROM jobs AS j JOIN events AS e ON e.position = j.part >> 20
 WHERE j.tool = ? AND e.means IN ('live', 'spooled', 'watched')"""
    return {job for (job,) in database.query(statement, (tool,))}


def events_of_document(database: Database, document: str) -> list[Digest]:
    """Return the events of which a record names `document` as its own id, in log order."""
    statement = """
SELECT DISTINCT e.name FROM documents AS d JOIN events AS e ON e.position = d.part >> 20
 WHERE d.id = ? ORDER BY e.position"""
    return [Digest.from_raw(event) for (event,) in database.query(statement, (document,))]
