"""What became of every submission: one thread that hears notices, looks, and hands over.

A submission is handed over before anything else is known of it. It is then answered
(accepted under an id, or refused), and a job that was accepted ends: with new files, with
the files of an earlier job delivered again, failed, interrupted, or cancelled before it
ran. Nothing here runs in the host's own threads but putting a notice into a queue.
"""

import contextlib
import itertools
import json
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .handing_over import HookStream
from .host import Host
from .notices import Recording
from .plain import environment_part, own_part, place_part, report_part
from .telling import error_text, file_names, graph_parts, input_names, messages_of, texts_of, weight_names

POLL_SECONDS = 2.0
UNANSWERED_SECONDS = 30.0  # where no answer can be seen: then a job that is nowhere was refused
WEIGHTS_SECONDS = 10.0
HISTORY_SECONDS = 10.0


@dataclass
class Submission:
    """One POST to the host, on its way to becoming a job."""

    graph: bytes
    body: Any  # the host's own object, for telling it in the queue
    number: "int | None" = None  # of its handover
    job: "str | None" = None
    at: float = field(default_factory=time.monotonic)
    answered: bool = False
    lost_looks: int = 0
    node_errors: Any = None


class Jobs(Recording):
    """The recording thread, and the notices it is given. `submitted`, `answered` and `ended` never block."""

    def __init__(self, stream: HookStream, host: Host) -> None:
        super().__init__(stream, Path(__file__).parent / "digests.json")
        self.host = host
        self._by_task: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
        self._keys = itertools.count()
        self._open: dict[int, Submission] = {}
        self.delivered: dict[str, tuple[int, int]] = {}  # path → size and time when it was handed over
        self._handed: set[str] = set()  # jobs whose end was handed over

    # In the host's threads

    def submitted(self, body: Any, task: Any) -> None:
        """A submission came in. The graph is spelled out now: validation changes it in place."""
        key = next(self._keys)
        graph = json.dumps(body.get("prompt") if isinstance(body, dict) else None)
        if task is not None:
            self._by_task[task] = key
        self._notices.put(("submitted", key, graph, body))

    def answered(self, task: Any, response: Any) -> None:
        """The server answered the request that `task` served."""
        key = self._by_task.pop(task, None) if task is not None else None
        if key is not None:
            status, body = getattr(response, "status", None), getattr(response, "body", None)
            self._notices.put(("answered", key, status, body if isinstance(body, bytes) else b""))

    def ended(self, prompt_id: Any, entry: Any) -> None:
        """A job ended; `entry` is its history where it was at hand."""
        self._notices.put(("ended", prompt_id, entry))

    # In our own thread

    def _open_count(self) -> int:
        return len(self._open)

    def _patience(self) -> float:
        return POLL_SECONDS

    def _open_stream(self) -> None:
        facts = {"host": "comfyui", "attached": self.attached, "url": self.host.url()}
        self.stream.open(facts, [environment_part(self.host.environment())])

    def _on_submitted(self, key: int, graph: str, body: Any) -> None:
        data = graph.encode("utf-8", "surrogatepass")
        submission = self._open[key] = Submission(data, body)
        told = json.loads(graph)
        for path in self.weights_of(told).values():
            self.weights.ask(path)
        extra = body.get("extra_data") if isinstance(body, dict) else None
        workflow = (
            ((extra or {}).get("extra_pnginfo") or {}).get("workflow") if isinstance(extra, dict) else None
        )
        files = list(self._inputs(told))
        parts = graph_parts(data, "api:/prompt", files)
        if workflow is not None:
            with contextlib.suppress(Exception):  # others may be changing it; the picture's own copy remains
                spelled = json.dumps(workflow).encode("utf-8", "surrogatepass")
                parts += graph_parts(spelled, "api:/prompt workflow", files)
        submission.number = self.stream.hand_over("prompted", parts, files)

    def _on_answered(self, key: int, status: Any, body: bytes) -> None:
        submission = self._open.get(key)
        if submission is None:
            return
        submission.answered = True
        try:
            told = json.loads(body)
        except ValueError:
            told = {}
        if status == 200 and isinstance(told, dict) and told.get("prompt_id"):  # noqa: PLR2004 - HTTP
            submission.job = str(told["prompt_id"])
            submission.node_errors = told.get("node_errors") or None
            return
        text = error_text(told) or f"the host answered {status}"
        report = report_part("refused", None, 0, text, {"status": str(status)})
        self.stream.hand_over("attempted", [report], cites=_cites(submission))
        del self._open[key]

    def _on_ended(self, prompt_id: Any, entry: Any) -> None:
        if prompt_id is None:
            self._look_now()
            return
        self._match_by_queue({prompt_id: entry["prompt"]} if entry else {})
        entry = entry or self._await_history(str(prompt_id))
        if entry is not None:
            self._hand_over_end(str(prompt_id), entry)

    def _await_history(self, job: str) -> Any:
        """The end is told a moment before the history is written."""
        deadline = time.monotonic() + HISTORY_SECONDS
        while (entry := self.host.find_history(job)) is None and time.monotonic() < deadline:
            time.sleep(0.02)
        return entry

    def _look(self) -> None:
        """Find what no notice told of: jobs that ended unheard, were cancelled, or never got in."""
        waiting = self.host.waiting()
        self._match_by_queue(waiting)
        for key, submission in list(self._open.items()):
            if submission.job is None:
                if not submission.answered and time.monotonic() - submission.at > UNANSWERED_SECONDS:
                    report = report_part("refused", None, 0, "it never stood in the queue", {})
                    self.stream.hand_over("attempted", [report], cites=_cites(submission))
                    del self._open[key]
                continue
            if submission.job in waiting:
                submission.lost_looks = 0
            elif (entry := self.host.find_history(submission.job)) is not None:
                self._hand_over_end(submission.job, entry)
            else:
                # Twice, because between queue and history a job is for a moment in neither.
                submission.lost_looks += 1
                if submission.lost_looks > 1:
                    report = report_part("cancelled", submission.job, 0, None, {})
                    self.stream.hand_over("attempted", [report], cites=_cites(submission))
                    del self._open[key]

    def _match_by_queue(self, items: "dict[str, Any]") -> None:
        """Without answers, tell a submission by its own objects, which the queue holds on to."""
        for submission in self._open.values():
            if submission.job is not None or not isinstance(submission.body, dict):
                continue
            ours = [submission.body.get("prompt"), submission.body.get("extra_data")]
            for job, item in items.items():
                if any(
                    mine is not None and mine is theirs for mine, theirs in zip(ours, item[2:4], strict=False)
                ):
                    submission.job = str(job)

    def _hand_over_end(self, job: str, entry: Any) -> None:
        found = next(((key, item) for key, item in self._open.items() if item.job == job), None)
        if found is None and job in self._handed:
            return
        submission = found[1] if found else None
        if found:
            del self._open[found[0]]
        self._handed.add(job)
        End(self, job, entry, submission).hand_over()

    # For one job

    def _inputs(self, graph: Any) -> Iterator[dict[str, Any]]:
        for name, role in input_names(graph):
            path = self.host.input_path(name)
            if path is not None and path.is_file():
                yield {"path": path, "role": role, "name": name}

    def weights_of(self, graph: Any) -> "dict[str, Path]":
        found = {place: self.host.weights_path(name) for place, name in weight_names(graph)}
        return {place: path for place, path in found.items() if path is not None}


