"""Saved answers of ComfyUI's `/history`: jobs as they ran, failed, were interrupted or came from the cache.

The history lives in ComfyUI's memory and is gone with it; a saved answer is what is left.
A name in it may meanwhile belong to another file: ComfyUI gives it again once the file is
gone. The picture's own graph decides, which is the graph the history tells.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from makingof.capture.exports.told import Export, Moment, Told, Wanted, moment_of_seconds, observe, portable
from makingof.capture.exports.told import place as place_draft
from makingof.capture.exports.told import report as report_draft
from makingof.errors import MalformedError
from makingof.event import Kind
from makingof.metadata.comfyui import read_graph
from makingof.metadata.record import Record, Sheet
from makingof.metadata.tool_json import parse_tool_object, spell
from makingof.part import Role
from makingof.reading import Reading

TOOL = "comfyui"
MAX_JOBS = 20_000
MAX_FILES = 1_000
_ENDS = ("execution_success", "execution_error", "execution_interrupted")
_ERROR = ("node_id", "node_type", "exception_type", "exception_message")
_FOLDERS = ("output", "temp")
_ITEM = 5  # number, id, graph, extra data, outputs wanted


@dataclass(frozen=True, slots=True)
class _Job:
    id: str
    graph: Mapping[str, Any]
    wanted: frozenset[str]
    status: str
    messages: Mapping[str, Mapping[str, Any]]
    files: tuple[tuple[str, Wanted], ...]  # node, picture

    @property
    def cached(self) -> frozenset[str]:
        nodes = self.messages.get("execution_cached", {}).get("nodes")
        return frozenset(str(node) for node in nodes) if isinstance(nodes, list) else frozenset()


def is_history(value: Any) -> bool:
    """Tell whether parsed JSON is such an answer."""
    return (
        isinstance(value, dict)
        and bool(value)
        and all(
            isinstance(entry, dict)
            and isinstance(entry.get("prompt"), list)
            and isinstance(entry.get("outputs"), dict)
            for entry in list(value.values())[:3]
        )
    )


def read_history(value: Mapping[str, Any]) -> Export:
    """Read every job; an entry of another shape is a problem and the rest is read."""
    told: list[Told] = []
    problems: list[str] = []
    for number, (identity, entry) in enumerate(value.items()):
        if number >= MAX_JOBS:
            problems.append(f"{len(value)} jobs, and {MAX_JOBS} are read")
            break
        job = _parse(identity, entry)
        if job is None:
            problems.append(f"entry {number} has another shape")
            continue
        told += _tell(job)
    return Export("comfyui-history", tuple(told), tuple(problems))


def _parse(identity: str, entry: Any) -> _Job | None:
    item = entry.get("prompt") if isinstance(entry, dict) else None
    if not isinstance(item, list) or len(item) < _ITEM or not isinstance(item[2], dict):
        return None
    status = entry.get("status")
    status = status if isinstance(status, dict) else {}
    told = status.get("messages")
    messages = {
        str(message[0]): message[1]
        for message in (told if isinstance(told, list) else [])
        if isinstance(message, list) and len(message) > 1 and isinstance(message[1], dict)
    }
    wanted = item[4] if isinstance(item[4], list) else []
    return _Job(
        id=portable(identity),
        graph=item[2],
        wanted=frozenset(str(node) for node in wanted),
        status=str(status.get("status_str")),
        messages=messages,
        files=tuple(_files(entry.get("outputs"), item[2])),
    )


def _files(outputs: Any, graph: Mapping[str, Any]) -> list[tuple[str, Wanted]]:
    found: list[tuple[str, Wanted]] = []
    for node, told in (outputs if isinstance(outputs, dict) else {}).items():
        for items in told.values() if isinstance(told, dict) else ():
            for item in items if isinstance(items, list) else ():
                name = item.get("filename") if isinstance(item, dict) else None
                if isinstance(name, str) and name and item.get("type") in _FOLDERS and len(found) < MAX_FILES:
                    found.append((str(node), _wanted(item, name, graph, len(found))))
    return found


def _wanted(item: Mapping[str, Any], name: str, graph: Mapping[str, Any], number: int) -> Wanted:
    kind, inner = str(item["type"]), str(item.get("subfolder") or "")
    return Wanted(
        name=name.replace("\\", "/").rpartition("/")[2],
        folders=tuple(f"{top}/{inner}".strip("/") for top in (kind, f"../{kind}", "")),
        fits=_has_graph(graph),
        role=Role.PREVIEW if kind == "temp" else Role.OUTPUT,
        number=number,
    )


def _has_graph(graph: Mapping[str, Any]) -> Callable[[Sequence[Reading]], bool | None]:
    def fits(readings: Sequence[Reading]) -> bool | None:
        graphs = [found for reading in readings if (found := _graph_in(reading)) is not None]
        return any(_plain(found) == _plain(graph) for found in graphs) if graphs else None

    return fits


def _graph_in(reading: Reading) -> dict[str, Any] | None:
    """Return the executed graph a picture carries; the user interface's own graph is another thing."""
    if reading.tool != TOOL or b"class_type" not in reading.raw:
        return None
    text = reading.raw.decode("utf-8", "replace")
    try:
        return parse_tool_object(text[text.find("{") :])[0]
    except MalformedError:
        return None


