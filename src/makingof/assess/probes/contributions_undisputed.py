"""Does the record hold one account of who did what?"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from makingof.assess.evidence import Evidence, Seen
from makingof.assess.finding import Answer, Cited, Outcome
from makingof.assess.probe import answer, listing, make_probe
from makingof.assess.probes.roles_stated import ROLES
from makingof.digest import Digest
from makingof.event import Kind
from makingof.lineage.lineage import Member
from makingof.part import PartType, People
from makingof.texts import say

NAME = "contributions_undisputed"


@dataclass(frozen=True, slots=True)
class _Account:
    """Who, by one statement, had one role; a statement taken back was still made."""

    cited: Cited
    role: str
    people: frozenset[str]
    about: frozenset[Digest]
    withdrawn: bool


def ask(evidence: Evidence) -> Answer:
    """Two statements that give one role to different people, or an act to others than who did it.

    Conflicts are shown and not resolved. One that was withdrawn since leaves it partly:
    taking a statement back does not make it unsaid.
    """
    members = [member for member in evidence.everything if member.entry.kind is not Kind.ENROLLED]
    accounts = [
        account for seen in evidence.said(PartType.PEOPLE, People, members) for account in _accounts(seen)
    ]
    acts = {member.entry.name: member for member in evidence.everything}
    against = _disputed(accounts, acts)
    if not against:
        return answer(NAME, Outcome.SHOWN, [item.cited for item in accounts], count=len(accounts))
    standing = _disputed([item for item in accounts if not item.withdrawn], acts)
    roles = listing(say(f"assess.role_{role}") for role in sorted({item.role for item in against}))
    cited = [item.cited for item in against]
    if standing:
        return answer(NAME, Outcome.CONTRADICTED, cited, roles=roles, count=len(against))
    withdrawn = sum(item.withdrawn for item in against)
    return answer(NAME, Outcome.PARTLY, cited, roles=roles, count=withdrawn)


def _disputed(accounts: list[_Account], acts: Mapping[Digest, Member]) -> list[_Account]:
    """Return the accounts that do not agree with each other, or with who acted."""
    told: dict[str, set[frozenset[str]]] = defaultdict(set)
    for account in accounts:
        told[account.role].add(account.people)
    return [item for item in accounts if len(told[item.role]) > 1 or _is_about_others(item, acts)]


def _accounts(seen: Seen[People]) -> list[_Account]:
    by_role: dict[str, set[str]] = {}
    for person in seen.body.people:
        if person.role in ROLES:
            by_role.setdefault(person.role, set()).add(person.id)
    about = frozenset(seen.entry.event.header.cites)
    withdrawn = bool(seen.member.withdrawn_by)
    return [
        _Account(seen.cited, role, frozenset(people), about, withdrawn) for role, people in by_role.items()
    ]


def _is_about_others(account: _Account, acts: Mapping[Digest, Member]) -> bool:
    """Tell whether an act the statement is about was recorded as somebody else's."""
    for name in account.about:
        act = acts.get(name)
        if act is not None and act.entry.kind in ROLES[account.role]:
            actor = act.entry.event.header.actor
            if actor is not None and actor not in account.people:
                return True
    return False


PROBE = make_probe(NAME, ask, "people note reason")
