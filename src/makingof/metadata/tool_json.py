"""JSON as tools write it: read for what it says, never trusted to be strict.

Numbers keep their spelling (`7.0`, a seed of 64 bits, `1e-05`), `NaN` and
`Infinity` are let through, duplicate keys are counted, trailing nulls ignored. A
number is a `Number`, so that the text "12" and the number 12 stay apart.
"""

import json
from typing import Any

import msgspec

from makingof.errors import MalformedError
from makingof.metadata.record import is_valid_text

MAX_JSON_CHARS = 8 << 20
MAX_SPELLED_DEPTH = 100


class Number(str):
    """A JSON number by its spelling; `NaN` and `Infinity` count."""

    __slots__ = ()


class _Pairs:
    """Builds objects and counts the keys that came twice."""

    def __init__(self) -> None:
        self.duplicates = 0

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        self.duplicates += len(pairs) - len(value)
        return value


def parse_tool_json(text: str, *, limit_chars: int = MAX_JSON_CHARS) -> tuple[Any, int]:
    """Return the value and the number of duplicate keys (the last one counts, as in every tool).

    Text that is no JSON, is nested too deeply for us or is longer than
    `limit_chars` is a `MalformedError`.
    """
    if len(text) > limit_chars:
        message = f"JSON of {len(text)} characters is longer than the {limit_chars} read here"
        raise MalformedError(message)
    text = text.rstrip("\0 \t\r\n")
    value = _parse_strict(text)
    return _parse_lenient(text) if value is None else (value, 0)


def _parse_strict(text: str) -> Any | None:
    """Return what the lenient way would, sooner; None for all it cannot be sure of.

    It refuses whatever strict JSON refuses, and any text in which a key may stand twice.
    """
    if "-0" in text:  # read as a whole number, -0 would lose its sign
        return None
    try:
        value = _strict.decode(text)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return None
    if type(value) is not dict and type(value) is not list:
        return None
    keys = _settle(value)
    return value if keys == text.count(":") or (keys == text.count('":') and _is_tight(text)) else None


_strict = msgspec.json.Decoder(float_hook=Number)
_SMALL = {number: Number(number) for number in range(128)}


def _settle(value: dict[Any, Any] | list[Any]) -> int:
    """Make a `Number` of every whole number, in place; return how many keys there are."""
    keys = 0
    waiting: list[Any] = [value]
    for item in waiting:  # grows while it is walked
        is_object = type(item) is dict
        keys += len(item) if is_object else 0
        for key, inner in item.items() if is_object else enumerate(item):
            kind = type(inner)
            if kind is int:
                item[key] = _SMALL.get(inner) or Number(inner)
            elif kind is dict:
                waiting.append(inner)
            elif kind is list:
                if len(inner) == 2 and type(inner[0]) is str and type(inner[1]) is int:  # noqa: PLR2004 - a link of a graph
                    inner[1] = _SMALL.get(inner[1]) or Number(inner[1])
                else:
                    waiting.append(inner)
    return keys


def _is_tight(text: str) -> bool:
    """Whether no blank stands before a colon, so that `":` comes at least once for every key."""
    return not any(blank in text for blank in (" :", "\n:", "\t:", "\r:"))


def _parse_lenient(text: str) -> tuple[Any, int]:
    pairs = _Pairs()
    decoder = json.JSONDecoder(
        parse_float=Number, parse_int=Number, parse_constant=Number, object_pairs_hook=pairs, strict=False
    )
    try:
        value = decoder.decode(text)
    except json.JSONDecodeError as err:
        message = f"text is not JSON: {err}"
        raise MalformedError(message) from err
    except RecursionError as err:
        message = "JSON is nested too deeply"
        raise MalformedError(message) from err
    return value, pairs.duplicates


def parse_tool_object(text: str) -> tuple[dict[str, Any], int]:
    """Like `parse_tool_json`, and the value must be an object."""
    value, duplicates = parse_tool_json(text)
    if not isinstance(value, dict):
        message = "JSON is not an object"
        raise MalformedError(message)
    return value, duplicates


def spell(value: Any) -> str:
    """Write a JSON value back as one text: text and numbers as they were, the rest as JSON.

    Numbers inside lists and objects keep their spelling. Nesting beyond
    `MAX_SPELLED_DEPTH` is a `MalformedError`.
    """
    return str(value) if isinstance(value, str) else _encode(value, 0)


def _encode(value: Any, depth: int) -> str:
    if depth > MAX_SPELLED_DEPTH:
        message = f"JSON is nested deeper than {MAX_SPELLED_DEPTH}"
        raise MalformedError(message)
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join([_encode(item, depth + 1) for item in value]) + "]"
    if isinstance(value, dict):
        pairs = [f"{_quote(key)}: {_encode(item, depth + 1)}" for key, item in value.items()]
        return "{" + ", ".join(pairs) + "}"
    return _quote(value) if isinstance(value, str) else json.dumps(value)


def _quote(text: str) -> str:
    # Escaping keeps a lone surrogate inside a longer value from spoiling the whole of it.
    return json.dumps(text, ensure_ascii=not is_valid_text(text))
