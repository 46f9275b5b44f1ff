"""Document: a layered file as it lies there, and what it says about how it was made.

Nothing here was decoded: sizes, names and order are the file's own, times and
counters are claims in the file's own words. Whoever could write the file could
write all of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from makingof.metadata.documents.stored import Stored
from makingof.reading import Reading


class LayerKind(StrEnum):
    """What a layer is, as far as the format tells."""

    PAINT = "paint"
    GROUP = "group"
    TEXT = "text"
    VECTOR = "vector"
    FILL = "fill"  # one colour, a gradient, a pattern, a generator
    ADJUSTMENT = "adjustment"  # changes what lies below it
    EMBEDDED = "embedded"  # a file inside the file: smart object, file layer, link
    CLONE = "clone"
    SELECTION = "selection"  # a floating selection
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer; `children` and siblings are in the order seen on screen, topmost first.

    A value the file does not state is None: absent is not the same as default.
    """

    name: str
    kind: LayerKind
    visible: bool | None = None
    opacity: str | None = None  # in the format's own scale: "128/255", "0.5", "256/256"
    blend: str | None = None  # in the format's own words or number
    id: str | None = None  # what the program itself calls the layer, unchanged by renaming
    at: tuple[int, int] | None = None  # of its upper left corner on the canvas, in pixels
    size: tuple[int, int] | None = None  # width and height in pixels
    masks: tuple[str, ...] = ()  # names of masks on it, "" for one without a name
    made_at: str | None = None  # Photoshop alone writes one: seconds since 1970, a claim
    stored: Stored | None = None  # where its data lies, still packed
    mark: str | None = None  # cheap check sum of the stored bytes; unequal marks mean other bytes
    children: tuple["Layer", ...] = ()

    def walk(self) -> Iterator["Layer"]:
        """Yield this layer and everything in it, from the top down."""
        yield self
        for child in self.children:
            yield from child.walk()


class PictureRole(StrEnum):
    """What a picture inside a document is to it."""

    COMPOSITE = "composite"  # all visible layers merged, as the program last drew them
    PREVIEW = "preview"
    RESULT = "result"  # one output of a generator job, used or not
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture inside the document. `stored.read(data)` gets its bytes from the same file."""

    role: PictureRole
    stored: Stored
    media_type: str | None = (
        None  # by its first bytes where they were looked at; None: packed or not looked at
    )
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """One fact as the document words it: a date without offset stays one."""

    name: str  # one of CLAIMS, or the format's own spelling behind "tool:"
    value: str
    source: str  # where inside the document


CLAIMS = (
    "title",
    "description",
    "comment",
    "creator",            # a person's name as the program knew it
    "created_at",
    "modified_at",
    "editing_seconds",    # time the program counted as spent
    "editing_cycles",     # how often it was saved
    "strokes",
    "recording_enabled",
    "recording_purged",   # a time-lapse was there and was thrown away
    "merged_picture",     # what the document says about its own composite
    "prompt_in_editor",   # what stood in the generator's prompt box when the document was saved
    "negative_in_editor",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of the history a program keeps inside the document."""

    action: str | None
    when: str | None = None
    agent: str | None = None
    instance: str | None = None
    changed: str | None = None
    parameters: str | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """What the document says of its own past, mostly from XMP; ids are quoted, not checked."""

    steps: tuple[Step, ...] = ()
    log: str | None = None  # Photoshop's history log, written only where the user had switched it on
    document_id: str | None = None
    original_id: str | None = None
    instance_id: str | None = None
    derived_from: tuple[str, ...] = ()  # ids of the document this one was made from
    ancestors: tuple[str, ...] = ()  # ids of documents of which something was pasted in

    @property
    def is_empty(self) -> bool:
        """Whether the document says nothing of its past."""
        return self == History()


@dataclass(frozen=True, slots=True)
class Result:
    """One picture a generator job gave; `applied` is None where the document does not say."""

    number: int
    applied: bool | None
    picture: Picture | None


@dataclass(frozen=True, slots=True)
class Job:
    """One generator job in the document's history; `reading` is its place among `Document.readings`."""

    id: str
    kind: str
    name: str
    results: tuple[Result, ...]
    reading: int


@dataclass(frozen=True, slots=True)
class Recording:
    """A piece of a time-lapse kept inside the document."""

    number: int
    stored: Stored | None  # None: the document knows of it and its bytes were not found
    media_type: str | None = None
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Damage:
    """Something that could not be read; the rest was."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


MAX_DAMAGE = 500


def listed(damage: Sequence[Damage]) -> tuple[Damage, ...]:
    """Return the first `MAX_DAMAGE` notes, and one that says how many more there are."""
    if len(damage) <= MAX_DAMAGE:
        return tuple(damage)
    more = Damage("document", f"{len(damage) - MAX_DAMAGE} more parts are damaged than are listed")
    return (*damage[:MAX_DAMAGE], more)


@dataclass(frozen=True, slots=True)
class Document:
    """One layered document. Everything but `format` may be missing in a damaged file."""

    format: str  # psd psb kra ora xcf procreate clip
    name: str | None = None  # file name without folder, if the caller knows one
    tool: str | None = None
    tool_version: str | None = None
    width: int | None = None
    height: int | None = None
    layers: tuple[Layer, ...] = ()
    composite: Picture | None = None
    pictures: tuple[Picture, ...] = ()  # all others, in file order
    history: History = History()
    jobs: tuple[Job, ...] = ()
    claims: tuple[Claim, ...] = ()
    recordings: tuple[Recording, ...] = ()
    readings: tuple[Reading, ...] = field(default=(), repr=False)
    damage: tuple[Damage, ...] = ()

    def claim(self, name: str) -> str | None:
        """Return the first claim called `name`, or None."""
        return next((claim.value for claim in self.claims if claim.name == name), None)

    def walk(self) -> Iterator[Layer]:
        """Yield every layer from the top down, groups before what is in them."""
        for layer in self.layers:
            yield from layer.walk()
