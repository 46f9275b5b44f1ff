"""Write the vectors of docs/spec/lineage.md: short logs, the pictures asked about, and what lies behind them.

Run from the project's root: `python tests/vectors/lineage/make.py`. A test runs it too and compares.
What is expected is written here by hand, from the page, and not by the program.
"""

import json
import sys
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[2]))

from tests.histories import (  # noqa: E402 - the path to them is set above
    PROGRAM,
    History,
    Told,
    blob,
    file,
    job,
    note,
    own,
    parameters,
    place,
    prompt,
)

from makingof.digest import Digest  # noqa: E402
from makingof.event import Kind, Source  # noqa: E402
from makingof.part import Means, Role  # noqa: E402

CASES: list[dict[str, object]] = []
Teller = Callable[[History], None]


def case(
    title: str,
    ask: str | Callable[[History], Digest],
    expected: dict[int, str],
    *,
    claimed: Iterable[int] = (),
    withdrawn: dict[int, list[int]] | None = None,
    sealed: Callable[[History], Iterable[Digest]] = lambda _: (),
    listed: Iterable[int] = (),
) -> Callable[[Teller], Teller]:
    """Tell a log and note who belongs: position → why."""

    def add(tell: Teller) -> Teller:
        history = History(seed=title)
        tell(history)
        hidden = set(sealed(history))
        CASES.append(
            {
                "title": title,
                "entries": [
                    {
                        "entry": history.entry(told.position).decode(),
                        "parts": [
                            data.decode()
                            for digest, data in told.parts.items()
                            if data and digest not in hidden
                        ],
                    }
                    for told in history.told
                ],
                "pictures": [blob(ask) if isinstance(ask, str) else ask(history)],
                "listed": sorted(listed),
                "members": [
                    {
                        "position": position,
                        "why": expected[position],
                        "claimed": position in set(claimed),
                        "withdrawn_by": [history.told[by].name for by in (withdrawn or {}).get(position, [])],
                    }
                    for position in sorted(expected)
                ],
            }
        )
        return tell

    return add


def found(history: History, name: str, folder: str, claims: str | None) -> Told:
    """A file found in a folder long after."""
    said = [place(f"{folder}/{name}", modified=claims)]
    return history.generate(name, said=said, means=Means.RECOVERED, minutes=0)


@case("1: every event that gives the bytes", "a.png", {0: "picture", 1: "picture", 2: "picture"})
def _twice(history: History) -> None:
    history.generate("a.png")
    history.generate("a.png", means=Means.RECOVERED, minutes=6000)
    history.tell(Kind.IMPORTED, own(files=1), file("a.png"), means=Means.OWN, minutes=6000)
    history.generate("b.png", minutes=6000)


@case(
    "1: bytes that were only used name the jobs that used them, and nothing behind those",
    "photo.png",
    {1: "picture"},
)
def _used(history: History) -> None:
    history.generate("sketch.png")
    history.generate("b.png", said=[file("photo.png", Role.INIT), file("sketch.png", Role.MASK)], minutes=90)


@case(
    "2: what a job used leads to what gave it, whenever that was recorded",
    "c.png",
    {0: "ancestor", 1: "picture", 2: "ancestor"},
)
def _inputs(history: History) -> None:
    history.generate("a.png")
    history.generate("c.png", said=[file("a.png", Role.INIT), file("b.png", Role.CONTROL)], minutes=90)
    history.generate("b.png", minutes=90)


@case("2: an edit leads to what it cites", "b.png", {0: "ancestor", 1: "picture"})
def _edit(history: History) -> None:
    made = history.generate("a.png")
    history.tell(Kind.EDITED, file("b.png"), cites=[made], minutes=90)


@case(
    "2: a job is its id with its tool, or its request",
    "a.png",
    {0: "ancestor", 1: "picture", 2: "job", 3: "job", 5: "job"},
)
def _job(history: History) -> None:
    request = history.tell(Kind.PROMPTED, prompt("a cat"))
    history.generate("a.png", cites=[request], said=[job("7")], minutes=90)
    history.generate("b.png", cites=[request], minutes=90)
    history.tell(Kind.ATTEMPTED, job("7", outcome="failed"), minutes=90)
    history.generate("c.png", said=[job("7")], source=Source("makingof", "1", "forge"), minutes=90)
    history.generate(
        "d.png", said=[parameters("comfyui", job="7")], source=Source("makingof", "1"), minutes=90
    )


@case("2: the inputs of a request are those of its job", "b.png", {0: "ancestor", 1: "job", 2: "picture"})
def _request(history: History) -> None:
    history.generate("a.png")
    history.tell(Kind.PROMPTED, prompt("a cat"), file("a.png", Role.INIT), job("1"), minutes=90)
    history.generate("b.png", said=[job("1")], minutes=90)


@case(
    "2: a choice leads nowhere: what lay on the table is no ancestor", "c.png", {2: "ancestor", 3: "picture"}
)
def _table(history: History) -> None:
    one = history.generate("a.png")
    other = history.generate("b.png", minutes=90)
    kept = history.keep(one.file(), among=[one.file(), other.file()], minutes=90)
    history.tell(Kind.EDITED, file("c.png"), cites=[kept], minutes=90)


@case(
    "3: in a project, the jobs before the last of the events that made the picture; the project's opening",
    "edit.png",
    {0: "brief", 1: "project", 2: "ancestor", 3: "project", 4: "picture"},
)
def _project(history: History) -> None:
    history.brief("Cat")
    history.generate("early.png", minutes=6000)
    final = history.generate("final.png", minutes=6000)
    history.generate("between.png", minutes=6000)
    history.tell(Kind.EDITED, file("edit.png"), cites=[final], minutes=6000)
    history.generate("late.png", minutes=6000)
    history.brief("Dog")
    history.generate("dog.png")


