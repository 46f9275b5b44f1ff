"""Is it on record on which machine, with which software, the pictures were made?"""

from makingof.assess.evidence import Evidence, cite
from makingof.assess.finding import Answer
from makingof.assess.probe import by_share, make_probe, not_applicable
from makingof.part import Environment, PartType

NAME = "environment_recorded"


def ask(evidence: Evidence) -> Answer:
    """Of each job, or of the run of the program it belongs to."""
    if not evidence.outputs:
        return not_applicable(NAME)
    runs = {
        entry.event.header.stream
        for entry in evidence.context
        if entry.event.header.stream and entry.statements(PartType.ENVIRONMENT, Environment)
    }
    known = {
        job.entry.position: [
            *(
                seen.cited
                for seen in evidence.said(PartType.ENVIRONMENT, Environment, evidence.requests_of(job))
            ),
            *([cite(job)] if job.entry.event.header.stream in runs else []),
        ]
        for job in evidence.outputs
    }
    cited = [item for found in known.values() for item in found]
    return by_share(NAME, cited, sum(not found for found in known.values()))


PROBE = make_probe(NAME, ask, "environment")
