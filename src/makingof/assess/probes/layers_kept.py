"""Is the layered document of the manual work on record?"""

from makingof.assess.evidence import Evidence
from makingof.assess.finding import Answer, Cited, Outcome
from makingof.assess.probe import answer, make_probe, not_applicable
from makingof.part import Role

NAME = "layers_kept"


def ask(evidence: Evidence) -> Answer:
    """Layers show what lies over what; that they were drawn by hand they do not show."""
    if not evidence.edits:
        return not_applicable(NAME)
    cited = [
        Cited(edit.entry.position, edit.entry.name, said.part.means)
        for edit in evidence.edits
        for said in edit.entry.files()
        if said.body.role is Role.LAYER
    ]
    return answer(NAME, Outcome.SHOWN if cited else Outcome.ABSENT, cited, count=len(cited))


PROBE = make_probe(NAME, ask, "file", "edited")
