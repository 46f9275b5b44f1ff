"""The words of a prompt with their weights, as A1111, Forge and ComfyUI write them.

A word is what stands between blanks and punctuation; of CJK text, which has no
blanks, a run between punctuation. Weights are exact: `((cat))` weighs 121/100,
and `[cat]` 10/11. A network as `<lora:name:0.8>` is one word with its weight, a
schedule as `[cat:dog:0.5]` or `[cat|dog]` one word as it stands, `BREAK` and
`AND` are words. Of other tools' marks nothing is assumed: they belong to the word.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from makingof.lineage.cjk import CJK

_STRONGER = Fraction(11, 10)
_WEAKER = Fraction(10, 11)
_PLAIN = Fraction(1)
# A weight nested deeper says nothing, and its exact product would grow without bound.
_MAX_DEPTH = 32

_NETWORK = re.compile(r"<(\w{1,32}):([^<>:\s]+)(?::([^<>\s]*))?>")
_NUMBER = re.compile(r"[+-]?(?:\d{1,4}(?:\.\d{0,8})?|\.\d{1,8})")
_TOKEN = re.compile(r"\\.|<[^<>]{1,400}>|[()\[\]|:]|[^\\<()\[\]|:]+|<|\\", re.DOTALL)
_ESCAPED = re.compile(r"\\.", re.DOTALL)
_SEPARATORS = r"\s,;\"，、；。！？：“”‘’「」『』（）【】《》〈〉…"
_WORD = re.compile(rf"[{CJK}]+|[^{_SEPARATORS}{CJK}]+")


@dataclass(frozen=True, slots=True)
class Word:
    """One word and what it weighs, 1 where nothing is said."""

    text: str
    weight: Fraction = _PLAIN


def split_words(prompt: str) -> tuple[Word, ...]:
    """Return the words of `prompt` in order; time and memory grow with its length alone."""
    return tuple(_scan(_TOKEN.findall(prompt)))


def spell_weight(weight: Fraction) -> str:
    """Spell a weight for people: four decimals at most."""
    return f"{float(weight):.4f}".rstrip("0").rstrip(".")


@dataclass(slots=True)
class _Bracket:
    """An opening bracket: its partner, what lies directly inside, and what it does to the words between."""

    is_round: bool
    close: int | None = None  # None: never closed, it reaches to the end
    colon: int | None = None  # the last one directly inside
    has_bar: bool = False
    is_schedule: bool = False
    weighs: Fraction = _PLAIN


def _scan(pieces: list[str]) -> Iterator[Word]:
    brackets = _pair(pieces)
    ends = {bracket.close for bracket in brackets.values() if not bracket.is_schedule}
    # An explicit weight, `:1.2`, is passed over: from its colon to the bracket that closes it.
    cuts = {b.colon: b.close for b in brackets.values() if b.colon is not None and b.close is not None}
    weights = [_PLAIN]
    text: list[str] = []
    index = 0
    while index < len(pieces):
        piece, bracket = pieces[index], brackets.get(index)
        network = _NETWORK.fullmatch(piece) if piece[0] == "<" else None
        if bracket is None and network is None and index not in ends and index not in cuts:
            text.append(piece[1:] if _ESCAPED.fullmatch(piece) else piece)
            index += 1
            continue
        yield from _words("".join(text), weights[-1])
        text.clear()
        if bracket is not None and bracket.is_schedule and bracket.close is not None:
            yield Word("".join(pieces[index : bracket.close + 1]), weights[-1])
            index = bracket.close
        elif bracket is not None:
            weights.append(weights[-1] * bracket.weighs if len(weights) <= _MAX_DEPTH else weights[-1])
        elif index in ends:
            weights.pop()
        elif network is not None:
            yield _network(network, weights[-1])
        else:
            index = cuts[index] - 1
        index += 1
    yield from _words("".join(text), weights[-1])


def _pair(pieces: list[str]) -> dict[int, _Bracket]:
    """Return the brackets that mean something, by where they open; what closes nothing is text."""
    found: dict[int, _Bracket] = {}
    unclosed: list[_Bracket] = []
    for index, piece in enumerate(pieces):
        if piece in ("(", "["):
            is_round = piece == "("
            found[index] = _Bracket(is_round, weighs=_STRONGER if is_round else _WEAKER)
            unclosed.append(found[index])
        elif not unclosed:
            continue
        elif piece == (")" if unclosed[-1].is_round else "]"):
            _close(unclosed.pop(), index, pieces)
        elif piece == ":":
            unclosed[-1].colon = index
        elif piece == "|":
            unclosed[-1].has_bar = True
    for bracket in unclosed:
        bracket.colon = None
    return found


def _close(bracket: _Bracket, index: int, pieces: list[str]) -> None:
    """Note where a bracket closes, and whether a number stands between its last colon and there."""
    bracket.close = index
    number = None
    if bracket.colon == index - 2:
        number = _NUMBER.fullmatch(pieces[index - 1].strip())
    if bracket.is_round and number is not None:
        bracket.weighs = Fraction(number[0])
        return
    bracket.is_schedule = not bracket.is_round and (bracket.has_bar or number is not None)
    bracket.colon = None


def _network(found: re.Match[str], weight: Fraction) -> Word:
    """Return `<lora:name:0.8>` as its name and weight; with several numbers it stays as it stands."""
    kind, name, number = found.groups()
    if number is not None and not _NUMBER.fullmatch(number):
        return Word(found[0], weight)
    return Word(f"<{kind}:{name}>", weight if number is None else weight * Fraction(number))


def _words(text: str, weight: Fraction) -> Iterator[Word]:
    for found in _WORD.findall(text):
        if word := found.rstrip(".!?").strip("'"):
            yield Word(word, weight)
