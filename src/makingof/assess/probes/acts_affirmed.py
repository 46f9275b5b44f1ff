"""Did people sign for what they did with keys of their own?"""

from makingof.assess.evidence import Evidence, cite
from makingof.assess.finding import Answer, Basis
from makingof.assess.probe import by_share, make_probe, not_applicable
from makingof.event import Kind
from makingof.part import PartType, Report

NAME = "acts_affirmed"
_ACTS = (Kind.BRIEFED, Kind.SELECTED, Kind.REJECTED, Kind.EDITED)


def ask(evidence: Evidence) -> Answer:
    """A signature shows that the holder of a key stands behind an event, not that he did it."""
    acts = evidence.of_kind(*_ACTS)
    if not acts:
        return not_applicable(NAME)
    signed = evidence.said(PartType.REPORT, Report, evidence.of_kind(Kind.AFFIRMED))
    checked = [seen for seen in signed if seen.body.outcome == "sshsig"]
    covered = {name for seen in signed for name in seen.entry.event.header.cites}
    affirmed = [cite(member) for member in acts if member.entry.name in covered]
    basis = Basis.VOUCHED if checked and len(checked) == len(signed) else Basis.ATTESTED
    return by_share(NAME, affirmed, len(acts) - len(affirmed), basis=basis)


PROBE = make_probe(NAME, ask, "report", "affirmed")