@case(
    "3: recovered jobs of a project are ordered by what they claim; what claims nothing is not left out",
    "a.png",
    {0: "brief", 1: "picture", 2: "project", 4: "project"},
    claimed=[2, 4],
)
def _import(history: History) -> None:
    history.brief("Cat")
    found(history, "a.png", "/out", "2026-01-05T10:50:00.000Z")
    found(history, "b.png", "/out", "2026-01-01T10:00:00.000Z")
    found(history, "c.png", "/out", "2026-01-09T10:00:00.000Z")
    found(history, "d.png", "/out", None)


@case(
    "3: publishing in another project draws nothing of that project in",
    "a.png",
    {0: "picture", 3: "picture"},
)
def _published(history: History) -> None:
    made = history.generate("a.png")
    history.brief("Dog")
    history.generate("dog.png", minutes=90)
    history.tell(Kind.PUBLISHED, place(url="https://example.org/"), file("a.png"), cites=[made], actor="a1")


@case(
    "3: a file found again while another project was open draws nothing of that project in",
    "a.png",
    {0: "picture", 3: "picture"},
)
def _found_again(history: History) -> None:
    history.generate("a.png")
    history.brief("Dog")
    history.generate("dog.png", minutes=90)
    history.generate("a.png", means=Means.RECOVERED, minutes=90)


@case(
    "4: without a project, the working session: pauses under an hour",
    "d.png",
    {1: "session", 2: "session", 3: "picture"},
)
def _session(history: History) -> None:
    history.generate("a.png")
    history.generate("b.png", minutes=60)
    history.generate("c.png", minutes=59.99, means=Means.WATCHED)
    history.generate("d.png", minutes=59.99, means=Means.SPOOLED)
    history.generate("e.png", minutes=1)


@case("4: a clock set back shows no pause", "b.png", {0: "session", 1: "picture"})
def _clock(history: History) -> None:
    history.generate("a.png")
    history.clock.moment -= timedelta(days=9)
    history.generate("b.png")


@case(
    "4: recovered events are a session within one folder and by the times they claim",
    "a.png",
    {0: "picture", 1: "session", 2: "session"},
    claimed=[1, 2],
)
def _folder(history: History) -> None:
    found(history, "a.png", "/out", "2026-01-05T10:50:00.000Z")
    found(history, "b.png", "/out", "2026-01-05T10:00:00.000Z")
    found(history, "c.png", "/out", "2026-01-05T09:10:00.000Z")
    found(history, "d.png", "/out", "2026-01-05T08:10:00.000Z")
    found(history, "e.png", "/out", "2026-01-05T10:50:00.001Z")
    found(history, "f.png", "/other", "2026-01-05T10:49:00.000Z")
    found(history, "g.png", "/out", None)


@case(
    "6: what else lay on the table of a choice about the picture or an ancestor, and of no other choice",
    "edit.png",
    {0: "ancestor", 1: "alternative", 3: "cites", 4: "cites", 5: "picture"},
)
def _alternatives(history: History) -> None:
    kept = history.generate("kept.png")
    other = history.generate("other.png", minutes=90)
    far = history.generate("far.png", minutes=90)
    history.keep(kept.file(), among=[kept.file(), other.file()], minutes=90)
    history.keep(far.file(), among=[far.file(), other.file()], minutes=90)
    history.tell(Kind.EDITED, file("edit.png"), cites=[kept], minutes=90)


@case(
    "7: what cites, names or uses one of these, or gives the same bytes again, until nothing is added",
    "a.png",
    {0: "picture", 1: "cites", 2: "cites", 3: "cites", 4: "cites", 5: "cites"},
    withdrawn={1: [5]},
)
def _citing(history: History) -> None:
    made = history.generate("a.png", "b.png")
    kept = history.keep(made.file(0), among=[made.file(0), made.file(1)], minutes=90)
    history.tell(Kind.NOTED, note("why"), cites=[kept], minutes=90)
    history.generate("z.png", said=[file("a.png", Role.REFERENCE)], minutes=90)
    history.generate("z.png", minutes=90, means=Means.STATED)
    history.withdraw(kept, minutes=90)
    history.tell(Kind.NOTED, note("about nothing"), minutes=90)


@case(
    "withdrawn: a withdrawal that was taken back does not stand",
    "a.png",
    {0: "picture", 1: "cites", 2: "cites", 3: "cites"},
    withdrawn={0: [3], 1: [2]},
)
def _withdrawn(history: History) -> None:
    made = history.generate("a.png")
    first = history.withdraw(made)
    history.withdraw(first)
    history.withdraw(made)


@case(
    "sealed: a picture is found by its file part; what is listed and cannot be reached comes in so marked",
    lambda history: history.told[1].file(0),
    {0: "listed", 1: "picture", 2: "cites"},
    sealed=lambda history: [history.told[0].file(), history.told[1].file(0), history.told[1].file(1)],
    listed=[0, 1],
)
def _sealed(history: History) -> None:
    first = history.generate("a.png")
    history.generate("b.png", said=[file("a.png", Role.INIT)], minutes=90)
    history.tell(Kind.NOTED, note("about the first"), cites=[first], minutes=90, actor="a1", source=PROGRAM)


def main() -> None:
    text = json.dumps({"rule": 1, "cases": CASES}, ensure_ascii=False, indent=1) + "\n"
    (HERE / "vectors.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
