"""Calls of hosted services, recorded as the program makes them: one thread that hears, reads and tells.

A transport makes a `Call` for every request that is a service's, and only notes into it
what goes past: chunks, a status, an end. Everything that takes time (decoding, reading,
fetching what lies at an address, the disk) happens in threads of our own. A request is
told before its answer is read; a job that is looked at again and again ends once; every
attempt of a retry is a request of its own.
"""

import atexit
import contextlib
import os
import queue
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import urljoin

from makingof import __version__
from makingof.errors import MalformedError
from makingof.live.awaiting import Awaiting, Ending, Job
from makingof.live.call import Call, Headers
from makingof.live.exchange import (
    Answered,
    Budget,
    End,
    describe_answer,
    describe_request,
)
from makingof.live.fetching import FETCH_SECONDS
from makingof.live.journal import Journal, Statement
from makingof.live.services.known import SERVICES, Addresses, Known
from makingof.live.services.said import Outcome, Step, Told, Wish, outcome_of_end
from makingof.live.telling import answered_statement, asked_statement, gap_statement

CLOSE_SECONDS = 20.0
_FIRST_SECONDS = 0.1
_MAX_REMEMBERED = 10_000
_OK = 200
_ENDED_FIRST = "the program ended before the answer did"
_ENDED_ELSEWHERE = "the answer was a redirect, and the program was not seen following it"
_FINAL_STATUS = frozenset({400, 410, 422})  # of a job looked at; others may pass

_KeyT = TypeVar("_KeyT")
_ValueT = TypeVar("_ValueT")


