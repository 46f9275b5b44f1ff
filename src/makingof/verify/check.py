"""Checks a package, step by step, and reports.

`docs/spec/package.md` numbers the steps; `verify.py` and `check.html` do the
same ones by the same names. A failed step does not end the run unless what
follows needs what it reads: a reader wants to know all that is wrong.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from makingof.bundle import layout
from makingof.bundle.container import Container, open_container, read_file
from makingof.bundle.description import Description, Shows
from makingof.bundle.disclosed import read_entries, require_cited
from makingof.bundle.payload import format_key_files
from makingof.bundle.ranges import ProvenRange
from makingof.bundle.read import (
    MAX_SMALL_BYTES,
    Bag,
    read_bag,
    read_description,
    read_key,
    read_part_lines,
    read_placed,
    read_ranges,
    require_explained,
)
from makingof.bundle.record import Record
from makingof.digest import Digest
from makingof.errors import IntegrityError, MakingofError, MalformedError, ProofError, SourceError
from makingof.keys.signing import PublicKey
from makingof.keys.sshsig import PACKAGE_NAMESPACE, verify_ssh
from makingof.lineage.memory import MemoryGraph
from makingof.stamp.bounds import Standing
from makingof.stamp.openssl import OpenSsl
from makingof.stamp.trust import Trust, built_in_trust
from makingof.texts import Message, say
from makingof.tlog.checkpoint import Checkpoint, verify_checkpoint
from makingof.tlog.merkle import verify_inclusion
from makingof.tlog.proof import parse_proof
from makingof.verify.files import compute_sm3, find_erased, verify_files, warn_of_previews
from makingof.verify.hashing import find_changed
from makingof.verify.lineage import verify_lineage
from makingof.verify.log import require_own_key, verify_entries
from makingof.verify.openings import NOTHING_OPENED, Openings, open_parts
from makingof.verify.report import Dated, Outcome, Report, Step, StreamCount
from makingof.verify.second_looks import describe_looks
from makingof.verify.streams import count_streams, describe, warn
from makingof.verify.time import Placed, verify_stamps, verify_times
from makingof.verify.views import VIEWS, find_false_views, is_ours, verify_carried

STEPS = (
    "container", "listed", "hashes", "checkpoint", "signature", "entries", "parts", "opened", "proofs",
    "files", "sm3", "lineage", "streams", "stamps", "time", "views", "carried", "findings",
)  # fmt: skip
_SOMETIMES = frozenset({"opened", "findings"})  # there is something to check, or there is no such step
_MAX_NAMED = 5


def check_bundle(
    source: Path | bytes,
    *,
    trust: Trust | None = None,
    openings: Openings = NOTHING_OPENED,
    openssl: OpenSsl | None = None,
    computes_sm3: bool = False,
) -> Report:
    """Check a package: a zip, its unpacked folder, or the zip's bytes.

    Only `trust` counts, by default the authorities built into this release: roots
    inside the package never do. `openings` are sealed parts, and files, disclosed
    apart from it. `openssl` is a second opinion on time stamps. With `computes_sm3`
    the SM3 of every file is computed too, which takes longer than all else. Nothing is
    unpacked, written or fetched. What cannot be read is a failed step, not an
    exception. That what was recorded is true is not checked and cannot be.
    """
    run = _Run(trust or built_in_trust(), openings, openssl)
    run.computes_sm3 = computes_sm3
    with run.opened:
        run.check(source)
        return run.report()


class _WrongFilesError(IntegrityError):
    """Files that are not what they should be, by name."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"{_some(names)}: not what was listed")
        self.names = names


class _Said:
    """How a step ended that did not fail."""

    def __init__(
        self, key: str, *details: Message, outcome: Outcome = Outcome.PASSED, **values: object
    ) -> None:
        self.message = say(f"verify.{key}", **values)
        self.details = details
        self.outcome = outcome


