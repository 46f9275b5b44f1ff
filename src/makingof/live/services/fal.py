"""fal: models run at once (`fal.run`) or by its queue; outputs lie at addresses.

The queue answers a submission with an id; the result is asked for by that id, under a path
that names only the owner and the app. Any model can be asked here.
"""

import re
from collections.abc import Iterator
from typing import Any

from makingof.live.exchange import Answered, Asked, End
from makingof.live.services.said import (
    MAX_PICTURES,
    Outcome,
    Picture,
    Route,
    Step,
    Told,
    Wish,
    Words,
    at_of_answer,
    events_of,
    fields_of,
    inner,
    is_address,
    items,
    json_object,
    outcome_of_end,
    outcome_of_status,
    picture_of,
    spelled,
    texts,
)

NAME = "fal"
_JOB = re.compile(r"/requests/(?P<id>[A-Za-z0-9_-]{5,100})(?P<act>/status(?:/stream)?|/cancel|/response)?/?$")
_APP = re.compile(r"^/[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,200}(?:/[A-Za-z0-9_./-]{0,300})?$")
_STORAGE = ("/storage/", "/tokens", "/files/")
_SHARED = {
    "seed": "seed", "num_inference_steps": "steps", "guidance_scale": "guidance", "scheduler": "scheduler",
    "strength": "denoise", "image_size.width": "width", "image_size.height": "height",
}  # fmt: skip
_WORDS = ("prompt", "negative_prompt")
_MEDIA = ("image", "images", "video", "videos", "mask", "masks", "image_mask")
_NOT_READY = ("still in progress", "is in progress", "not completed")


def route(method: str, path: str) -> Route | None:
    """Tell what a request is. The status of a job says nothing of its result."""
    found = _JOB.search(path)
    if found:
        is_result = found["act"] in (None, "/response") and method == "GET"
        return Route(Step.LOOKS, found["id"]) if is_result else None
    if method == "POST" and _APP.fullmatch(path) and not path.startswith(_STORAGE):
        return Route(Step.ASKS)
    return None


def read_wish(asked: Asked) -> Wish | None:
    """Read the input of a model; its name is the path."""
    told = json_object(asked.body)
    prompt, negative = (texts(told.get(name)) for name in _WORDS)
    return Wish(
        prompts=(Words(prompt, "prompt"),) if prompt else (),
        negative=Words(negative, "negative_prompt") if negative else None,
        fields=fields_of(told, _SHARED, _WORDS) | {"model": asked.path.strip("/").removesuffix("/stream")},
        pictures=tuple(_given(told)),
    )


def _given(told: dict[str, Any]) -> Iterator[Picture]:
    for name, value in told.items():
        role = "mask" if "mask" in name else "control" if "control" in name else "init"
        for item in value if isinstance(value, list) else [value]:
            address = inner(item, "url") or inner(item, "image_url") if isinstance(item, dict) else item
            if is_address(address) and (found := picture_of(address, role)):
                yield found


def read_answer(answered: Answered) -> Told:
    """Read a result, the id of a job that waits, a stream of partial results, or an error."""
    request = answered.headers.get("x-fal-request-id")
    facts: dict[str, Any] = {
        name.removeprefix("x-fal-").replace("-", "_"): value
        for name, value in answered.headers.items()
        if name in ("x-fal-error-type", "x-fal-billable-units")
    }
    if "event-stream" in answered.content_type:
        return _read_stream(answered, request, facts)
    told = json_object(answered.body)
    at_ms = at_of_answer(answered)
    if not answered.is_success:
        detail = told.get("detail")
        text = spelled(detail) if detail is not None else texts(told.get("message"))
        if any(word in (text or "") for word in _NOT_READY):
            return Told(Outcome.WAITING, request)
        if "content_policy" in f"{facts.get('error_type')} {text}":
            facts = facts | {"safety": True}
            return Told(Outcome.REFUSED, request, facts=facts, text=text, outputs=0, at_ms=at_ms)
        return Told(outcome_of_status(answered), request, facts=facts, text=text, outputs=0, at_ms=at_ms)
    if texts(told.get("request_id")) and (
        "status_url" in told or told.get("status") in ("IN_QUEUE", "IN_PROGRESS")
    ):
        return Told(Outcome.WAITING, told["request_id"])
    return _read_result(told, request, facts, at_ms)


def _read_result(told: dict[str, Any], job: str | None, facts: dict[str, Any], at_ms: int | None) -> Told:
    pictures = list(_outputs(told))
    facts = facts | {name: spelled(told[name]) for name in ("timings", "has_nsfw_concepts") if told.get(name)}
    prompt = texts(told.get("prompt"))
    seed = told.get("seed")
    return Told(
        Outcome.MADE,
        job,
        tuple(pictures),
        (Words(prompt, "prompt"),) if prompt else (),
        {"seed": spelled(seed)} if seed is not None else {},
        facts,
        note=texts(told.get("output")),
        outputs=len(pictures),
        at_ms=at_ms,
    )


def _outputs(told: dict[str, Any], role: str = "output") -> Iterator[Picture]:
    found: list[Any] = []
    for name in _MEDIA:
        value = told.get(name)
        found += items(value) if isinstance(value, list) else [value]
    number = 0
    for item in found[:MAX_PICTURES]:
        address = inner(item, "url") if isinstance(item, dict) else None
        made = picture_of(
            address,
            role,
            number,
            media_type=texts(inner(item, "content_type")),
            name=texts(inner(item, "file_name")),
        )
        if made:
            yield made
            number += 1


def _read_stream(answered: Answered, request: str | None, facts: dict[str, Any]) -> Told:
    """Read a stream of results as they grow: the last is the result where the stream came to its end."""
    told = [event for _, event in events_of(answered.body)]
    is_whole = answered.end is End.WHOLE
    previews = [
        picture for event in (told[:-1] if is_whole else told) for picture in _outputs(event, "preview")
    ]
    if told and is_whole:
        made = _read_result(told[-1], request, facts, at_of_answer(answered))
        return Told(
            made.outcome, request, (*made.pictures, *previews), made.revised, made.fields, made.facts,
            outputs=made.outputs, at_ms=made.at_ms,
        )  # fmt: skip
    return Told(outcome_of_end(answered), request, tuple(previews), facts=facts, at_ms=at_of_answer(answered))
