"""Completeness: one honest paragraph on what a lineage can tell of what is missing from it."""

from makingof.assess.evidence import Evidence
from makingof.event import Kind
from makingof.lineage.entry import PartState
from makingof.lineage.second_looks import compare_generators
from makingof.part import PartType, Report, Role
from makingof.texts import Message, say


def describe_completeness(evidence: Evidence) -> tuple[Message, ...]:
    """Return the sentences of the paragraph, in a fixed order. Never "complete": nobody can know that."""
    lineage = evidence.lineage
    runs = [stream for stream in lineage.streams if stream.of != "import"]
    imports = len(lineage.streams) - len(runs)
    sentences = [
        say(
            "assess.complete_streams",
            count=len(runs),
            missing=sum(stream.missing_count for stream in runs),
            gaps=sum(len(stream.gaps) for stream in runs),
            open=sum(stream.closed is None for stream in runs),
        )
        if runs
        else say("assess.complete_no_streams")
    ]
    if imports:
        sentences.append(say("assess.complete_imports", count=imports))
    if counted := _counts(evidence):
        sentences.append(counted)
    if runs:
        sentences.append(_looks(evidence))
    sealed, erased = (_silent(evidence, state) for state in (PartState.SEALED, PartState.ERASED))
    if sealed or erased:
        sentences.append(say("assess.complete_silent", sealed=sealed, erased=erased))
    if claimed := sum(member.claimed for member in evidence.everything):
        sentences.append(say("assess.complete_claimed", count=claimed))
    return (*sentences, say("assess.complete_log"))


def _counts(evidence: Evidence) -> Message | None:
    jobs = evidence.of_kind(Kind.GENERATED)
    told = [seen for seen in evidence.said(PartType.REPORT, Report, jobs) if seen.body.outputs is not None]
    differing = sum(
        seen.body.outputs != sum(said.body.role is Role.OUTPUT for said in seen.entry.files())
        for seen in told
    )
    if not told:
        return None
    return say("assess.complete_counts", told=len(told), jobs=len(jobs), differing=differing)


def _looks(evidence: Evidence) -> Message:
    compared = compare_generators(evidence.context)
    if not compared:
        return say("assess.complete_no_looks")
    missing = sum(len(found.missing) for found in compared)
    return say("assess.complete_looks", looks=sum(found.looks for found in compared), missing=missing)


def _silent(evidence: Evidence, state: PartState) -> int:
    return sum(part.state is state for part in evidence.silent)
