"""`inspect`: everything stray files say about themselves, without an archive."""

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from makingof.capture.folder import list_files
from makingof.cli.command import argument, command
from makingof.cli.terminal import Terminal
from makingof.containers.segment import Data
from makingof.metadata.facts import facts_of
from makingof.texts import say

_WIDTH = 400  # of one value on a terminal; --json gives it whole


@command("inspect")
@argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
def inspect(terminal: Terminal, files: tuple[Path, ...]) -> int:
    """Say what files say; see `help.inspect`. Returns 1 if a file could not be read."""
    listing = list_files(files)
    failed = len(listing.failed)
    for _, error in listing.failed:
        terminal.notice(terminal.text(error.message))
    for path in listing.files:
        try:
            with _mapped(path) as data:
                facts = facts_of(data, str(path))
        except OSError as err:
            terminal.notice(say("storage.source_unreadable", path=path, reason=err.strerror or str(err)))
            failed += 1
            continue
        terminal.json(facts)
        _show(terminal, facts)
    return 1 if failed else 0


@contextmanager
def _mapped(path: Path) -> Iterator[Data]:
    with path.open("rb") as stream:
        if os.fstat(stream.fileno()).st_size == 0:
            yield b""
            return
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data


def _show(terminal: Terminal, facts: dict[str, Any]) -> None:
    """Print one file's facts as a page: what speaks for the picture first, then record by record."""
    terminal.line(facts["file"])
    if not facts["records"]:
        terminal.line("  " + terminal.text(say("cli.inspect_nothing")))
        return
    terminal.line("  " + terminal.text(say("cli.inspect_tool", tool=facts["tool"] or "–")))
    for number, record in enumerate(facts["records"], 1):
        key = "cli.inspect_main" if record["main"] else "cli.inspect_record"
        name = record["tool"] or terminal.text(say("cli.inspect_unknown"))
        terminal.line("  " + terminal.text(say(key, number=number, tool=name, locator=record["locator"])))
        for field, found in record["fields"].items():
            _show_field(terminal, field.removeprefix("tool:"), found)
        for check in record["checks"]:
            held = {True: "cli.check_held", False: "cli.check_failed", None: "cli.check_not_made"}[
                check["held"]
            ]
            terminal.line("      " + terminal.text(say(held, name=check["name"], detail=check["detail"])))


def _show_field(terminal: Terminal, name: str, found: dict[str, Any]) -> None:
    if found["value"] is None:
        terminal.line(f"      {name}: " + terminal.text(say(f"cli.state_{found['state']}")))
        return
    value = visible(found["value"])
    terminal.line(f"      {name}: {value if len(value) <= _WIDTH else value[:_WIDTH] + ' …'}")


def visible(text: str) -> str:
    """Spell text from a stranger's file so that a terminal shows it and does nothing else.

    Control characters could move the cursor or recolour the screen; signs that turn
    the direction of writing could show another text than is there.
    """
    shown = []
    for sign in text:
        if sign in "\n\r":
            shown.append("⏎ " if sign == "\n" else "")
        elif sign.isprintable():
            shown.append(sign)
        else:
            shown.append(sign.encode("unicode_escape").decode("ascii"))
    return "".join(shown)
