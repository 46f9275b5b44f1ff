"""What a request to a service asks for and what its answer tells, in one shape for all services."""

import binascii
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from itertools import islice
from typing import Any, Protocol

from makingof.errors import MalformedError
from makingof.live.exchange import Answered, Asked, End
from makingof.live.removal import is_secret_name
from makingof.live.wire import form_fields, parse_json, sse_events

MAX_PICTURES = 200
MAX_FIELDS = 200
_MAX_VALUE_CHARS = 1_500
_MAX_SPELLED = 50
_MAX_DEPTH = 4
_DATA_URL = re.compile(
    r"data:(?P<media>[\w.+/-]{1,100})?(?:;[\w.+=-]{1,100}){0,5};base64,(?P<data>.*)", re.DOTALL
)
_UNWRITTEN = re.compile(r"\s+")
_SERVER_ERROR = 500


class Step(StrEnum):
    """What a request does to a job."""

    ASKS = "asks"  # asks for pictures
    LOOKS = "looks"  # asks what became of a job, or stops it


class Outcome(StrEnum):
    """What an answer says became of the job."""

    MADE = "made"
    WAITING = "waiting"
    REFUSED = "refused"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Route:
    """What a request is by its method and path alone; `job` where the path names one."""

    step: Step
    job: str | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture on the wire: its bytes, or the address where it lies.

    `text` is the JSON string it stood in, so that this string is not kept twice.
    """

    role: str = "output"
    data: bytes | None = None
    url: str | None = None
    text: str | None = field(default=None, repr=False)
    media_type: str | None = None
    name: str | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """A prompt of an answer: what the service says it gave its model."""

    text: str
    place: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked. `is_rewritten`: the service says that its model is given other words than these."""

    prompts: tuple[Words, ...] = ()
    negative: Words | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    pictures: tuple[Picture, ...] = ()
    is_rewritten: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What an answer says. `job` is the service's own id of it, `text` its words on what went wrong."""

    outcome: Outcome
    job: str | None = None
    pictures: tuple[Picture, ...] = ()
    revised: tuple[Words, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    text: str | None = None
    note: str | None = None  # words the model gave beside the pictures
    outputs: int | None = None  # how many pictures the service speaks of
    at_ms: int | None = None


class Service(Protocol):
    """One hosted service: pure functions of what went over the wire."""

    NAME: str

    def route(self, method: str, path: str) -> Route | None:
        """Tell what a request is, or None where it is not about pictures."""

    def read_wish(self, asked: Asked) -> Wish | None:
        """Return what was asked, or None where no picture was. Raises `MalformedError`."""

    def read_answer(self, answered: Answered) -> Told:
        """Return what an answer with a status says, whole or broken. Raises `MalformedError`."""


def json_object(body: bytes | str | None) -> dict[str, Any]:
    """Return the JSON object a body holds; anything else is a `MalformedError`."""
    found = parse_json(body or b"")
    if not isinstance(found, dict):
        message = f"body is a JSON {type(found).__name__} and no object"
        raise MalformedError(message)
    return found


def events_of(body: bytes | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the JSON objects of server-sent events with their names; other events say nothing."""
    for name, text in sse_events(body or b""):
        try:
            yield name, json_object(text)
        except MalformedError:
            continue  # `[DONE]`, a comment of a proxy; the bytes are kept beside what is read


def inner(value: Any, *names: str | int) -> Any:
    """Go down a JSON value; None where a step is not there."""
    for name in names:
        if isinstance(name, int):
            value = value[name] if isinstance(value, list) and -len(value) <= name < len(value) else None
        else:
            value = value.get(name) if isinstance(value, dict) else None
    return value


def texts(value: Any) -> str | None:
    """Return a value if it is text that says something."""
    return value if isinstance(value, str) and value else None


def items(value: Any) -> list[Any]:
    """Return what of a JSON list is read, or nothing where it is no list."""
    return value[:MAX_PICTURES] if isinstance(value, list) else []


def spelled(value: Any, depth: int = 0) -> str:
    """Spell a JSON value, numbers as the source wrote them; what is deep inside or long is cut off."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)) and depth >= _MAX_DEPTH:
        return "…"
    if isinstance(value, dict):
        inside = (f"{key}: {spelled(item, depth + 1)}" for key, item in islice(value.items(), _MAX_SPELLED))
        return ("{" + ", ".join(inside) + "}")[:_MAX_VALUE_CHARS]
    if isinstance(value, list):
        inside = (spelled(item, depth + 1) for item in value[:_MAX_SPELLED])
        return ("[" + ", ".join(inside) + "]")[:_MAX_VALUE_CHARS]
    return str(value)[:_MAX_VALUE_CHARS]


def fields_of(
    value: Any, shared: Mapping[str, str], without: Sequence[str] = (), prefix: str = ""
) -> dict[str, str]:
    """Name the settings of a request or answer: under the shared name, else behind `tool:`.

    Of a setting with an inner object, its own settings are named with a dot. Null says nothing.
    """
    found: dict[str, str] = {}
    for key, item in islice(value.items(), MAX_FIELDS) if isinstance(value, dict) else ():
        if key in without or item is None or _is_bulk(item) or is_secret_name(key):
            continue
        if isinstance(item, dict) and not prefix:
            found |= fields_of(item, shared, without, f"{key}.")
        else:
            found.setdefault(shared.get(prefix + key, f"tool:{prefix}{key}"), spelled(item))
    return found


def _is_bulk(item: Any) -> bool:
    """Tell whether a value is a picture or an address of one rather than a setting."""
    if isinstance(item, list):
        return any(_is_bulk_text(one) for one in item[:_MAX_SPELLED])
    return _is_bulk_text(item)


def _is_bulk_text(item: Any) -> bool:
    return is_address(item) or (isinstance(item, str) and len(item) > _MAX_VALUE_CHARS)


def is_address(value: Any) -> bool:
    """Tell a text that says where a picture lies, or holds one and says so, from any other value."""
    return isinstance(value, str) and value.startswith(("data:", "https://", "http://"))


def decode_base64(text: str) -> bytes | None:
    """Decode base64 of either alphabet, padded or not; None where it is none."""
    try:
        return binascii.a2b_base64(text, strict_mode=True) or None  # as nearly all is written, and at once
    except ValueError:
        plain = _UNWRITTEN.sub("", text).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return binascii.a2b_base64(plain + "=" * (-len(plain) % 4), strict_mode=True) or None
    except ValueError:
        return None


def picture_of(
    value: Any,
    role: str = "output",
    number: int | None = None,
    *,
    media_type: str | None = None,
    name: str | None = None,
) -> Picture | None:
    """Make a picture of a JSON text: base64, a `data:` address, or an address; None where it is neither."""
    if not isinstance(value, str) or not value:
        return None
    if value.startswith(("https://", "http://")):
        return Picture(role, url=value, number=number, media_type=media_type, name=name)
    embedded = _DATA_URL.fullmatch(value)
    data = decode_base64(embedded["data"] if embedded else value)
    if data is None:
        return None
    media_type = media_type or (embedded["media"] if embedded else None)
    return Picture(role, data, text=value, number=number, media_type=media_type, name=name)


@dataclass(frozen=True, slots=True)
class Form:
    """A multipart form: its texts by name, the last of each, and its files."""

    texts: Mapping[str, str]
    pictures: tuple[Picture, ...]


def read_form(asked: Asked, role_of: Callable[[str], str]) -> Form:
    """Read a multipart form; `role_of` says what a file is by its field's name."""
    data = asked.body or b""
    texts_found: dict[str, str] = {}
    pictures: list[Picture] = []
    for item in form_fields(data, asked.content_type):
        content = data[item.start : item.end]
        if item.filename is None:
            texts_found[item.name] = content.decode("utf-8", "surrogateescape")
        elif content and len(pictures) < MAX_PICTURES:
            name = item.filename.rpartition("/")[2].rpartition("\\")[2] or None
            pictures.append(Picture(role_of(item.name), content, media_type=item.media_type, name=name))
    return Form(texts_found, tuple(pictures))


def is_form(asked: Asked) -> bool:
    return asked.content_type.lower().startswith("multipart/form-data")


def at_of_seconds(value: Any) -> int | None:
    """Return seconds since 1970, as the source spelled them, in milliseconds."""
    try:
        milliseconds = int(float(value) * 1000)
    except (TypeError, ValueError, OverflowError):
        return None
    return milliseconds if 0 < milliseconds < 1 << 43 else None


def at_of_text(value: Any) -> int | None:
    """Return an instant with its offset (ISO 8601) in milliseconds since 1970."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return None if moment.tzinfo is None else _milliseconds(moment)


def at_of_answer(answered: Answered) -> int | None:
    """Return the server's own time of answering."""
    try:
        return _milliseconds(parsedate_to_datetime(answered.headers["date"]))
    except (KeyError, ValueError, TypeError, IndexError):
        return None


def _milliseconds(moment: datetime) -> int | None:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        return at_of_seconds(aware.timestamp())
    except (OverflowError, ValueError):
        return None


def outcome_of_status(answered: Answered) -> Outcome:
    """A service that answers 4xx turned the job down; 5xx, it tried or could not."""
    return Outcome.FAILED if (answered.status or 0) >= _SERVER_ERROR else Outcome.REFUSED


def outcome_of_end(answered: Answered) -> Outcome:
    """Say what became of a job whose answer did not come to its end."""
    match answered.end:
        case End.WHOLE:
            return Outcome.FAILED
        case End.BROKEN | End.STOPPED:
            return Outcome.INTERRUPTED
        case End.LEFT | End.CANCELLED:
            return Outcome.CANCELLED
        case End.TIMED_OUT:
            return Outcome.FAILED
