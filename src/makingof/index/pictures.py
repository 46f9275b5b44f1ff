"""Lists of pictures, newest first, one page after the other."""

from makingof.digest import Digest
from makingof.index.database import Database, Row
from makingof.index.files import FILE_COLUMN_COUNT, FILE_COLUMNS, FILE_TABLES, file_row
from makingof.index.search import holding_words
from makingof.index.values import FileRow, PictureFilter, PictureRow
from makingof.lineage.choices import Judged

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
AND NOT EXISTS (SELECT 1 FROM files AS g WHERE g.blob = f.blob AND g.part < f.part AND g.picture = 1)"""


def list_pictures(
    database: Database, wanted: PictureFilter, *, before: FileRow | None = None, limit: int
) -> list[PictureRow]:
    """Return up to `limit` pictures, the newest first; `before` is the file of the last one seen."""
    conditions, values = _conditions(wanted)
    if before is not None:
        conditions.append("f.part < (SELECT part FROM files WHERE name = ? LIMIT 1)")
        values.append(before.part.raw)
    is_withdrawn = "e.position IN (SELECT position FROM withdrawn)"
    rows = database.query(
        f"SELECT {FILE_COLUMNS}, e.recorded_at, e.project, {_JUDGED}, {_PROMPT}, {is_withdrawn}"
        f" FROM {FILE_TABLES} WHERE {' AND '.join(conditions)} ORDER BY f.part DESC LIMIT ?",
        (*values, limit),
    )
    return [_picture_row(row) for row in rows]


def count_pictures(database: Database, wanted: PictureFilter) -> int:
    """Count the pictures a list without end would show."""
    conditions, values = _conditions(wanted)
    rows = database.query(f"SELECT count(*) FROM {FILE_TABLES} WHERE {' AND '.join(conditions)}", values)
    return int(rows[0][0])


def _conditions(wanted: PictureFilter) -> tuple[list[str], list[object]]:
    conditions, values = [_IS_FIRST], list[object]()
    if wanted.project is not None:
        conditions.append("e.project = ?")
        values.append(wanted.project.raw)
    if wanted.tool is not None:
        conditions.append(
            "(e.tool = ? OR EXISTS (SELECT 1 FROM readings AS r"
            " WHERE r.part >= e.position << 20 AND r.part < (e.position + 1) << 20 AND r.tool = ?))"
        )
        values += [wanted.tool, wanted.tool]
    if wanted.means:
        conditions.append(f"e.means IN ({','.join('?' * len(wanted.means))})")
        values += map(str, wanted.means)
    if wanted.judged is not None:
        conditions.append(f"{_JUDGED} = ?")
        values.append(str(wanted.judged))
    if wanted.text is not None:
        condition, words = holding_words(wanted.text)
        conditions.append(f"e.position {condition}")
        values += words
    return conditions, values


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
