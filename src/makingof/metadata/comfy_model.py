"""Which files a ComfyUI sampler's model was made of: checkpoints, and the adapters on the way to them."""

import re
from functools import lru_cache
from typing import Any

from makingof.metadata.comfy_graph import MAX_NAME_CHARS, Graph, Input, Link, Node, chosen_input
from makingof.metadata.comfy_text import Words, is_pipe, join_words
from makingof.metadata.record import text_field
from makingof.metadata.tool_json import Number, spell
from makingof.reading import Field, State

MODEL_KEYS = (
    "ckpt_name",
    "unet_name",
    "base_ckpt_name",
    "gguf_name",
    "model_name",
    "model_path",
    "checkpoint",
    "Checkpoint",
)
_STACKS = frozenset({"lora_stack", "prev_lora", "lora", "optional_lora_stack"})
_MAX_CHAIN = 500


def model_fields(graph: Graph, found: Input) -> dict[str, Field | None]:
    """Return `model` and `adapters` behind an input, remembered by the node it leads to."""
    key = found.value.node if type(found.value) is Link else ""
    if not key or key not in graph.found_models:
        walk = _ModelWalk(graph)
        walk.enter(found)
        adapters = ", ".join(walk.adapters)
        fields = {
            "model": join_words(walk.models),
            "adapters": text_field(adapters, "; ".join(walk.adapter_sources)) if adapters else None,
        }
        if not key:
            return fields
        graph.found_models[key] = fields
    return dict(graph.found_models[key])


class _ModelWalk:
    """Walks from a sampler's model input up to the files, noting adapters on the way."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._seen: set[str] = set()
        self.models: list[Words] = []
        self.adapters: list[str] = []
        self.adapter_sources: list[str] = []

    def enter(self, found: Input) -> None:
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
        onward = [link for name, link in node.links if _leads_to_model(name[:MAX_NAME_CHARS])]
        stacks = [link for name, link in node.links if name in _STACKS]
        name = next((key for key in MODEL_KEYS if key in node.inputs and _file_name(node.inputs[key])), None)
        if name and (not onward or name in ("ckpt_name", "unet_name")):
            self._name_model(Input(node, name))
            return stacks
        if not onward and _file_name(node.inputs.get("model")):
            self._name_model(Input(node, "model"))
            return stacks
        if not onward:
            if any(type(node.inputs.get(key)) is Link for key in MODEL_KEYS):
                self.models.append(Words(None, str(node), State.COMPUTED))
            onward = [link for key, link in node.links if is_pipe(key)]
        return onward + stacks

    def _name_model(self, found: Input) -> None:
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


@lru_cache(maxsize=4096)
def _leads_to_model(name: str) -> bool:
    return re.fullmatch(r"(opt_)?(model|unet)_?[a-z0-9]?", name) is not None


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
