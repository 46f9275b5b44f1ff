"""Is every number there that the runs behind the pictures counted?"""

from makingof.assess.evidence import Evidence
from makingof.assess.finding import Answer, Cited, Outcome
from makingof.assess.probe import answer, make_probe

NAME = "streams_complete"


def ask(evidence: Evidence) -> Answer:
    """Of runs that counted as they went. An import counts files found, and nothing that was not found."""
    runs = [stream for stream in evidence.lineage.streams if stream.of != "import"]
    if not runs:
        return answer(NAME, Outcome.ABSENT)
    missing = sum(stream.missing_count for stream in runs)
    gaps = sum(len(stream.gaps) for stream in runs)
    unopened = sum(stream.opened is None for stream in runs)
    bounds = {position for stream in runs for position in stream.positions}
    cited = [
        Cited(entry.position, entry.name, entry.means)
        for entry in evidence.context
        if entry.position in bounds
    ]
    whole = not (missing or gaps or unopened)
    outcome = Outcome.SHOWN if whole else Outcome.PARTLY
    return answer(NAME, outcome, cited, count=len(runs), missing=missing, gaps=gaps, unopened=unopened)


PROBE = make_probe(NAME, ask, "own", "opened closed pulse gap")
