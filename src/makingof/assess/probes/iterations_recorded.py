"""Are several attempts on record, with what each of them was given?"""

from makingof.assess.evidence import Evidence, cite
from makingof.assess.finding import Answer, Outcome
from makingof.assess.probe import answer, basis_of, make_probe, not_applicable

NAME = "iterations_recorded"


def ask(evidence: Evidence) -> Answer:
    """Two jobs whose settings can be read are the least that shows a way; a number shows none."""
    if not evidence.jobs:
        return not_applicable(NAME)
    told = [job for job in evidence.jobs if evidence.settings_of(job)]
    if len(evidence.jobs) == 1:
        return answer(NAME, Outcome.ABSENT, variant="single")
    if len(told) <= 1:
        return answer(NAME, Outcome.ABSENT, total=len(evidence.jobs))
    outcome = Outcome.SHOWN if len(told) == len(evidence.jobs) else Outcome.PARTLY
    found = [item for job in told for item in evidence.spoken_of(job)]
    return answer(
        NAME,
        outcome,
        found or [cite(job) for job in told],
        basis=basis_of(found),
        count=len(told),
        total=len(evidence.jobs),
    )


PROBE = make_probe(NAME, ask, "prompt negative parameters", "prompted generated attempted")
