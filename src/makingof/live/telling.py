"""From what was asked and answered to the parts and files of an observation. Pure."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from makingof.containers.sniff import sniff
from makingof.errors import MalformedError
from makingof.live.exchange import Answered, Asked, End
from makingof.live.journal import Statement
from makingof.live.removal import QUERY_REMOVED, Cleaned, clean_form, clean_json, without_queries
from makingof.live.services.said import Outcome, Picture, Told, Wish, Words
from makingof.live.wire import form_fields
from makingof.part import escaped, portable_text
from makingof.spool.carried import Json

READER = "hosted-call/1"
_MAX_RAW_BYTES = 256 << 10
_MAX_TEXT_CHARS = 100_000  # twice in one part, and three bytes each
_NAME = re.compile(r"[^\w.-]+")
_SUFFIXES = {"jpeg": ".jpg", "tiff": ".tif"}
_TEXTUAL = ("json", "text", "event-stream")


@dataclass(slots=True)
class _Draft:
    """Parts and files on their way to a statement; files are numbered as they come."""

    service: str
    job: str | None = None
    parts: list[Json] = field(default_factory=list)
    files: list[Json] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)  # texts of pictures → names of their files

    def add(self, kind: str, where: str, body: Json, *, is_vouched: bool = False) -> None:
        part: Json = {"type": kind, "from": where, "body": _plain(body)}
        if is_vouched and self.job:
            part["vouched"] = {"by": self.service, "job": _plain(self.job)}
        self.parts.append(part)

    def attach(self, picture: Picture) -> int:
        """Attach a picture that is there; return its number among the files."""
        data = picture.data or b""
        name = _file_name(picture, len(self.files), data)
        told: Json = {
            "bytes": data,
            "role": picture.role,
            "name": name,
            "media_type": _plain(picture.media_type),
        }
        if picture.number is not None:
            told["number"] = picture.number
        self.files.append(told)
        if picture.text is not None:
            self.kept[picture.text] = name
        return len(self.files) - 1

    def statement(self) -> Statement:
        return Statement(self.parts, self.files)


def asked_statement(service: str, asked: Asked, wish: Wish) -> Statement:
    """Tell a request: prompts, parameters, pictures given, and the request's own bytes."""
    draft = _Draft(service)
    where = f"api:{asked.path}"
    for picture in wish.pictures:
        if picture.data is not None:
            draft.attach(picture)
        elif picture.url is not None:
            draft.add("place", where, {"url": without_query(picture.url)})
    _add_prompts(draft, where, wish, ())
    if not wish.prompts:
        draft.add("prompt", where, {"state": "absent", "written": "unknown"})
    if wish.fields:
        draft.add("parameters", where, _parameters(service, wish.fields, asked.path, is_main=True))
    facts: Json = {
        "method": asked.method,
        "url": asked.url,
        "headers": dict(asked.headers),
        "size": asked.size,
    }
    if asked.removed:
        facts["removed"] = list(asked.removed)
    if not asked.is_whole:
        facts["cut_off"] = True
    _add_raw(draft, f"{asked.method} {asked.path}", asked.body, asked.content_type, facts)
    draft.add("report", where, {"facts": facts})
    return draft.statement()


def answered_statement(
    service: str, asked: Asked, wish: Wish | None, answered: Answered, told: Told
) -> Statement:
    """Tell what became of a job: pictures, the words they were made from, the vendor's own terms."""
    draft = _Draft(service, told.job)
    where = f"api:{asked.path}"
    for picture in told.pictures:
        number = draft.attach(picture) if picture.data is not None else None
        if picture.url is not None:
            place = {"url": without_query(picture.url)} | (
                {} if number is None else {"file": {"attached": number}}
            )
            draft.add("place", where, place, is_vouched=True)
    _add_prompts(draft, where, wish, told.revised)
    fields = dict(told.fields)
    if fields:
        draft.add("parameters", where, _parameters(service, fields, "answer", is_main=False), is_vouched=True)
    if told.note:
        draft.add(
            "note",
            where,
            {"text": told.note[:_MAX_TEXT_CHARS], "title": "words the model gave"},
            is_vouched=True,
        )
    facts = _answer_facts(answered, told)
    _add_raw(draft, f"answer to {asked.method} {asked.path}", answered.body, answered.content_type, facts)
    report: Json = {
        "job": told.job,
        "outputs": told.outputs,
        "text": _open_text(told.text or "")[:_MAX_TEXT_CHARS] or None,
    }
    if told.outcome not in (Outcome.MADE, Outcome.WAITING):
        report["outcome"] = told.outcome.value
    elif told.facts.get("safety"):
        report["outcome"] = Outcome.REFUSED.value
    report = {name: value for name, value in report.items() if value is not None}
    draft.add("report", where, report | {"facts": facts}, is_vouched=answered.status is not None)
    return draft.statement()


def _answer_facts(answered: Answered, told: Told) -> Json:
    facts: Json = {"headers": dict(answered.headers), "size": answered.size} | dict(told.facts)
    if answered.status is not None:
        facts["http_status"] = answered.status
    if answered.end is not End.WHOLE:
        facts["end"] = answered.end.value
    if answered.error is not None:
        facts["error"] = answered.error
    return facts


