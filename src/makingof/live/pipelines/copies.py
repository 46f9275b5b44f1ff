"""Copies of what a call is given and gives, so that the program may change its own a moment later.

Copied in the program's thread, spelled and written in the journal's. Pictures, arrays and
tensors are known by what they can do, not by their class: no library is imported here.
"""

import math
import sys
import threading
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from makingof.digest import Digest
from makingof.part import escaped

MAX_WAITING_BYTES = 1 << 30
MAX_TEXT = 20_000
_MAX_ITEMS = 1_024  # of one argument, at all depths together
_MAX_DEPTH = 4


class Room:
    """The memory that copies may take while they wait to be written: a slow disk must not fill it."""

    def __init__(self, most_bytes: int = MAX_WAITING_BYTES) -> None:
        self._free = most_bytes
        self._lock = threading.Lock()

    def take(self, size_bytes: int, owner: object) -> bool:
        """Set `size_bytes` aside for as long as `owner` lives; tell whether there was room."""
        with self._lock:
            if size_bytes > self._free:
                return False
            self._free -= size_bytes
        weakref.finalize(owner, self._give_back, size_bytes).atexit = False
        return True

    def _give_back(self, size_bytes: int) -> None:
        with self._lock:
            self._free += size_bytes


@dataclass(slots=True, weakref_slot=True)
class Picture:
    """A picture of Pillow's; `image` is our own copy, or None where there was no room for one."""

    size: tuple[int, int]
    mode: str
    image: Any = None

    def __str__(self) -> str:
        return f"picture {self.mode} {self.size[0]}x{self.size[1]}"


@dataclass(slots=True, weakref_slot=True)
class Array:
    """An array or tensor; `values` is our own copy in the machine's memory, or None without room."""

    dtype: str
    shape: tuple[int, ...]
    device: str
    values: Any = None

    def to_bytes(self) -> bytes:
        """Return the elements row by row, in the machine's own byte order."""
        if hasattr(self.values, "detach"):
            flat = self.values.contiguous().reshape(-1)
            return bytes(flat.view(sys.modules["torch"].uint8).numpy().tobytes())
        return bytes(self.values.tobytes())

    def __str__(self) -> str:
        digest = "not kept" if self.values is None else Digest.of(self.to_bytes())
        where = "" if self.device == "cpu" else f" on {self.device}"
        return f"{self.dtype}{list(self.shape)}{where} {digest}"


@dataclass(frozen=True, slots=True)
class Named:
    """What has no spelling of its own: a function, an object of the program's."""

    name: str

    def __str__(self) -> str:
        return self.name


def copy_of(value: Any, room: Room) -> Any:
    """Return `value` as plain values, lists, dictionaries, the copies above; long ones are cut."""
    return _copy(value, room, 0, iter(range(_MAX_ITEMS)))


def _copy(value: Any, room: Room, depth: int, left: Iterator[int]) -> Any:
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if is_picture(value):
        return _copy_picture(value, room)
    if is_array(value):
        return _copy_array(value, room)
    if depth < _MAX_DEPTH and isinstance(value, (list, tuple, set, frozenset)):
        items = [_copy(item, room, depth + 1, left) for item, _ in zip(value, left, strict=False)]
        return items if len(items) == len(value) else [*items, Named(f"cut: {len(value)} items")]
    if depth < _MAX_DEPTH and isinstance(value, Mapping):
        pairs = zip(value.items(), left, strict=False)
        return {str(name): _copy(item, room, depth + 1, left) for (name, item), _ in pairs}
    return Named(_name_of(value))


def copies_of(values: Mapping[str, Any], room: Room) -> dict[str, Any]:
    """Return copies by name; for a value that cannot be copied, its class and why."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        try:
            found[name] = copy_of(value, room)
        except Exception as err:  # noqa: BLE001 - an object of the program's own may raise anything when looked at
            found[name] = Named(f"{_name_of(value)}, unreadable: {type(err).__name__}: {err}")
    return found


def is_picture(value: Any) -> bool:
    """Tell whether `value` is a picture of Pillow's."""
    return all(hasattr(value, name) for name in ("mode", "getbands", "copy", "tobytes"))


def is_array(value: Any) -> bool:
    """Tell whether `value` is an array of numpy's kind or a tensor of torch's."""
    return hasattr(value, "shape") and hasattr(value, "dtype") and hasattr(value, "reshape")


def plain(value: Any) -> Any:
    """Spell a fact: text, whole numbers, truth values, lists and objects; anything else is its text."""
    if isinstance(value, Mapping):
        return {escaped(str(name)): plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if type(value) is int and abs(value) < 1 << 53:
        return value
    return escaped(str(value))[:MAX_TEXT]


def _copy_picture(value: Any, room: Room) -> Picture:
    size = (int(value.size[0]), int(value.size[1]))
    size_bytes = math.prod(size) * len(value.getbands())
    kept = Picture(size, str(value.mode))
    if room.take(size_bytes, kept):
        kept.image = value.copy()
    return kept


def _copy_array(value: Any, room: Room) -> Array:
    shape = tuple(int(number) for number in value.shape)
    is_tensor = hasattr(value, "detach")
    dtype = str(value.dtype).removeprefix("torch.")
    device = str(getattr(value, "device", "cpu")) if is_tensor else "cpu"
    kept = Array(dtype, shape, device)
    if room.take(int(getattr(value, "nbytes", 0)), kept):
        kept.values = value.detach().to("cpu", copy=True) if is_tensor else value.copy()
    return kept


def _name_of(value: Any) -> str:
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{type(value).__name__} {value.__qualname__}"
    return f"object {type(value).__module__}.{type(value).__qualname__}"
