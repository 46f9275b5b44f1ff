"""What the libraries say of loading: which weights a file lacked, so that random ones stand in their place.

They say it once, to whoever asks while loading (`output_loading_info`), and forget it. So
the program loads inside `record_loading()`, which asks for it every time.
"""

import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from makingof.spool.carried import Json

MAX_KEYS = 200
_LOADERS = (
    ("transformers.modeling_utils", "PreTrainedModel"),
    ("diffusers.models.modeling_utils", "ModelMixin"),
)
_ADAPTING = "diffusers.loaders.lora_pipeline"
_known: "weakref.WeakKeyDictionary[Any, Json]" = weakref.WeakKeyDictionary()
_adapter_files: "weakref.WeakKeyDictionary[Any, dict[str, Path]]" = weakref.WeakKeyDictionary()
_lock = threading.Lock()


@contextmanager
def record_loading() -> Iterator[None]:
    """Remember what transformers and diffusers say while models and adapters are loaded in the block.

    Nothing is written: what was said goes into the record of the pictures made with them. Import the
    pipeline's class before the block begins; a library that is not imported then is not heard.
    """
    with ExitStack() as stack:
        for module, name in _LOADERS:
            owner = getattr(sys.modules.get(module), name, None)
            if owner is not None:
                stack.enter_context(_swapped(owner, "from_pretrained", _asking))
        for owner in _adapting_classes():
            stack.enter_context(_swapped(owner, "load_lora_weights", _remembering))
        yield


def find_loading(component: Any) -> Json | None:
    """Return what was said when `component` was loaded inside `record_loading`, else None."""
    try:
        return _known.get(component)
    except TypeError:  # not hashable, or not to be referred to weakly: nothing of ours was kept for it
        return None


def find_adapter_files(pipe: Any) -> Mapping[str, Path]:
    """Return adapter → the file or folder it was loaded from inside `record_loading`."""
    try:
        return dict(_adapter_files.get(pipe) or {})
    except TypeError:
        return {}


@contextmanager
def _swapped(owner: type, name: str, around: Callable[[Any], Any]) -> Iterator[None]:
    """Put another method in the place of one of `owner`'s, unless it is put back or replaced meanwhile."""
    with _lock:
        before = owner.__dict__[name]
        ours = around(before)
        setattr(owner, name, ours)
    try:
        yield
    finally:
        with _lock:
            if owner.__dict__.get(name) is ours:
                setattr(owner, name, before)


def _adapting_classes() -> list[type]:
    found = vars(sys.modules[_ADAPTING]).values() if _ADAPTING in sys.modules else ()
    return [item for item in found if isinstance(item, type) and "load_lora_weights" in vars(item)]


def _asking(before: Any) -> Any:
    inner = before.__func__

    def from_pretrained(cls: type, *args: Any, **kwargs: Any) -> Any:
        wanted = bool(kwargs.get("output_loading_info"))
        result = inner(cls, *args, **{**kwargs, "output_loading_info": True})
        # Where a library gives no more than the model, it has nothing to say.
        model, said = result if isinstance(result, tuple) and len(result) == 2 else (result, None)  # noqa: PLR2004
        _remember(model, said)
        return result if wanted else model

    from_pretrained.__wrapped__ = inner  # type: ignore[attr-defined]
    return classmethod(from_pretrained)


def _remember(model: Any, said: Any) -> None:
    try:
        _known[model] = _facts(said) if isinstance(said, Mapping) else {"observed": False}
    except Exception as err:  # noqa: BLE001 - what cannot be read must not keep the program from its model
        sys.stderr.write(f"makingof: {type(err).__name__}: {err}\n")


def _facts(said: Mapping[str, Any]) -> Json:
    facts: Json = {"observed": True}
    for name in ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs"):
        keys = sorted(map(str, said.get(name) or ()))
        facts[name] = len(keys)
        if keys:
            facts[f"{name}_named"] = keys[:MAX_KEYS]
    return facts


def _remembering(before: Any) -> Any:
    def load_lora_weights(pipe: Any, source: Any, *args: Any, **kwargs: Any) -> Any:
        had = _adapter_names(pipe)
        result = before(pipe, source, *args, **kwargs)
        _remember_adapter(pipe, source, kwargs.get("weight_name"), _adapter_names(pipe) - had)
        return result

    load_lora_weights.__wrapped__ = before  # type: ignore[attr-defined]
    return load_lora_weights


def _adapter_names(pipe: Any) -> set[str]:
    try:
        return {str(name) for names in pipe.get_list_adapters().values() for name in names}
    except Exception:  # noqa: BLE001 - without peft there are no adapters to name
        return set()


def _remember_adapter(pipe: Any, source: Any, weight_name: Any, added: set[str]) -> None:
    try:
        path = Path(source) / str(weight_name or "")
        known = _adapter_files.setdefault(pipe, {})
        known.update(dict.fromkeys(added, path.absolute()))
    except (TypeError, ValueError):
        return  # loaded from memory, not from a file
