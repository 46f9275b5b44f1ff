"""Full digests of model files: taken once, in the background, and remembered by size and time."""

import contextlib
import hashlib
import json
import os
import queue
import threading
from pathlib import Path
from typing import Any

_READ_BYTES = 1 << 22


class Weights:
    """Hashes files in a thread of low priority."""

    def __init__(self, remembered: Path) -> None:
        self._remembered = remembered
        self._digests: dict[str, str] = {}
        self._asked: set[str] = set()
        self._work: queue.SimpleQueue[tuple[str, Path]] = queue.SimpleQueue()
        self._changed = threading.Condition()
        with contextlib.suppress(OSError, ValueError):  # a first run, or a damaged list
            self._digests = dict(json.loads(remembered.read_text(encoding="utf-8")))
        threading.Thread(target=self._run, name="makingof-weights", daemon=True).start()

    def ask(self, path: Path) -> None:
        """Have a file hashed if it was not."""
        key = _key(path)
        if key is not None and key not in self._digests and key not in self._asked:
            self._asked.add(key)
            self._work.put((key, path))

    def facts(self, path: Path) -> dict[str, Any]:
        """Say what is known of a file now; a digest still being taken is said to be so."""
        key = _key(path)
        if key is None:
            return {"name": path.name, "state": "vanished"}
        _, size, _ = key.rsplit("|", 2)
        digest = self._digests.get(key)
        state = {"sha256": digest} if digest else {"state": "being hashed"}
        return {"name": path.name, "size": int(size), **state}

    def wait(self, paths: "list[Path]", seconds: float) -> None:
        """Wait for digests that are being taken, so long and no longer."""
        keys = {key for path in paths if (key := _key(path))}
        with self._changed:
            self._changed.wait_for(lambda: keys.isdisjoint(self._asked), seconds)

    def _run(self) -> None:
        with contextlib.suppress(Exception):  # not on every system
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
        while True:
            key, path = self._work.get()
            digest = None
            with contextlib.suppress(OSError):  # gone meanwhile: `facts` says so
                digest = _digest(path)
            with self._changed:
                self._asked.discard(key)
                # A file that changed while it was read has a digest of nothing.
                if digest is not None and _key(path) == key:
                    self._digests[key] = digest
                self._changed.notify_all()
            with contextlib.suppress(OSError):  # the next run hashes again
                self._remembered.write_text(json.dumps(self._digests), encoding="utf-8")


def _key(path: Path) -> "str | None":
    try:
        found = path.stat()
    except OSError:
        return None
    return f"{path}|{found.st_size}|{found.st_mtime_ns}"


def _digest(path: Path) -> str:
    state = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_READ_BYTES):
            state.update(chunk)
    return state.hexdigest()
