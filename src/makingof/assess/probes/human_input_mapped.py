"""Did a person say where their own input can be seen in the result?"""

from makingof.assess.evidence import Evidence
from makingof.assess.finding import Answer, Outcome
from makingof.assess.probe import answer, make_probe, not_applicable
from makingof.assess.probes.elements_mapped import mappings
from makingof.assess.probes.human_input_used import inputs

NAME = "human_input_mapped"


def ask(evidence: Evidence) -> Answer:
    """A mapping that is about an input and about the result. Whether it can be seen, the reader judges."""
    used = {blob for _, blob in inputs(evidence)}
    if not used:
        return not_applicable(NAME)
    found = [
        seen
        for seen in mappings(evidence)
        if used & {evidence.blob_of(part) for part in seen.body.about}
        and evidence.is_about_pictures(seen.body.about)
    ]
    return answer(
        NAME, Outcome.SHOWN if found else Outcome.ABSENT, [seen.cited for seen in found], count=len(found)
    )


PROBE = make_probe(NAME, ask, "note", "noted")
