"""Questions about files: which parts name which bytes, where they lay, what was said of them."""

from collections.abc import Collection, Iterable, Iterator

from makingof.digest import Digest
from makingof.event import Kind
from makingof.index.database import Database, Row
from makingof.index.values import FileRow, Judgement
from makingof.lineage.judged import Judged
from makingof.part import Means, Role, escaped

FILE_COLUMNS = """
f.name, e.name, e.position, e.kind, e.means, f.blob, f.role, f.given, f.size,
CASE WHEN EXISTS (SELECT 1 FROM erasures WHERE digest = f.name AND what = 'bytes')
     THEN 'erased' ELSE f.holding END,
f.media_type, f.width, f.height, f.number,
(SELECT p.name FROM places AS p
  WHERE p.part >= e.position << 20 AND p.part < (e.position + 1) << 20 AND p.file = f.name LIMIT 1),
e.occurred_at"""
FILE_TABLES = "files AS f JOIN events AS e ON e.position = f.part >> 20"
FILE_COLUMN_COUNT = 16
_FILES = f"SELECT {FILE_COLUMNS} FROM {FILE_TABLES}"

_JUDGEMENTS = """
SELECT DISTINCT e.name, e.position, e.kind, c.final, e.actor, e.means,
       (SELECT text FROM texts
         WHERE id >= e.position << 23 AND id < (e.position + 1) << 23 AND field = 'reason' LIMIT 1),
       e.position IN (SELECT position FROM withdrawn)
  FROM files AS f
  JOIN judged AS j ON j.file = f.name
  JOIN choices AS c ON c.part = j.part
  JOIN events AS e ON e.position = j.part >> 20
 WHERE f.blob = ?
 ORDER BY e.position"""

_SAME_JOB = """
WITH requests (name) AS (
    SELECT c.cited FROM cites AS c JOIN events AS r ON r.name = c.cited AND r.kind = 'prompted'
     WHERE c.position = :position
     UNION SELECT name FROM events WHERE position = :position AND kind = 'prompted')
SELECT part >> 20 FROM jobs WHERE (tool, id) IN (
    SELECT tool, id FROM jobs WHERE part >= :position << 20 AND part < (:position + 1) << 20)
UNION
SELECT c.position FROM requests AS r JOIN cites AS c ON c.cited = r.name
  JOIN events AS e ON e.position = c.position AND e.kind IN ('generated', 'attempted')"""

_ASKED_AT_ONCE = 500  # fewer than SQLite has ever allowed
_MAIN_ROLES = frozenset({Role.OUTPUT, Role.FINAL})


def files_of_blob(database: Database, blob: Digest) -> list[FileRow]:
    """Return every file part of these bytes: those that gave the file first, the oldest first."""
    return _rows(database, "WHERE f.blob = ? ORDER BY f.given DESC, f.part", blob.raw)


def file_of_part(database: Database, part: Digest) -> FileRow | None:
    """Return what one file part says."""
    found = _rows(database, "WHERE f.name = ? ORDER BY f.part LIMIT 1", part.raw)
    return found[0] if found else None


def twins_of(database: Database, part: Digest) -> list[Digest]:
    """Return the file parts that name the same bytes as this one, itself first."""
    rows = database.query(
        "SELECT g.name FROM files AS f JOIN files AS g ON g.blob = f.blob WHERE f.name = ? ORDER BY g.part",
        (part.raw,),
    )
    return list(dict.fromkeys([part, *(Digest.from_raw(name) for (name,) in rows)]))


def files_of_events(database: Database, positions: Iterable[int]) -> list[FileRow]:
    """Return the file parts of these events, in log order."""
    condition = "WHERE f.part >= ? << 20 AND f.part < ? << 20 ORDER BY f.part"
    return [
        row
        for position in sorted(set(positions))
        for row in _rows(database, condition, position, position + 1)
    ]


def files_since(database: Database, position: int) -> list[FileRow]:
    """Return the file parts of the events from `position` on, those that say which bytes, in log order."""
    return _rows(database, "WHERE f.part >= ? << 20 AND f.blob IS NOT NULL ORDER BY f.part", position)


def outputs_of(database: Database, positions: Iterable[int]) -> list[FileRow]:
    """Return the pictures these events gave; where they gave no output, whatever they did give."""
    given = [file for file in files_of_events(database, positions) if file.given]
    return [file for file in given if file.role in _MAIN_ROLES] or given


def positions_of_job(database: Database, position: int) -> set[int]:
    """Return the events of the job of the event at `position`, itself included.

    A job is what its tool names as one, or what answers the same request.
    """
    rows = database.query(_SAME_JOB, {"position": position})
    return {position, *(found for (found,) in rows)}


def spelled(path: str) -> str:
    """Spell a path so that SQLite takes it: what is not valid Unicode in it is written as escapes.

    What is kept of a place and what is asked go through here alike, so that such a
    path is found again.
    """
    return escaped(path)


def known_among(database: Database, blobs: Collection[Digest]) -> set[Digest]:
    """Return those of these bytes that some file part names, however many are asked about."""
    wanted = [blob.raw for blob in blobs]
    rows: list[tuple[bytes]] = []
    for start in range(0, len(wanted), _ASKED_AT_ONCE):
        some = wanted[start : start + _ASKED_AT_ONCE]
        places = ",".join("?" * len(some))
        rows += database.query(f"SELECT DISTINCT blob FROM files WHERE blob IN ({places})", some)
    return {Digest.from_raw(blob) for (blob,) in rows}


def has_place(database: Database, blob: Digest, path: str) -> bool:
    """Tell whether these bytes were recorded as lying at `path`, spelled the same."""
    rows = database.query(
        "SELECT 1 FROM places AS p JOIN files AS f ON f.name = p.file"
        " WHERE p.path = ? AND f.blob = ? LIMIT 1",
        (spelled(path), blob.raw),
    )
    return bool(rows)


