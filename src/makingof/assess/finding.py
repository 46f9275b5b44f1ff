"""Finding: what one probe saw in a lineage, on whose word, and which events say so."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from makingof.digest import Digest
from makingof.part import Means
from makingof.texts import Message, in_language

MAX_LISTED = 50  # events and parts named in a finding's bytes; the totals are always told
_MAX_TEXT = 200


class Outcome(StrEnum):
    """Whether a claim is shown; not knowing has names of its own and is never "no"."""

    SHOWN = "shown"
    PARTLY = "partly"
    CONTRADICTED = "contradicted"
    ABSENT = "absent"
    SEALED = "sealed"  # what could show it is there and not disclosed
    UNVERIFIABLE = "unverifiable"  # it cannot be told: bytes gone, events not verified, probe unknown
    NOT_APPLICABLE = "not_applicable"


class Basis(StrEnum):
    """On whose word, the strongest first."""

    PROVED = "proved"  # bytes, order across stamps, time bounds: mathematics and two outside authorities
    VOUCHED = "vouched"  # an outsider can be asked, or his key checks
    ATTESTED = "attested"  # our recorder, a tool or a person says so


_STRENGTH = {basis: rank for rank, basis in enumerate(Basis)}
_RANK = {
    Means.LIVE: 0,
    Means.OWN: 0,
    Means.SPOOLED: 1,
    Means.WATCHED: 2,
    Means.RECOVERED: 3,
    Means.STATED: 4,
}


def weakest_basis(bases: Iterable[Basis]) -> Basis:
    """Return the basis all of `bases` can rest on; of none at all, the recorder's word."""
    return max(bases, key=_STRENGTH.__getitem__, default=Basis.ATTESTED)


def weaker_means(one: Means, other: Means) -> Means:
    """Return the weaker channel of two: a chain of knowing is as good as its worst link."""
    return max(one, other, key=_RANK.__getitem__)


@dataclass(frozen=True, slots=True)
class Cited:
    """An event a finding rests on. `means` is the weaker of the event's and of the part that was read."""

    position: int
    event: Digest
    means: Means
    vouched: bool = False


def stronger(one: Cited, other: Cited) -> bool:
    """Tell whether `one` is known by better means than `other`, or as well and vouched for."""
    return (_RANK[one.means], not one.vouched) < (_RANK[other.means], not other.vouched)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a probe says, before the engine weighs what it could not see."""

    outcome: Outcome
    message: Message | str
    cited: tuple[Cited, ...] = ()
    basis: Basis = Basis.ATTESTED


@dataclass(frozen=True, slots=True)
class Finding:
    """An answer with the sealed and erased parts in its scope.

    `held_back` tells that the probe said more than `outcome`, and what it could not
    see, or what was not verified, keeps it down.
    """

    probe: str
    outcome: Outcome
    basis: Basis
    message: Message | str
    cited: tuple[Cited, ...] = ()
    sealed: tuple[Digest, ...] = ()
    erased: tuple[Digest, ...] = ()
    held_back: bool = False

    def to_builtins(self) -> dict[str, Any]:
        """Return values for canonical JSON; long lists are cut at `MAX_LISTED` beside their totals."""
        return {
            "probe": self.probe,
            "outcome": str(self.outcome),
            "basis": str(self.basis),
            "message": message_to_builtins(self.message),
            "events": [
                {"position": item.position, "event": str(item.event), "means": str(item.means)}
                for item in self.cited[:MAX_LISTED]
            ],
            "events_total": len(self.cited),
            "sealed": [str(digest) for digest in self.sealed[:MAX_LISTED]],
            "sealed_total": len(self.sealed),
            "erased_total": len(self.erased),
            "held_back": self.held_back,
        }


def message_to_builtins(message: Message | str) -> dict[str, Any]:
    """Return a message in both languages with the key it comes from."""
    key = message.key if isinstance(message, Message) else None
    return {"key": key, "en": in_language(message, "en"), "zh": in_language(message, "zh")}


def plain(text: str) -> str:
    """Return text from the record as it may stand in a message: one line, visible, bounded.

    Prompts and names are hostile text: control characters and signs that turn the
    direction of writing are spelled out.
    """
    cut = text if len(text) <= _MAX_TEXT else text[:_MAX_TEXT] + "…"
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii") for sign in cut
    )
