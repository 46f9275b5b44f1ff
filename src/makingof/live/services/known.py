"""Which service an address belongs to: by its host, or because the program says so."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

from makingof.errors import UsageError
from makingof.live.services import fal, gemini, openai, replicate, stability
from makingof.live.services.said import Route, Service

SERVICES: Mapping[str, Service] = {
    module.NAME: cast("Service", cast("Any", module))
    for module in (fal, gemini, openai, replicate, stability)
}
_HOSTS = {
    "api.openai.com": "openai",
    "eu.api.openai.com": "openai",
    "us.api.openai.com": "openai",
    "generativelanguage.googleapis.com": "gemini",
    "aiplatform.googleapis.com": "gemini",
    "api.stability.ai": "stability",
    "api.replicate.com": "replicate",
    "fal.run": "fal",
    "queue.fal.run": "fal",
    "falrun.com": "fal",
    "queue.falrun.com": "fal",
}
_PATTERNS = (
    (re.compile(r"[a-z0-9-]{1,63}-aiplatform\.googleapis\.com"), "gemini"),
    (re.compile(r"[a-z0-9-]{1,63}\.openai\.azure\.com"), "openai"),
    (re.compile(r"[a-z0-9-]{1,63}\.services\.ai\.azure\.com"), "openai"),
)
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Known:
    """A request recognised: whose it is, and what it does."""

    service: Service
    route: Route


class Addresses:
    """The hosts known here, and base addresses a program names: of a proxy, a compatible service, a test."""

    def __init__(self) -> None:
        self._named: dict[tuple[str, int | None], list[tuple[str, Service]]] = {}

    def add(self, named: Mapping[str, str]) -> None:
        """Know base addresses by the name of their service; another name is a `UsageError`."""
        for address, name in named.items():
            if name not in SERVICES:
                message = f"{name!r} is not a service known here"
                raise UsageError(message, hint=f"one of {', '.join(SERVICES)}")
            parts = urlsplit(address)
            if not parts.hostname:
                message = f"{address!r} is not a base address"
                raise UsageError(
                    message, hint="write it as the client has it, as in https://proxy.example/v1"
                )
            place = (parts.hostname, parts.port or _PORTS.get(parts.scheme))
            self._named.setdefault(place, []).append((parts.path.rstrip("/"), SERVICES[name]))

    def find(self, method: str, host: str, port: int | None, scheme: str, path: str) -> Known | None:
        """Return what a request is, or None where it is nobody's or not about pictures."""
        for prefix, service in self._named.get((host, port or _PORTS.get(scheme)), ()):
            if path == prefix or path.startswith(prefix + "/"):
                # A base address may end in the version that paths of the service begin with.
                route = service.route(method, path) or service.route(method, path[len(prefix) :])
                return Known(service, route) if route else None
        found = self._service_of(host)
        route = None if found is None else found.route(method, path)
        return Known(found, route) if found is not None and route is not None else None

    @staticmethod
    def _service_of(host: str) -> Service | None:
        name = _HOSTS.get(host) or next(
            (name for pattern, name in _PATTERNS if pattern.fullmatch(host)), None
        )
        return SERVICES[name] if name else None
