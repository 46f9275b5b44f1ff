"""What is taken out of bodies before they are hashed: credentials, and pictures kept as files. Pure.

The bytes around stay as they were, so numbers, order and spelling survive, and what does
not parse is cleaned all the same. Values under names like `api_key` go, and what stands
in addresses for who may fetch: query and user; prompts never, whatever they look like.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote_from_bytes

from makingof.live.wire import FormField

REMOVED = b"(removed by makingof: a credential)"
QUERY_REMOVED = "?(removed by makingof)"
_FORM_FILE = b"(kept by makingof as a file of this event)"
_FORM_CUT = b"(cut off here)"
MAX_REMOVED = 200
_BASE64_CHARS = 64 << 10  # a longer text of nothing but base64 is no prompt
_SECRET_NAME = re.compile(
    r"(?:^|[_\-.])(?:(?:api|private|access|secret|subscription)[_\-]?keys?|keys?[_\-]?secret|(?:access|auth)[_\-]?tokens|"
    r"(?:fal|openai|google|gemini|replicate|stability|aws|azure|hf|civitai)[_\-]key|token|bearer|secrets?|passw(?:or)?d|authorization|credentials?|cookies?)$",
    re.IGNORECASE,
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORDS = frozenset(
    {"prompt", "text", "negative_prompt", "negativeprompt", "input", "content", "instructions"}
)
# A string up to its end, or up to where the body was cut off: without the second, every
# escaped quote of a body cut off inside a string would be a new beginning to try.
_STRING = re.compile(rb'"([^"\\]*(?:\\.[^"\\]*)*)(?:"|\\?\Z)', re.DOTALL)
_COLON = re.compile(rb"\s{0,100}:")
# Errors quote addresses in the middle of a sentence. Each run is matched to its end, with a
# query or without: a long run of beginnings would be looked through from each of them.
_ADDRESS = re.compile(rb"((?:https?|wss?):(?:\\?/){2})([^\s\"?]*+)(\?[^\s\"]++)?", re.IGNORECASE)
_SCHEME = re.compile(rb"(?:https?|wss?):", re.IGNORECASE)
_FORM_END = re.compile(rb"\r\n--[^\r\n]{1,200}--\s{0,10}")
_BASE64 = re.compile(rb"(?:data:[\w.+/;=\\-]{1,200},)?[A-Za-z0-9+/_\\\-]+={0,2}")


@dataclass(slots=True)
class Cleaned:
    """A body as it is kept, and the names of what was taken out of it as a credential."""

    data: bytes
    removed: list[str] = field(default_factory=list)


def is_secret_name(name: str) -> bool:
    """Tell whether the name of a field or header says that its value is a credential."""
    return _SECRET_NAME.search(_HUMP.sub("_", name)) is not None


def clean_json(data: bytes, kept: Mapping[str, str]) -> Cleaned:
    """Return JSON, or lines that hold JSON, as they are kept.

    `kept` maps texts of pictures to the names of the files they became.
    """
    cleaned = Cleaned(b"")
    pieces: list[bytes] = []
    done = 0
    key = ""
    for found in _STRING.finditer(data):
        if _COLON.match(data, found.end()):
            key = found[1][:200].decode("utf-8", "replace")
            continue
        instead = _instead_of(found[1], key, kept, cleaned.removed)
        if instead is not None:
            pieces += [data[done : found.start(1)], instead]
            done = found.end(1)
    pieces.append(data[done:])
    cleaned.data = b"".join(pieces)
    return cleaned


def _instead_of(value: bytes, key: str, kept: Mapping[str, str], removed: list[str]) -> bytes | None:
    if is_secret_name(key) and value:
        _note(removed, key)
        return REMOVED
    name = kept.get(value.decode("utf-8", "replace").replace("\\/", "/")) if kept else None
    if name is not None:
        return f"({len(value)} characters, kept by makingof as {name})".encode()
    if len(value) > _BASE64_CHARS and _BASE64.fullmatch(value):
        return f"({len(value)} characters of base64, left out by makingof)".encode()
    are_words = key.lower() in _WORDS or key.lower().endswith("_prompt")
    if are_words and (key != "input" or not _ADDRESS.fullmatch(value)):
        return None  # fal names under `input` the address it could not fetch
    cleaned = without_queries(value)
    if cleaned == value:
        return None
    _note(removed, f"{key} (query)")
    return cleaned


def without_queries(text: bytes) -> bytes:
    """Return `text` with every address in it without query and user, for these may let anybody fetch."""
    return _ADDRESS.sub(_open_part, text) if _SCHEME.search(text) else text


def _open_part(found: re.Match[bytes]) -> bytes:
    host, slash, path = found[2].partition(b"/")
    return found[1] + host.rpartition(b"@")[2] + slash + path + (QUERY_REMOVED.encode() if found[3] else b"")


def clean_form(data: bytes, fields: Sequence[FormField]) -> Cleaned:
    """Return a multipart form without its files and without the values of fields named like credentials."""
    cleaned = Cleaned(b"")
    pieces: list[bytes] = []
    done = 0
    for item in fields:
        is_secret = is_secret_name(item.name)
        if item.filename is None and not is_secret:
            continue
        if is_secret:
            _note(cleaned.removed, item.name)
        pieces += [data[done : item.start], REMOVED if is_secret else _FORM_FILE]
        done = item.end
    # What a form that was cut off ends with belongs to no field, and may be the half of a secret.
    last = max((item.end for item in fields), default=0)
    pieces += [data[done:last], data[last:] if _FORM_END.fullmatch(data, last) else _FORM_CUT]
    cleaned.data = b"".join(pieces)
    return cleaned


def without_values(data: bytes, values: Iterable[bytes]) -> bytes:
    """Return `data` without the very credentials of a request: some services name them in their errors."""
    for value in values:
        spellings = (value, value.replace(b"/", rb"\/"), quote_from_bytes(value, safe="").encode("ascii"))
        for spelling in dict.fromkeys(spellings):
            data = data.replace(spelling, REMOVED)
    return data


def _note(removed: list[str], name: str) -> None:
    if name not in removed and len(removed) < MAX_REMOVED:
        removed.append(name)
