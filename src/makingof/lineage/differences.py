"""What changed from one prompt, or one set of parameters, to the next.

A difference is exact: applied to the words before, it gives the words after,
in order and with their weights.
"""

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from makingof.lineage.words import Word, split_words
from makingof.part import Parameter, Text
from makingof.reading import State

_READABLE = frozenset({State.PRESENT, State.DEFAULT, State.ABSENT})
# Pairs of equal words looked at for the longest common run; a hostile prompt repeats one word for a megabyte.
_MAX_PAIRS = 250_000


@dataclass(frozen=True, slots=True)
class Placed:
    """A word that only one side has, and its place there."""

    at: int
    word: Word


@dataclass(frozen=True, slots=True)
class Shifted:
    """A word both sides have: its place before and after, and the word as it is after."""

    before: int
    after: int
    word: Word
    weight_before: Fraction


@dataclass(frozen=True, slots=True)
class WordDifference:
    """What makes the words after out of the words before.

    `moved` words left the order of the others, perhaps with another weight;
    `reweighted` ones kept it. `respaced`: the words are the same and the text is
    not, in blanks or punctuation.
    """

    removed: tuple[Placed, ...] = ()
    added: tuple[Placed, ...] = ()
    moved: tuple[Shifted, ...] = ()
    reweighted: tuple[Shifted, ...] = ()
    respaced: bool = False

    def __bool__(self) -> bool:
        return bool(self.removed or self.added or self.moved or self.reweighted or self.respaced)

    def apply(self, before: Sequence[Word]) -> list[Word]:
        """Return the words after, given those before."""
        gone = {placed.at for placed in self.removed} | {shifted.before for shifted in self.moved}
        heavier = {shifted.before: shifted.word for shifted in self.reweighted}
        arriving = {placed.at: placed.word for placed in self.added}
        arriving |= {shifted.after: shifted.word for shifted in self.moved}
        staying = iter([heavier.get(at, word) for at, word in enumerate(before) if at not in gone])
        length = len(before) - len(self.removed) + len(self.added)
        return [arriving[at] if at in arriving else next(staying) for at in range(length)]


@dataclass(frozen=True, slots=True)
class TextChange:
    """How a prompt changed. `words` is None where a side cannot be read; its state says why."""

    before: State
    after: State
    words: WordDifference | None


@dataclass(frozen=True, slots=True)
class ParameterChange:
    """One parameter on both sides; None where the record does not mention it.

    A value the tool says was its default is not the same as one that was given, and
    a default is not the same as nothing said.
    """

    name: str
    before: Parameter | None
    after: Parameter | None


def compare_prompts(before: str, after: str) -> WordDifference:
    """Return what changed between two prompts; the same text gives an empty difference."""
    if before == after:
        return WordDifference()
    difference = compare_words(split_words(before), split_words(after))
    return difference or WordDifference(respaced=True)


def compare_words(before: Sequence[Word], after: Sequence[Word]) -> WordDifference:
    """Return what makes `after` out of `before`."""
    common = _common(before, after)
    lost: dict[str, deque[int]] = defaultdict(deque)
    stayed_before, stayed_after = {i for i, _ in common}, {j for _, j in common}
    for at, word in enumerate(before):
        if at not in stayed_before:
            lost[word.text].append(at)
    moved, added = [], []
    for at, word in enumerate(after):
        if at in stayed_after:
            continue
        if waiting := lost[word.text]:
            was = waiting.popleft()
            moved.append(Shifted(was, at, word, before[was].weight))
        else:
            added.append(Placed(at, word))
    return WordDifference(
        removed=tuple(Placed(at, before[at]) for at in sorted(at for ats in lost.values() for at in ats)),
        added=tuple(added),
        moved=tuple(moved),
        reweighted=tuple(
            Shifted(i, j, after[j], before[i].weight)
            for i, j in common
            if before[i].weight != after[j].weight
        ),
    )


def compare_texts(before: Text | None, after: Text | None) -> TextChange | None:
    """Return what changed between two prompt parts, or None where nothing did; no part at all is None."""
    states = (_state(before), _state(after))
    if not _READABLE.issuperset(states):
        is_same = states[0] is states[1] and _told(before) == _told(after)
        return None if is_same else TextChange(*states, None)
    words = compare_prompts(_shown(before), _shown(after))
    return TextChange(*states, words) if words or states[0] is not states[1] else None


def compare_parameters(
    before: Mapping[str, Parameter], after: Mapping[str, Parameter]
) -> tuple[ParameterChange, ...]:
    """Return the parameters whose value or state differ, by name."""
    changes = []
    for name in sorted(before.keys() | after.keys()):
        one, other = _mentioned(before.get(name)), _mentioned(after.get(name))
        if (one and (one.value, one.state)) != (other and (other.value, other.state)):
            changes.append(ParameterChange(name, one, other))
    return tuple(changes)


def _state(text: Text | None) -> State:
    return State.ABSENT if text is None else text.state


def _shown(text: Text | None) -> str:
    if text is None:
        return ""
    return text.effective if text.effective is not None else text.typed or ""


def _told(text: Text | None) -> tuple[str | None, str | None, str | None]:
    """Return all a part has of a text, the bytes of one that is not Unicode included."""
    return (None, None, None) if text is None else (text.effective, text.typed, text.base64)


def _mentioned(parameter: Parameter | None) -> Parameter | None:
    """Take a parameter that is marked absent for one that is not there."""
    return None if parameter is None or parameter.state is State.ABSENT else parameter


class _Link(NamedTuple):
    """A pair of equal words, and the pair before it in the longest run that ends here."""

    before: int
    after: int
    previous: "_Link | None"


def _common(before: Sequence[Word], after: Sequence[Word]) -> list[tuple[int, int]]:
    """Return the places of a longest run of words that both have in the same order (Hunt and Szymanski)."""
    start = 0
    while start < min(len(before), len(after)) and before[start].text == after[start].text:
        start += 1
    rest = _longest([word.text for word in before[start:]], [word.text for word in after[start:]])
    return [(at, at) for at in range(start)] + [(start + i, start + j) for i, j in rest]


def _longest(before: Sequence[str], after: Sequence[str]) -> list[tuple[int, int]]:
    places: dict[str, list[int]] = defaultdict(list)
    for at, text in enumerate(after):
        places[text].append(at)
    if sum(len(places.get(text, ())) for text in before) > _MAX_PAIRS:
        candidates = _in_turn(before, places)
    else:
        candidates = [list(reversed(places.get(text, ()))) for text in before]
    ends: list[int] = []
    links: list[_Link] = []
    for i, matching in enumerate(candidates):
        for j in matching:
            length = bisect_left(ends, j)
            link = _Link(i, j, links[length - 1] if length else None)
            ends[length : length + 1] = [j]
            links[length : length + 1] = [link]
    return _unlink(links[-1] if links else None)


def _in_turn(before: Sequence[str], places: Mapping[str, Sequence[int]]) -> list[list[int]]:
    """Let the nth of a word match only the nth on the other side: as many pairs as words."""
    turns: dict[str, int] = defaultdict(int)
    candidates = []
    for text in before:
        turn = turns[text]
        turns[text] += 1
        candidates.append(list(places.get(text, ())[turn : turn + 1]))
    return candidates


def _unlink(link: _Link | None) -> list[tuple[int, int]]:
    run = []
    while link is not None:
        run.append((link.before, link.after))
        link = link.previous
    return run[::-1]
