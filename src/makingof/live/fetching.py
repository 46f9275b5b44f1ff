"""Fetching a picture from the address a service gave, before it expires: bounded, without any credential.

The address comes from a stranger's answer. Only HTTPS to the open internet is followed, and
the connection goes to the very address that was looked at, or an answer could make this
program ask machines of its own network. Where the service itself is on this machine, so
may the picture be.
"""

import http.client
import socket
import ssl
import time
import urllib.request
from ipaddress import ip_address
from urllib.parse import SplitResult, urljoin, urlsplit

import certifi

from makingof import __version__
from makingof.errors import UnavailableError
from makingof.live.exchange import is_loopback
from makingof.live.wire import MAX_DECODED_BYTES

FETCH_SECONDS = 30.0
MAX_FETCHED_BYTES = MAX_DECODED_BYTES
_CONNECT_SECONDS = 10.0
_MAX_REDIRECTS = 5
_CHUNK_BYTES = 1 << 18
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OK = 200
_HEADERS = {"User-Agent": f"makingof/{__version__}", "Accept": "*/*", "Accept-Encoding": "identity"}


def fetch(url: str, *, loopback: bool = False, seconds: float = FETCH_SECONDS) -> bytes:
    """Return the bytes at `url`; `loopback` allows this machine and plain HTTP on it.

    Raises:
        UnavailableError: it may not be followed, did not answer in time, or is too large.
    """
    deadline = time.monotonic() + seconds
    try:
        for _ in range(_MAX_REDIRECTS + 1):
            answer = _ask(url, loopback=loopback, deadline=deadline)
            if isinstance(answer, bytes):
                return answer
            url = urljoin(url, answer)
    except (OSError, ValueError, http.client.HTTPException) as err:
        # Not the address: its query is what lets anybody fetch the picture.
        message = f"picture could not be fetched: {type(err).__name__}"
        raise UnavailableError(message) from err
    message = f"picture lies behind more than {_MAX_REDIRECTS} redirects"
    raise UnavailableError(message)


def _ask(url: str, *, loopback: bool, deadline: float) -> bytes | str:
    """Ask once; return the bytes, or where a redirect leads."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    is_here = loopback and is_loopback(host)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_here):
        message = f"picture lies at a {parts.scheme or 'relative'} address"
        raise UnavailableError(message)
    connection = _connect(parts, host, is_here=is_here, deadline=deadline)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", target, headers=_HEADERS)
        response = connection.getresponse()
        if response.status in _REDIRECTS:
            return response.headers.get("location", "")
        if response.status != _OK:
            message = f"picture is answered with {response.status}"
            raise UnavailableError(message)
        return _read(response, connection, deadline)
    finally:
        connection.close()


def _read(
    response: http.client.HTTPResponse, connection: http.client.HTTPConnection, deadline: float
) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            message = "picture came too slowly"
            raise UnavailableError(message)
        if connection.sock is not None:
            connection.sock.settimeout(left)
        chunk = response.read1(_CHUNK_BYTES)
        if not chunk:
            break
        size += len(chunk)
        if size > MAX_FETCHED_BYTES:
            message = f"picture is larger than {MAX_FETCHED_BYTES} bytes"
            raise UnavailableError(message)
        chunks.append(chunk)
    if response.length:  # it said how much there would be
        message = "picture was cut off"
        raise UnavailableError(message)
    return b"".join(chunks)


def _connect(parts: SplitResult, host: str, *, is_here: bool, deadline: float) -> http.client.HTTPConnection:
    timeout = min(_CONNECT_SECONDS, max(0.1, deadline - time.monotonic()))
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if not is_here and (proxy := _proxy_for(host)):
        # The proxy looks the name up, and is trusted with that by whoever set it.
        _refuse_private_name(host)
        through = http.client.HTTPSConnection(proxy[0], proxy[1], timeout=timeout, context=_context())
        through.set_tunnel(host, port)
        return through
    address = _address_of(host, port, is_here=is_here)
    kind = _PinnedHTTPS if parts.scheme == "https" else _Pinned
    return kind(host, port, address, timeout)


def _proxy_for(host: str) -> tuple[str, int] | None:
    found = urllib.request.getproxies().get("https")
    if not found or urllib.request.proxy_bypass(host):
        return None
    parts = urlsplit(found if "://" in found else f"http://{found}")
    if parts.scheme != "http" or not parts.hostname or parts.username:
        message = f"a proxy by {parts.scheme} is not gone through"
        raise UnavailableError(message)
    return parts.hostname, parts.port or 80


def _refuse_private_name(host: str) -> None:
    try:
        address = ip_address(host)
    except ValueError:
        if is_loopback(host) or "." not in host:
            message = "picture lies at a name of this network"
            raise UnavailableError(message) from None
        return
    _refuse_private(str(address))


def _refuse_private(address: str) -> None:
    if not ip_address(address.partition("%")[0]).is_global:
        message = "picture lies at an address of a private network"
        raise UnavailableError(message)


def _address_of(host: str, port: int, *, is_here: bool) -> str:
    """Look the name up once; every address it has must be open to the world, or of this machine."""
    found = [str(item[4][0]) for item in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for address in found:
        if is_here:
            if not is_loopback(address):
                message = "picture lies at a name that only says it is this machine"
                raise UnavailableError(message)
        else:
            _refuse_private(address)
    return found[0]


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


class _Pinned(http.client.HTTPConnection):
    """Connects to an address already looked at, whatever the name says a moment later."""

    def __init__(self, host: str, port: int, address: str, timeout: float) -> None:
        super().__init__(host, port, timeout=timeout)
        self._address = address

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), self.timeout)


class _PinnedHTTPS(_Pinned):
    """The same, and the name is checked against the certificate."""

    default_port = http.client.HTTPS_PORT

    def connect(self) -> None:
        super().connect()
        self.sock = _context().wrap_socket(self.sock, server_hostname=self.host)
