"""Which time stamps go into a package: those nearest to each event of the lineage, before and after."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from makingof.bundle.package_input import FileInput, FileStampInput, StampInput
from makingof.bundle.request import Request, Sources
from makingof.bundle.search import Withheld
from makingof.digest import Digest
from makingof.errors import MissingBlobError
from makingof.lineage.entry import Entry
from makingof.part import Own, PartType
from makingof.stamp.base import Receipt
from makingof.stamp.kept import KeptReceipt, load_receipt, parse_kept
from makingof.stamp.sheet import parse_sheet
from makingof.tlog.checkpoint import read_checkpoint

# Two authorities make a bound; a second stamping event stands by where one of the first did not answer.
_NEAREST = 2
_CHECKPOINT, _SHEET = "checkpoint", "sheet"


@dataclass(frozen=True, slots=True)
class StampedEvent:
    """What one `stamped` event says."""

    position: int
    size: int | None
    checkpoint: bytes | None
    receipts: tuple[KeptReceipt, ...]


def read_stamped(entries: Iterable[Entry]) -> list[StampedEvent]:
    """Read `stamped` events, in log order."""
    return [_read_event(entry, own.facts) for entry in entries if (own := entry.first(PartType.OWN, Own))]


def choose_stamped(events: Sequence[StampedEvent], lineage: Iterable[int]) -> list[StampedEvent]:
    """Return the events nearest to each position of the lineage: stamps after it, receipts logged before."""
    about_log = [event for event in events if event.size is not None]
    sizes = [event.size or 0 for event in about_log]
    places = [event.position for event in about_log]
    chosen: set[int] = set()
    for position in lineage:
        after = bisect_right(sizes, position)
        before = bisect_left(places, position)
        chosen.update(range(after, min(after + _NEAREST, len(sizes))))
        chosen.update(range(max(before - _NEAREST, 0), before))
    about_files = [event for event in events if event.size is None]
    return sorted([*(about_log[number] for number in chosen), *about_files], key=lambda event: event.position)


def load_stamps(sources: Sources, request: Request, events: Iterable[StampedEvent]) -> tuple[StampInput, ...]:
    """Load the receipts for checkpoints, one input a size, with its proof against the package's own."""
    by_size: dict[int, dict[Digest, Receipt]] = {}
    notes: dict[int, bytes] = {}
    for event in events:
        if event.size is None or event.checkpoint is None:
            continue
        found = by_size.setdefault(event.size, {})
        notes.setdefault(event.size, event.checkpoint)
        for kept in event.receipts:
            if kept.what == _CHECKPOINT and (receipt := _load(sources, kept)):
                found.setdefault(kept.digest, receipt)
    return tuple(
        StampInput(
            size, notes[size], _consistency(sources, size, request.size), tuple(by_size[size].values())
        )
        for size in sorted(by_size)
        if size and by_size[size]
    )


def load_file_stamps(
    sources: Sources, events: Iterable[StampedEvent], files: Sequence[FileInput], withheld: Withheld
) -> tuple[FileStampInput, ...]:
    """Load the receipts for files and sheets, as far as what they are about is shown.

    A receipt for a file names its bare digest, and a sheet those of a whole sitting:
    neither comes in unless all of these files are shown as they are.
    """
    numbers = {
        file.digest: number for number, file in enumerate(files, 1) if file.digest and file.why is None
    }
    by_subject: dict[Digest, dict[Digest, Receipt]] = {}
    sheets: dict[Digest, bytes] = {}
    for kept in (kept for event in events for kept in event.receipts if kept.what != _CHECKPOINT):
        if kept.about not in numbers and not _take_sheet(sources, kept, sheets, numbers.keys(), withheld):
            continue
        if receipt := _load(sources, kept):
            by_subject.setdefault(kept.about, {}).setdefault(kept.digest, receipt)
    return tuple(
        FileStampInput(tuple(receipts.values()), sheets.get(subject), numbers.get(subject))
        for subject, receipts in by_subject.items()
    )


def _take_sheet(
    sources: Sources,
    kept: KeptReceipt,
    sheets: dict[Digest, bytes],
    shown: Iterable[Digest],
    withheld: Withheld,
) -> bool:
    if kept.what != _SHEET:
        return False
    data = _read(sources, kept.about)
    if data is None or withheld.is_in(data):
        return False
    if not {line.sha256 for line in parse_sheet(data).lines} <= set(shown):
        return False
    sheets[kept.about] = data
    return True


def _read_event(entry: Entry, facts: dict[str, Any]) -> StampedEvent:
    note = facts.get("checkpoint")
    checkpoint = note.encode() if isinstance(note, str) else None
    size = read_checkpoint(checkpoint).size if checkpoint else None
    receipts = facts.get("receipts", [])
    return StampedEvent(entry.position, size, checkpoint, tuple(map(parse_kept, receipts)))


def _consistency(sources: Sources, one: int, other: int) -> tuple[bytes, ...]:
    return tuple(sources.log.consistency_proof(min(one, other), max(one, other)))


def _load(sources: Sources, kept: KeptReceipt) -> Receipt | None:
    """Load a receipt; one whose bytes are gone cannot be shown, and its event still tells of it."""
    try:
        return load_receipt(kept, partial(_require, sources))
    except MissingBlobError:
        return None


def _require(sources: Sources, digest: Digest) -> bytes:
    data = _read(sources, digest)
    if data is None:
        message = f"{digest} is not in the store"
        raise MissingBlobError(message)
    return data


def _read(sources: Sources, digest: Digest) -> bytes | None:
    stream = sources.open_blob(digest)
    if stream is None:
        return None
    with stream:
        return stream.read()
