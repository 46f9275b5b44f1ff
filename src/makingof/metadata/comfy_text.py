"""What words reached a sampler: the walk from conditioning up to the texts.

Positive and negative are kept apart by staying on the side one came from. Words
that were only put together while the graph ran are not in the graph; they are
reported as computed, with the node that made them, and never guessed.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from makingof.metadata.comfy_graph import (
    MAX_NAME_CHARS,
    MAX_STEPS,
    Graph,
    Link,
    Node,
    chosen_input,
    chosen_literal,
)
from makingof.metadata.record import text_field
from makingof.metadata.tool_json import Number
from makingof.reading import Field, State

POSITIVE = "positive"
NEGATIVE = "negative"

# Inputs of one node that belong to one side each.
_SIDE_KEYS = {
    POSITIVE: ("positive", "positive_prompt", "text_positive", "prompt_positive", "pos", "pos_prompt"),
    NEGATIVE: ("negative", "negative_prompt", "text_negative", "prompt_negative", "neg", "neg_prompt"),
}
_ALL_SIDE_KEYS = frozenset(key for keys in _SIDE_KEYS.values() for key in keys)
# Inputs that hold words, the ones that were really encoded before the ones typed.
_TEXT_KEYS = (
    "text", "prompt", "text_g", "text_l", "clip_g", "clip_l", "t5xxl", "llama", "qwen25_7b", "bert", "mt5xl",
    "gemma", "value", "string", "String", "Text", "STRING", "tags", "lyrics", "user_prompt", "caption",
    "prompt_text",
)  # fmt: skip
_TEXT_RANK = {key: rank for rank, key in enumerate(_TEXT_KEYS)}
_NUMBERED_TEXT = re.compile(r"(text|string|prompt)_?\d+")

_IS_ENCODER = re.compile(r"encode|conditioning|gligen", re.IGNORECASE)
# Classes whose words come out other than they went in.
_IS_PROCESSING = re.compile(
    r"concat|join|combine|append|replace|regex|format|template|wildcard|random|generat|llm|gpt|gemini|claude|ollama|"
    r"florence|caption|interrogat|tagger|translat|styler|enhanc|expand|refine|truncat|split|extract|parse|"
    r"process|substring|trim|search|merge|mixer|builder|dynamic|iterat|batch|math|compare",
    re.IGNORECASE,
)
_MAX_DEPTH = 150


class Words(NamedTuple):
    """One text found, or the node that computed one."""

    value: str | None
    source: str
    state: State = State.PRESENT
    typed: str | None = None  # before wildcards, where the node keeps it


_TOO_FAR = Words(None, "more nodes than are followed", State.UNREADABLE)


def find_words(graph: Graph, link: Link, side: str) -> list[Words]:
    """Return the texts behind a conditioning link, in input order; none where conditioning has no text."""
    key = (link.node, side)
    if key not in graph.found_words:
        walk = _Walk(graph, side)
        found = _without_repeats(walk.conditioning(link, 0))
        graph.found_words[key] = [_TOO_FAR] if walk.gave_up else found  # half of the words are another prompt
    words: list[Words] = graph.found_words[key]
    return words


def find_text(graph: Graph, link: Link, side: str) -> list[Words]:
    """Return the text behind a link that carries a string."""
    return _Walk(graph, side).text(link, 0)


class _Walk:
    """One walk up from one input; a node is visited once."""

    def __init__(self, graph: Graph, side: str) -> None:
        self._graph = graph
        self._side = side
        self._seen: set[tuple[str, bool]] = set()
        self.gave_up = False  # the graph goes on further than is followed

    def _enter(self, link: Link, depth: int, *, as_text: bool) -> Node | None:
        node = self._graph.node(link)
        if node is None or (node.id, as_text) in self._seen:
            return None
        if depth > _MAX_DEPTH or len(self._seen) >= MAX_STEPS:
            self.gave_up = True
            return None
        self._seen.add((node.id, as_text))
        return node

    def conditioning(self, link: Link, depth: int) -> list[Words]:
        """Words behind a link that carries encoded text."""
        node = self._enter(link, depth, as_text=False)
        if node is None or "ZeroOut" in node.kind:  # wiped: handing on would make the positive text negative
            return []
        if chosen := chosen_input(self._graph, node):
            return self.conditioning(chosen, depth + 1)
        if not _ALL_SIDE_KEYS.isdisjoint(node.inputs):
            for key in _SIDE_KEYS[self._side]:
                if key in node.inputs and (found := self._side_input(node, key, depth)) is not None:
                    return found
        above = [
            words
            for name, link_above in node.links
            if name.startswith("cond") or is_pipe(name)
            for words in self.conditioning(link_above, depth + 1)
        ]
        return above + [words for key in _text_keys(node) for words in self._text_input(node, key, depth)]

    def _side_input(self, node: Node, key: str, depth: int) -> list[Words] | None:
        value = node.inputs[key]
        if type(value) is not Link:
            return self._text_input(node, key, depth) if _is_words(value) else None
        behind = self._graph.node(value)
        if behind is not None and not _encodes(behind) and _text_keys(behind):
            return self.text(value, depth + 1)
        return self.conditioning(value, depth + 1)

    def _text_input(self, node: Node, key: str, depth: int) -> list[Words]:
        value = node.inputs[key]
        if type(value) is Link:
            return self.text(value, depth + 1)
        typed = node.inputs.get("wildcard_text") if key == "populated_text" else None
        return [Words(value, node.source(key), typed=typed if _is_words(typed) else None)]

    def text(self, link: Link, depth: int) -> list[Words]:
        """Words behind a link that carries a string: one text, or the node that computed it."""
        node = self._enter(link, depth, as_text=True)
        if node is None:
            return [Words(None, f"{link.node} (not in the graph)", State.COMPUTED)]
        if chosen := chosen_input(self._graph, node):
            return self.text(chosen, depth + 1)
        if (typed := chosen_literal(self._graph, node)) and _is_words(node.inputs.get(typed)):
            return self._text_input(node, typed, depth)
        keys = [key for key in _SIDE_KEYS[self._side] if _holds_text(node.inputs.get(key))] or _text_keys(
            node
        )
        if len(keys) == 1 and (keys[0] == "populated_text" or not _computes(node)):
            return self._text_input(node, keys[0], depth)
        # One node may make both sides: its outputs are told apart.
        source = f"{node} output {link.output}" if link.output else str(node)
        return [Words(None, source, State.COMPUTED)]


def _is_words(value: object) -> bool:
    return isinstance(value, str) and not isinstance(value, Number)


def _holds_text(value: object) -> bool:
    return type(value) is Link or _is_words(value)


def _text_keys(node: Node) -> list[str]:
    """Name the inputs that hold words, in the order of `_TEXT_KEYS`, numbered ones if there are no others."""
    inputs = node.inputs
    if _is_words(inputs.get("populated_text")):
        return ["populated_text"]
    found = [key for key in inputs if key in _TEXT_RANK and _holds_text(inputs[key])]
    if found:
        return sorted(found, key=_TEXT_RANK.__getitem__) if len(found) > 1 else found
    return [
        key
        for key in inputs
        if key[-1:].isdigit() and _NUMBERED_TEXT.fullmatch(key) and _holds_text(inputs[key])
    ]


def _encodes(node: Node) -> bool:
    return "clip" in node.inputs or _is_encoder(node.kind[:MAX_NAME_CHARS])


@lru_cache(maxsize=4096)
def _is_encoder(kind: str) -> bool:
    return bool(_IS_ENCODER.search(kind))


def _computes(node: Node) -> bool:
    """Whether words may come out changed: by the class, by a model that writes, or by a seed that chooses."""
    return bool(_IS_PROCESSING.search(node.kind)) or not {"seed", "clip", "model", "style"}.isdisjoint(
        node.inputs
    )


def _without_repeats(found: list[Words]) -> list[Words]:
    """One text given to several encoders (SDXL, Flux) is one text."""
    if len(found) < 2:  # noqa: PLR2004 - nothing to repeat
        return found
    kept: dict[str, Words] = {}
    for words in found:
        kept.setdefault(words.value if words.value is not None else f"\0{words.source}", words)
    return list(kept.values())


def is_pipe(name: str) -> bool:
    """Whether an input carries a bundle of model, texts and more from an earlier node."""
    return "pipe" in name or name in ("base_ctx", "ctx", "context", "ctx_01")


def join_words(found: list[Words]) -> Field | None:
    """Put texts that act together into one field, a line each; one that was computed makes all of it so."""
    if not found:
        return None
    if len(found) == 1 and found[0].state is State.PRESENT:
        return text_field(found[0].value or "", found[0].source)
    source = "; ".join(words.source for words in found)
    unsaid = next((words.state for words in found if words.state is not State.PRESENT), None)
    if unsaid:
        return Field(None, unsaid, source)
    texts = [words.value or "" for words in found]
    return text_field("\n".join([text for text in texts if text] or texts[:1]), source)