def _plain(graph: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what ComfyUI adds to the picture's copy only."""
    return {
        node: {name: value for name, value in said.items() if name != "is_changed"}
        if isinstance(said, dict)
        else said
        for node, said in graph.items()
    }


def _tell(job: _Job) -> list[Told]:
    """Tell one job. One that failed after it saved a picture generated, and its report says so."""
    outcome = _outcome(job)
    again = [(node, wanted) for node, wanted in job.files if node in job.cached]
    fresh = [(node, wanted) for node, wanted in job.files if node not in job.cached]
    readings = _readings(job)
    where = f"history {job.id}"
    at = _ended(job)
    drafts = [
        report_draft(
            where,
            outcome=outcome if fresh or outcome else "redelivered" if _is_redelivered(job, again) else None,
            job=job.id,
            outputs=len(job.files),
            text=_error_text(job.messages.get("execution_error", {})),
            status=job.status,
            cached=", ".join(sorted(job.cached)),
            ended_ms=at.text,
        ),
        *(place_draft(where, wanted.name) for _, wanted in (*fresh, *again)),
    ]
    if fresh:
        kind, wanted = Kind.GENERATED, tuple(picture for _, picture in fresh)
    elif outcome or _is_redelivered(job, again):
        kind, wanted = Kind.ATTEMPTED, tuple(picture for _, picture in again)
    else:
        kind, wanted = Kind.PROMPTED, ()
    started = job.messages.get("execution_start", {}).get("timestamp")
    return [
        Told(
            # An id a caller chose may be used twice; the second run then stands in the first one's place.
            key=f"told:comfyui/{job.id}/{started if isinstance(started, str) else ''}",
            observation=observe(kind, TOOL, drafts, at=at),
            wanted=wanted,
            readings=readings,
            job=job.id,
        )
    ]


def _outcome(job: _Job) -> str | None:
    if "execution_interrupted" in job.messages:
        return "interrupted"
    return "failed" if "execution_error" in job.messages or job.status == "error" else None


def _is_redelivered(job: _Job, again: Sequence[tuple[str, Wanted]]) -> bool:
    return bool(again) or bool(job.wanted and job.wanted <= job.cached)


def _ended(job: _Job) -> Moment:
    """ComfyUI writes milliseconds since 1970."""
    for name in _ENDS:
        told = job.messages.get(name, {}).get("timestamp")
        if isinstance(told, str) and told.isdigit() and len(told) > 3:  # noqa: PLR2004 - at least one second
            moment = moment_of_seconds(f"{told[:-3]}.{told[-3:]}")
            return Moment(told, moment.instant)
    return Moment()


def _error_text(told: Mapping[str, Any]) -> str | None:
    """Spell an error without the values it failed on: those hold whole pictures as text."""
    lines = [f"{name}: {told[name]}" for name in _ERROR if isinstance(told.get(name), str)]
    return "\n".join(lines) or None


def _readings(job: _Job) -> tuple[Reading, ...]:
    try:
        text = spell(dict(job.graph))
    except MalformedError:
        return ()
    record = Record("json", f"{job.id}.prompt", "prompt", text.encode("utf-8", "surrogatepass"), text)
    return tuple(read_graph(record, Sheet(None, None, None, None, (record,))))
