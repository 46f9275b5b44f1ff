"""Is it told who conceived, who prompted, who chose and who edited?"""

from makingof.assess.evidence import Evidence, cite
from makingof.assess.finding import Answer, Cited
from makingof.assess.probe import by_share, listing, make_probe, not_applicable
from makingof.event import Kind
from makingof.lineage.links import JOB_KINDS
from makingof.part import PartType, People
from makingof.texts import say

NAME = "roles_stated"
# What a person did → the kinds of event that show it was done.
ROLES = {
    "conceived": frozenset({Kind.BRIEFED}),
    "prompted": JOB_KINDS,
    "chose": frozenset({Kind.SELECTED, Kind.REJECTED}),
    "edited": frozenset({Kind.EDITED}),
}


def ask(evidence: Evidence) -> Answer:
    """A role is told by the actor of such an act, or by a statement with people that names the role."""
    wanted = {role for role, kinds in ROLES.items() if evidence.of_kind(*kinds)}
    if not wanted:
        return not_applicable(NAME)
    told: dict[str, list[Cited]] = {role: [] for role in wanted}
    for seen in evidence.said(PartType.PEOPLE, People, evidence.members):
        for person in seen.body.people:
            if person.role in told:
                told[person.role].append(seen.cited)
    for role in wanted:
        acts = evidence.of_kind(*ROLES[role])
        told[role] += [cite(member) for member in acts if member.entry.event.header.actor is not None]
    silent = sorted(role for role, cited in told.items() if not cited)
    return by_share(
        NAME,
        [item for cited in told.values() for item in cited],
        len(silent),
        roles=listing(say(f"assess.role_{role}") for role in silent),
    )


PROBE = make_probe(NAME, ask, "people")
