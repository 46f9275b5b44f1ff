"""Do outsiders say by when the record of the making existed?"""

from makingof.assess.evidence import Evidence, cite
from makingof.assess.finding import Answer, Basis, Outcome
from makingof.assess.probe import answer, make_probe, not_applicable
from makingof.event import Kind
from makingof.stamp.bounds import Standing

NAME = "record_dated"


def ask(evidence: Evidence) -> Answer:
    """Two authorities prove a time, one vouches for it. It is the record's time and not the happening's."""
    told = [*evidence.outputs, *evidence.edits, *evidence.of_kind(Kind.SELECTED)]
    if not told:
        return not_applicable(NAME)
    standings = {
        member.entry.position: evidence.bounds_of(member.entry.position).not_after.standing for member in told
    }
    dated = [member for member in told if standings[member.entry.position] is not Standing.NONE]
    if not dated:
        return answer(NAME, Outcome.ABSENT)
    by_two = all(standings[member.entry.position] is Standing.TWO for member in dated)
    outcome = Outcome.SHOWN if len(dated) == len(told) else Outcome.PARTLY
    basis = Basis.PROVED if by_two else Basis.VOUCHED
    return answer(NAME, outcome, map(cite, dated), basis=basis, count=len(dated), total=len(told))


PROBE = make_probe(NAME, ask, "own", "stamped")
