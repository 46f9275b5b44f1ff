"""Transports for `httpx` and `httpx2`: they note what goes past, and the program gets every byte as it came.

Neither library is imported here: the one the wrapped transport comes from is used. The
response stays the library's own and only its stream is wrapped. A response made anew from
bytes that were read would be decoded twice, and would hold back events that come one by one.
"""

import copy
import sys
from collections.abc import AsyncIterator, Iterator
from functools import cache
from types import ModuleType, TracebackType
from typing import Any, Self

from makingof.live.call import Call
from makingof.live.calls import Calls
from makingof.live.exchange import End

LIBRARIES = ("httpx", "httpx2")
_CANCELLED = frozenset({"CancelledError", "Cancelled", "KeyboardInterrupt"})


def find_library(value: object) -> ModuleType | None:
    """Return the library one of whose classes `value` is, or None."""
    for kind in type(value).__mro__:
        name = kind.__module__.partition(".")[0]
        if name in LIBRARIES:
            return sys.modules.get(name)
    return None


def record_client(client: Any, calls: Calls) -> Any:
    """Wrap the transports `client` has, and return it.

    A client given a transport at its making would leave out the system's proxies.
    """
    client._transport = record_transport(client._transport, calls)  # noqa: SLF001 - no other way to it
    for pattern, transport in client._mounts.items():  # noqa: SLF001 - as above
        if transport is not None:
            client._mounts[pattern] = record_transport(transport, calls)  # noqa: SLF001 - as above
    return client


def record_transport(inner: Any, calls: Calls) -> Any:
    """Return a transport that passes everything to `inner`, or `inner` where it is one already."""
    if isinstance(inner, (_Transport, _AsyncTransport)):
        return inner
    library = find_library(inner)
    if library is None:
        message = f"{type(inner).__name__} is no transport of {' or '.join(LIBRARIES)}"
        raise TypeError(message)
    sync, asynchronous = _transports(library.__name__)
    return (sync if isinstance(inner, library.BaseTransport) else asynchronous)(inner, calls, library)


@cache
def _transports(name: str) -> tuple[type, type]:
    library = sys.modules[name]
    return (
        type("RecordingTransport", (_Transport, library.BaseTransport), {}),
        type("AsyncRecordingTransport", (_AsyncTransport, library.AsyncBaseTransport), {}),
    )


@cache
def _streams(name: str) -> tuple[type, type, type, type]:
    """Streams of the library: it refuses any other."""
    library = sys.modules[name]
    sync, asynchronous = library.SyncByteStream, library.AsyncByteStream
    return (
        type("NotedRequest", (_SentStream, sync), {}),
        type("NotedResponse", (_GotStream, sync), {}),
        type("AsyncNotedRequest", (_AsyncSentStream, asynchronous), {}),
        type("AsyncNotedResponse", (_AsyncGotStream, asynchronous), {}),
    )


def end_of(error: BaseException) -> End:
    """Say how an answer ended by what was raised."""
    names = {kind.__name__ for kind in type(error).__mro__}
    if isinstance(error, GeneratorExit):
        return End.LEFT
    if names & _CANCELLED:
        return End.CANCELLED
    return End.TIMED_OUT if any("Timeout" in name for name in names) else End.BROKEN


class _Noting:
    """What both transports do before and after."""

    def __init__(self, inner: Any, calls: Calls, library: ModuleType) -> None:
        self._inner = inner
        self._calls = calls
        self._library = library

    def __getattr__(self, name: str) -> Any:
        """Whatever else somebody looks for on a transport is the wrapped one's."""
        if name == "_inner":  # a copy that is just being made has nothing yet
            raise AttributeError(name)
        return getattr(self._inner, name)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return type(self)(copy.deepcopy(self._inner, memo), self._calls, self._library)

    def _begin(self, request: Any, sent_stream: int) -> tuple[Call, Any] | None:
        """Return a call for the request and, where its body is yet to come, the stream it had."""
        try:
            url = request.url
            parts = (url.scheme, url.host, url.port, url.path)
            call = self._calls.find(request.method, str(url), parts, request.headers.multi_items())
            if call is None:
                return None
            try:
                call.sent.add(request.content)
            except self._library.RequestNotRead:
                stream = request.stream
                request.stream = _streams(self._library.__name__)[sent_stream](stream, call)
                return call, stream
            call.finish_request()
        except Exception as err:  # noqa: BLE001 - said in the record; the program's request goes on
            self._calls.failed(err)
            return None
        return call, None

    def _note(self, response: Any, call: Call, got_stream: int) -> None:
        try:
            call.answer(response.status_code, response.headers.multi_items())
            if response.is_closed:  # read already: from a cache, or of a transport made for tests
                call.is_decoded = True
                call.note(response.content)
                call.finish(End.WHOLE)
            else:
                response.stream = _streams(self._library.__name__)[got_stream](response.stream, call)
        except Exception as err:  # noqa: BLE001 - said in the record; the program gets its response
            self._calls.failed(err)


def _give_back(request: Any, stream: Any) -> None:
    """Leave the program's request as it was: it may send it again."""
    if stream is not None and isinstance(request.stream, (_SentStream, _AsyncSentStream)):
        request.stream = stream


class _Transport(_Noting):
    def handle_request(self, request: Any) -> Any:
        begun = self._begin(request, 0)
        if begun is None:
            return self._inner.handle_request(request)
        call, stream = begun
        try:
            response = self._inner.handle_request(request)
        except BaseException as err:
            call.finish(end_of(err), err)
            raise
        finally:
            _give_back(request, stream)
        self._note(response, call, 1)
        return response

    def __enter__(self) -> Self:
        self._inner.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self._inner.__exit__(kind, error, traceback)

    def close(self) -> None:
        self._inner.close()


class _AsyncTransport(_Noting):
    async def handle_async_request(self, request: Any) -> Any:
        begun = self._begin(request, 2)
        if begun is None:
            return await self._inner.handle_async_request(request)
        call, stream = begun
        try:
            response = await self._inner.handle_async_request(request)
        except BaseException as err:
            call.finish(end_of(err), err)
            raise
        finally:
            _give_back(request, stream)
        self._note(response, call, 3)
        return response

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self._inner.__aexit__(kind, error, traceback)

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Stream:
    def __init__(self, inner: Any, call: Call) -> None:
        self._inner = inner
        self._call = call

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_inner"], name)


class _SentStream(_Stream):
    """A request's body on its way out; sent again by a transport inside, it says nothing."""

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._inner:
            self._call.note_sent(chunk)
            yield chunk
        self._call.finish_request()

    def close(self) -> None:
        self._inner.close()


class _AsyncSentStream(_Stream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._inner:
            self._call.note_sent(chunk)
            yield chunk
        self._call.finish_request()

    async def aclose(self) -> None:
        await self._inner.aclose()


class _GotStream(_Stream):
    """A response's body on its way in."""

    def __iter__(self) -> Iterator[bytes]:
        try:
            for chunk in self._inner:
                self._call.note(chunk)
                yield chunk
        except BaseException as err:
            self._call.finish(end_of(err), err)
            raise
        self._call.finish(End.WHOLE)

    def close(self) -> None:
        try:
            self._inner.close()
        finally:
            self._call.finish(End.LEFT)


class _AsyncGotStream(_Stream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._inner:
                self._call.note(chunk)
                yield chunk
        except BaseException as err:
            self._call.finish(end_of(err), err)
            raise
        self._call.finish(End.WHOLE)

    async def aclose(self) -> None:
        try:
            await self._inner.aclose()
        finally:
            self._call.finish(End.LEFT)
