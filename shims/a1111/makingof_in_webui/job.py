"""Job: one run of `process_images`, from the host's word that it begins to what was handed over of it."""

import threading
import weakref
from dataclasses import dataclass, field
from typing import Any

from .pictures import Picture
from .plain import Part, place_part
from .telling import Request


@dataclass(eq=False)
class Job:
    """One run of `process_images`, from the host's word that it begins."""

    p: Any  # a weak reference: the host's object holds models
    thread: int
    timestamp: str
    request: Request
    key: int = 0  # which run of the host's this is, from 1; 0: it was not announced
    around: "Job | None" = None  # the job in whose course it runs
    inputs: "list[Picture]" = field(default_factory=list)
    saved: "list[Picture]" = field(default_factory=list)
    prepared: threading.Event = field(default_factory=threading.Event)
    flags: "set[str]" = field(default_factory=set)
    error: Any = None
    number: "int | None" = None  # of its request's handover
    end_number: "int | None" = None
    outputs: "list[Part]" = field(default_factory=list)  # digests handed over, for choices among them
    idle_looks: int = 0
    is_given_up: bool = False


def facts_of(job: Job, pictures: "list[Picture]", files: "list[Part]") -> "dict[str, Any]":
    """What the host said of a job besides its settings."""
    facts: dict[str, Any] = {
        **job.request.facts,
        "process": str(job.key),
        "inside": str(job.around.key) if job.around is not None else None,
        "seeds": job.request.seeds,
        "subseeds": job.request.subseeds,
        "flags": sorted(job.flags),
        "not_saved": [number for number, picture in enumerate(pictures) if picture.path is None],
        "not_as_saved": [
            number
            for number, picture in enumerate(pictures)
            if picture.path is not None and "bytes" in files[number]
        ],
        "by_reference": [number for number, picture in enumerate(pictures) if picture.by_reference],
        "kinds": {str(number): picture.what for number, picture in enumerate(pictures) if picture.what},
    }
    return {name: value for name, value in facts.items() if value not in (None, [], {})}


def places_of(pictures: "list[Picture]", files: "list[Part]") -> "list[Part]":
    """Where the pictures lie that were handed over as the host wrote them."""
    return [
        place_part(picture.path, number)
        for number, picture in enumerate(pictures)
        if picture.path is not None and "bytes" not in files[number]
    ]


def reference_to(p: Any) -> Any:
    """Return what gives the host's object while the host has it: it holds models, and may be used again."""
    try:
        return weakref.ref(p)
    except TypeError:
        return lambda: p