class End:
    """How one job ended, from its history entry."""

    def __init__(self, jobs: Jobs, job: str, entry: Any, submission: "Submission | None") -> None:
        self._jobs = jobs
        self._job = job
        self._entry = entry
        self._submission = submission
        self._messages = messages_of(entry)
        self._cached = set(map(str, (self._messages.get("execution_cached") or {}).get("nodes") or ()))

    def hand_over(self) -> None:
        """Hand the end over: `generated` where there are new files, else `attempted`."""
        named = [(item, self._jobs.host.file_path(item)) for item in file_names(self._entry)]
        fresh, again = [], []
        for item, path in named:
            (fresh if path is not None and self._is_new(item, path) else again).append((item, path))
        files = [self._file(item, path, number) for number, (item, path) in enumerate(fresh)]
        is_new = bool(files)
        parts = self._parts(len(named), again, files, is_new=is_new)
        parts += [place_part(path, number) for number, (_, path) in enumerate(fresh)]
        stream, cites = self._jobs.stream, _cites(self._submission)
        ended = [
            value["timestamp"] for value in self._messages.values() if isinstance(value.get("timestamp"), int)
        ]
        occurred = (max(ended), "tool") if ended else None
        stream.hand_over("generated" if is_new else "attempted", parts, files, cites, occurred)
        for _, path in fresh:
            self._jobs.delivered[str(path)] = _state(path)
        if not named and self._outcome(is_new=False) is None:
            facts = {"why": "output_not_seen", "stream": stream.stream, "job": self._job}
            stream.hand_over("gap", [own_part(facts)])

    def _is_new(self, item: "dict[str, Any]", path: Path) -> bool:
        """Tell a file of this job from one that an earlier job made and the cache delivers again."""
        state = _state(path)
        if state is None or self._jobs.delivered.get(str(path)) == state:
            return False
        if item["node"] not in self._cached:
            return True
        started = (self._messages.get("execution_start") or {}).get("timestamp")
        return isinstance(started, int) and state[1] // 1_000_000 >= started

    def _file(self, item: "dict[str, Any]", path: Path, number: int) -> "dict[str, Any]":
        role = "preview" if item.get("type") == "temp" else "output"
        return {"path": path, "role": role, "name": item["filename"], "number": number}

    def _outcome(self, *, is_new: bool) -> "str | None":
        if "execution_interrupted" in self._messages:
            return "interrupted"
        if (
            "execution_error" in self._messages
            or (self._entry.get("status") or {}).get("status_str") == "error"
        ):
            return "failed"
        wanted = set(map(str, self._entry["prompt"][4] or ()))
        return "redelivered" if not is_new and (wanted <= self._cached or file_names(self._entry)) else None

    def _parts(
        self, named: int, again: "list[Any]", files: "list[dict[str, Any]]", *, is_new: bool
    ) -> "list[dict[str, Any]]":
        graph = self._entry["prompt"][2]
        text = error_text(self._messages.get("execution_error") or {})
        facts = self._facts(graph, again)
        parts = [report_part(self._outcome(is_new=is_new), self._job, named, text, facts)]
        executed = json.dumps(graph).encode("utf-8", "surrogatepass")
        is_as_submitted = self._submission is not None and executed == self._submission.graph
        parts += graph_parts(executed, "api:/prompt" if is_as_submitted else "queue:prompt", files)
        parts += texts_of(self._entry, graph)
        if weights := self._jobs.weights_of(graph):
            self._jobs.weights.wait(list(weights.values()), WEIGHTS_SECONDS)
            told = [{"place": place, **self._jobs.weights.facts(path)} for place, path in weights.items()]
            parts.append(environment_part({"models": told}))
        return parts

    def _facts(self, graph: Any, again: "list[Any]") -> "dict[str, Any]":
        facts: dict[str, Any] = {
            "status": str((self._entry.get("status") or {}).get("status_str")),
            "cached": sorted(self._cached),
            "redelivered": [item["filename"] for item, _ in again],
            "nodes": len(graph) if isinstance(graph, dict) else 0,
        }
        if self._submission is not None and self._submission.node_errors:
            facts["node_errors"] = error_text({"node_errors": self._submission.node_errors})
        for name in ("execution_start", "execution_success", "execution_error", "execution_interrupted"):
            if name in self._messages:
                facts[f"{name}_ms"] = str(self._messages[name].get("timestamp"))
        return facts


def _state(path: "Path | None") -> "tuple[int, int] | None":
    try:
        found = path.stat() if path is not None else None
    except OSError:
        return None
    return None if found is None else (found.st_size, found.st_mtime_ns)


def _cites(submission: "Submission | None") -> "list[int]":
    return [] if submission is None or submission.number is None else [submission.number]
