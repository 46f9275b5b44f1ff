"""Discord's own data package: the messages of one person, `messages/c<channel>/messages.json` or `.csv`.

The answers of a bot are not in it, and neither is a slash command that was carried out:
Discord hands that to the bot and makes no message of it. What is left are requests that
were sent as text. They show what somebody asked for and nothing of whether it was made.
Everything else a person wrote is left alone.

Times stand without an offset from UTC; the number of a message holds its instant
(Discord's documentation: milliseconds since 2015, above 22 other bits).
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from makingof.capture.exports.told import Export, Moment, Told, moment_of_seconds, observe, portable, report
from makingof.errors import MalformedError
from makingof.event import Kind, OccurredBy
from makingof.metadata.record import text_field
from makingof.reading import Locator, Reading, State

TOOL = "discord"
SOURCE = "discord-package"
READER = "discord-package/1"
MAX_BYTES = 256 << 20
MAX_MESSAGES = 2_000_000
_MAX_CONTENT = 100_000
_MAX_FIELD = 1 << 20
_COLUMNS = ("ID", "Timestamp", "Contents", "Attachments")
_REQUEST = re.compile(
    r"\s*[/!](?:imagine|dream)\b\s*(?:prompt:)?\s*(?P<words>\S.*)", re.DOTALL | re.IGNORECASE
)
_NUMBER = re.compile(r"[1-9][0-9]{14,19}")
_EPOCH_MS = 1_420_070_400_000  # the first second of 2015
_OTHER_BITS = 22


def is_message_list(value: Any) -> bool:
    """Tell whether parsed JSON is the messages of one channel."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(
            isinstance(item, dict) and {"ID", "Timestamp", "Contents"} <= item.keys() for item in value[:3]
        )
    )


def is_message_table(head: bytes) -> bool:
    """Tell whether a CSV is the messages of one channel, by its first line."""
    first = head.partition(b"\n")[0].removeprefix(b"\xef\xbb\xbf").strip().decode("utf-8", "replace")
    return tuple(first.split(",")[: len(_COLUMNS)]) == _COLUMNS


def read_messages(items: Iterable[Any]) -> Export | None:
    """Read the requests among one channel's messages; None where there are none, as in nearly all."""
    told = tuple(found for item in islice(items, MAX_MESSAGES) if (found := _tell(item)) is not None)
    return Export(SOURCE, told) if told else None


def read_table(data: bytes) -> Export | None:
    """Read the older form, a CSV; a field of more than a megabyte is a `MalformedError`."""
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    csv.field_size_limit(_MAX_FIELD)
    try:
        return read_messages(_rows(text))
    except csv.Error as err:
        message = f"table of messages does not parse: {err}"
        raise MalformedError(message) from err


def _rows(text: str) -> Iterator[dict[str, str]]:
    rows = csv.reader(io.StringIO(text, newline=""))
    next(rows, None)
    for row in rows:
        yield dict(zip(_COLUMNS, row, strict=False))


def _tell(item: Any) -> Told | None:
    content = item.get("Contents") if isinstance(item, Mapping) else None
    number = str(item.get("ID")) if isinstance(item, Mapping) else ""
    found = _REQUEST.match(content[:_MAX_CONTENT]) if isinstance(content, str) else None
    if found is None or not _NUMBER.fullmatch(number):
        return None
    where = f"message {number}"
    words = found["words"].strip()
    stated = item.get("Timestamp")
    drafts = [
        report(
            where,
            text="sent as a message; whether a bot took it the package does not say",
            message=number,
            timestamp=stated if isinstance(stated, str) else None,
        )
    ]
    reading = Reading(
        tool=TOOL,
        locator=Locator("discord", where),
        state=State.PRESENT,
        raw=words.encode("utf-8", "surrogatepass"),
        fields={"typed_prompt": text_field(portable(words), where)},
        main=True,
        reader=READER,
    )
    return Told(
        key=f"told:discord/message/{number}",
        observation=observe(Kind.PROMPTED, TOOL, drafts, at=_moment(number), by=OccurredBy.VENDOR),
        readings=(reading,),
    )


def _moment(number: str) -> Moment:
    ms = (int(number) >> _OTHER_BITS) + _EPOCH_MS
    return moment_of_seconds(f"{ms // 1000}.{ms % 1000:03}")
