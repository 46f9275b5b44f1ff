"""The graph of the lineage rule, asked of the index; the events themselves come from the log."""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet

from makingof.digest import Digest
from makingof.event import Kind
from makingof.index.chunks import read_entry
from makingof.index.database import Database, Row
from makingof.index.follow import followed_size
from makingof.index.readable import ReadableLog
from makingof.lineage.entry import Entry
from makingof.lineage.graph import FolderClaim, Node, Stream
from makingof.lineage.links import FileLink
from makingof.lineage.streams import StreamFact, make_stream
from makingof.part import Means, Role

_PAGE = 256
_JOB_KINDS = "('prompted', 'generated', 'attempted')"

# CROSS JOIN: the events asked about come first, and each is one range in the other table.
_OF_EVENT = "t.part >= e.position << 20 AND t.part < (e.position + 1) << 20"
_CITED = "FROM cites AS c CROSS JOIN events AS e ON e.name = c.cited WHERE c.position IN {}"
_CITING = "FROM events AS e CROSS JOIN cites AS c ON c.cited = e.name WHERE e.position IN {}"
_FIRST_LOOK = "SELECT min(part) FROM second_looks WHERE tool = ? AND url = ? AND part >= ?"

_NODE = """
SELECT position, kind, means, project, stream, recorded_ms,
       CASE WHEN means = 'recovered' THEN coalesce(claimed_ms, (
           SELECT min(at_ms) FROM claims WHERE part >= position << 20 AND part < (position + 1) << 20)) END
  FROM events"""


class IndexGraph:
    """What the rule asks, answered by SQL: a lineage costs as much as it holds, however long the log is."""

    def __init__(self, database: Database, log: ReadableLog) -> None:
        self._database = database
        self._log = log

    def size(self) -> int:
        return followed_size(self._database)

    def nodes(self, positions: AbstractSet[int]) -> Iterable[Node]:
        return map(_node, self._database.query_each(f"{_NODE} WHERE position IN {{}}", positions))

    def entries(self, positions: AbstractSet[int]) -> Iterator[Entry]:
        size = self.size()
        known = sorted(position for position in positions if 0 <= position < size)
        log = self._log
        return (read_entry(position, log.entry(position), log.parts(position)) for position in known)

    def named(self, names: AbstractSet[Digest]) -> AbstractSet[int]:
        return self._positions("SELECT position FROM events WHERE name IN {}", _raw(names))

    def with_files(self, parts: AbstractSet[Digest]) -> AbstractSet[int]:
        return self._positions("SELECT part >> 20 FROM files WHERE name IN {}", _raw(parts))

    def files_of(self, positions: AbstractSet[int]) -> Iterable[FileLink]:
        wanted = f"SELECT t.name, t.blob, t.role, t.given {_from_events('files')}"
        return map(_file_link, self._database.query_each(wanted, positions))

    def with_blobs(self, blobs: AbstractSet[Digest], *, given: bool) -> AbstractSet[int]:
        return self._positions(
            "SELECT part >> 20 FROM files WHERE blob IN {} AND given = ?", _raw(blobs), given
        )

    def cited_by(self, positions: AbstractSet[int]) -> AbstractSet[int]:
        named = f"SELECT f.part >> 20 {_from_events('namings', 'JOIN files AS f ON f.name = t.file')}"
        cited = self._positions(f"SELECT e.position {_CITED}", positions)
        return (cited | self._positions(named, positions)) - positions

    def citing(self, positions: AbstractSet[int]) -> AbstractSet[int]:
        naming = f"SELECT n.part >> 20 {_from_events('files', 'JOIN namings AS n ON n.file = t.name')}"
        citing = self._positions(f"SELECT c.position {_CITING}", positions)
        return (citing | self._positions(naming, positions)) - positions

    def sharing_job(self, positions: AbstractSet[int]) -> AbstractSet[int]:
        wanted = f"SELECT DISTINCT t.tool, t.id {_from_events('jobs')}"
        # One question per job: joined with itself, a job of ten thousand events has a hundred million rows.
        jobs = set(self._database.query_each(wanted, positions))
        rows = (
            self._database.query("SELECT part >> 20 FROM jobs WHERE tool = ? AND id = ?", job) for job in jobs
        )
        return {position for found in rows for (position,) in found}

    def project_jobs(self, project: Digest) -> Iterable[Node]:
        return map(
            _node, self._database.query(f"{_NODE} WHERE project = ? AND kind IN {_JOB_KINDS}", (project.raw,))
        )

    def jobs_until(self, position: int) -> Iterator[Node]:
        wanted = (
            f"{_NODE} WHERE kind IN {_JOB_KINDS} AND means IN ('live', 'spooled', 'watched') AND position < ?"
            f" ORDER BY position DESC LIMIT {_PAGE}"
        )
        end = position + 1
        while rows := self._database.query(wanted, (end,)):
            yield from map(_node, rows)
            end = rows[-1][0]

    def claims(self, positions: AbstractSet[int]) -> Iterable[FolderClaim]:
        wanted = (
            f"SELECT DISTINCT e.position, t.folder, t.at_ms, t.job {_from_events('claims')}"
            " AND t.folder IS NOT NULL"
        )
        return map(_folder_claim, self._database.query_each(wanted, positions))

    def claimed_jobs_until(self, folder: str, at_ms: int) -> Iterator[FolderClaim]:
        wanted = (
            "SELECT part >> 20, folder, at_ms, job, part FROM claims"
            " WHERE job = 1 AND folder = ? AND (at_ms, part) < (?, ?)"
            f" ORDER BY at_ms DESC, part DESC LIMIT {_PAGE}"
        )
        end, last = (at_ms + 1, 0), None
        while rows := self._database.query(wanted, (folder, *end)):
            for row in rows:
                claim = _folder_claim(row[:4])
                if claim != last:  # an event may say the same place twice
                    yield claim
                last = claim
            end = (rows[-1][2], rows[-1][4])

    def streams(self, ids: AbstractSet[str]) -> Iterable[Stream]:
        return read_streams(self._database, ids)

    def enrolments(self) -> AbstractSet[int]:
        return {
            position
            for (position,) in self._database.query("SELECT position FROM events WHERE kind = 'enrolled'")
        }

    def looks_after(self, tool: str, positions: AbstractSet[int]) -> AbstractSet[int]:
        found: set[int] = set()
        for url in self._addresses(tool):
            last = -1
            for position in sorted(positions):
                if position < last:
                    continue  # the look found for an earlier one is the first after this one too
                (first,) = self._database.query(_FIRST_LOOK, (tool, url, (position + 1) << 20))[0]
                if first is None:
                    break
                last = first >> 20
                found.add(last)
        return found

    def _addresses(self, tool: str) -> Iterator[str]:
        """Yield where looks went, one seek each: DISTINCT would read every look there ever was."""
        (url,) = self._database.query("SELECT min(url) FROM second_looks WHERE tool = ?", (tool,))[0]
        while url is not None:
            yield url
            further = "SELECT min(url) FROM second_looks WHERE tool = ? AND url > ?"
            (url,) = self._database.query(further, (tool, url))[0]

    def _positions(self, statement: str, values: Iterable[object], *fixed: object) -> AbstractSet[int]:
        return {position for (position,) in self._database.query_each(statement, values, *fixed)}


