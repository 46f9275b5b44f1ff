"""Decides what a package seals: parts named, and every other part and original that holds their text.

Three rules. (1) `prompts` seals the parts `prompt`, `negative`, `place` and
`raw`, and parameters that hold text; any kind of part, or one part of one
event, can be named too. (2) What the sealed parts say is searched for in all
others. (3) An original that may hold text goes in as a copy without those
segments, or as a preview; then its file parts are sealed, for they hold its
bare digest, and so is everything else that holds it: a known setting and a
bare digest confirm a guessed prompt.
"""

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from makingof.bundle.description import Options
from makingof.bundle.search import Withheld
from makingof.digest import Digest
from makingof.errors import MalformedError, UsageError
from makingof.lineage.entry import Entry
from makingof.part import Note, Parameters, Part, PartType, Reason, Text
from makingof.texts import say

PROMPTS = "prompts"

_SEALED_WITH_PROMPTS = frozenset({PartType.PROMPT, PartType.NEGATIVE, PartType.PLACE, PartType.RAW})
_TEXT_FIELDS = ("prompt", "negative", "text", "caption", "descri", "comment", "wildcard", "style", "template")
_PROMPT_TYPES = frozenset({PartType.PROMPT, PartType.NEGATIVE})
_MAX_WORDS = 6
_MIN_TEXT = 16

Candidates = Mapping[Digest, tuple[Entry, Part]]
"""The parts that would be shown if nothing were withheld."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What the exporter withholds: kinds of parts, single kinds of single events, and whether prompts."""

    types: frozenset[PartType]
    single: frozenset[tuple[Digest, PartType]]
    prompts: bool

    def __bool__(self) -> bool:
        return bool(self.types or self.single)

    @classmethod
    def of(cls, options: Options) -> "Rule":
        """Read `options.withhold`; a word that names nothing is a `UsageError`."""
        types: set[PartType] = set()
        single: set[tuple[Digest, PartType]] = set()
        for word in options.withhold:
            if word == PROMPTS:
                types |= _SEALED_WITH_PROMPTS
                continue
            event, colon, name = word.rpartition(":")
            try:
                part_type = PartType(name)
                if colon:
                    single.add((Digest.parse(event), part_type))
                else:
                    types.add(part_type)
            except (ValueError, MalformedError) as err:
                raise UsageError(
                    say("package.withhold_unknown", what=word), hint=say("package.withhold_hint")
                ) from err
        if {PartType.OWN, PartType.PIECES} & types:
            raise UsageError(say("package.withhold_unknown", what="own"), hint=say("package.withhold_hint"))
        named = types | {part_type for _, part_type in single}
        return cls(frozenset(types), frozenset(single), bool(named & _PROMPT_TYPES))

    def names(self, entry: Entry, part_type: PartType) -> bool:
        """Tell whether a part of this type is withheld in this event."""
        return part_type in self.types or (entry.name, part_type) in self.single


def find_withheld(entries: Iterable[Entry], rule: Rule) -> Withheld:
    """Return the texts of what `rule` names, to be searched for everywhere else."""
    texts: set[str] = set()
    for entry in entries:
        for digest, part in entry.parts.items():
            part_type = entry.types[digest]
            if isinstance(part, Part):
                if rule.names(entry, part_type):
                    texts.update(_texts_of(part))
                if rule.prompts and part_type is PartType.PARAMETERS:
                    texts.update(text for text in _free_text(part.read(Parameters)) if len(text) >= _MIN_TEXT)
    return Withheld(frozenset(text for text in texts if text.strip()))


def find_sealed(
    candidates: Candidates,
    stored: Mapping[Digest, bytes],
    rule: Rule,
    withheld: Withheld,
) -> set[Digest]:
    """Return which parts are sealed: those named, and those in which `withheld` is found."""
    return {
        digest
        for digest, (entry, part) in candidates.items()
        if _is_sealed(entry, part, stored[digest], rule, withheld)
    }


def require_headers_silent(entries: Iterable[Entry], withheld: Withheld) -> None:
    """Refuse, as `UsageError`, to withhold a text that stands in a header, which is always shown."""
    for entry in entries:
        if withheld.whole_is_in(entry.event.entry):
            raise UsageError(
                say("package.withheld_in_header", position=entry.position, where=entry.kind),
                hint=say("package.withheld_in_header_hint"),
            )


def _is_sealed(entry: Entry, part: Part, data: bytes, rule: Rule, withheld: Withheld) -> bool:
    if rule.names(entry, part.type):
        return True
    if rule.prompts and part.type is PartType.PARAMETERS and any(_free_text(part.read(Parameters))):
        return True
    return withheld.is_in(data)


def _texts_of(part: Part) -> Iterator[str]:
    """Yield what a part says in words. A raw record is searched for by the prompts in it, not whole."""
    match part.type:
        case PartType.PROMPT | PartType.NEGATIVE:
            text = part.read(Text)
            yield from filter(None, (text.effective, text.typed, _decoded(text.base64)))
        case PartType.NOTE:
            note = part.read(Note)
            yield from filter(None, (note.text, note.title))
        case PartType.REASON:
            yield part.read(Reason).text
        case _:
            return


def _free_text(parameters: Parameters) -> Iterator[str]:
    """Yield values that a person or a prompt may have put into words."""
    for name, field in parameters.fields.items():
        worded = any(mark in name.lower() for mark in _TEXT_FIELDS)
        if field.value and (worded or len(field.value.split()) > _MAX_WORDS):
            yield field.value


def _decoded(text: str | None) -> str | None:
    try:
        return base64.b64decode(text or "").decode("utf-8", "surrogatepass") or None
    except (binascii.Error, UnicodeError):
        return None
