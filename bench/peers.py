"""Peers, each in an environment of its own, from pinned and hashed packages in `bench/peers/*.txt`."""

import json
import os
import subprocess
import time
import venv
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
OUT = ROOT / "bench" / "out"
SOURCES = os.pathsep.join([str(ROOT / "src"), str(ROOT)])  # this checkout, whatever is installed
PINS = ROOT / "bench" / "peers"
_TIMEOUT_SECONDS = 240


def folder(peer: str) -> Path:
    """Return where a peer's environment lies."""
    return OUT / f"env-{peer}"


def python(peer: str) -> str:
    """Return the interpreter of a peer's environment."""
    return str(folder(peer) / "bin" / "python")


def program(peer: str, name: str) -> str:
    """Return a program of a peer's environment."""
    return str(folder(peer) / "bin" / name)


def worker(peer: str, script: str, *arguments: object) -> list[str]:
    """Name the command that runs one of our scripts in a peer's environment."""
    return [python(peer), str(PINS / script), *map(str, arguments)]


@cache
def why_missing(peer: str) -> str:
    """Make the environment if it is not there; return why it could not be made, or nothing."""
    ready = folder(peer) / "ready.json"
    if ready.exists():
        return ""
    started = time.monotonic()
    try:
        venv.create(folder(peer), with_pip=True, clear=True)
        install(peer, "--require-hashes", "-r", str(PINS / f"{peer}.txt"))
    except (subprocess.SubprocessError, OSError) as err:
        return f"could not be installed here: {_last_line(err)}"
    ready.write_text(json.dumps({"seconds": round(time.monotonic() - started, 1)}))
    return ""


def install(peer: str, *what: str) -> None:
    """Install packages into a peer's environment."""
    command = [python(peer), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *what]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS)


def _last_line(err: Exception) -> str:
    text = getattr(err, "stderr", None) or str(err)
    lines = (text if isinstance(text, str) else text.decode()).strip().splitlines()
    return lines[-1] if lines else str(err)
