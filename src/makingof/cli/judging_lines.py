"""Spelling assessments, packs, challenges and cases for a terminal. Text of strangers is made visible."""

from collections.abc import Iterator
from typing import Any

from makingof.archive.cases import Benchmark
from makingof.assess.assessment import Assessment, RequirementResult
from makingof.assess.cases.agreement import Row
from makingof.assess.cases.case import Case
from makingof.assess.challenge import Challenge
from makingof.assess.finding import Finding
from makingof.assess.need import probes_in
from makingof.assess.pack import Pack, Requirement, Text
from makingof.assess.people import Contribution
from makingof.cli.spelling import visible
from makingof.cli.terminal import Terminal
from makingof.texts import say

_MAX_EVENTS = 12


def pack_line(terminal: Terminal, pack: Pack) -> str:
    """Return one pack on one line."""
    reviewed = (
        say("judging.reviewed_by", name=visible(pack.reviewer))
        if pack.reviewer
        else say("judging.reviewed_by_nobody")
    )
    return terminal.text(
        say(
            "judging.pack_line",
            id=pack.id,
            authority=_said(terminal, pack.authority),
            count=len(pack.requirements),
            edition=visible(pack.edition),
            lifecycle=say(f"judging.lifecycle_{pack.lifecycle}"),
            reviewed=reviewed,
        )
    )


def pack_lines(terminal: Terminal, pack: Pack) -> Iterator[str]:
    """Yield what a pack asks for, where that stands, and its templates."""
    yield pack_line(terminal, pack)
    yield "  " + _said(terminal, pack.about)
    for item in pack.requirements:
        yield ""
        yield f"  {item.id} · {_said(terminal, item.title)}"
        yield _line(terminal, "asked", text=_said(terminal, item.asks))
        yield _line(terminal, "met_by", text=_said(terminal, item.met_by))
        yield _counts(terminal, item, str(item.counts))
        yield from _sources(terminal, pack, item)
    for template in pack.templates:
        yield ""
        yield _line(terminal, "template", id=template.id, title=_said(terminal, template.title))
        for text in template.text.in_language(terminal.language).strip().split("\n"):
            yield "  " + visible(text)


def summary_lines(terminal: Terminal, done: Assessment) -> Iterator[str]:
    """Yield one line for each requirement, both axes beside each other."""
    yield ""
    yield _heading(terminal, done.pack)
    for result in done.results:
        counts = terminal.text(say(f"assess.counts_{result.counts or 'none'}"))
        yield f"{_row(terminal, result)} · {counts}"


def assessment_lines(terminal: Terminal, done: Assessment) -> Iterator[str]:
    """Yield everything: what was asked, what is shown by which events, what falls short, what to do now."""
    findings = {finding.probe: finding for finding in done.findings}
    yield ""
    yield _heading(terminal, done.pack)
    for result in done.results:
        item = result.requirement
        yield ""
        yield _row(terminal, result)
        yield _line(terminal, "asked", text=_said(terminal, item.asks))
        yield _counts(terminal, item, str(result.counts or "none"))
        for shortfall in dict.fromkeys(terminal.text(text) for text in result.weighed.shortfalls):
            yield _line(terminal, "shortfall", text=visible(shortfall))
        yield from _events(terminal, [findings[name] for name in probes_in(item.needs)])
        if not result.is_shown:
            yield from _to_do(terminal, item)
        yield from _sources(terminal, done.pack, item)


def contribution_line(terminal: Terminal, one: Contribution) -> str:
    """Return what one actor did in one role."""
    kind = "program" if one.is_program else "person" if one.actor else "nobody"
    return _line(
        terminal,
        f"people_{kind}",
        actor=one.actor or "–",
        names=" / ".join(map(visible, one.names)) or "–",
        role=terminal.text(say(f"assess.role_{one.role}")),
        count=len(one.events),
        affirmed=len(one.affirmed),
        told=len(one.told),
    )


def challenge_lines(terminal: Terminal, asked: Challenge) -> Iterator[str]:
    """Yield one question and the record's answer to it."""
    state = _state(asked)
    mark = terminal.text(say(f"judging.mark_{state}"))
    yield ""
    yield _line(terminal, "question", mark=mark, question=terminal.text(asked.question))
    for finding in asked.findings:
        yield _line(
            terminal,
            "answer",
            outcome=terminal.text(say(f"assess.outcome_{finding.outcome}")),
            basis=terminal.text(say(f"assess.basis_{finding.basis}")),
            text=visible(terminal.text(finding.message)),
        )
        if finding.held_back:
            yield _line(terminal, "held_back", sealed=len(finding.sealed), erased=len(finding.erased))
    yield from _events(terminal, asked.findings)


