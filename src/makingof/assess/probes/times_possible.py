"""Can every time that is claimed be true beside the others?"""

from collections.abc import Iterator
from datetime import UTC, date, datetime

from makingof.assess.evidence import Evidence, cite, happened_ms, moment_ms, recorded_ms
from makingof.assess.finding import Answer, Cited, Outcome
from makingof.assess.probe import answer, make_probe
from makingof.clock import parse_instant
from makingof.errors import MalformedError
from makingof.lineage.lineage import Member
from makingof.part import Environment, Means, Parameters, PartType, Place

NAME = "times_possible"
_SLACK_MS = 300_000
_DAY_MS = 86_400_000
_AT_THE_MOMENT = frozenset({Means.LIVE, Means.SPOOLED, Means.WATCHED})
# The label's standard GB 45438-2025 was published on 28 February 2025: nothing can carry it before.
_AIGC_SINCE_MS = moment_ms(datetime(2025, 2, 28, tzinfo=UTC))


def ask(evidence: Evidence) -> Answer:
    """Name what cannot be.

    A thing later than the record of it, made by a model or labelled by a rule that came later,
    or seen live before a receipt that was already there.
    """
    wrong = [item for member in evidence.members for item in _wrong(evidence, member)]
    if wrong:
        return answer(NAME, Outcome.CONTRADICTED, wrong, count=len(wrong))
    told = [member for member in evidence.members if member.entry.event.header.occurred_at is not None]
    return answer(NAME, Outcome.SHOWN, map(cite, told), count=len(told))


def _wrong(evidence: Evidence, member: Member) -> Iterator[Cited]:
    entry = member.entry
    happened, recorded = happened_ms(entry), recorded_ms(entry)
    if happened > recorded + _SLACK_MS:
        yield cite(member)
    bound = evidence.bounds_of(entry.position).not_before.at
    if bound is not None and entry.means in _AT_THE_MOMENT and happened < moment_ms(bound) - _DAY_MS:
        yield cite(member)
    for place in evidence.said(PartType.PLACE, Place, [member]):
        if (at := _instant_ms(place.body.modified)) is not None and at > recorded + _SLACK_MS:
            yield place.cited
    for seen in evidence.said(PartType.PARAMETERS, Parameters, [member]):
        if seen.body.reader.startswith("aigc") and happened < _AIGC_SINCE_MS:
            yield seen.cited
    for made in evidence.said(PartType.ENVIRONMENT, Environment, [member]):
        if any(at > happened + _DAY_MS for at in _model_dates(made.body.facts)):
            yield made.cited


def _model_dates(facts: dict[str, object]) -> Iterator[int]:
    """Yield when models say they were made: `date` beside their digests, as safetensors files tell it."""
    models = facts.get("models")
    for model in models if isinstance(models, list) else []:
        told = model.get("date") if isinstance(model, dict) else None
        if isinstance(told, str) and (at := _day_ms(told)) is not None:
            yield at


def _day_ms(text: str) -> int | None:
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return None
    return moment_ms(datetime(day.year, day.month, day.day, tzinfo=UTC))


def _instant_ms(text: str | None) -> int | None:
    """Return a file time spelled as an instant; any other spelling cannot be compared."""
    try:
        return None if text is None else moment_ms(parse_instant(text))
    except MalformedError:
        return None


PROBE = make_probe(NAME, ask, "place parameters environment")
