"""Was a generated picture worked on by hand afterwards?"""

from makingof.assess.evidence import Evidence, cite
from makingof.assess.finding import Answer, Outcome
from makingof.assess.probe import answer, basis_of, make_probe

NAME = "edited_after_generation"


def ask(evidence: Evidence) -> Answer:
    """An edit whose source is not on record is told of, and cannot be followed."""
    if not evidence.edits:
        return answer(NAME, Outcome.ABSENT)
    followed = [edit for edit in evidence.edits if evidence.sources_of(edit)]
    cited = [cite(edit) for edit in followed or evidence.edits]
    if not followed:
        return answer(NAME, Outcome.PARTLY, cited, count=len(cited))
    return answer(NAME, Outcome.SHOWN, cited, basis=basis_of(cited), count=len(cited))


PROBE = make_probe(NAME, ask, "file report note", "edited")
