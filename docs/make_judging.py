"""Write the pages about judging from what the program judges with: `python docs/make_judging.py`.

`reference/packs.md` and `reference/probes.md` come from the packs and the catalogue; `why/cases.md` from a
replay of the decided cases.
"""
# ruff: noqa: INP001 - a script, not part of a package

import tempfile
from collections.abc import Iterable
from pathlib import Path

from makingof.archive.cases import Benchmark, Judges, run_cases
from makingof.assess.cases.agreement import MutationRow, Row
from makingof.assess.cases.case import Case
from makingof.assess.need import Need, ProbeNeed
from makingof.assess.pack import Pack, Requirement
from makingof.assess.probe import ANY_KIND, Probe
from makingof.assess.registry import built_in_probes
from makingof.assess.shipped import shipped_cases, shipped_packs
from makingof.texts import in_language, load_area, say

DOCS = Path(__file__).parent
PACKS = DOCS / "reference" / "packs.md"
PROBES = DOCS / "reference" / "probes.md"
CASES = DOCS / "why" / "cases.md"
_OUTCOMES = ("shown", "partly", "contradicted", "absent", "unverifiable")

_PACKS_HEAD = """# Packs

<!-- Written by docs/make_judging.py from the packs themselves. Do not edit. -->

A pack says what one authority asked for. Each requirement is answered on two axes that are never added up:
**A**, is it shown and on whose word, by [probes](probes.md); and **B**, does what is shown count there, by
what the authority said. No pack gives a verdict, and none is legal advice. All of them are drafts: no
lawyer has reviewed them yet.

`makingof assess PICTURE --pack ID` uses one, `makingof packs check FILE` checks [one of your
own](../howto/write-a-pack.md). In the tables, *at the moment* means recorded live or watched, *left behind*
also what was read later from a tool's files, *told* also what a person said afterwards.
"""
_PROBES_HEAD = """# Probes

<!-- Written by docs/make_judging.py from the probes themselves. Do not edit. -->

A probe is one question put to the lineage of a picture. Its name is the claim it tests. Every finding names
the events it rests on and its basis: *proved* (mathematics and two outside authorities), *vouched* (an
outsider can be asked, or his key checks) or *attested* (our recorder, a tool or a person says so).

| outcome | meaning |
|---|---|
| `shown` | the record shows it |
| `partly` | it shows some of it, or sealed or erased parts could say otherwise |
| `contradicted` | the record itself speaks against it |
| `absent` | nothing on record shows it |
| `sealed` | what could show it is there and not disclosed |
| `unverifiable` | it cannot be told: bytes are gone, events were not verified, or the probe is not known |
| `not_applicable` | there is nothing it could be asked of |

Sealed parts named under *could say otherwise* keep a finding from being more than `partly`. Other packages
add probes under the entry-point group `makingof.probes`.

What probes read beyond the tables of the [event format](../spec/event.md):

- A note titled `mapping` (or `映射`) has one line for each element: `words of the prompt => what is seen @
  x,y,width,height`.
- A note titled `disclosure` (or `披露`) says that AI was used, and for what.
- A re-run is a `described` event whose report has `of` = `rerun` in its facts, the outcome `same`, `near`
  or `different`, and `environment` = `same` where it was the same.
- A number of attempts that somebody claims is `count` in the facts of a report.
- `models` in an environment lists `name`, `digest` and, where the file tells it, `date`.
- Roles in a people part are `conceived`, `prompted`, `chose`, `edited`.
"""
_CASES_HEAD = """# Decided cases

<!-- Written by docs/make_judging.py from a replay of the cases. Do not edit. -->

Every case decided up to October 2026 that our sources report in detail, and two registrations, is replayed
into a real archive: what was in evidence, by which means, with a clock that stands where the case stood and
time stamps where an outsider had fixed the record. Then the same rules judge it as judge any picture.
`makingof cases` does all of this on your machine.

## What this does not prove

- It does not say how the next case will be decided. Fourteen cases are few, and most come from two
  countries.
- The rules were written after the cases. That they reproduce the reasons reported was to be expected; a
  rule that did not would have been wrong. What the table guards against is a later change that breaks one
  without anybody noticing.
- Most facts come from reports of judgments and not from the judgments. What the sources leave out stays
  out, and each case says so below. Prompts and pictures in the case files stand in for those in evidence.
- The files record what the authority could see, by the means it could have been learned. Nobody in these
  cases used makingof.
- Agreement is per reason. There is no total, and no share of reasons agreed, because reasons do not weigh
  the same.

Beside each case stand changes to it that must change the answer: the same record imported a year later,
without seeds, chosen after publication, a contributor unnamed, the unedited picture removed, a number in
place of the prompts, a script in place of a person, the contradicting statement sealed. No probe and no
pack knows a case: a test looks.
"""


def packs_page() -> str:
    """Return `reference/packs.md` as it should be."""
    return "\n".join([_PACKS_HEAD, *(_pack(pack) for pack in shipped_packs())])


def _pack(pack: Pack) -> str:
    reviewed = f"reviewed by {pack.reviewer}" if pack.reviewer else "reviewed by nobody yet"
    lines = [
        f"## {pack.id}",
        "",
        f"**{pack.authority.en}** · {pack.authority.zh} · {pack.edition}, {pack.lifecycle}, {reviewed}",
        "",
        _escaped(pack.about.en),
        "",
        f"*中文* {_escaped(pack.about.zh)}",
        "",
    ]
    for item in pack.requirements:
        lines += [*_requirement(item), ""]
    lines += ["| source | citation | read |", "|---|---|---|"]
    lines += [
        f"| {source.id} | {_escaped(source.cite)} | {source.read} |" for source in pack.sources.values()
    ]
    for template in pack.templates:
        lines += [
            "",
            f"**{template.title.en}** · {template.title.zh}",
            "",
            "```text",
            template.text.en.strip(),
        ]
        lines += ["```"]
    return "\n".join([*lines, ""])


