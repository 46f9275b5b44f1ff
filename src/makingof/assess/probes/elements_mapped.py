"""Did a person say which words of the prompt became which parts of the picture (映射)?"""

import re
from dataclasses import dataclass

from makingof.assess.evidence import Evidence, Seen
from makingof.assess.finding import Answer, Outcome
from makingof.assess.probe import answer, make_probe
from makingof.event import Kind
from makingof.part import Note, PartType

NAME = "elements_mapped"
TITLES = frozenset({"mapping", "映射"})
# "words of the prompt => what is seen @ x,y,width,height"; the region may be left out.
_LINE = re.compile(
    r"(?P<words>[^=\n]{1,500}?)\s*(?:=>|→|⇒)\s*(?P<seen>[^@\n]{1,500}?)\s*(?:@(?P<region>[\d\s,]{7,60}))?"
)
_SIDES = 4
MAX_LINES = 1000


@dataclass(frozen=True, slots=True)
class MappedElement:
    """A person's statement that these words became what is seen, and where: x, y, width, height in pixels."""

    words: str
    seen: str
    region: tuple[int, int, int, int] | None = None


def ask(evidence: Evidence) -> Answer:
    """A statement, always. It is checked that the words stand in a recorded prompt, not what is seen."""
    words = [(seen, item.words) for seen in mappings(evidence) for item in read_mapping(seen.body.text)]
    if not words:
        return answer(NAME, Outcome.ABSENT)
    prompts = "\n".join(
        (seen.body.effective or "") + "\n" + (seen.body.typed or "")
        for job in evidence.jobs
        for seen in evidence.prompts_of(job)
    ).casefold()
    found = [(seen, line) for seen, line in words if line.casefold() in prompts]
    outcome = Outcome.SHOWN if len(found) == len(words) else Outcome.PARTLY
    cited = [seen.cited for seen, _ in words]
    return answer(NAME, outcome, cited, count=len(found), total=len(words))


def mappings(evidence: Evidence) -> list[Seen[Note]]:
    """Return the notes that map words to what is seen."""
    notes = evidence.said(PartType.NOTE, Note, evidence.of_kind(Kind.NOTED))
    return [seen for seen in notes if (seen.body.title or "").strip().casefold() in TITLES]


def read_mapping(text: str) -> list[MappedElement]:
    """Return what the lines of a mapping say; lines of another shape say nothing."""
    lines = text.splitlines()[:MAX_LINES]
    matches = [found for line in lines if (found := _LINE.fullmatch(line.strip()))]
    return [
        MappedElement(found["words"].strip(), found["seen"].strip(), _region(found["region"]))
        for found in matches
    ]


def _region(text: str | None) -> tuple[int, int, int, int] | None:
    sides = [int(side) for side in re.findall(r"\d{1,7}", text or "")]
    return (sides[0], sides[1], sides[2], sides[3]) if len(sides) == _SIDES else None


PROBE = make_probe(NAME, ask, "note", "noted")
