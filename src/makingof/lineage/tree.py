"""The lineage as people read it: from brief and prompts through what came and was chosen to the final.

A value for showing, in JSON as on a screen. It repeats what events say, puts it
in order and says what changed from one step to the next; it judges nothing.
`makingof.lineage.growing` makes it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import msgspec

from makingof.digest import Digest
from makingof.event import Kind
from makingof.lineage.choices import ChoiceMade
from makingof.lineage.differences import ParameterChange, TextChange
from makingof.lineage.graph import Stream
from makingof.lineage.judged import Judged
from makingof.lineage.lineage import Why
from makingof.lineage.second_looks import LookedAt
from makingof.lineage.words import spell_weight
from makingof.part import Means, Parameters, Role, Text


@dataclass(frozen=True, slots=True)
class TreePicture:
    """A picture in the tree; `blob` is None where its file part is sealed or erased."""

    file: Digest
    blob: Digest | None
    role: Role | None
    name: str | None
    judged: Judged
    is_subject: bool  # asked about


@dataclass(frozen=True, slots=True)
class Asked:
    """What a generation was asked for: the record that speaks for the picture, of `records` there are."""

    prompt: Text | None
    negative: Text | None
    parameters: Parameters | None
    records: int
    hidden: bool  # whether a part that says some of it is sealed or erased


@dataclass(frozen=True, slots=True)
class Pixels:
    """Two pictures, and what differs between them once somebody compared them."""

    before: Digest
    after: Digest
    difference: Any = None


@dataclass(frozen=True, slots=True)
class Step:
    """What changed since another generation: the one it started `from`, or the one it came `after`."""

    since: int
    relation: str
    prompt: TextChange | None
    negative: TextChange | None
    parameters: tuple[ParameterChange, ...]


@dataclass(frozen=True, slots=True)
class Generation:
    """One job, with all its pictures; `outcome` is what the tool said where it gave none."""

    number: int
    events: tuple[Digest, ...]
    positions: tuple[int, ...]
    why: Why
    means: Means
    at: str
    is_claimed: bool
    tool: str | None
    outcome: str | None
    asked: Asked
    pictures: tuple[TreePicture, ...]
    sources: tuple[TreePicture, ...]
    step: Step | None
    pixels: tuple[Pixels, ...]
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class Edit:
    """Manual work on pictures: what it started from, what came of it.

    `sources` are the pictures named as such; an event it cites that gave several says
    only that it was one of them.
    """

    number: int
    events: tuple[Digest, ...]
    positions: tuple[int, ...]
    means: Means
    actor: str | None
    at: str
    is_claimed: bool
    texts: tuple[str, ...]
    pictures: tuple[TreePicture, ...]
    sources: tuple[TreePicture, ...]
    cites: tuple[Digest, ...]
    pixels: tuple[Pixels, ...]
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class OtherAct:
    """Any other event of the lineage: a brief, a note, a publication, an affirmation and so on."""

    event: Digest
    position: int
    kind: Kind
    means: Means
    actor: str | None
    at: str
    title: str | None
    texts: tuple[str, ...]
    where: tuple[str, ...]
    pictures: tuple[TreePicture, ...]
    about: tuple[Digest, ...]  # events it cites
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class Tree:
    """A lineage in order. Every member is in it once: in a generation, an edit, a choice or an act."""

    rule: int
    size: int
    subjects: tuple[TreePicture, ...]
    briefs: tuple[OtherAct, ...]
    generations: tuple[Generation, ...]
    edits: tuple[Edit, ...]
    choices: tuple[ChoiceMade, ...]
    acts: tuple[OtherAct, ...]
    streams: tuple[Stream, ...]
    looks: tuple[LookedAt, ...]
    sealed: int
    erased: int

    def to_builtins(self) -> dict[str, Any]:
        """Return the tree as JSON takes it; weights are spelled as decimals."""
        plain: dict[str, Any] = msgspec.to_builtins(self, enc_hook=_encode)
        return plain


def pairs_to_compare(tree: Tree) -> list[tuple[Digest, Digest]]:
    """Return the pictures whose pixels are worth comparing: each source with what was made from it."""
    pixels = [item for made in tree.generations for item in made.pixels]
    pixels += [item for made in tree.edits for item in made.pixels]
    return list(dict.fromkeys((item.before, item.after) for item in pixels))


def with_pixels(tree: Tree, differences: Mapping[tuple[Digest, Digest], Any]) -> Tree:
    """Return `tree` with what a comparison of pixels found."""

    def filled(pixels: Sequence[Pixels]) -> tuple[Pixels, ...]:
        return tuple(replace(item, difference=differences.get((item.before, item.after))) for item in pixels)

    return replace(
        tree,
        generations=tuple(replace(made, pixels=filled(made.pixels)) for made in tree.generations),
        edits=tuple(replace(made, pixels=filled(made.pixels)) for made in tree.edits),
    )


def _encode(value: object) -> object:
    return spell_weight(value) if isinstance(value, Fraction) else str(value)
