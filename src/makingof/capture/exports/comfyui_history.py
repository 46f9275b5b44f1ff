"""Saved answers of ComfyUI's `/history`: jobs as they ran, failed, were interrupted or came from the cache.

The history lives in ComfyUI's memory and is gone with it; a saved answer is what is left.
A name in it may meanwhile belong to another file: ComfyUI gives it again once the file is
gone. The picture's own graph decides, which is the graph the history tells.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from makingof.capture.comfyui_entry import JobEntry, Output, parse_job_entry
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
SOURCE = "comfyui-history"
MAX_JOBS = 20_000
MAX_FILES = 1_000


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
        try:
            told.append(tell(parse_job_entry(portable(identity), entry)))
        except MalformedError:
            problems.append(f"entry {number} has another shape")
    return Export(SOURCE, tuple(told), tuple(problems))


def _wanted(output: Output, graph: Mapping[str, Any], number: int) -> Wanted:
    kind, inner = output.folder, output.subfolder
    return Wanted(
        name=output.name.replace("\\", "/").rpartition("/")[2],
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


def tell(job: JobEntry) -> Told:
    """Tell one job. One that failed after it saved a picture generated, and its report says so."""
    files = [
        (output.node, _wanted(output, job.graph, number))
        for number, output in enumerate(job.outputs[:MAX_FILES])
    ]
    again = tuple(wanted for node, wanted in files if node in job.cached)
    fresh = tuple(wanted for node, wanted in files if node not in job.cached)
    is_again = bool(again) or bool(job.wanted and job.wanted <= job.cached)
    outcome = job.broken_off or ("redelivered" if is_again and not fresh else None)
    if fresh:
        kind, wanted = Kind.GENERATED, fresh
    elif outcome:
        kind, wanted = Kind.ATTEMPTED, again
    else:
        kind, wanted = Kind.PROMPTED, ()
    where = f"history {job.id}"
    at = moment(job.ended_ms)
    drafts = [
        report_draft(
            where,
            outcome=outcome,
            job=job.id,
            outputs=len(files),
            text=job.error,
            status=job.status,
            cached=", ".join(sorted(job.cached)),
            ended_ms=at.text,
        ),
        *(place_draft(where, picture.name) for picture in (*fresh, *again)),
    ]
    return Told(
        key=job_key(job.id, job.started_ms),
        observation=observe(kind, TOOL, drafts, at=at),
        wanted=wanted,
        readings=_readings(job),
        job=job.id,
    )


def job_key(identity: str, started_ms: int | None) -> str:
    """Name a run: an id a caller chose may be used twice, and the later run then takes its place."""
    return f"told:comfyui/{identity}/{started_ms or ''}"


def moment(ms: int | None) -> Moment:
    """ComfyUI writes milliseconds since 1970."""
    if ms is None:
        return Moment()
    return Moment(str(ms), moment_of_seconds(f"{ms // 1000}.{ms % 1000:03}").instant)


def _readings(job: JobEntry) -> tuple[Reading, ...]:
    try:
        text = spell(dict(job.graph))
    except MalformedError:
        return ()
    record = Record("json", f"{job.id}.prompt", "prompt", text.encode("utf-8", "surrogatepass"), text)
    return tuple(read_graph(record, Sheet(None, None, None, None, (record,))))
