"""Reading: what one record inside a file says about how the file was made.

A reading is a claim, not a fact: whoever could write the file could write the
record. It therefore keeps where the record lies (`locator`), its bytes as they
were (`raw`), and for every field whether the tool wrote it at all.

Field names that several tools share are listed in `SHARED_FIELDS`; what only
one tool writes keeps the tool's own spelling behind `tool:`. Values are text as
the tool spelled it: `7.0` stays `7.0` and a 64-bit seed stays exact.
"""

from enum import StrEnum

import msgspec

from makingof.digest import Digest

SHARED_FIELDS = (
    "prompt",           # what the tool calls the prompt
    "negative",
    "typed_prompt",     # before wildcards, templates or rewriting, where the tool keeps it too
    "typed_negative",
    "expanded_prompt",  # with styles and expansion, where the tool states it beside the prompt
    "expanded_negative",
    "seed",
    "steps",
    "sampler",
    "scheduler",
    "guidance",         # CFG scale
    "denoise",          # denoising strength
    "model",
    "model_hash",
    "vae",
    "adapters",         # LoRA and the like, as the tool lists them
    "width",            # of the generation, in pixels; the file may be larger
    "height",
    "clip_skip",
    "job",              # the tool's or vendor's id of the job
    "made_at",          # the tool's own words for when
    "user",             # a person's or account's name
)  # fmt: skip


class State(StrEnum):
    """Whether a value was there: never confuse what was left out with what was chosen."""

    PRESENT = "present"
    ABSENT = "absent"
    DEFAULT = "default"  # the tool says it used its default
    COMPUTED = "computed"  # made while the tool ran; the record names only its source
    SEVERAL = "several"  # more than one value made the picture side by side, none is the picture's own
    UNREADABLE = "unreadable"  # something is there and does not parse


class Field(msgspec.Struct, frozen=True, gc=False):
    """One value of a record, as text; None unless the state is present or default."""

    value: str | None
    state: State = State.PRESENT
    source: str = ""  # chunk key, graph node and input, EXIF tag: where inside the record


class Check(msgspec.Struct, frozen=True, gc=False):
    """One check a reader made on a record: `name`, whether it held, and what was seen."""

    name: str
    held: bool | None  # None: could not be made
    detail: str = ""


class Locator(msgspec.Struct, frozen=True, gc=False):
    """Where a record lies: `container` (png, jpeg…), `place` (tEXt:parameters) and the bytes it spans.

    `offset` and `size_bytes` are counted in the file's bytes; a record spread over
    several segments, or lying in the pixels, has no span and both are None.
    """

    container: str
    place: str
    offset: int | None = None
    size_bytes: int | None = None

    def __str__(self) -> str:
        span = "" if self.offset is None else f"@{self.offset}+{self.size_bytes}"
        return f"{self.container}:{self.place}{span}"


class Reading(msgspec.Struct, frozen=True):
    """What one record says. Several readings may share one `raw` (one per sampler of a graph)."""

    tool: str | None  # canonical tool name, e.g. "a1111", "comfyui"; None: the record's maker is unknown
    locator: Locator
    state: State  # PRESENT, or UNREADABLE with the reason in `checks`
    raw: bytes
    fields: dict[str, Field] = {}
    tool_version: str | None = None
    ordinal: int = 0  # among readings of one raw record, in dataflow order
    main: bool = False  # the one that speaks for the picture: at most one per file
    checks: tuple[Check, ...] = ()
    reader: str = ""  # name and version of the reader that made this, e.g. "a1111/1"

    @property
    def raw_digest(self) -> Digest:
        """Name of the record's bytes as they lie in the file."""
        return Digest.of(self.raw)

    def value(self, name: str) -> str | None:
        """Text of a field, or None where it is not present."""
        found = self.fields.get(name)
        return found.value if found else None

    def state_of(self, name: str) -> State:
        """State of a field; one that the record does not mention is absent."""
        found = self.fields.get(name)
        return found.state if found else State.ABSENT
