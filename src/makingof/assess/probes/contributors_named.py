"""Is everybody who acted named?"""

from makingof.assess.evidence import Evidence, cite
from makingof.assess.finding import Answer, plain
from makingof.assess.probe import by_share, make_probe, not_applicable
from makingof.event import Kind
from makingof.lineage.lineage import Member
from makingof.part import Means, PartType, People

NAME = "contributors_named"
_ACTS = frozenset({Kind.BRIEFED, Kind.SELECTED, Kind.REJECTED, Kind.EDITED})


def ask(evidence: Evidence) -> Answer:
    """Acts of people need an actor, and every pseudonym a name; who is behind a name nobody proves here."""
    told = [member for member in evidence.members if member.entry.means is not Means.OWN and _is_act(member)]
    ids = {member.entry.event.header.actor for member in told}
    named_in = evidence.said(PartType.PEOPLE, People, evidence.members)
    ids |= {person.id for seen in named_in for person in seen.body.people}
    if not ids:
        return not_applicable(NAME)
    nameless = {pseudonym for pseudonym in ids if not _has_name(evidence, pseudonym)}
    cited = [cite(member) for member in told if member.entry.event.header.actor not in nameless]
    known = ", ".join(sorted(plain(pseudonym or "–") for pseudonym in nameless)[:20])
    return by_share(NAME, cited, len(nameless), nameless=known)


def _is_act(member: Member) -> bool:
    return member.entry.event.header.actor is not None or member.entry.kind in _ACTS


def _has_name(evidence: Evidence, pseudonym: str | None) -> bool:
    return pseudonym is not None and any(person.name for person in evidence.people.get(pseudonym, ()))


PROBE = make_probe(NAME, ask, "people")
