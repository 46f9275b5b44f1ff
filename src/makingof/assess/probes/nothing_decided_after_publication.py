"""Were the choices and edits recorded before the picture went out, and not argued afterwards?"""

from makingof.assess.evidence import Evidence, cite
from makingof.assess.finding import Answer, Outcome
from makingof.assess.probe import answer, make_probe, not_applicable
from makingof.event import Kind
from makingof.part import Means

NAME = "nothing_decided_after_publication"


def ask(evidence: Evidence) -> Answer:
    """By the recorder's clock against the stated instant of publication: both are claims.

    What is told or found later says so by its means and is only not shown; an act done live after
    publication, and none before, is what an opponent will call an argument.
    """
    told = [*evidence.of_kind(Kind.SELECTED, Kind.REJECTED, Kind.BRIEFED), *evidence.edits]
    if evidence.published_ms is None or not told:
        return not_applicable(NAME)
    late = [member for member in told if evidence.is_after_publication(member.entry)]
    if not late:
        return answer(NAME, Outcome.SHOWN, map(cite, told), count=len(told))
    if len(late) < len(told):
        return answer(NAME, Outcome.PARTLY, map(cite, late), count=len(late), total=len(told))
    if all(member.entry.means in (Means.STATED, Means.RECOVERED) for member in late):
        return answer(NAME, Outcome.ABSENT, map(cite, late), total=len(told))
    return answer(NAME, Outcome.CONTRADICTED, map(cite, late), total=len(told))


PROBE = make_probe(NAME, ask, "choice reason note", "selected rejected briefed edited published")
