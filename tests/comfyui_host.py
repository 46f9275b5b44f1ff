"""A stand-in for ComfyUI's server, queue and folders, made from what two versions did on the wire.

It replays the recorded runs: what a client posted, what the server answered, what stood in
the history and which files appeared. What custom nodes may hold on to behaves as the facts
say: handlers run before validation and see the very object that validation then changes;
`task_done` has each version's own signature; the history is written inside it.
"""

import asyncio
import contextlib
import copy
import heapq
import json
import shutil
import threading
import time
import types
from pathlib import Path

RUNS = Path(__file__).parents[2] / "shared/samples/comfyui-runs"


has_middlewares = True  # a host whose application is frozen before custom nodes are loaded has none


class Queue:
    """PromptQueue, as far as custom nodes look into it."""

    def __init__(self):
        self.mutex = threading.RLock()
        self.queue, self.currently_running, self.history = [], {}, {}
        self._counter = 0

    def put(self, item):
        with self.mutex:
            heapq.heappush(self.queue, item)

    def get(self):
        with self.mutex:
            item = heapq.heappop(self.queue)
            self._counter += 1
            self.currently_running[self._counter] = item
            return item, self._counter

    def delete_queue_item(self, job):
        with self.mutex:
            self.queue = [item for item in self.queue if item[1] != job]
            heapq.heapify(self.queue)

    def get_history(self, prompt_id=None, max_items=None, offset=-1):
        with self.mutex:
            if prompt_id is None:
                return copy.deepcopy(self.history)
            return {prompt_id: copy.deepcopy(self.history[prompt_id])} if prompt_id in self.history else {}

    def _done(self, item_id, entry):
        with self.mutex:
            item = self.currently_running.pop(item_id)
            self.history[item[1]] = entry


class OldQueue(Queue):
    def task_done(self, item_id, history_result, status):
        self._done(item_id, history_result)


class NewQueue(Queue):
    def task_done(self, item_id, history_result, status, process_item=None):
        self._done(item_id, history_result)


class Response:
    def __init__(self, status, body):
        self.status, self.body = status, body


class Server:
    """PromptServer.instance, with only the routes that matter."""

    def __init__(self, queue):
        self.prompt_queue = queue
        self.on_prompt_handlers = []
        self.app = types.SimpleNamespace(middlewares=[]) if has_middlewares else None
        self._number = 0

    def add_on_prompt_handler(self, handler):
        self.on_prompt_handlers.append(handler)

    async def post(self, data, recorded, history):
        """Answer one POST /prompt as the recorded server did; the job's history comes when it is run."""

        async def handle(request):
            if data is None:
                message = "not JSON"
                raise ValueError(message)
            body = json.loads(data)
            for handler in self.on_prompt_handlers:
                with contextlib.suppress(Exception):  # what the real server does: it logs and goes on
                    body = handler(body)
            await asyncio.sleep(0)
            told = recorded["body"]
            if recorded["status"] == 200:
                entry = next(iter(history.values())) if history else None
                if entry:  # validation rewrites the submitted graph in place: "cfg": 7 becomes 7.0
                    body["prompt"].clear()
                    body["prompt"].update(copy.deepcopy(entry["prompt"][2]))
                self._number += 1
                extra = body.setdefault("extra_data", {})
                item = (
                    self._number,
                    told["prompt_id"],
                    body["prompt"],
                    extra,
                    entry["prompt"][4] if entry else [],
                )
                self.prompt_queue.put(item)
            spelled = json.dumps(told) if isinstance(told, dict) else str(told)
            return Response(recorded["status"], spelled.encode())

        handler = handle
        for middleware in reversed(self.app.middlewares if self.app else []):
            handler = _wrapped(middleware, handler)
        return await handler(types.SimpleNamespace(path="/prompt"))


def _wrapped(middleware, handler):
    async def call(request):
        return await middleware(request, handler)

    return call


class ComfyUI:
    """One running host in a folder: `modules` is what its custom nodes can import."""

    def __init__(self, folder, version):
        self.folder, self.version = folder, version
        for name in ("output", "temp", "input", "custom_nodes", "models/checkpoints"):
            (folder / name).mkdir(parents=True)
        self.server = Server(NewQueue() if version == "0.8.0" else OldQueue())
        self.modules = {
            "server": types.SimpleNamespace(PromptServer=types.SimpleNamespace(instance=self.server)),
            "folder_paths": types.SimpleNamespace(
                get_output_directory=lambda: str(folder / "output"),
                get_temp_directory=lambda: str(folder / "temp"),
                get_annotated_filepath=self._annotated,
                folder_names_and_paths={"checkpoints": None, "loras": None},
                get_full_path=self._weights,
            ),
            "comfyui_version": types.SimpleNamespace(__version__=version),
        }
        (folder / "models/checkpoints/random-sd15.safetensors").write_bytes(b"random weights" * 1000)

    def _annotated(self, name):
        kind = "output" if name.endswith("[output]") else "temp" if name.endswith("[temp]") else "input"
        return str(self.folder / kind / name.split(" [")[0])

    def _weights(self, category, name):
        path = self.folder / "models" / category / name
        return str(path) if path.exists() else None

    def post(self, scenario, number=None):
        """Post what the client posted in `scenario`; return the id the server gave, or None."""
        folder = RUNS / self.version / scenario
        suffix = "" if number is None else f"-{number}"
        path = folder / f"submitted{suffix}.json"
        recorded = json.loads((folder / f"response{suffix}.json").read_text("utf-8"))
        history = self._history(folder, suffix)
        for file in sorted((folder / "inputs").rglob("*")) if (folder / "inputs").is_dir() else ():
            if file.is_file():
                target = self.folder / "input" / file.relative_to(folder / "inputs")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)
        data = path.read_bytes() if path.exists() else None
        try:
            asyncio.run(self.server.post(data, recorded, history))
        except ValueError:
            return None
        return recorded["body"]["prompt_id"] if recorded["status"] == 200 else None

    def run(self, scenario, number=None):
        """Run the next job in the queue as it ran then: its files appear, its history is written."""
        folder = RUNS / self.version / scenario
        entry = next(iter(self._history(folder, "" if number is None else f"-{number}").values()))
        item, item_id = self.server.prompt_queue.get()
        _set_times(entry, int(time.time() * 1000))
        cached = self._cached(entry)
        for node, told in entry["outputs"].items():
            for file in told.get("images", ()):
                if node not in cached:
                    self._write(folder, file, number)
        entry["prompt"] = [*item[:2], copy.deepcopy(entry["prompt"][2]), item[3], item[4]]
        self.server.prompt_queue.task_done(item_id, entry, status=types.SimpleNamespace(completed=True))
        return item[1]

    def _write(self, folder, file, number):
        name = Path(file["subfolder"]) / file["filename"]
        kept = folder / ("temp" if file["type"] == "temp" else "outputs") / name
        if number == 1 and (folder / "outputs-deleted" / name).exists():
            kept = folder / "outputs-deleted" / name
        target = self.folder / file["type"] / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(kept.read_bytes())

    @staticmethod
    def _cached(entry):
        messages = dict(entry["status"]["messages"])
        return set(messages.get("execution_cached", {}).get("nodes", ()))

    @staticmethod
    def _history(folder, suffix):
        path = folder / f"history{suffix}.json"
        return json.loads(path.read_text("utf-8")) if path.exists() else {}


def _set_times(entry, now_ms):
    """The run is now, not when it was recorded: its times keep their distances."""
    messages = entry["status"]["messages"]
    shift = now_ms - min(message[1]["timestamp"] for message in messages)
    for message in messages:
        message[1]["timestamp"] += shift
