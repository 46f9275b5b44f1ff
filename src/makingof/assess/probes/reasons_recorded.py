"""Did somebody write down why, when choosing?"""

from makingof.assess.evidence import Evidence
from makingof.assess.finding import Answer, Outcome
from makingof.assess.probe import answer, make_probe
from makingof.event import Kind
from makingof.part import Choice, PartType, Reason

NAME = "reasons_recorded"


def ask(evidence: Evidence) -> Answer:
    """Reasons of choices about the pictures or what went into them; others only partly show it."""
    acts = evidence.of_kind(Kind.SELECTED, Kind.REJECTED)
    given = [seen for seen in evidence.said(PartType.REASON, Reason, acts) if seen.body.text.strip()]
    if not given:
        return answer(NAME, Outcome.ABSENT)
    near = [
        seen
        for seen in given
        if any(
            evidence.is_in_line((*choice.body.judged, *choice.body.among))
            for choice in evidence.said(PartType.CHOICE, Choice, [seen.member])
        )
    ]
    if not near:
        return answer(NAME, Outcome.PARTLY, [seen.cited for seen in given], count=len(given))
    return answer(NAME, Outcome.SHOWN, [seen.cited for seen in near], count=len(near))


PROBE = make_probe(NAME, ask, "reason choice", "selected rejected")
