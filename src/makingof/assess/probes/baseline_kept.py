"""Can the picture before the edits be laid beside the one after?"""

from makingof.assess.evidence import Evidence, cite
from makingof.assess.finding import Answer, Outcome
from makingof.assess.probe import answer, basis_of, make_probe, not_applicable
from makingof.lineage.lineage import Member
from makingof.lineage.links import MADE_ROLES
from makingof.part import Holding

NAME = "baseline_kept"


def ask(evidence: Evidence) -> Answer:
    """Both bytes must be held: what an edit added can be weighed only beside what it was added to."""
    if not evidence.edits:
        return not_applicable(NAME)
    kept = [edit for edit in evidence.edits if _has_both(evidence, edit)]
    if not kept:
        return answer(NAME, Outcome.ABSENT, total=len(evidence.edits))
    # The edit is told by a person in any case; what the means must carry is the picture before it.
    cited = [cite(maker) for edit in kept for maker in evidence.sources_of(edit).values()]
    outcome = Outcome.SHOWN if len(kept) == len(evidence.edits) else Outcome.PARTLY
    return answer(NAME, outcome, cited, basis=basis_of(cited), count=len(kept), total=len(evidence.edits))


def _has_both(evidence: Evidence, edit: Member) -> bool:
    after = any(
        said.body.role in MADE_ROLES and said.body.holding is Holding.HELD for said in edit.entry.files()
    )
    return after and not evidence.held.isdisjoint(evidence.sources_of(edit))


PROBE = make_probe(NAME, ask, "file", "edited generated imported")
