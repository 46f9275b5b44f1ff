"""One request and its answer as they are kept: bounded copies, listed headers, no credentials. Pure.

What is allowed is listed; what is not listed is left out, and its name kept. The values
of credentials are remembered as long as the exchange lasts, to take them out of answers
that repeat them.
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import parse_qsl, urlsplit

from makingof.errors import MalformedError
from makingof.live.removal import is_secret_name, without_values
from makingof.live.wire import decode_content

MAX_BODY_BYTES = 128 << 20  # ten pictures of 4K in base64
MAX_COPIED_BYTES = 384 << 20  # of all calls that run at one time
_MAX_HEADER_CHARS = 2_000
_SHORTEST_SECRET = 8
_MAX_QUERY_FIELDS = 200
_ASKED_HEADERS = frozenset(
    {
        "accept", "content-encoding", "content-length", "content-type", "idempotency-key", "openai-beta",
        "prefer", "user-agent", "x-client-request-id", "x-fal-queue-priority", "x-fal-request-timeout",
        "x-goog-api-client", "x-idempotency-key", "x-stainless-package-version", "x-stainless-retry-count",
    }
)  # fmt: skip
_ANSWERED_HEADERS = frozenset(
    {
        "apim-request-id", "content-encoding", "content-length", "content-type", "date", "finish-reason",
        "openai-model", "openai-processing-ms", "openai-version", "preference-applied", "request-id",
        "retry-after", "seed", "server-timing", "x-fal-billable-units", "x-fal-error-type",
        "x-fal-request-id", "x-goog-request-id", "x-request-id",
    }
)  # fmt: skip
_ASKED_QUERY = frozenset({"alt", "api-version", "logs"})


class End(StrEnum):
    """How an answer ended, as the program met it."""

    WHOLE = "whole"
    BROKEN = "broken"  # the connection ended or failed before the answer did
    LEFT = "left"  # the program stopped reading
    CANCELLED = "cancelled"  # the program's own task was cancelled
    TIMED_OUT = "timed_out"
    STOPPED = "stopped"  # the program ended


class Budget:
    """How many bytes all copies together may hold, and at most `one` of them."""

    def __init__(self, limit: int = MAX_COPIED_BYTES, one: int = MAX_BODY_BYTES) -> None:
        self.one = one
        self._left = limit
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        with self._lock:
            if size > self._left:
                return False
            self._left -= size
            return True

    def give_back(self, size: int) -> None:
        with self._lock:
            self._left += size


class Copy:
    """A bounded copy of a body as it goes past: it holds on to the chunks and copies nothing.

    Over the limit it keeps nothing at all and goes on counting.
    """

    __slots__ = ("_budget", "_chunks", "_kept", "size")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._chunks: list[bytes] | None = []
        self._kept = 0
        self.size = 0

    def add(self, chunk: bytes) -> None:
        self.size += len(chunk)
        if self._chunks is None:
            return
        if self.size > self._budget.one or not self._budget.take(len(chunk)):
            self.drop()
            return
        self._kept += len(chunk)
        # Programs may fill one buffer again and again; bytes alone never change.
        self._chunks.append(bytes(chunk))

    def drop(self) -> None:
        """Keep nothing from here on."""
        self._chunks = None
        self._budget.give_back(self._kept)
        self._kept = 0

    def take(self) -> bytes | None:
        """Return the bytes and let go of them; None where they were too many."""
        if self._chunks is None:
            return None
        data = b"".join(self._chunks)
        self.drop()
        return data


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it is kept. `body` is None where it was too large to keep."""

    method: str
    url: str
    path: str
    is_loopback: bool
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = b""
    size: int = 0
    is_whole: bool = True
    at_ms: int = 0
    removed: tuple[str, ...] = ()
    secrets: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")

    def with_body(self, body: bytes | None, size: int, *, is_whole: bool) -> "Asked":
        """Return the request with the body that was sent; its content coding is undone."""
        data, whole = _decoded(body, self.headers)
        return replace(self, body=data, size=size, is_whole=is_whole and whole)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer as it is kept. `status` is None where none came; `error` names what went wrong."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = b""
    size: int = 0
    end: End = End.WHOLE
    error: str | None = None

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - HTTP


