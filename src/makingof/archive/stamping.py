"""Having the log stamped: the newest checkpoint, sitting sheets, files; what came back is logged."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from makingof.archive.archive import Archive
from makingof.clock import parse_instant
from makingof.digest import Digest
from makingof.errors import IntegrityError, MalformedError, UnavailableError
from makingof.event import Kind
from makingof.recorder.write import Recorded
from makingof.stamp.base import Authority, Receipt, StampingAuthority
from makingof.stamp.deposit import attach_deposit
from makingof.stamp.http import Fetch
from makingof.stamp.kept import KeptReceipt, keep_receipt, kept_to_facts, load_receipt
from makingof.stamp.opentimestamps import complete
from makingof.stamp.sheet import Sheet, SheetLine, format_sheet
from makingof.stamp.sm3 import digest_stream
from makingof.tlog.checkpoint import read_checkpoint

CHECKPOINT = "checkpoint"
SHEET = "sheet"
FILE = "file"


@dataclass(frozen=True, slots=True)
class Problem:
    """An authority that gave no receipt, and what it or the network said."""

    authority: str
    error: UnavailableError | IntegrityError | MalformedError


@dataclass(frozen=True, slots=True)
class Stamped:
    """One round of asking: what was stamped, who answered, who did not."""

    size: int
    receipts: tuple[KeptReceipt, ...]
    problems: tuple[Problem, ...]
    recorded: Recorded


def stamp_log(archive: Archive, authorities: Sequence[StampingAuthority]) -> Stamped:
    """Have the newest checkpoint stamped by every authority, and log what came back.

    A pulse goes first if counters of open streams moved. Nothing is queued: who does
    not answer now is asked about a newer checkpoint later, which covers this one. The
    receipts are durable before the event that names them.
    """
    archive.require_writable()
    if streams := archive.index.moved_streams():
        archive.record_own(Kind.PULSE, {"streams": streams})
    checkpoint = archive.log.checkpoint()
    return _stamp(archive, authorities, CHECKPOINT, checkpoint, checkpoint)


def stamp_sheet(archive: Archive, authorities: Sequence[StampingAuthority], sheet: bytes) -> Stamped:
    """Keep a sitting sheet and have it stamped as a file, for tools that take files and numbers."""
    archive.store.put(sheet)
    return _stamp(archive, authorities, SHEET, sheet, archive.log.checkpoint())


def _stamp(
    archive: Archive,
    authorities: Sequence[StampingAuthority],
    what: str,
    message: bytes,
    checkpoint: bytes,
) -> Stamped:
    answers = _ask_all(authorities, message)
    receipts = [answer for answer in answers if isinstance(answer, Receipt)]
    kept = [keep_receipt(receipt, what, archive.store.put) for receipt in receipts]
    return _log(archive, checkpoint, kept, [answer for answer in answers if isinstance(answer, Problem)])


def complete_pending(archive: Archive, authority: Authority, fetch: Fetch) -> list[Stamped]:
    """Ask after pending OpenTimestamps proofs; each one completed is logged beside the pending one."""
    done = []
    for pending in archive.index.pending_proofs():
        receipt = complete(load_receipt(pending.receipt, archive.store.read), authority, fetch)
        if receipt is not None:
            kept = keep_receipt(receipt, pending.receipt.what, archive.store.put)
            done.append(_log(archive, pending.checkpoint, [kept], []))
    return done


@dataclass(frozen=True, slots=True)
class Deposit:
    """What a person reads off a platform's certificate."""

    platform: str
    number: str
    time: str


def log_deposit(archive: Archive, certificate: Path, about: Path, deposit: Deposit) -> Stamped:
    """Attach a platform's certificate about the file `about`; it is kept, shown, and never counted."""
    with about.open("rb") as stream:
        digests = digest_stream(stream)
    receipt = attach_deposit(
        certificate.read_bytes(),
        digests,
        platform=deposit.platform,
        number=deposit.number,
        time=deposit.time,
        file_name=about.name,
    )
    kept = keep_receipt(receipt, FILE, archive.store.put)
    return _log(archive, archive.log.checkpoint(), [kept], [])


def sitting_sheet(archive: Archive, since: int, closed_at: datetime) -> bytes | None:
    """Write the sheet of the files recorded from position `since` on; None where there are none.

    A file whose bytes are not held is left out: its SM3 cannot be taken any more.
    """
    lines = []
    for file in archive.index.files_since(since):
        if file.blob is None or not archive.store.has(file.blob):
            continue
        with archive.store.open(file.blob) as stream:
            digests = digest_stream(stream)
        claimed = None if file.occurred_at is None else parse_instant(file.occurred_at)
        lines.append(SheetLine(file.event, claimed, file.blob, digests.sm3, file.name or ""))
    if not lines:
        return None
    return format_sheet(Sheet(archive.log.origin, closed_at, tuple(lines)))


def _log(
    archive: Archive, checkpoint: bytes, kept: Sequence[KeptReceipt], problems: Sequence[Problem]
) -> Stamped:
    head = read_checkpoint(checkpoint)
    facts: dict[str, object] = {
        "size": head.size,
        "root": Digest.from_raw(head.head.root),
        "checkpoint": checkpoint.decode(),
        "receipts": [kept_to_facts(receipt) for receipt in kept],
        "problems": [{"authority": item.authority, "message": str(item.error)} for item in problems],
    }
    recorded = archive.record_own(Kind.STAMPED, facts)
    return Stamped(head.size, tuple(kept), tuple(problems), recorded)


def _ask_all(authorities: Sequence[StampingAuthority], message: bytes) -> list[Receipt | Problem]:
    """Ask everybody at once; answers keep the order asked in."""
    if not authorities:
        return []
    with ThreadPoolExecutor(len(authorities)) as pool:
        return list(pool.map(lambda authority: _ask(authority, message), authorities))


def _ask(authority: StampingAuthority, message: bytes) -> Receipt | Problem:
    try:
        return authority.request(message)
    except (UnavailableError, IntegrityError, MalformedError) as err:
        return Problem(authority.name, err)
