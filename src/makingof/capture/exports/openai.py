"""ChatGPT's data export: pictures generated in conversations.

`conversations.json` holds every conversation as a tree of messages. A picture is a part
of a tool's message; what the person wrote stands further up on the same branch, and what
the image model was given may be another text. Both are kept. Pictures a person uploaded
are none of ours. Times are seconds since 1970.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from makingof.capture.exports.told import Export, Told, Wanted, moment_of_seconds, observe, portable, report
from makingof.errors import MalformedError
from makingof.event import Kind, OccurredBy
from makingof.metadata.record import text_field
from makingof.metadata.tool_json import Number, parse_tool_object
from makingof.reading import Field, Locator, Reading, State

TOOL = "openai"
READER = "chatgpt-export/1"
MAX_CONVERSATIONS = 200_000
_MAX_DEPTH = 10_000  # messages up one branch
_POINTER = re.compile(r"(?:file-service|sediment)://(?P<id>file[-_][A-Za-z0-9_-]{4,80})")
_FIELDS = ("gen_id", "parent_gen_id", "edit_op", "gen_size", "serialization_title", "orientation")


@dataclass(frozen=True, slots=True)
class _Message:
    id: str
    role: str
    name: str
    recipient: str
    content: Mapping[str, Any]
    metadata: Mapping[str, Any]
    seconds: Any
    parent: str | None


def conversations(value: Any) -> list[Any] | None:
    """Return the conversations of parsed JSON, or None where it is no such export."""
    if isinstance(value, list) and value and any(_is_conversation(item) for item in value[:20]):
        return value
    return [value] if _is_conversation(value) else None


def _is_conversation(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("mapping"), dict)


def read_conversations(items: list[Any]) -> Export:
    """Read every generated picture; what is no conversation is a problem and the rest is read."""
    told: list[Told] = []
    problems: list[str] = []
    for number, item in enumerate(items[:MAX_CONVERSATIONS], 1):
        if not _is_conversation(item):
            problems.append(f"entry {number} is no conversation")
            continue
        told += _tell(item)
    if len(items) > MAX_CONVERSATIONS:
        problems.append(f"{len(items)} conversations, and {MAX_CONVERSATIONS} are read")
    return Export("chatgpt", tuple(told), tuple(problems[:100]))


def _tell(conversation: Mapping[str, Any]) -> Iterator[Told]:
    messages: dict[str, _Message] = {}
    for node, item in conversation["mapping"].items():
        message = _parse(str(node), item)
        if message is not None:
            messages[str(node)] = message
    identity = conversation.get("conversation_id", conversation.get("id"))
    generated: dict[str, str] = {}  # gen_id → key
    for node, message in messages.items():
        if message.role == "user" or not isinstance(message.content.get("parts"), list):
            continue
        for number, part in enumerate(message.content["parts"]):
            pointer = _POINTER.fullmatch(str(part.get("asset_pointer"))) if isinstance(part, dict) else None
            if pointer is None or not _is_generated(part, message):
                continue
            told = _picture(messages, node, number, part, pointer["id"], identity, generated)
            yield told


def _parse(node: str, item: Any) -> _Message | None:
    """Read one node; a node without a message joins its children to its parent."""
    if not isinstance(item, dict):
        return None
    parent = item.get("parent")
    message = item.get("message")
    message = message if isinstance(message, dict) else {}
    author = message.get("author")
    author = author if isinstance(author, dict) else {}
    content, metadata = message.get("content"), message.get("metadata")
    return _Message(
        id=portable(str(message.get("id") or node)),
        role=str(author.get("role") or ""),
        name=str(author.get("name") or ""),
        recipient=str(message.get("recipient") or ""),
        content=content if isinstance(content, dict) else {},
        metadata=metadata if isinstance(metadata, dict) else {},
        seconds=message.get("create_time"),
        parent=parent if isinstance(parent, str) else None,
    )


def _is_generated(part: Mapping[str, Any], message: _Message) -> bool:
    """A picture is a generator's where the record of it says so, or its tool is the image tool."""
    told = part.get("metadata")
    told = told if isinstance(told, dict) else {}
    return (
        isinstance(told.get("dalle"), dict)
        or isinstance(told.get("generation"), dict)
        or (message.role == "tool" and message.name.startswith("dalle"))
    )


