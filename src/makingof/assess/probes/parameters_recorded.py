"""Are the settings of every job behind the pictures on record?"""

from makingof.assess.evidence import Evidence
from makingof.assess.finding import Answer
from makingof.assess.probe import by_share, make_probe, not_applicable

NAME = "parameters_recorded"
FIELDS = (
    "steps",
    "sampler",
    "guidance",
    "scheduler",
    "width",
    "denoise",
    "adapters",
)


def ask(evidence: Evidence) -> Answer:
    """A job counts if its record states one of `FIELDS` with a value."""
    if not evidence.outputs:
        return not_applicable(NAME)
    found = [evidence.field_of(job, *FIELDS) for job in evidence.outputs]
    return by_share(NAME, [item for cited in found for item in cited], sum(not cited for cited in found))


PROBE = make_probe(NAME, ask, "parameters", "prompted generated attempted")
