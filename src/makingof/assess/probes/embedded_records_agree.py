"""Does what lies inside the files agree with what was recorded as they were made?"""

from collections import defaultdict

from makingof.assess.evidence import Evidence
from makingof.assess.finding import Answer, Cited, Outcome
from makingof.assess.probe import answer, make_probe, not_applicable
from makingof.digest import Digest
from makingof.lineage.links import MADE_ROLES
from makingof.part import Means, Parameters, PartType, Text

NAME = "embedded_records_agree"
_COMPARED = ("seed", "steps")
_BEFORE = frozenset({Means.LIVE, Means.SPOOLED})
_FAILING = frozenset({"novelai_signature", "c2pa_signature", "c2pa_bytes"})


def ask(evidence: Evidence) -> Answer:
    """Compare what was handed over with what is read from the same bytes.

    Prompts (blanks aside), seed and steps; and the checks readers made on the files.
    """
    failed = [
        seen.cited
        for seen in evidence.said(PartType.PARAMETERS, Parameters, evidence.members)
        if any(check.held is False and check.name in _FAILING for check in seen.body.checks)
    ]
    pairs, differing = _compared(evidence)
    if failed or differing:
        return answer(
            NAME, Outcome.CONTRADICTED, [*failed, *differing], failed=len(failed), differing=len(differing)
        )
    if not pairs:
        return not_applicable(NAME)
    return answer(NAME, Outcome.SHOWN, pairs, count=len({item.position for item in pairs}))


def _compared(evidence: Evidence) -> tuple[list[Cited], list[Cited]]:
    """Return what could be compared, and what of it differs."""
    handed: dict[Digest, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    read: dict[Digest, list[tuple[str, str, Cited]]] = defaultdict(list)
    for job in evidence.jobs:
        blobs = {said.body.digest for said in job.entry.files() if said.body.role in MADE_ROLES}
        prompts = [("prompt", _plain(seen.body), seen.cited) for seen in evidence.prompts_of(job)]
        fields = [
            (name, field.value or "", seen.cited)
            for seen in evidence.parameters_of(job)
            for name in _COMPARED
            if (field := seen.body.fields.get(name)) is not None
        ]
        for name, value, cited in [*prompts, *fields]:
            if not value:
                continue
            for blob in blobs:
                if cited.means in _BEFORE:
                    handed[blob][name].add(value)
                elif cited.means is Means.RECOVERED:
                    read[blob].append((name, value, cited))
    both = [(blob, item) for blob, told in read.items() for item in told if item[0] in handed.get(blob, {})]
    differing = [item[2] for blob, item in both if item[1] not in handed[blob][item[0]]]
    return [item[2] for _, item in both], differing


def _plain(text: Text) -> str:
    return " ".join((text.effective or text.typed or "").split())


PROBE = make_probe(NAME, ask, "prompt parameters raw", "prompted generated")
