"""The Save button: what a person picked out, told by the copy it makes and the list it keeps.

A press writes one copy for each picture and then one row into `log.csv`. The copies are
told by the callback; the list is read because a version may save without one.
"""

import csv
import io
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .host import absolute
from .pictures import Picture, digest_of, hold
from .plain import Part, place_part, raw_part, report_part

PRESS_SECONDS = 1.0  # a press is over when no further copy has come for so long,
LISTED_SECONDS = 15.0  # or, where it ends with a row in the list, when no row has
LOOK_SECONDS = 0.3
MAX_LOG_BYTES = 32 << 20
MAX_AMONG = 200
MAX_CITES = 64
_FILENAME = "filename"


@dataclass
class Kept:
    """One copy the Save button made, and what it said of the job it is from."""

    picture: Picture
    timestamp: str


class SaveButton:
    """Presses of the Save button, each handed over as one choice. Used in the recording thread alone."""

    def __init__(self, recording: Any) -> None:
        self._recording = recording
        self._press: list[Kept] = []
        self._heard_at = 0.0
        self._rows_waiting: list[tuple[tuple[str, bytes], float]] = []
        self._ended: deque[str] = deque(maxlen=MAX_AMONG)  # names of copies whose press was handed over
        self._log: Path | None = None
        self._stamp: tuple[int, int] | None = None
        self._rows = 0

    def start(self) -> None:
        """Count the rows that are there: what was picked out before is not of now."""
        self._find_log()

    def patience(self, seconds: float) -> float:
        return min(seconds, LOOK_SECONDS) if self._press or self._rows_waiting else seconds

    def hear(self, kept: Kept) -> None:
        """Take a copy into the press that goes on; one of another job begins another."""
        if self._press and self._press[-1].timestamp != kept.timestamp:
            self._end_press([])
        self._press.append(kept)
        self._heard_at = time.monotonic()

    def look(self, *, is_last: bool = False) -> None:
        """Read the list; end a press that is over, and take a row that no callback told of."""
        now = time.monotonic()
        if rows := self._new_rows():
            self._rows_waiting += [(row, now) for row in rows]
            self._recording.come_back()  # all its copies were told before a row was written
        if is_last:
            self.match_rows()
        has_list = self._recording.host.option("save_write_log_csv") is not False
        seconds = LISTED_SECONDS if has_list else PRESS_SECONDS
        if self._press and (is_last or now - self._heard_at >= seconds):
            self._end_press([])
        untold = [row for row, at in self._rows_waiting if is_last or now - at >= PRESS_SECONDS]
        self._rows_waiting = [waiting for waiting in self._rows_waiting if waiting[0] not in untold]
        for row in untold:
            self._take_untold(row)

    def match_rows(self) -> None:
        """End the press that a row in the list is of; everything told before that row has been heard."""
        names = {kept.picture.path.name for kept in self._press}
        ours = [row for row, _ in self._rows_waiting if _name(row) in names]
        if ours:
            self._end_press(ours)
        self._rows_waiting = [
            waiting for waiting in self._rows_waiting if _name(waiting[0]) not in self._ended
        ]

    def _take_untold(self, row: "tuple[str, bytes]") -> None:
        path = absolute(self._log.parent / row[0]) if self._log is not None else None
        if path is not None and path.is_relative_to(self._log.parent) and _is_file(path):
            self._end([Kept(hold(None, path, None), "")], [row])

    def _end_press(self, rows: "list[tuple[str, bytes]]") -> None:
        press, self._press = self._press, []
        self._end(press, rows)

    def _end(self, press: "list[Kept]", rows: "list[tuple[str, bytes]]") -> None:
        self._ended.extend(kept.picture.path.name for kept in press)
        try:
            self._hand_over(press, rows, self._jobs_of(press))
        finally:
            for kept in press:
                kept.picture.close()

    def _jobs_of(self, press: "list[Kept]") -> "list[Any]":
        """Find whose pictures were picked out: by the host's name of the job, else by the very bytes."""
        jobs = [job for job in self._recording.jobs if job.outputs]
        if timestamp := press[0].timestamp:
            return [job for job in jobs if job.timestamp == timestamp]
        digests = {digest_of(kept.picture.content()) for kept in press}
        return [job for job in jobs if any(output["digest"] in digests for output in job.outputs)]

    def _hand_over(self, press: "list[Kept]", rows: "list[tuple[str, bytes]]", jobs: "list[Any]") -> None:
        """Hand over what was picked out, among what its job gave."""
        outputs = [output for job in jobs for output in job.outputs]
        table = [output for output in outputs if output["role"] == "output"][:MAX_AMONG]
        files: list[Part] = [{"digest": one["digest"], "role": one["role"]} for one in table]
        cites = _numbers(job.end_number for job in jobs)
        parts, judged = [], []
        for kept in press:
            content = kept.picture.content()
            digest = digest_of(content)
            of = _find_output(kept, digest, outputs)
            number = table.index(of) if of in table else len(files)
            is_same = of is not None and of["digest"] == digest
            if of is not None and not is_same:
                cites = _numbers([*cites, self._hand_over_copy(kept, content, jobs)])
            elif kept.picture.path is not None:
                parts.append(place_part(kept.picture.path, number))
            if number == len(files):
                role, name = kept.picture.role, kept.picture.path.name
                files.append(
                    {**content, "role": role, "name": name}
                    if of is None
                    else {"digest": of["digest"], "role": of["role"]}
                )
            judged.append(number)
        # All that was on the page was saved: its grid is a picture of the choice, not chosen itself.
        chosen = [number for number in judged if files[number]["role"] != "grid"] or judged
        raws = [raw_part(row, "log.csv", self._tool(), files, "log.csv") for _, row in rows]
        choice = _choice(list(dict.fromkeys(chosen)), len(table))
        self._recording.stream.hand_over("selected", [choice, *parts, *raws], files, cites)

    def _hand_over_copy(self, kept: Kept, content: Part, jobs: "list[Any]") -> "int | None":
        """A copy with other bytes is another rendering of its picture; so handed over, it leads back."""
        file = {**content, "role": "preview", "name": kept.picture.path.name}
        report = report_part(None, jobs[-1].timestamp, None, None, {"copied_by": "save button"})
        parts = [report, place_part(kept.picture.path, 0)]
        requests = _numbers(job.number for job in jobs)
        number: int | None = self._recording.stream.hand_over("generated", parts, [file], requests)
        return number

    def _tool(self) -> str:
        return str(self._recording.stream.source["tool"])

    # The list

    def _new_rows(self) -> "list[tuple[str, bytes]]":
        """Return file name and bytes of the rows written since the last look."""
        known, log = self._rows, self._log
        rows = self._find_log()
        return rows[known:] if log == self._log else []

    def _find_log(self) -> "list[tuple[str, bytes]]":
        """Read the list where it changed. Rows are counted: adding columns, some versions write it anew."""
        folder = self._recording.host.save_folder()
        log = folder / "log.csv" if folder is not None else None
        if log != self._log:
            self._log, self._stamp, self._rows = log, None, 0
        try:
            found = log.stat() if log is not None else None
        except OSError:
            return []
        if (
            found is None
            or (found.st_size, found.st_mtime_ns) == self._stamp
            or found.st_size > MAX_LOG_BYTES
        ):
            return []
        try:
            rows = _rows_of(log.read_bytes())
        except csv.Error:  # a field longer than any prompt: somebody else's list
            rows, self._stamp = None, (found.st_size, found.st_mtime_ns)
        if rows is None:
            return []  # a row is being written
        self._stamp, self._rows = (found.st_size, found.st_mtime_ns), len(rows)
        return rows


