"""What a run depends on, as far as it is loaded already; nothing is imported for it."""

import contextlib
import platform
import sys
from collections.abc import Iterable
from typing import Any

from .plain import REMOVED, SECRET

# The host's own objects: what another version lacks, or has in another shape, is not told.
IF_THERE = contextlib.suppress(Exception)


def surroundings(libraries: Iterable[str]) -> "dict[str, Any]":
    """Return Python, system, command line, versions of `libraries`, and how torch is set."""
    facts: dict[str, Any] = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "arguments": plain_arguments(sys.argv[1:]),
    }
    for name in ("torch", "numpy", "PIL", "transformers", "safetensors", "xformers", *libraries):
        version = getattr(sys.modules.get(name), "__version__", None)
        if version is not None:
            facts[name] = str(version)
    with IF_THERE:
        facts |= _torch_facts(sys.modules["torch"])
    return facts


def plain_arguments(arguments: "list[str]") -> "list[str]":
    """Return a command line without folders, and without what stands behind a name like a credential's."""
    kept, is_secret = [], False
    for argument in map(str, arguments):
        name, equals, _ = argument.partition("=")
        names_secret = bool(SECRET.search(name.lstrip("-")))
        if is_secret or (names_secret and equals):
            kept.append(f"{name}={REMOVED}" if equals else REMOVED)
        else:
            kept.append(_without_folders(argument))
        is_secret = names_secret and not equals
    return kept


def _without_folders(argument: str) -> str:
    """Keep what was switched on, and of a path its last name: folders hold people's names."""
    name, equals, value = argument.rpartition("=")
    last = value.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return f"{name}{equals}{last}"


def _torch_facts(torch: Any) -> "dict[str, Any]":
    return {
        "threads": torch.get_num_threads(),
        "cuda": str(torch.version.cuda or ""),
        "deterministic": bool(torch.are_deterministic_algorithms_enabled()),
    }
