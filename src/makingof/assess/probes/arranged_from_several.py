"""Were several pictures chosen and put together?"""

from makingof.assess.evidence import Evidence, cite
from makingof.assess.finding import Answer, Cited, Outcome
from makingof.assess.probe import answer, make_probe

NAME = "arranged_from_several"
_SEVERAL = 2


def ask(evidence: Evidence) -> Answer:
    """Put together is what one edit made of several recorded pictures, or one final choice of several."""
    composed: list[Cited] = [
        cite(edit) for edit in evidence.edits if len(evidence.sources_of(edit)) >= _SEVERAL
    ]
    selected = [
        seen.cited
        for seen in evidence.choices
        if seen.body.final
        and len(set(seen.body.judged)) >= _SEVERAL
        and evidence.is_about_pictures(seen.body.judged)
    ]
    if composed or selected:
        return answer(NAME, Outcome.SHOWN, [*composed, *selected], count=len(composed) + len(selected))
    return answer(NAME, Outcome.ABSENT)


PROBE = make_probe(NAME, ask, "file choice", "edited selected")
