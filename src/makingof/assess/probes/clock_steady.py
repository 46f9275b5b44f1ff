"""Did the recorder's clock run as the machine's own count of time did, and inside the outside bounds?"""

from itertools import pairwise

from makingof.assess.evidence import Evidence, moment_ms, recorded_ms
from makingof.assess.finding import Answer, Cited, Outcome
from makingof.assess.probe import answer, make_probe
from makingof.lineage.entry import Entry

NAME = "clock_steady"
_JUMP_MS = 120_000
_SLACK_MS = 300_000


def ask(evidence: Evidence) -> Answer:
    """A clock set back shows at once; one set forward shows within a run, against the uptime."""
    entries = {entry.position: entry for entry in (*evidence.context, *evidence.beside)}
    entries |= {member.entry.position: member.entry for member in evidence.everything}
    ordered = [entries[position] for position in sorted(entries)]
    wrong = [after for before, after in pairwise(ordered) if _jumped(before, after)]
    wrong += [entry for entry in ordered if _is_outside(evidence, entry)]
    if wrong:
        cited = [Cited(entry.position, entry.name, entry.means) for entry in wrong]
        return answer(NAME, Outcome.CONTRADICTED, cited, count=len({item.position for item in cited}))
    return answer(NAME, Outcome.SHOWN, count=len(ordered))


def _jumped(before: Entry, after: Entry) -> bool:
    wall = recorded_ms(after) - recorded_ms(before)
    if wall < -_JUMP_MS:
        return True
    uptime = after.event.header.uptime_ms - before.event.header.uptime_ms
    same_run = before.event.header.stream is not None and (
        before.event.header.stream == after.event.header.stream
    )
    return same_run and uptime >= 0 and abs(wall - uptime) > _JUMP_MS


def _is_outside(evidence: Evidence, entry: Entry) -> bool:
    bounds = evidence.bounds_of(entry.position)
    first, last = bounds.not_before.at, bounds.not_after.at
    told = recorded_ms(entry)
    early = first is not None and told < moment_ms(first) - _SLACK_MS
    late = last is not None and told > moment_ms(last) + _SLACK_MS
    return early or late or bounds.contradictory


PROBE = make_probe(NAME, ask, "own", "checked opened")