def _state(asked: Challenge) -> str:
    if asked.is_contradicted:
        return "contradicted"
    if not asked.is_applicable:
        return "not_applicable"
    return "answered" if asked.is_answered else "open"


def benchmark_lines(terminal: Terminal, case: Case, done: Benchmark) -> Iterator[str]:
    """Yield what the authority found beside what the record shows, reason by reason."""
    yield ""
    yield _line(
        terminal,
        "case",
        title=_said(terminal, case.title),
        authority=_said(terminal, case.authority),
        decided=case.decided,
    )
    yield _line(terminal, "case_found", text=_said(terminal, case.found))
    yield _line(terminal, "case_unknown", text=_said(terminal, case.unknown))
    for row in done.rows:
        yield _case_row(terminal, row)
        if row.expectation.differs is not None:
            yield _line(terminal, "case_differs", text=_said(terminal, row.expectation.differs))
    titles = {mutation.id: mutation.title for mutation in case.mutation}
    for changed in done.mutations:
        expected = " / ".join(changed.expected)
        holds = say("judging.as_stated") if changed.holds else say("judging.not_as_stated", expected=expected)
        yield _line(
            terminal,
            "case_mutation",
            title=_said(terminal, titles[changed.mutation]),
            requirement=changed.requirement,
            before=changed.before,
            ours=changed.ours,
            holds=terminal.text(holds),
        )


def benchmark_to_builtins(case: Case, done: Benchmark) -> dict[str, Any]:
    """Return one case's comparison for `--json`."""
    return {
        "case": case.id,
        "reasons": [
            {
                "axis": row.expectation.axis,
                "pack": row.expectation.pack,
                "requirement": row.expectation.requirement,
                "authority": list(row.expectation.values),
                "record": row.ours,
                "agreement": str(row.agreement),
                "explained": row.is_explained,
            }
            for row in done.rows
        ],
        "mutations": [
            {
                "mutation": row.mutation,
                "requirement": row.requirement,
                "expected": list(row.expected),
                "before": row.before,
                "record": row.ours,
                "holds": row.holds,
            }
            for row in done.mutations
        ],
    }


def _case_row(terminal: Terminal, row: Row) -> str:
    item = row.expectation
    return _line(
        terminal,
        "case_row",
        axis=terminal.text(say(f"assess.axis_{item.axis}")),
        requirement=f"{item.pack}/{item.requirement}",
        agreement=terminal.text(say(f"assess.case_{row.agreement}")),
        expected=" / ".join(item.values) or terminal.text(say("judging.case_open")),
        ours=row.ours,
        reason=_said(terminal, item.reason),
    )


def _heading(terminal: Terminal, pack: Pack) -> str:
    lifecycle = say(f"judging.lifecycle_{pack.lifecycle}")
    return _line(
        terminal,
        "heading",
        authority=_said(terminal, pack.authority),
        id=pack.id,
        lifecycle=terminal.text(lifecycle),
    )


def _row(terminal: Terminal, result: RequirementResult) -> str:
    return _line(
        terminal,
        "row",
        outcome=terminal.text(say(f"assess.outcome_{result.outcome}")),
        basis=terminal.text(say(f"assess.basis_{result.weighed.basis}")),
        title=_said(terminal, result.requirement.title),
    )


def _counts(terminal: Terminal, item: Requirement, counts: str) -> str:
    return _line(
        terminal,
        "row_counts",
        counts=terminal.text(say(f"assess.counts_{counts}")),
        why=_said(terminal, item.counts_why),
    )


def _sources(terminal: Terminal, pack: Pack, item: Requirement) -> Iterator[str]:
    for name in item.sources:
        source = pack.sources[name]
        read = terminal.text(say(f"judging.read_{source.read}"))
        yield _line(terminal, "source", cite=visible(source.cite), read=read)


def _to_do(terminal: Terminal, item: Requirement) -> Iterator[str]:
    for step in item.do:
        text = step.zh if terminal.language == "zh" else step.en
        yield _line(terminal, "to_do", text=visible(text))
        if step.command is not None:
            yield _line(terminal, "to_do_command", command=visible(step.command))


def _events(terminal: Terminal, findings: list[Finding] | tuple[Finding, ...]) -> Iterator[str]:
    positions = sorted({cited.position for finding in findings for cited in finding.cited})
    if not positions:
        return
    events = " ".join(f"e{position}" for position in positions[:_MAX_EVENTS])
    more = len(positions) - _MAX_EVENTS
    if more > 0:
        events = terminal.text(say("judging.events_more", events=events, count=more))
    yield _line(terminal, "events", events=events)


def _said(terminal: Terminal, text: Text) -> str:
    return visible(text.in_language(terminal.language))


def _line(terminal: Terminal, key: str, **values: object) -> str:
    return terminal.text(say(f"judging.{key}", **values))
