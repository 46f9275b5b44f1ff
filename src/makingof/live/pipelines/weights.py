"""Full digests of the files components were loaded from: taken once, in the background, and remembered.

The digest is that of the file as it lies there now. That it is the one in memory nobody
can tell afterwards; its time of change is said beside it.
"""

import json
import os
import queue
import sys
import threading
from contextlib import suppress
from pathlib import Path

from makingof import durable
from makingof.config import environment, state_path
from makingof.digest import Digest
from makingof.errors import MakingofError
from makingof.spool.carried import Json

WEIGHTS = frozenset({".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".gguf", ".onnx", ".msgpack"})
MAX_FILES = 64
_MAX_REMEMBERED = 10_000
_NICENESS = 10

Key = tuple[str, int, int]  # path, size, time of change


class Weights:
    """Hashes files in a thread of low priority; `remembered` keeps digests from one run to the next."""

    def __init__(self, remembered: Path) -> None:
        self._remembered = remembered
        self._digests: dict[Key, str] = {}
        self._asked: set[Key] = set()
        self._work: queue.SimpleQueue[Key] = queue.SimpleQueue()
        self._changed = threading.Condition()
        self._has_waited = False
        self._thread: threading.Thread | None = None
        with suppress(OSError, ValueError, TypeError):  # a first run, or a damaged list: they are taken anew
            for path, size, changed, digest in json.loads(remembered.read_bytes()):
                self._digests[str(path), int(size), int(changed)] = str(digest)

    def ask(self, paths: list[Path]) -> None:
        """Have files hashed that were not yet."""
        with self._changed:
            for key in filter(None, map(_key, paths)):
                if key not in self._digests and key not in self._asked:
                    self._asked.add(key)
                    self._work.put(key)
            if self._asked and (
                self._thread is None or not self._thread.is_alive()
            ):  # a forked child has none
                self._thread = threading.Thread(target=self._run, name="makingof-weights", daemon=True)
                self._thread.start()

    def wait_once(self, seconds: float) -> None:
        """Wait until nothing is being hashed, so long and no longer, and never a second time.

        So that a short program's only picture has its digests, and a long one is not held up.
        """
        with self._changed:
            if not self._has_waited:
                self._has_waited = True
                self._changed.wait_for(lambda: not self._asked, seconds)

    def facts(self, path: Path) -> Json:
        """Say what is known of a file now; that its digest is still being taken is said too."""
        key = _key(path)
        if key is None:
            return {"name": path.name, "state": "vanished"}
        with self._changed:
            digest, is_asked = self._digests.get(key), key in self._asked
        known = {"sha256": digest} if digest else {"state": "being hashed" if is_asked else "unreadable"}
        return {"name": path.name, "size": key[1], **known}

    def _run(self) -> None:
        with suppress(OSError, AttributeError):  # not on every system; then it is no slower than the rest
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
        while True:
            key = self._work.get()
            digest = _digest(Path(key[0]))
            with self._changed:
                self._asked.discard(key)
                # A file that changed while it was read has a digest of nothing.
                if digest is not None and _key(Path(key[0])) == key:
                    self._digests[key] = digest
                is_idle = not self._asked
                self._changed.notify_all()
            if is_idle:
                self._keep()

    def _keep(self) -> None:
        with self._changed:
            rows = [[*key, digest] for key, digest in list(self._digests.items())[-_MAX_REMEMBERED:]]
        try:
            durable.make_folders(self._remembered.parent)
            durable.replace(self._remembered, json.dumps(rows).encode("utf-8", "surrogatepass"))
        except (OSError, MakingofError) as err:
            sys.stderr.write(f"makingof: digests of weights are not remembered: {err}\n")


def open_weights() -> Weights:
    """Return the digests this user's programs remember."""
    return Weights(state_path(environment()) / "weights.json")


def files_of(path: Path) -> list[Path]:
    """Return the files of a component: those of its folder, or the one file it is; weights first."""
    try:
        files = [path] if path.is_file() else [item for item in path.iterdir() if item.is_file()]
    except OSError:
        return []
    return sorted(files, key=lambda file: (file.suffix not in WEIGHTS, file.name))[:MAX_FILES]


def _key(path: Path) -> Key | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (str(path), found.st_size, found.st_mtime_ns)


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as stream:
            return Digest.of_file(stream)[0].hex
    except OSError:
        return None
