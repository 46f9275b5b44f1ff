"""What the recorder says it found when it compared generators' own histories with the log."""

from collections.abc import Iterable, Iterator

from makingof.lineage.entry import Entry
from makingof.lineage.second_looks import compare_generators
from makingof.texts import Message, say

_EXPLAINED = frozenset({"no_hook", "before_hook"})


def describe_looks(entries: Iterable[Entry]) -> Iterator[tuple[Message, Message | None]]:
    """Yield what is shown of each generator's history, with what a reader must know at once, or None."""
    for found in compare_generators(entries):
        told = say(
            "verify.second_looks",
            tool=found.tool,
            looks=found.looks,
            position=found.position,
            jobs=found.jobs,
            missing=len(found.missing),
        )
        is_explained = _EXPLAINED.issuperset(found.missing.values())
        yield told, None if is_explained else say("verify.warn_history", tool=found.tool)
