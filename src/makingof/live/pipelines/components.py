"""What a pipeline consisted of when it was called: components, scheduler, adapters, and how torch was set.

Read in the program's thread, so it must be quick: no file is opened here. What a version
lacks or spells otherwise is said to be unreadable, and the rest is still read.
"""

import re
import sys
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from makingof.live.pipelines.loading import find_loading
from makingof.spool.carried import Json

_SNAPSHOT = re.compile(
    r"models--(?P<owner>[^/\\]+?)--(?P<name>[^/\\]+)[/\\]snapshots[/\\](?P<commit>[0-9a-f]{7,64})"
)
_MAX_COMPONENTS = 64
_marks: "weakref.WeakKeyDictionary[Any, Json]" = weakref.WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Setting:
    """What stood around one call; `folders` are where components say they were loaded from."""

    facts: Json
    folders: Mapping[str, Path] = field(default_factory=dict)


def setting_of(pipe: Any) -> Setting:
    """Look at `pipe` as it stands."""
    facts: Json = {"pipeline": class_name(pipe)}
    folders: dict[str, Path] = {}
    for name, look in _LOOKS.items():
        _look(facts, name, look, pipe)
    components: dict[str, Json] = {}
    for name, component in _components(pipe, facts):
        components[name] = {"class": class_name(component)}
        for what, look in _COMPONENT_LOOKS.items():
            _look(components[name], what, look, component)
        if folder := _find_folder(component):
            folders[name] = folder
    # Not asked of the pipeline: for its own answer it searches every module of every component.
    placed = {
        told["precision"]["device"] for told in components.values() if isinstance(told.get("precision"), dict)
    }
    return Setting(facts | {"devices": sorted(placed), "components": components}, folders)


def adapter_names(setting: Setting) -> set[str]:
    """Return the adapters that a pipeline carried, or had baked into it."""
    fused, components = setting.facts.get("fused_adapters"), setting.facts["components"].values()
    carried = [told["adapters"] for told in components if isinstance(told.get("adapters"), dict)]
    return {*(fused if isinstance(fused, list) else ()), *(name for names in carried for name in names)}


def class_name(value: Any) -> str:
    """Return the class of `value` with the library it comes from."""
    return f"{type(value).__module__.partition('.')[0]}.{type(value).__qualname__}"


def _look(facts: Json, name: str, look: Callable[[Any], Any], subject: Any) -> None:
    try:
        found = look(subject)
    except Exception as err:  # noqa: BLE001 - names drift between versions; the rest is still read
        found = f"unreadable: {type(err).__name__}: {err}"
    if found not in (None, {}, [], ""):
        facts[name] = found


def _components(pipe: Any, facts: Json) -> Iterator[tuple[str, Any]]:
    found: Json = {}
    _look(found, "components", lambda _: dict(pipe.components), pipe)
    components = found.get("components", {})
    if isinstance(components, str):
        facts["components_unreadable"] = components
        return
    several = [(name, component) for name, component in components.items() if component is not None]
    yield from several[:_MAX_COMPONENTS]


def _scheduler(pipe: Any) -> Json | None:
    scheduler = getattr(pipe, "scheduler", None)
    return None if scheduler is None else {"class": class_name(scheduler), "config": dict(scheduler.config)}


def _origin(subject: Any) -> Json | None:
    """Say where something was loaded from without the folders above: those hold people's names."""
    path = _name_or_path(subject)
    if path is None:
        return None
    if found := _SNAPSHOT.search(path):
        return {"name": f"{found['owner']}/{found['name']}", "commit": found["commit"]}
    if Path(path).is_absolute() or Path(path).exists():
        return {"name": "/".join(Path(path).parts[-2:])}
    return {"name": path}


def origin_name(pipe: Any) -> str | None:
    """Return the name a pipeline was loaded by, or None where it does not say."""
    found: Json = {}
    _look(found, "origin", _origin, pipe)
    origin = found.get("origin")
    return str(origin["name"]) if isinstance(origin, dict) else None


