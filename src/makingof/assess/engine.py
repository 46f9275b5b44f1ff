"""The engine: puts probes to evidence and requirements to findings.

It is pure to the byte. The same lineage, bounds, pack and engine version give
the same bytes, whatever order the events came in; nothing here asks the time, the
network or a file. Vocabulary: a *probe* answers one question; a *finding* is its
answer after two corrections the probe cannot make for itself:

- sealed or erased parts in its scope could say otherwise, so it is `partly` at best,
  and what it did not find may lie there, so it is `sealed` and not `absent`;
- events that were not verified support nothing.

A *requirement* of a pack then asks for findings of certain means and bounds, and
answers on two axes that are never added up: A, is it shown and on whose word; B,
does what is shown count there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from makingof.assess.assessment import Assessment, RequirementResult
from makingof.assess.evidence import Evidence
from makingof.assess.finding import Answer, Basis, Finding, Outcome
from makingof.assess.need import weigh_need
from makingof.assess.pack import Pack
from makingof.assess.probe import Probe, Scope
from makingof.digest import Digest
from makingof.lineage.entry import PartState
from makingof.texts import say

ENGINE = 1
_POSITIVE = frozenset({Outcome.SHOWN, Outcome.PARTLY})


def find(evidence: Evidence, probe: Probe) -> Finding:
    """Put one question to the evidence."""
    said = probe.ask(evidence)
    sealed = _silent(evidence, probe.scope, PartState.SEALED)
    erased = _silent(evidence, probe.scope, PartState.ERASED)
    outcome, basis = _held_back(_verified(said, evidence), sealed=bool(sealed), erased=bool(erased))
    return Finding(
        probe=probe.name,
        outcome=outcome,
        basis=basis,
        message=said.message,
        cited=said.cited,
        sealed=sealed,
        erased=erased,
        held_back=outcome is not said.outcome,
    )


def find_all(evidence: Evidence, probes: Mapping[str, Probe], names: Iterable[str]) -> dict[str, Finding]:
    """Put every question in `names`; one that no probe here answers is `unverifiable`, not guessed."""
    wanted = sorted(set(names))
    return {name: find(evidence, probes[name]) if name in probes else unknown_probe(name) for name in wanted}


def unknown_probe(name: str) -> Finding:
    """Return the finding for a question nobody here can ask."""
    message = say("assess.unknown_probe", probe=name)
    return Finding(name, Outcome.UNVERIFIABLE, Basis.ATTESTED, message)


def assess(evidence: Evidence, pack: Pack, probes: Mapping[str, Probe]) -> Assessment:
    """Say what the record shows of what `pack` asks for."""
    return assess_all(evidence, [pack], probes)[0]


def assess_all(evidence: Evidence, packs: Iterable[Pack], probes: Mapping[str, Probe]) -> list[Assessment]:
    """Say it for several packs; a question that several need is asked once."""
    asked = list(packs)
    findings = find_all(evidence, probes, (name for pack in asked for name in pack.probe_names))
    return [_assess(evidence, pack, findings) for pack in asked]


def _assess(evidence: Evidence, pack: Pack, findings: Mapping[str, Finding]) -> Assessment:
    lineage = evidence.lineage
    return Assessment(
        engine=ENGINE,
        rule=lineage.rule,
        size=lineage.size,
        pictures=tuple(part for picture in lineage.pictures for part in picture.file_parts),
        pack=pack,
        results=tuple(
            RequirementResult(requirement, weigh_need(requirement.needs, findings, evidence))
            for requirement in pack.requirements
        ),
        findings=tuple(findings[name] for name in sorted(pack.probe_names)),
    )


def _verified(said: Answer, evidence: Evidence) -> Answer:
    """Take away what rests on events that were not verified."""
    doubtful = [item for item in said.cited if item.position in evidence.unverified]
    if not doubtful or said.outcome not in _POSITIVE:
        return said
    left = len(said.cited) - len(doubtful)
    return replace(said, outcome=Outcome.PARTLY if left else Outcome.UNVERIFIABLE, basis=Basis.ATTESTED)


def _held_back(said: Answer, *, sealed: bool, erased: bool) -> tuple[Outcome, Basis]:
    """Weigh what is not shown: it could contradict what was found, and hold what was not."""
    if said.outcome is Outcome.SHOWN and (sealed or erased):
        return Outcome.PARTLY, said.basis
    if said.outcome is Outcome.ABSENT and sealed:
        return Outcome.SEALED, said.basis
    if said.outcome is Outcome.ABSENT and erased:
        return Outcome.UNVERIFIABLE, said.basis
    return said.outcome, said.basis


def _silent(evidence: Evidence, scope: Scope, state: PartState) -> tuple[Digest, ...]:
    return tuple(
        part.digest
        for part in evidence.silent
        if part.state is state and part.kind in scope.kinds and part.type in scope.parts
    )
