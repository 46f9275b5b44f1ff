"""Was one of the pictures behind the result chosen among others that are on record too?"""

from makingof.assess.evidence import Evidence
from makingof.assess.finding import Answer, Outcome
from makingof.assess.probe import answer, basis_of, make_probe

NAME = "chosen_among_candidates"


def ask(evidence: Evidence) -> Answer:
    """A choice whose alternatives are not told shows that something was kept, not what was turned down."""
    choices = [seen for seen in evidence.choices if evidence.is_in_line(seen.body.judged)]
    if not choices:
        return answer(NAME, Outcome.ABSENT)
    among = [seen for seen in choices if set(seen.body.among) - set(seen.body.judged)]
    if not among:
        return answer(NAME, Outcome.PARTLY, [seen.cited for seen in choices], count=len(choices))
    cited = [seen.cited for seen in among]
    widest = max(len(set(seen.body.among) | set(seen.body.judged)) for seen in among)
    return answer(NAME, Outcome.SHOWN, cited, basis=basis_of(cited), count=len(among), widest=widest)


PROBE = make_probe(NAME, ask, "choice", "selected rejected")
