"""Probe: one question put to a lineage, with the parts that could speak against its answer."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from makingof.assess.evidence import Evidence
from makingof.assess.finding import Answer, Basis, Cited, Outcome, stronger
from makingof.event import Kind
from makingof.part import PartType
from makingof.texts import Message, say

ANY_KIND = frozenset(Kind)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which parts of which events could bear on an answer: sealed ones keep it at partly."""

    parts: frozenset[PartType]
    kinds: frozenset[Kind] = ANY_KIND


@dataclass(frozen=True, slots=True)
class Probe:
    """A claim that a lineage shows or does not. `ask` is pure and answers the same for the same evidence.

    Packages provide further ones under the entry-point group `makingof.probes`:
    each entry point is a `Probe`, and its name must be its own.
    """

    name: str
    ask: Callable[[Evidence], Answer]
    scope: Scope
    claim: Message | str
    reads: Message | str


def make_probe(name: str, ask: Callable[[Evidence], Answer], parts: str, kinds: str = "") -> Probe:
    """Make a probe of this release: its texts lie in the catalogue, `parts` and `kinds` are its scope."""
    scope = Scope(
        frozenset(PartType(item) for item in parts.split()),
        frozenset(Kind(item) for item in kinds.split()) or ANY_KIND,
    )
    return Probe(name, ask, scope, say(f"probes.{name}"), say(f"probes.{name}_reads"))


def answer(
    name: str,
    outcome: Outcome,
    cited: Iterable[Cited] = (),
    *,
    basis: Basis = Basis.ATTESTED,
    variant: str | None = None,
    **values: object,
) -> Answer:
    """Answer with the text `probes.<name>_<outcome>`, or `…_<variant>`; events once each, in log order."""
    unique = _once(cited)
    message = say(f"probes.{name}_{variant or outcome}", **values)
    return Answer(outcome, message, unique, basis)


def _once(cited: Iterable[Cited]) -> tuple[Cited, ...]:
    """Return each event once, by its strongest statement: one of these means shows it."""
    found: dict[int, Cited] = {}
    for item in cited:
        held = found.get(item.position)
        if held is None or stronger(item, held):
            found[item.position] = item
    return tuple(found[position] for position in sorted(found))


def listing(items: Iterable[Message]) -> Message | str:
    """Put messages in a row that follows the reader's language."""
    row: Message | str = ""
    for item in items:
        row = say("assess.pair", first=row, next=item) if row else item
    return row or "–"


def not_applicable(name: str) -> Answer:
    """Answer that the lineage has nothing this could be asked of."""
    return Answer(Outcome.NOT_APPLICABLE, say("assess.not_applicable", claim=say(f"probes.{name}")))


def by_share(
    name: str, shown: Iterable[Cited], missing: int, *, basis: Basis | None = None, **values: Message | str
) -> Answer:
    """Answer shown, partly or absent by how many of all that should speak do."""
    found = list(shown)
    outcome = Outcome.ABSENT if not found else Outcome.PARTLY if missing else Outcome.SHOWN
    held = {item.position for item in found}
    told: dict[str, object] = {"count": len(held), "total": len(held) + missing, **values}
    message = say(f"probes.{name}_{outcome}", **told)
    return Answer(outcome, message, _once(found), basis or basis_of(found))


def by_fields(name: str, evidence: Evidence, fields: Sequence[str]) -> Answer:
    """Answer by how many jobs have a record that states one of `fields` with a value."""
    if not evidence.outputs:
        return not_applicable(name)
    found = [evidence.field_of(job, *fields) for job in evidence.outputs]
    return by_share(name, [item for cited in found for item in cited], sum(not cited for cited in found))


def basis_of(cited: Iterable[Cited]) -> Basis:
    """Return vouched where an outsider can be asked about every one of `cited`, else attested."""
    found = list(cited)
    return Basis.VOUCHED if found and all(item.vouched for item in found) else Basis.ATTESTED
