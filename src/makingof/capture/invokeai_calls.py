"""What InvokeAI calls out while it runs, over Socket.IO: the extra `invokeai`.

A call says that a look is worth while, and of each job what last became of it, so that one
deleted between two looks is known by InvokeAI's own word. Nothing is recorded from calls
alone but such ends.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from makingof.capture.invokeai import Called, InvokeAIFollower
from makingof.capture.invokeai_rows import QUEUE, texts
from makingof.capture.local_http import LocalHost

_STATUS = "queue_item_status_changed"
_CHANGES = ("batch_enqueued", "queue_cleared", "queue_items_canceled", "queue_items_retried")
_PATH = "/ws/socket.io"
_MAX_KEPT = 10_000
_CONNECT_SECONDS = 5
_RETRY_SECONDS = 5


@dataclass(slots=True)
class InvokeAICalls:
    """Hears one InvokeAI, and again when it comes back; what is said meanwhile is not heard."""

    _said: dict[int, Called] = field(default_factory=dict)
    _is_called: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _client: Any = None
    _hung_up: threading.Event = field(default_factory=threading.Event)

    @property
    def is_called(self) -> bool:
        return self._is_called

    def take(self) -> list[Called]:
        """Return what was last said of each job since this was asked before."""
        with self._lock:
            taken, self._said, self._is_called = list(self._said.values()), {}, False
            return taken

    def close(self) -> None:
        """Hang up, also where nobody has answered yet."""
        self._hung_up.set()
        if self._client is not None:
            self._client.shutdown()

    def connect(self, host: LocalHost, errors: tuple[type[Exception], ...]) -> None:
        """Try until somebody answers or we hang up; later interruptions are the client's own to mend.

        The client's way of trying again cannot be stopped before it was connected once.
        """
        auth = None if host.token is None else {"token": host.token}
        while not self._hung_up.is_set():
            try:
                self._client.connect(
                    host.url,
                    auth=auth,
                    transports=["websocket"],
                    socketio_path=_PATH,
                    wait_timeout=_CONNECT_SECONDS,
                )
            except (
                errors
            ):  # looks go on every two seconds; what is lost is said where following is documented
                self._hung_up.wait(_RETRY_SECONDS)
            else:
                break
        if self._hung_up.is_set():
            self._client.shutdown()

    def hear(self, name: str, told: object) -> None:
        """Take in one call; one of another shape still says that there is something to look at."""
        called = _called(told) if name == _STATUS and isinstance(told, dict) else None
        with self._lock:
            self._is_called = True
            if called is not None and (called.item in self._said or len(self._said) < _MAX_KEPT):
                self._said[called.item] = called


def listen(host: LocalHost) -> InvokeAICalls | None:
    """Start to hear; None where the extra is not installed. It goes on hearing in a thread of its own."""
    try:
        import socketio  # noqa: PLC0415 - an extra, imported only here
    except ImportError:
        return None
    # InvokeAI answers long-polling with an error: this transport only.
    client = socketio.Client(reconnection_delay=1, reconnection_delay_max=5)
    calls = InvokeAICalls(_client=client)
    client.on("connect", lambda: client.emit("subscribe_queue", {"queue_id": "default"}))
    for name in (_STATUS, *_CHANGES):
        client.on(name, lambda told=None, name=name: calls.hear(name, told))
    errors = (socketio.exceptions.SocketIOError, OSError, ValueError)
    threading.Thread(target=calls.connect, args=(host, errors), daemon=True, name="makingof-calls").start()
    return calls


def follow(host: LocalHost, root: Path) -> InvokeAIFollower:
    """Follow an InvokeAI, and hear it where the extra is there."""
    return InvokeAIFollower(host, root, listen(host))


def _called(told: Mapping[str, Any]) -> Called | None:
    item, session = told.get("item_id"), told.get("session_id")
    # To those who may not see another person's job its session is not told.
    if not isinstance(item, int) or not isinstance(session, str) or session in ("", "redacted"):
        return None
    return Called(item, session, texts({name: told.get(name) for name in QUEUE}))
