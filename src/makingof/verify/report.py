"""Report: what was checked, what failed, what was not checked, and what the record shows of itself."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from makingof.digest import Digest
from makingof.errors import MakingofError
from makingof.stamp.bounds import Bound, Bounds, Standing
from makingof.texts import Message, in_language, say

_SEPARATOR = {"en": "; ", "zh": "；"}


class Outcome(StrEnum):
    """How a step ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing checked. `message` is for everybody, `reason` for those who want to know more."""

    name: str
    outcome: Outcome
    message: Message
    details: tuple[Message, ...] = ()
    error: MakingofError | None = None

    @property
    def title(self) -> Message:
        """What the step is about."""
        return say(f"verify.title_{self.name}")


@dataclass(frozen=True, slots=True)
class StreamCount:
    """One run the lineage draws on, counted.

    `missing` numbers are not in the package; `covered` tells whether the stretch of
    the log they would stand in is shown without a break, so that they are missing
    in the log too. `told` of them are noted as gaps.
    """

    stream: str
    of: str | None
    shown: int
    last: int
    missing: int
    told: int
    sealed: int
    covered: bool


@dataclass(frozen=True, slots=True)
class Dated:
    """An event of the lineage and the outside times its record was written between."""

    position: int
    name: Digest
    kind: str
    means: str
    bounds: Bounds


@dataclass(frozen=True, slots=True)
class Report:
    """What `check_bundle` found. `require` raises the first failure; there is no bool to be misread."""

    steps: tuple[Step, ...]
    package: Digest | None = None
    origin: str | None = None
    size: int | None = None
    made_with: str | None = None
    policy: Digest | None = None
    streams: tuple[StreamCount, ...] = ()
    dated: tuple[Dated, ...] = ()
    warnings: tuple[Message, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)

    def require(self) -> None:
        """Return if no step failed; else raise what the first failure raised."""
        for step in self.failures:
            if step.error is not None:
                raise step.error

    @property
    def failures(self) -> tuple[Step, ...]:
        """The steps that failed."""
        return tuple(step for step in self.steps if step.outcome is Outcome.FAILED)

    @property
    def exit_code(self) -> int:
        """0 where nothing failed, else 1."""
        return 1 if self.failures else 0

    def lines(self, language: str) -> Iterator[str]:
        """Say it, the worst first, in the reader's language."""
        yield from self._verdict(language)
        yield ""
        for step in self.steps:
            outcome = say(f"verify.{step.outcome}").in_language(language)
            yield f"[{outcome}] {step.title.in_language(language)}"
            yield f"    {step.message.in_language(language)}"
            yield from (f"    - {detail.in_language(language)}" for detail in step.details)
            if step.error is not None:
                reason = in_language(step.error.message, language)
                yield "    " + say("verify.because", reason=reason).in_language(language)
        yield ""
        yield from (describe_dated(item).in_language(language) for item in self.dated)

    def _verdict(self, language: str) -> Iterator[str]:
        if self.failures:
            yield say("verify.unsound").in_language(language)
            yield from (f"  * {step.message.in_language(language)}" for step in self.failures)
        else:
            yield say("verify.sound").in_language(language)
            yield say("verify.sound_not_true").in_language(language)
        yield from (f"  ! {warning.in_language(language)}" for warning in self.warnings)
        skipped = [step.title.in_language(language) for step in self.steps if step.outcome is Outcome.SKIPPED]
        if skipped:
            yield say("verify.not_checked", titles=_SEPARATOR[language].join(skipped)).in_language(language)
        for key in ("bounds_of_record", "attested", "one_of_several", "no_advice"):
            yield say(f"verify.{key}").in_language(language)

    def to_builtins(self, language: str = "en") -> dict[str, Any]:
        """Return the report as JSON has it."""
        return {
            "package": self.package,
            "origin": self.origin,
            "size": self.size,
            "made_with": self.made_with,
            "policy": self.policy,
            "outcome": Outcome.FAILED if self.failures else Outcome.PASSED,
            "warnings": [warning.in_language(language) for warning in self.warnings],
            "counts": dict(self.counts),
            "steps": [_step_to_builtins(step, language) for step in self.steps],
            "streams": [_stream_to_builtins(stream) for stream in self.streams],
            "events": [_dated_to_builtins(item) for item in self.dated],
        }


def describe_dated(item: Dated) -> Message:
    """Say between which outside times a record was written, and on whose word."""
    first, last = item.bounds.not_before, item.bounds.not_after
    known = {"not_before": _describe_bound(first), "not_after": _describe_bound(last)}
    match (first.standing is not Standing.NONE, last.standing is not Standing.NONE):
        case True, True:
            between = say("verify.between_both", **known)
        case True, False:
            between = say("verify.between_before", **known)
        case False, True:
            between = say("verify.between_after", **known)
        case _:
            between = say("verify.between_none")
    return say(
        "verify.bound_line",
        position=item.position,
        kind=say(f"package.kind_{item.kind}"),
        means=say(f"package.means_{item.means}"),
        between=between,
    )


def _describe_bound(bound: Bound) -> Message | str:
    if bound.at is None:
        return ""
    by = ", ".join(said.authority for said in bound.by)
    key = "verify.bound_two" if bound.standing is Standing.TWO else "verify.bound_one"
    return say(key, at=bound.at.strftime("%Y-%m-%d %H:%M:%S UTC"), by=by)


def _step_to_builtins(step: Step, language: str) -> dict[str, Any]:
    return {
        "step": step.name,
        "outcome": step.outcome,
        "title": step.title.in_language(language),
        "message": step.message.in_language(language),
        "details": [detail.in_language(language) for detail in step.details],
        "reason": None if step.error is None else in_language(step.error.message, language),
    }


def _stream_to_builtins(stream: StreamCount) -> dict[str, Any]:
    return {name: getattr(stream, name) for name in StreamCount.__slots__}


def _dated_to_builtins(item: Dated) -> dict[str, Any]:
    return {
        "position": item.position,
        "event": item.name,
        "kind": item.kind,
        "means": item.means,
        "not_before": _bound_to_builtins(item.bounds.not_before),
        "not_after": _bound_to_builtins(item.bounds.not_after),
    }


def _bound_to_builtins(bound: Bound) -> dict[str, Any]:
    return {
        "standing": bound.standing,
        "at": None if bound.at is None else bound.at.isoformat().replace("+00:00", "Z"),
        "by": [said.authority for said in bound.by],
    }
