"""Running contenders side by side: interleaved rounds, each in a fresh folder and a process of its own.

A contender is a command. One that prints a line of JSON with `seconds` has timed its own work,
start-up and set-up left out; of any other the whole command is timed. Before each run everything
written before is synced, so that nobody waits for what another left behind.
"""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench import peers
from bench.peers import OUT, ROOT, SOURCES

OURS = ROOT / "bench" / "ours.py"
__all__ = ["OUT", "ROOT", "Contender", "Measured", "last_json", "measure", "ours"]

_SYNCS = "fsync,fdatasync,sync_file_range,syncfs,sync,msync"
_COUNTED = re.compile(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", re.MULTILINE)
_TIMEOUT_SECONDS = 600


@dataclass(frozen=True)
class Contender:
    """One way to do the work of a row; `command` is given the fresh folder of the round."""

    name: str
    command: Callable[[Path], Sequence[str]]
    prepare: Callable[[Path], object] = lambda _: None
    note: str = ""
    rounds: int = 99
    peer: str | None = None  # whose environment it needs
    durable: bool = False  # count its syncs


@dataclass
class Measured:
    """What came of one contender: seconds per round, and what its last run said."""

    name: str
    note: str = ""
    seconds: list[float] = field(default_factory=list)
    said: dict = field(default_factory=dict)
    syncs: int | None = None
    missing: str = ""  # why it was not measured

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def measure(row: str, contenders: Iterable[Contender], rounds: int) -> list[Measured]:
    """Run all contenders in turn, `rounds` times, then once more under strace where it is there."""
    contenders = list(contenders)
    found = {item.name: Measured(item.name, item.note, missing=_missing(item)) for item in contenders}
    able = [item for item in contenders if not found[item.name].missing]
    for number in range(rounds):
        for item in able:
            if number >= item.rounds or found[item.name].missing:
                continue
            try:
                seconds, said = _run(row, item)
            except (subprocess.SubprocessError, OSError, ValueError) as err:
                found[item.name].missing = _reason(err)
                continue
            found[item.name].seconds.append(seconds)
            found[item.name].said = said
            print(f"  {row}: {item.name}: {seconds:.3f} s", file=sys.stderr, flush=True)
    if shutil.which("strace"):
        for item in able:
            if item.durable and not found[item.name].missing:
                found[item.name].syncs = _count_syncs(row, item)
    return list(found.values())


def last_json(text: str) -> dict:
    """Return the last line of JSON a command printed, or nothing."""
    for line in reversed(text.splitlines()):
        if line.startswith("{"):
            try:
                return json.loads(line)
            except ValueError:
                continue
    return {}


def ours(job: str, *arguments: object) -> list[str]:
    """Name the command that does one of our own jobs."""
    return [sys.executable, str(OURS), job, *map(str, arguments)]


def _missing(item: Contender) -> str:
    return "" if item.peer is None else peers.why_missing(item.peer)


def _run(row: str, item: Contender) -> tuple[float, dict]:
    folder = _fresh(row)
    item.prepare(folder)
    os.sync()
    started = time.perf_counter()
    done = _call(item.command(folder), folder)
    wall = time.perf_counter() - started
    said = last_json(done.stdout)
    shutil.rmtree(folder)
    return said.get("seconds", wall), said


def _count_syncs(row: str, item: Contender) -> int | None:
    folder = _fresh(row)
    item.prepare(folder)
    counts = folder.parent / "syncs.txt"
    strace = ["strace", "-f", "-c", "--seccomp-bpf", "-e", f"trace={_SYNCS}", "-o", str(counts)]
    try:
        _call([*strace, *item.command(folder)], folder)
    except (subprocess.SubprocessError, OSError):
        return None
    finally:
        shutil.rmtree(folder)
    return sum(int(calls) for calls, name in _COUNTED.findall(counts.read_text()) if name != "total")


def _call(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess:
    env = {key: value for key, value in os.environ.items() if not key.startswith(("MAKINGOF", "PYTHON"))}
    env |= {"PYTHONPATH": SOURCES, "HOME": str(folder), "MAKINGOF_STATE": str(folder / "state")}
    env |= {"PYTHONDONTWRITEBYTECODE": ""}
    return subprocess.run(
        list(command),
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=True,
        timeout=_TIMEOUT_SECONDS,
    )


def _fresh(row: str) -> Path:
    folder = OUT / "work" / row
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _reason(err: Exception) -> str:
    if isinstance(err, subprocess.CalledProcessError):
        lines = (err.stderr or err.stdout or "").strip().splitlines()
        return f"failed here: {lines[-1] if lines else err.returncode}".replace(str(ROOT), ".")
    return f"failed here: {err}"
