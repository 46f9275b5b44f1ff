"""Assessment: a pack's requirements, each answered on two axes that are never added up."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from makingof import canonical
from makingof.assess.finding import Finding, Outcome, message_to_builtins
from makingof.assess.need import Weighed
from makingof.assess.pack import Counts, Pack, Requirement
from makingof.digest import Digest

_SOMETHING_SHOWN = frozenset({Outcome.SHOWN, Outcome.PARTLY})


@dataclass(frozen=True, slots=True)
class RequirementResult:
    """Axis A in `weighed`: is it shown, on whose word. Axis B in `counts`: what that is worth there."""

    requirement: Requirement
    weighed: Weighed

    @property
    def outcome(self) -> Outcome:
        """Axis A."""
        return self.weighed.outcome

    @property
    def counts(self) -> Counts | None:
        """Axis B: what the authority says such a thing is worth; None where nothing is shown to weigh."""
        return self.requirement.counts if self.outcome in _SOMETHING_SHOWN else None

    @property
    def is_shown(self) -> bool:
        """Whether nothing is left to do for it."""
        return self.outcome in (Outcome.SHOWN, Outcome.NOT_APPLICABLE)

    def to_builtins(self) -> dict[str, Any]:
        """Return values for canonical JSON."""
        return {
            "requirement": self.requirement.id,
            "shown": {
                "outcome": str(self.outcome),
                "basis": str(self.weighed.basis),
                "shortfalls": [message_to_builtins(item) for item in self.weighed.shortfalls],
            },
            "counts": None if self.counts is None else str(self.counts),
        }


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a record shows of what one authority asked for."""

    engine: int
    rule: int
    size: int
    pictures: tuple[Digest, ...]
    pack: Pack
    results: tuple[RequirementResult, ...]
    findings: tuple[Finding, ...]

    def find(self, requirement: str) -> RequirementResult | None:
        """Return the result for the requirement of this id."""
        return next((item for item in self.results if item.requirement.id == requirement), None)

    @property
    def tally(self) -> dict[Outcome, int]:
        """How many requirements have each outcome: a list of kinds, never a sum."""
        counted = Counter(item.outcome for item in self.results)
        return {outcome: counted[outcome] for outcome in Outcome if counted[outcome]}

    def to_bytes(self) -> bytes:
        """Return canonical JSON: the same evidence, pack and engine give the same bytes."""
        return canonical.to_bytes(self.to_builtins())

    def to_builtins(self) -> dict[str, Any]:
        """Return values for canonical JSON."""
        return {
            "version": 1,
            "engine": self.engine,
            "rule": self.rule,
            "size": self.size,
            "pictures": [str(picture) for picture in self.pictures],
            "pack": {
                "id": self.pack.id,
                "edition": self.pack.edition,
                "digest": str(self.pack.digest),
                "lifecycle": str(self.pack.lifecycle),
            },
            "requirements": [item.to_builtins() for item in self.results],
            "findings": [finding.to_builtins() for finding in self.findings],
        }
