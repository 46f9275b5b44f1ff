"""Is it shown who controls the account the pictures were made or published with?"""

from collections.abc import Iterator

from makingof.assess.evidence import Evidence
from makingof.assess.finding import Answer, Basis, Cited, Outcome, plain
from makingof.assess.probe import answer, make_probe, not_applicable
from makingof.event import Kind
from makingof.part import PartType, Place

NAME = "account_control_shown"


def ask(evidence: Evidence) -> Answer:
    """An outsider who bound the account to a person vouches for it; a person's own word attests it.

    Chinese courts have had an account opened before them (Changshu 2025) and have asked
    whose it was (Huangpu 2025).
    """
    used = list(_accounts(evidence))
    if not used:
        return not_applicable(NAME)
    names = {name for name, _ in used}
    people = [person for told in evidence.people.values() for person in told if person.account in names]
    bound = {person.account for person in people if person.bound_by}
    claimed = {person.account for person in people}
    cited = [item for _, item in used]
    shown = ", ".join(plain(name) for name in sorted(names)[:10])
    if names <= bound:
        return answer(NAME, Outcome.SHOWN, cited, basis=Basis.VOUCHED, accounts=shown)
    return answer(NAME, Outcome.PARTLY if claimed else Outcome.ABSENT, cited, accounts=shown)


def _accounts(evidence: Evidence) -> Iterator[tuple[str, Cited]]:
    """Yield the accounts named by places of jobs and publications, and by parameters."""
    members = evidence.of_kind(Kind.GENERATED, Kind.PROMPTED, Kind.PUBLISHED)
    for seen in evidence.said(PartType.PLACE, Place, members):
        if seen.body.account:
            yield seen.body.account, seen.cited
    for job in evidence.outputs:
        for told in evidence.parameters_of(job):
            field = told.body.fields.get("user")
            if field is not None and field.value:
                yield field.value, told.cited


PROBE = make_probe(NAME, ask, "place people parameters", "generated prompted published enrolled noted")
