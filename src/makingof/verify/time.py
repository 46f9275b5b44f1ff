"""Time stamps: whether they are about this log, and what the reader's authorities say of when."""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from makingof.bundle import layout
from makingof.bundle.container import Container, read_file
from makingof.bundle.description import Stamp as Described
from makingof.bundle.read import MAX_RECEIPT_BYTES, MAX_SMALL_BYTES, read_receipt
from makingof.bundle.record import Record
from makingof.digest import Digest
from makingof.errors import IntegrityError, MalformedError, UsageError
from makingof.event import Kind
from makingof.part import Own, PartType
from makingof.stamp.base import Receipt, Statement
from makingof.stamp.bounds import Stamp, Standing, Timeline
from makingof.stamp.kept import parse_kept
from makingof.stamp.openssl import OpenSsl
from makingof.stamp.trust import Trust
from makingof.stamp.verify import verify_receipt
from makingof.texts import Message, say
from makingof.tlog.checkpoint import decode_hash, verify_checkpoint
from makingof.tlog.merkle import MAX_PROOF_HASHES, verify_consistency
from makingof.verify.report import Dated


@dataclass(frozen=True, slots=True)
class Placed:
    """A receipt at its place: the size of the checkpoint it is about, and the entry that logged it."""

    name: str
    receipt: Receipt
    size: int | None
    logged_at: int | None


def verify_stamps(container: Container, record: Record, listed: Mapping[str, str]) -> list[Placed]:
    """Return the receipts, if every stamped checkpoint is the log's own and on one line with the package's.

    Raises:
        MalformedError: a checkpoint, proof or receipt does not parse.
        IntegrityError: a stamped checkpoint belongs to another history, or a receipt
            is about something that is not in the package.
    """
    logged = _logged_receipts(record)
    placed = []
    for stamp in record.description.stamps:
        subject = _verify_subject(container, record, stamp, listed)
        for described in stamp.receipts:
            receipt = read_receipt(container, described, subject)
            placed.append(
                Placed(described.name, receipt, stamp.size, logged.get((Digest.of(receipt.data), subject)))
            )
    return placed


@dataclass(frozen=True, slots=True)
class Times:
    """What counted, what did not and why, and the bounds of each event of the lineage."""

    counted: int
    remarks: tuple[Message, ...]
    dated: tuple[Dated, ...]

    def count(self, standing: Standing) -> int:
        """Count events whose record is bounded above in this way."""
        return sum(item.bounds.not_after.standing is standing for item in self.dated)


def verify_times(record: Record, placed: Iterable[Placed], trust: Trust, openssl: OpenSsl | None) -> Times:
    """Return the bounds the reader's authorities give.

    Raises:
        MalformedError: a receipt does not parse.
        ProofError: one is forged.
        IntegrityError: two bounds exclude each other.
    """
    stamps, remarks = [], []
    for item in placed:
        try:
            with warnings.catch_warnings():
                # `cryptography` warns of a stranger's odd certificates; here they are judged.
                warnings.simplefilter("ignore")
                verdict = verify_receipt(item.receipt, trust, openssl=openssl)
        except UsageError as err:
            remarks.append(say("verify.uncounted", name=item.name, reason=err.message))
            continue
        if isinstance(verdict, Statement):
            stamps.append(Stamp(verdict, item.size, item.logged_at))
        else:
            remarks.append(say("verify.uncounted", name=item.name, reason=verdict.reason))
    timeline = Timeline(stamps)
    dated = tuple(
        Dated(
            entry.position,
            entry.name,
            entry.kind,
            entry.means,
            timeline.bounds(entry.position, head_size=entry.event.header.head.size),
        )
        for entry in record.lineage
    )
    for event in dated:
        if event.bounds.contradictory:
            first, last = event.bounds.not_before.at, event.bounds.not_after.at
            message = f"event at {event.position} would have been written after {first} and before {last}"
            raise IntegrityError(message)
    return Times(len(stamps), tuple(remarks), dated)


def _verify_subject(
    container: Container, record: Record, stamp: Described, listed: Mapping[str, str]
) -> Digest:
    """Check what a stamp is about, and return its digest."""
    if stamp.size is None:
        return _verify_file_subject(container, stamp, listed)
    if stamp.subject != layout.stamp_path(stamp.size, "checkpoint"):
        message = f"stamp of size {stamp.size} is said to be about {stamp.subject}"
        raise MalformedError(message)
    note = read_file(container, stamp.subject, MAX_SMALL_BYTES)
    checkpoint = verify_checkpoint(note, record.key)
    proof = read_hashes(container, layout.stamp_path(stamp.size, "consistency"))
    own = record.checkpoint.head
    old, new = sorted((checkpoint.head, own), key=lambda head: head.size)
    if checkpoint.size != stamp.size:
        message = f"{stamp.subject} has size {checkpoint.size}"
        raise MalformedError(message)
    if old.size == new.size:
        if proof or old.root != new.root:
            message = f"there are two histories of {old.size} entries"
            raise IntegrityError(message)
    else:
        verify_consistency(old, new, proof)
    return Digest.of(note)


def _verify_file_subject(container: Container, stamp: Described, listed: Mapping[str, str]) -> Digest:
    if not stamp.subject.startswith((layout.FILES, layout.STAMPS)):
        message = f"a stamp is said to be about {stamp.subject}"
        raise MalformedError(message)
    if stamp.subject.startswith(layout.STAMPS):
        return Digest.of(read_file(container, stamp.subject, MAX_RECEIPT_BYTES))
    return Digest.parse("sha256:" + listed[stamp.subject])


def read_hashes(container: Container, name: str) -> list[bytes]:
    """Read the hashes of a proof, one base64 a line."""
    text = read_file(container, name, MAX_SMALL_BYTES).decode("latin-1")
    lines = text.split("\n")
    if lines.pop() or len(lines) > MAX_PROOF_HASHES:
        message = f"{name} is not a list of at most {MAX_PROOF_HASHES} hashes"
        raise MalformedError(message)
    return [decode_hash(line) for line in lines]


def _logged_receipts(record: Record) -> dict[tuple[Digest, Digest], int]:
    """Return where receipts are logged: (digest of the receipt, what it is about) → position of the entry."""
    logged: dict[tuple[Digest, Digest], int] = {}
    for entry in record.entries:
        own = entry.first(PartType.OWN, Own) if entry.kind is Kind.STAMPED else None
        for facts in own.facts.get("receipts", []) if own else []:
            kept = parse_kept(facts)
            logged.setdefault((kept.digest, kept.about), entry.position)
    return logged
