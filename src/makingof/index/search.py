"""Words to search by: Latin script by word, CJK by pairs of neighbouring signs.

SQLite's tokenizers find no Chinese word inside a sentence: `unicode61` takes the
whole run for one word, `trigram` needs three signs. Pairs make 女孩 and 光线
findable in any text that holds them, and a longer run is a phrase of pairs.
"""

import re
import unicodedata
from collections.abc import Iterator

from makingof.errors import UsageError
from makingof.lineage.cjk import CJK
from makingof.texts import say

_RUNS = re.compile(f"([{CJK}]+)|([^{CJK}]+)")
_WORD = re.compile(r"\w+")
_TERMS = re.compile(r'"([^"]*)"|([^\s"]+)')
_MAX_TERMS = 64


def indexed_words(text: str) -> str:
    """Return `text` as the search index takes it, the same for the same text at all times.

    Each sign also stands for itself at the end of its run, so that a search for
    one sign finds it anywhere: as the first of a pair, or alone.
    """
    return text if text.isascii() else " ".join(_indexed(text))


def match_expression(query: str) -> str | None:
    """Return the FTS5 expression for what a person typed, or None where it holds no word.

    All words must be there, in any order; text in double quotes must be there as it
    is; a word that ends in `*` may go on. Nothing typed is ever syntax beyond that.
    More than 64 words are a `UsageError`.
    """
    terms = [_term(quoted, bare) for quoted, bare in _TERMS.findall(query)]
    found = [term for term in terms if term]
    if len(found) > _MAX_TERMS:
        raise UsageError(say("index.long_search", count=len(found), limit=_MAX_TERMS))
    return " AND ".join(found) or None


def _normal(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _indexed(text: str) -> Iterator[str]:
    for cjk, other in _RUNS.findall(_normal(text)):
        if cjk:
            yield from _pairs(cjk)
            yield cjk[-1]
        else:
            yield other


def _pairs(run: str) -> list[str]:
    return [run[start : start + 2] for start in range(len(run) - 1)]


def _term(quoted: str, bare: str) -> str:
    """Return one expression: a phrase, whose words stand side by side as `_indexed` laid them."""
    words: list[str] = []
    is_prefix = bare.endswith("*")
    runs = _RUNS.findall(_normal(quoted or bare.rstrip("*")))
    for number, (cjk, other) in enumerate(runs, start=1):
        words += _pairs(cjk) if cjk else _WORD.findall(other)
        if not cjk:
            continue
        if number < len(runs):
            words.append(cjk[-1])  # what follows it in the text follows the sign that ended the run
        elif len(cjk) == 1:
            words.append(cjk)
            is_prefix = True  # the first of a pair, or the sign at the end of a run
    phrase = " ".join(words)
    if not words:
        return ""
    return f'"{phrase}"*' if is_prefix else f'"{phrase}"'
