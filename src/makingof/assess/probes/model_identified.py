"""Is it on record which model made the pictures, and is it known by digest or only by name?"""

from makingof.assess.evidence import Evidence
from makingof.assess.finding import Answer, Cited, Outcome
from makingof.assess.probe import answer, basis_of, make_probe, not_applicable
from makingof.lineage.lineage import Member
from makingof.part import Environment, PartType

NAME = "model_identified"


def ask(evidence: Evidence) -> Answer:
    """A digest names one file; a name can be given to any."""
    if not evidence.outputs:
        return not_applicable(NAME)
    by_digest = [_by_digest(evidence, job) for job in evidence.outputs]
    by_name = [evidence.field_of(job, "model") for job in evidence.outputs]
    found = [item for cited in (*by_digest, *by_name) for item in cited]
    if not found:
        return answer(NAME, Outcome.ABSENT)
    if all(by_digest):
        return answer(NAME, Outcome.SHOWN, found, basis=basis_of(found), total=len(evidence.outputs))
    return answer(NAME, Outcome.PARTLY, found, named=sum(map(bool, by_digest)), total=len(evidence.outputs))


def _by_digest(evidence: Evidence, job: Member) -> list[Cited]:
    parts = evidence.said(PartType.ENVIRONMENT, Environment, evidence.requests_of(job))
    return [
        *evidence.field_of(job, "model_hash"),
        *(seen.cited for seen in parts if _names_a_digest(seen.body.facts.get("models"))),
    ]


def _names_a_digest(models: object) -> bool:
    """A file that was still being hashed, or vanished, is listed without one."""
    listed = models if isinstance(models, list) else []
    return any(isinstance(model, dict) and model.get("sha256") for model in listed)


PROBE = make_probe(NAME, ask, "parameters environment", "prompted generated attempted")
