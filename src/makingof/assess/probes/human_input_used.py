"""Did a picture that no generator made go into a job?"""

from collections.abc import Iterator

from makingof.assess.evidence import INPUT_ROLES, Evidence, cite
from makingof.assess.finding import Answer, Cited, Outcome
from makingof.assess.probe import answer, make_probe, not_applicable
from makingof.digest import Digest
from makingof.event import Kind
from makingof.lineage.lineage import Member

NAME = "human_input_used"
_BROUGHT = (Kind.BRIEFED, Kind.IMPORTED, Kind.NOTED)


def inputs(evidence: Evidence) -> Iterator[tuple[Member, Digest]]:
    """Yield the jobs behind the pictures with the bytes they used and no job or edit of the record made."""
    for job in evidence.outputs:
        for said in job.entry.files():
            if said.body.role in INPUT_ROLES and said.body.digest not in evidence.makers:
                yield job, said.body.digest


def ask(evidence: Evidence) -> Answer:
    """That no generator's trace was found does not show who made it: shown is where it came from."""
    if not evidence.outputs:
        return not_applicable(NAME)
    used = list(inputs(evidence))
    if not used:
        return answer(NAME, Outcome.ABSENT)
    brought = _brought(evidence, {blob for _, blob in used})
    cited: list[Cited] = [cite(job) for job, _ in used] + [cite(member) for member in brought]
    return answer(NAME, Outcome.SHOWN if brought else Outcome.PARTLY, cited, count=len(used))


def _brought(evidence: Evidence, blobs: set[Digest]) -> list[Member]:
    return [
        member
        for member in evidence.of_kind(*_BROUGHT)
        if any(said.body.digest in blobs for said in member.entry.files())
    ]


PROBE = make_probe(NAME, ask, "file parameters", "generated briefed imported noted")
