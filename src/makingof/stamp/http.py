"""The only place from which stamping reaches the network: one request, bounded in size and time."""

import http.client
import queue
import ssl
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import certifi

from makingof.errors import UnavailableError
from makingof.texts import say

_SOCKET_TIMEOUT_SECONDS = 10.0
_WHOLE_TIMEOUT_SECONDS = 30.0
_CHUNK_BYTES = 16 * 1024


class Fetch(Protocol):
    """Asks one address and returns the body of its answer, or raises `UnavailableError`."""

    def __call__(
        self, url: str, body: bytes | None = None, *, content_type: str = "", max_bytes: int
    ) -> bytes:
        """Send `body`, or ask without one; an answer longer than `max_bytes` is refused."""
        ...


@dataclass(frozen=True, slots=True)
class HttpFetch:
    """Fetches over http and https and nothing else."""

    whole_timeout_seconds: float = _WHOLE_TIMEOUT_SECONDS

    def __call__(
        self, url: str, body: bytes | None = None, *, content_type: str = "", max_bytes: int
    ) -> bytes:
        """Ask in a thread of its own, so that the whole exchange has a limit.

        A socket's time-out starts anew with every byte; a server that sends one
        byte every nine seconds would hold us for hours. The thread given up on
        ends with its socket, or with the program.
        """
        if not url.startswith(("http://", "https://")):
            message = f"address {url!r} is neither http nor https"
            raise UnavailableError(message)
        headers = {"User-Agent": "makingof", "Accept": "*/*"}
        if content_type:
            headers["Content-Type"] = content_type
        answers: queue.SimpleQueue[bytes | Exception] = queue.SimpleQueue()

        def ask() -> None:
            try:
                request = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310 - the scheme was checked above
                answers.put(_read(request, max_bytes))
            except urllib.error.HTTPError as err:
                err.close()  # it is the answer, too, and holds the socket
                answers.put(err)
            except Exception as err:  # noqa: BLE001 - raised again in the thread that waits
                answers.put(err)

        threading.Thread(target=ask, name="makingof-fetch", daemon=True).start()
        try:
            answer = answers.get(timeout=self.whole_timeout_seconds)
        except queue.Empty:
            raise UnavailableError(
                say("stamp.answer_too_slow", url=url), hint=say("stamp.no_answer_hint")
            ) from None
        if isinstance(answer, bytes):
            return answer
        if isinstance(answer, OSError | ValueError | http.client.HTTPException):
            raise UnavailableError(
                say("stamp.no_answer", url=url, reason=_reason(answer)), hint=say("stamp.no_answer_hint")
            ) from answer
        raise answer


def _read(request: urllib.request.Request, max_bytes: int) -> bytes:
    body = bytearray()
    with _opener().open(request, timeout=_SOCKET_TIMEOUT_SECONDS) as answer:
        while chunk := answer.read(_CHUNK_BYTES):
            body += chunk
            if len(body) > max_bytes:
                raise UnavailableError(say("stamp.answer_too_long", url=request.full_url, limit=max_bytes))
    return bytes(body)


@cache
def _opener() -> urllib.request.OpenerDirector:
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
