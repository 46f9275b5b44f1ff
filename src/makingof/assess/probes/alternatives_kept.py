"""Are the pictures that were turned down still there to be compared?"""

from makingof.assess.evidence import Evidence, cite
from makingof.assess.finding import Answer, Outcome
from makingof.assess.probe import answer, make_probe
from makingof.digest import Digest
from makingof.event import Kind
from makingof.part import Choice, Holding, PartType

NAME = "alternatives_kept"


def ask(evidence: Evidence) -> Answer:
    """Turned down is what lay on the table and was not judged kept, and what was rejected outright."""
    down: set[Digest] = set()
    for seen in evidence.choices:
        down |= set(seen.body.among) - set(seen.body.judged)
    for seen in evidence.said(PartType.CHOICE, Choice, evidence.of_kind(Kind.REJECTED)):
        down |= set(seen.body.judged)
    kept = [part for part in down if (known := evidence.files.get(part)) and known[1].holding is Holding.HELD]
    if not down:
        return answer(NAME, Outcome.ABSENT)
    cited = [cite(evidence.files[part][0]) for part in kept]
    outcome = Outcome.ABSENT if not kept else Outcome.SHOWN if len(kept) == len(down) else Outcome.PARTLY
    variant = "gone" if not kept else None
    return answer(NAME, outcome, cited, variant=variant, count=len(kept), total=len(down))


PROBE = make_probe(NAME, ask, "choice file", "selected rejected generated edited imported")
