"""Did what was asked for change from one attempt to the next?"""

from itertools import pairwise

from makingof.assess.evidence import Evidence, happened_ms
from makingof.assess.finding import Answer, Cited, Outcome
from makingof.assess.probe import answer, basis_of, make_probe, not_applicable

NAME = "settings_changed_between_jobs"
_NOT_ASKED_FOR = frozenset(
    {"seed", "job", "made_at", "user"}
)  # a new seed alone is another throw of the dice


def ask(evidence: Evidence) -> Answer:
    """Jobs are compared in the order they are said to have happened; a changed seed alone is no change."""
    jobs = sorted(evidence.jobs, key=lambda job: (happened_ms(job.entry), job.entry.position))
    told = [(job, settings) for job in jobs if (settings := _settings(evidence.settings_of(job)))]
    if len(told) <= 1:
        return not_applicable(NAME)
    changed: list[Cited] = []
    for (_, before), (job, after) in pairwise(told):
        if before != after:
            changed += evidence.spoken_of(job)
    steps = len({item.position for item in changed})
    if not changed:
        return answer(NAME, Outcome.ABSENT, total=len(told))
    return answer(NAME, Outcome.SHOWN, changed, basis=basis_of(changed), count=steps, total=len(told) - 1)


def _settings(found: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in found.items() if name not in _NOT_ASKED_FOR}


PROBE = make_probe(NAME, ask, "prompt negative parameters", "prompted generated attempted")
