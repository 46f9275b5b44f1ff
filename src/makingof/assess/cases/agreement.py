"""Agreement: what our rules say beside what the authority found, per axis and reason. Never a total."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from makingof.assess.assessment import Assessment, RequirementResult
from makingof.assess.cases.case import Case, Expectation, Mutation
from makingof.errors import MalformedError


class Agreement(StrEnum):
    """How one of the authority's reasons compares with ours."""

    AGREES = "agrees"
    DIFFERS = "differs"
    OPEN = "open"  # the authority left it open, and so does the benchmark


@dataclass(frozen=True, slots=True)
class Row:
    """One reason on one axis."""

    case: str
    expectation: Expectation
    ours: str  # "none" on axis B where nothing is shown to weigh
    agreement: Agreement

    @property
    def is_explained(self) -> bool:
        """Whether a difference has its explanation, and an agreement none left over."""
        return (self.agreement is Agreement.DIFFERS) == (self.expectation.differs is not None)


@dataclass(frozen=True, slots=True)
class MutationRow:
    """What a mutation must lead to, and what it leads to."""

    case: str
    mutation: str
    requirement: str
    expected: tuple[str, ...]
    before: str
    ours: str

    @property
    def holds(self) -> bool:
        """Whether it comes out as stated, and differently from the case itself."""
        return self.ours in self.expected and self.ours != self.before


def compare_case(case: Case, assessments: Mapping[str, Assessment]) -> list[Row]:
    """Lay what the authority found beside what the packs say; `assessments` are by pack id."""
    rows = []
    for item in case.expect:
        result = find_result(assessments, item.pack, item.requirement)
        ours = str(result.outcome) if item.axis == "A" else str(result.counts or "none")
        agreement = Agreement.AGREES if ours in item.values else Agreement.DIFFERS
        rows.append(Row(case.id, item, ours, agreement if item.values else Agreement.OPEN))
    return rows


def compare_mutation(
    case: Case, mutation: Mutation, before: Mapping[str, Assessment], after: Mapping[str, Assessment]
) -> list[MutationRow]:
    """Lay what a mutation must lead to beside what it leads to."""
    return [
        MutationRow(
            case=case.id,
            mutation=mutation.id,
            requirement=f"{item.pack}/{item.requirement}",
            expected=item.values,
            before=str(find_result(before, item.pack, item.requirement).outcome),
            ours=str(find_result(after, item.pack, item.requirement).outcome),
        )
        for item in mutation.expect
    ]


def find_result(assessments: Mapping[str, Assessment], pack: str, requirement: str) -> RequirementResult:
    """Return one requirement's result; one that no pack has is a `MalformedError`."""
    found = assessments[pack].find(requirement) if pack in assessments else None
    if found is None:
        message = f"no pack {pack!r} with requirement {requirement!r}"
        raise MalformedError(message)
    return found
