"""Gathers a package from an archive.

(1) The lineage of the pictures, by the one rule, in the first n entries.
(2) The stamps nearest to each of its events. (3) The positions shown: lineage,
context, stamps, and every stream drawn on as a whole. (4) The parts of the
lineage and, of all other entries, the recorder's own. (5) The files: ancestors
and judged ones whole, the rest as previews, or copies where something is
withheld. (6) Every part that holds what is withheld, or the bare digest of a
sealed file, is sealed. (7) Proofs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from makingof.bundle.description import Shows
from makingof.bundle.files import FilePlan, Treatment, find_pieces, plan_files
from makingof.bundle.package_input import EntryRange, PackageInput
from makingof.bundle.prefix import PrefixGraph
from makingof.bundle.request import Request, Sources
from makingof.bundle.search import Withheld, find_digests
from makingof.bundle.spans import find_spans
from makingof.bundle.stamps import choose_stamped, load_file_stamps, load_stamps, read_stamped
from makingof.bundle.withhold import Candidates, Rule, find_sealed, find_withheld, require_headers_silent
from makingof.digest import Digest
from makingof.errors import UsageError
from makingof.lineage.entry import Entry
from makingof.lineage.lineage import Lineage
from makingof.lineage.rule import find_lineage
from makingof.part import Part, PartType
from makingof.texts import say
from makingof.tlog.checkpoint import verify_checkpoint


def collect_package(sources: Sources, request: Request) -> PackageInput:
    """Return what goes into the package; the same archive and request give the same bytes.

    Raises:
        UsageError: nothing is recorded of a picture, or what is to be withheld
            stands where it cannot be.
    """
    key = sources.log.public
    checkpoint = sources.checkpoint(request.size)
    verify_checkpoint(checkpoint, key)
    graph = PrefixGraph(sources.graph, request.size)
    lineage = find_lineage(graph, request.pictures)
    stamped = read_stamped(sources.graph.entries(set(sources.stamped)))
    early = [event for event in stamped if event.position < request.size]
    chosen = choose_stamped(early, sorted(lineage.positions))
    later = [event for event in stamped if event.position in request.later_stamps]
    own = {entry.position for entry in lineage.context} | {event.position for event in chosen}
    spans = find_spans(lineage.positions | own | {0}, lineage.streams, request.size)
    entries = list(graph.entries({index for start, end in spans for index in range(start, end)}))
    disclosure = _disclose(sources, request, lineage, entries)
    return PackageInput(
        key=key,
        checkpoint=checkpoint,
        ranges=tuple(_range(sources, span, request.size) for span in spans),
        inclusions={
            index: tuple(sources.log.inclusion_proof(index, request.size))
            for index in sorted(lineage.positions)
        },
        parts=disclosure.parts,
        pictures=tuple(part for picture in lineage.pictures for part in picture.file_parts),
        lineage=tuple(sorted(lineage.positions)),
        lineage_rule=lineage.rule,
        options=request.options,
        files=disclosure.plan.files,
        stamps=load_stamps(sources, request, [*chosen, *later]),
        file_stamps=load_file_stamps(sources, [*chosen, *later], disclosure.plan.files, disclosure.withheld),
        findings=_checked_findings(request.findings, disclosure.withheld),
        withheld=disclosure.withheld,
    )


@dataclass(frozen=True, slots=True)
class _Disclosure:
    """What is shown of the entries' parts and files, and what must not be found in any of it."""

    parts: Mapping[Digest, bytes]
    plan: FilePlan
    withheld: Withheld


def _disclose(sources: Sources, request: Request, lineage: Lineage, entries: list[Entry]) -> _Disclosure:
    stored = _stored_parts(sources, entries)
    whole = lineage.positions | {entry.position for entry in lineage.context}
    candidates = dict(_candidates(entries, whole))
    rule = Rule.of(request.options)
    texts = find_withheld(lineage.entries(), rule)
    named = find_sealed(candidates, stored, rule, texts)
    pieces = {part: found for part, found in find_pieces(lineage.entries()).items() if found[0] not in named}
    treat = Treatment(rule, texts, frozenset(named), request.options.full)
    plan = plan_files(sources, lineage, pieces, treat)
    withheld = texts.with_digests(plan.sealed)
    require_headers_silent(entries, withheld)
    sealed = find_sealed(candidates, stored, rule, withheld)
    if rule.prompts:
        sealed |= _naming_other_files(sources, candidates, stored, plan)
    shown = {digest: stored[digest] for digest in candidates if digest not in sealed}
    lists = {digest for entry in entries for digest in entry.lists if _shows_list(entry, digest, whole)}
    return _Disclosure(shown | {digest: stored[digest] for digest in lists}, plan, withheld)


def _naming_other_files(
    sources: Sources, candidates: Candidates, stored: Mapping[Digest, bytes], plan: FilePlan
) -> set[Digest]:
    """Return the parts that name, by its bare digest, a recorded file which is not shown as it is.

    A note may name a picture outside the lineage, made from the same prompt.
    """
    named = {digest: find_digests(stored[digest]) for digest in candidates}
    files = {name: _is_recorded_file(sources, name) for name in set().union(*named.values())}
    shown = {file.digest for file in plan.files if file.shows is Shows.ORIGINAL}
    return {part for part, found in named.items() if any(files[name] and name not in shown for name in found)}


def _is_recorded_file(sources: Sources, name: Digest) -> bool:
    return bool(sources.graph.with_blobs({name}, given=True) or sources.graph.with_blobs({name}, given=False))


def _candidates(
    entries: Iterable[Entry], whole: Iterable[int]
) -> Iterable[tuple[Digest, tuple[Entry, Part]]]:
    """Yield the parts that would be shown if nothing were withheld."""
    wanted = set(whole)
    for entry in entries:
        for digest, part in entry.parts.items():
            if isinstance(part, Part) and (entry.position in wanted or part.type is PartType.OWN):
                yield digest, (entry, part)


def _shows_list(entry: Entry, digest: Digest, whole: Iterable[int]) -> bool:
    types = {ref.digest: ref.type for ref in entry.event.header.parts}
    return entry.position in set(whole) or types[digest] is PartType.OWN


def _stored_parts(sources: Sources, entries: Iterable[Entry]) -> dict[Digest, bytes]:
    return {
        part.digest: part.data
        for entry in entries
        for part in sources.log.parts(entry.position)
        if part.data is not None
    }


def _range(sources: Sources, span: tuple[int, int], size: int) -> EntryRange:
    start, end = span
    return EntryRange(
        start=start,
        entries=tuple(stored.entry for stored in sources.log.entries(start, end)),
        proof=tuple(sources.log.range_proof(start, end, size)),
    )


def _checked_findings(findings: bytes | None, withheld: Withheld) -> bytes | None:
    if findings is not None and withheld.whole_is_in(findings):
        raise UsageError(
            say("package.withheld_in_extra", name="findings"), hint=say("package.withheld_in_header_hint")
        )
    return findings
