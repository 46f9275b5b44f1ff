"""Is the prompt of every job behind the pictures on record?"""

from makingof.assess.evidence import Evidence
from makingof.assess.finding import Answer
from makingof.assess.probe import by_share, make_probe, not_applicable

NAME = "prompts_recorded"


def ask(evidence: Evidence) -> Answer:
    """Only text counts: a number of prompts, or a caption made afterwards, is not a prompt."""
    if not evidence.outputs:
        return not_applicable(NAME)
    found = {job.entry.position: evidence.prompts_of(job) for job in evidence.outputs}
    spoken = [seen.cited for prompts in found.values() for seen in prompts]
    return by_share(NAME, spoken, sum(not prompts for prompts in found.values()))


PROBE = make_probe(NAME, ask, "prompt negative", "prompted generated attempted")
