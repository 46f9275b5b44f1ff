"""Was the making itself filmed, and not a repetition of it?"""

from makingof.assess.evidence import Evidence, cite, happened_ms
from makingof.assess.finding import Answer, Outcome
from makingof.assess.probe import answer, make_probe
from makingof.event import Kind
from makingof.lineage.lineage import Member

NAME = "session_filmed"
_DAY_MS = 86_400_000


def late_films(evidence: Evidence) -> list[Member]:
    """Return the recordings said to be of a day after the making ended, or after publication."""
    made = [*evidence.jobs, *evidence.edits]
    ended = max((happened_ms(member.entry) for member in made), default=None)
    limit = None if ended is None else ended + _DAY_MS
    if evidence.published_ms is not None:
        limit = evidence.published_ms if limit is None else min(limit, evidence.published_ms)
    films = evidence.of_kind(Kind.FILMED)
    return [film for film in films if limit is not None and happened_ms(film.entry) > limit]


def ask(evidence: Evidence) -> Answer:
    """A recording of a later repetition shows how it can be done, not how it was done (Zhangjiagang 2025)."""
    films = evidence.of_kind(Kind.FILMED)
    late = late_films(evidence)
    then = [film for film in films if film.entry.position not in {item.entry.position for item in late}]
    if then:
        return answer(NAME, Outcome.SHOWN, map(cite, then), count=len(then))
    if late:
        return answer(NAME, Outcome.ABSENT, map(cite, late), variant="late", count=len(late))
    return answer(NAME, Outcome.ABSENT)


PROBE = make_probe(NAME, ask, "file note", "filmed")
