"""The door: which of the known exports a file is, and its parser."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from makingof.capture.exports import (
    a1111,
    comfyui_history,
    comfyui_jobs,
    discord,
    discord_package,
    fooocus,
    invokeai,
    midjourney,
    openai,
)
from makingof.capture.exports.told import Export
from makingof.capture.exports.write_ahead import apply_write_ahead_log
from makingof.containers.source import Source
from makingof.errors import MalformedError
from makingof.metadata.tool_json import parse_tool_json

MAX_JSON_BYTES = 256 << 20
_SQLITE = b"SQLite format 3\0"
_INVOKEAI = b"image_category"
_HEAD = 1 << 16
_DATABASES = (".db", ".sqlite", ".sqlite3")
# Without one of these a JSON file is none of ours, and is not parsed to find out.
_JSON_SIGNS = (
    b'"mapping"',
    b'"messages"',
    b'"outputs"',
    b'"enqueue_time"',
    b'"full_command"',
    b'"job_type"',
    b'"Contents"',
    b'"outputs_count"',
)


@dataclass(frozen=True, slots=True)
class Damaged:
    """A file that is by all signs an export, and does not parse."""

    source: str
    reason: str


def may_be_export(name: str) -> bool:
    """Tell by its name alone whether a file is worth a look."""
    lower = name.lower()
    return lower == "params.txt" or lower.endswith((".json", ".csv", ".html", ".htm", *_DATABASES))


def may_tell(name: str, chunks: Iterator[bytes]) -> bool:
    """Tell from a stream of its bytes whether a file called `name` holds any sign of an export."""
    lower = name.lower()
    if lower.endswith(".json"):
        return _holds(chunks, _JSON_SIGNS)
    if lower.endswith(_DATABASES):
        return _holds(chunks, (_INVOKEAI,))
    head = next(chunks, b"")[:_HEAD]
    if lower.endswith(".csv"):
        return a1111.is_log(head) or discord_package.is_message_table(head)
    return lower == "params.txt" or fooocus.MARK in head


def _holds(chunks: Iterator[bytes], signs: tuple[bytes, ...]) -> bool:
    overlap = max(map(len, signs)) - 1
    tail = b""
    for chunk in chunks:
        window = tail + chunk
        if any(sign in window for sign in signs):
            return True
        tail = window[-overlap:]
    return False


def read_export(data: Source, name: str, log: bytes = b"") -> Export | Damaged | None:
    """Read a file as the export it is; None for what is none. Pure: the same bytes give the same answer.

    `log` is the write-ahead log that lay beside a database. Bounded in time and memory. A
    file that is too large, damaged or hostile is `Damaged`, with what could be told of why.
    """
    lower = name.lower()
    if lower.endswith(_DATABASES):
        return _database(data, log)
    if lower.endswith(".json"):
        return _json(data)
    head = data[:_HEAD]
    if lower.endswith(".csv"):
        return _table(data, head)
    if lower.endswith((".html", ".htm")) and fooocus.MARK in head:
        return _limited("fooocus-log", data, fooocus.MAX_LOG_BYTES, fooocus.read_log)
    if lower == "params.txt":
        return _params(data)
    return None


def _table(data: Source, head: bytes) -> Export | Damaged | None:
    if a1111.is_log(head):
        return _limited("a1111-log", data, a1111.MAX_LOG_BYTES, a1111.read_log)
    if discord_package.is_message_table(head):
        return _limited(discord_package.SOURCE, data, discord_package.MAX_BYTES, discord_package.read_table)
    return None


def _database(data: Source, log: bytes) -> Export | Damaged | None:
    if data[: len(_SQLITE)] != _SQLITE:
        return None
    try:
        if log and len(data) <= invokeai.MAX_DATABASE_BYTES:
            data = apply_write_ahead_log(data[: len(data)], log)
        return invokeai.read_database(data) if invokeai.is_database(data) else None
    except MalformedError as err:
        # Any program's database may be damaged; only one with these words in it is reported as InvokeAI's.
        return Damaged("invokeai", str(err)) if _INVOKEAI in data[: 1 << 20] else None


def _params(data: Source) -> Export | None:
    """Other programs have a file of this name too: one that holds no request is none of ours."""
    if len(data) > a1111.MAX_PARAMS_BYTES:
        return None
    try:
        return a1111.read_params(data[: len(data)])
    except MalformedError:
        return None


def _limited(
    source: str, data: Source, limit_bytes: int, read: Callable[[bytes], Export | None]
) -> Export | Damaged | None:
    if len(data) > limit_bytes:
        return Damaged(source, f"{len(data)} bytes are more than the {limit_bytes} read")
    try:
        return read(data[: len(data)])
    except MalformedError as err:
        return Damaged(source, str(err))


def _json(data: Source) -> Export | Damaged | None:
    if len(data) > MAX_JSON_BYTES:
        head = data[:_HEAD]
        is_ours = any(sign in head for sign in _JSON_SIGNS)
        return (
            Damaged("json", f"{len(data)} bytes are more than the {MAX_JSON_BYTES} read") if is_ours else None
        )
    whole = data[: len(data)]
    if not any(sign in whole for sign in _JSON_SIGNS):
        return None
    try:
        text = whole.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogatepass")
        value, _ = parse_tool_json(text, limit_chars=MAX_JSON_BYTES)
    except (MalformedError, UnicodeDecodeError) as err:
        return Damaged("json", str(err))
    return _by_shape(value)


def _by_shape(value: Any) -> Export | None:
    for is_it, read in _SHAPES:
        if is_it(value):
            return read(value)
    if (found := openai.conversations(value)) is not None:
        return openai.read_conversations(found)
    if (jobs := midjourney.job_list(value)) is not None:
        return midjourney.read_jobs(jobs)
    return None


_SHAPES: tuple[tuple[Callable[[Any], bool], Callable[[Any], Export | None]], ...] = (
    (discord.is_channel, discord.read_channel),
    (discord_package.is_message_list, discord_package.read_messages),
    (comfyui_history.is_history, comfyui_history.read_history),
    (comfyui_jobs.is_job, comfyui_jobs.read_job),
    (comfyui_jobs.is_job_list, comfyui_jobs.read_job_list),
)
