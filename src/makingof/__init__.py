"""makingof keeps the making-of of AI-assisted images as evidence.

The names below are the public ones; each is loaded when it is first asked for, so
that no command loads the whole program.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0.dev0"

_PUBLIC = {
    "Archive": "makingof.archive.archive",
    "open_archive": "makingof.archive.archive",
    "create_archive": "makingof.archive.archive",
    "Observation": "makingof.observation",
    "Attachment": "makingof.observation",
    "Reading": "makingof.reading",
    "read_records": "makingof.metadata.registry",
    "Event": "makingof.event",
    "Kind": "makingof.event",
    "Source": "makingof.event",
    "Part": "makingof.part",
    "Person": "makingof.part",
    "Means": "makingof.part",
    "Digest": "makingof.digest",
    "Lineage": "makingof.lineage.lineage",
    "Finding": "makingof.assess.finding",
    "Outcome": "makingof.assess.finding",
    "Pack": "makingof.assess.pack",
    "check_bundle": "makingof.verify.check",
    "Report": "makingof.verify.report",
    "record": "makingof.live.pipelines.recording",
    "record_loading": "makingof.live.pipelines.loading",
    "MakingofError": "makingof.errors",
    "record_calls": "makingof.live.record_calls",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        message = f"module makingof has no public name {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
