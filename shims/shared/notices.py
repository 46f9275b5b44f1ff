"""The thread of a hook: it hears notices, looks after what is open, and hands over.

Nothing of a hook runs in the host's own threads but putting a notice into a queue.
What a notice is called, `("ended", …)`, names the method that hears it: `_on_ended`.
"""

import contextlib
import hashlib
import hmac
import queue
import sys
import threading
import time
from pathlib import Path
from typing import Any

from .handing_over import HookStream
from .plain import own_part
from .weights import Weights

POLL_SECONDS = 2.0
STOP_SECONDS = 3.0


class Recording:
    """A hook's thread. What goes wrong in it is said in the record, and the next notice is heard again."""

    def __init__(self, stream: HookStream, remembered: Path) -> None:
        self.stream = stream
        self.attached: list[str] = []
        self.weights = Weights(remembered)
        self._notices: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._errors = 0
        self._looked_at = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="makingof", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Hand over what is known and close the stream; waits a moment and no longer."""
        self._notices.put(None)
        self._thread.join(STOP_SECONDS)

    def state(self) -> "dict[str, Any]":
        """Say how it stands, for `makingof doctor`."""
        return {
            "hook": self.stream.connection["id"],
            "stream": self.stream.stream,
            "attached": self.attached,
            "open_jobs": self._open_count(),
            "lost": self.stream.lost,
            "errors": self._errors,
        }

    def answer(self, asked: str) -> "dict[str, Any]":
        """Answer `makingof doctor --url`: how it stands, and a proof that this very hook is in this host."""
        question = f"makingof-doctor/1\n{asked[:64]}\n".encode()
        secret = bytes.fromhex(self.stream.connection["secret"])
        return {**self.state(), "mac": hmac.new(secret, question, hashlib.sha256).hexdigest()}

    # What each hook says for itself

    def _open_stream(self) -> None:
        """Open the stream with what the host is."""
        raise NotImplementedError  # each hook has its own

    def _open_count(self) -> int:
        """How many jobs have begun and not ended."""
        raise NotImplementedError  # each hook has its own

    def _look(self) -> None:
        """Find what no notice told of."""
        raise NotImplementedError  # each hook has its own

    def _is_watching(self) -> bool:
        """Whether there is something to look after though nobody gives notice of it."""
        return self._open_count() > 0

    def _patience(self) -> float:
        """Seconds between two looks."""
        return POLL_SECONDS

    # In our own thread

    def _run(self) -> None:
        self._safely(self._open_stream)
        self._safely(self.stream.ensure_drained)
        while True:
            try:
                waits = self._is_watching() or self.stream.wants_drain
                notice = self._notices.get(timeout=self._patience() if waits else None)
            except queue.Empty:
                notice = ("nothing",)
            if self._is_watching() and time.monotonic() - self._looked_at >= self._patience():
                self._safely(self._look_now)
            if notice is None:
                self._safely(self._finish)
                self._safely(self.stream.close)
                self._safely(lambda: self.stream.ensure_drained(at_once=True))
                return
            self._safely(getattr(self, f"_on_{notice[0]}"), *notice[1:])
            self._safely(self.stream.ensure_drained)

    def _finish(self) -> None:
        """Say what is known before the stream is closed."""
        self._look_now()

    def _look_now(self) -> None:
        self._looked_at = time.monotonic()
        self._look()

    def _safely(self, act: Any, *arguments: Any) -> None:
        try:
            act(*arguments)
        except Exception as err:  # noqa: BLE001 - said in the record, and the next job is recorded again
            self._errors += 1
            message = f"{type(err).__name__}: {err}"
            sys.stderr.write(f"makingof: {message}\n")
            facts = {"why": "hook_error", "stream": self.stream.stream, "message": message}
            with contextlib.suppress(Exception):  # a full disk: the stream counts what it lost
                self.stream.hand_over("gap", [own_part(facts)])

    def _on_nothing(self) -> None:
        """Nothing was heard for a while."""


def tell(notice: Any, *arguments: Any, **named: Any) -> None:
    """Pass a notice on; nothing that goes wrong with it may reach the host."""
    try:
        notice(*arguments, **named)
    except Exception as err:  # noqa: BLE001 - see above; the thread hears of it where it can
        with contextlib.suppress(Exception):  # a host may have closed its error stream
            sys.stderr.write(f"makingof: {type(err).__name__}: {err}\n")
