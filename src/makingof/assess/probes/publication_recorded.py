"""Is it on record where and when the picture first went out?"""

from makingof.assess.evidence import Evidence, cite
from makingof.assess.finding import Answer, Outcome
from makingof.assess.probe import answer, basis_of, make_probe
from makingof.part import PartType, Place

NAME = "publication_recorded"


def ask(evidence: Evidence) -> Answer:
    """A place and an instant; without the instant it is partly shown."""
    if not evidence.published:
        return answer(NAME, Outcome.ABSENT)
    placed = [
        member
        for member in evidence.published
        if any(seen.body.url or seen.body.path for seen in evidence.said(PartType.PLACE, Place, [member]))
    ]
    timed = [member for member in placed if member.entry.event.header.occurred_at is not None]
    cited = [cite(member) for member in timed or evidence.published]
    outcome = Outcome.SHOWN if timed else Outcome.PARTLY
    return answer(NAME, outcome, cited, basis=basis_of(cited), count=len(cited))


PROBE = make_probe(NAME, ask, "place note", "published")
