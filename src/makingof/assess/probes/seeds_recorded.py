"""Is the seed of every job behind the pictures on record?"""

from makingof.assess.evidence import Evidence
from makingof.assess.finding import Answer
from makingof.assess.probe import by_fields, make_probe

NAME = "seeds_recorded"
FIELDS = ("seed",)


def ask(evidence: Evidence) -> Answer:
    """A job counts if its record states one of `FIELDS` with a value."""
    return by_fields(NAME, evidence, FIELDS)


PROBE = make_probe(NAME, ask, "parameters", "prompted generated attempted")
