"""People: every act of the lineage by person or program, signed for or only recorded. Names as given."""

from dataclasses import dataclass

from makingof.assess.evidence import Evidence
from makingof.assess.finding import plain
from makingof.event import Kind
from makingof.part import Means

_ACTS = {
    Kind.BRIEFED: "conceived",
    Kind.PROMPTED: "prompted",
    Kind.GENERATED: "prompted",
    Kind.SELECTED: "chose",
    Kind.REJECTED: "chose",
    Kind.EDITED: "edited",
}


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one actor did in one role; `actor` is None where the record names nobody.

    `affirmed` are those of `events` that somebody signed for; `told` those a person
    told afterwards.
    """

    actor: str | None
    names: tuple[str, ...]
    is_program: bool
    role: str
    events: tuple[int, ...]
    affirmed: tuple[int, ...]
    told: tuple[int, ...]

    def to_builtins(self) -> dict[str, object]:
        """Return values for canonical JSON."""
        return {
            "actor": self.actor,
            "names": list(self.names),
            "program": self.is_program,
            "role": self.role,
            "events": list(self.events),
            "affirmed": list(self.affirmed),
            "told": list(self.told),
        }


def list_contributions(evidence: Evidence) -> tuple[Contribution, ...]:
    """Return who conceived, prompted, chose and edited, by the acts themselves; disputes are a probe's."""
    affirmed = {
        name for member in evidence.of_kind(Kind.AFFIRMED) for name in member.entry.event.header.cites
    }
    found: dict[tuple[str, str], list[tuple[int, bool, bool]]] = {}
    for member in evidence.of_kind(*_ACTS):
        entry = member.entry
        key = (entry.event.header.actor or "", _ACTS[entry.kind])
        act = (entry.position, entry.name in affirmed, entry.means is Means.STATED)
        found.setdefault(key, []).append(act)
    return tuple(
        Contribution(
            actor=actor or None,
            names=_names(evidence, actor),
            is_program=bool(actor) and evidence.is_program(actor),
            role=role,
            events=tuple(position for position, _, _ in acts),
            affirmed=tuple(position for position, is_signed, _ in acts if is_signed),
            told=tuple(position for position, _, is_told in acts if is_told),
        )
        for (actor, role), acts in sorted(found.items())
    )


def _names(evidence: Evidence, actor: str) -> tuple[str, ...]:
    """Return every name given to a pseudonym: two of them are shown and not resolved."""
    told = (person.name for person in evidence.people.get(actor, ()))
    return tuple(dict.fromkeys(plain(name) for name in told if name))
