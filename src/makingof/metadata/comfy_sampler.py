"""What one sampler of a ComfyUI graph was told: seed, steps, model, words and the rest."""

import re

from makingof.metadata.comfy_graph import Graph, Input, Link, Node, chosen_input
from makingof.metadata.comfy_model import MODEL_KEYS, model_fields
from makingof.metadata.comfy_text import NEGATIVE, POSITIVE, Words, find_text, find_words, is_pipe, join_words
from makingof.metadata.json_fields import make_field
from makingof.metadata.record import text_field
from makingof.metadata.tool_json import Number
from makingof.reading import Field, State

_MAX_CHAIN = 500
_SEED_KEYS = ("seed", "noise_seed")
_GUIDANCE_KEYS = ("cfg", "cfg_scale", "cfgscale", "true_gs", "guidance_scale")
_MODEL_INPUTS = ("model", *MODEL_KEYS)
_SIDES = {
    POSITIVE: ("positive", "conditioning", "cond1", "text_embeds"),
    NEGATIVE: ("negative", "neg_conditioning", "text_embeds"),
}
_FED_BY = frozenset({"positive", "conditioning", "text_embeds", "guider", "model"})
_RESIZING = frozenset({"pixels", "image", "scale_by", "upscale_model", "samples_to"})
_NUMBER_KEYS = ("value", "Value", "int", "Int", "float", "Float", "number", "Number", "INT", "FLOAT")


def is_sampler(node: Node) -> bool:
    """Whether a node makes a picture out of noise, by the names of its inputs."""
    inputs = node.inputs
    if "sigmas" in inputs and "sampler" in inputs:
        return True
    if "steps" not in inputs or not ("seed" in inputs or "noise_seed" in inputs):
        return False
    return not _FED_BY.isdisjoint(inputs) or any(
        is_pipe(name) or name.endswith("embeds") for name, _ in node.links
    )


class SamplerFacts:
    """Reads the fields of one sampler out of its graph."""

    def __init__(self, graph: Graph, sampler: Node) -> None:
        self._graph = graph
        self._sampler = sampler
        guider = self._behind(sampler, "guider") if "guider" in sampler.inputs else None
        self._nodes = (sampler,) if guider is None else (sampler, guider)

    def fields(self) -> dict[str, Field]:
        """Return every field the graph states or computes; what it does not hold stays out."""
        positive = self._all_words(POSITIVE)
        found = {
            "prompt": join_words(positive),
            "negative": _negative(self._all_words(NEGATIVE), positive),
            "typed_prompt": _typed(positive),
            "seed": self._seed(),
            "steps": self._setting("steps", "sigmas"),
            "sampler": self._setting("sampler_name", "sampler"),
            "scheduler": self._setting("scheduler", "sigmas"),
            "guidance": self._guidance(),
            "denoise": self._setting("denoise", "sigmas"),
            "vae": self._vae(),
            **self._model(),
            **self._size(),
            "tool:node": Field(str(self._sampler), source=self._sampler.id),
        }
        return {name: field for name, field in found.items() if field is not None}

    def size(self) -> tuple[str | None, str | None]:
        """Width and height of what the sampler makes, as far as the graph says them."""
        sides = self._size()
        return tuple(field.value if (field := sides.get(side)) else None for side in ("width", "height"))  # type: ignore[return-value]

    # Looking things up.

    def _behind(self, node: Node, name: str) -> Node | None:
        """Follow one input, through reroutes and switches, to the node that gives the value."""
        link = node.inputs.get(name)
        if type(link) is not Link:
            return None
        for _ in range(_MAX_CHAIN):
            found = self._graph.nodes.get(link.node)
            if found is None or (chosen := chosen_input(self._graph, found)) is None:
                return found
            link = chosen
        return None

    def _find(self, names: tuple[str, ...]) -> Input | None:
        """Find an input on the sampler, its guider, or in the bundle handed to it."""
        for node in self._nodes:
            inputs = node.inputs
            for name in names:
                if inputs.get(name) is not None:
                    return Input(node, name)
        return self._find_in_pipe(names)

    def _find_in_pipe(self, names: tuple[str, ...]) -> Input | None:
        queue = [link for name, link in self._sampler.links if is_pipe(name)]
        seen: set[str] = set()
        for link in queue:  # grows while it is walked
            node = self._graph.node(link)
            if node is None or node.id in seen or len(seen) > _MAX_CHAIN:
                continue
            seen.add(node.id)
            for name in names:
                if node.inputs.get(name) is not None:
                    return Input(node, name)
            queue.extend(link for name, link in node.links if is_pipe(name))
        return None

    def _plainly(self, names: tuple[str, ...]) -> Field | None:
        """Say a setting typed into the sampler itself, as most are; None where it stands anywhere else."""
        inputs = self._sampler.inputs
        for name in names:
            value = inputs.get(name)
            if value is not None:
                return text_field(value, f"{self._sampler.id}.{name}") if isinstance(value, str) else None
        return None

    def _literal(self, found: Input, names: tuple[str, ...]) -> Field:
        """Say a setting, following links to where a person or a primitive node set it."""
        for _ in range(_MAX_CHAIN):
            value = found.node.inputs[found.name]
            if type(value) is not Link:
                return make_field(value, f"{found.node.id}.{found.name}")
            node = self._graph.node(value)
            if node is None:
                break
            following = _setting_on(self._graph, node, names)
            if following is None:
                return Field(None, State.COMPUTED, str(node))
            found = following
        return Field(None, State.COMPUTED, found.node.source(found.name))

    # The fields.

    def _seed(self) -> Field | None:
        if "noise" in self._sampler.inputs and (noise := self._behind(self._sampler, "noise")) is not None:
            found = _setting_on(self._graph, noise, _SEED_KEYS)
        elif plain := self._plainly(_SEED_KEYS):
            return plain
        else:
            found = self._find(_SEED_KEYS)
        return self._literal(found, _SEED_KEYS) if found else None

    def _guidance(self) -> Field | None:
        if plain := self._plainly(_GUIDANCE_KEYS):
            return plain
        found = self._find(_GUIDANCE_KEYS)
        return self._literal(found, _GUIDANCE_KEYS) if found else None

    def _setting(self, name: str, through: str) -> Field | None:
        """A setting of the sampler itself or of the chain of nodes behind `through`."""
        names = (name,)
        if plain := self._plainly(names):
            return plain
        if found := self._find(names):
            return self._literal(found, names)
        node = self._behind(self._sampler, through)
        seen: set[str] = set()
        while node is not None and node.id not in seen and len(seen) < _MAX_CHAIN:
            seen.add(node.id)
            if node.inputs.get(name) is not None:
                return self._literal(Input(node, name), names)
            onward = next((key for key, _ in node.links if key.startswith(through)), None)
            node = self._behind(node, onward) if onward else None
        return None

    def _all_words(self, side: str) -> list[Words]:
        found = self._find(_SIDES[side])
        if found is None:
            return []
        if type(found.value) is Link:
            behind = self._graph.node(found.value)
            if behind is not None and found.name in (POSITIVE, NEGATIVE) and _is_string_node(behind):
                return find_text(self._graph, found.value, side)
            return find_words(self._graph, found.value, side)
        is_text = isinstance(found.value, str) and not isinstance(found.value, Number)
        return [Words(found.value, found.node.source(found.name))] if is_text else []

    def _model(self) -> dict[str, Field | None]:
        found = self._find(_MODEL_INPUTS)
        return model_fields(self._graph, found) if found else {}

    def _vae(self) -> Field | None:
        decoder = self._graph.decoder_of(self._sampler)
        loader = self._behind(decoder, "vae") if decoder else None
        if loader is None or not isinstance(loader.inputs.get("vae_name"), str):
            return None
        return text_field(loader.inputs["vae_name"], loader.source("vae_name"))

    def _size(self) -> dict[str, Field | None]:
        node = self._latent()
        for _ in range(_MAX_CHAIN):
            if node is None:
                return {}
            inputs = node.inputs
            if isinstance(inputs.get("dimensions"), str):
                return _sides(node)
            if "width" in inputs and "height" in inputs:
                return {side: self._literal(Input(node, side), (side,)) for side in ("width", "height")}
            if not _RESIZING.isdisjoint(inputs):
                return {}
            node = self._behind(node, "samples") if not is_sampler(node) else None
        return {}

    def _latent(self) -> Node | None:
        for name in ("latent_image", "latent", "samples"):
            if found := self._behind(self._sampler, name):
                return found
        return None


