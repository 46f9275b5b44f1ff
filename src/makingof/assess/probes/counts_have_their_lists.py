"""Where a number of attempts is claimed, are they on record one by one?"""

from makingof.assess.evidence import Evidence
from makingof.assess.finding import Answer, Outcome
from makingof.assess.probe import answer, make_probe, not_applicable
from makingof.event import Kind
from makingof.part import PartType, Report

NAME = "counts_have_their_lists"


def ask(evidence: Evidence) -> Answer:
    """A number claimed stands as `count` in the facts of a report (Théâtre D'opéra Spatial: 624)."""
    claims = [
        (seen, count)
        for seen in evidence.said(PartType.REPORT, Report, evidence.of_kind(*Kind))
        if isinstance(count := seen.body.facts.get("count"), int) and not isinstance(count, bool)
    ]
    if not claims:
        return not_applicable(NAME)
    listed = sum(bool(evidence.prompts_of(job)) for job in evidence.jobs)
    listed += sum(bool(evidence.prompts_of(request)) for request in evidence.of_kind(Kind.PROMPTED))
    claimed = max(count for _, count in claims)
    cited = [seen.cited for seen, _ in claims]
    outcome = Outcome.SHOWN if listed >= claimed else Outcome.CONTRADICTED
    return answer(NAME, outcome, cited, claimed=claimed, listed=listed)


PROBE = make_probe(NAME, ask, "report prompt")