class _Run:
    """One check. Each method is a step, and leaves what later ones need."""

    container: Container
    bag: Bag
    key: PublicKey
    checkpoint: Checkpoint
    description: Description
    ranges: tuple[ProvenRange, ...]
    placed: list[tuple[int, bytes]]
    packed: Record  # as the package has it
    record: Record  # with what was opened apart
    receipts: list[Placed]

    def __init__(self, trust: Trust, openings: Openings, openssl: OpenSsl | None) -> None:
        self.trust = trust
        self.openings = openings
        self.openssl = openssl
        self.opened = ExitStack()
        self.computes_sm3 = False
        self.steps: list[Step] = []
        self.warnings: list[Message] = []
        self.streams: tuple[StreamCount, ...] = ()
        self.dated: tuple[Dated, ...] = ()

    def check(self, source: Path | bytes) -> None:
        """Do every step that can be done."""
        if not self.step("container", lambda: self.open(source)) or not self.step("listed", self.list_files):
            return
        self.step("hashes", self.hash_files)
        if not self.step("checkpoint", self.verify_head):
            return
        self.step("signature", self.verify_signature)
        if not self.step("entries", self.verify_entries) or not self.step("parts", self.match_parts):
            return
        if self.openings:
            self.step("opened", self.open_parts)
        self.step("proofs", self.verify_proofs)
        self.step("files", self.verify_files)
        self.step("sm3", self.compute_sm3)
        self.step("lineage", self.find_lineage)
        self.step("streams", self.count_streams)
        if self.step("stamps", self.verify_stamps):
            self.step("time", self.verify_times)
        self.step("views", self.compare_views)
        self.step("carried", self.verify_carried)
        self.warn_of_stranger()
        if self.unread_words():
            self.step("findings", self.skip_findings)

    def step(self, name: str, work: Callable[[], _Said]) -> bool:
        """Do one step; tell whether what it reads is there for the next ones."""
        try:
            said = work()
        except (MalformedError, IntegrityError, SourceError) as err:
            self.fail(name, err)
            return False
        except OSError as err:
            self.fail(name, SourceError(err.strerror or str(err)))
            return False
        self.steps.append(Step(name, said.outcome, said.message, said.details))
        return True

    def fail(self, name: str, error: MakingofError) -> None:
        names = error.names if isinstance(error, _WrongFilesError) else ()
        message = say(f"verify.failed_{name}", count=len(names), names=_some(names))
        self.steps.append(Step(name, Outcome.FAILED, message, error=error))

    def report(self) -> Report:
        """Return what was found; steps not reached are named, so that nothing looks checked that was not."""
        done = {step.name for step in self.steps}
        reached = list(self.steps)
        unreached = [name for name in STEPS if name not in done and name not in _SOMETIMES]
        reached += [Step(name, Outcome.SKIPPED, say("verify.skipped_after")) for name in unreached]
        known = "description" in self.__dict__
        return Report(
            steps=tuple(sorted(reached, key=lambda step: STEPS.index(step.name))),
            package=self.bag.name if "bag" in self.__dict__ else None,
            origin=self.key.origin if "key" in self.__dict__ else None,
            size=self.description.log.size if known else None,
            made_with=self.description.made_with if known else None,
            policy=self.trust.digest,
            streams=self.streams,
            dated=self.dated,
            warnings=tuple(self.warnings),
        )

    # (1) to (3): the files

    def open(self, source: Path | bytes) -> _Said:
        self.container = open_container(source)
        self.opened.callback(self.container.close)
        return _Said("passed_container", files=len(self.container.names))

    def list_files(self) -> _Said:
        self.bag = read_bag(self.container)
        self.description = read_description(self.container)
        require_explained(self.bag, self.description)
        return _Said("passed_listed", files=len(self.container.names))

    def hash_files(self) -> _Said:
        listed = {**self.bag.payload, **self.bag.tags}
        if wrong := find_changed(self.container, listed):
            raise _WrongFilesError(wrong)
        return _Said("passed_hashes", bytes=sum(map(self.container.size, listed)))

    # (4) to (9): the log

    def verify_head(self) -> _Said:
        self.key = read_key(self.container)
        for name, data in format_key_files(self.key).items():
            if read_file(self.container, name, MAX_SMALL_BYTES) != data:
                message = f"{name} is not the key in {layout.KEY_VKEY}"
                raise IntegrityError(message)
        self.checkpoint = verify_checkpoint(self.read(layout.CHECKPOINT), self.key)
        log = self.description.log
        head = self.checkpoint.head
        if (log.origin, log.size, log.root.raw) != (self.key.origin, head.size, head.root):
            message = f"package.json names another log head than {layout.CHECKPOINT}"
            raise IntegrityError(message)
        return _Said("passed_checkpoint", size=head.size)

    def verify_signature(self) -> _Said:
        verify_ssh(self.read(layout.SIGNATURE), self.bag.manifest, self.key, PACKAGE_NAMESPACE)
        return _Said("passed_signature", origin=self.key.origin)

    def verify_entries(self) -> _Said:
        self.ranges = read_ranges(self.container)
        self.placed = read_placed(self.container, self.ranges)
        verify_entries(self.placed, self.ranges, self.checkpoint.head)
        return _Said("passed_entries", entries=len(self.placed), ranges=len(self.ranges))

    def match_parts(self) -> _Said:
        lines = read_part_lines(self.container)
        self.lines = {Digest.of(line): line for line in lines}
        entries = read_entries(self.placed, self.lines)
        require_cited(entries, lines)
        require_own_key(entries[0] if entries else None, self.key)
        self.packed = self.record = Record(self.key, self.checkpoint, self.description, tuple(entries))
        if missing := set(self.description.lineage) - self.record.by_position.keys():
            message = f"entry {min(missing)} belongs to the lineage and is not in the package"
            raise IntegrityError(message)
        silent = {part for entry in self.record.lineage for part in entry.silent()}
        erased = len(silent & find_erased(self.record))
        sealed = len(silent) - erased
        if sealed:
            self.warnings.append(say("verify.warn_sealed", sealed=sealed))
        return _Said("passed_parts", shown=len(lines), sealed=sealed, erased=erased)

    def open_parts(self) -> _Said:
        self.record = open_parts(self.packed, self.lines, self.openings)
        return _Said("passed_opened", parts=len(self.openings.parts), files=len(self.openings.files))

    def verify_proofs(self) -> _Said:
        note = self.read(layout.CHECKPOINT)
        for entry in self.record.lineage:
            proof = parse_proof(self.read(layout.proof_path(entry.position)))
            if (proof.index, proof.checkpoint, proof.extra) != (entry.position, note, None):
                message = f"proof of {entry.position} is about something else"
                raise ProofError(message)
            verify_inclusion(entry.name.raw, entry.position, self.checkpoint.head, proof.hashes)
        return _Said("passed_proofs", count=len(self.record.lineage))

    # (10) to (12): what it shows

    def verify_files(self) -> _Said:
        seen = verify_files(self.container, self.record, self.bag.payload)
        self.warnings += warn_of_previews(self.description)
        return _Said(
            "passed_files",
            *seen.lacking,
            originals=seen.counts[Shows.ORIGINAL],
            copies=seen.counts[Shows.COPY],
            previews=seen.counts[Shows.PREVIEW],
            absent=seen.counts[Shows.NOTHING],
        )

    def compute_sm3(self) -> _Said:
        if not self.computes_sm3:
            return _Said("skipped_sm3", outcome=Outcome.SKIPPED)
        stated = {file.name: file.sm3 for file in self.description.files if file.name and file.sm3}
        wrong = [name for name, sm3 in stated.items() if compute_sm3(self.container.chunks(name)) != sm3]
        if wrong:
            raise _WrongFilesError(wrong)
        return _Said("passed_sm3", count=len(stated))

    def find_lineage(self) -> _Said:
        self.graph = MemoryGraph(self.record.entries)
        seen = verify_lineage(self.record, self.graph)
        self.warnings += seen.warnings
        count, size = len(self.description.lineage), self.description.log.size
        if not seen.is_whole:
            return _Said("skipped_lineage", outcome=Outcome.SKIPPED, count=count)
        unseen = size - len(self.record.entries)
        return _Said("passed_lineage", count=count, unseen=unseen, size=size)

    def count_streams(self) -> _Said:
        counted = count_streams(self.record, self.ranges, self.graph)
        self.streams = counted.streams
        looks = list(describe_looks(self.record.entries))
        self.warnings += [warning for stream in counted.streams if (warning := warn(stream))]
        self.warnings += [warning for _, warning in looks if warning]
        return _Said(
            "passed_streams",
            *map(describe, counted.streams),
            *(told for told, _ in looks),
            streams=len(counted.streams),
            acts=counted.acts,
            others=counted.others,
        )

    # (13), (14): time

    def verify_stamps(self) -> _Said:
        self.receipts = verify_stamps(self.container, self.record, self.bag.payload)
        stamps = sum(stamp.size is not None for stamp in self.description.stamps)
        return _Said("passed_stamps", stamps=stamps, receipts=len(self.receipts))

    def verify_times(self) -> _Said:
        times = verify_times(self.record, self.receipts, self.trust, self.openssl)
        self.dated = times.dated
        dated, one = times.count(Standing.TWO), times.count(Standing.ONE)
        if undated := len(times.dated) - dated:
            self.warnings.append(say("verify.warn_undated", count=undated, all=len(times.dated)))
        if not times.counted:
            return _Said("skipped_time", *times.remarks, outcome=Outcome.SKIPPED)
        return _Said("passed_time", *times.remarks, count=len(times.dated), dated=dated, one=one)

    # (15): what is beside the record

    def compare_views(self) -> _Said:
        names = ", ".join(VIEWS)
        if not is_ours(self.packed):
            made_with = self.description.made_with
            return _Said("skipped_views", outcome=Outcome.SKIPPED, made_with=made_with, names=names)
        if wrong := find_false_views(self.container, self.bag, self.packed):
            raise _WrongFilesError(wrong)
        return _Said("passed_views", names=names)

    def verify_carried(self) -> _Said:
        if verify_carried(self.bag, self.packed).known:
            return _Said("passed_carried")
        return _Said("skipped_carried", outcome=Outcome.SKIPPED, made_with=self.description.made_with)

    def warn_of_stranger(self) -> None:
        """Say first that a page or program here was compared with nothing: a reader may open it first."""
        unknown = {step.name for step in self.steps if step.outcome is Outcome.SKIPPED}
        if unknown & {"views", "carried"}:
            self.warnings.insert(0, say("verify.warn_stranger", made_with=self.description.made_with))

    def unread_words(self) -> list[str]:
        """Name the files that hold the exporter's words, which nothing here compares."""
        names = self.bag.payload.keys() | self.bag.tags.keys()
        return sorted(name for name in names if name == layout.FINDINGS or name.startswith(layout.VIEWS))

    def skip_findings(self) -> _Said:
        return _Said("skipped_findings", outcome=Outcome.SKIPPED, names=", ".join(self.unread_words()))

    def read(self, name: str) -> bytes:
        return read_file(self.container, name, MAX_SMALL_BYTES)


def _some(names: Sequence[str]) -> str:
    more = "" if len(names) <= _MAX_NAMED else f" (+{len(names) - _MAX_NAMED})"
    return ", ".join(names[:_MAX_NAMED]) + more
