"""From a package to evidence: so that a third party can put questions, and packs of their own, to it."""

from pathlib import Path

from makingof.assess.evidence import Evidence
from makingof.bundle.container import open_container
from makingof.bundle.disclosed import read_entries
from makingof.bundle.read import read_description, read_part_lines, read_placed, read_ranges
from makingof.digest import Digest
from makingof.errors import IntegrityError
from makingof.event import Kind
from makingof.lineage.memory import MemoryGraph
from makingof.lineage.rule import find_lineage
from makingof.stamp.openssl import OpenSsl
from makingof.stamp.trust import Trust
from makingof.texts import say
from makingof.verify.check import check_bundle


def read_evidence(source: Path, *, trust: Trust, openssl: OpenSsl | None) -> Evidence:
    """Check a package and return what it shows, dated by the reader's authorities alone.

    A package in which any step fails is not judged: an `IntegrityError`
    names the first. Nothing the exporter's own findings say is read.
    """
    report = check_bundle(source, trust=trust, openssl=openssl)
    if report.failures:
        raise IntegrityError(say("judging.package_fails", path=source, reason=report.failures[0].message))
    container = open_container(source)
    try:
        description = read_description(container)
        lines = {Digest.of(line): line for line in read_part_lines(container)}
        entries = read_entries(read_placed(container, read_ranges(container)), lines)
    finally:
        container.close()
    listed = frozenset(description.lineage)
    lineage = find_lineage(MemoryGraph(entries), description.pictures, listed=listed)
    return Evidence(
        lineage,
        bounds={item.position: item.bounds for item in report.dated},
        beside=[entry for entry in entries if entry.kind is Kind.CHECKED],
    )
