"""The only place from which stamping reaches the network: one request, bounded in size and time."""

import http.client
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Protocol

import certifi

from makingof.clock import Clock
from makingof.errors import UnavailableError
from makingof.texts import say

_SOCKET_TIMEOUT_SECONDS = 10
_WHOLE_TIMEOUT_MS = 30_000
_CHUNK_BYTES = 16 * 1024


class Fetch(Protocol):
    """Asks one address and returns the body of its answer, or raises `UnavailableError`."""

    def __call__(
        self, url: str, body: bytes | None = None, *, content_type: str = "", max_bytes: int
    ) -> bytes: ...


@dataclass
class HttpFetch:
    """Fetches over http and https and nothing else; answers longer than asked for are refused.

    A socket time-out alone does not end a server that sends one byte every
    nine seconds, so the whole request has a limit too.
    """

    clock: Clock
    whole_timeout_ms: int = _WHOLE_TIMEOUT_MS
    _opener: urllib.request.OpenerDirector | None = field(default=None, init=False)

    def __call__(
        self, url: str, body: bytes | None = None, *, content_type: str = "", max_bytes: int
    ) -> bytes:
        if not url.startswith(("http://", "https://")):
            message = f"address {url!r} is neither http nor https"
            raise UnavailableError(message)
        headers = {"User-Agent": "makingof", "Accept": "*/*"}
        if content_type:
            headers["Content-Type"] = content_type
        started_ms = self.clock.uptime_ms()
        try:
            request = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310 - the scheme was checked above
            with self._open(request) as answer:
                return self._read(url, answer, max_bytes, started_ms + self.whole_timeout_ms)
        except (OSError, ValueError, http.client.HTTPException) as err:
            raise UnavailableError(
                say("stamp.no_answer", url=url, reason=_reason(err)), hint=say("stamp.no_answer_hint")
            ) from err

    def _open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        if self._opener is None:
            self._opener = _make_opener()
        answer: http.client.HTTPResponse = self._opener.open(request, timeout=_SOCKET_TIMEOUT_SECONDS)
        return answer

    def _read(self, url: str, answer: http.client.HTTPResponse, max_bytes: int, until_ms: int) -> bytes:
        body = bytearray()
        while chunk := answer.read1(_CHUNK_BYTES):
            body += chunk
            if len(body) > max_bytes:
                raise UnavailableError(say("stamp.answer_too_long", url=url, limit=max_bytes))
            if self.clock.uptime_ms() > until_ms:
                raise UnavailableError(
                    say("stamp.answer_too_slow", url=url), hint=say("stamp.no_answer_hint")
                )
        return bytes(body)


def _make_opener() -> urllib.request.OpenerDirector:
    """Build an opener without the handlers for files and FTP, which a redirect could otherwise reach.

    The answers are signed or proved on their own, so TLS keeps only the
    question private; certifi's roots stand in where the system has none.
    """
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=context),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


def _reason(err: Exception) -> str:
    if isinstance(err, urllib.error.HTTPError):
        return f"HTTP {err.code}"
    if isinstance(err, urllib.error.URLError):
        return str(err.reason)
    return str(err) or type(err).__name__
