"""Midjourney in Discord: a channel exported as JSON by DiscordChatExporter.

The bot answers each request with a message whose words tell what was done: a new grid,
one picture of a grid taken out (`Image #2`), a variation, an upscale, a pan. Message times
are Discord's, with their offset. What the export does not hold is the button pressed: which
of four pictures a variation goes on from stands nowhere.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from makingof.capture.exports.midjourney import TOOL, command_reading, job_key
from makingof.capture.exports.told import (
    Export,
    Moment,
    Told,
    Wanted,
    choice,
    moment_of_text,
    note,
    observe,
    place,
    portable,
    report,
)
from makingof.event import Kind, OccurredBy
from makingof.observation import Draft

BOT = "936929561302675456"
MAX_MESSAGES = 500_000
_MAX_CONTENT = 100_000
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# The last `** - ` ends the request: a prompt may hold asterisks of its own.
_JOB = re.compile(r"\*\*(?P<prompt>.*)\*\* - (?P<rest>[^\n]{0,400})\s*\Z", re.DOTALL)
_IMAGE = re.compile(r"Image #(?P<number>[1-4])\b")
_FROM_ANOTHER = re.compile(r"(?P<act>[A-Z][A-Za-z ]{2,30}(?: \([A-Za-z ]{2,20}\))?) by ")
_UNFINISHED = re.compile(r"\((?:Waiting to start|Paused|\d{1,3}%)\)")
_STOPPED = re.compile(r"\(Stopped\)")
_NUMBERED = re.compile(r"^\s*(?:([1-4])\ufe0f?\u20e3|([1-4])[.)])\s+\S", re.MULTILINE)
_REFUSALS = (
    "banned prompt", "invalid parameter", "invalid link", "action needed", "blocked", "queue full",
    "job action restricted", "request cancelled", "failed to process",
)  # fmt: skip
_DESCRIBED = 3


@dataclass(frozen=True, slots=True)
class _Message:
    id: str
    content: str
    said: str  # the content, or what stands in embeds where there is none
    title: str
    command: str
    at: Moment
    answers: str | None
    files: tuple[str, ...]


def is_channel(value: Any) -> bool:
    """Tell whether parsed JSON is an exported channel."""
    return isinstance(value, dict) and isinstance(value.get("messages"), list) and "channel" in value


def read_channel(value: Mapping[str, Any]) -> Export:
    """Read the bot's messages in their order; other people's are not evidence of a job and are left alone."""
    messages = value["messages"]
    problems = []
    if len(messages) > MAX_MESSAGES:
        problems.append(f"{len(messages)} messages, and {MAX_MESSAGES} are read")
    told: list[Told] = []
    jobs: dict[str, Told] = {}
    for item in messages[:MAX_MESSAGES]:
        message = _parse(item)
        if message is None:
            continue
        found = list(_tell(message, jobs))
        told += found
        if found and found[0].observation.kind in (Kind.GENERATED, Kind.PROMPTED):
            jobs[message.id] = found[0]
    return Export("midjourney-discord", tuple(told), tuple(problems))


def _parse(item: Any) -> _Message | None:
    author = item.get("author") if isinstance(item, dict) else None
    if not isinstance(author, dict) or author.get("id") != BOT or not isinstance(item.get("id"), str):
        return None
    content = item.get("content")
    content = content[:_MAX_CONTENT] if isinstance(content, str) else ""
    embeds = [embed for embed in _list(item.get("embeds")) if isinstance(embed, dict)]
    descriptions = [text for embed in embeds if isinstance(text := embed.get("description"), str)]
    titles = [text for embed in embeds if isinstance(text := embed.get("title"), str)]
    interaction = item.get("interaction")
    reference = item.get("reference")
    return _Message(
        id=portable(item["id"]),
        content=content,
        said=content or "\n".join(descriptions)[:_MAX_CONTENT],
        title=" ".join(titles)[:400],
        command=str(interaction.get("name") or "") if isinstance(interaction, dict) else "",
        at=moment_of_text(item.get("timestamp")),
        answers=_text(reference.get("messageId")) if isinstance(reference, dict) else None,
        files=tuple(
            name
            for file in _list(item.get("attachments"))
            if isinstance(file, dict) and (name := _text(file.get("fileName")))
        ),
    )


def _tell(message: _Message, jobs: Mapping[str, Told]) -> Iterator[Told]:
    found = _JOB.search(message.content)
    if found is not None:
        yield from _job(message, found["prompt"], found["rest"], jobs)
    elif message.command == "describe" or len(_NUMBERED.findall(message.said)) >= _DESCRIBED:
        yield _described(message)
    elif any(word in message.title.lower() for word in _REFUSALS):
        drafts = [report(_where(message), outcome="refused", text=f"{message.title}\n{message.said}")]
        yield _told(message, "", Kind.ATTEMPTED, drafts)


def _job(message: _Message, prompt: str, rest: str, jobs: Mapping[str, Told]) -> Iterator[Told]:
    job = next((found[0] for name in message.files if (found := _ID.search(name))), None)
    before = jobs.get(message.answers or "")
    act = _act(rest)
    drafts = [
        report(
            _where(message),
            outcome="interrupted" if _STOPPED.search(rest) and not message.files else None,
            job=job,
            text=rest.strip(),
            message=message.id,
            answers=message.answers,
            timestamp=message.at.text,
        ),
        *(place(_where(message), name) for name in message.files),
    ]
    kind = Kind.GENERATED
    if not message.files:
        kind = Kind.ATTEMPTED if _STOPPED.search(rest) else Kind.PROMPTED
    wanted = tuple(_picture(name) for name in message.files)
    key = job_key(job) if job else f"told:midjourney/message/{message.id}"
    yield Told(
        key=key,
        observation=observe(kind, TOOL, drafts, at=message.at, by=OccurredBy.VENDOR),
        wanted=wanted,
        readings=(command_reading(prompt, _where(message), "discord"),),
        after=(before.key,) if before and act else (),
        job=job,
    )
    if act and before is not None and not _UNFINISHED.search(rest):
        yield from _chosen(message, key, act, wanted, before)


def _chosen(
    message: _Message, key: str, act: str, wanted: tuple[Wanted, ...], before: Told
) -> Iterator[Told]:
    """`Image #2` took that picture out of the grid. Any other act went on from what it answers."""
    table = before.wanted
    image = _IMAGE.match(act)
    if image and wanted:
        pictures, judged, among = (*wanted[:1], *table), [0], range(1, 1 + len(table))
        unknown = None
    elif table and not image:
        pictures, judged, among = table, [0], range(0)
        one = _IMAGE.search(before.observation.drafts[0].body.get("text", ""))
        unknown = None if one else "which of the grid's pictures the export does not say"
    else:
        return
    drafts: list[Draft] = [
        choice(_where(message), judged, among),
        report(_where(message), text=act, message=message.id, answers=message.answers, unknown=unknown),
    ]
    yield Told(
        key=f"{key}#chosen",
        observation=observe(Kind.SELECTED, TOOL, drafts, at=message.at, by=OccurredBy.VENDOR),
        wanted=pictures,
        after=(before.key,),
    )


def _described(message: _Message) -> Told:
    drafts = [
        note(_where(message), message.said, title="describe"),
        report(_where(message), text="/describe", message=message.id, timestamp=message.at.text),
    ]
    return _told(message, "", Kind.DESCRIBED, drafts)


def _told(message: _Message, suffix: str, kind: Kind, drafts: list[Draft]) -> Told:
    return Told(
        key=f"told:midjourney/message/{message.id}{suffix}",
        observation=observe(kind, TOOL, drafts, at=message.at, by=OccurredBy.VENDOR),
    )


def _act(rest: str) -> str | None:
    """Tell what was done to an earlier picture; None for a request of its own."""
    if image := _IMAGE.match(rest):
        return image[0]
    found = _FROM_ANOTHER.match(rest)
    return found["act"] if found else None


def _picture(name: str) -> Wanted:
    last = name.replace("\\", "/").rpartition("/")[2]
    job = _ID.search(last)
    return Wanted(name=last, token=job[0] if job else None)


def _where(message: _Message) -> str:
    return f"message {message.id}"


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return portable(value) if isinstance(value, str) and value else None
