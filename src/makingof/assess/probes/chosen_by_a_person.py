"""Did a person choose and edit, and not a program?"""

from makingof.assess.evidence import Evidence, cite, recorded_ms
from makingof.assess.finding import Answer, Outcome
from makingof.assess.probe import answer, make_probe
from makingof.event import Kind
from makingof.lineage.lineage import Member
from makingof.part import Means

NAME = "chosen_by_a_person"
_MANY = 5
_FAST_MS = 2_000


def ask(evidence: Evidence) -> Answer:
    """By the actor of each act. Five live acts of one actor within two seconds are no hand's work."""
    acts = evidence.of_kind(Kind.SELECTED, Kind.REJECTED, Kind.EDITED)
    told = [member for member in acts if member.entry.event.header.actor is not None]
    if not told:
        return answer(NAME, Outcome.ABSENT)
    programs = [member for member in told if evidence.is_program(member.entry.event.header.actor or "")]
    if len(programs) == len(told):
        return answer(NAME, Outcome.CONTRADICTED, map(cite, programs), count=len(programs))
    if programs:
        return answer(NAME, Outcome.PARTLY, map(cite, told), count=len(programs), total=len(told))
    if fast := _too_fast(told):
        return answer(NAME, Outcome.PARTLY, map(cite, fast), variant="fast", count=len(fast))
    return answer(NAME, Outcome.SHOWN, map(cite, told), count=len(told))


def _too_fast(acts: list[Member]) -> list[Member]:
    """Return acts that follow each other faster than anybody looks at pictures."""
    live: dict[str, list[Member]] = {}
    for member in acts:
        if member.entry.means is Means.LIVE:
            live.setdefault(member.entry.event.header.actor or "", []).append(member)
    found: dict[int, Member] = {}
    for members in live.values():
        for at in range(len(members) - _MANY + 1):
            run = members[at : at + _MANY]
            if 0 <= recorded_ms(run[-1].entry) - recorded_ms(run[0].entry) <= _FAST_MS:
                found |= {member.entry.position: member for member in run}
    return [found[position] for position in sorted(found)]


PROBE = make_probe(NAME, ask, "people choice", "selected rejected edited enrolled noted")