def _is_file(path: Path) -> bool:
    """What stands in somebody's list may be no name of a file at all: too long, or with a NUL."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _numbers(found: "Iterable[int | None]") -> "list[int]":
    """Return the handovers that were made, as many as one event may cite."""
    return [number for number in found if number is not None][-MAX_CITES:]


def _name(row: "tuple[str, bytes]") -> str:
    return Path(row[0]).name


def _rows_of(data: bytes) -> "list[tuple[str, bytes]] | None":
    """Return file name and bytes of each row, or None where the last one is not whole.

    What is no such list raises `csv.Error`.
    """
    text = data.decode("utf-8", "replace")
    if not text.endswith("\n"):
        return None
    rows = list(csv.reader(io.StringIO(text, newline="")))
    if not rows or _FILENAME not in rows[0]:
        return []
    column = rows[0].index(_FILENAME)
    return [(row[column], _spelled(row)) for row in rows[1:] if len(row) > column and row[column]]


def _spelled(row: "list[str]") -> bytes:
    written = io.StringIO(newline="")
    csv.writer(written).writerow(row)
    return written.getvalue().encode("utf-8", "surrogatepass")


def _choice(judged: "list[int]", among: int) -> Part:
    table = [{"attached": number} for number in range(among)]
    body = {
        "judged": [{"attached": number} for number in judged],
        "among": table,
        "among_from": "tool" if table else "none",
    }
    return {"type": "choice", "from": "save button", "body": body}


def _find_output(kept: Kept, digest: str, outputs: "list[Part]") -> "Part | None":
    """Find which picture a copy is of: the same bytes, else by the text the host wrote for both."""
    text = kept.picture.infotext
    same = [output for output in outputs if output["digest"] == digest]
    same = same or [output for output in outputs if text and output["text"] == text]
    wanted = "grid" if kept.picture.role == "grid" else "output"
    return next((output for output in same if output["role"] == wanted), same[0] if same else None)