def last_seen(database: Database, path: str) -> Digest | None:
    """Return the last bytes recorded at `path`; that they were removed later changes nothing."""
    rows = database.query(
        "SELECT f.blob FROM places AS p JOIN files AS f ON f.name = p.file"
        " WHERE p.path = ? AND f.blob IS NOT NULL ORDER BY p.part DESC LIMIT 1",
        (spelled(path),),
    )
    return Digest.from_raw(rows[0][0]) if rows else None


def erased_at(database: Database, path: str) -> int | None:
    """Return the newest erasure that took bytes recorded at `path`, while the place itself is still told."""
    rows = database.query(
        "SELECT max(x.part) >> 20 FROM places AS p"
        " JOIN erasures AS x ON x.digest = p.file AND x.what = 'bytes' WHERE p.path = ?",
        (spelled(path),),
    )
    return _position(rows)


def erased_from(database: Database, position: int) -> int | None:
    """Return the newest erasure that took bytes from the event at `position`."""
    rows = database.query(
        "SELECT max(x.part) >> 20 FROM files AS f"
        " JOIN erasures AS x ON x.digest = f.name AND x.what = 'bytes'"
        " WHERE f.part >= ? << 20 AND f.part < ? << 20",
        (position, position + 1),
    )
    return _position(rows)


def _position(rows: list[Row]) -> int | None:
    return rows[0][0] if rows else None


def find_told(database: Database, key: str) -> Digest | None:
    """Name the first event that told what a document or an export tells under `key`."""
    rows = database.query(
        "SELECT e.name FROM places AS p JOIN events AS e ON e.position = p.part >> 20"
        " WHERE p.url = ? ORDER BY p.part LIMIT 1",
        (key,),
    )
    return Digest.from_raw(rows[0][0]) if rows else None


def find_standing(database: Database, key: str) -> Digest | None:
    """Name the newest event that tells what is told under `key` and was not withdrawn."""
    rows = database.query(
        "SELECT e.name FROM places AS p JOIN events AS e ON e.position = p.part >> 20"
        " WHERE p.url = ? AND e.position NOT IN (SELECT position FROM withdrawn)"
        " ORDER BY p.part DESC LIMIT 1",
        (key,),
    )
    return Digest.from_raw(rows[0][0]) if rows else None


def named_files(database: Database) -> Iterator[tuple[str, str | None, Digest]]:
    """Yield name, path and file part of every file that was recorded as lying somewhere, in log order."""
    statement = """
SELECT name, path, file FROM places WHERE file IS NOT NULL AND name IS NOT NULL ORDER BY part"""
    for name, path, file in database.query(statement):
        yield name, path, Digest.from_raw(file)


def places_of(database: Database, blob: Digest) -> list[str]:
    """Return the paths these bytes were seen at, the newest first."""
    rows = database.query(
        "SELECT p.path, max(p.part) FROM files AS f"
        " JOIN namings AS n ON n.file = f.name JOIN places AS p ON p.part = n.part"
        " WHERE f.blob = ? AND p.path IS NOT NULL GROUP BY p.path ORDER BY 2 DESC",
        (blob.raw,),
    )
    return [path for path, _ in rows]


def find_blobs(database: Database, prefix: str, limit: int) -> list[Digest]:
    """Return up to `limit` files whose digest begins with the hex digits `prefix`."""
    return _find(
        database, "SELECT DISTINCT blob FROM files WHERE blob BETWEEN ? AND ? ORDER BY 1", prefix, limit
    )


def find_parts(database: Database, prefix: str, limit: int) -> list[Digest]:
    """Return up to `limit` file parts whose digest begins with the hex digits `prefix`."""
    return _find(
        database, "SELECT DISTINCT name FROM files WHERE name BETWEEN ? AND ? ORDER BY 1", prefix, limit
    )


def _find(database: Database, statement: str, prefix: str, limit: int) -> list[Digest]:
    low, high = bytes.fromhex(prefix.ljust(64, "0")), bytes.fromhex(prefix.ljust(64, "f"))
    rows = database.query(f"{statement} LIMIT ?", (low, high, limit))
    return [Digest.from_raw(found) for (found,) in rows]


def judgements_of(database: Database, blob: Digest) -> list[Judgement]:
    """Return the choices that judged these bytes, in log order, withdrawn ones marked."""
    found = []
    for event, position, kind, final, actor, means, reason, withdrawn in database.query(
        _JUDGEMENTS, (blob.raw,)
    ):
        judged = Judged.REJECTED if kind == Kind.REJECTED else Judged.FINAL if final else Judged.KEPT
        named = Digest.from_raw(event)
        found.append(Judgement(named, position, judged, actor, Means(means), reason, bool(withdrawn)))
    return found


def judged_state(judgements: Iterable[Judgement]) -> Judged:
    """Return what was last said by a choice that stands."""
    standing = [judgement.judged for judgement in judgements if not judgement.withdrawn]
    return standing[-1] if standing else Judged.NEVER


def file_row(row: Row) -> FileRow:
    """Read `FILE_COLUMNS`."""
    name, event, position, kind, means, blob, role, given, *rest = row
    return FileRow(
        Digest.from_raw(name),
        Digest.from_raw(event),
        position,
        Kind(kind),
        Means(means),
        None if blob is None else Digest.from_raw(blob),
        None if role is None else Role(role),
        bool(given),
        *rest,
    )


def _rows(database: Database, condition: str, *values: object) -> list[FileRow]:
    return [file_row(row) for row in database.query(f"{_FILES} {condition}", values)]