def _setting_on(graph: Graph, node: Node, names: tuple[str, ...]) -> Input | None:
    """Find the one input of a node that gives a setting: by its name, or as the only number there."""
    for name in names:
        if node.inputs.get(name) is not None:
            return Input(node, name)
    if chosen := chosen_input(graph, node):
        return next((Input(node, name) for name, link in node.links if link == chosen), None)
    if any(key in node.inputs for key in ("a", "b", "expression", "operation")):  # arithmetic
        return None
    for name in (*_NUMBER_KEYS, *_SEED_KEYS):
        value = node.inputs.get(name)
        if isinstance(value, Number) or type(value) is Link:
            return Input(node, name)
    only = list(node.inputs)
    return (
        Input(node, only[0])
        if len(only) == 1 and not isinstance(node.inputs[only[0]], (dict, list))
        else None
    )


def _negative(found: list[Words], positive: list[Words]) -> Field | None:
    """Join the negative words. Words that are the positive ones as well are no negative prompt.

    Models without guidance get one text on both sides, and some encoders give out
    both sides from one text.
    """
    sources = {words.source for words in positive}
    if found and all(words.source in sources for words in found):
        return Field(None, State.ABSENT, f"{found[0].source} (the positive words)")
    return join_words(found)


def _typed(found: list[Words]) -> Field | None:
    """Join what was typed before wildcards were filled in, where nodes keep it."""
    return join_words([words._replace(value=words.typed) for words in found if words.typed is not None])


def _sides(node: Node) -> dict[str, Field | None]:
    """Read sides spelled as one choice: `1024 x 1024 (square)`."""
    sides = re.match(r"(\d{1,6})\s?x\s?(\d{1,6})", node.inputs["dimensions"])
    source = node.source("dimensions")
    return (
        {"width": Field(sides[1], source=source), "height": Field(sides[2], source=source)} if sides else {}
    )


def _is_string_node(node: Node) -> bool:
    return (
        "clip" not in node.inputs
        and not re.search(r"encode|condition|pipe|loader|apply|control", node.kind, re.IGNORECASE)
        and (any(key in node.inputs for key in ("value", "string", "text", "prompt", "String")))
    )
