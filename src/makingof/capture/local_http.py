"""Asking a program on this machine over HTTP; nothing here reaches any other machine."""

import http.client
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from makingof.errors import SourceError, UsageError
from makingof.texts import say

_TIMEOUT_SECONDS = 10.0
_MAX_BYTES = 256 << 20
_NOT_LET_IN = frozenset({http.client.UNAUTHORIZED, http.client.FORBIDDEN})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class LocalHost:
    """A program that listens on the loopback interface; `token` is for those that know several users."""

    host: str
    port: int
    token: str | None = field(default=None, repr=False, compare=False)

    @classmethod
    def parse(cls, url: str, token: str | None = None) -> "LocalHost":
        """Read an address like `http://127.0.0.1:8188`; another machine's is a `UsageError`."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as err:
            raise UsageError(say("recording.bad_url", url=url)) from err
        if parts.scheme != "http" or parts.hostname not in _LOOPBACK or port is None:
            raise UsageError(say("recording.bad_url", url=url), hint=say("recording.bad_url_hint"))
        return cls(parts.hostname, port, token or None)

    def ask(self, path: str, question: object = None) -> Any:
        """Return what `path` answers as JSON; anything else is a `SourceError`.

        A `question` is sent along as JSON, for hosts that take long ones no other way.
        """
        try:
            return json.loads(self._get(path, question))
        except (OSError, http.client.HTTPException) as err:
            raise SourceError(
                say("recording.no_answer", url=self.url, reason=str(err) or type(err).__name__)
            ) from err
        except (ValueError, RecursionError) as err:
            raise SourceError(say("recording.no_answer", url=self.url, reason="not JSON")) from err

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def _get(self, path: str, question: object) -> bytes:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=_TIMEOUT_SECONDS)
        headers = {"User-Agent": "makingof", "Accept": "application/json"}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            if question is None:
                connection.request("GET", path, headers=headers)
            else:
                headers["Content-Type"] = "application/json"
                connection.request("POST", path, json.dumps(question).encode(), headers)
            with connection.getresponse() as response:
                data = response.read(_MAX_BYTES + 1)
        finally:
            connection.close()
        if response.status in _NOT_LET_IN:
            raise SourceError(
                say("recording.not_let_in", url=self.url), hint=say("recording.not_let_in_hint")
            )
        if response.status != http.client.OK or len(data) > _MAX_BYTES:
            message = f"status {response.status}, {len(data)} bytes"
            raise http.client.HTTPException(message)
        return data
