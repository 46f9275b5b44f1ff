"""Journal: one stream of one Python program, handed over by a thread of its own.

The program only puts a statement into a queue; what is slow about it (encoding a
picture, hashing weights, the disk) happens in the journal's thread, in order. After
opening, nothing is raised into the program: an error in a statement becomes a `gap`,
and so does what had to be dropped.
"""

import atexit
import contextlib
import os
import queue
import sys
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from makingof import __version__
from makingof.live.connection import find_connection
from makingof.part import escaped
from makingof.spool.carried import HookClock, HookStream, Json, boot_id, now_ms, uptime_ms

MAX_WAITING = 1_000  # statements that hold pictures in memory: a disk that stands still must not fill it
CLOSE_SECONDS = 30.0
_RETRY_SECONDS = 2.0
_CLOCK: HookClock = (boot_id, uptime_ms, now_ms)


@dataclass(frozen=True, slots=True)
class Statement:
    """Parts and files of one observation, in the form of docs/spec/observation.md.

    A file is a dict with `path` or `bytes`, `role`, and what else an observation says of it.
    """

    parts: Sequence[Json]
    files: Sequence[Json] = ()


@dataclass(slots=True)
class Ticket:
    """Stands for a handover that is still to come; `number` is its place in the stream once it is written.

    It stays None where the disk refused it or its statement failed.
    """

    number: int | None = None
    written: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class _Told:
    kind: str
    statement: Callable[[], Statement]
    requests: tuple[Ticket, ...]
    occurred: tuple[int, str] | None
    ticket: Ticket


class Journal:
    """One stream from `opened` to `closed`. `tell` may be called from any thread and never waits."""

    def __init__(
        self,
        connection: Mapping[str, Any],
        source: Mapping[str, Any],
        environment: Callable[[], Mapping[str, Any]],
        *,
        clock: HookClock = _CLOCK,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._connection = connection
        self._source = source
        self._environment = environment
        self._clock = clock
        self._max_waiting = max_waiting
        self._begin()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_calling(self, Journal._begin))
        atexit.register(_calling(self, Journal.close))

    def _begin(self) -> None:
        """Start a stream. A forked child has no thread of its parent's and no place in its stream."""
        self.stream = HookStream(self._connection, self._source, clock=self._clock)
        self.errors = 0
        self._waiting: queue.SimpleQueue[_Told | Ticket | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._dropped = 0
        self._is_closed = False

    def tell(
        self,
        kind: str,
        statement: Callable[[], Statement],
        *,
        requests: Sequence[Ticket] = (),
        occurred: tuple[int, str] | None = None,
    ) -> Ticket:
        """Have an observation of `kind` handed over, citing `requests`; return at once.

        `statement` is called in the journal's thread and must own what it speaks of:
        what the program may still change has to be copied before. `occurred` is an
        instant in milliseconds since 1970 and whose clock it was.
        """
        ticket = Ticket()
        with self._lock:
            if self._is_closed or self._waiting.qsize() >= self._max_waiting:
                self._dropped += 1
                ticket.written.set()
                return ticket
            self._waiting.put(_Told(kind, statement, tuple(requests), occurred, ticket))
            self._start()
        return ticket

    def flush(self, seconds: float = CLOSE_SECONDS) -> bool:
        """Wait until what was told so far is handed over; tell whether it was, within `seconds`."""
        ticket = Ticket()
        with self._lock:
            if self._thread is None or self._is_closed:
                return self._is_closed or self._waiting.empty()
            self._waiting.put(ticket)
        return ticket.written.wait(seconds)

    def close(self, seconds: float = CLOSE_SECONDS) -> bool:
        """Hand over what waits and end the stream; tell whether that was done within `seconds`."""
        with self._lock:
            is_done = self._is_closed or (self._thread is None and self._waiting.empty())
            self._is_closed = True
            if is_done:
                return True
            self._waiting.put(None)
        if self._thread is None:
            self._run()  # nobody else will: no thread could be started for what waits
            return True
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _start(self) -> None:
        """Start the thread; where none can be had, what was told waits for the next telling or the end."""
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="makingof", daemon=True)
            with contextlib.suppress(RuntimeError):  # too many threads, or the program is ending
                thread.start()
                self._thread = thread

    def _run(self) -> None:
        self._safely(self._open)
        while True:
            self._safely(self.stream.ensure_drained)
            try:
                told = self._waiting.get(timeout=_RETRY_SECONDS if self.stream.wants_drain else None)
            except queue.Empty:
                continue
            self._safely(self._say_dropped)
            if told is None:
                self._safely(self.stream.close)
                self._safely(lambda: self.stream.ensure_drained(at_once=True))
                return
            if isinstance(told, _Told):
                self._safely(lambda told=told: self._hand_over(told))  # type: ignore[misc]
            (told.ticket if isinstance(told, _Told) else told).written.set()

    def _open(self) -> None:
        facts = {"host": self._source.get("tool", ""), "pid": os.getpid()}
        environment = {"type": "environment", "from": "host", "body": {"facts": dict(self._environment())}}
        self.stream.open(facts, [environment])

    def _hand_over(self, told: _Told) -> None:
        statement = told.statement()
        cites = [request.number for request in told.requests if request.number is not None]
        told.ticket.number = self.stream.hand_over(
            told.kind, statement.parts, statement.files, cites, told.occurred
        )

    def _say_dropped(self) -> None:
        with self._lock:
            dropped, self._dropped = self._dropped, 0
        if dropped:
            self._gap({"why": "hook_lost", "stream": self.stream.stream, "lost": dropped})

    def _safely(self, act: Callable[[], Any]) -> None:
        try:
            act()
        except Exception as err:  # noqa: BLE001 - said in the record; the program and the next statement go on
            self.errors += 1
            message = escaped(f"{type(err).__name__}: {err}")
            sys.stderr.write(f"makingof: {message}\n")
            self._gap({"why": "hook_error", "stream": self.stream.stream, "message": message[:2_000]})

    def _gap(self, facts: Json) -> None:
        self.stream.hand_over("gap", [{"type": "own", "from": "hook", "body": {"facts": facts}}])


def open_journal(
    tool: str,
    tool_version: str | None,
    environment: Callable[[], Mapping[str, Any]],
    *,
    archive: Path | None = None,
) -> Journal:
    """Return a journal that hands over to `archive`, else to the archive a command here would use.

    Nothing is written before the first `tell`. `environment` is asked once, in the
    journal's thread; its facts are text, whole numbers, truth values, lists and objects.

    Raises:
        UsageError: there is no archive to hand over to.
    """
    source = {"name": f"makingof-{tool}", "version": __version__, "tool": tool}
    if tool_version is not None:
        source["tool_version"] = tool_version
    return Journal(find_connection(archive), source, environment)


def wait_for(tickets: Sequence[Ticket], seconds: float) -> bool:
    """Wait until all `tickets` are written or given up; tell whether they were, within `seconds`."""
    deadline = time.monotonic() + seconds
    return all(ticket.written.wait(max(0.0, deadline - time.monotonic())) for ticket in tickets)


def _calling(journal: Journal, act: Callable[[Journal], Any]) -> Callable[[], None]:
    """Return a call that does not keep `journal` alive."""
    found = weakref.ref(journal)

    def call() -> None:
        if (alive := found()) is not None:
            act(alive)

    return call
