"""Did each job give as many pictures as its tool reported?"""

from makingof.assess.evidence import Evidence, Seen
from makingof.assess.finding import Answer, Outcome
from makingof.assess.probe import answer, make_probe, not_applicable
from makingof.part import PartType, Report, Role

NAME = "generator_counts_agree"


def ask(evidence: Evidence) -> Answer:
    """The tool's own number against the outputs on record; more outputs than reported differ too."""
    if not evidence.jobs:
        return not_applicable(NAME)
    told = [
        seen
        for seen in evidence.said(PartType.REPORT, Report, evidence.jobs)
        if seen.body.outputs is not None
    ]
    if not told:
        return answer(NAME, Outcome.ABSENT)
    differing = [seen for seen in told if _outputs(seen) != seen.body.outputs]
    if differing:
        cited = [seen.cited for seen in differing]
        return answer(NAME, Outcome.CONTRADICTED, cited, count=len(differing), total=len(told))
    outcome = Outcome.SHOWN if len(told) == len(evidence.jobs) else Outcome.PARTLY
    cited = [seen.cited for seen in told]
    return answer(NAME, outcome, cited, count=len(told), total=len(evidence.jobs))


def _outputs(seen: Seen[Report]) -> int:
    entry = seen.entry
    shown = sum(said.body.role is Role.OUTPUT for said in entry.files())
    return shown + len(entry.silent(PartType.FILE))


PROBE = make_probe(NAME, ask, "report", "generated")
