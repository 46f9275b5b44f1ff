"""What second looks said: a generator's own history beside the log, compared by the recorder."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from makingof.event import Kind
from makingof.part import Own, PartType

if TYPE_CHECKING:  # status tells of looks and reads no entries
    from makingof.lineage.entry import Entry

REASONS = ("no_hook", "before_hook", "hook_lost", "not_recorded", "unknown")


class SecondLook(msgspec.Struct, frozen=True):
    """How many jobs a generator had in its own history, and which of these the log has not: job → why."""

    tool: str
    url: str
    jobs: int
    missing: Mapping[str, str]

    @property
    def recorded(self) -> int:
        """How many of its jobs the log has."""
        return self.jobs - len(self.missing)


class LookedAt(msgspec.Struct, frozen=True):
    """A second look and where it stands."""

    position: int
    look: SecondLook


class Compared(msgspec.Struct, frozen=True):
    """All the looks at one generator; `missing` is what any of them found missing, by the last word on it."""

    tool: str
    looks: int
    position: int  # of the last one
    jobs: int  # then
    missing: Mapping[str, str]


def read_second_look(facts: Mapping[str, Any]) -> SecondLook | None:
    """Return the second look that own facts tell of; what has not its shape tells of none."""
    told = facts.get("second_look")
    match told:
        case {"tool": str(tool), "url": str(url), "jobs": int(jobs), "missing": list(missing)}:
            found = {
                job: why
                for item in missing
                if isinstance(item, dict)
                and isinstance(job := item.get("job"), str)
                and isinstance(why := item.get("why"), str)
            }
            is_possible = type(jobs) is int and len(found) == len(missing) <= jobs
            return SecondLook(tool, url, jobs, found) if is_possible else None
        case _:
            return None


def second_looks(entry: "Entry") -> Iterator[LookedAt]:
    """Yield what a `checked` event says of generators' histories, as far as it is shown."""
    if entry.kind is Kind.CHECKED:
        for said in entry.statements(PartType.OWN, Own):
            if (look := read_second_look(said.body.facts)) is not None:
                yield LookedAt(entry.position, look)


def compare_generators(entries: Iterable["Entry"]) -> list[Compared]:
    """Put together the looks at each generator, in the order they first stand in `entries`."""
    by_host: dict[tuple[str, str], list[LookedAt]] = {}
    for entry in entries:
        for found in second_looks(entry):
            by_host.setdefault((found.look.tool, found.look.url), []).append(found)
    return [
        Compared(
            tool=tool,
            looks=len(found),
            position=found[-1].position,
            jobs=found[-1].look.jobs,
            missing={job: why for item in found for job, why in item.look.missing.items()},
        )
        for (tool, _), found in by_host.items()
    ]