class Calls:
    """All calls of one program to services known here. `find` may be called from any thread."""

    def __init__(
        self,
        connection: Mapping[str, Any],
        addresses: Addresses,
        environment: Callable[[], Mapping[str, Any]],
        *,
        fetch_seconds: float = FETCH_SECONDS,
    ) -> None:
        self.addresses = addresses
        self._fetch_seconds = fetch_seconds
        self.journals = {
            name: Journal(connection, _source(name), environment) for name in SERVICES
        }  # each opens its stream when it has something to tell
        self._begin()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin)
        atexit.register(self.close)

    def _begin(self) -> None:
        """Start with nothing heard. A forked child has no thread of its parent's."""
        self.budget = Budget()
        self._heard: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._open: dict[int, Call] = {}
        self._jobs: OrderedDict[tuple[str, str], Job] = OrderedDict()
        self._ended: OrderedDict[tuple[str, str], int] = OrderedDict()  # with how many pictures
        self._redirects: OrderedDict[str, Call] = OrderedDict()
        self._awaiting = Awaiting(self._heard.put)
        self._is_reading = False
        self._is_ending = False
        self._flushing: list[threading.Event] = []

    # In the program's threads

    def find(
        self, method: str, url: str, parts: tuple[str, str, int | None, str], headers: Headers
    ) -> Call | None:
        """Return a call to note into where the request is a service's, else None. Raises nothing.

        `parts` are scheme, host, port and path of `url`, as the library has taken it apart.
        """
        try:
            scheme, host, port, path = parts
            known = self.addresses.find(method, host.lower(), port, scheme, path)
            resumed = self._redirects.pop(url, None) if self._redirects else None
            if resumed is not None:
                known = resumed.known
            if known is None and not (method == "GET" and self._may_be_awaited(url)):
                return None
            return Call(self, known, method, url, headers, resumed=resumed)
        except Exception as err:  # noqa: BLE001 - said in the record; the program's request goes on
            self.failed(err)
            return None

    def _may_be_awaited(self, url: str) -> bool:
        """Tell whether who fetches `url` fetches a picture, or may: an answer is still being read."""
        return self._awaiting.is_awaited(url) or self._is_reading or not self._heard.empty()

    def redirect(self, call: Call, location: str) -> None:
        """Note where a redirect leads: the request to there goes on with this call."""
        _remember(self._redirects, urljoin(call.request[1], location), call)

    def asked(self, call: Call) -> None:
        self._hear(lambda: self._on_asked(call))

    def ended(self, call: Call) -> None:
        self._hear(lambda: self._on_ended(call))

    def failed(self, err: BaseException) -> None:
        """Something of ours did not work in the program's thread; the record says so."""
        self._hear(lambda: self._on_failed(err))

    def _hear(self, act: Callable[[], None]) -> None:
        """Have something done in our own thread; returns at once and raises nothing."""
        with self._lock:
            if self._is_closed:
                return
            self._heard.put(act)
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="makingof-calls", daemon=True)
                with contextlib.suppress(RuntimeError):  # too many threads, or the program is ending
                    thread.start()
                    self._thread = thread

    def flush(self, seconds: float = CLOSE_SECONDS) -> bool:
        """Wait until what was heard so far is handed over, pictures fetched; tell whether it was in time."""
        deadline = time.monotonic() + seconds
        done = threading.Event()
        if self._thread is None:
            return self._heard.empty()
        self._hear(lambda: self._flushing.append(done))
        is_done = done.wait(seconds)
        flushed = [j.flush(max(0.0, deadline - time.monotonic())) for j in self.journals.values()]
        return all(flushed) and is_done

    def close(self, seconds: float = CLOSE_SECONDS) -> bool:
        """Tell what is known, of calls without an answer as well, and end the streams."""
        with self._lock:
            thread, self._is_closed = self._thread, True
            is_waiting = not self._heard.empty()
            hurry = time.monotonic() + seconds / 2
            self._heard.put(lambda: self._on_close(hurry))
        atexit.unregister(self.close)
        if thread is not None:
            thread.join(seconds)
        elif is_waiting:
            self._run()  # nobody else will: no thread could be started for what was heard
        deadline = time.monotonic() + seconds  # for all together: each may wait for the same disk
        ended = [j.close(max(0.0, deadline - time.monotonic())) for j in self.journals.values()]
        return all(ended) and (thread is None or not thread.is_alive())

    # In our own thread

    def _run(self) -> None:
        while True:
            try:
                act = self._heard.get(timeout=self._awaiting.patience())
            except queue.Empty:
                act = _nothing
            self._is_reading = True
            self._safely(act)
            for ending in self._awaiting.take_ended():
                self._safely(self._tell, ending)
            self._is_reading = False
            if self._awaiting.patience() is None and self._heard.empty():
                for done in self._flushing:
                    done.set()
                self._flushing.clear()
                if self._is_ending:
                    self._safely(self._tell_stopped)
                    return

    def _on_close(self, deadline: float) -> None:
        self._is_ending = True
        self._awaiting.hurry(deadline)

    def _safely(self, act: Callable[..., Any], *arguments: Any) -> None:
        try:
            act(*arguments)
        except Exception as err:  # noqa: BLE001 - said in the record, and the next call is recorded again
            self._on_failed(err)

    def _on_failed(self, err: BaseException) -> None:
        """Say in the record that something was not recorded. Its message could hold what must not be kept."""
        place = err.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        where = f"{place.tb_frame.f_code.co_name}:{place.tb_lineno}" if place else "?"
        message = f"{type(err).__name__} in {where}"
        sys.stderr.write(f"makingof: a call was not recorded: {message}\n")
        journal = next(iter(self.journals.values()))
        facts = {"why": "hook_error", "message": message}
        journal.tell("gap", lambda: _own_statement(facts))

    def _on_asked(self, call: Call) -> None:
        body, size = call.sent.take(), call.sent.size
        if call.known is None:
            return  # the program fetches a picture itself
        asked = describe_request(*call.request, call.at_ms)
        call.asked = asked = asked.with_body(body, size, is_whole=call.is_sent_whole)
        if call.resumed is not None:
            before = call.resumed.asked or asked
            call.asked = replace(before, secrets=(*before.secrets, *asked.secrets), url=asked.url)
            call.wish, call.ticket = call.resumed.wish, call.resumed.ticket
            self._open.pop(id(call.resumed), None)
            return
        if call.known.route.step is not Step.ASKS:
            return
        service = call.known.service
        try:
            wish = service.read_wish(asked)
        except MalformedError:
            wish = Wish()  # what was asked stands in the bytes kept
        if wish is None:
            call.known = None
            call.got.drop()
            return
        # What it weighs is told now; the end of the job needs the words alone.
        call.wish, call.asked = replace(wish, pictures=()), replace(asked, body=b"")
        call.ticket = self.journals[service.NAME].tell(
            "prompted", lambda: asked_statement(service.NAME, asked, wish), occurred=(asked.at_ms, "hook")
        )
        self._open[id(call)] = call

    def _on_ended(self, call: Call) -> None:
        if call.is_redirected:
            call.got.drop()
            return  # another request goes on with it, or it stays open
        self._open.pop(id(call), None)
        if call.known is None or call.asked is None or call.how is None:
            self._take_download(call)
            return
        # The program reads its answer first: reading the same bytes beside it would make it wait.
        time.sleep(max(0.0, call.ended_at + _FIRST_SECONDS - time.monotonic()))
        answered = describe_answer(
            call.asked, call.status, call.headers, call.got, *call.how, is_decoded=call.is_decoded
        )
        if call.known.route.step is Step.LOOKS:
            self._looked(call, call.known, answered)
            return
        told = _read(call.known, answered)
        job = Job(call.known, call.asked, call.wish, call.ticket)
        if told.job is not None:
            _remember(self._jobs, (call.known.service.NAME, told.job), job)
        if told.pictures and told.outcome is Outcome.WAITING:
            told = replace(told, outcome=Outcome.MADE)  # nobody may ever look again
        if told.outcome is not Outcome.WAITING:
            self._end(job, answered, told)

    def _looked(self, call: Call, known: Known, answered: Answered) -> None:
        """A program asks what became of a job; only the first final answer says anything new."""
        if call.asked is None or known.route.job is None:
            return
        key = (known.service.NAME, known.route.job)
        told = _find_final(known, answered)
        job = self._jobs.get(key)
        if told is None or (job is None and not told.pictures):
            return  # not the end; or asked for by another program, and nothing came of it here
        before = self._ended.get(key)
        if before is not None and len(told.pictures) <= before:
            return
        new = told.pictures[before or 0 :]
        outputs = None if told.outputs is None else told.outputs - (before or 0)
        told = replace(told, job=known.route.job, pictures=new, outputs=outputs)
        self._end(job or Job(known, call.asked, None, None), answered, told)
        _remember(self._ended, key, (before or 0) + len(new))

    def _end(self, job: Job, answered: Answered, told: Told) -> None:
        if told.job is not None:
            _remember(self._ended, (job.known.service.NAME, told.job), len(told.pictures))
        ending = Ending(job, answered, told, time.monotonic() + self._fetch_seconds)
        ending.missing |= {
            at: picture.url
            for at, picture in enumerate(told.pictures)
            if picture.data is None and picture.url is not None
        }
        if ending.missing:
            self._awaiting.add(ending)
        else:
            self._tell(ending)

    def _tell(self, ending: Ending) -> None:
        job, told, answered = ending.job, ending.told, ending.answered
        service = job.known.service.NAME
        journal = self.journals[service]
        seen = [p for p in told.pictures if p.data is not None and p.role == "output"]
        is_made = told.outcome is Outcome.MADE
        requests = [job.ticket] if job.ticket is not None else []
        journal.tell(
            "generated" if is_made and seen else "attempted",
            lambda: answered_statement(service, job.asked, job.wish, answered, told),
            requests=requests,
            occurred=None if told.at_ms is None else (told.at_ms, "vendor"),
        )
        problems = ending.problems if answered.body is not None else ["the answer is too large to keep"]
        unread = (told.outputs or 0) - len(seen)
        if is_made and (problems or unread > 0):
            stream = journal.stream.stream
            problems = problems or [f"{unread} pictures are not in the answer, or could not be read"]
            journal.tell("gap", lambda: gap_statement(service, told.job, stream, problems), requests=requests)

    def _take_download(self, call: Call) -> None:
        """Take what the program fetched itself, if it is awaited and came whole."""
        is_whole = call.status == _OK and call.how is not None and call.how[0] is End.WHOLE
        if not is_whole or call.how is None or not self._awaiting.is_awaited(call.request[1]):
            call.got.drop()
            return
        asked = describe_request(*call.request, call.at_ms)
        answered = describe_answer(
            asked, call.status, call.headers, call.got, *call.how, is_decoded=call.is_decoded
        )
        if answered.body and answered.end is End.WHOLE:
            self._awaiting.take(call.request[1], answered.body)

    def _tell_stopped(self) -> None:
        """The program ends while calls are open: their requests end here, as far as anybody will know."""
        for call in list(self._open.values()):
            if call.known is not None and call.asked is not None:
                answered = Answered(end=End.STOPPED)
                why = _ENDED_ELSEWHERE if call.is_redirected else _ENDED_FIRST
                told = Told(Outcome.INTERRUPTED, text=why)
                self._end(Job(call.known, call.asked, call.wish, call.ticket), answered, told)
        self._open.clear()


