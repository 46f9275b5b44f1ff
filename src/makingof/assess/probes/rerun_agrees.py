"""Where the making was repeated, did the same picture come out in the same environment?"""

from makingof.assess.evidence import Evidence
from makingof.assess.finding import Answer, Outcome
from makingof.assess.probe import answer, make_probe, not_applicable
from makingof.event import Kind
from makingof.part import PartType, Report

NAME = "rerun_agrees"


def ask(evidence: Evidence) -> Answer:
    """A re-run tests a record and adds nothing to it.

    It is a `described` event whose report has `of` = `rerun` in its facts, an outcome `same`,
    `near` or `different`, and says whether the `environment` was the `same`.
    """
    reruns = [
        seen
        for seen in evidence.said(PartType.REPORT, Report, evidence.of_kind(Kind.DESCRIBED))
        if seen.body.facts.get("of") == "rerun"
    ]
    if not reruns:
        return not_applicable(NAME)
    cited = [seen.cited for seen in reruns]
    different = [seen.cited for seen in reruns if seen.body.outcome == "different"]
    if different:
        return answer(NAME, Outcome.CONTRADICTED, different, count=len(different), total=len(reruns))
    whole = all(
        seen.body.outcome == "same" and seen.body.facts.get("environment") == "same" for seen in reruns
    )
    return answer(NAME, Outcome.SHOWN if whole else Outcome.PARTLY, cited, count=len(reruns))


PROBE = make_probe(NAME, ask, "report", "described")