def _requirement(item: Requirement) -> list[str]:
    counts = in_language(say(f"assess.counts_{item.counts}"), "en")
    lines = [
        f"### {item.id}",
        "",
        f"**{_escaped(item.title.en)}** · {_escaped(item.title.zh)} · sources {', '.join(item.sources)}",
        "",
        f"- Asked: {_escaped(item.asks.en)}",
        f"- 要求：{_escaped(item.asks.zh)}",
        f"- Met by: {_escaped(item.met_by.en)}",
        f"- A asks for: {_need(item.needs)}",
        f"- B: {counts}. {_escaped(item.counts_why.en)}",
    ]
    for step in item.do:
        command = f" `{step.command}`" if step.command else ""
        lines.append(f"- Now: {_escaped(step.en)}{command}")
    return lines


def _need(need: Need) -> str:
    if isinstance(need, ProbeNeed):
        means = "" if need.means == "told" else f" {need.means.replace('_', ' ')}"
        bound = "" if need.bound == "none" else f", {need.bound.replace('_', ' ')}"
        return f"[{need.probe}](probes.md#{need.probe}){means}{bound}"
    inner = "; ".join(_need(item) for item in need.needs)
    if need.count == len(need.needs):
        return f"all of ({inner})"
    return f"any of ({inner})" if need.count == 1 else f"at least {need.count} of ({inner})"


def probes_page() -> str:
    """Return `reference/probes.md` as it should be."""
    return "\n".join([_PROBES_HEAD, *(_probe(probe) for probe in built_in_probes().values())])


def _probe(probe: Probe) -> str:
    texts = load_area("probes")
    scope = ", ".join(sorted(probe.scope.parts))
    kinds = "any event" if probe.scope.kinds == ANY_KIND else ", ".join(sorted(probe.scope.kinds))
    rows = [
        f"| `{outcome}` | {_escaped(texts[f'{probe.name}_{outcome}']['en'])} |"
        for outcome in _OUTCOMES
        if f"{probe.name}_{outcome}" in texts
    ]
    claims = (in_language(probe.claim, "en"), in_language(probe.claim, "zh"))
    reads = (in_language(probe.reads, "en"), in_language(probe.reads, "zh"))
    return "\n".join(
        [
            f"## {probe.name}",
            "",
            f"Claim: {_escaped(claims[0])} · {_escaped(claims[1])}",
            "",
            _escaped(reads[0]),
            "",
            f"*中文* {_escaped(reads[1])}",
            "",
            f"Could say otherwise: {scope} of {kinds}.",
            "",
            "| outcome | says |",
            "|---|---|",
            *rows,
            "",
        ]
    )


def cases_page(results: Iterable[tuple[Case, Benchmark]]) -> str:
    """Return `why/cases.md` as it should be for what the replay gave."""
    return "\n".join([_CASES_HEAD, *(case_section(case, done) for case, done in results)])


def case_section(case: Case, done: Benchmark) -> str:
    """Return what the page says of one case."""
    titles = {mutation.id: mutation.title.en for mutation in case.mutation}
    differs = [row.expectation for row in done.rows if row.expectation.differs is not None]
    return "\n".join(
        [
            f"## {case.title.en}",
            "",
            f"{case.authority.en}, {case.decided} · {case.title.zh}",
            "",
            f"Found: {case.found.en}",
            "",
            f"Not known: {case.unknown.en}",
            "",
            "| axis | requirement | authority | record | | reason |",
            "|---|---|---|---|---|---|",
            *(_reason_line(row) for row in done.rows),
            "",
            *(f"Why {item.requirement} differs: {item.differs.en}\n" for item in differs if item.differs),
            "| changed | requirement | from | to | as stated |",
            "|---|---|---|---|---|",
            *(_mutation_line(titles[row.mutation], row) for row in done.mutations),
            "",
            "Sources: " + "; ".join(f"{source.cite} ({source.read})" for source in case.source) + ".",
            "",
        ]
    )


def _reason_line(row: Row) -> str:
    item = row.expectation
    authority = " or ".join(item.values) or "left open"
    link = f"[{item.pack}/{item.requirement}](../reference/packs.md#{item.pack})"
    agreement = "left open" if not item.values else str(row.agreement)
    return f"| {item.axis} | {link} | {authority} | {row.ours} | {agreement} | {_escaped(item.reason.en)} |"


def _mutation_line(title: str, row: MutationRow) -> str:
    return f"| {title} | {row.requirement} | {row.before} | {row.ours} | {'yes' if row.holds else 'NO'} |"


def replayed() -> list[tuple[Case, Benchmark]]:
    """Replay every case that ships."""
    cases = [Case.parse(data) for data in shipped_cases()]
    judges = Judges(shipped_packs(), built_in_probes())
    with tempfile.TemporaryDirectory() as folder:
        return list(zip(cases, run_cases(cases, Path(folder), judges), strict=True))


def _escaped(text: str) -> str:
    """Keep texts of the catalogue and of packs from being taken as Markdown or HTML."""
    return "".join(f"\\{letter}" if letter in "<>*_[]|" else letter for letter in text)


if __name__ == "__main__":
    PACKS.write_text(packs_page(), "utf-8")
    PROBES.write_text(probes_page(), "utf-8")
    CASES.write_text(cases_page(replayed()), "utf-8")
