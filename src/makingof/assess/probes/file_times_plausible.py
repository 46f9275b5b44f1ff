"""Do the files of a sitting have times of their own, and not all the same one?"""

from collections import defaultdict

from makingof.assess.evidence import Evidence, Seen
from makingof.assess.finding import Answer, Outcome
from makingof.assess.probe import answer, make_probe, not_applicable
from makingof.clock import parse_instant
from makingof.errors import MalformedError
from makingof.part import Means, PartType, Place

NAME = "file_times_plausible"
_MANY = 3


def ask(evidence: Evidence) -> Answer:
    """Three or more jobs found later whose files all have one time were copied, touched, or no sitting.

    That times differ shows nothing more: they are claims of the file system.
    """
    recovered = [job for job in evidence.jobs if job.entry.means is Means.RECOVERED]
    by_time: dict[str, list[Seen[Place]]] = defaultdict(list)
    for seen in evidence.said(PartType.PLACE, Place, recovered):
        if (told := seen.body.modified) is not None and _is_instant(told):
            by_time[told].append(seen)
    jobs = {seen.entry.position for told in by_time.values() for seen in told}
    if len(jobs) < _MANY:
        return not_applicable(NAME)
    cited = [seen.cited for told in by_time.values() for seen in told]
    outcome = Outcome.CONTRADICTED if len(by_time) == 1 else Outcome.SHOWN
    return answer(NAME, outcome, cited, count=len(jobs), times=len(by_time))


def _is_instant(told: str) -> bool:
    """Tell whether a file time names an instant: a bare day is rightly the same for a whole sitting."""
    try:
        parse_instant(told)
    except MalformedError:
        return False
    return True


PROBE = make_probe(NAME, ask, "place", "generated")
