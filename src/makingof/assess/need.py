"""Need: what a requirement asks of findings. All, any, at least n; no expression language."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from makingof.assess.evidence import Evidence, moment_ms
from makingof.assess.finding import Basis, Cited, Finding, Outcome, weakest_basis
from makingof.part import Means
from makingof.stamp.bounds import Standing
from makingof.texts import Message, say

_AT_THE_MOMENT = frozenset({Means.LIVE, Means.SPOOLED, Means.WATCHED, Means.OWN})
_LEFT_BEHIND = _AT_THE_MOMENT | {Means.RECOVERED}
_SAYS_SOMETHING = frozenset({Outcome.SHOWN, Outcome.PARTLY, Outcome.CONTRADICTED})
_POSITIVE = frozenset({Outcome.SHOWN, Outcome.PARTLY})


class MeansAsked(StrEnum):
    """How the thing must have become known."""

    AT_THE_MOMENT = "at_the_moment"  # live, spooled or watched
    LEFT_BEHIND = "left_behind"  # or read later from what a tool left
    TOLD = "told"  # or told by a person afterwards


class BoundAsked(StrEnum):
    """What outside time the record of it must have."""

    NONE = "none"
    DATED = "dated"  # one authority says by when it existed
    DATED_BY_TWO = "dated_by_two"
    BEFORE_PUBLICATION = "before_publication"  # dated, and no later than the first publication


@dataclass(frozen=True, slots=True)
class ProbeNeed:
    """One probe's finding, of at least these means and this bound."""

    probe: str
    means: MeansAsked = MeansAsked.TOLD
    bound: BoundAsked = BoundAsked.NONE


@dataclass(frozen=True, slots=True)
class SomeNeed:
    """At least `count` of `needs`: all of them, any of them, or a number between."""

    count: int
    needs: tuple["Need", ...]


Need = ProbeNeed | SomeNeed


@dataclass(frozen=True, slots=True)
class Weighed:
    """How far a need is met, on whose word, and what keeps it from being more."""

    outcome: Outcome
    basis: Basis
    shortfalls: tuple[Message, ...] = ()


def probes_in(need: Need) -> Iterable[str]:
    """Yield the probes a need names."""
    if isinstance(need, ProbeNeed):
        yield need.probe
        return
    for inner in need.needs:
        yield from probes_in(inner)


def weigh_need(need: Need, findings: Mapping[str, Finding], evidence: Evidence) -> Weighed:
    """Say how far `need` is met."""
    if isinstance(need, ProbeNeed):
        return _weigh_probe(need, findings[need.probe], evidence)
    inner = [weigh_need(item, findings, evidence) for item in need.needs]
    outcomes = [item.outcome for item in inner]
    outcome = _all_of(outcomes) if need.count == len(need.needs) else _at_least(outcomes, need.count)
    bases = [item.basis for item in inner if item.outcome in _SAYS_SOMETHING]
    shortfalls = () if outcome is Outcome.SHOWN else tuple(said for item in inner for said in item.shortfalls)
    return Weighed(outcome, weakest_basis(bases), shortfalls)


def _weigh_probe(need: ProbeNeed, finding: Finding, evidence: Evidence) -> Weighed:
    """Correct a finding by the means and the bound asked for.

    What a person tells afterwards is no record of the thing, so it does not even
    partly meet a demand for records (China, Civil Evidence Provisions art. 90(1);
    Prague 2023). What a tool left behind partly meets one for records kept at the time.
    """
    outcome = finding.outcome
    shortfalls: list[Message] = []
    if outcome is not Outcome.SHOWN:
        shortfalls.append(say("assess.short_finding", claim=finding.message))
    if outcome in _POSITIVE and finding.cited:
        capped = _cap_by_means(need.means, finding.cited)
        if capped is not Outcome.SHOWN:
            outcome = _lower(outcome, capped)
            shortfalls.append(say(f"assess.short_means_{need.means}", claim=finding.message))
    if outcome in _POSITIVE and not _is_bound(need.bound, finding.cited, evidence):
        outcome = Outcome.PARTLY
        shortfalls.append(say(f"assess.short_bound_{need.bound}", claim=finding.message))
    if finding.held_back:
        shortfalls.append(say("assess.short_silent", sealed=len(finding.sealed), erased=len(finding.erased)))
    return Weighed(outcome, finding.basis, tuple(shortfalls))


def _lower(one: Outcome, other: Outcome) -> Outcome:
    order = (Outcome.ABSENT, Outcome.PARTLY, Outcome.SHOWN)
    return min(one, other, key=order.index)


def _cap_by_means(asked: MeansAsked, cited: Sequence[Cited]) -> Outcome:
    if asked is MeansAsked.TOLD:
        return Outcome.SHOWN
    means = {item.means for item in cited}
    enough = _AT_THE_MOMENT if asked is MeansAsked.AT_THE_MOMENT else _LEFT_BEHIND
    if means <= enough:
        return Outcome.SHOWN
    return Outcome.PARTLY if means & _LEFT_BEHIND else Outcome.ABSENT


def _is_bound(asked: BoundAsked, cited: Sequence[Cited], evidence: Evidence) -> bool:
    if asked is BoundAsked.NONE:
        return True
    return bool(cited) and all(_is_dated(asked, item.position, evidence) for item in cited)


def _is_dated(asked: BoundAsked, position: int, evidence: Evidence) -> bool:
    bound = evidence.bounds_of(position).not_after
    if bound.at is None or bound.standing is Standing.NONE:
        return False
    if asked is BoundAsked.DATED_BY_TWO:
        return bound.standing is Standing.TWO
    if asked is BoundAsked.BEFORE_PUBLICATION and evidence.published_ms is not None:
        return moment_ms(bound.at) <= evidence.published_ms
    return True


def _all_of(outcomes: Sequence[Outcome]) -> Outcome:
    """Weigh `all`: the first need that applies is the thing itself, the others are what it must come with.

    Where the thing itself is not shown, what it must come with does not show it partly:
    that a person acted is no arrangement.
    """
    asked = [item for item in outcomes if item is not Outcome.NOT_APPLICABLE]
    if not asked:
        return Outcome.NOT_APPLICABLE
    if Outcome.CONTRADICTED in asked:
        return Outcome.CONTRADICTED
    if asked[0] not in _POSITIVE:
        return asked[0]
    return Outcome.SHOWN if all(item is Outcome.SHOWN for item in asked) else Outcome.PARTLY


def _at_least(outcomes: Sequence[Outcome], count: int) -> Outcome:
    if sum(item is Outcome.SHOWN for item in outcomes) >= count:
        return Outcome.SHOWN
    if _POSITIVE.intersection(outcomes):
        return Outcome.PARTLY
    rest = (
        Outcome.CONTRADICTED,
        Outcome.SEALED,
        Outcome.UNVERIFIABLE,
        Outcome.ABSENT,
        Outcome.NOT_APPLICABLE,
    )
    return next(item for item in rest if item in outcomes)
