"""Lists of pictures, newest first, one page after the other."""

from collections.abc import Sequence

from makingof.digest import Digest
from makingof.index.database import Database, Row
from makingof.index.files import FILE_COLUMN_COUNT, FILE_COLUMNS, FILE_TABLES, file_row
from makingof.index.matching import Conditions, find_rows
from makingof.index.values import FileRow, PictureFilter, PictureRow
from makingof.lineage.judged import Judged

# What was last said of the bytes by a choice that stands.
_JUDGED = """
coalesce((SELECT CASE WHEN je.kind = 'rejected' THEN 'rejected' WHEN c.final = 1 THEN 'final' ELSE 'kept' END
            FROM files AS jf
            JOIN judged AS j ON j.file = jf.name
            JOIN choices AS c ON c.part = j.part
            JOIN events AS je ON je.position = j.part >> 20
           WHERE jf.blob = f.blob AND je.position NOT IN (SELECT position FROM withdrawn)
           ORDER BY j.part DESC LIMIT 1), 'never')"""

_PROMPT = """
(SELECT text FROM texts
  WHERE id >= e.position << 23 AND id < (e.position + 1) << 23 AND field = 'prompt' LIMIT 1)"""

# Bytes recorded again are not a second picture.
_IS_FIRST = """
f.picture = 1
AND NOT EXISTS (SELECT 1 FROM files AS g WHERE g.blob = f.blob AND g.picture = 1 AND g.part < f.part)"""


_BY_TOOL = """
(e.tool = ? OR EXISTS (
    SELECT 1 FROM readings AS r
     WHERE r.part >= e.position << 20 AND r.part < (e.position + 1) << 20 AND r.tool = ?))"""

_MARKED_FINAL = """
f.blob IN (SELECT m.blob FROM choices AS c
             JOIN judged AS j ON j.part = c.part JOIN files AS m ON m.name = j.file
            WHERE c.final = 1)"""


def list_pictures(
    database: Database, wanted: PictureFilter, *, before: FileRow | None = None, limit: int
) -> list[PictureRow]:
    """Return up to `limit` pictures, the newest first; `before` is the file of the last one seen."""
    conditions = _conditions(wanted)
    if before is not None:
        conditions.add("f.part < (SELECT part FROM files WHERE name = ? LIMIT 1)", before.part.raw)
    statement = (
        f"SELECT {FILE_COLUMNS}, e.recorded_at, e.project, {_JUDGED}, {_PROMPT},"
        f" e.position IN (SELECT position FROM withdrawn) FROM {FILE_TABLES} WHERE {conditions}"
    )

    def find(among: str, positions: Sequence[object], count: int) -> list[Row]:
        values = (*conditions.values, *positions, count)
        return database.query(f"{statement} AND {among} ORDER BY f.part DESC LIMIT ?", values)

    until = None if before is None else before.position
    return [_picture_row(row) for row in find_rows(find, database, wanted.text, until=until, limit=limit)]


def count_pictures(database: Database, wanted: PictureFilter) -> int:
    """Count the pictures a list without end would show."""
    if wanted == PictureFilter():
        pictures = "SELECT DISTINCT blob FROM files WHERE picture = 1 AND blob IS NOT NULL"
        return int(database.query(f"SELECT count(*) FROM ({pictures})")[0][0])
    conditions = _conditions(wanted)
    conditions.add_words("e.position", wanted.text)
    statement = f"SELECT count(*) FROM {FILE_TABLES} WHERE {conditions}"
    return int(database.query(statement, conditions.values)[0][0])


def count_unjudged(database: Database) -> int:
    """Count the pictures that no choice that stands has judged."""
    judged = database.query(
        "SELECT count(DISTINCT f.blob) FROM judged AS j JOIN files AS f ON f.name = j.file"
        " WHERE j.part >> 20 NOT IN (SELECT position FROM withdrawn)"
        " AND EXISTS (SELECT 1 FROM files AS p WHERE p.blob = f.blob AND p.picture = 1)"
    )
    return count_pictures(database, PictureFilter()) - int(judged[0][0])


def _conditions(wanted: PictureFilter) -> Conditions:
    conditions = Conditions([_IS_FIRST])
    if wanted.project is not None:
        conditions.add("e.project = ?", wanted.project.raw)
    if wanted.tool is not None:
        conditions.add(_BY_TOOL, wanted.tool, wanted.tool)
    conditions.add_one_of("e.means", wanted.means)
    if wanted.judged is Judged.FINAL:
        conditions.add(_MARKED_FINAL)  # finals are few: without this, every picture would be looked at
    if wanted.judged is not None:
        conditions.add(f"{_JUDGED} = ?", str(wanted.judged))
    return conditions


def _picture_row(row: Row) -> PictureRow:
    recorded_at, project, judged, prompt, withdrawn = row[FILE_COLUMN_COUNT:]
    return PictureRow(
        file=file_row(row[:FILE_COLUMN_COUNT]),
        recorded_at=recorded_at,
        project=None if project is None else Digest.from_raw(project),
        judged=Judged(judged),
        prompt=prompt,
        withdrawn=bool(withdrawn),
    )
