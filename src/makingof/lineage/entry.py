"""Entry: an event at its place in the log, with what its parts say as far as they are shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, Self, TypeVar

import msgspec

from makingof.digest import Digest
from makingof.errors import MalformedError
from makingof.event import Event, Kind, check_part
from makingof.part import FileBody, Means, Part, PartType


class PartState(StrEnum):
    """Why a part says nothing here."""

    SEALED = "sealed"  # somebody holds the bytes and does not show them
    ERASED = "erased"  # the bytes are gone


_BodyT = TypeVar("_BodyT", bound=msgspec.Struct)
_EntryT = TypeVar("_EntryT", bound="Entry")


@dataclass(frozen=True, slots=True)
class Statement(Generic[_BodyT]):
    """One part that speaks: its name, the part, and its body read in the shape asked for."""

    digest: Digest
    part: Part
    body: _BodyT


@dataclass(frozen=True, slots=True)
class Entry:
    """An event with its parts, list parts replaced by what they list.

    `parts` keeps the header's order. `types` knows the type of every part, the
    silent ones included. `lists` has the list parts themselves, which say
    nothing but what belongs to the event.
    """

    position: int
    event: Event
    parts: Mapping[Digest, Part | PartState]
    types: Mapping[Digest, PartType]
    lists: Mapping[Digest, tuple[Digest, ...]]

    @classmethod
    def read(cls, position: int, entry: bytes, stored: Mapping[Digest, bytes | PartState]) -> Self:
        """Read an event and those of its parts that `stored` has; a part it lacks counts as sealed.

        Refused, as `MalformedError`: bytes that do not have the digest they are
        stored under, a part of another type than the header says, a part that
        claims more than its event, and parts the event does not cite. What a sealed
        or erased list part listed cannot be told: with one, parts nobody cites are
        left out instead.
        """
        return _Reader(position, Event.parse(entry), stored).read(cls)

    @property
    def name(self) -> Digest:
        """The event's only name, its leaf hash."""
        return self.event.name

    @property
    def kind(self) -> Kind:
        """What happened."""
        return self.event.kind

    @property
    def means(self) -> Means:
        """The channel by which it was learned that it happened."""
        return self.event.means

    def statements(self, part_type: PartType, shape: type[_BodyT]) -> list[Statement[_BodyT]]:
        """Return what the parts of one type say, in order; `silent` tells which say nothing."""
        return [
            Statement(digest, part, part.read(shape))
            for digest, part in self.parts.items()
            if self.types[digest] is part_type and isinstance(part, Part)
        ]

    def first(self, part_type: PartType, shape: type[_BodyT]) -> _BodyT | None:
        """Return the first statement of one type, or None where no part of it speaks."""
        return next((said.body for said in self.statements(part_type, shape)), None)

    def files(self) -> list[Statement[FileBody]]:
        """Return the pictures and documents this event names."""
        return self.statements(PartType.FILE, FileBody)

    def silent(self, part_type: PartType | None = None) -> dict[Digest, PartState]:
        """Return the sealed and erased parts, of one type or of all."""
        return {
            digest: part
            for digest, part in self.parts.items()
            if isinstance(part, PartState) and part_type in (None, self.types[digest])
        }


@dataclass(slots=True)
class _Reader:
    """Collects the parts of one event, following its list parts one level."""

    position: int
    event: Event
    stored: Mapping[Digest, bytes | PartState]
    parts: dict[Digest, Part | PartState] = field(default_factory=dict)
    types: dict[Digest, PartType] = field(default_factory=dict)
    lists: dict[Digest, tuple[Digest, ...]] = field(default_factory=dict)

    def read(self, shape: type[_EntryT]) -> _EntryT:
        for ref in self.event.header.parts:
            part = self._read_part(ref.digest, ref.type)
            listed = part.listed() if isinstance(part, Part) else None
            if listed is None:
                self._add(ref.digest, ref.type, part)
            else:
                self._add_list(ref.digest, ref.type, listed)
        self._refuse_strangers()
        return shape(self.position, self.event, self.parts, self.types, self.lists)

    def _add_list(self, name: Digest, part_type: PartType, listed: tuple[Digest, ...]) -> None:
        self.lists[name] = listed
        for digest in listed:
            part = self._read_part(digest, part_type)
            if isinstance(part, Part) and part.listed() is not None:
                message = f"{part_type} part {digest} is a list inside a list"
                raise MalformedError(message)
            self._add(digest, part_type, part)

    def _add(self, digest: Digest, part_type: PartType, part: Part | PartState) -> None:
        if digest in self.parts or digest in self.lists:
            message = f"{self.event.kind} has part {digest} twice"
            raise MalformedError(message)
        self.parts[digest] = part
        self.types[digest] = part_type

    def _read_part(self, digest: Digest, part_type: PartType) -> Part | PartState:
        data = self.stored.get(digest, PartState.SEALED)
        if isinstance(data, PartState):
            return data
        if Digest.of(data) != digest:
            message = f"bytes stored as part {digest} have another digest"
            raise MalformedError(message)
        part = Part.parse(data)
        if part.type is not part_type:
            message = f"part {digest} is a {part.type} part and cited as {part_type}"
            raise MalformedError(message)
        check_part(self.event.header, part)
        return part

    def _refuse_strangers(self) -> None:
        strangers = self.stored.keys() - self.parts.keys() - self.lists.keys()
        if strangers and not any(isinstance(part, PartState) for part in self.parts.values()):
            message = f"part {min(strangers)} is not cited by its {self.event.kind} event"
            raise MalformedError(message)
