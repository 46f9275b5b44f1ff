"""Choices: what was kept, turned down or called final, among what, and what stands of it."""

from collections.abc import Iterable, Mapping

import msgspec

from makingof.digest import Digest
from makingof.event import Kind
from makingof.lineage.judged import Judged
from makingof.lineage.lineage import Lineage, Member
from makingof.part import Choice, Means, PartType, Reason


class ChoiceMade(msgspec.Struct, frozen=True):
    """One choice. `judged` and `among` are file parts; empty where the part that says them is not shown."""

    event: Digest
    position: int
    judgement: Judged
    judged: tuple[Digest, ...]
    among: tuple[Digest, ...]
    among_from: str
    actor: str | None
    means: Means
    at: str
    reason: str | None
    withdrawn: bool


def read_choices(lineage: Lineage) -> tuple[ChoiceMade, ...]:
    """Return the choices of a lineage in log order, withdrawn ones marked."""
    return tuple(
        _read(member) for member in lineage.members if member.entry.kind in (Kind.SELECTED, Kind.REJECTED)
    )


def judge(choices: Iterable[ChoiceMade], blobs: Mapping[Digest, Digest]) -> dict[Digest, Judged]:
    """Return what was last said of each picture: by its bytes where `blobs` knows them, else by file part."""
    said: dict[Digest, Judged] = {}
    for choice in choices:
        if not choice.withdrawn:
            said |= {blobs.get(file, file): choice.judgement for file in choice.judged}
    return said


def _read(member: Member) -> ChoiceMade:
    entry, header = member.entry, member.entry.event.header
    choice = entry.first(PartType.CHOICE, Choice) or Choice(judged=())
    reason = entry.first(PartType.REASON, Reason)
    return ChoiceMade(
        event=entry.name,
        position=entry.position,
        judgement=_judgement(entry.kind, choice),
        judged=choice.judged,
        among=choice.among,
        among_from=choice.among_from,
        actor=header.actor,
        means=header.means,
        at=header.recorded_at,
        reason=reason.text if reason else None,
        withdrawn=bool(member.withdrawn_by),
    )


def _judgement(kind: Kind, choice: Choice) -> Judged:
    if kind is Kind.REJECTED:
        return Judged.REJECTED
    return Judged.FINAL if choice.final else Judged.KEPT
