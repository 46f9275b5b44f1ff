import json
import time

import msgspec
from hypothesis import given, settings
from tests.histories import (
    PROGRAM,
    History,
    blob,
    file,
    job,
    negative,
    note,
    parameters,
    place,
    prompt,
    reason,
)
from tests.random_histories import histories, known_pictures

from makingof.event import Kind, Source
from makingof.lineage.growing import make_tree
from makingof.lineage.judged import Judged
from makingof.lineage.lineage import Why
from makingof.lineage.rule import find_lineage
from makingof.lineage.tree import Tree, pairs_to_compare, with_pixels
from makingof.part import Means, PartType, Role


def tree_of(history: History, name: str, **more) -> Tree:
    return make_tree(find_lineage(history.graph(**more), [blob(name)]))


def pictures(made) -> list:
    return [picture.blob for picture in made.pictures]


def story() -> History:
    """A brief, two generations, choices, an edit, a publication."""
    history = History()
    history.brief("Cat", "a cat at the window")
    first = history.generate(
        "a.png", "b.png", said=[prompt("a cat, blue eyes"), parameters(seed="7", steps="20")]
    )
    second = history.generate(
        "c.png",
        said=[
            prompt("a cat, (green:1.2) eyes"),
            parameters(seed="8"),
            file("a.png", Role.INIT),
            place("/out/c.png"),
        ],
    )
    history.reject(first.file(1), among=[first.file(0), first.file(1)])
    history.keep(second.file(0), said=[reason("the light")])
    edit = history.tell(
        Kind.EDITED, file("d.png"), note("painted over"), cites=[second], actor="a1", source=PROGRAM
    )
    history.keep(edit.file(), final=True)
    history.tell(Kind.PUBLISHED, place(url="https://example.org/d"), cites=[edit], actor="a1", source=PROGRAM)
    return history


def test_the_tree_goes_from_brief_to_final():
    tree = tree_of(story(), "d.png")
    assert [(act.title, act.texts) for act in tree.briefs] == [("Cat", ("a cat at the window",))]
    assert [pictures(made) for made in tree.generations] == [[blob("a.png"), blob("b.png")], [blob("c.png")]]
    assert [picture.judged for made in tree.generations for picture in made.pictures] == [
        Judged.NEVER,
        Judged.REJECTED,
        Judged.KEPT,
    ]
    (edit,) = tree.edits
    assert pictures(edit) == [blob("d.png")]
    assert [source.blob for source in edit.sources] == [blob("c.png")]
    assert (edit.texts, edit.actor, edit.pictures[0].judged) == (("painted over",), "a1", Judged.FINAL)
    assert [picture.blob for picture in tree.subjects] == [blob("d.png")]
    assert [(act.kind, act.where) for act in tree.acts] == [(Kind.PUBLISHED, ("https://example.org/d",))]
    assert [choice.reason for choice in tree.choices] == [None, "the light", None]


def test_a_step_says_what_changed_since_where_it_started_from():
    first, second = tree_of(story(), "d.png").generations
    assert first.step is None
    assert second.step is not None
    assert (second.step.since, second.step.relation) == (0, "from")
    words = second.step.prompt and second.step.prompt.words
    assert words is not None
    assert [placed.word.text for placed in words.added] == ["green"]
    assert [placed.word.text for placed in words.removed] == ["blue"]
    assert [change.name for change in second.step.parameters] == ["seed", "steps"]
    assert second.step.negative is None


def test_pixels_are_compared_between_a_source_and_what_was_made_from_it():
    tree = tree_of(story(), "d.png")
    pairs = pairs_to_compare(tree)
    assert pairs == [(blob("a.png"), blob("c.png")), (blob("c.png"), blob("d.png"))]
    seen = with_pixels(tree, {pairs[1]: {"differing": 12, "total": 100}})
    assert seen.edits[0].pixels[0].difference == {"differing": 12, "total": 100}
    assert seen.generations[1].pixels[0].difference is None


def test_masks_are_not_compared_with_what_was_made_through_them():
    history = History()
    history.generate("a.png", said=[file("mask.png", Role.MASK), file("pose.png", Role.CONTROL)])
    assert pairs_to_compare(tree_of(history, "a.png")) == []


def test_the_tree_is_json():
    plain = json.loads(json.dumps(tree_of(story(), "d.png").to_builtins(), allow_nan=False))
    words = plain["generations"][1]["step"]["prompt"]["words"]
    assert words["added"] == [{"at": 2, "word": {"text": "green", "weight": "1.2"}}]


def test_several_events_of_one_job_are_one_generation_told_by_the_best_of_them():
    history = History()
    request = history.tell(Kind.PROMPTED, prompt("a cat"), negative("lowres"))
    history.generate("a.png", cites=[request], said=[job("1"), parameters(seed="7")])
    history.generate("b.png", said=[job("1")])
    history.generate("a.png", means=Means.RECOVERED, said=[prompt("something else"), place("/out/a.png")])
    (made,) = tree_of(history, "a.png").generations
    assert made.positions == (1, 2, 3, 0)
    assert pictures(made) == [blob("a.png"), blob("b.png")]
    assert made.means is Means.LIVE
    assert made.asked.prompt is not None
    assert made.asked.prompt.effective == "something else"
    assert made.asked.negative is not None


