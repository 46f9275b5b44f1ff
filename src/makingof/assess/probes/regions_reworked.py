"""Were parts of a picture made anew, one after the other?"""

from makingof.assess.evidence import Evidence, cite
from makingof.assess.finding import Answer, Outcome
from makingof.assess.probe import answer, basis_of, make_probe, not_applicable
from makingof.lineage.lineage import Member
from makingof.part import Role

NAME = "regions_reworked"


def ask(evidence: Evidence) -> Answer:
    """A job that used a mask, on a picture the record knows; one alone is a step and not a sequence."""
    if not evidence.outputs:
        return not_applicable(NAME)
    masked = [job for job in evidence.outputs if _is_region_job(evidence, job)]
    if not masked:
        return answer(NAME, Outcome.ABSENT)
    cited = [cite(job) for job in masked]
    outcome = Outcome.SHOWN if len(masked) > 1 else Outcome.PARTLY
    return answer(NAME, outcome, cited, basis=basis_of(cited), count=len(masked))


def _is_region_job(evidence: Evidence, job: Member) -> bool:
    roles = {said.body.role for said in job.entry.files()}
    return Role.MASK in roles and bool(evidence.sources_of(job))


PROBE = make_probe(NAME, ask, "file", "generated")
