"""Pictures as the host has them: a file it has just written, or an image in its memory.

A file is held open from the moment the host told of it, so that moving, deleting or
replacing it afterwards changes nothing of what is recorded. Where a system would then
keep the host from doing so (Windows), its identity is remembered instead. An image that
was not saved is copied in memory there and then, for others go on to draw on it.
"""

import contextlib
import hashlib
import io
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

State = tuple[int, int, int]

MAX_COPY_PIXELS = 16 << 20  # some ten milliseconds; what is larger is kept by reference
MAX_PENDING_PIXELS = 64 << 20
MAX_HANDLES = 64
MAX_ENCODED_PIXELS = 128 << 20
_MAX_SUFFIX = 10_000
_KEPT_INFO_CHARS = 1 << 20

# What the host writes after a name for what is no result of its own; longest first.
_SUFFIXES = (
    ("-before-highres-fix", "preview"),
    ("-before-face-restoration", "preview"),
    ("-before-color-correction", "preview"),
    ("-mask-composite", "preview"),
    ("-ad-before", "preview"),
    ("-ad-preview", "preview"),
    ("-init-image", "init"),
    ("-mask", "mask"),
)


@dataclass(eq=False)
class Picture:
    """One picture of a job. `image` is the host's own object, or a copy of one it did not save."""

    image: Any
    role: str = "output"
    what: str = ""  # what the host calls it where it is no plain result
    number: "int | None" = None
    infotext: "str | None" = None
    path: "Path | None" = None
    state: "State | None" = None
    handle: Any = None
    by_reference: bool = False

    def content(self) -> "dict[str, Any]":
        """Return what to hand over: the file as the host wrote it, else the image, encoded by us."""
        if self.handle is not None and _handle_state(self.handle) == self.state:
            return {"handle": self.handle}
        if self.handle is None and self.state is not None and state_of(self.path) == self.state:
            return {"path": self.path}
        return {"bytes": encode(self.image)}

    def close(self) -> None:
        """Let go of the file and the image."""
        if self.handle is not None:
            self.handle.close()
            _handles.release()
            self.handle = None
        self.image = None


_handles = threading.BoundedSemaphore(MAX_HANDLES)


def hold(image: Any, path: Path, infotext: "str | None") -> Picture:
    """Return the picture the host has just written at `path`."""
    picture = Picture(image, infotext=infotext, path=path)
    picture.role, picture.what = role_of_name(path)
    if sys.platform != "win32" and _handles.acquire(blocking=False):
        try:
            picture.handle = path.open("rb")
            picture.state = _handle_state(picture.handle)
        except OSError:
            _handles.release()
    else:
        picture.state = state_of(path)
    return picture


def role_of_name(path: Path) -> "tuple[str, str]":
    """Tell an intermediate or a mask by the end of its name; a number may follow where the name was taken."""
    stem = path.stem.rstrip("0123456789").removesuffix("-") if path.stem[-1:].isdigit() else path.stem
    for name in (path.stem, stem):
        for suffix, role in _SUFFIXES:
            if name.endswith(suffix):
                return role, suffix[1:]
    return "output", ""


def name_written(image: Any, named: Path) -> Path:
    """Return what the host says it called the file it meant to write as `named`.

    It notes that on the image. An image that was saved before, elsewhere, may still say so.
    """
    said = getattr(image, "already_saved_as", None)
    path = Path(said) if isinstance(said, str) else named
    return path if path.parent == named.parent and path.stem.startswith(named.stem) else named


def find_written(named: Path, before: "State | None") -> Path:
    """Return the file the host wrote when it meant to write `named`, which stood as `before`.

    Some versions add `-1`, `-2` where a name is taken and do not say so. Then the file
    under the name is still the one that was there before.
    """
    if before is None or state_of(named) != before:
        return named
    states = {path: state for path in _numbered(named) if (state := state_of(path)) is not None}
    return max(states, key=lambda path: states[path][2], default=named)


