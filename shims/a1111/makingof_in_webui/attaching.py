"""Where the host is held: the callbacks it documents, each found by looking and not by version."""

import atexit
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .handing_over import HookStream, load_connection
from .host import Host
from .jobs import Jobs
from .notices import tell

FOLDER = Path(__file__).parents[1]
VERSION = "1"
CALLBACKS = (
    ("on_before_image_saved", "saving"),
    ("on_image_saved", "saved"),
    ("on_model_loaded", "model_loaded"),
    ("on_infotext_pasted", "pasted"),
)


class Recorder:
    """What the host's threads hold on to: it passes notices on, and nothing that goes wrong comes back."""

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs

    def hear(self, notice: str, *arguments: Any, **named: Any) -> None:
        """Pass on what the host told, with whatever arguments this version gives."""
        tell(lambda: getattr(self.jobs, notice)(*arguments, **named))


_running: "list[Recorder]" = []


def listen(script_callbacks: Any) -> Recorder:
    """Register with the host. Loading its scripts again clears what was registered; the recorder goes on."""
    if not _running:
        _running.append(_start())
    recorder = _running[0]
    heard = [
        name for name, notice in CALLBACKS if _register(script_callbacks, name, _listener(recorder, notice))
    ]
    if _register(script_callbacks, "on_app_started", _doctors_route(recorder)):
        heard.append("on_app_started")
    recorder.jobs.attached = ["script", *heard]
    if not recorder.jobs.is_started:
        recorder.jobs.start()
        atexit.register(recorder.jobs.stop)
        print(f"makingof: recording ({', '.join(recorder.jobs.attached)})")
    return recorder


def _start() -> Recorder:
    host = Host()
    source = {
        "name": "makingof-a1111",
        "version": VERSION,
        "tool": host.tool(),
        "tool_version": host.version(),
    }
    return Recorder(Jobs(HookStream(load_connection(FOLDER / "connection.json"), source), host, FOLDER))


def _register(script_callbacks: Any, name: str, callback: Callable[..., None]) -> bool:
    try:
        getattr(script_callbacks, name)(callback)
    except Exception:  # noqa: BLE001 - what one version lacks is said in `attached`, and the rest is recorded
        return False
    return True


def _listener(recorder: Recorder, notice: str) -> Callable[..., None]:
    def listener(*arguments: Any, **named: Any) -> None:
        recorder.hear(notice, *arguments, **named)

    return listener


def _doctors_route(recorder: Recorder) -> Callable[..., None]:
    """Answer `makingof doctor --url`; the app is new after every "Reload UI"."""

    def answer(say: str = "") -> Any:
        return recorder.jobs.answer(say)

    def add_route(_demo: Any = None, app: Any = None, *_arguments: Any, **_named: Any) -> None:
        tell(lambda: app.add_api_route("/makingof/hook", answer, methods=["GET"]))

    return add_route