def _name_or_path(subject: Any) -> str | None:
    config = getattr(subject, "config", None)
    of_config = (
        config.get("_name_or_path") if isinstance(config, Mapping) else getattr(config, "_name_or_path", None)
    )
    found = of_config or getattr(subject, "name_or_path", None)
    return str(found) if found else None


def _find_folder(component: Any) -> Path | None:
    try:
        path = _name_or_path(component)
        return Path(path).absolute() if path is not None and Path(path).exists() else None
    except Exception:  # noqa: BLE001 - where it comes from is said to be unreadable elsewhere
        return None


def _fused(pipe: Any) -> list[str]:
    return sorted(map(str, getattr(pipe, "fused_loras", None) or ()))


def _torch(_pipe: Any) -> Json | None:
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    return {
        "threads": torch.get_num_threads(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "matmul_precision": torch.get_float32_matmul_precision(),
        "cudnn_benchmark": torch.backends.cudnn.benchmark,
        "cudnn_deterministic": torch.backends.cudnn.deterministic,
        "autocast": torch.is_autocast_enabled(),
    }


def _precision(component: Any) -> Json | None:
    parameter = next(iter(component.parameters()), None) if hasattr(component, "parameters") else None
    if parameter is None:
        return None
    return {"dtype": str(parameter.dtype).removeprefix("torch."), "device": str(parameter.device)}


def _quantization(component: Any) -> str | None:
    found = getattr(getattr(component, "config", None), "quantization_config", None)
    return None if found is None else str(found)


def _adapters(component: Any) -> Json | None:
    """Say which adapters a component carries, how strong each is, and which are on or baked in.

    The strength set by the program is nowhere to be asked: it is the scaling of the adapted
    layers, over what rank and alpha alone would give. Layers may differ, so all values are said.
    """
    if not getattr(component, "peft_config", None):
        return None
    weights: dict[str, set[float]] = {str(name): set() for name in component.peft_config}
    active: set[str] = set()
    merged: set[str] = set()
    for layer in component.modules():
        if not (hasattr(layer, "scaling") and hasattr(layer, "active_adapters")):
            continue
        merged.update(map(str, getattr(layer, "merged_adapters", ())))
        if not getattr(layer, "disable_adapters", False):
            active.update(map(str, layer.active_adapters))
        for name, scaling in layer.scaling.items():
            alone = layer.lora_alpha[name] / layer.r[name]
            weights.setdefault(str(name), set()).add(round(scaling / alone, 6) if alone else scaling)
    return {
        name: {"weights": sorted(map(str, found)), "active": name in active, "fused": name in merged}
        for name, found in weights.items()
    }


def _loading(component: Any) -> Json | None:
    """Say which weights were not found when the component was loaded: those are random numbers."""
    return find_loading(component) or _marked_as_loaded(component)


def _marked_as_loaded(component: Any) -> Json | None:
    """Count the weights that transformers marks as loaded; what it made up itself bears no mark."""
    if type(component).__module__.partition(".")[0] != "transformers" or not hasattr(component, "parameters"):
        return None
    if (known := _marks.get(component)) is not None:
        return known
    marks = [bool(getattr(parameter, "_is_hf_initialized", False)) for parameter in component.parameters()]
    found: Json = {"observed": False, "weights": len(marks), "marked_as_loaded": sum(marks)}
    _marks[component] = found
    return found


_LOOKS: dict[str, Callable[[Any], Any]] = {
    "from": _origin,
    "torch": _torch,
    "scheduler": _scheduler,
    "fused_adapters": _fused,
}
_COMPONENT_LOOKS: dict[str, Callable[[Any], Any]] = {
    "from": _origin,
    "precision": _precision,
    "quantization": _quantization,
    "adapters": _adapters,
    "loading": _loading,
}
