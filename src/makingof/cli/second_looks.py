"""Words for second looks: how many of a generator's own jobs the log has, and why not the others."""

from collections.abc import Iterator

from makingof.cli.spelling import visible
from makingof.lineage.second_looks import REASONS, SecondLook
from makingof.texts import Message, say

_MAX_NAMED = 20


def second_look_lines(look: SecondLook) -> Iterator[Message]:
    """Say what a look found; of many missing jobs the first by name."""
    tool, url = visible(look.tool), visible(look.url)
    yield say("recording.second_look", tool=tool, url=url, recorded=look.recorded, jobs=look.jobs)
    for job, why in list(look.missing.items())[:_MAX_NAMED]:
        yield say(f"recording.why_{why if why in REASONS else 'unknown'}", job=visible(job))
    if (more := len(look.missing) - _MAX_NAMED) > 0:
        yield say("recording.missing_more", count=more)
