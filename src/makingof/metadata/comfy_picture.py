"""Which node of a ComfyUI graph wrote this file, and which sampler made its picture.

One graph may save several pictures and every file carries the whole graph. The
file's name, its kind and its size say which of the savers wrote it, where they can.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from makingof.metadata.comfy_graph import MAX_NAME_CHARS, Graph, Node
from makingof.metadata.comfy_sampler import SamplerFacts, is_sampler
from makingof.metadata.record import Sheet
from makingof.reading import Check

_PICTURE_INPUT = re.compile(r"image|picture|pixels|frames|video|samples|latent", re.IGNORECASE)
_SAVES = re.compile(r"export|write|combine|websocket", re.IGNORECASE)
_PREVIEWS = re.compile(r"preview|compare", re.IGNORECASE)
_COUNTER = re.compile(r"(.*)_\d{5,}_?")
_MAX_SAVERS = 24  # each is two walks up the graph
_TOKEN = re.compile(r"%[^%]*%")


class Picture(NamedTuple):
    """The samplers next before the picture, all in dataflow order, the savers, and what decided."""

    last: tuple[Node, ...]
    samplers: tuple[Node, ...]
    savers: tuple[Node, ...]
    check: Check | None


def find_picture(graph: Graph, sheet: Sheet, *, animated: bool = False) -> Picture:
    """Tell which samplers made the picture in this file.

    `last` holds more than one where several feed the picture side by side, or
    where nothing says which of several savers wrote the file and none builds on
    the other.
    """
    samplers = tuple(node for node in graph.nodes.values() if is_sampler(node))
    if len(samplers) == 1 and sum("filename_prefix" in node.inputs for node in graph.nodes.values()) <= 1:
        return Picture(samplers, samplers, (), None)
    ids = frozenset(node.id for node in samplers)
    samplers = tuple(node for node in graph.in_dataflow_order() if node.id in ids)
    savers, how = _savers(graph, sheet, animated=animated)
    if not samplers:
        return Picture((), (), tuple(savers), None)
    if len(savers) > _MAX_SAVERS:
        return _picture(graph, samplers, savers, f"{how}, and there are {len(savers)}", is_known=False)
    last_of = {saver.id: _last_samplers(graph, [saver], ids) for saver in savers}
    if len({frozenset(node.id for node in last) for last in last_of.values()}) > 1:
        savers, how = _savers_by_size(graph, savers, last_of, sheet, how)
    alike = len({tuple(node.id for node in last_of[saver.id]) for saver in savers}) <= 1
    return _picture(graph, samplers, savers, f"{how}: {', '.join(map(str, savers))}", is_known=alike)


def _picture(
    graph: Graph, samplers: tuple[Node, ...], savers: list[Node], detail: str, *, is_known: bool
) -> Picture:
    order = {node.id: number for number, node in enumerate(samplers)}
    last = sorted(_last_samplers(graph, savers, frozenset(order)), key=lambda node: order[node.id])
    check = Check("saver_known", held=True if is_known else None, detail=detail)
    return Picture(tuple(last), samplers, tuple(savers), check)


def _savers(graph: Graph, sheet: Sheet, *, animated: bool) -> tuple[list[Node], str]:
    """Nodes that may have written the file, narrowed by its name and kind."""
    taking = [
        node
        for node in graph.nodes.values()
        if any(_is_picture(name[:MAX_NAME_CHARS]) for name, _ in node.links)
    ]
    taken = {link.node for node in graph.nodes.values() for _, link in node.links}
    sinks = [node for node in taking if node.id not in taken]
    saving = [node for node in taking if "filename_prefix" in node.inputs or "save" in node.kind.lower()]
    saving = saving or [node for node in sinks if _SAVES.search(node.kind)]
    saving_ids = {node.id for node in saving}
    previews = [node for node in taking if _PREVIEWS.search(node.kind) and node.id not in saving_ids]
    name = (sheet.name or "").rsplit(".", 1)[0]
    if name.startswith("ComfyUI_temp_") and previews:
        return previews, "the file's name is that of a preview"
    counted = _COUNTER.fullmatch(name)
    named = [node for node in saving if counted and _prefix_fits(node, counted[1])]
    if named:
        return _of_kind(named, sheet, animated=animated), "the file's name has its prefix"
    left = _of_kind(saving or previews or sinks or taking, sheet, animated=animated)
    return left, "the saver is known by its kind alone"


@lru_cache(maxsize=4096)
def _is_picture(name: str) -> bool:
    """Whether an input takes a picture, by its name."""
    return bool(_PICTURE_INPUT.search(name))


def _prefix_fits(node: Node, stem: str) -> bool:
    prefix = node.inputs.get("filename_prefix")
    if not isinstance(prefix, str):
        return False
    pieces = _TOKEN.split(re.split(r"[/\\]", prefix)[-1])
    if len(pieces) == 1:
        return stem == pieces[0]
    at = len(pieces[0])
    if not stem.startswith(pieces[0]) or not stem.endswith(pieces[-1]):
        return False
    for piece in pieces[1:-1]:
        if (found := stem.find(piece, at)) < 0:
            return False
        at = found + len(piece)
    return at + len(pieces[-1]) <= len(stem)


def _of_kind(savers: list[Node], sheet: Sheet, *, animated: bool) -> list[Node]:
    """Leave out savers of other formats, as long as one remains."""
    wanted = {"webp": "webp", "png": "animatedpng" if animated else ""}.get(sheet.container or "", "")
    if wanted:
        fitting = [node for node in savers if wanted in node.kind.lower()]
    else:
        others = ("webp", "animatedpng", "webm", "video", "audio")
        fitting = [node for node in savers if not any(other in node.kind.lower() for other in others)]
    return fitting or savers


def _savers_by_size(
    graph: Graph, savers: list[Node], last_of: dict[str, list[Node]], sheet: Sheet, how: str
) -> tuple[list[Node], str]:
    fitting = []
    for saver in savers:
        fields = [SamplerFacts(graph, node).size() for node in last_of[saver.id]]
        if any(size == (str(sheet.width), str(sheet.height)) for size in fields):
            fitting.append(saver)
    return (fitting, "the picture's size is what it was given") if fitting else (savers, how)


def _last_samplers(graph: Graph, savers: list[Node], all_samplers: frozenset[str]) -> list[Node]:
    """Samplers above `savers` that no other sampler builds on; all such where the graph saves nothing."""
    pictures = [
        node._replace(links=tuple(link for link in node.links if _is_picture(link[0][:MAX_NAME_CHARS])))
        for node in savers
    ]
    found = graph.upstream(pictures, stop=all_samplers)
    nearest = [graph.nodes[node_id] for node_id in found if node_id in all_samplers]
    if not savers:
        nearest = [graph.nodes[node_id] for node_id in all_samplers]
    below = set(graph.upstream(nearest))
    return [node for node in nearest if node.id not in below]
