"""Run the commands of `docs/start/first-image.md` and put in what they print: `python docs/make_start.py`.

A `console` block holds commands behind `$` and their output. A line `…` in it stands for output left out; as
many lines before and behind it stay as are there now. The commands run one after the other, in a folder with
the files the page speaks of, and with an archive of their own.
"""
# ruff: noqa: INP001 - a script, not part of a package

import io
import re
import shlex
import struct
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path

from makingof.cli.demo_drafts import write_drafts, write_edit
from makingof.cli.main import run

PAGE = Path(__file__).parent / "start" / "first-image.md"

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ makingof (.*)$", re.MULTILINE)
_LEFT_OUT = "…"


def refreshed(page: str, home: Path) -> str:
    """Return `page` with what its commands print when they run in `home`, an empty folder."""
    make_files(home)
    env = {"HOME": str(home), "MAKINGOF_STATE": str(home / ".local" / "state" / "makingof")}
    with chdir(home):
        return _BLOCK.sub(lambda block: _run_block(block[1], env, home), page)


def make_files(home: Path) -> None:
    """Make the files the page speaks of: drafts, an edit, a sketch, a layered document."""
    (home / "outputs").mkdir()
    write_drafts(home / "outputs")
    write_edit(home / "outputs" / "draft-3.png", home / "pendant.png")
    write_edit(home / "outputs" / "draft-1.png", home / "sketch.png")
    (home / "pendant.psd").write_bytes(_empty_document())


def constant(page: str) -> str:
    """Return `page` without what is another every time: digests, keys, sizes of files."""
    return re.sub(r"\b[0-9a-f]{8,}\b", "(hex)", re.sub(r"\b\d[\d,.]* (bytes|kB|MB)\b", r"(n) \1", page))


def _run_block(block: str, env: Mapping[str, str], home: Path) -> str:
    parts = _COMMAND.split(block)
    pairs = zip(parts[1::2], parts[2::2], strict=True)
    lines = [line for arguments, shown in pairs for line in _run_command(arguments, shown, env, home)]
    return "\n".join(["```console", *lines, "```"])


def _run_command(arguments: str, shown: str, env: Mapping[str, str], home: Path) -> Iterator[str]:
    output = io.StringIO()
    with redirect_stdout(output), redirect_stderr(output):
        code = run(shlex.split(arguments), env)
    text = output.getvalue().replace(str(home), "~").strip("\n")
    if code:
        message = f"makingof {arguments} ended with {code}:\n{text}"
        raise RuntimeError(message)
    yield f"$ makingof {arguments}"
    yield from _cut(text.split("\n"), shown.strip("\n").split("\n"))


def _cut(lines: list[str], shown: list[str]) -> list[str]:
    if _LEFT_OUT not in shown:
        return lines
    before = shown.index(_LEFT_OUT)
    behind = len(shown) - before - 1
    return [*lines[:before], _LEFT_OUT, *lines[len(lines) - behind :]]


def _empty_document() -> bytes:
    """Write the smallest Photoshop document: one white pixel, no layers."""
    header = struct.pack(">4sH6xHIIHH", b"8BPS", 1, 3, 1, 1, 8, 3)
    return header + bytes(4) * 3 + struct.pack(">H", 0) + b"\xff" * 3


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        PAGE.write_text(refreshed(PAGE.read_text("utf-8"), Path(folder).resolve()), "utf-8")
