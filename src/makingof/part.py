"""Part: one statement of an event, with its own salt, means and origin.

Parts are canonical JSON documents of at most 1 MiB. A header cites them by the
SHA-256 of their bytes; the 16 random bytes of salt inside keep a short prompt
from being guessed out of that digest. Each is disclosed, sealed or erased by
itself. One struct per type says what the body holds; `docs/spec/event.md` says
what each field means.
"""

import base64
import builtins
import hmac
import re
from enum import StrEnum
from functools import cached_property
from typing import Any, Self, TypeVar, cast

import msgspec

from makingof import canonical
from makingof.canonical import convert
from makingof.digest import Digest
from makingof.errors import MalformedError
from makingof.reading import State

MAX_PART_BYTES = 1 << 20
SALT_BYTES = 16
_SALT = re.compile(r"[0-9a-f]{32}")


class Means(StrEnum):
    """The channel by which we learned it; given by the recorder, never upgraded."""

    LIVE = "live"  # a hook as the tool ran, or an act done in makingof at that moment
    SPOOLED = "spooled"  # a hook, but handed over late
    WATCHED = "watched"  # created or renamed while we looked
    RECOVERED = "recovered"  # read later from what a tool left behind
    STATED = "stated"  # a person told us afterwards
    OWN = "own"  # the recorder about itself


class PartType(StrEnum):
    """What a part is about."""

    PROMPT = "prompt"
    NEGATIVE = "negative"
    PARAMETERS = "parameters"
    FILE = "file"
    PEOPLE = "people"
    REASON = "reason"
    PLACE = "place"
    ENVIRONMENT = "environment"
    RAW = "raw"
    PIECES = "pieces"
    NOTE = "note"
    CHOICE = "choice"
    REPORT = "report"
    OWN = "own"


class Role(StrEnum):
    """What a file is to the event that names it."""

    OUTPUT = "output"
    PREVIEW = "preview"
    GRID = "grid"
    MASK = "mask"
    CONTROL = "control"
    INIT = "init"
    REFERENCE = "reference"
    LAYER = "layer"
    FINAL = "final"


class Written(StrEnum):
    """How a prompt came to be, as far as the tool shows it."""

    TYPED = "typed"
    PASTED = "pasted"
    EXPANDED = "expanded"
    PROGRAM = "program"
    UNKNOWN = "unknown"


class Holding(StrEnum):
    """How we hold a file's bytes: in the store, or by digest only."""

    HELD = "held"
    KNOWN = "known"


class Text(msgspec.Struct, frozen=True, omit_defaults=False):
    """A prompt or negative prompt. Text that is not valid Unicode survives in `base64`."""

    effective: str | None = None  # what the model was given
    typed: str | None = None  # before wildcards, styles or rewriting
    state: State = State.PRESENT
    written: Written = Written.UNKNOWN
    base64: str | None = None
    ordinal: int = 0  # which record of the file or job, in dataflow order


class Parameter(msgspec.Struct, frozen=True):
    """One value as the tool spelled it."""

    value: str | None
    state: State = State.PRESENT
    source: str = ""


class CheckMade(msgspec.Struct, frozen=True):
    """A check a reader made on the record."""

    name: str
    held: bool | None
    detail: str = ""


class Parameters(msgspec.Struct, frozen=True):
    """What one record says besides the prompts; `file` is the file part it was read from."""

    tool: str | None = None
    reader: str = ""
    ordinal: int = 0
    main: bool = False
    state: State = State.PRESENT
    fields: dict[str, Parameter] = {}
    checks: tuple[CheckMade, ...] = ()
    file: Digest | None = None


class FileBody(msgspec.Struct, frozen=True):
    """One picture or document. `pieces_key` derives the salts of its `pieces`."""

    role: Role
    digest: Digest
    size: int
    holding: Holding = Holding.HELD
    media_type: str | None = None
    width: int | None = None
    height: int | None = None
    number: int | None = None  # position in its batch, where the tool says so
    pieces_key: str | None = None


class Person(msgspec.Struct, frozen=True):
    """A person or program behind a pseudonym; a name is as given, and not checked by us."""

    id: str
    name: str | None = None
    kind: str = "person"  # person, program
    role: str | None = None
    version: str | None = None
    key: str | None = None  # Ed25519 public key, OpenSSH form
    account: str | None = None
    bound_by: str | None = None  # who outside bound this person to the key or account


class People(msgspec.Struct, frozen=True):
    people: tuple[Person, ...]


class Reason(msgspec.Struct, frozen=True):
    text: str


class Note(msgspec.Struct, frozen=True):
    """What somebody wrote down; `about` names the file parts of the pictures it speaks of."""

    text: str = ""
    title: str | None = None
    about: tuple[Digest, ...] = ()


class Place(msgspec.Struct, frozen=True):
    """Where something lay or went: seal it with the prompts, since names often hold them."""

    path: str | None = None
    name: str | None = None
    url: str | None = None
    account: str | None = None
    host: str | None = None
    modified: str | None = None  # a file's modification time as the file system tells it: a claim
    file: Digest | None = None
    base64: str | None = None  # a path that is not valid Unicode


class Raw(msgspec.Struct, frozen=True):
    """A record's own bytes: as a span of a file part, or here in base64 where it is loose."""

    locator: str
    digest: Digest
    size: int
    tool: str | None = None
    file: Digest | None = None
    offset: int | None = None
    base64: str | None = None


