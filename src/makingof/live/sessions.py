"""An adapter for `requests`: it notes what goes past, and the program gets the response as it was made.

The response and its `raw` stay the library's own objects. Reading is noted where the
program reads, in the pieces and at the moment it does.
"""

import copy
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from makingof.live.call import Call
from makingof.live.calls import Calls
from makingof.live.exchange import End
from makingof.live.transports import end_of


def record_session(session: Any, calls: Calls) -> Any:
    """Put an adapter of ours around each that `session` has, and return it."""
    for prefix, inner in list(session.adapters.items()):
        if not isinstance(inner, _Adapter):
            session.adapters[prefix] = _adapter_class()(inner, calls)
    return session


@cache
def _adapter_class() -> type:
    return type("RecordingAdapter", (_Adapter, import_module("requests.adapters").BaseAdapter), {})


class _Adapter:
    def __init__(self, inner: Any, calls: Calls) -> None:
        self._inner = inner
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        """Whatever else somebody looks for on an adapter is the wrapped one's."""
        if name == "_inner":  # of one that is not made yet
            raise AttributeError(name)
        return getattr(self._inner, name)

    def __reduce__(self) -> Any:
        """Go to another process as the wrapped adapter: what hears the calls stays in this one."""
        return _same, (self._inner,)

    def __copy__(self) -> Any:
        return type(self)(self._inner, self._calls)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return type(self)(copy.deepcopy(self._inner, memo), self._calls)

    def send(self, request: Any, *arguments: Any, **settings: Any) -> Any:
        begun = self._begin(request)
        if begun is None:
            return self._inner.send(request, *arguments, **settings)
        call, body = begun
        try:
            response = self._inner.send(request, *arguments, **settings)
        except BaseException as err:
            call.finish(end_of(err), err)
            raise
        finally:
            if isinstance(request.body, _SentBody):  # the program may send it again
                request.body = body
        try:
            call.answer(response.status_code, list(response.headers.items()))
            _note_reading(response, call)
        except Exception as err:  # noqa: BLE001 - said in the record; the program gets its response
            self._calls.failed(err)
        return response

    def close(self) -> None:
        self._inner.close()

    def _begin(self, request: Any) -> tuple[Call, Any] | None:
        try:
            parts = urlsplit(request.url)
            place = (parts.scheme, parts.hostname or "", parts.port, parts.path)
            call = self._calls.find(request.method, request.url, place, list(request.headers.items()))
            if call is None:
                return None
            body = request.body
            whole = None if hasattr(body, "read") else _bytes_of("" if body is None else body)
            if whole is not None:
                call.sent.add(whole)
                call.finish_request()
            else:
                request.body = (_ReadBody if hasattr(body, "read") else _SentBody)(body, call)
        except Exception as err:  # noqa: BLE001 - said in the record; the program's request goes on
            self._calls.failed(err)
            return None
        return call, body


class _SentBody:
    """A body that is iterated over as it is sent."""

    def __init__(self, inner: Any, call: Call) -> None:
        self._inner = inner
        self._call = call

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_inner"], name)

    def __iter__(self) -> Iterator[Any]:
        for chunk in self._inner:
            self._noted(chunk)
            yield chunk
        self._call.finish_request()

    def _noted(self, chunk: Any) -> None:
        if (data := _bytes_of(chunk)) is not None:
            self._call.note_sent(data)


class _ReadBody(_SentBody):
    """A body that is read as it is sent."""

    def read(self, *arguments: Any) -> Any:
        chunk = self._inner.read(*arguments)
        if chunk:
            self._noted(chunk)
        else:
            self._call.finish_request()
        return chunk


def _same(adapter: Any) -> Any:
    return adapter


def _bytes_of(value: Any) -> Any:
    """Return the bytes of text, or a view of whatever holds bytes, which `requests` sends too; else None."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    try:
        return memoryview(value).cast("B")
    except TypeError:  # no bytes, or not in one piece
        return None


def _note_reading(response: Any, call: Call) -> None:
    """Note what is read from the response's `raw`, by whichever of its ways."""
    raw = response.raw
    if getattr(response, "_content_consumed", False):  # read already: of an adapter that made it up
        call.is_decoded = True
        call.note(response.content)
        call.finish(End.WHOLE)
        return
    reading = _Reading(raw, call)
    for name in ("read", "read1", "read_chunked", "close", "release_conn"):
        if hasattr(raw, name):
            setattr(raw, name, reading.around(name, getattr(raw, name)))


class _Reading:
    """Goes around the methods of one `raw`. They call each other; what they read is noted once."""

    def __init__(self, raw: Any, call: Call) -> None:
        self._raw = raw
        self._call = call
        self._is_inside = False

    def around(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        if name == "read_chunked":
            return lambda *arguments, **settings: self._iterate(method, arguments, settings)
        if name in ("close", "release_conn"):
            return lambda *arguments, **settings: self._leave(method, arguments, settings)
        return lambda *arguments, **settings: self._read(method, arguments, settings)

    def _read(self, method: Callable[..., Any], arguments: Any, settings: Any) -> Any:
        if self._is_inside:
            return method(*arguments, **settings)
        try:
            data = self._inside(method, *arguments, **settings)
        except BaseException as err:
            self._call.finish(end_of(err), err)
            raise
        self._noted(data, arguments, settings)
        amount = arguments[0] if arguments else settings.get("amt")
        if amount is None or (not data and amount != 0) or self._raw.closed:
            self._call.finish(End.WHOLE)
        return data

    def _iterate(self, method: Callable[..., Any], arguments: Any, settings: Any) -> Iterator[Any]:
        chunks = method(*arguments, **settings)
        try:
            while (chunk := self._inside(next, chunks, None)) is not None:
                self._noted(chunk, arguments, settings)
                yield chunk
        except BaseException as err:
            self._call.finish(end_of(err), err)
            raise
        self._call.finish(End.WHOLE)

    def _inside(self, act: Callable[..., Any], *arguments: Any, **settings: Any) -> Any:
        self._is_inside = True
        try:
            return act(*arguments, **settings)
        finally:
            self._is_inside = False

    def _leave(self, method: Callable[..., Any], arguments: Any, settings: Any) -> Any:
        try:
            return method(*arguments, **settings)
        finally:
            if not self._is_inside:
                self._call.finish(End.LEFT)

    def _noted(self, data: Any, arguments: Any, settings: Any) -> None:
        decode = arguments[1] if len(arguments) > 1 else settings.get("decode_content")
        if decode if decode is not None else getattr(self._raw, "decode_content", False):
            self._call.is_decoded = True
        if isinstance(data, bytes):
            self._call.note(data)