def _add_prompts(draft: _Draft, where: str, wish: Wish | None, revised: Sequence[Words]) -> None:
    """Add the prompt as it was given, and beside it what the service says it made of it."""
    asked = wish.prompts if wish is not None else ()
    given = "\n".join(words.text for words in asked)
    place = asked[0].place if asked else "prompt"
    told = list(dict.fromkeys(words.text for words in revised))
    for ordinal, text in enumerate(told):
        words = next(words for words in revised if words.text == text)
        body = _text(text, given or None) | ({"ordinal": ordinal} if ordinal else {})
        draft.add("prompt", f"{where} {words.place}", body, is_vouched=True)
    if not told and given:
        rewritten = wish is not None and wish.is_rewritten
        draft.add("prompt", f"{where} {place}", _text(None, given) if rewritten else _text(given, None))
    if wish is not None and wish.negative is not None:
        draft.add("negative", f"{where} {wish.negative.place}", _text(wish.negative.text, None))


def _text(effective: str | None, typed: str | None) -> Json:
    """Spell a prompt; one that fits no part stands in the raw record alone."""
    text = effective if effective is not None else typed or ""
    if len(text) > _MAX_TEXT_CHARS or len(typed or "") > _MAX_TEXT_CHARS:
        return {"state": "unreadable", "written": "unknown"}
    kept, encoded = portable_text(text)
    if encoded is not None:
        return {"state": "unreadable", "written": "unknown", "base64": encoded}
    body: Json = {
        "state": "present",
        "written": "unknown",
        ("typed" if effective is None else "effective"): kept,
    }
    if effective is not None and typed is not None and typed != effective:
        before, _ = portable_text(typed)
        body |= {"typed": before} if before is not None else {}
    return body


def _parameters(service: str, fields: Mapping[str, str], source: str, *, is_main: bool) -> Json:
    return {
        "tool": service,
        "reader": READER,
        "main": is_main,
        "fields": {name: {"value": value, "source": source} for name, value in fields.items()},
    }


def _add_raw(draft: _Draft, locator: str, body: bytes | None, content_type: str, facts: Json) -> None:
    """Keep the bytes themselves, without credentials and pictures; what is no text is a file or nothing."""
    if body is None:
        facts["body"] = "too large to keep"
        return
    cleaned = _cleaned(body, content_type, draft.kept)
    if cleaned is None or not cleaned.data:
        return
    if cleaned.removed:
        facts["removed_from_body"] = cleaned.removed
    raw: Json = {
        "locator": locator,
        "digest": "sha256:" + hashlib.sha256(cleaned.data).hexdigest(),
        "size": len(cleaned.data),
        "tool": draft.service,
    }
    if len(cleaned.data) <= _MAX_RAW_BYTES:
        raw["base64"] = base64.b64encode(cleaned.data).decode("ascii")
    else:
        raw |= {"file": {"attached": len(draft.files)}, "offset": 0}
        draft.files.append(
            {"bytes": cleaned.data, "role": "reference", "name": f"body-{len(draft.files)}.txt"}
        )
    draft.add("raw", locator, raw, is_vouched=locator.startswith("answer"))


def _cleaned(body: bytes, content_type: str, kept: Mapping[str, str]) -> Cleaned | None:
    if content_type.lower().startswith("multipart/form-data"):
        try:
            return clean_form(body, form_fields(body, content_type))
        except MalformedError:
            return None  # what cannot be taken apart cannot be cleaned
    if sniff(body) is not None or not any(word in content_type.lower() for word in _TEXTUAL):
        return None
    return clean_json(body, kept)


def gap_statement(service: str, job: str | None, stream: str, problems: Sequence[str]) -> Statement:
    """Tell of pictures the service made and this hook did not get to see."""
    facts: Json = {
        "why": "output_not_seen",
        "stream": stream,
        "service": service,
        "problems": list(problems)[:50],
    }
    facts |= {"job": job} if job else {}
    return Statement([{"type": "own", "from": "hook", "body": {"facts": _plain(facts)}}])


def _open_text(text: str) -> str:
    return without_queries(escaped(text).encode()).decode()


def without_query(url: str) -> str:
    """Return an address without its query: what stands there often lets anybody fetch."""
    parts = urlsplit(url)
    host = (parts.netloc.rpartition("@")[2]) or ""
    return f"{parts.scheme}://{host}{parts.path}" + (QUERY_REMOVED if parts.query else "")


def _file_name(picture: Picture, number: int, data: bytes) -> str:
    container = sniff(data)
    suffix = _SUFFIXES.get(container or "", f".{container}" if container else "")
    given = picture.name
    if given is None and picture.url is not None and not picture.url.startswith("data:"):
        given = unquote(urlsplit(picture.url).path).rpartition("/")[2]
    name = _NAME.sub("_", given or "").strip("._")[-100:]
    if not name:
        return f"{picture.role}-{number}{suffix}"
    return name if "." in name[1:] else name + suffix


def _plain(value: Any) -> Any:
    """Bodies hold text, whole numbers, truth values, lists and objects; a lone surrogate is spelled out."""
    if isinstance(value, dict):
        return {str(_plain(str(name))): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return escaped(value)
    return value if isinstance(value, (bool, int)) or value is None else str(value)
