"""Having the log stamped: the newest checkpoint, sitting sheets, files; what came back is logged."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from makingof.archive.archive import Archive
from makingof.digest import Digest
from makingof.errors import IntegrityError, MalformedError, UnavailableError
from makingof.event import Kind
from makingof.recorder.write import Recorded
from makingof.stamp.base import Receipt, StampingAuthority
from makingof.stamp.kept import KeptReceipt, keep_receipt, kept_to_facts
from makingof.tlog.checkpoint import read_checkpoint


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
    receipts, problems = _ask_all(authorities, checkpoint)
    kept = tuple(keep_receipt(receipt, "checkpoint", archive.store.put) for receipt in receipts)
    head = read_checkpoint(checkpoint)
    facts: dict[str, object] = {
        "size": head.size,
        "root": Digest.from_raw(head.head.root),
        "checkpoint": checkpoint.decode(),
        "receipts": [kept_to_facts(receipt) for receipt in kept],
        "problems": [{"authority": item.authority, "message": str(item.error)} for item in problems],
    }
    recorded = archive.record_own(Kind.STAMPED, facts)
    return Stamped(head.size, kept, tuple(problems), recorded)


def _ask_all(authorities: Sequence[StampingAuthority], message: bytes) -> tuple[list[Receipt], list[Problem]]:
    """Ask everybody at once, and keep what they answered in the order they were named."""
    if not authorities:
        return [], []
    with ThreadPoolExecutor(len(authorities)) as pool:
        answers = list(pool.map(lambda authority: _ask(authority, message), authorities))
    receipts = [answer for answer in answers if isinstance(answer, Receipt)]
    return receipts, [answer for answer in answers if isinstance(answer, Problem)]


def _ask(authority: StampingAuthority, message: bytes) -> Receipt | Problem:
    try:
        return authority.request(message)
    except (UnavailableError, IntegrityError, MalformedError) as err:
        return Problem(authority.name, err)