def describe_request(method: str, url: str, headers: Iterable[tuple[str, str]], at_ms: int) -> Asked:
    """Return a request without its body: listed headers and query fields, and the names of the others.

    Refused, as `MalformedError`, is an address that is none.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        asked_query = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=_MAX_QUERY_FIELDS)
    except ValueError as err:
        message = "address does not parse"  # it may hold a key: it is not quoted
        raise MalformedError(message) from err
    kept, removed, secrets = _sorted_headers(headers)
    query = []
    for name, value in asked_query:
        if name in _ASKED_QUERY:
            query.append(f"{name}={value}")
        else:
            removed.append(f"query: {name}")
            secrets += [value]
    secrets += [value for value in (parts.username, parts.password) if value]
    netloc = f"[{host}]" if ":" in host else host
    netloc += f":{port}" if port is not None else ""
    return Asked(
        method=method.upper(),
        url=f"{parts.scheme}://{netloc}{parts.path}" + ("?" + "&".join(query) if query else ""),
        path=parts.path,
        is_loopback=is_loopback(host),
        headers=kept,
        at_ms=at_ms,
        removed=tuple(dict.fromkeys(removed)),
        secrets=tuple(
            value.encode("utf-8", "surrogateescape")
            for value in sorted(set(secrets), key=len, reverse=True)
            if len(value) >= _SHORTEST_SECRET
        ),
    )


def _sorted_headers(headers: Iterable[tuple[str, str]]) -> tuple[dict[str, str], list[str], list[str]]:
    """Sort headers into those that are kept, the names of the others, and the values of credentials."""
    kept: dict[str, str] = {}
    removed: list[str] = []
    secrets: list[str] = []
    for name, value in headers:
        lower = name.lower()
        if lower in _ASKED_HEADERS:
            kept[lower] = value[:_MAX_HEADER_CHARS]
        elif is_secret_name(lower) or "auth" in lower or lower.endswith("key"):
            removed.append(lower)
            # `Bearer …`, `Key …`, `a=…; b=…`: the credential is the last word of each piece.
            pieces = [piece.strip() for piece in value.split(";")]
            secrets += [value, *pieces, *(word for piece in pieces for word in piece.split()[-1:])]
            secrets += [piece.partition("=")[2] for piece in pieces if "cookie" in lower]
    return kept, removed, secrets


def describe_answer(
    asked: Asked,
    status: int | None,
    headers: Iterable[tuple[str, str]],
    copy: Copy,
    end: End,
    error: str | None = None,
    *,
    is_decoded: bool = False,
) -> Answered:
    """Return an answer as it is kept: decoded, and without the credentials of its request."""
    kept = {
        name.lower(): without_values(value.encode("utf-8", "replace"), asked.secrets).decode()[
            :_MAX_HEADER_CHARS
        ]
        for name, value in headers
        if name.lower() in _ANSWERED_HEADERS
    }
    size = copy.size
    body, is_whole = _decoded(copy.take(), {} if is_decoded else kept)
    if body is not None:
        body = without_values(body, asked.secrets)
    if not is_whole and end is End.WHOLE:
        end = End.BROKEN
    return Answered(status, kept, body, size, end, error)


def _decoded(body: bytes | None, headers: Mapping[str, str]) -> tuple[bytes | None, bool]:
    """Undo the content coding; what does not decode stays as it was, and is not whole."""
    encoding = headers.get("content-encoding", "")
    if body is None or not encoding:
        return body, True
    try:
        return decode_content(body, encoding)
    except MalformedError:
        return body, False


def is_loopback(host: str) -> bool:
    """Tell whether a host's name says that it is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
