"""The hook's side of docs/spec/observation.md: hand over what was seen, durably, and disturb nobody.

Copied beside every hook by `makingof connect`, so it runs inside programs that do
not know makingof: Python 3.10, the standard library, no import of ours. One
stream is one run of the host. `hand_over` returns when the handover is on disk;
it is meant for a worker thread and raises nothing but what `OSError` says.
"""

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

RECORDER_SECONDS = 15  # a recorder that has not shown itself for so long is not there
DRAIN_SECONDS = 15  # between two attempts to start one
_READ_BYTES = 1 << 20
_CONTENT = frozenset({"path", "bytes", "handle"})

Json = dict[str, Any]
HookClock = tuple[Callable[[], str], Callable[[], int], Callable[[], int]]


def boot_id() -> str:
    """Return the system's id of this boot, or "" where it gives none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def uptime_ms() -> int:
    """Return the boot-time clock, as the recorder reads it."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return int((time.monotonic() if clock is None else time.clock_gettime(clock)) * 1000)


def now_ms() -> int:
    """Return wall time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def instant(milliseconds: int) -> str:
    """Spell a moment as events do."""
    seconds, rest = divmod(int(milliseconds), 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:03d}Z"


def load_connection(path: "Path | str") -> dict[str, Any]:
    """Read what `connect` wrote: hook id, secret, spool and how to start a drain."""
    found: Json = json.loads(Path(path).read_text(encoding="utf-8"))
    return load_connection(found["hook_file"]) if "hook_file" in found else found


class HookStream:
    """One run of a host, from `opened` to `closed`.

    `lost` counts handovers the disk refused; the next one that can be written is
    preceded by a `gap` that says how many. Safe to call from several threads.
    """

    def __init__(
        self,
        connection: Mapping[str, Any],
        source: Mapping[str, Any],
        *,
        clock: "HookClock" = (boot_id, uptime_ms, now_ms),
    ) -> None:
        self.connection = connection
        self.source = source
        self.stream = secrets.token_hex(16)
        self.lost = 0
        self._boot, self._uptime, self._now = clock
        self._boot_id = self._boot()
        self._seq = 0
        self._previous: str | None = None
        self._lock = threading.Lock()
        self._drain_tried: int | None = None
        self.wants_drain = False  # something was handed over since a recorder was last known to look

    def open(self, facts: Mapping[str, Any], parts: Sequence[Json] = ()) -> "int | None":
        """Open the stream with the nonce last published; `facts` say what the host is."""
        own = {"type": "own", "from": "hook", "body": {"facts": {**facts, "nonce": self._nonce()}}}
        return self.hand_over("opened", [own, *parts])

    def close(self) -> "int | None":
        """Say which number was the last."""
        facts = {"last_seq": self._seq - 1}
        return self.hand_over("closed", [{"type": "own", "from": "hook", "body": {"facts": facts}}])

    def hand_over(
        self,
        kind: str,
        parts: Sequence[Json],
        files: Sequence[Json] = (),
        cites: "Sequence[int | str]" = (),
        occurred: "tuple[int, str] | None" = None,
    ) -> "int | None":
        """Put one observation into the spool; return its number, or None if the disk refused.

        `files` are dicts: `path`, `bytes` or an open `handle`, and what the observation says
        of a file. Their bytes are copied in and their digests taken here and now; each dict is
        given its `digest`. One with a `digest` alone names bytes handed over before. `cites`
        are numbers of this stream or names of events; `occurred` an instant in milliseconds
        since 1970 and whose clock it was.
        """
        with self._lock:
            if self.lost and kind != "gap":
                facts = {"why": "hook_lost", "stream": self.stream, "lost": self.lost}
                gap = [{"type": "own", "from": "hook", "body": {"facts": facts}}]
                if self._try(("gap", gap, (), (), None)) is None:
                    self.lost += 1
                    return None
                self.lost = 0
            number = self._try((kind, parts, files, cites, occurred))
            if number is None:
                self.lost += 1
            return number

    def _try(self, said: tuple[Any, ...]) -> "int | None":
        try:
            return self._write(*said)
        except OSError:
            return None

    def _write(
        self,
        kind: str,
        parts: Sequence[Json],
        files: Sequence[Json],
        cites: "Sequence[int | str]",
        occurred: "tuple[int, str] | None",
    ) -> int:
        spool, name = Path(self.connection["spool"]), f"{self.stream}-{self._seq:010d}"
        spool.mkdir(parents=True, exist_ok=True)
        temporary = spool / f".{name}-{secrets.token_hex(4)}"
        try:
            listed = _copy_files(files, temporary.with_name(temporary.name + ".files"))
            observation: Json = {
                "v": 1,
                "kind": kind,
                "source": self.source,
                "stream": self.stream,
                "seq": self._seq,
                "cites": [{"stream": self.stream, "seq": c} if isinstance(c, int) else c for c in cites],
                "files": listed,
                "parts": list(parts),
            }
            if occurred is not None:
                observation |= {"occurred_at": instant(occurred[0]), "occurred_by": occurred[1]}
            data = self._sign(observation)
            if temporary.with_name(temporary.name + ".files").is_dir():
                temporary.with_name(temporary.name + ".files").rename(spool / f"{name}.files")
                _sync_folder(spool)
            with temporary.open("xb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(spool / f"{name}.handover")
            _sync_folder(spool)
        except OSError:
            _remove(temporary, spool / f"{name}.files")
            raise
        self._previous = "sha256:" + hashlib.sha256(data).hexdigest()
        self._seq += 1
        self.wants_drain = True
        return self._seq - 1

    def _sign(self, observation: Json) -> bytes:
        said = {
            "v": 1,
            "hook": self.connection["id"],
            "previous": self._previous,
            "boot": self._boot_id,
            "uptime_ms": self._uptime(),
            "said_at": instant(self._now()),
        }
        lines = b"".join(json.dumps(line, ensure_ascii=True).encode() + b"\n" for line in (said, observation))
        return lines + sign(bytes.fromhex(self.connection["secret"]), lines).encode() + b"\n"

    def _nonce(self) -> str:
        try:
            return str(json.loads((Path(self.connection["spool"]) / "newest").read_bytes())["nonce"])
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def ensure_drained(self, *, at_once: bool = False) -> bool:
        """Start `makingof drain` detached if something waits and no recorder shows itself.

        At most one every few seconds: ask again while `wants_drain`, or what was handed
        over last waits for the next command and is late. A host that ends cannot ask
        again: it asks with `at_once`.
        """
        if not self.wants_drain or not self.connection.get("drain"):
            return False
        moment, tried = self._uptime(), self._drain_tried
        if self._recorder_answers(moment):
            self.wants_drain = False
            return False
        if not at_once and tried is not None and 0 <= moment - tried < DRAIN_SECONDS * 1000:
            return False
        self._drain_tried = moment
        with contextlib.suppress(OSError):  # the program is gone: the next command finds what waits
            start_detached(self.connection["drain"], self.connection.get("environment", {}))
            self.wants_drain = False
            return True
        return False

    def _recorder_answers(self, moment: int) -> bool:
        try:
            found = json.loads((Path(self.connection["spool"]) / "recorder").read_bytes())
            age = moment - found["uptime_ms"]
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return bool(found.get("boot") == self._boot_id and 0 <= age < RECORDER_SECONDS * 1000)


def sign(secret: bytes, lines: bytes) -> str:
    """Return the third line of a handover: HMAC-SHA-256 over the first two, newlines included."""
    return hmac.new(secret, b"makingof-handover/1\n" + lines, hashlib.sha256).hexdigest()


def start_detached(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Start a program of our own that outlives this one, without the host's Python settings."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}  # noqa: TID251 - carried into other programs
    flags = 0
    if sys.platform == "win32":
        flags = (
            subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.IDLE_PRIORITY_CLASS
        )
    process = subprocess.Popen(
        arguments,
        env={**inherited, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        close_fds=True,
        start_new_session=True,
        creationflags=flags,
    )
    # Somebody has to wait for it, or it stays in the host's process table as a zombie.
    with contextlib.suppress(
        RuntimeError
    ):  # later Pythons start no thread while a program ends; it stays none for long
        threading.Thread(target=process.wait, daemon=True, name="makingof-drain").start()


def _copy_files(files: Sequence[Json], folder: Path) -> list[Json]:
    listed: list[Json] = []
    for number, file in enumerate(files):
        told = {key: value for key, value in file.items() if key not in _CONTENT and value is not None}
        if _CONTENT & file.keys():
            folder.mkdir(exist_ok=True)
            suffix = Path(file.get("name") or str(file.get("path", ""))).suffix
            name = f"{number:05d}{suffix if suffix.isascii() and suffix[1:].isalnum() else ''}"
            file["digest"] = _copy(file, folder / name)
            told |= {"file": name, "digest": file["digest"]}
        listed.append(told)
    if folder.is_dir():
        _sync_folder(folder)
    return listed


def _copy(file: Json, target: Path) -> str:
    state = hashlib.sha256()
    with target.open("xb") as copy:
        for chunk in _chunks_of(file):
            state.update(chunk)
            copy.write(chunk)
        copy.flush()
        os.fsync(copy.fileno())
    return "sha256:" + state.hexdigest()


def _chunks_of(file: Json) -> Iterator[bytes]:
    if "bytes" in file:
        yield file["bytes"]
        return
    with contextlib.ExitStack() as opened:
        source = file.get("handle") or opened.enter_context(Path(file["path"]).open("rb"))
        source.seek(0)
        while chunk := source.read(_READ_BYTES):
            yield chunk


def _sync_folder(folder: Path) -> None:
    if sys.platform == "win32":
        return  # a folder cannot be opened there; the rename itself is journalled
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(temporary: Path, placed: Path) -> None:
    with contextlib.suppress(OSError):
        temporary.unlink()
    for folder in (temporary.with_name(temporary.name + ".files"), placed):
        with contextlib.suppress(OSError):
            for item in folder.iterdir():
                item.unlink()
            folder.rmdir()
