"""Does the generator's own history hold jobs that the record has not?"""

from collections.abc import Iterable
from typing import Any

from makingof.assess.evidence import Evidence
from makingof.assess.finding import Answer, Cited, Outcome
from makingof.assess.probe import answer, listing, make_probe, not_applicable
from makingof.lineage.entry import Entry
from makingof.lineage.links import AT_THE_MOMENT, JOB_KINDS
from makingof.lineage.second_looks import REASONS, LookedAt, compare_generators, second_looks
from makingof.texts import Message, say

NAME = "generator_history_agrees"
_KEEPS_HISTORY = frozenset({"comfyui", "invokeai"})


def ask(evidence: Evidence) -> Answer:
    """Of jobs seen as they happened, by tools whose history can be asked; each needs a look after it."""
    looks = [found for entry in evidence.context for found in second_looks(entry)]
    jobs = [member.entry for member in evidence.of_kind(*JOB_KINDS) if _is_asked(member.entry, looks)]
    if not jobs:
        return not_applicable(NAME)
    if not looks:
        return answer(NAME, Outcome.ABSENT, count=len(jobs))
    compared = compare_generators(evidence.context)
    whys = [why for found in compared for why in found.missing.values()]
    alone = sum(not any(_follows(look, job) for look in looks) for job in jobs)
    told: dict[str, Any] = {"looks": len(looks), "jobs": sum(found.jobs for found in compared)}
    positions = {look.position for look in looks}
    cited = [
        Cited(item.position, item.name, item.means) for item in evidence.context if item.position in positions
    ]
    if not whys and not alone:
        return answer(NAME, Outcome.SHOWN, cited, **told)
    return answer(
        NAME, Outcome.PARTLY, cited, **told, missing=len(whys), alone=alone, reasons=listing(_reasons(whys))
    )


def _is_asked(job: Entry, looks: Iterable[LookedAt]) -> bool:
    tools = _KEEPS_HISTORY.union(found.look.tool for found in looks)
    return job.means in AT_THE_MOMENT and job.event.header.source.tool in tools


def _follows(found: LookedAt, job: Entry) -> bool:
    return found.position > job.position and found.look.tool == job.event.header.source.tool


def _reasons(whys: list[str]) -> list[Message]:
    counts = {reason: whys.count(reason) for reason in REASONS}
    counts["unknown"] += sum(why not in REASONS for why in whys)
    return [say(f"assess.not_in_record_{why}", count=count) for why, count in counts.items() if count]


PROBE = make_probe(NAME, ask, "own", "checked")
