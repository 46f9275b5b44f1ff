"""`inspect`: everything stray files say about themselves, without an archive."""

from pathlib import Path
from typing import Any

import click

from makingof.capture.folder import list_files
from makingof.cli.command import argument, command
from makingof.cli.inspecting_documents import show_document
from makingof.cli.spelling import visible
from makingof.cli.terminal import Terminal
from makingof.containers.headed import HeadedFile
from makingof.metadata.facts import Examined, describe_examined, examine
from makingof.texts import Message, say

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
            with HeadedFile(path) as data:
                examined = examine(data, str(path))
                facts = describe_examined(examined, str(path))
        except OSError as err:
            terminal.notice(say("storage.source_unreadable", path=path, reason=err.strerror or str(err)))
            failed += 1
            continue
        terminal.json(facts)
        _show(terminal, facts, examined)
    return 1 if failed else 0


def _show(terminal: Terminal, facts: dict[str, Any], examined: Examined) -> None:
    """Print one file's facts as a page: what speaks for the picture first, then record by record."""
    terminal.line(visible(facts["file"]))
    if not facts["records"] and facts["document"] is None:
        terminal.line("  " + terminal.text(say("cli.inspect_nothing")))
        return
    terminal.line("  " + terminal.text(say("cli.inspect_tool", tool=visible(facts["tool"] or "–"))))
    for number, record in enumerate(facts["records"], 1):
        _show_record(terminal, number, record)
    if examined.document is not None:
        show_document(terminal, examined.document)
    for contradiction in examined.contradictions:
        _warn(terminal, "exports.inspect_contradiction", contradiction.message)
    for secret in examined.secrets:
        _warn(terminal, "exports.inspect_secret", secret.message)


def _warn(terminal: Terminal, key: str, what: Message) -> None:
    terminal.line("  " + visible(terminal.text(say(key, what=what))))


def _show_record(terminal: Terminal, number: int, record: dict[str, Any]) -> None:
    key = "cli.inspect_main" if record["main"] else "cli.inspect_record"
    name = visible(record["tool"] or terminal.text(say("cli.inspect_unknown")))
    locator = visible(record["locator"])
    terminal.line("  " + terminal.text(say(key, number=number, tool=name, locator=locator)))
    terminal.line("      " + terminal.text(say(f"exports.worth_{record['worth']}")))
    for field, found in record["fields"].items():
        _show_field(terminal, visible(field.removeprefix("tool:")), found)
    for check in record["checks"]:
        held = {True: "cli.check_held", False: "cli.check_failed", None: "cli.check_not_made"}[check["held"]]
        detail = visible(check["detail"])
        terminal.line("      " + terminal.text(say(held, name=check["name"], detail=detail)))


def _show_field(terminal: Terminal, name: str, found: dict[str, Any]) -> None:
    if found["value"] is None:
        terminal.line(f"      {name}: " + terminal.text(say(f"cli.state_{found['state']}")))
        return
    value = visible(found["value"])
    terminal.line(f"      {name}: {value if len(value) <= _WIDTH else value[:_WIDTH] + ' …'}")
