"""One job of ComfyUI as its history tells it, read the same by those who ask the host and from saved answers.

    "<id>": {"prompt": [number, id, graph, extra data, nodes wanted],
             "outputs": {node: {"images": [{"filename", "subfolder", "type"}]}},
             "status": {"status_str", "messages": [[event, {"timestamp": ms, …}], …]}}

`/api/jobs/<id>` tells the same under other names. Numbers may be numbers or, from
a reader that keeps their spelling, text.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from makingof.errors import MalformedError
from makingof.part import escaped

FOLDERS = ("output", "temp")
_ENDS = ("execution_success", "execution_error", "execution_interrupted")
_ERROR = ("node_id", "node_type", "exception_type", "exception_message")
_ITEM = 5  # number, id, graph, extra data, nodes wanted; newer hosts may add more
_LATEST_MS = 1 << 47
_MAX_TEXT = 20_000


@dataclass(frozen=True, slots=True)
class Output:
    """A file that a job's outputs name, in the host's words: nothing of it is checked."""

    node: str
    name: str
    subfolder: str
    folder: str  # one of FOLDERS


@dataclass(frozen=True, slots=True)
class JobEntry:
    """One job as it ran, failed, was interrupted or came from the cache."""

    id: str
    graph: Mapping[str, Any]
    status: str
    messages: Mapping[str, Mapping[str, Any]]
    wanted: frozenset[str]
    outputs: tuple[Output, ...]

    @property
    def started_ms(self) -> int | None:
        return milliseconds(self.messages.get("execution_start"))

    @property
    def ended_ms(self) -> int | None:
        return next((found for name in _ENDS if (found := milliseconds(self.messages.get(name)))), None)

    @property
    def cached(self) -> frozenset[str]:
        """Nodes the host announced it would not run again."""
        nodes = self.messages.get("execution_cached", {}).get("nodes")
        return frozenset(map(str, nodes)) if isinstance(nodes, list) else frozenset()

    @property
    def broken_off(self) -> str | None:
        """What `attempted` calls a job that did not go as asked; the host's status is `error` for both."""
        if "execution_interrupted" in self.messages:
            return "interrupted"
        return "failed" if "execution_error" in self.messages or self.status == "error" else None

    @property
    def error(self) -> str | None:
        """Spell an error without the values it failed on: those hold whole pictures as text."""
        told = self.messages.get("execution_error", {})
        lines = [f"{name}: {told[name]}" for name in _ERROR if isinstance(told.get(name), str)]
        return escaped("\n".join(lines))[:_MAX_TEXT] or None


def parse_job_entry(identity: str, entry: Any) -> JobEntry:
    """Read one entry of `/history`; one without a graph is a `MalformedError`."""
    item = entry.get("prompt") if isinstance(entry, dict) else None
    if not isinstance(item, list) or len(item) < _ITEM or not isinstance(item[2], dict):
        message = "history entry has another shape"
        raise MalformedError(message)
    wanted = item[4] if isinstance(item[4], list) else []
    return _entry(identity, item[2], entry.get("status"), wanted, entry.get("outputs"))


def parse_job_answer(answer: Any) -> JobEntry:
    """Read the answer of `/api/jobs/<id>`; one without a graph is a `MalformedError`."""
    workflow = answer.get("workflow") if isinstance(answer, dict) else None
    graph = workflow.get("prompt") if isinstance(workflow, dict) else None
    if not isinstance(graph, dict) or not isinstance(answer.get("id"), str):
        message = "job has another shape"
        raise MalformedError(message)
    return _entry(answer["id"], graph, answer.get("execution_status"), [], answer.get("outputs"))


def milliseconds(told: Mapping[str, Any] | None) -> int | None:
    """Return the time a message states, counted from 1970."""
    found = told.get("timestamp") if told else None
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < 16:  # noqa: PLR2004 - as long as any time
        found = int(found)
    is_time = isinstance(found, int) and not isinstance(found, bool) and 0 < found < _LATEST_MS
    return found if is_time else None


def _entry(identity: str, graph: dict[str, Any], status: Any, wanted: list[Any], outputs: Any) -> JobEntry:
    if not isinstance(outputs, dict | None):
        message = "outputs of a job have another shape"
        raise MalformedError(message)
    status = status if isinstance(status, dict) else {}
    told = status.get("messages")
    messages = {
        str(message[0]): message[1]
        for message in (told if isinstance(told, list) else [])
        if isinstance(message, list) and len(message) > 1 and isinstance(message[1], dict)
    }
    return JobEntry(
        id=identity,
        graph=graph,
        status=str(status.get("status_str")),
        messages=messages,
        wanted=frozenset(map(str, wanted)),
        outputs=tuple(_outputs(outputs or {})),
    )


def _outputs(outputs: Mapping[str, Any]) -> Iterator[Output]:
    for node, told in outputs.items():
        for items in told.values() if isinstance(told, dict) else ():
            for item in items if isinstance(items, list) else ():
                if not isinstance(item, dict) or item.get("type") not in FOLDERS:
                    continue
                if isinstance(name := item.get("filename"), str) and name:
                    yield Output(str(node), name, str(item.get("subfolder") or ""), str(item["type"]))
