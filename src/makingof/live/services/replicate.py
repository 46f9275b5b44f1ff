"""Replicate: predictions, created, looked at and cancelled; outputs lie at addresses that expire.

An answer that was waited for may hold the outputs and still say `processing`. Any model
can be asked here. What gives no files made no picture, and its record says so.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from makingof.errors import MalformedError
from makingof.live.exchange import Answered, Asked
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
    at_of_text,
    fields_of,
    inner,
    is_address,
    json_object,
    outcome_of_status,
    picture_of,
    spelled,
    texts,
)

NAME = "replicate"
_ASK = re.compile(
    r"/v1/(?:predictions|(?:models|deployments)/(?P<model>[^/]{1,100}/[^/]{1,100})/predictions)/?$"
)
_LOOK = re.compile(r"/v1/predictions/(?P<id>[A-Za-z0-9_-]{5,100})(?:/cancel)?/?$")
_SHARED = {
    "seed": "seed", "num_inference_steps": "steps", "steps": "steps", "guidance_scale": "guidance",
    "guidance": "guidance", "scheduler": "scheduler", "width": "width", "height": "height",
    "prompt_strength": "denoise",
}  # fmt: skip
_WORDS = ("prompt", "negative_prompt")
_SEED = re.compile(r"\bseed(?: is|:| =|=)?\s{0,3}(\d{1,20})\b", re.IGNORECASE)
_OUTCOMES = {
    "succeeded": Outcome.MADE,
    "successful": Outcome.MADE,
    "failed": Outcome.FAILED,
    "canceled": Outcome.CANCELLED,
    "aborted": Outcome.CANCELLED,
    "starting": Outcome.WAITING,
    "processing": Outcome.WAITING,
    "queued": Outcome.WAITING,
}
_MAX_STEPS = 20_000
_SAFETY = re.compile(r"nsfw|safety|sensitive|flagged|moderat", re.IGNORECASE)


def route(method: str, path: str) -> Route | None:
    """Tell what a request is."""
    if method == "POST" and _ASK.search(path):
        return Route(Step.ASKS)
    found = _LOOK.search(path)
    return Route(Step.LOOKS, found["id"]) if found and method in ("GET", "POST") else None


def read_wish(asked: Asked) -> Wish | None:
    """Read the input of a prediction."""
    told = json_object(asked.body)
    given = told.get("input")
    prompt, negative = (texts(inner(given, name)) for name in _WORDS)
    fields = fields_of(given, _SHARED, _WORDS)
    found = _ASK.search(asked.path)
    if model := (found and found["model"]) or texts(told.get("model")):
        fields["model"] = model
    if version := texts(told.get("version")):
        fields["tool:version"] = version
    return Wish(
        prompts=(Words(prompt, "input.prompt"),) if prompt else (),
        negative=Words(negative, "input.negative_prompt") if negative else None,
        fields=fields,
        pictures=tuple(_given(given)),
    )


def _given(given: Any) -> Iterator[Picture]:
    for name, value in given.items() if isinstance(given, dict) else ():
        for item in value if isinstance(value, list) else [value]:
            # Base64 alone could be any word: an input is a picture where it is an address.
            if is_address(item) and (found := picture_of(item, _role(name))):
                yield found


def _role(name: str) -> str:
    lower = name.lower()
    if "mask" in lower:
        return "mask"
    if "control" in lower:
        return "control"
    return "reference" if "reference" in lower or "style" in lower else "init"


def read_answer(answered: Answered) -> Told:
    """Read a prediction as it stands, or an error."""
    told = json_object(answered.body)
    if not answered.is_success:
        return Told(
            outcome_of_status(answered),
            facts={name: spelled(told[name]) for name in ("title", "status") if told.get(name)},
            text=texts(told.get("detail")),
            outputs=0,
            at_ms=at_of_answer(answered),
        )
    status = texts(told.get("status")) or ""
    job = texts(told.get("id"))
    outcome = _OUTCOMES.get(status)
    if outcome is None or job is None:
        message = "body is no prediction"
        raise MalformedError(message)
    outputs = list(_outputs(told.get("output")))
    if outcome is Outcome.WAITING and not outputs:
        return Told(outcome, job)
    facts: dict[str, Any] = {"status": status}
    facts |= {
        name: spelled(told[name])
        for name in ("created_at", "started_at", "completed_at", "metrics")
        if told.get(name)
    }
    text = texts(told.get("error"))
    if outcome is Outcome.FAILED and text and _SAFETY.search(text):
        outcome, facts["safety"] = Outcome.REFUSED, True
    note = told.get("output") if not outputs else None
    return Told(
        outcome,
        job,
        tuple(outputs),
        tuple(_revised(told)),
        dict(_stated(told)),
        facts,
        text=text,
        note=note if isinstance(note, str) else None,
        outputs=len(outputs),
        at_ms=at_of_text(told.get("completed_at")) or at_of_answer(answered),
    )


def _outputs(value: Any) -> Iterator[Picture]:
    """Yield every file in an output of any shape, in order."""
    waiting, number = [value], 0
    for _ in range(_MAX_STEPS):
        if not waiting or number == MAX_PICTURES:
            return
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += reversed(list(islice(item.values(), MAX_PICTURES)))
        elif isinstance(item, list):
            waiting += reversed(item[:MAX_PICTURES])
        elif is_address(item) and (found := picture_of(item, number=number)):
            yield found
            number += 1


def _revised(told: dict[str, Any]) -> Iterator[Words]:
    for name in ("revised_prompt", "enhanced_prompt"):
        if text := texts(inner(told.get("output"), name)):
            yield Words(text, f"output.{name}")


def _stated(told: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what the service itself says of the run: the version, and the seed its log prints."""
    for name, shared in (("model", "model"), ("version", "tool:version")):
        if value := texts(told.get(name)):
            yield shared, value
    logs = texts(told.get("logs")) or ""
    if seed := _SEED.search(logs[:20_000]):
        yield "seed", seed[1]
