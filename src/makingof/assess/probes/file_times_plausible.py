"""Do the files of a sitting have times of their own, and not all the same one?"""

from collections import defaultdict

from makingof.assess.evidence import Evidence, Seen
from makingof.assess.finding import Answer, Outcome
from makingof.assess.probe import answer, make_probe, not_applicable
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
        if seen.body.modified:
            by_time[seen.body.modified].append(seen)
    jobs = {seen.entry.position for told in by_time.values() for seen in told}
    if len(jobs) < _MANY:
        return not_applicable(NAME)
    cited = [seen.cited for told in by_time.values() for seen in told]
    outcome = Outcome.CONTRADICTED if len(by_time) == 1 else Outcome.SHOWN
    return answer(NAME, outcome, cited, count=len(jobs), times=len(by_time))


PROBE = make_probe(NAME, ask, "place", "generated")
