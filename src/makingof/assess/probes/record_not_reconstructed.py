"""Is what is offered a record, and not a reconstruction made afterwards?"""

from makingof.assess.evidence import Evidence, cite
from makingof.assess.finding import Answer, Cited, Outcome
from makingof.assess.probe import answer, make_probe
from makingof.assess.probes.session_filmed import late_films
from makingof.event import Kind
from makingof.part import Means

NAME = "record_not_reconstructed"


def ask(evidence: Evidence) -> Answer:
    """Captions, re-runs and later recordings can support a record and never stand in for one (Zhou 2025)."""
    prompts = [seen.cited for job in evidence.outputs for seen in evidence.prompts_of(job)]
    kept = [item for item in prompts if item.means is not Means.STATED]
    made_later: list[Cited] = [
        cite(member) for member in (*evidence.of_kind(Kind.DESCRIBED), *late_films(evidence))
    ]
    if kept:
        return answer(NAME, Outcome.SHOWN, kept, later=len(made_later))
    if made_later:
        return answer(NAME, Outcome.CONTRADICTED, made_later, later=len(made_later))
    if prompts:
        return answer(NAME, Outcome.PARTLY, prompts)
    return answer(NAME, Outcome.ABSENT)


PROBE = make_probe(NAME, ask, "prompt note report raw", "prompted generated described filmed")