def _picture(
    messages: Mapping[str, _Message],
    node: str,
    number: int,
    part: Mapping[str, Any],
    file: str,
    conversation: Any,
    generated: dict[str, str],
) -> Told:
    message = messages[node]
    where = f"message {message.id} part {number}"
    inner = part.get("metadata")
    said = _said(inner if isinstance(inner, dict) else {})
    branch = list(_branch(messages, message.parent))
    key = f"told:openai/file/{file}"
    before = generated.get(said.get("parent_gen_id", ""))
    if "gen_id" in said:
        generated.setdefault(said["gen_id"], key)
    drafts = [
        report(
            where,
            job=said.get("gen_id"),
            text=message.name or None,
            conversation=conversation if isinstance(conversation, str) else None,
            message=message.id,
            create_time=message.seconds if isinstance(message.seconds, str) else None,
            also={name: said[name] for name in _FIELDS if name in said},
        )
    ]
    return Told(
        key=key,
        observation=observe(
            Kind.GENERATED, TOOL, drafts, at=moment_of_seconds(message.seconds), by=OccurredBy.VENDOR
        ),
        wanted=(Wanted(token=file, name=file),),
        readings=(_reading(said, part, branch, message, where),),
        after=(before,) if before else (),
        job=said.get("gen_id"),
    )


def _said(metadata: Mapping[str, Any]) -> dict[str, str]:
    """Join what the two generations of the export call `dalle` and `generation`."""
    found: dict[str, str] = {}
    for name in ("dalle", "generation"):
        inner = metadata.get(name)
        for key, value in inner.items() if isinstance(inner, dict) else ():
            if isinstance(value, str) and value:
                found[str(key)] = portable(value)
    return found


def _branch(messages: Mapping[str, _Message], node: str | None) -> Iterator[_Message]:
    """Walk up one branch; a ring of parents ends."""
    seen: set[str] = set()
    while node is not None and node in messages and node not in seen and len(seen) < _MAX_DEPTH:
        seen.add(node)
        yield messages[node]
        node = messages[node].parent


def _reading(
    said: Mapping[str, str],
    part: Mapping[str, Any],
    branch: list[_Message],
    message: _Message,
    where: str,
) -> Reading:
    fields: dict[str, Field] = {}
    asked = _call(branch)
    given = said.get("prompt") or asked.get("prompt")
    typed = _typed(branch)
    if given:
        fields["prompt"] = text_field(given, f"{where} dalle.prompt" if said.get("prompt") else "tool call")
    if typed:
        fields["typed_prompt"] = text_field(typed, "the message of the user before it")
    for name, value in (("seed", said.get("seed")), ("job", said.get("gen_id"))):
        if value:
            fields[name] = text_field(value, where)
    for name in ("width", "height"):
        if isinstance(part.get(name), Number):
            fields[name] = text_field(part[name], f"{where} {name}")
    if isinstance(slug := message.metadata.get("model_slug"), str) and slug:
        fields["tool:model_slug"] = text_field(slug, f"{where} metadata.model_slug")
    for name in ("size", "n"):
        if asked.get(name):
            fields[f"tool:{name}"] = text_field(asked[name], "tool call")
    raw = "\n".join(filter(None, (given, typed))) or where
    return Reading(
        tool=TOOL,
        locator=Locator("json", where),
        state=State.PRESENT,
        raw=raw.encode("utf-8", "surrogatepass"),
        fields=fields,
        main=True,
        reader=READER,
    )


def _call(branch: list[_Message]) -> dict[str, str]:
    """Return what the assistant asked of the image tool, in the message right before the picture's."""
    for message in branch:
        if message.role == "user":
            return {}
        if message.role == "assistant" and message.recipient not in ("", "all"):
            try:
                value, _ = parse_tool_object(_text(message))
            except MalformedError:
                return {}
            return {str(key): str(item) for key, item in value.items() if isinstance(item, str)}
    return {}


def _typed(branch: list[_Message]) -> str | None:
    found = next((message for message in branch if message.role == "user"), None)
    return None if found is None else _text(found) or None


def _text(message: _Message) -> str:
    parts = message.content.get("parts")
    texts = [part for part in parts if isinstance(part, str)] if isinstance(parts, list) else []
    inner = message.content.get("text")
    return "\n".join(texts) or (str(inner) if isinstance(inner, str) else "")
