"""Text a person passes to a command: as an option, or through standard input with `-`."""

import sys

from makingof.errors import UsageError
from makingof.texts import say

_MAX_BYTES = 1 << 19


def text_from(option: str | None) -> str | None:
    """Return the option's text, or standard input for `-`; anything but UTF-8 there is refused."""
    if option != "-":
        return option
    data = sys.stdin.buffer.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise UsageError(say("cli.text_too_long", size=_MAX_BYTES))
    try:
        return data.decode("utf-8").strip()
    except UnicodeDecodeError as err:
        raise UsageError(say("acts.not_text"), hint=say("acts.not_text_hint")) from err
