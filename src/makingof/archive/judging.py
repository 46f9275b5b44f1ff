"""Judging what an archive holds: its lineages with the outside times the reader's authorities give."""

from collections.abc import Collection, Iterator, Mapping

from makingof.archive.archive import Archive
from makingof.archive.stamping import CHECKPOINT
from makingof.assess.evidence import Evidence
from makingof.digest import Digest
from makingof.errors import IntegrityError
from makingof.event import Kind
from makingof.lineage.entry import Entry
from makingof.lineage.lineage import Lineage
from makingof.part import Own, PartType
from makingof.stamp.base import Statement
from makingof.stamp.bounds import Bounds, Stamp, Timeline
from makingof.stamp.kept import load_receipt, parse_kept
from makingof.stamp.openssl import OpenSsl
from makingof.stamp.trust import Trust
from makingof.stamp.verify import verify_receipt
from makingof.texts import say
from makingof.tlog.checkpoint import verify_checkpoint


def evidence_of(
    archive: Archive, pictures: Collection[Digest], trust: Trust, openssl: OpenSsl | None
) -> Evidence:
    """Return what the archive shows of `pictures`, dated by the authorities of `trust`.

    Receipts that do not hold raise; those that only do not count date nothing.
    """
    lineage = archive.index.lineage(archive.log, pictures)
    return Evidence(
        lineage,
        bounds=bounds_of(lineage, read_timeline(archive, trust, openssl)),
        beside=health_of(archive),
    )


def bounds_of(lineage: Lineage, timeline: Timeline) -> Mapping[int, Bounds]:
    """Return the bounds of everything a lineage speaks of, by position."""
    entries = (*(member.entry for member in lineage.members), *lineage.context)
    return {
        entry.position: timeline.bounds(entry.position, head_size=entry.event.header.head.size)
        for entry in entries
    }


def health_of(archive: Archive) -> list[Entry]:
    """Return the recorder's checks of itself."""
    positions = set(archive.index.positions_of_kind(Kind.CHECKED))
    return list(archive.index.graph(archive.log).entries(positions))


def read_timeline(archive: Archive, trust: Trust, openssl: OpenSsl | None) -> Timeline:
    """Verify every receipt over a checkpoint of this log and return the times they give.

    Raises:
        ProofError: a receipt, or the signature on a checkpoint, does not hold.
        IntegrityError: a stamped checkpoint is of another history.
    """
    positions = set(archive.index.stamped_positions())
    stamps: list[Stamp] = []
    for entry in archive.index.graph(archive.log).entries(positions):
        own = entry.first(PartType.OWN, Own)
        if own is not None:
            stamps += _stamps(archive, entry.position, own.facts, trust, openssl)
    return Timeline(stamps)


def _stamps(
    archive: Archive, position: int, facts: Mapping[str, object], trust: Trust, openssl: OpenSsl | None
) -> Iterator[Stamp]:
    checkpoint = str(facts.get("checkpoint", "")).encode()
    receipts = facts.get("receipts")
    for told in receipts if isinstance(receipts, list) else []:
        kept = parse_kept(told)
        if kept.what != CHECKPOINT or kept.about != Digest.of(checkpoint):
            continue  # a sheet or a file: it dates a file, and no entry
        head = verify_checkpoint(checkpoint, archive.log.public).head
        if head.size > position or archive.log.head_at(head.size).root != head.root:
            raise IntegrityError(say("judging.other_history", event=f"e{position}"))
        statement = verify_receipt(load_receipt(kept, archive.store.read), trust, openssl=openssl)
        if isinstance(statement, Statement):
            yield Stamp(statement, head.size, position)
