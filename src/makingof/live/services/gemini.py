"""Google: pictures of the Gemini models (`generateContent`) and of Imagen (`predict`).

By the Gemini API or by Vertex AI. In a conversation the earlier pictures come back as
input. Imagen may be given other words than were typed, and says which.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from makingof.errors import MalformedError
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
    at_of_text,
    events_of,
    fields_of,
    inner,
    items,
    json_object,
    outcome_of_end,
    outcome_of_status,
    picture_of,
    spelled,
    texts,
)
from makingof.live.wire import parse_json

NAME = "gemini"
_PATH = re.compile(r"/models/(?P<model>[^/:]{1,200}):(?P<act>generateContent|streamGenerateContent|predict)$")
_SHARED = {"seed": "seed", "guidanceScale": "guidance"}
_REFUSING = frozenset(
    {
        "SAFETY", "IMAGE_SAFETY", "PROHIBITED_CONTENT", "IMAGE_PROHIBITED_CONTENT", "BLOCKLIST", "SPII",
        "RECITATION", "IMAGE_RECITATION", "MODEL_ARMOR", "ESCALATION",
    }
)  # fmt: skip
_IMAGEN = "imagen"


def route(method: str, path: str) -> Route | None:
    """Tell what a request is; whether it asks for pictures, its model and settings tell."""
    return Route(Step.ASKS) if method == "POST" and _PATH.search(path) else None


def read_wish(asked: Asked) -> Wish | None:
    """Read a request; one that asks for text alone is None."""
    found = _PATH.search(asked.path)
    model, act = (found["model"], found["act"]) if found else ("", "")
    if act == "predict":
        return _read_imagen_wish(model, json_object(asked.body)) if _IMAGEN in model else None
    told = json_object(asked.body)
    config = _either(told, "generationConfig", "generation_config")
    modalities = [
        spelled(item).upper() for item in items(_either(config, "responseModalities", "response_modalities"))
    ]
    if "IMAGE" not in modalities and (modalities or "image" not in model):
        return None
    words, pictures = _conversation(items(told.get("contents")))
    fields = fields_of(config, _SHARED) | {
        "model": model,
        "tool:turns": str(len(items(told.get("contents")))),
    }
    system = _either(told, "systemInstruction", "system_instruction")
    if said := " ".join(
        text for part in items(inner(system, "parts")) if (text := texts(inner(part, "text")))
    ):
        fields["tool:systemInstruction"] = spelled(said)
    return Wish(words, None, fields, pictures)


def _either(value: Any, *names: str) -> Any:
    return next((found for name in names if (found := inner(value, name)) is not None), None)


def _conversation(contents: list[Any]) -> tuple[tuple[Words, ...], tuple[Picture, ...]]:
    """Return the words of the last turn, its pictures to work on, and those of earlier turns."""
    words: list[Words] = []
    pictures: list[Picture] = []
    for at, content in enumerate(contents):
        is_last = at == len(contents) - 1
        for part in items(inner(content, "parts")):
            if is_last and (text := texts(inner(part, "text"))):
                words.append(Words(text, f"contents[{at}]"))
            if found := _inline(part, "init" if is_last else "reference"):
                pictures.append(found)
    return tuple(words), tuple(pictures)


def _inline(part: Any, role: str, number: int | None = None) -> Picture | None:
    inline = _either(part, "inlineData", "inline_data")
    media = texts(_either(inline, "mimeType", "mime_type"))
    return picture_of(inner(inline, "data"), role, number, media_type=media)


def _read_imagen_wish(model: str, told: dict[str, Any]) -> Wish:
    instance, parameters = inner(told, "instances", 0), inner(told, "parameters")
    prompt = texts(inner(instance, "prompt"))
    negative = texts(inner(parameters, "negativePrompt"))
    pictures = [
        found
        for item in items(inner(instance, "referenceImages"))
        if (found := _encoded(inner(item, "referenceImage"), _reference_role(item)))
    ]
    if found := _encoded(inner(instance, "image"), "init"):
        pictures.append(found)
    if found := _encoded(inner(instance, "mask", "image"), "mask"):
        pictures.append(found)
    return Wish(
        prompts=(Words(prompt, "instances[0].prompt"),) if prompt else (),
        negative=Words(negative, "parameters.negativePrompt") if negative else None,
        fields=fields_of(parameters, _SHARED, ("negativePrompt",)) | {"model": model},
        pictures=tuple(pictures),
        is_rewritten=inner(parameters, "enhancePrompt") is True,
    )


def _reference_role(item: Any) -> str:
    kind = str(inner(item, "referenceType") or "")
    return {
        "REFERENCE_TYPE_MASK": "mask",
        "REFERENCE_TYPE_RAW": "init",
        "REFERENCE_TYPE_CONTROL": "control",
    }.get(kind, "reference")


def _encoded(value: Any, role: str, number: int | None = None) -> Picture | None:
    return picture_of(
        inner(value, "bytesBase64Encoded"), role, number, media_type=texts(inner(value, "mimeType"))
    )


def read_answer(answered: Answered) -> Told:
    """Read an answer of either interface, whole or as a stream of answers."""
    if not answered.is_success:
        return _error(answered)
    if "event-stream" in answered.content_type:
        return _read_chunks([told for _, told in events_of(answered.body)], answered)
    found = parse_json(answered.body or b"")
    chunks = found if isinstance(found, list) else [found]
    if not all(isinstance(chunk, dict) for chunk in chunks):
        message = "body is no answer of Gemini"
        raise MalformedError(message)
    if chunks and "predictions" in chunks[0]:
        return _read_predictions(items(chunks[0]["predictions"]), answered)
    return _read_chunks(chunks, answered)


def _error(answered: Answered) -> Told:
    found = parse_json(answered.body or b"")
    error = inner(found[0] if isinstance(found, list) and found else found, "error")
    facts = {name: spelled(value) for name in ("code", "status") if (value := inner(error, name))}
    outcome = outcome_of_status(answered)
    return Told(
        outcome, facts=facts, text=texts(inner(error, "message")), outputs=0, at_ms=at_of_answer(answered)
    )


@dataclass(slots=True)
class _Gathered:
    """What the pieces of one answer say together."""

    pictures: list[Picture] = field(default_factory=list)
    previews: list[Picture] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def take(self, chunk: dict[str, Any]) -> None:
        for name in ("usageMetadata", "promptFeedback"):
            if chunk.get(name):
                self.facts[name] = spelled(chunk[name])
        self._take_reason(inner(chunk, "promptFeedback", "blockReason"))
        for candidate in items(chunk.get("candidates")):
            self._take_reason(inner(candidate, "finishReason"))
            if message := texts(inner(candidate, "finishMessage")):
                self.facts["finishMessage"] = message
            if ratings := items(inner(candidate, "safetyRatings")):
                self.facts["safetyRatings"] = spelled(ratings)
            for part in items(inner(candidate, "content", "parts")):
                self._take_part(part)

    def _take_reason(self, reason: Any) -> None:
        if isinstance(reason, str) and reason not in self.reasons:
            self.reasons.append(reason)

    def _take_part(self, part: Any) -> None:
        # What the model draws while it thinks is shown to itself, and is no result.
        is_thought = inner(part, "thought") is True
        pictures, role = (self.previews, "preview") if is_thought else (self.pictures, "output")
        if found := _inline(part, role, len(pictures)):
            pictures.append(found)
        elif (text := texts(inner(part, "text"))) and not is_thought:
            self.said.append(text)


def _read_chunks(chunks: list[dict[str, Any]], answered: Answered) -> Told:
    """Read one answer, or the pieces of one in order."""
    found = _Gathered()
    for chunk in chunks:
        found.take(chunk)
    facts = found.facts | ({"finish_reasons": found.reasons} if found.reasons else {})
    outcome, text = Outcome.MADE, None
    if not found.pictures:
        is_refused = "blockReason" in facts.get("promptFeedback", "") or _REFUSING.intersection(found.reasons)
        outcome = Outcome.REFUSED if is_refused else outcome_of_end(answered)
        facts |= {"safety": True} if is_refused else {}
        text = facts.get("finishMessage") or ", ".join(found.reasons) or "the answer holds no picture"
    version = _last(chunks, "modelVersion")
    return Told(
        outcome,
        _last(chunks, "responseId"),
        (*found.pictures, *found.previews),
        fields={"tool:modelVersion": version} if version else {},
        facts=facts,
        text=text,
        note="".join(found.said) or None,
        outputs=len(found.pictures),
        at_ms=at_of_text(_last(chunks, "createTime")) or at_of_answer(answered),
    )


def _last(chunks: list[dict[str, Any]], name: str) -> str | None:
    return next((text for chunk in reversed(chunks) if (text := texts(chunk.get(name)))), None)


def _read_predictions(predictions: list[Any], answered: Answered) -> Told:
    pictures: list[Picture] = []
    revised: list[Words] = []
    reasons: list[str] = []
    for at, item in enumerate(predictions):
        if found := _encoded(item, "output", len(pictures)):
            pictures.append(found)
        elif address := texts(inner(item, "gcsUri")):
            pictures.append(Picture("output", url=address, number=len(pictures)))
        if text := texts(inner(item, "prompt")):
            revised.append(Words(text, f"predictions[{at}].prompt"))
        if reason := texts(inner(item, "raiFilteredReason")):
            reasons.append(reason)
    facts: dict[str, Any] = {"rai_filtered_reasons": reasons, "safety": True} if reasons else {}
    refused = reasons or not predictions
    return Told(
        Outcome.MADE if pictures else Outcome.REFUSED if refused else Outcome.FAILED,
        pictures=tuple(pictures),
        revised=tuple(revised),
        facts=facts,
        text="\n".join(reasons) or (None if pictures else "the answer holds no picture"),
        outputs=len(pictures),
        at_ms=at_of_answer(answered),
    )
