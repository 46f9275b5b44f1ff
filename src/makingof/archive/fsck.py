"""Checking a whole archive: every invariant is derived again from the bytes that lie there.

`log` entries, nodes, root, checkpoint, mark, part digests (`tlog.audit`) · `events` every
entry is an event, its head is the tree before it, it cites what lies below, its stream and
number are the key it was written under · `statements` every part parses under its event's rules,
and one without bytes was erased by an event · `blobs` every held file is here with the bytes
its digest names, or was erased · `store` what no event names · `receipts` every receipt a
`stamped` event names is here and holds · `index` built again from nothing, it has the same
tables · `keys` nobody else on this machine can read the key.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from makingof.archive.reader import ArchiveReader
from makingof.digest import Digest
from makingof.errors import IntegrityError, MakingofError
from makingof.event import Kind
from makingof.index.queries import Index
from makingof.keys.folder import find_exposed_keys
from makingof.keys.mark import MarkFile
from makingof.lineage.entry import Entry, PartState
from makingof.observation import Position
from makingof.part import FileBody, Holding, Own, PartType
from makingof.recorder.write import stream_key
from makingof.stamp.base import Uncounted
from makingof.stamp.kept import load_receipt, parse_kept
from makingof.stamp.openssl import OpenSsl
from makingof.stamp.trust import Trust
from makingof.stamp.verify import verify_receipt
from makingof.texts import say
from makingof.tlog.audit import Outcome, Step, check_log
from makingof.tlog.merkle import EMPTY_EDGE
from makingof.tlog.readonly import ReadOnlyReason

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class ArchiveReport:
    """What `check_archive` found, step by step."""

    steps: tuple[Step, ...]

    def require(self) -> None:
        """Return if nothing failed; else raise the first problem found."""
        for step in self.steps:
            for problem in step.problems:
                raise problem

    @property
    def is_sound(self) -> bool:
        """Tell whether no step failed; skipped steps are shown, and are not failures."""
        return all(step.outcome is not Outcome.FAILED for step in self.steps)


def check_archive(
    archive: ArchiveReader, trust: Trust, *, openssl: OpenSsl | None, progress: Progress | None = None
) -> ArchiveReport:
    """Check `archive` wholly; problems are collected, never raised. Nothing is written or mended."""
    mark = MarkFile(archive.home.state, archive.log.origin).read()
    log = check_log(archive.log, mark=mark, progress=progress)
    walk = _Walk(archive)
    walk.run()
    return ArchiveReport(
        (
            *log.steps,
            walk.events,
            walk.parts,
            _check_blobs(archive, walk),
            _check_store(archive, walk),
            _check_receipts(archive, walk, trust, openssl),
            _check_index(archive),
            _check_keys(archive),
        )
    )


class _Walk:
    """One pass over the entries: events and parts are checked, what later steps need is collected."""

    def __init__(self, archive: ArchiveReader) -> None:
        self.log = archive.log
        self.events = Step("events")
        self.parts = Step("statements")
        self.files: dict[Digest, FileBody] = {}  # by file part
        self.receipts: list[tuple[int, dict[str, object]]] = []
        self.erased: set[Digest] = set()  # parts, and file parts whose bytes are gone
        self._silent: list[tuple[int, Digest]] = []
        self._names: set[Digest] = set()
        self._edge = EMPTY_EDGE

    def run(self) -> None:
        for stored in self.log.entries():
            self._take(stored.index, stored.entry, stored.leaf)
        for position, digest in self._silent:
            if digest not in self.erased:
                self.parts.blame(IntegrityError(say("fsck.part_gone", part=digest, event=f"e{position}")))

    def _take(self, position: int, data: bytes, leaf: bytes) -> None:
        self.events.count += 1
        stored = {
            part.digest: PartState.ERASED if part.data is None else part.data
            for part in self.log.parts(position)
        }
        try:
            entry = Entry.read(position, data, stored)
        except MakingofError as err:
            self.events.blame(err)
        else:
            self._check_place(entry)
            self._collect(entry)
            self._names.add(entry.name)
        self._edge, _ = self._edge.append(leaf)

    def _check_place(self, entry: Entry) -> None:
        """Compare what the header says of its place with the place it has."""
        header = entry.event.header
        name = f"e{entry.position}"
        if (header.head.size, header.head.root.raw) != (self._edge.size, self._edge.root()):
            self.events.blame(IntegrityError(say("fsck.other_head", event=name)))
        for cited in header.cites:
            if cited not in self._names:
                self.events.blame(IntegrityError(say("fsck.cites_unknown", event=name, cited=cited)))
        key = self.log.key(entry.position)
        if header.stream is not None and header.seq is not None:
            if key != stream_key(Position(header.stream, header.seq)):
                self.events.blame(IntegrityError(say("fsck.other_key", event=name)))
        elif key is not None:
            self.events.blame(IntegrityError(say("fsck.other_key", event=name)))

    def _collect(self, entry: Entry) -> None:
        self.parts.count += len(entry.parts)
        for file in entry.files():
            self.files[file.digest] = file.body
        self._silent += [(entry.position, digest) for digest in entry.silent()]
        own = entry.first(PartType.OWN, Own)
        facts = {} if own is None else own.facts
        if entry.kind is Kind.STAMPED:
            self.receipts += [(entry.position, item) for item in facts.get("receipts", [])]
        if entry.kind is Kind.ERASED:
            self.erased.update(facts.get("parts", []), facts.get("files", []))


def _check_blobs(archive: ArchiveReader, walk: _Walk) -> Step:
    """Read every held file and compare it with its name."""
    step = Step("blobs")
    gone = {body.digest for part, body in walk.files.items() if part in walk.erased}
    checked: set[Digest] = set()
    for part, body in walk.files.items():
        if body.holding is not Holding.HELD or part in walk.erased or body.digest in checked:
            continue
        checked.add(body.digest)
        step.count += 1
        try:
            archive.store.verify(body.digest)
            if archive.store.size(body.digest) != body.size:
                step.blame(IntegrityError(say("fsck.other_size", blob=body.digest)))
        except MakingofError as err:
            step.blame(err)
    for digest in gone - checked:
        if archive.store.has(digest):
            step.blame(IntegrityError(say("fsck.not_erased", blob=digest), hint=say("fsck.not_erased_hint")))
    return step


def _check_store(archive: ArchiveReader, walk: _Walk) -> Step:
    """List blobs no event names: what a crash left, harmless and worth knowing."""
    step = Step("store")
    named = {body.digest for body in walk.files.values()} | set(_receipt_blobs(walk))
    for digest in archive.store.iter_digests():
        step.count += 1
        if digest not in named:
            step.note(say("fsck.orphan", blob=digest))
    for path in archive.store.leftovers():
        step.note(say("fsck.leftover", path=path))
    return step


def _receipt_blobs(walk: _Walk) -> Iterator[Digest]:
    for _, facts in walk.receipts:
        kept = parse_kept(facts)
        yield kept.digest
        yield from (item.digest for item in kept.beside)


def _check_receipts(archive: ArchiveReader, walk: _Walk, trust: Trust, openssl: OpenSsl | None) -> Step:
    """Verify every receipt under the reader's trust; one that only does not count is no failure."""
    step = Step("receipts")
    for position, facts in walk.receipts:
        step.count += 1
        try:
            found = verify_receipt(
                load_receipt(parse_kept(facts), archive.store.read), trust, openssl=openssl
            )
        except MakingofError as err:
            step.blame(err)
            continue
        if isinstance(found, Uncounted):
            step.note(say("fsck.uncounted", event=f"e{position}", reason=found.reason))
    return step


def _check_index(archive: ArchiveReader) -> Step:
    """Build the index again beside the archive's own and compare every table."""
    step = Step("index", count=archive.log.size())
    with Index.in_memory() as fresh:
        fresh.follow(archive.log)
        for table in sorted(archive.index.differs_from(fresh)):
            step.blame(
                IntegrityError(say("fsck.index_differs", table=table), hint=say("fsck.index_differs_hint"))
            )
    return step


def _check_keys(archive: ArchiveReader) -> Step:
    step = Step("keys", count=1)
    if archive.log.read_only is not None and archive.log.read_only.reason is ReadOnlyReason.NO_KEY:
        step.skipped = str(archive.log.read_only.message)
    for path in find_exposed_keys(archive.home.state):
        step.blame(IntegrityError(say("fsck.key_exposed", path=path), hint=say("fsck.key_exposed_hint")))
    return step