def _numbered(named: Path) -> Iterator[Path]:
    for number in range(1, _MAX_SUFFIX):
        path = named.with_name(f"{named.stem}-{number}{named.suffix}")
        if not path.exists():
            return
        yield path


def state_of(path: "Path | None") -> "State | None":
    """Return what tells a file from another under its name later: which file, its size, its time."""
    try:
        found = path.stat() if path is not None else None
    except OSError:
        return None
    return None if found is None else (found.st_ino, found.st_size, found.st_mtime_ns)


def _handle_state(handle: Any) -> "State | None":
    try:
        found = os.fstat(handle.fileno())
    except (OSError, ValueError):
        return None
    return (found.st_ino, found.st_size, found.st_mtime_ns)


def digest_of(content: "dict[str, Any]") -> str:
    """Return the digest of what would be handed over."""
    if "bytes" in content:
        return "sha256:" + hashlib.sha256(content["bytes"]).hexdigest()
    state = hashlib.sha256()
    with contextlib.ExitStack() as opened:
        stream = content.get("handle") or opened.enter_context(content["path"].open("rb"))
        stream.seek(0)
        while chunk := stream.read(1 << 20):
            state.update(chunk)
    return "sha256:" + state.hexdigest()


class Copies:
    """Copies of images that wait to be encoded, so many pixels and no more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending = 0

    def take(self, image: Any) -> Picture:
        """Copy `image` now, or keep it by reference where it is too large or too much waits."""
        pixels = _pixels(image)
        with self._lock:
            fits = pixels <= MAX_COPY_PIXELS and self._pending + pixels <= MAX_PENDING_PIXELS
            if fits:
                self._pending += pixels
        if not fits:
            return Picture(image, infotext=text_of(image), by_reference=True)
        return Picture(image.copy(), infotext=text_of(image))

    def let_go(self, picture: Picture) -> None:
        """Make room again for what `take` copied."""
        if not picture.by_reference:
            with self._lock:
                self._pending = max(0, self._pending - _pixels(picture.image))


def is_image(image: Any) -> bool:
    """Whether this is an image as PIL has them; a few scripts put other things among the results."""
    size = getattr(image, "size", None)
    is_sized = isinstance(size, tuple) and len(size) == 2 and all(isinstance(side, int) for side in size)  # noqa: PLR2004
    return is_sized and callable(getattr(image, "copy", None)) and callable(getattr(image, "save", None))


def text_of(image: Any) -> "str | None":
    """Return the text the host wrote into an image's own information."""
    info = getattr(image, "info", None)
    text = info.get("parameters") if isinstance(info, dict) else None
    return text if isinstance(text, str) else None


def encode(image: Any) -> bytes:
    """Encode an image as PNG, fast and without loss, with the texts it carries as the host would write them.

    An image too large for that raises `ValueError`.
    """
    if _pixels(image) > MAX_ENCODED_PIXELS:
        message = f"an image of {image.size} is too large to be encoded beside the host"
        raise ValueError(message)
    buffer, texts = io.BytesIO(), _texts(image)
    try:
        image.save(buffer, "PNG", compress_level=1, pnginfo=texts)
    except (OSError, ValueError):  # a mode that PNG has not
        buffer = io.BytesIO()
        image.convert("RGBA" if "A" in image.getbands() else "RGB").save(
            buffer, "PNG", compress_level=1, pnginfo=texts
        )
    return buffer.getvalue()


def _texts(image: Any) -> Any:
    written = sys.modules["PIL.PngImagePlugin"].PngInfo()
    for name, text in dict(getattr(image, "info", None) or {}).items():
        if isinstance(name, str) and isinstance(text, str) and len(text) <= _KEPT_INFO_CHARS:
            written.add_text(name, text)
    return written


def _pixels(image: Any) -> int:
    width, height = getattr(image, "size", None) or (0, 0)
    return int(width) * int(height)
