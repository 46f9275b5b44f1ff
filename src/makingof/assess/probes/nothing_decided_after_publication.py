"""Were the choices and edits recorded before the picture went out, and not argued afterwards?"""

from makingof.assess.evidence import Evidence, cite
from makingof.assess.finding import Answer, Outcome
from makingof.assess.probe import answer, make_probe, not_applicable
from makingof.event import Kind

NAME = "nothing_decided_after_publication"


def ask(evidence: Evidence) -> Answer:
    """By the recorder's clock against the stated instant of publication: both are claims."""
    told = [*evidence.of_kind(Kind.SELECTED, Kind.REJECTED, Kind.BRIEFED), *evidence.edits]
    if evidence.published_ms is None or not told:
        return not_applicable(NAME)
    late = [member for member in told if evidence.is_after_publication(member.entry)]
    if not late:
        return answer(NAME, Outcome.SHOWN, map(cite, told), count=len(told))
    outcome = Outcome.CONTRADICTED if len(late) == len(told) else Outcome.PARTLY
    return answer(NAME, outcome, map(cite, late), count=len(late), total=len(told))


PROBE = make_probe(NAME, ask, "choice reason note", "selected rejected briefed edited published")