def read_streams(database: Database, ids: Iterable[str]) -> list[Stream]:
    """Return what is known of these streams."""
    wanted = sorted(set(ids))
    facts: dict[str, list[StreamFact]] = {stream: [] for stream in wanted}
    numbers: dict[str, list[int]] = {stream: [] for stream in wanted}
    told = 'SELECT position, kind, stream, "of", last FROM stream_facts WHERE stream IN {}'
    for position, kind, stream, of, last in database.query_each(told, wanted):
        facts[stream].append(StreamFact(position, Kind(kind), stream, of, last))
    seen = "SELECT DISTINCT stream, seq FROM events WHERE stream IN {} ORDER BY stream, seq"
    for stream, number in database.query_each(seen, wanted):
        numbers[stream].append(number)
    return [make_stream(stream, facts[stream], numbers[stream]) for stream in wanted]


def _from_events(table: str, further: str = "") -> str:
    """Return the FROM and WHERE that reach the rows of `table` from a list of positions."""
    return f"FROM events AS e CROSS JOIN {table} AS t ON {_OF_EVENT} {further} WHERE e.position IN {{}}"


def _raw(digests: Iterable[Digest]) -> list[bytes]:
    return [digest.raw for digest in digests]


def _node(row: Row) -> Node:
    position, kind, means, project, stream, recorded_ms, claimed_ms = row
    named = None if project is None else Digest.from_raw(project)
    return Node(position, Kind(kind), Means(means), named, stream, recorded_ms, claimed_ms)


def _file_link(row: Row) -> FileLink:
    name, blob, role, given = row
    return FileLink(
        part=Digest.from_raw(name),
        blob=None if blob is None else Digest.from_raw(blob),
        role=None if role is None else Role(role),
        given=bool(given),
    )


def _folder_claim(row: Row) -> FolderClaim:
    position, folder, at_ms, is_job = row
    return FolderClaim(position, folder, at_ms, bool(is_job))
