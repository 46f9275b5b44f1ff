"""What one sampler of a ComfyUI graph was told: seed, steps, model, words and the rest."""

import re
from typing import Any, NamedTuple

from makingof.metadata.comfy_graph import Graph, Link, Node, chosen_input
from makingof.metadata.comfy_text import NEGATIVE, POSITIVE, Words, find_text, find_words, is_pipe
from makingof.metadata.record import text_field
from makingof.metadata.tool_json import Number, spell
from makingof.reading import Field, State

_MAX_CHAIN = 500
_SEED_KEYS = ("seed", "noise_seed")
_GUIDANCE_KEYS = ("cfg", "cfg_scale", "cfgscale", "true_gs", "guidance_scale")
_MODEL_KEYS = (
    "ckpt_name",
    "unet_name",
    "base_ckpt_name",
    "gguf_name",
    "model_name",
    "model_path",
    "checkpoint",
    "Checkpoint",
)
_FED_BY = ("positive", "conditioning", "text_embeds", "guider", "model")
_NUMBER_KEYS = ("value", "Value", "int", "Int", "float", "Float", "number", "Number", "INT", "FLOAT")


def is_sampler(node: Node) -> bool:
    """Whether a node makes a picture out of noise, by the names of its inputs."""
    inputs = node.inputs
    if "sigmas" in inputs and "sampler" in inputs:
        return True
    if "steps" not in inputs or not ("seed" in inputs or "noise_seed" in inputs):
        return False
    return any(name in inputs for name in _FED_BY) or any(
        is_pipe(name) or name.endswith("embeds") for name, _ in node.links
    )


class _Found(NamedTuple):
    """An input and the node it was found on."""

    node: Node
    name: str

    @property
    def value(self) -> Any:
        return self.node.inputs[self.name]


