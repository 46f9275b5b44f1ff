"""A ComfyUI graph as the server executed it: nodes, links, and ways to walk up them.

Nodes are known by the *names* of their inputs, not by their class: there are
thousands of classes, and the names are what the community keeps stable. Every
walk is bounded and survives cycles, missing nodes and ten thousand links.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from makingof.errors import MalformedError
from makingof.metadata.tool_json import Number

MAX_NODES = 20_000
MAX_STEPS = 1_000  # of one walk
MAX_NAME_CHARS = 200  # what of a name is judged: what a name means is remembered from file to file


class Link(NamedTuple):
    """Where an input gets its value: another node's output."""

    node: str
    output: int


class Node(NamedTuple):
    """One node: its id in the graph, its class, its inputs (links resolved, literals as they were).

    `links` are the inputs that come from other nodes, by name.
    """

    id: str
    kind: str
    inputs: dict[str, Any]
    links: tuple[tuple[str, Link], ...] = ()

    def source(self, name: str) -> str:
        """Say where a value stands: `3.seed`."""
        return f"{self.id}.{name}"

    def __str__(self) -> str:
        return f"{self.id} {self.kind}"


class Input(NamedTuple):
    """An input and the node it was found on."""

    node: Node
    name: str

    @property
    def value(self) -> Any:
        """What stands in it: a `Link`, or a literal."""
        return self.node.inputs[self.name]


class Graph:
    """All nodes of a graph, by id, in the order they were written."""

    def __init__(self, nodes: dict[str, Node]) -> None:
        self.nodes = nodes
        # Samplers share texts and models, so what a walk found is kept by where it began.
        self.found_words: dict[tuple[str, str], Any] = {}
        self.found_models: dict[str, Any] = {}
        self._decoders: dict[str, Node] | None = None

    def node(self, link: Link) -> Node | None:
        """Return the node behind a link, or None where the graph does not hold it."""
        return self.nodes.get(link.node)

    def decoder_of(self, sampler: Node) -> Node | None:
        """Return the first node that decodes what `sampler` makes, or None."""
        if self._decoders is None:
            self._decoders = {}
            for node in self.nodes.values():
                samples = node.inputs.get("samples")
                if type(samples) is Link and "vae" in node.inputs:
                    self._decoders.setdefault(samples.node, node)
        return self._decoders.get(sampler.id)

    def upstream(self, starts: Iterable[Node], *, stop: frozenset[str] = frozenset()) -> list[str]:
        """Return the ids of all nodes above `starts`, nearest first, not walking past `stop`."""
        queue = [link.node for start in starts for _, link in start.links]
        seen = dict.fromkeys(queue)
        for node_id in queue:  # grows while it is walked
            node = self.nodes.get(node_id)
            if node is None or node_id in stop:
                continue
            for _, link in node.links:
                if link.node not in seen:
                    seen[link.node] = None
                    queue.append(link.node)
        return [node_id for node_id in seen if node_id in self.nodes]

    def in_dataflow_order(self) -> list[Node]:
        """Return all nodes, each after everything it depends on; cycles are cut where they are met."""
        done: set[str] = set()
        order: list[Node] = []
        for first in self.nodes.values():
            stack: list[tuple[Node, bool]] = [(first, False)]
            while stack:
                node, is_expanded = stack.pop()
                if is_expanded:
                    order.append(node)
                    continue
                if node.id in done:
                    continue
                done.add(node.id)
                stack.append((node, True))
                above = [self.nodes[link.node] for _, link in node.links if link.node in self.nodes]
                stack.extend((other, False) for other in reversed(above) if other.id not in done)
        return order


def parse_graph(value: dict[str, Any]) -> Graph | None:
    """Make a graph of a decoded `prompt` object, or None where no entry is a node.

    Entries that are no nodes (hubs add some) are left out. More than `MAX_NODES` are a
    `MalformedError`: half a graph would tell of another picture.
    """
    nodes: dict[str, Node] = {}
    for key, entry in value.items():
        if type(entry) is not dict or not isinstance(kind := entry.get("class_type"), str):
            continue
        inputs = entry.get("inputs")
        read, links = _read_inputs(inputs, value) if type(inputs) is dict else ({}, ())
        nodes[key] = Node(key, kind, read, links)
    if len(nodes) > MAX_NODES:
        message = f"graph of {len(nodes)} nodes is larger than the {MAX_NODES} read here"
        raise MalformedError(message)
    return Graph(nodes) if nodes else None


def _read_inputs(
    inputs: dict[str, Any], value: dict[str, Any]
) -> tuple[dict[str, Any], tuple[tuple[str, Link], ...]]:
    """Make a `Link` of every `["node", output]`, and a plain list of one that the server wrapped."""
    read: dict[str, Any] = {}
    links = []
    for name, item in inputs.items():
        read[name] = item
        if type(item) is list:
            if len(item) != _LINK_PARTS or type(item[1]) is not Number or not isinstance(item[0], str):
                continue
            if item[0] in value:
                link = read[name] = Link(item[0], int(item[1]) if item[1] in _SMALL else 0)
                links.append((name, link))
        elif type(item) is dict and "__value__" in item:
            read[name] = item["__value__"]
    return read, tuple(links)


_LINK_PARTS = 2
_SMALL = frozenset(map(str, range(1000)))  # no output has a longer number; digits from outside may be endless


_SWITCH = re.compile(r"switch|select|if\b|ifelse|choose", re.IGNORECASE)
_HANDS_ON = re.compile(r"reroute|preview|show|display|stash", re.IGNORECASE)
_CONDITIONS = ("switch", "boolean", "condition")


@lru_cache(maxsize=4096)
def _may_hand_on(kind: str) -> bool:
    """Whether a class, by its name, gives out one of its inputs as it is."""
    return bool(_SWITCH.search(kind) or _HANDS_ON.search(kind))


def chosen_input(graph: Graph, node: Node) -> Link | None:
    """Tell which input a reroute or switch hands on, where the graph alone decides it; else None."""
    if not _may_hand_on(node.kind[:MAX_NAME_CHARS]):
        return None
    name = _chosen_name(graph, node)
    value = node.inputs.get(name) if name else None
    return value if type(value) is Link else None


def chosen_literal(graph: Graph, node: Node) -> str | None:
    """Name the input of a switch that is chosen and typed into it; None where it is linked or undecided."""
    name = _chosen_name(graph, node) if _may_hand_on(node.kind[:MAX_NAME_CHARS]) else None
    return name if name and type(node.inputs.get(name)) is not Link else None


def _chosen_name(graph: Graph, node: Node) -> str | None:
    if "on_true" in node.inputs or "on_false" in node.inputs:
        condition = next((node.inputs[name] for name in _CONDITIONS if name in node.inputs), None)
        if type(condition) is Link:
            primitive = graph.node(condition)
            condition = primitive.inputs.get("value") if primitive else None
        return ("on_true" if condition else "on_false") if isinstance(condition, bool) else None
    branches = [name for name, _ in node.links if name not in _CONDITIONS]
    if len(branches) == 1:
        return branches[0]
    for name in ("select", "Input", "input", "index"):
        number = node.inputs.get(name)
        if isinstance(number, Number) and number in _SMALL:
            return next((key for key in branches if re.fullmatch(rf"\D+0?{number}", key)), None)
    return min((key for key in branches if re.fullmatch(r"any_\d+", key)), default=None)
