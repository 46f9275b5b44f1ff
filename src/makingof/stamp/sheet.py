"""The sitting sheet: what was made in one sitting, as a file a court's tool can take.

Court platforms check "original file and number"; a checkpoint and a Merkle
path mean nothing to them. The sheet is plain UTF-8 text with fixed columns and
one line per file, so a clerk can read it, compare a line with `certutil` or
`sha256sum`, and deposit the sheet itself as one file. The name stands last,
because only it has no fixed width.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from makingof.clock import format_instant, parse_instant
from makingof.digest import Digest
from makingof.errors import MalformedError

TITLE = "makingof sitting sheet 1 · 一次创作的文件清单 1"
_COLUMNS = f"{'event':64}  {'claimed time':24}  {'SHA-256':64}  {'SM3':64}  name"
_NO_TIME = "-".ljust(24)
_LINE = re.compile(r"([0-9a-f]{64})  (.{24})  ([0-9a-f]{64})  ([0-9a-f]{64})  (.*)")
_ESCAPE = re.compile(r"\\(?:\\|u\{([0-9a-f]{1,6})\})")
# Controls, line ends, surrogates, and what reorders or hides text. Listed here and not asked of
# `str.isprintable`, whose answer changes with the Unicode version of the Python that runs.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
_MAX_SHEET_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SheetLine:
    """One file: the event that recorded it, the time claimed there, its digests and its name."""

    event: Digest
    claimed_at: datetime | None
    sha256: Digest
    sm3: str
    name: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """The files of one sitting in the order of their events."""

    origin: str
    closed_at: datetime
    lines: tuple[SheetLine, ...]


def format_sheet(sheet: Sheet) -> bytes:
    """Write the sheet; the same sheet always gives the same bytes."""
    head = [
        TITLE,
        f"log     {sheet.origin}",
        f"closed  {format_instant(sheet.closed_at)}",
        f"files   {len(sheet.lines)}",
        "",
        _COLUMNS,
    ]
    text = "\n".join([*head, *(_format_line(line) for line in sheet.lines)]) + "\n"
    return text.encode()


def parse_sheet(data: bytes) -> Sheet:
    """Read a sheet back; anything `format_sheet` would not have written is a `MalformedError`."""
    if len(data) > _MAX_SHEET_BYTES:
        message = f"sitting sheet of {len(data)} bytes is longer than {_MAX_SHEET_BYTES}"
        raise MalformedError(message)
    try:
        title, origin, closed, files, empty, columns, *lines = data.decode().split("\n")
    except ValueError as err:
        message = f"bytes are not a sitting sheet: {err}"
        raise MalformedError(message) from err
    del title, files, empty, columns  # compared below, with everything else
    sheet = Sheet(
        origin=origin.removeprefix("log     "),
        closed_at=parse_instant(closed.removeprefix("closed  ")),
        lines=tuple(_parse_line(line) for line in lines[:-1]),
    )
    if format_sheet(sheet) != data:
        message = "sitting sheet is not written as makingof writes it"
        raise MalformedError(message)
    return sheet


def _format_line(line: SheetLine) -> str:
    at = _NO_TIME if line.claimed_at is None else format_instant(line.claimed_at)
    return f"{line.event.hex}  {at}  {line.sha256.hex}  {line.sm3}  {_escape(line.name)}"


def _parse_line(text: str) -> SheetLine:
    match = _LINE.fullmatch(text)
    if match is None:
        message = f"sitting sheet has a line that does not parse: {text[:80]!r}"
        raise MalformedError(message)
    event, at, sha256, sm3, name = match.groups()
    return SheetLine(
        event=Digest.parse(f"sha256:{event}"),
        claimed_at=None if at == _NO_TIME else parse_instant(at),
        sha256=Digest.parse(f"sha256:{sha256}"),
        sm3=sm3,
        name=_unescape(name),
    )


def _escape(name: str) -> str:
    """Spell what does not show, or changes the order of what does, by its code point.

    A name with a line break could otherwise add a line of its own, and one
    with a right-to-left mark could show digests under another name.
    """
    doubled = name.replace("\\", "\\\\")
    return _UNSAFE.sub(lambda match: f"\\u{{{ord(match.group()):x}}}", doubled)


def _unescape(text: str) -> str:
    def restore(match: re.Match[str]) -> str:
        return "\\" if match.group(1) is None else chr(int(match.group(1), 16))

    try:
        return _ESCAPE.sub(restore, text)
    except ValueError as err:
        message = f"sitting sheet has a name that does not parse: {text[:80]!r}"
        raise MalformedError(message) from err