class SamplerFacts:
    """Reads the fields of one sampler out of its graph."""

    def __init__(self, graph: Graph, sampler: Node) -> None:
        self._graph = graph
        self._sampler = sampler
        self._guider = self._behind(sampler, "guider")

    def fields(self) -> dict[str, Field]:
        """Return every field the graph states or computes; what it does not hold stays out."""
        positive = self._all_words(POSITIVE)
        found = {
            "prompt": _join(positive),
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
        for _ in range(_MAX_CHAIN):
            if type(link) is not Link:
                return None
            found = self._graph.node(link)
            if found is None or (chosen := chosen_input(self._graph, found)) is None:
                return found
            link = chosen
        return None

    def _find(self, *names: str) -> _Found | None:
        """Find an input on the sampler, its guider, or in the bundle handed to it."""
        nodes = [self._sampler] if self._guider is None else [self._sampler, self._guider]
        for node in nodes:
            for name in names:
                if node.inputs.get(name) is not None:
                    return _Found(node, name)
        return self._find_in_pipe(names)

    def _find_in_pipe(self, names: tuple[str, ...]) -> _Found | None:
        queue = [link for name, link in self._sampler.links if is_pipe(name)]
        seen: set[str] = set()
        for link in queue:  # grows while it is walked
            node = self._graph.node(link)
            if node is None or node.id in seen or len(seen) > _MAX_CHAIN:
                continue
            seen.add(node.id)
            for name in names:
                if node.inputs.get(name) is not None:
                    return _Found(node, name)
            queue.extend(link for name, link in node.links if is_pipe(name))
        return None

    def _literal(self, found: _Found, names: tuple[str, ...]) -> Field:
        """Say a setting, following links to where a person or a primitive node set it."""
        for _ in range(_MAX_CHAIN):
            value = found.value
            if type(value) is not Link:
                return text_field(spell(value), found.node.source(found.name))
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
        if (noise := self._behind(self._sampler, "noise")) is not None:
            found = _setting_on(self._graph, noise, _SEED_KEYS)
        else:
            found = self._find(*_SEED_KEYS)
        return self._literal(found, _SEED_KEYS) if found else None

    def _guidance(self) -> Field | None:
        found = self._find(*_GUIDANCE_KEYS)
        return self._literal(found, _GUIDANCE_KEYS) if found else None

    def _setting(self, name: str, through: str) -> Field | None:
        """A setting of the sampler itself or of the chain of nodes behind `through`."""
        if found := self._find(name):
            return self._literal(found, (name,))
        node = self._behind(self._sampler, through)
        seen: set[str] = set()
        while node is not None and node.id not in seen and len(seen) < _MAX_CHAIN:
            seen.add(node.id)
            if node.inputs.get(name) is not None:
                return self._literal(_Found(node, name), (name,))
            onward = next((key for key, _ in node.links if key.startswith(through)), None)
            node = self._behind(node, onward) if onward else None
        return None

    def _all_words(self, side: str) -> list[Words]:
        keys = ("positive", "conditioning", "cond1") if side == POSITIVE else ("negative", "neg_conditioning")
        found = self._find(*keys, "text_embeds")
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
        found = self._find("model", *_MODEL_KEYS)
        walk = _ModelWalk(self._graph)
        if found is not None:
            walk.enter(found)
        adapters = ", ".join(walk.adapters)
        return {
            "model": _join(walk.models),
            "adapters": text_field(adapters, "; ".join(walk.adapter_sources)) if adapters else None,
        }

    def _vae(self) -> Field | None:
        for node in self._graph.nodes.values():
            samples = node.inputs.get("samples")
            if "vae" in node.inputs and type(samples) is Link and samples.node == self._sampler.id:
                loader = self._behind(node, "vae")
                if loader is not None and isinstance(loader.inputs.get("vae_name"), str):
                    return text_field(loader.inputs["vae_name"], loader.source("vae_name"))
        return None

    def _size(self) -> dict[str, Field | None]:
        node = next(
            (
                found
                for name in ("latent_image", "latent", "samples")
                if (found := self._behind(self._sampler, name))
            ),
            None,
        )
        for _ in range(_MAX_CHAIN):
            if node is None:
                return {}
            if isinstance(node.inputs.get("dimensions"), str):
                return _sides(node)
            if "width" in node.inputs and "height" in node.inputs:
                sides = {side: self._literal(_Found(node, side), (side,)) for side in ("width", "height")}
                return {**sides}
            if any(
                name in node.inputs for name in ("pixels", "image", "scale_by", "upscale_model", "samples_to")
            ):
                return {}
            node = self._behind(node, "samples") if not is_sampler(node) else None
        return {}


class _ModelWalk:
    """Walks from a sampler's model input up to the files, noting adapters on the way."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._seen: set[str] = set()
        self.models: list[Words] = []
        self.adapters: list[str] = []
        self.adapter_sources: list[str] = []

    def enter(self, found: _Found) -> None:
        if type(found.value) is not Link:
            self._name_model(found)
            return
        queue = [found.value]
        for link in queue:  # grows while it is walked
            node = self._graph.node(link)
            if node is not None and node.id not in self._seen and len(self._seen) < _MAX_CHAIN:
                self._seen.add(node.id)
                queue.extend(self._at(node))

    def _at(self, node: Node) -> list[Link]:
        self._note_adapters(node)
        if chosen := chosen_input(self._graph, node):
            return [chosen]
        onward = [link for name, link in node.links if re.fullmatch(r"(opt_)?(model|unet)_?[a-z0-9]?", name)]
        stacks = [
            link
            for name, link in node.links
            if name in ("lora_stack", "prev_lora", "lora", "optional_lora_stack")
        ]
        name = next((key for key in _MODEL_KEYS if _file_name(node.inputs.get(key))), None)
        if name and (not onward or name in ("ckpt_name", "unet_name")):
            self._name_model(_Found(node, name))
            return stacks
        if not onward and _file_name(node.inputs.get("model")):
            self._name_model(_Found(node, "model"))
            return stacks
        if not onward:
            if any(type(node.inputs.get(key)) is Link for key in _MODEL_KEYS):
                self.models.append(Words(None, str(node), State.COMPUTED))
            onward = [link for key, link in node.links if is_pipe(key)]
        return onward + stacks

    def _name_model(self, found: _Found) -> None:
        name = _file_name(found.value)
        if name:
            self.models.append(Words(name, found.node.source(found.name)))

    def _note_adapters(self, node: Node) -> None:
        for key, value in node.inputs.items():
            if not key.startswith("lora"):
                continue
            number = key.rpartition("_")[2] if key[-1:].isdigit() else ""
            if isinstance(value, dict):  # one row of a stacker: {"on": true, "lora": …, "strength": 1}
                self._note_row(node, key, value)
            elif isinstance(value, list):
                for row in value:
                    if isinstance(row, dict):
                        self._note_row(node, key, row)
            elif (
                "name" in key
                and (name := _file_name(value))
                and node.inputs.get(f"switch_{number}", "On") != "Off"
            ):
                weights = [
                    spell(node.inputs[weight])
                    for weight in _weight_keys(number)
                    if isinstance(node.inputs.get(weight), Number)
                ]
                self._note(":".join([name, *weights]), node.source(key))

    def _note_row(self, node: Node, key: str, row: dict[str, Any]) -> None:
        name = _file_name(row.get("lora") or row.get("name") or row.get("content"))
        if name and row.get("on", row.get("active", True)) is True:
            weights = [
                spell(row[weight])
                for weight in ("strength", "strengthTwo")
                if isinstance(row.get(weight), Number)
            ]
            self._note(":".join([name, *weights]), node.source(key))

    def _note(self, adapter: str, source: str) -> None:
        self.adapters.append(adapter)
        self.adapter_sources.append(source)


def _weight_keys(number: str) -> tuple[str, ...]:
    if number:
        return (
            f"lora_wt_{number}",
            f"model_weight_{number}",
            f"clip_weight_{number}",
            f"strength_{number}",
            f"model_str_{number}",
            f"clip_str_{number}",
        )
    return ("strength_model", "strength_clip", "lora_model_strength", "lora_clip_strength", "strength")


def _file_name(value: Any) -> str | None:
    """The name of a chosen file, or None for no choice; some nodes wrap it with a preview picture."""
    if isinstance(value, dict):
        value = value.get("content")
    if not isinstance(value, str) or isinstance(value, Number) or value in ("", "None", "none"):
        return None
    return str(value)


def _setting_on(graph: Graph, node: Node, names: tuple[str, ...]) -> _Found | None:
    """Find the one input of a node that gives a setting: by its name, or as the only number there."""
    for name in names:
        if node.inputs.get(name) is not None:
            return _Found(node, name)
    if chosen := chosen_input(graph, node):
        return next((_Found(node, name) for name, link in node.links if link == chosen), None)
    if any(key in node.inputs for key in ("a", "b", "expression", "operation")):  # arithmetic
        return None
    for name in (*_NUMBER_KEYS, *_SEED_KEYS):
        value = node.inputs.get(name)
        if isinstance(value, Number) or type(value) is Link:
            return _Found(node, name)
    only = list(node.inputs)
    return (
        _Found(node, only[0])
        if len(only) == 1 and not isinstance(node.inputs[only[0]], (dict, list))
        else None
    )


def _negative(found: list[Words], positive: list[Words]) -> Field | None:
    """Join the negative words. Words that are the positive ones as well are no negative prompt.

    Models without guidance get one text on both sides, and some encoders give out
    both sides from one text.
    """
    own = {words.source for words in found} - {words.source for words in positive}
    if found and not own:
        return Field(None, State.ABSENT, f"{found[0].source} (the positive words)")
    return _join(found)


def _typed(found: list[Words]) -> Field | None:
    """Join what was typed before wildcards were filled in, where nodes keep it."""
    return _join([words._replace(value=words.typed) for words in found if words.typed is not None])


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


def _join(found: list[Words]) -> Field | None:
    """Put texts that act together into one field, a line each; one that was computed makes all of it so."""
    if not found:
        return None
    source = "; ".join(words.source for words in found)
    unsaid = next((words.state for words in found if words.state is not State.PRESENT), None)
    if unsaid:
        return Field(None, unsaid, source)
    texts = [words.value or "" for words in found]
    return text_field("\n".join([text for text in texts if text] or texts[:1]), source)
