"""One request to a service, as a transport notes it. Nothing here waits, reads or raises."""

import time
from collections.abc import Sequence
from typing import Protocol

from makingof.live.exchange import Asked, Budget, Copy, End
from makingof.live.journal import Ticket
from makingof.live.services.known import Known
from makingof.live.services.said import Wish
from makingof.spool.carried import now_ms

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_CAUSES = 5

Headers = Sequence[tuple[str, str]]


class Hearing(Protocol):
    """Who is told when a request went out and how its answer ended."""

    budget: Budget

    def asked(self, call: "Call") -> None: ...

    def ended(self, call: "Call") -> None: ...

    def redirect(self, call: "Call", location: str) -> None: ...


class Call:
    """From the first byte a program sends to the last it reads; a redirect goes on as another call."""

    def __init__(
        self,
        calls: Hearing,
        known: Known | None,
        method: str,
        url: str,
        headers: Headers,
        *,
        resumed: "Call | None",
    ) -> None:
        self.known = known
        self.request = (method, url, headers)
        self.at_ms = now_ms()
        self.resumed = resumed
        self.sent = Copy(calls.budget)
        self.got = Copy(calls.budget)
        self.status: int | None = None
        self.headers: Headers = ()
        self.is_decoded = False
        self.is_redirected = False
        self.how: tuple[End, str | None] | None = None
        self.ended_at = 0.0
        self._calls = calls
        self.is_sent_whole = False
        self._is_sent = False
        # What our own thread knows
        self.asked: Asked | None = None
        self.wish: Wish | None = None
        self.ticket: Ticket | None = None

    def finish_request(self, *, is_whole: bool = True) -> None:
        """The program gave the last byte of its request, or no more will come."""
        if not self._is_sent:
            self._is_sent, self.is_sent_whole = True, is_whole
            self._calls.asked(self)

    def note_sent(self, chunk: bytes) -> None:
        """A piece of the request's body goes out."""
        if not self._is_sent:
            self.sent.add(chunk)

    def answer(self, status: int, headers: Headers) -> None:
        """The service answered; its body follows by `got`."""
        self.finish_request(is_whole=False)
        self.status, self.headers = status, headers
        location = next((value for name, value in headers if name.lower() == "location"), None)
        if status in _REDIRECTS and location is not None and self.known is not None:
            self.is_redirected = True
            self._calls.redirect(self, location)

    def note(self, chunk: bytes) -> None:
        """A piece of the answer's body went past."""
        self.got.add(chunk)

    def finish(self, end: End, error: BaseException | None = None) -> None:
        """The answer ended, or there will be none; told a second time it says nothing."""
        if self.how is None:
            self.finish_request(is_whole=False)
            self.ended_at = time.monotonic()
            self.how = (end, None if error is None else _names_of(error))
            self._calls.ended(self)


def _names_of(error: BaseException) -> str:
    """Name an error and what caused it. Messages of libraries quote addresses, and with them keys."""
    names: list[str] = []
    found: BaseException | None = error
    while found is not None and len(names) < _MAX_CAUSES:
        names.append(type(found).__name__)
        found = found.__cause__ or found.__context__
    return " from ".join(names)
