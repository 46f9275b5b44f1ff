"""Stability AI: the Stable Image interface, version v2beta, answered at once or by looking.

A picture comes as the body with its seed in a header, or in JSON. What was found to
break the rules comes as a blurred picture that says so, or not at all.
"""

import re
from typing import Any

from makingof.live.exchange import Answered, Asked, End
from makingof.live.services.said import (
    Outcome,
    Picture,
    Route,
    Step,
    Told,
    Wish,
    Words,
    at_of_answer,
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

NAME = "stability"
_ASK = re.compile(r"/v2beta/stable-image/(?P<act>generate|edit|control|upscale)/(?P<model>[\w-]{1,100})/?$")
_RESULT = re.compile(
    r"/v2beta/(?:results|stable-image/(?:edit|upscale)/[\w-]{1,100}/result|stable-image/[\w-]{1,100}/result)"
    r"/(?P<id>[\w-]{1,100})/?$"
)
_SHARED = {"seed": "seed", "cfg_scale": "guidance", "strength": "denoise"}
_ROLES = {"image": "init", "init_image": "init", "mask": "mask", "subject_image": "init"}
_ACCEPTED = 202


def route(method: str, path: str) -> Route | None:
    """Tell what a request is."""
    if method == "POST" and _ASK.search(path):
        return Route(Step.ASKS)
    found = _RESULT.search(path)
    return Route(Step.LOOKS, found["id"]) if found and method == "GET" else None


def read_wish(asked: Asked) -> Wish | None:
    """Read a form; the model is named by the path, and by a field where one path has several."""
    found = _ASK.search(asked.path)
    act, path_model = (found["act"], found["model"]) if found else ("", "")
    form = read_form(asked, lambda name: _role(act, name)) if is_form(asked) else None
    said = dict(form.texts) if form else {}
    prompt, negative = said.pop("prompt", ""), said.pop("negative_prompt", "")
    model = said.pop("model", "") or path_model
    return Wish(
        prompts=(Words(prompt, "prompt"),) if prompt else (),
        negative=Words(negative, "negative_prompt") if negative else None,
        fields={
            **fields_of(said, _SHARED, ("none",)),
            "model": model,
            "tool:interface": f"{act}/{path_model}",
        },
        pictures=form.pictures if form else (),
    )


def _role(act: str, name: str) -> str:
    if act == "control" and name == "image":
        return "control"
    return _ROLES.get(name, "reference")


def read_answer(answered: Answered) -> Told:
    """Read a picture, a JSON object that holds one, the id of a job that waits, or an error."""
    media = answered.content_type.partition(";")[0].strip().lower()
    request = answered.headers.get("x-request-id")
    facts: dict[str, Any] = {"request_id": request} if request else {}
    at_ms = at_of_answer(answered)
    if answered.is_success and media.startswith(("image/", "video/")):
        return _picture(answered, media, request, facts)
    told = json_object(answered.body)
    identity = texts(told.get("id"))
    if not answered.is_success:
        facts |= {name: spelled(value) for name in ("id", "name") if (value := told.get(name))}
        if told.get("name") == "content_moderation":
            facts["safety"] = True
        text = "\n".join(spelled(item) for item in items(told.get("errors"))) or texts(told.get("message"))
        return Told(outcome_of_status(answered), identity, facts=facts, text=text, outputs=0, at_ms=at_ms)
    value = told.get("image") or told.get("result")
    if answered.status == _ACCEPTED or (value is None and identity):
        return Told(Outcome.WAITING, identity)
    picture = picture_of(value, number=0)
    reason = texts(told.get("finish_reason"))
    facts |= {"finish_reason": reason} if reason else {}
    if inner(told, "seed") is not None and picture:
        return _made(picture, spelled(told["seed"]), reason, request, facts, at_ms)
    return Told(
        Outcome.MADE if picture else Outcome.FAILED,
        request,
        (picture,) if picture else (),
        facts=facts,
        outputs=1 if picture else 0,
        at_ms=at_ms,
    )


def _picture(answered: Answered, media: str, request: str | None, facts: dict[str, Any]) -> Told:
    reason = answered.headers.get("finish-reason")
    facts |= {"finish_reason": reason} if reason else {}
    if not answered.body or answered.end is not End.WHOLE:
        outcome = outcome_of_end(answered)
        return Told(outcome, request, facts=facts, outputs=1, at_ms=at_of_answer(answered))
    picture = Picture(data=answered.body, media_type=media, number=0)
    return _made(picture, answered.headers.get("seed"), reason, request, facts, at_of_answer(answered))


def _made(
    picture: Picture,
    seed: str | None,
    reason: str | None,
    job: str | None,
    facts: dict[str, Any],
    at_ms: int | None,
) -> Told:
    if reason and reason != "SUCCESS":
        facts = facts | {"safety": True}
    fields = {"seed": seed} if seed else {}
    return Told(Outcome.MADE, job, (picture,), fields=fields, facts=facts, outputs=1, at_ms=at_ms)
