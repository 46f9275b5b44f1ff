"""Was the idea written or drawn before the first picture was made?"""

from makingof.assess.evidence import Evidence, cite, happened_ms, recorded_ms
from makingof.assess.finding import Answer, Outcome
from makingof.assess.probe import answer, make_probe
from makingof.event import Kind
from makingof.part import Note, PartType

NAME = "concept_recorded_first"


def ask(evidence: Evidence) -> Answer:
    """First is what was recorded before the earliest job is said to have happened."""
    briefs = [
        brief
        for brief in evidence.of_kind(Kind.BRIEFED)
        if brief.entry.files()
        or any(seen.body.text.strip() for seen in evidence.said(PartType.NOTE, Note, [brief]))
    ]
    if not briefs:
        return answer(NAME, Outcome.ABSENT)
    start = min((happened_ms(job.entry) for job in evidence.jobs), default=None)
    first = [brief for brief in briefs if start is None or recorded_ms(brief.entry) <= start]
    if not first:
        return answer(NAME, Outcome.PARTLY, map(cite, briefs), count=len(briefs))
    return answer(NAME, Outcome.SHOWN, map(cite, first), count=len(first))


PROBE = make_probe(NAME, ask, "note file", "briefed")
