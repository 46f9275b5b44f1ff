"""The whole log gone through: every hash made again from the bytes it is said to stand for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

from makingof.errors import CorruptBlobError, IntegrityError, LogForkError, MakingofError
from makingof.keys.mark import Mark
from makingof.tlog.checkpoint import verify_checkpoint
from makingof.tlog.merkle import EMPTY_EDGE, EMPTY_HEAD, TreeHead, leaf_hash, node_position
from makingof.tlog.reader import LogReader, Totals

_CHUNK = 1024
_MAX_PROBLEMS = 20  # of one step: a file of zeros has a million, and the first ones tell

Progress = Callable[[int, int], None]


class Outcome(StrEnum):
    """What came of one step."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(slots=True)
class Step:
    """One thing that was checked: over how many items, and the first problems found."""

    name: str
    count: int = 0
    problems: list[MakingofError] = field(default_factory=list)
    skipped: str = ""  # why nothing could be checked
    notes: list[object] = field(default_factory=list)  # worth knowing, and no fault

    @property
    def outcome(self) -> Outcome:
        """Passed only if something could be checked, and held."""
        if self.problems:
            return Outcome.FAILED
        return Outcome.SKIPPED if self.skipped else Outcome.PASSED

    def blame(self, problem: MakingofError) -> None:
        """Note a problem."""
        if len(self.problems) < _MAX_PROBLEMS:
            self.problems.append(problem)

    def note(self, remark: object) -> None:
        """Note something that is no problem."""
        if len(self.notes) < _MAX_PROBLEMS:
            self.notes.append(remark)


@dataclass(frozen=True, slots=True)
class LogReport:
    """What `check_log` found.

    `head` is computed from the entries as they lie there. `unsigned` counts
    those above the newest checkpoint: a crash leaves some, opening signs them.
    """

    head: TreeHead
    unsigned: int
    erased_parts: int
    steps: tuple[Step, ...]

    def require(self) -> None:
        """Return if nothing failed; else raise the first problem found."""
        for step in self.steps:
            for problem in step.problems:
                raise problem


def check_log(reader: LogReader, *, mark: Mark | None = None, progress: Progress | None = None) -> LogReport:
    """Check everything a log says of itself, against its bytes and its own checkpoint, and `mark` if given.

    Entries appended meanwhile are left for the next time. What entries say,
    and whether a checkpoint was dated by anybody, is not looked at.
    """
    signed, checkpoint = _read_checkpoint(reader)
    marked = None if mark is None else TreeHead(mark.size, mark.root)
    walk = _Walk(reader, reader.totals(), {head.size for head in (signed, marked) if head is not None})
    for start in range(0, walk.totals.size, _CHUNK):
        walk.take(start, min(start + _CHUNK, walk.totals.size))
        if progress is not None:
            progress(walk.edge.size, walk.totals.size)
    walk.compare_totals()
    walk.compare_head(signed, checkpoint)
    mark_step = Step("mark", skipped="" if mark else "there is no mark of this log here")
    walk.compare_head(marked, mark_step)
    unsigned = walk.edge.size - (signed.size if signed else 0)
    steps = (_check_file(reader), walk.entries, walk.nodes, walk.parts, checkpoint, mark_step)
    return LogReport(walk.edge.head(), max(unsigned, 0), walk.erased_parts, steps)


class _Walk:
    """One pass over entries, nodes and parts, side by side."""

    def __init__(self, reader: LogReader, totals: Totals, sizes: set[int]) -> None:
        self.reader = reader
        self.totals = totals
        self.heads = dict.fromkeys(sizes, EMPTY_HEAD)  # recomputed, not read: filled as the walk gets there
        self.edge = EMPTY_EDGE
        self.entries = Step("entries")
        self.nodes = Step("nodes")
        self.parts = Step("parts")
        self.erased_parts = 0

    def take(self, start: int, end: int) -> None:
        stored = self.reader.stored_nodes(start, end)
        for item in self.reader.entries(start, end):
            self._take_entry(item.index, item.entry, item.leaf, stored)
        for index, number, digest, data in self.reader.part_rows(start, end):
            self.parts.count += 1
            if data is None:
                self.erased_parts += 1
            elif sha256(data).digest() != digest:
                self.parts.blame(
                    CorruptBlobError(f"part {number} of entry {index} is not what its digest names")
                )

    def _take_entry(self, index: int, entry: bytes, leaf: bytes, stored: dict[int, bytes]) -> None:
        if index != self.edge.size:
            self.entries.blame(IntegrityError(f"entry {self.edge.size} is missing"))
        found = leaf_hash(entry)
        if found != leaf:
            self.entries.blame(IntegrityError(f"entry {index} does not hash to the leaf it is stored under"))
        position = node_position(0, index) + 1
        self.edge, completed = self.edge.append(found)
        self.entries.count += 1
        self.nodes.count += len(completed)
        for place, node in enumerate(completed, start=position):
            if stored.get(place) != node:
                self.nodes.blame(IntegrityError(f"node {place} is not what the entries below it hash to"))
        if self.edge.size in self.heads:
            self.heads[self.edge.size] = self.edge.head()

    def compare_totals(self) -> None:
        """Rows that the pass could not reach belong to no entry."""
        for step, rows in (
            (self.entries, self.totals.entries),
            (self.nodes, self.totals.nodes),
            (self.parts, self.totals.parts),
        ):
            if step.count != rows:
                step.blame(IntegrityError(f"log holds {rows} {step.name} where {step.count} belong"))

    def compare_head(self, signed: TreeHead | None, step: Step) -> None:
        """Hold what lies there against what was signed."""
        if signed is None:
            return
        step.count = 1
        if signed.size > self.edge.size:
            step.blame(IntegrityError(f"log holds {self.edge.size} entries and {signed.size} were signed"))
        elif self.heads[signed.size] != signed:
            step.blame(LogForkError(f"log holds other entries than were signed at size {signed.size}"))


def _check_file(reader: LogReader) -> Step:
    step = Step("file", 1)
    for text in reader.damage():
        step.blame(IntegrityError(f"{reader.path} is damaged: {text}"))
    return step


def _read_checkpoint(reader: LogReader) -> tuple[TreeHead | None, Step]:
    note = reader.stored_checkpoint()
    if note is None:
        return None, Step("checkpoint", skipped="nothing was signed yet")
    step = Step("checkpoint")
    try:
        return verify_checkpoint(note, reader.public).head, step
    except MakingofError as err:
        step.blame(err)
        return None, step