class Piece(msgspec.Struct, frozen=True):
    """One segment of a container: `digest` is SHA-256 of its own salt and its bytes."""

    name: str
    size: int
    digest: Digest


class FilePieces(msgspec.Struct, frozen=True):
    file: Digest
    container: str
    pieces: tuple[Piece, ...]


class Pieces(msgspec.Struct, frozen=True):
    """Salted digests of containers' segments, so that a copy without some can be checked."""

    files: tuple[FilePieces, ...]


def piece_salt(pieces_key: bytes, number: int) -> bytes:
    """Return the salt of segment `number`: disclosing it tells nothing of the other segments' salts."""
    return hmac.digest(pieces_key, number.to_bytes(4, "big"), "sha256")[:SALT_BYTES]


class Choice(msgspec.Struct, frozen=True):
    """What was judged, and what lay on the table; both name file parts."""

    judged: tuple[Digest, ...]
    among: tuple[Digest, ...] = ()
    among_from: str = "none"  # given, batch, page, tool, none: how we know what lay on the table
    final: bool = False


class Report(msgspec.Struct, frozen=True):
    """What a tool or service said about a job, in its own terms."""

    outcome: str | None = None
    job: str | None = None
    outputs: int | None = None
    text: str | None = None
    facts: dict[str, Any] = {}


class Environment(msgspec.Struct, frozen=True):
    facts: dict[str, Any] = {}


class Own(msgspec.Struct, frozen=True):
    """The recorder's own facts; what each kind of event puts here is in `docs/spec/event.md`."""

    facts: dict[str, Any] = {}


BODIES: dict[PartType, type[msgspec.Struct]] = {
    PartType.PROMPT: Text,
    PartType.NEGATIVE: Text,
    PartType.PARAMETERS: Parameters,
    PartType.FILE: FileBody,
    PartType.PEOPLE: People,
    PartType.REASON: Reason,
    PartType.PLACE: Place,
    PartType.ENVIRONMENT: Environment,
    PartType.RAW: Raw,
    PartType.PIECES: Pieces,
    PartType.NOTE: Note,
    PartType.CHOICE: Choice,
    PartType.REPORT: Report,
    PartType.OWN: Own,
}


class Vouched(msgspec.Struct, frozen=True):
    """Who outside can be asked about a statement, or whose key checks."""

    by: str
    job: str | None = None
    check: str | None = None


_BodyT = TypeVar("_BodyT", bound=msgspec.Struct)


class Part(msgspec.Struct, frozen=True, dict=True, rename={"from_": "from"}):
    """One statement; `body` is kept as read, so that fields of later versions survive."""

    type: PartType
    salt: str
    means: Means
    from_: str
    vouched: Vouched | None
    body: dict[str, Any]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a part's bytes; anything but one canonical, well-shaped part is a `MalformedError`."""
        if len(data) > MAX_PART_BYTES:
            message = f"part of {len(data)} bytes is over {MAX_PART_BYTES}"
            raise MalformedError(message)
        part = convert(canonical.from_bytes(data), cls, "part")
        if not _SALT.fullmatch(part.salt):
            message = "part has no salt of 16 bytes in lower-case hex"
            raise MalformedError(message)
        if part.listed() is None:
            part.read(BODIES[part.type])
        return part

    def to_bytes(self) -> bytes:
        """Return the bytes a header cites by digest; over 1 MiB is a `MalformedError`."""
        data = canonical.to_bytes(msgspec.to_builtins(self, enc_hook=str))
        if len(data) > MAX_PART_BYTES:
            message = f"{self.type} part of {len(data)} bytes is over {MAX_PART_BYTES}"
            raise MalformedError(message)
        return data

    def read(self, shape: builtins.type[_BodyT]) -> _BodyT:
        """Return the body as `shape`, one of `BODIES`; another shape is a `MalformedError`."""
        if shape is BODIES[self.type]:
            return cast(_BodyT, self._said)
        return convert(self.body, shape, f"{self.type} part")

    @cached_property
    def _said(self) -> msgspec.Struct:
        return convert(self.body, BODIES[self.type], f"{self.type} part")

    def listed(self) -> tuple[Digest, ...] | None:
        """Return the further parts a list part stands for, or None for a part that speaks itself.

        A header cites at most 16 parts. Where an event has more of one type, one part
        of that type has the body `{"parts": [digest, …]}` and the parts listed carry
        the statements. Lists do not nest.
        """
        if self.body.keys() != {"parts"}:
            return None
        return convert(self.body["parts"], tuple[Digest, ...], f"list of {self.type} parts")


def body_of(statement: msgspec.Struct) -> dict[str, Any]:
    """Return a body ready for canonical JSON, without the fields left at None.

    Lone surrogates, which tools do write, cannot stand in JSON: `portable_text`
    splits them off first.
    """
    body = msgspec.to_builtins(statement, enc_hook=str)
    return {key: value for key, value in body.items() if value is not None}


def escaped(text: str) -> str:
    """Return `text` with what is not valid Unicode escaped: to be read, and not to be read back."""
    return text.encode("utf-8", "backslashreplace").decode()


def portable_text(text: str) -> tuple[str | None, str | None]:
    """Return (text, None), or (None, base64) where `text` is not valid Unicode.

    The base64 is of UTF-8 with surrogates passed through (WTF-8), so nothing a
    tool wrote is lost and nothing invalid enters canonical JSON.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return None, base64.b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii")
    return text, None