def test_what_was_seen_beats_what_was_found():
    history = History()
    history.generate("a.png", means=Means.RECOVERED, said=[prompt("found")])
    history.generate("a.png", said=[prompt("seen")])
    (made,) = tree_of(history, "a.png").generations
    assert (made.means, made.asked.prompt and made.asked.prompt.effective) == (Means.LIVE, "seen")


def test_the_same_bytes_made_twice_are_two_generations():
    history = History()
    history.generate("a.png", said=[job("1")])
    history.generate("a.png", said=[job("2")])
    history.generate("a.png", means=Means.WATCHED)
    assert [made.positions for made in tree_of(history, "a.png").generations] == [(0, 2), (1,)]


def test_of_several_records_the_main_one_speaks():
    history = History()
    history.generate(
        "a.png",
        said=[
            prompt("first pass", ordinal=0),
            prompt("second pass", ordinal=1),
            prompt("third pass", ordinal=2),
            parameters(main=False, ordinal=0, seed="1"),
            parameters(main=True, ordinal=1, seed="2"),
        ],
    )
    asked = tree_of(history, "a.png").generations[0].asked
    assert (asked.prompt and asked.prompt.effective, asked.records) == ("second pass", 3)
    assert asked.parameters is not None
    assert asked.parameters.fields["seed"].value == "2"


def test_recovered_generations_stand_where_their_files_claim():
    history = History()
    history.brief("Cat")
    for name, minute in (("c.png", 30), ("a.png", 10), ("b.png", 20)):
        said = [place(f"/out/{name}", modified=f"2026-01-05T10:{minute}:00.000Z")]
        history.generate(name, said=said, means=Means.RECOVERED)
    history.generate("live.png")
    tree = tree_of(history, "live.png")
    assert [pictures(made)[0] for made in tree.generations] == [
        blob(f"{n}.png") for n in ("a", "b", "c", "live")
    ]
    assert [made.is_claimed for made in tree.generations] == [True, True, True, False]
    assert tree.generations[0].at == "2026-01-05T10:10:00.000Z"


def test_a_clock_set_back_does_not_reorder_the_log():
    history = History()
    history.generate("a.png")
    history.clock.moment = history.clock.moment.replace(year=2020)
    history.generate("b.png")
    tree = tree_of(history, "b.png")
    assert [made.positions for made in tree.generations] == [(0,), (1,)]


def test_attempts_say_what_the_tool_said():
    history = History()
    history.generate("a.png", said=[job("1")])
    history.tell(Kind.ATTEMPTED, job("2", outcome="interrupted"), prompt("a dog"))
    history.generate("b.png")
    tree = tree_of(history, "b.png")
    assert [made.outcome for made in tree.generations] == [None, "interrupted", None]
    assert tree.generations[1].why is Why.SESSION


def test_the_tool_is_the_source_s_or_the_record_s():
    history = History()
    history.generate("a.png", said=[parameters("forge")], source=Source("import", "1"), means=Means.RECOVERED)
    assert tree_of(history, "a.png").generations[0].tool == "forge"


def test_withdrawn_steps_stay_and_are_marked():
    history = History()
    made = history.generate("a.png")
    history.withdraw(history.keep(made.file()))
    history.withdraw(made)
    tree = tree_of(history, "a.png")
    assert tree.generations[0].withdrawn
    assert tree.choices[0].withdrawn
    assert tree.generations[0].pictures[0].judged is Judged.NEVER


def test_an_edit_of_one_of_several_does_not_say_which():
    history = History()
    made = history.generate("a.png", "b.png")
    history.tell(Kind.EDITED, file("c.png"), cites=[made], actor="a1")
    (edit,) = tree_of(history, "c.png").edits
    assert (edit.sources, edit.cites) == ((), (made.name,))


def test_sealed_and_erased_parts_are_counted_and_their_pictures_stay():
    history = story()
    told = history.told[1]
    sealed = [told.part(PartType.PROMPT), told.file(0)]
    history.forget(told.part(PartType.PARAMETERS))
    tree = tree_of(history, "c.png", sealed=sealed)
    assert (tree.sealed, tree.erased) == (2, 1)
    first = tree.generations[0]
    assert first.asked.hidden
    assert [picture.blob for picture in first.pictures] == [None, blob("b.png")]


@settings(max_examples=25, deadline=None)
@given(history=histories())
def test_every_member_is_in_the_tree_once(history):
    for name in known_pictures(history)[:2]:
        lineage = find_lineage(history.graph(), [name])
        tree = make_tree(lineage)
        told = [event for made in (*tree.generations, *tree.edits) for event in made.events]
        told += [choice.event for choice in tree.choices]
        told += [act.event for act in (*tree.briefs, *tree.acts)]
        assert sorted(told) == sorted(member.entry.name for member in lineage.members)
        json.dumps(tree.to_builtins(), allow_nan=False)


def test_a_thousand_generations_are_ordered_soon():
    history = History()
    for number in range(1_000):
        history.generate(f"{number}.png", said=[prompt(f"a cat {number}"), parameters(seed=str(number))])
    lineage = find_lineage(history.graph(), [blob("999.png")])
    start = time.process_time()
    tree = make_tree(lineage)
    assert len(tree.generations) == 1_000
    assert time.process_time() - start < 20
    assert msgspec.json.encode(tree.to_builtins())
