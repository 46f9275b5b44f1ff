"""`record_calls`: one client of a program, from then on recorded."""

import sys
import threading
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

from makingof.errors import UsageError
from makingof.live.calls import Calls
from makingof.live.connection import find_connection
from makingof.live.services.known import Addresses
from makingof.live.sessions import record_session
from makingof.live.transports import find_library, record_client, record_transport

_LIBRARIES = ("httpx", "httpx2", "requests", "openai", "google-genai", "replicate", "fal-client")
_ClientT = TypeVar("_ClientT")
_shared: dict[str, Calls] = {}
_lock = threading.Lock()


def record_calls(
    client: _ClientT, *, archive: Path | str | None = None, services: Mapping[str, str] | None = None
) -> _ClientT:
    """Record from now on what `client` asks of hosted services of pictures; return the same client.

    `client` is a `Client` or `AsyncClient` of `httpx` or `httpx2`, one of their transports
    (then a transport around it is returned), or a `Session` of `requests`. `services` names
    further base addresses: `{"https://proxy.example/v1": "openai"}`. Requests to anybody
    else pass untouched. After this, nothing is raised into the program; what could not be
    recorded is a `gap`.

    Raises:
        UsageError: there is no archive, or `client` is none of these.
    """
    wrap = _find_wrap(client)
    if wrap is None:
        message = f"{type(client).__module__}.{type(client).__name__} is no client that can be recorded"
        raise UsageError(message, hint="give an httpx or httpx2 client or transport, or a requests session")
    calls = shared_calls(None if archive is None else Path(archive))
    calls.addresses.add(services or {})
    return wrap(client, calls)  # type: ignore[no-any-return]


def shared_calls(archive: Path | None = None) -> Calls:
    """Return what hears the calls of all clients of this program that are recorded in one archive."""
    connection = find_connection(archive)
    with _lock:
        if connection["id"] not in _shared:
            _shared[connection["id"]] = Calls(connection, Addresses(), _environment)
        return _shared[connection["id"]]


def _find_wrap(client: object) -> Any:
    library = find_library(client)
    if library is not None and isinstance(client, (library.Client, library.AsyncClient)):
        return record_client
    if library is not None and isinstance(client, (library.BaseTransport, library.AsyncBaseTransport)):
        return record_transport
    requests = sys.modules.get("requests")
    return record_session if requests is not None and isinstance(client, requests.Session) else None


def _environment() -> dict[str, Any]:
    found: dict[str, Any] = {"python": sys.version.split()[0], "platform": sys.platform}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
