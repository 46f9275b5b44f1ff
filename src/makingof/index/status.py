"""What stands open in a record, for the one screen a person looks at."""

from makingof.digest import Digest
from makingof.index.database import Database
from makingof.index.events import current_project
from makingof.index.pictures import count_pictures, count_unjudged
from makingof.index.stamps import newest_stamp
from makingof.index.values import PictureFilter, Status

# A picture is final when it was so marked or published; a publication names its files, or cites their event.
_FINALS = """
WITH finals (blob) AS (
    SELECT f.blob FROM judged AS j
      JOIN choices AS c ON c.part = j.part AND c.final = 1
      JOIN files AS f ON f.name = j.file
     WHERE j.part >> 20 NOT IN (SELECT position FROM withdrawn)
    UNION
    SELECT f.blob FROM events AS e
     CROSS JOIN namings AS n ON n.part >= e.position << 20 AND n.part < (e.position + 1) << 20
     CROSS JOIN files AS f ON f.name = n.file
     WHERE e.kind = 'published' AND e.position NOT IN (SELECT position FROM withdrawn)
    UNION
    SELECT f.blob FROM events AS e
     CROSS JOIN cites AS c ON c.position = e.position
     CROSS JOIN events AS g ON g.name = c.cited
     CROSS JOIN files AS f ON f.part >= g.position << 20 AND f.part < (g.position + 1) << 20 AND f.picture = 1
     WHERE e.kind = 'published' AND e.position NOT IN (SELECT position FROM withdrawn)
     GROUP BY e.position, g.position HAVING count(*) = 1)
SELECT blob, EXISTS (
           SELECT 1 FROM files AS f JOIN judged AS j ON j.file = f.name
             JOIN events AS s ON s.position = j.part >> 20 AND s.kind = 'selected'
            WHERE f.blob = finals.blob AND s.position NOT IN (SELECT position FROM withdrawn))
  FROM finals WHERE blob IS NOT NULL"""

_FINAL_OF_PROJECT = """
SELECT f.name, f.blob FROM judged AS j
  JOIN choices AS c ON c.part = j.part AND c.final = 1
  JOIN events AS s ON s.position = j.part >> 20
  JOIN files AS f ON f.name = j.file
  JOIN events AS e ON e.position = f.part >> 20
 WHERE ? IN (s.project, e.project) AND s.position NOT IN (SELECT position FROM withdrawn)
 ORDER BY f.part"""

_OPEN_STREAMS = """
SELECT count(DISTINCT stream) FROM stream_facts WHERE kind = 'opened'
   AND stream NOT IN (SELECT stream FROM stream_facts WHERE kind = 'closed')"""

# A stream's numbers count from 0, so what was not seen is what the highest one promises beyond the seen.
# An act at the command line is a stream of one and promises nothing: most streams are passed over.
_MISSING = """
SELECT coalesce(sum(max(highest, coalesce((
           SELECT max(last) FROM stream_facts AS f WHERE f.stream = s.stream), 0)) + 1 - seen), 0)
  FROM (SELECT stream, count(*) AS seen, max(seq) AS highest
          FROM events WHERE stream IS NOT NULL GROUP BY stream
        HAVING highest > 0 OR stream IN (SELECT stream FROM stream_facts)) AS s"""


def read_status(database: Database) -> Status:
    """Count what stands open."""
    size, stamped_at = newest_stamp(database, pending=False)
    finals = database.query(_FINALS)
    return Status(
        events=_count(database, "SELECT size FROM followed"),
        undated=_count(database, "SELECT count(*) FROM events WHERE position >= ? AND means <> 'own'", size),
        pictures=count_pictures(database, PictureFilter()),
        unjudged=count_unjudged(database),
        finals=len(finals),
        finals_without_choice=sum(1 for _, is_chosen in finals if not is_chosen),
        open_streams=_count(database, _OPEN_STREAMS),
        missing_numbers=_count(database, _MISSING),
        gaps=_count(database, "SELECT count(*) FROM events WHERE kind = 'gap'"),
        erased_parts=_count(database, "SELECT count(*) FROM parts WHERE state <> 'shown'"),
        stamped_size=size,
        stamped_at=stamped_at,
        project=current_project(database),
    )


def project_finals(database: Database, project: Digest) -> list[Digest]:
    """Return the pictures marked final in a project, by one file part each, in log order."""
    rows = database.query(_FINAL_OF_PROJECT, (project.raw,))
    by_blob: dict[bytes, Digest] = {}
    for name, blob in rows:
        by_blob.setdefault(blob or name, Digest.from_raw(name))
    return list(by_blob.values())


def _count(database: Database, statement: str, *values: object) -> int:
    return int(database.query(statement, values)[0][0])
