"""Pack: what one authority asks for, as data a lawyer can write and read. `docs/howto/write-a-pack.md`."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Self

import msgspec

from makingof.assess.need import BoundAsked, MeansAsked, Need, ProbeNeed, SomeNeed, probes_in
from makingof.digest import Digest
from makingof.errors import MalformedError

VERSION = 1
MAX_PACK_BYTES = 1 << 20
_MAX_DEPTH = 6
_MAX_REQUIREMENTS = 200
_ID = re.compile(r"[a-z][a-z0-9-]{0,63}")
_PROBE = re.compile(r"[a-z][a-z0-9_.-]{0,127}")
# Words this program refuses to say; a pack that says them would say them in its name.
_VERDICT = re.compile(r"copyrightab|\bscore\b|\d\s?%|可版权性|评分", re.IGNORECASE)


class Lifecycle(StrEnum):
    """How far a pack can be relied on."""

    DRAFT = "draft"  # written from the sources named, read by no lawyer yet
    REVIEWED = "reviewed"  # a named reviewer has read it against the sources
    RETIRED = "retired"  # the law moved on; kept so that old assessments can be repeated


class Counts(StrEnum):
    """Axis B: what the authority says such a thing is worth there, once it is shown."""

    COUNTS = "counts"
    WITH_OTHERS = "with_others"  # together with the rest, not alone
    THAT_PART = "that_part"  # for the part it concerns only
    NOT = "does_not_count"
    OPEN = "open"  # the authority left it open, or weighs it case by case
    PROOF = "proof"  # a matter of proof: it makes other things believed and counts for nothing itself


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One text in both languages."""

    en: str
    zh: str

    def in_language(self, language: str) -> str:
        """Return the text in `language`."""
        return self.zh if language == "zh" else self.en


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a rule stands: the statute or decision, how firmly it was read, and through whom."""

    id: str
    cite: str
    read: str  # primary, secondary


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to do now; `command` where makingof has one."""

    en: str
    zh: str
    command: str | None = None


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text for a person to complete, check and sign; makingof fills in nothing."""

    id: str
    title: Text
    sources: tuple[str, ...]
    text: Text


class _WireRequirement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    title: Text
    asks: Text
    met_by: Text
    counts: Counts
    counts_why: Text
    sources: tuple[str, ...]
    needs: dict[str, Any]
    do: tuple[Step, ...] = ()


class _WirePack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    id: str
    edition: str
    lifecycle: Lifecycle
    date: str
    reviewer: str
    authority: Text
    about: Text
    source: tuple[Source, ...]
    requirement: tuple[_WireRequirement, ...]
    template: tuple[Template, ...] = ()


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing an authority asked for."""

    id: str
    title: Text
    asks: Text
    met_by: Text
    counts: Counts
    counts_why: Text
    sources: tuple[str, ...]
    needs: Need
    do: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Pack:
    """An authority's requirements, named by the digest of the bytes they were read from."""

    digest: Digest
    id: str
    edition: str
    lifecycle: Lifecycle
    date: str
    reviewer: str  # empty where nobody has reviewed it
    authority: Text
    about: Text
    sources: Mapping[str, Source]
    requirements: tuple[Requirement, ...]
    templates: tuple[Template, ...]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a pack; anything incomplete is a `MalformedError` that names the first problem.

        Refused: unknown fields and versions, a requirement without needs, sources not
        listed, texts missing in a language, and texts that give a verdict. That the
        probes named exist is checked by `check_pack`.
        """
        wire = _read(data)
        if problems := list(_problems(wire)):
            raise MalformedError(problems[0])
        return cls(
            digest=Digest.of(data),
            id=wire.id,
            edition=wire.edition,
            lifecycle=wire.lifecycle,
            date=wire.date,
            reviewer=wire.reviewer,
            authority=wire.authority,
            about=wire.about,
            sources={source.id: source for source in wire.source},
            requirements=tuple(_requirement(item) for item in wire.requirement),
            templates=wire.template,
        )

    @property
    def probe_names(self) -> frozenset[str]:
        """The questions this pack needs answered."""
        return frozenset(name for item in self.requirements for name in probes_in(item.needs))

    def to_builtins(self) -> dict[str, Any]:
        """Return what the pack is, for programs; the file itself is what can be read back."""
        built: dict[str, Any] = msgspec.to_builtins(
            {
                "id": self.id,
                "digest": str(self.digest),
                "edition": self.edition,
                "lifecycle": self.lifecycle,
                "date": self.date,
                "reviewer": self.reviewer,
                "authority": self.authority,
                "about": self.about,
                "sources": list(self.sources.values()),
                "requirements": list(self.requirements),
                "templates": self.templates,
            }
        )
        return built

    def find(self, requirement: str) -> Requirement | None:
        """Return the requirement of this id."""
        return next((item for item in self.requirements if item.id == requirement), None)


def check_pack(data: bytes, known: AbstractSet[str]) -> list[str]:
    """Return every problem of a pack, for the person who writes it; `known` are the probes there are."""
    try:
        wire = _read(data)
    except MalformedError as err:
        return [str(err.message)]
    problems = list(_problems(wire))
    if problems:
        return problems
    named = Pack.parse(data).probe_names
    return [f"probe {name!r} is not known here" for name in sorted(named - known)]


def _read(data: bytes) -> _WirePack:
    wire: _WirePack = read_toml(data, _WirePack, "pack", MAX_PACK_BYTES)
    return wire


def read_toml(data: bytes, shape: type[Any], what: str, limit: int) -> Any:
    """Read a TOML document into `shape`; anything else is a `MalformedError`."""
    if len(data) > limit:
        message = f"{what} of {len(data)} bytes is over {limit}"
        raise MalformedError(message)
    try:
        return msgspec.convert(tomllib.loads(data.decode()), shape, strict=True)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as err:
        message = f"{what} is not TOML: {err}"
        raise MalformedError(message) from err
    except msgspec.ValidationError as err:
        message = f"{what} does not have its shape: {err}"
        raise MalformedError(message) from err


def _problems(wire: _WirePack) -> Iterable[str]:
    if wire.version != VERSION:
        yield f"pack version {wire.version} is not {VERSION}"
    if not _ID.fullmatch(wire.id):
        yield f"pack id {wire.id!r} is not lower-case letters, digits and hyphens"
    yield from _date_problems(wire)
    if not wire.requirement or len(wire.requirement) > _MAX_REQUIREMENTS:
        yield f"pack has {len(wire.requirement)} requirements, not 1 to {_MAX_REQUIREMENTS}"
    sources = [source.id for source in wire.source]
    for name in sorted({name for name in sources if sources.count(name) > 1}):
        yield f"source {name!r} stands twice"
    ids = [item.id for item in wire.requirement]
    for name in sorted({name for name in ids if ids.count(name) > 1}):
        yield f"requirement {name!r} stands twice"
    for source in wire.source:
        if not source.cite.strip() or source.read not in ("primary", "secondary"):
            yield f"source {source.id!r} has no citation, or was read neither primary nor secondary"
    yield from _text_problems("pack", {"authority": wire.authority, "about": wire.about})
    for item in wire.requirement:
        yield from _requirement_problems(item, set(sources))
    for template in wire.template:
        yield from _text_problems(
            f"template {template.id!r}", {"title": template.title, "text": template.text}
        )
        yield from _source_problems(f"template {template.id!r}", template.sources, set(sources))


def _date_problems(wire: _WirePack) -> Iterable[str]:
    try:
        date.fromisoformat(wire.date)
    except ValueError:
        yield f"pack date {wire.date!r} is not spelled like 2026-10-20"
    if wire.lifecycle is Lifecycle.REVIEWED and not wire.reviewer.strip():
        yield "pack is reviewed by nobody"


def _requirement_problems(item: _WireRequirement, sources: AbstractSet[str]) -> Iterable[str]:
    name = f"requirement {item.id!r}"
    if not _ID.fullmatch(item.id):
        yield f"{name} is not named by lower-case letters, digits and hyphens"
    texts = {"title": item.title, "asks": item.asks, "met_by": item.met_by, "counts_why": item.counts_why}
    yield from _text_problems(name, texts)
    yield from _source_problems(name, item.sources, sources)
    for step in item.do:
        yield from _text_problems(name, {"a step to do": Text(step.en, step.zh)})
    try:
        _need(item.needs, 0)
    except MalformedError as err:
        yield f"{name}: {err.message}"


def _text_problems(name: str, texts: Mapping[str, Text]) -> Iterable[str]:
    for field, text in texts.items():
        for said in (text.en, text.zh):
            if not said.strip():
                yield f"{name}: {field} is missing in a language"
            if _VERDICT.search(said):
                yield f"{name}: {field} gives a verdict, a score or a percentage"


def _source_problems(name: str, named: tuple[str, ...], sources: AbstractSet[str]) -> Iterable[str]:
    if not named:
        yield f"{name} names no source"
    for source in named:
        if source not in sources:
            yield f"{name} names source {source!r}, which is not listed"


def _requirement(wire: _WireRequirement) -> Requirement:
    return Requirement(
        id=wire.id,
        title=wire.title,
        asks=wire.asks,
        met_by=wire.met_by,
        counts=wire.counts,
        counts_why=wire.counts_why,
        sources=wire.sources,
        needs=_need(wire.needs, 0),
        do=wire.do,
    )


def _need(value: Any, depth: int) -> Need:
    """Read `{probe=…}`, `{all=[…]}`, `{any=[…]}` or `{at_least=n, of=[…]}`."""
    if depth > _MAX_DEPTH:
        message = f"needs nest deeper than {_MAX_DEPTH}"
        raise MalformedError(message)
    match value:
        case {"probe": str(), **rest} if rest.keys() <= {"means", "bound"}:
            return _probe_need(value)
        case {"all": list() as inner} if len(value) == 1:
            return _some(len(inner), inner, depth)
        case {"any": list() as inner} if len(value) == 1:
            return _some(1, inner, depth)
        case {"at_least": int() as count, "of": list() as inner} if len(value) == 2:  # noqa: PLR2004
            return _some(count, inner, depth)
        case _:
            message = "needs are none of: a probe, all, any, at_least with of"
            raise MalformedError(message)


def _some(count: int, inner: list[object], depth: int) -> SomeNeed:
    if not inner or not 1 <= count <= len(inner) or isinstance(count, bool):
        message = f"needs ask for {count} of {len(inner)}"
        raise MalformedError(message)
    return SomeNeed(count, tuple(_need(item, depth + 1) for item in inner))


def _probe_need(value: dict[str, Any]) -> ProbeNeed:
    if not _PROBE.fullmatch(value["probe"]):
        message = f"probe {value['probe']!r} is not a name"
        raise MalformedError(message)
    try:
        return ProbeNeed(
            value["probe"],
            MeansAsked(value.get("means", MeansAsked.TOLD)),
            BoundAsked(value.get("bound", BoundAsked.NONE)),
        )
    except ValueError as err:
        message = f"probe {value['probe']!r}: {err}"
        raise MalformedError(message) from err
