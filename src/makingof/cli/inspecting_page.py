"""The page `inspect` prints of one file: what it is, what speaks for it, record by record, and warnings."""

import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import Any
from unicodedata import east_asian_width

from makingof.cli.inspecting_documents import show_document
from makingof.cli.spelling import visible
from makingof.cli.terminal import Terminal
from makingof.metadata.facts import Examined, Worth
from makingof.metadata.inputs import Input
from makingof.texts import Message, load_area, say

_LONGEST = 400  # of one value on a terminal; --json gives it whole
_INDENT = "      "
_NARROWEST = 40


def show_file(terminal: Terminal, facts: dict[str, Any], examined: Examined, inputs: Sequence[Input]) -> None:
    """Print one file's facts as a page."""
    page = _Page(terminal)
    page.line(visible(facts["file"]), "")
    page.container(facts, examined)
    if not facts["records"] and examined.document is None:
        if facts["export"] is None:
            page.say("cli.inspect_nothing")
        return
    page.say("cli.inspect_tool", tool=visible(facts["tool"] or "–"))
    page.say("inspecting.claims")
    for number, record in enumerate(facts["records"], 1):
        page.record(number, record)
    if examined.document is not None:
        show_document(terminal, examined.document)
    for item in inputs:
        page.input(item)
    for contradiction in examined.contradictions:
        page.warn("exports.inspect_contradiction", contradiction.message)
    for secret in examined.secrets:
        page.warn("exports.inspect_secret", secret.message)


class _Page:
    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._labels = load_area("inspecting")
        self._width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None

    def line(self, text: str, indent: str = "  ") -> None:
        """Print a line; on a terminal, broken where it is full, with a hanging indent."""
        for part in broken(text, self._width, indent):
            self._terminal.line(part)

    def say(self, key: str, indent: str = "  ", **values: object) -> None:
        self.line(self._terminal.text(say(key, **values)), indent)

    def container(self, facts: dict[str, Any], examined: Examined) -> None:
        size = f"{facts['size']:,}"
        if examined.container is None:
            self.say("inspecting.no_container", size=size)
        elif examined.size is None:
            self.say("inspecting.container_without_size", format=examined.container.upper(), size=size)
        else:
            width, height = examined.size
            self.say(
                "inspecting.container",
                format=examined.container.upper(),
                width=width,
                height=height,
                size=size,
            )
        self.line(facts["digest"])

    def record(self, number: int, record: dict[str, Any]) -> None:
        key = "cli.inspect_main" if record["main"] else "cli.inspect_record"
        name = visible(record["tool"] or self._terminal.text(say("cli.inspect_unknown")))
        if record["tool_version"]:
            name = f"{name} {visible(record['tool_version'])}"
        self.say(key, number=number, tool=name, locator=visible(record["locator"]))
        if record["worth"] != Worth.CLAIMED:
            self.say(f"exports.worth_{record['worth']}", _INDENT)
        for field, found in record["fields"].items():
            self._field(field, found)
        for check in record["checks"]:
            held = {True: "cli.check_held", False: "cli.check_failed", None: "cli.check_not_made"}
            detail = visible(check["detail"])
            self.say(held[check["held"]], _INDENT, name=check["name"], detail=detail)
        if not record["fields"] and not record["checks"] and record["worth"] == Worth.CLAIMED:
            self.say("inspecting.kept", _INDENT)

    def _field(self, name: str, found: dict[str, Any]) -> None:
        label = f"field_{name}"
        if label in self._labels:
            name = self._terminal.text(say(f"inspecting.{label}"))
        name = visible(name.removeprefix("tool:"))
        if found["value"] is None:
            self.line(f"{name}: " + self._terminal.text(say(f"cli.state_{found['state']}")), _INDENT)
            return
        value = visible(found["value"])
        self.line(f"{name}: {value if len(value) <= _LONGEST else value[:_LONGEST] + ' …'}", _INDENT)

    def input(self, item: Input) -> None:
        """Say what picture a record names as its input, and how well."""
        digest = item.sha256 or item.pixels_md5
        name = visible(item.name) if item.name else self._terminal.text(say("inspecting.input_unnamed"))
        if digest is None:
            self.say("inspecting.input_named", name=name, where=visible(item.where))
            return
        kind = "SHA-256" if item.sha256 else "MD5"
        shown = item.sha256.hex if item.sha256 else digest
        self.say("inspecting.input_linked", name=name, kind=kind, digest=shown, where=visible(item.where))

    def warn(self, key: str, what: Message) -> None:
        self.line(visible(self._terminal.text(say(key, what=what))))


def broken(text: str, width: int | None, indent: str) -> list[str]:
    """Break a line where a terminal of `width` cells is full; what goes on is indented further."""
    if width is None or _cells(text) + len(indent) <= width:
        return [indent + text]
    room = max(width - len(indent) - 2, _NARROWEST)
    if _cells(text) == len(text):
        lines = textwrap.wrap(text, room, break_on_hyphens=False, drop_whitespace=True)
    else:
        lines = _cut(text, room)
    return [indent + lines[0], *(f"{indent}  {line}" for line in lines[1:])]


def _cut(text: str, room: int) -> list[str]:
    """Break text with wide letters where the line is full: Chinese has no blanks to break at."""
    lines, line, used = [], "", 0
    for sign in text:
        cells = _cells(sign)
        if used + cells > room:
            lines.append(line)
            line, used = "", 0
        line += sign
        used += cells
    return [*lines, line] if line else lines


def _cells(text: str) -> int:
    return len(text) if text.isascii() else sum(1 + (east_asian_width(sign) in "WF") for sign in text)
