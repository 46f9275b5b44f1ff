"""Listening to the calls of one object.

Python looks `__call__` up on the class, so `pipe(...)` cannot be listened to on the
object: for as long as somebody listens, the class has a wrapper that lets the calls of
all other objects through.
"""

import functools
import inspect
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from makingof.errors import UsageError

Inner = Callable[..., Any]
Around = Callable[[Inner, tuple[Any, ...], Mapping[str, Any]], Any]

_CALL = "__call__"
_lock = threading.Lock()
_swaps: dict[type, "_Swap"] = {}
_running = threading.local()


@contextmanager
def listen_to_calls(target: object, around: Around) -> Iterator[None]:
    """While the block runs, calls of `target` go through `around`, those of no other object do.

    `around(call, args, kwargs)` gives what `call(*args, **kwargs)` gives, and raises what
    it raises. Of several that listen to one object, the last to come hears it. Whoever
    swapped `__call__` meanwhile keeps what they put there: our wrapper, wherever it is
    still held, then only passes on.

    Raises:
        UsageError: calls of this object cannot be listened to.
    """
    owner = type(target)
    with _lock:
        swap = _swaps.get(owner) or _put(owner)
        listeners = swap.listeners.get(id(target), ())
        swap.listeners[id(target)] = (*listeners, (target, around))
    try:
        yield
    finally:
        with _lock:
            left = [item for item in swap.listeners[id(target)] if item[1] is not around]
            swap.listeners[id(target)] = tuple(left)
            if not left:
                del swap.listeners[id(target)]
            if not swap.listeners:
                _take_away(swap)


def call_heard(target: object, around: Around, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Call `target` through `around` alone: whoever listens to it does not hear this call as well."""
    stack = _stack()
    stack.append((id(target), _Swap))
    try:
        return around(functools.partial(getattr(type(target), _CALL), target), args, kwargs)
    finally:
        stack.pop()


def running_calls() -> int:
    """Return how many calls that are listened to run in this thread, one inside the other."""
    return len(_stack())


class _Swap:
    """The wrapper on one class. It keeps the objects it listens to alive, so that an id is not another's."""

    def __init__(self, owner: type) -> None:
        self.owner = owner
        self.before = owner.__dict__.get(_CALL)  # None: the class inherits it
        self.listeners: dict[int, tuple[tuple[object, Around], ...]] = {}
        self.wrapper = self._wrap(getattr(owner, _CALL))

    def _wrap(self, inner: Inner) -> Inner:
        listeners, owner = self.listeners, self.owner

        @functools.wraps(inner)
        def __call__(target: object, /, *args: Any, **kwargs: Any) -> Any:  # noqa: N807 - it stands for one
            heard = listeners.get(id(target))
            if not heard or _is_from_below(target, owner):
                return inner(target, *args, **kwargs)
            stack = _stack()
            stack.append((id(target), owner))
            try:
                return heard[-1][1](functools.partial(inner, target), args, kwargs)
            finally:
                stack.pop()

        return __call__


def _put(owner: type) -> _Swap:
    swap = _Swap(owner)
    try:
        setattr(owner, _CALL, swap.wrapper)
    except (TypeError, AttributeError) as err:
        message = f"calls of {owner.__name__} objects cannot be listened to"
        raise UsageError(message) from err
    _swaps[owner] = swap
    return swap


def _take_away(swap: _Swap) -> None:
    del _swaps[swap.owner]
    if swap.owner.__dict__.get(_CALL) is not swap.wrapper:
        return  # somebody wrapped it since: theirs stays, and ours inside it passes on
    if swap.before is None:
        delattr(swap.owner, _CALL)
    else:
        setattr(swap.owner, _CALL, swap.before)


def _is_from_below(target: object, owner: type) -> bool:
    """Tell a subclass's `super().__call__()`, part of a call already heard, from a call inside a call."""
    last = next((item for item in reversed(_stack()) if item[0] == id(target)), None)
    return last is not None and last[1] is not owner


def _stack() -> list[tuple[int, type]]:
    found: list[tuple[int, type]] | None = getattr(_running, "stack", None)
    if found is None:
        found = _running.stack = []
    return found


def require_callable(target: object) -> None:
    """Refuse, as a `UsageError`, what cannot be called."""
    if _CALL not in dir(type(target)):
        message = f"{type(target).__name__} object cannot be called"
        raise UsageError(message)


def find_signature(target: object) -> inspect.Signature | None:
    """Return the signature of `target`'s calls without `self`, or None where Python cannot tell."""
    try:
        found = inspect.signature(getattr(type(target), _CALL))
    except (TypeError, ValueError):
        return None
    return found.replace(parameters=list(found.parameters.values())[1:])