def _read(known: Known, answered: Answered) -> Told:
    """Read an answer; one that is none of its service's says how it ended and keeps its bytes."""
    if answered.status is None:
        return Told(outcome_of_end(answered), text=answered.error)
    if answered.body is None:
        return Told(Outcome.MADE if answered.is_success else Outcome.FAILED)
    try:
        return known.service.read_answer(answered)
    except MalformedError as err:
        outcome = outcome_of_end(answered)
        return Told(outcome, text=f"the answer cannot be read: {err.message}"[:500])


def _find_final(known: Known, answered: Answered) -> Told | None:
    """Return what a look at a job says if that is the end of it: a look that failed is not."""
    if answered.end is not End.WHOLE or answered.body is None:
        return None
    try:
        told = known.service.read_answer(answered)
    except MalformedError:
        return None
    is_said = answered.status in _FINAL_STATUS or not told.facts.keys().isdisjoint({"safety", "error_type"})
    return told if told.outcome is not Outcome.WAITING and (answered.is_success or is_said) else None


def _nothing() -> None:
    """A moment passed in which nothing was heard."""


def _source(service: str) -> dict[str, str]:
    return {"name": "makingof-calls", "version": __version__, "tool": service}


def _own_statement(facts: dict[str, Any]) -> Statement:
    return Statement([{"type": "own", "from": "hook", "body": {"facts": facts}}])


def _remember(known: "OrderedDict[_KeyT, _ValueT]", key: _KeyT, value: _ValueT) -> None:
    """Keep a thing known by name, and forget the oldest of too many."""
    known[key] = value
    while len(known) > _MAX_REMEMBERED:
        known.popitem(last=False)
