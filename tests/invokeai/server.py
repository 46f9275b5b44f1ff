"""A real InvokeAI on the loopback, with a model of noise: for tests, and for recording what it says.

Needs an environment of its own with InvokeAI in it (`.ci/invokeai` makes one); nothing of
InvokeAI is imported here.
"""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote

HERE = Path(__file__).parent
_READY_SECONDS = 180


class Server:
    """One root folder, and the InvokeAI that runs on it; it can be killed and started again."""

    def __init__(self, environment: Path, root: Path) -> None:
        self.environment, self.root = environment, root
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        root.mkdir(parents=True, exist_ok=True)
        settings = {
            "schema_version": "4.0.2", "host": "127.0.0.1", "port": self.port, "device": "cpu",
            "precision": "float32",
        }  # fmt: skip
        (root / "invokeai.yaml").write_text("".join(f"{name}: {value}\n" for name, value in settings.items()))

    def start(self) -> None:
        with (self.root / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.environment / "bin" / "invokeai-web"],
                env=_environment(self.root), stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                return self.call("GET", "/api/v1/app/version")
            except OSError:
                time.sleep(0.2)
        raise AssertionError((self.root / "server.log").read_text()[-4000:])

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End the one process that this object started."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(30)

    def call(self, method: str, path: str, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path, data, {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def install_model(self, folder: Path) -> dict[str, str]:
        """Make the model with InvokeAI's own libraries, and have it taken in where it lies."""
        subprocess.run(
            [self.environment / "bin" / "python", HERE / "make_model.py", folder],
            env=_environment(self.root), check=True, capture_output=True, timeout=300,
        )  # fmt: skip
        self.call("POST", f"/api/v2/models/install?source={quote(str(folder))}&inplace=true", {})
        deadline = time.monotonic() + 60
        while not (models := self.call("GET", "/api/v2/models/")["models"]):
            assert time.monotonic() < deadline, "the model was not taken in"
            time.sleep(0.2)
        return {name: models[0][name] for name in ("key", "hash", "name", "base", "type")}

    def enqueue(self, graph, **batch) -> list[int]:
        """Put a graph into the queue; return the numbers of its jobs, the first one first."""
        told = self.call(
            "POST",
            "/api/v1/queue/default/enqueue_batch",
            {"batch": {"graph": graph, "runs": 1} | batch, "prepend": False},
        )
        return sorted(told["item_ids"])

    def wait_idle(self) -> None:
        deadline = time.monotonic() + 120
        while True:
            queue = self.call("GET", "/api/v1/queue/default/status")["queue"]
            if queue["pending"] + queue["in_progress"] == 0:
                return
            assert time.monotonic() < deadline, queue
            time.sleep(0.05)

    def wait_running(self, item: int) -> None:
        deadline = time.monotonic() + 60
        while self.call("GET", f"/api/v1/queue/default/i/{item}")["status"] != "in_progress":
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def item(self, item: int):
        return self.call("GET", f"/api/v1/queue/default/i/{item}")


def text_to_image(
    model, prompt, *, seed=1, steps=2, size=64, is_intermediate=False, cached=False, used=None
) -> dict[str, object]:
    """Ask as InvokeAI's own window does: the prompt travels by edges, the metadata node writes it down."""
    settings = {"steps": steps, "cfg_scale": 2.0, "scheduler": "ddim"}
    size_of = {"width": size, "height": size}
    asked = {"generation_mode": "txt2img", "negative_prompt": "blurry", "rand_device": "cpu", "model": model}
    nodes = {
        "loader": {"type": "main_model_loader", "model": model},
        "positive_prompt": {"type": "string", "value": prompt},
        "seed": {"type": "integer", "value": seed},
        "positive": {"type": "compel"},
        "negative": {"type": "compel", "prompt": "blurry"},
        "noise": {"type": "noise", "use_cpu": True, **size_of},
        "denoise": {"type": "denoise_latents", **settings},
        "metadata": {"type": "core_metadata", **asked, **settings, **size_of},
        "picture": {"type": "l2i", "is_intermediate": is_intermediate, "use_cache": cached},
    }
    edges = [
        ("loader", "unet", "denoise", "unet"),
        ("loader", "clip", "positive", "clip"),
        ("loader", "clip", "negative", "clip"),
        ("loader", "vae", "picture", "vae"),
        ("positive_prompt", "value", "positive", "prompt"),
        ("positive_prompt", "value", "metadata", "positive_prompt"),
        ("seed", "value", "noise", "seed"),
        ("seed", "value", "metadata", "seed"),
        ("positive", "conditioning", "denoise", "positive_conditioning"),
        ("negative", "conditioning", "denoise", "negative_conditioning"),
        ("noise", "noise", "denoise", "noise"),
        ("denoise", "latents", "picture", "latents"),
        ("metadata", "metadata", "picture", "metadata"),
    ]
    if used is not None:
        nodes["before"] = {"type": "i2l", "image": {"image_name": used}}
        nodes["denoise"]["denoising_start"] = 0.5
        edges += [("before", "latents", "denoise", "latents"), ("loader", "vae", "before", "vae")]
    return {
        "id": "graph",
        "nodes": {name: {"id": name} | node for name, node in nodes.items()},
        "edges": [
            {"source": {"node_id": a, "field": b}, "destination": {"node_id": c, "field": d}}
            for a, b, c, d in edges
        ],
    }


def _environment(root: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {
        "INVOKEAI_ROOT": str(root),
        "HF_HUB_OFFLINE": "1",
        "PYTHONPATH": str(HERE / "environment"),
        "PYTHONUNBUFFERED": "1",
    }


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
