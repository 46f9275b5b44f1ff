"""Did the recorder check itself, and was it well?"""

from makingof.assess.evidence import Evidence
from makingof.assess.finding import Answer, Cited, Outcome
from makingof.assess.probe import answer, make_probe
from makingof.event import Kind
from makingof.lineage.second_looks import second_looks
from makingof.part import Own, PartType

NAME = "system_checked"
_CLOCK_MS = 120_000


def ask(evidence: Evidence) -> Answer:
    """The recorder's word about itself: good and bad checks are logged alike."""
    beside = (
        *evidence.context,
        *evidence.beside,
        *(member.entry for member in evidence.of_kind(Kind.CHECKED)),
    )
    # A look at a generator's history says nothing of the recorder's own health.
    found = {entry.position: entry for entry in beside if entry.kind is Kind.CHECKED}
    checks = [entry for entry in found.values() if not any(second_looks(entry))]
    cited = [Cited(entry.position, entry.name, entry.means) for entry in checks]
    if not checks:
        return answer(NAME, Outcome.ABSENT)
    wrong = [entry for entry in checks if (own := entry.first(PartType.OWN, Own)) and _is_wrong(own.facts)]
    if wrong:
        return answer(NAME, Outcome.PARTLY, cited, count=len(wrong), total=len(checks))
    return answer(NAME, Outcome.SHOWN, cited, count=len(checks))


def _is_wrong(facts: dict[str, object]) -> bool:
    clock = facts.get("clock")
    return isinstance(clock, int) and abs(clock) > _CLOCK_MS


PROBE = make_probe(NAME, ask, "own", "checked")
