"""Did somebody say openly that AI was used?"""

import re

from makingof.assess.evidence import Evidence, Seen
from makingof.assess.finding import Answer, Outcome
from makingof.assess.probe import answer, make_probe, not_applicable
from makingof.event import Kind
from makingof.part import Note, PartType

NAME = "ai_use_disclosed"
_TITLES = frozenset({"disclosure", "ai disclosure", "ai use", "披露", "ai使用声明", "ai 使用声明", "声明"})
_WORDS = re.compile(r"\bA\.?I\b|artificial intelligence|人工智能|AI生成|生成式", re.IGNORECASE)
# Only what denies it whole: "the sketch without AI, the rest with AI" says it was used.
_DENIALS = re.compile(
    r"\b(?:no|without|not)(?:\s+(?:made|created|generated|produced|with|by|using|any|generative)){0,4}\s+AI\b"
    r"|(?:未使用|没有使用|未用|没用)\s*(?:AI|人工智能)|非\s*AI\s*(?:生成|创作|制作)",
    re.IGNORECASE,
)


def ask(evidence: Evidence) -> Answer:
    """A note titled `disclosure`, or a publication whose note says it; a denial contradicts."""
    if not evidence.outputs:
        return not_applicable(NAME)
    notes = [seen for seen in evidence.said(PartType.NOTE, Note, evidence.of_kind(*Kind)) if _speaks(seen)]
    denied = [seen for seen in notes if _denies(seen.body.text)]
    if denied:
        return answer(NAME, Outcome.CONTRADICTED, [seen.cited for seen in denied], count=len(denied))
    if notes:
        return answer(NAME, Outcome.SHOWN, [seen.cited for seen in notes], count=len(notes))
    return answer(NAME, Outcome.ABSENT)


def _speaks(seen: Seen[Note]) -> bool:
    if (seen.body.title or "").strip().casefold() in _TITLES:
        return True
    return seen.entry.kind is Kind.PUBLISHED and _WORDS.search(seen.body.text) is not None


def _denies(text: str) -> bool:
    return _DENIALS.search(text) is not None and not _WORDS.search(_DENIALS.sub("", text))


PROBE = make_probe(NAME, ask, "note", "noted published")
