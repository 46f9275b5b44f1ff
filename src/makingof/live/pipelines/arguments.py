"""What a pipeline was asked: the arguments of one call, those given and those left to its defaults."""

import inspect
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from makingof.live.pipelines.copies import Picture, Room, copies_of, plain
from makingof.part import Parameter, Parameters, Text, body_of, portable_text
from makingof.reading import State
from makingof.spool.carried import Json

READER = "makingof-diffusers/1"
TOOL = "diffusers"
MAX_PICTURES = 64
_SHARED = {
    "num_inference_steps": "steps",
    "guidance_scale": "guidance",
    "strength": "denoise",
    "width": "width",
    "height": "height",
    "clip_skip": "clip_skip",
}
_ROLES = {"image": "init", "mask_image": "mask", "control_image": "control", "control_mask": "mask"}


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of one call, copied: `given` by the caller, `defaults` where the caller said nothing."""

    given: Mapping[str, Any]
    defaults: Mapping[str, Any] = field(default_factory=dict)
    fits: bool = True  # False: they do not fit the signature, and the call itself will say so

    def find(self, name: str) -> Any:
        """Return an argument, given or default; None where there is none."""
        return self.given.get(name, self.defaults.get(name))

    def __contains__(self, name: str) -> bool:
        return name in self.given or name in self.defaults


def bind(
    signature: inspect.Signature | None, args: tuple[Any, ...], kwargs: Mapping[str, Any], room: Room
) -> Arguments:
    """Tell given arguments from defaults; where the signature tells nothing, keep what was given."""
    try:
        bound = (signature or inspect.signature(_anything)).bind(*args, **kwargs)
    except TypeError:
        loose = {f"{number}": value for number, value in enumerate(args)} | dict(kwargs)
        return Arguments(copies_of(loose, room), fits=False)
    given: dict[str, Any] = {}
    for name, value in bound.arguments.items():
        if bound.signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
            given |= value
        else:
            given[name] = value
    defaults = {
        name: parameter.default
        for name, parameter in bound.signature.parameters.items()
        if name not in given and parameter.default is not inspect.Parameter.empty
    }
    return Arguments(copies_of(given, room), copies_of(defaults, room))


def _anything(*args: Any, **kwargs: Any) -> None:
    """Take whatever comes."""


def text_parts(arguments: Arguments) -> Iterator[Json]:
    """Yield the prompts and negative prompts; `ordinal` is the place in a list of them."""
    yield from _texts(arguments, "prompt", "prompt") or [_no_text(arguments)]
    yield from _texts(arguments, "negative", "negative_prompt")


def _texts(arguments: Arguments, part_type: str, prefix: str) -> list[Json]:
    found = []
    for name in (prefix, f"{prefix}_2", f"{prefix}_3", f"{prefix}_4"):
        said = arguments.find(name)
        state = State.PRESENT if name in arguments.given else State.DEFAULT
        for ordinal, text in enumerate(said if isinstance(said, list) else [said]):
            if isinstance(text, str):
                whole, encoded = portable_text(text)
                body = body_of(Text(effective=whole, state=state, base64=encoded, ordinal=ordinal))
                found.append({"type": part_type, "from": f"call:{name}", "body": body})
    return found


def _no_text(arguments: Arguments) -> Json:
    """Say that no prompt was given as text; as numbers made elsewhere, it cannot be read back."""
    embedded = next((name for name in arguments.given if name.endswith("prompt_embeds")), None)
    state = State.ABSENT if embedded is None else State.COMPUTED
    return {"type": "prompt", "from": f"call:{embedded or 'prompt'}", "body": body_of(Text(state=state))}


def parameters_part(arguments: Arguments, further: Mapping[str, Parameter]) -> Json:
    """Say every argument but the prompts, and `further` ones that are no arguments."""
    fields: dict[str, Parameter] = {}
    for state, values in ((State.PRESENT, arguments.given), (State.DEFAULT, arguments.defaults)):
        for name, value in values.items():
            if not _is_text(name, value):
                shared = _SHARED.get(name, f"{TOOL}:{name}")
                fields[shared] = Parameter(spell(value), state, f"argument {name}")
    body = Parameters(tool=TOOL, reader=READER, main=True, fields={**fields, **further})
    return {"type": "parameters", "from": "call", "body": body_of(body)}


def _is_text(name: str, value: Any) -> bool:
    is_named_so = name.removeprefix("negative_").startswith("prompt") and "embeds" not in name
    texts = value if isinstance(value, list) else [value]
    return is_named_so and all(isinstance(text, str) for text in texts)


def spell(value: Any) -> str:
    """Write an argument as text: text as it is, numbers as Python writes them, lists as JSON."""
    if isinstance(value, str):
        return str(plain(value))
    if isinstance(value, (list, dict)):
        return str(plain(json.dumps(_spelled(value), ensure_ascii=False)))
    return str(plain(str(value)))


def _spelled(value: Any) -> Any:
    if isinstance(value, list):
        return [_spelled(item) for item in value]
    if isinstance(value, dict):
        return {name: _spelled(item) for name, item in value.items()}
    return value if value is None or isinstance(value, (str, bool, int, float)) else str(value)


def pictures_given(arguments: Arguments) -> Iterator[tuple[str, str, Picture]]:
    """Yield the pictures among the arguments: name, role, and the copy."""
    found = (
        (name, _role(name, arguments), picture)
        for name, value in arguments.given.items()
        for picture in _flat(value)
        if isinstance(picture, Picture)
    )
    for number, item in enumerate(found):
        if number >= MAX_PICTURES:
            return
        yield item


def _role(name: str, arguments: Arguments) -> str:
    if name == "image" and any(
        other.startswith("controlnet_") for other in (*arguments.given, *arguments.defaults)
    ):
        # With a ControlNet and nothing else, `image` is what controls.
        return "init" if "control_image" in arguments else "control"
    return _ROLES.get(name, "reference")


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _flat(item)
    else:
        yield value


def batch_shape(arguments: Arguments) -> Json:
    """Return how many prompts went in and how many pictures were asked for each."""
    prompt, each = arguments.find("prompt"), arguments.find("num_images_per_prompt")
    return {
        "prompts": len(prompt) if isinstance(prompt, list) else 1,
        "pictures_each": each if isinstance(each, int) else 1,
    }
