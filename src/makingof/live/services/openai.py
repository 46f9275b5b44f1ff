"""OpenAI: the Images API (generations, edits, variations) and pictures of the Responses API.

Services that offer the same interface under another address are named by their base
address. Pictures of the GPT image models come without the words they were made from;
`revised_prompt` is given by others, and by the Responses API.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from makingof.live.exchange import Answered, Asked
from makingof.live.services.said import (
    Outcome,
    Picture,
    Route,
    Step,
    Told,
    Wish,
    Words,
    at_of_answer,
    at_of_seconds,
    events_of,
    fields_of,
    inner,
    is_form,
    items,
    json_object,
    outcome_of_end,
    outcome_of_status,
    picture_of,
    read_form,
    spelled,
    texts,
)

NAME = "openai"
_IMAGES = re.compile(r"/images/(?:generations|edits|variations)/?$")
_RESPONSES = re.compile(r"/responses/?$")
_RESPONSE = re.compile(r"/responses/(?P<id>resp_[\w-]{1,200})(?:/cancel)?/?$")
_SHARED = {"model": "model", "seed": "seed", "user": "user"}
_PICTURES = ("prompt", "image", "images", "mask", "input", "instructions", "tools")
_SAFETY = frozenset({"moderation_blocked", "content_policy_violation", "image_generation_user_error"})
_REWRITING = ("dall-e-3",)
_DESCRIBED = ("background", "output_format", "quality", "size", "usage", "safety_identifier", "action")


def route(method: str, path: str) -> Route | None:
    """Tell what a request is; the Responses API answers with text as well, which only its body tells."""
    if method == "POST" and (_IMAGES.search(path) or _RESPONSES.search(path)):
        return Route(Step.ASKS)
    found = _RESPONSE.search(path)
    return Route(Step.LOOKS, found["id"]) if found and method in ("GET", "POST") else None


def read_wish(asked: Asked) -> Wish | None:
    """Read a request to the Images API, or one to the Responses API that offers the tool for pictures."""
    if is_form(asked):
        form = read_form(asked, _role)
        prompt = form.texts.get("prompt")
        return Wish(
            prompts=(Words(prompt, "prompt"),) if prompt else (),
            fields=fields_of(form.texts, _SHARED, _PICTURES),
            pictures=form.pictures,
            is_rewritten=_rewrites(form.texts.get("model")),
        )
    told = json_object(asked.body)
    if _RESPONSES.search(asked.path):
        return _read_response_wish(told)
    prompt = texts(told.get("prompt"))
    return Wish(
        prompts=(Words(prompt, "prompt"),) if prompt else (),
        fields=fields_of(told, _SHARED, _PICTURES),
        pictures=tuple(_given(told)),
        is_rewritten=_rewrites(told.get("model")),
    )


def _rewrites(model: Any) -> bool:
    return isinstance(model, str) and model.startswith(_REWRITING)


def _role(name: str) -> str:
    return "mask" if name.startswith("mask") else "init"


def _given(told: dict[str, Any]) -> Iterator[Picture]:
    """Pictures that a JSON request to edit names."""
    for value in [*items(told.get("images")), told.get("image"), *items(told.get("image"))]:
        address = inner(value, "image_url") if isinstance(value, dict) else value
        if found := picture_of(address, "init"):
            yield found
    mask = told.get("mask")
    if found := picture_of(inner(mask, "image_url") if isinstance(mask, dict) else mask, "mask"):
        yield found


def _read_response_wish(told: dict[str, Any]) -> Wish | None:
    tool = next(
        (tool for tool in items(told.get("tools")) if inner(tool, "type") == "image_generation"), None
    )
    if tool is None:
        return None
    fields = fields_of(tool, {}, ("type", "input_image_mask"))
    fields |= fields_of(told, _SHARED, (*_PICTURES, "model"))
    if model := texts(told.get("model")):
        fields["tool:responses_model"] = model
    if model := texts(inner(tool, "model")):
        fields = {name: value for name, value in fields.items() if name != "tool:model"} | {"model": model}
    words, pictures = _conversation(told.get("input"))
    mask = picture_of(inner(tool, "input_image_mask", "image_url"), "mask")
    return Wish(words, None, fields, (*pictures, *([mask] if mask else ())), is_rewritten=True)


def _conversation(given: Any) -> tuple[tuple[Words, ...], tuple[Picture, ...]]:
    """Return the words of the last turn of the user, and every picture of the conversation."""
    if isinstance(given, str):
        return (Words(given, "input"),) if given else (), ()
    words: list[Words] = []
    pictures: list[Picture] = []
    turns = items(given)
    last = max((at for at, turn in enumerate(turns) if inner(turn, "role") == "user"), default=-1)
    for at, turn in enumerate(turns):
        content = inner(turn, "content")
        for piece in [{"text": content}] if isinstance(content, str) else items(content):
            text = texts(inner(piece, "text"))
            if at == last and text:
                words.append(Words(text, f"input[{at}]"))
            if found := picture_of(inner(piece, "image_url"), "init" if at == last else "reference"):
                pictures.append(found)
        if inner(turn, "type") == "image_generation_call" and (
            found := picture_of(inner(turn, "result"), "reference")
        ):
            pictures.append(found)
    return tuple(words), tuple(pictures)


def read_answer(answered: Answered) -> Told:
    """Read an answer of either interface, whole or as a stream of events."""
    request = answered.headers.get("x-request-id") or answered.headers.get("apim-request-id")
    facts: dict[str, Any] = {"request_id": request} if request else {}
    if "event-stream" in answered.content_type:
        return _read_stream(answered, request, facts)
    told = json_object(answered.body)
    if not answered.is_success:
        return _error(
            inner(told, "error"), request, facts, outcome_of_status(answered), at_of_answer(answered)
        )
    if inner(told, "object") == "response":
        return _read_response(told, facts, answered)
    pictures = [
        found
        for number, item in enumerate(items(told.get("data")))
        if (found := picture_of(inner(item, "b64_json") or inner(item, "url"), number=number))
    ]
    return Told(
        Outcome.MADE,
        request,
        tuple(pictures),
        tuple(_revised(items(told.get("data")), "data")),
        facts=facts | _described(told),
        outputs=len(items(told.get("data"))),
        at_ms=at_of_seconds(told.get("created")) or at_of_answer(answered),
    )


def _described(told: Any) -> dict[str, Any]:
    return {name: spelled(value) for name in _DESCRIBED if (value := inner(told, name)) is not None}


def _revised(found: list[Any], place: str) -> Iterator[Words]:
    for number, item in enumerate(found):
        if text := texts(inner(item, "revised_prompt")):
            yield Words(text, f"{place}[{number}].revised_prompt")


def _error(
    error: Any, job: str | None, facts: dict[str, Any], outcome: Outcome, at_ms: int | None, **more: Any
) -> Told:
    code = texts(inner(error, "code"))
    facts = facts | {name: text for name in ("code", "type", "param") if (text := texts(inner(error, name)))}
    if {code, facts.get("type")} & _SAFETY:
        facts["safety"] = True
        outcome = Outcome.REFUSED
        if details := inner(error, "moderation_details"):
            facts["moderation"] = spelled(details)
    return Told(
        outcome, job, facts=facts, text=texts(inner(error, "message")), outputs=0, at_ms=at_ms, **more
    )


def _read_response(told: dict[str, Any], facts: dict[str, Any], answered: Answered) -> Told:
    """Read the object of the Responses API, finished or not."""
    job = texts(told.get("id"))
    at_ms = at_of_seconds(told.get("completed_at") or told.get("created_at")) or at_of_answer(answered)
    status = told.get("status")
    if status in ("queued", "in_progress"):
        return Told(Outcome.WAITING, job)
    calls = [item for item in items(told.get("output")) if inner(item, "type") == "image_generation_call"]
    if status == "failed" or (calls and not any(inner(call, "result") for call in calls)):
        error = told.get("error") or next((error for call in calls if (error := inner(call, "error"))), None)
        return _error(error, job, facts, Outcome.FAILED, at_ms)
    pictures = [
        found
        for number, call in enumerate(calls)
        if (found := picture_of(inner(call, "result"), number=number, name=texts(inner(call, "id"))))
    ]
    note = "\n".join(
        text
        for item in items(told.get("output"))
        for piece in items(inner(item, "content"))
        if (text := texts(inner(piece, "text")))
    )
    facts = (
        facts
        | {"calls": [texts(inner(call, "id")) or "" for call in calls]}
        | _described(calls[0] if calls else {})
    )
    return Told(
        Outcome.CANCELLED if status == "cancelled" else Outcome.MADE,
        job,
        tuple(pictures),
        tuple(_revised(calls, "output")),
        {"tool:responses_model": model} if (model := texts(told.get("model"))) else {},
        facts | ({"status": status} if isinstance(status, str) else {}),
        note=note or None,
        outputs=len(calls),
        at_ms=at_ms,
    )


def _read_stream(answered: Answered, request: str | None, facts: dict[str, Any]) -> Told:
    """Read server-sent events: partial pictures are previews, and only a finished one is an output."""
    previews: list[Picture] = []
    finished: list[Any] = []
    final: dict[str, Any] | None = None
    job, error = request, None
    for name, told in events_of(answered.body):
        kind = texts(told.get("type")) or name
        job = texts(inner(told, "response", "id")) or job
        if kind.endswith(".partial_image"):
            value = told.get("b64_json") or told.get("partial_image_b64")
            if found := picture_of(value, "preview", len(previews)):
                previews.append(found)
        elif kind in ("image_generation.completed", "image_edit.completed"):
            finished.append(told)
        elif kind == "response.output_item.done" and inner(told, "item", "type") == "image_generation_call":
            finished.append(told["item"])
        elif kind in ("response.completed", "response.failed", "response.incomplete"):
            final = inner(told, "response")
        elif kind == "error" or "error" in told:
            error = told.get("error") or told
    if isinstance(final, dict):
        # The last event repeats the items; where it leaves them out, they were told one by one.
        output = final.get("output") if _has_result(final) else finished
        read = _read_response(final | {"output": output}, facts, answered)
        return replace(read, pictures=(*read.pictures, *previews))
    if error is not None:
        return _error(error, job, facts, Outcome.FAILED, at_of_answer(answered), pictures=tuple(previews))
    outputs = [
        found
        for number, told in enumerate(finished)
        if (found := picture_of(told.get("b64_json") or told.get("result"), number=number))
    ]
    return Told(
        Outcome.MADE if outputs else outcome_of_end(answered),
        job,
        (*outputs, *previews),
        tuple(_revised(finished, "completed")),
        facts=facts | _described(finished[0] if finished else {}),
        outputs=len(finished),
        at_ms=at_of_seconds(finished[-1].get("created_at")) if finished else at_of_answer(answered),
    )


def _has_result(final: dict[str, Any]) -> bool:
    return any(inner(item, "result") for item in items(final.get("output")))
