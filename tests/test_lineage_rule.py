import re
from datetime import timedelta
from pathlib import Path

import pytest
from tests.histories import History, Said, Told, blob, file, job, note, own, place, prompt

from makingof.errors import UsageError
from makingof.event import Kind, Source
from makingof.lineage.entry import PartState
from makingof.lineage.lineage import Lineage
from makingof.lineage.rule import find_lineage
from makingof.part import Means, PartType, Role


def why(lineage: Lineage) -> dict[int, str]:
    return {member.entry.position: str(member.why) for member in lineage.members}


def test_a_picture_nobody_names_is_refused():
    history = History()
    history.generate("a.png")
    with pytest.raises(UsageError, match="named by no event"):
        find_lineage(history.graph(), [blob("b.png")])
    with pytest.raises(UsageError, match="no picture"):
        find_lineage(history.graph(), [])


def test_a_picture_recorded_twice_brings_both_events():
    history = History()
    live = history.generate("a.png")
    again = history.generate("a.png", means=Means.RECOVERED, minutes=600)
    found = why(find_lineage(history.graph(), [blob("a.png")]))
    assert found == {live.position: "picture", again.position: "picture"}
    assert why(find_lineage(history.graph(), [live.file()])) == found


def test_inputs_lead_to_the_jobs_that_made_them():
    history = History()
    first = history.generate("a.png")
    second = history.generate("b.png", said=[file("a.png", Role.INIT)], minutes=90)
    third = history.generate("c.png", said=[file("b.png", Role.CONTROL)], minutes=90)
    found = why(find_lineage(history.graph(), [blob("c.png")]))
    assert found == {first.position: "ancestor", second.position: "ancestor", third.position: "picture"}


def test_an_edit_leads_to_what_it_cites():
    history = History()
    made = history.generate("a.png")
    edit = history.tell(Kind.EDITED, file("b.png"), cites=[made], minutes=90)
    assert why(find_lineage(history.graph(), [blob("b.png")])) == {
        made.position: "ancestor",
        edit.position: "picture",
    }


def test_concept_notes_used_in_a_job_are_its_ancestors():
    history = History()
    brief = history.brief("Cat", "a sketch", file("sketch.png", Role.REFERENCE))
    history.project = None
    made = history.generate("a.png", said=[file("sketch.png", Role.INIT)], minutes=90)
    assert why(find_lineage(history.graph(), [blob("a.png")])) == {
        brief.position: "ancestor",
        made.position: "picture",
    }


def test_all_outputs_and_attempts_of_a_job_belong():
    history = History()
    request = history.tell(Kind.PROMPTED, prompt("a cat"), minutes=300)
    one = history.generate("a.png", cites=[request], said=[job("7")], minutes=300)
    two = history.generate("b.png", cites=[request], minutes=300)
    tried = history.tell(Kind.ATTEMPTED, job("7", outcome="failed"), minutes=300)
    other = history.generate("c.png", said=[job("8")], minutes=300)
    found = why(find_lineage(history.graph(), [blob("a.png")]))
    assert found == {
        request.position: "ancestor",
        one.position: "picture",
        two.position: "job",
        tried.position: "job",
    }
    assert other.position not in found


def test_the_same_number_of_two_tools_is_two_jobs():
    history = History()
    history.generate("a.png", said=[job("7")])
    other = history.generate("b.png", said=[job("7")], minutes=300, source=Source("makingof", "1", "forge"))
    assert other.position not in why(find_lineage(history.graph(), [blob("a.png")]))


def test_earlier_jobs_of_the_project_belong_and_later_ones_do_not():
    history = History()
    brief = history.brief("Cat")
    early = history.generate("early.png", minutes=5000)
    final = history.generate("final.png", minutes=5000)
    between = history.generate("between.png", minutes=5000)
    edit = history.tell(Kind.EDITED, file("edit.png"), cites=[final], minutes=5000)
    late = history.generate("late.png", minutes=5000)
    history.brief("Dog")
    other = history.generate("other.png")
    found = why(find_lineage(history.graph(), [blob("edit.png")]))
    assert found == {
        brief.position: "brief",
        early.position: "project",
        final.position: "ancestor",
        between.position: "project",
        edit.position: "picture",
    }
    assert not {late.position, other.position} & found.keys()


def test_publishing_under_another_project_does_not_draw_that_project_in():
    history = History()
    final = history.generate("final.png")
    history.brief("Dog", "")
    other = history.generate("dog.png", minutes=300)
    published = history.tell(
        Kind.PUBLISHED, place(url="https://example.org"), file("final.png"), cites=[final]
    )
    found = why(find_lineage(history.graph(), [blob("final.png")]))
    assert found[published.position] == "picture"
    assert other.position not in found


def test_a_published_copy_leads_to_what_it_was_made_from():
    history = History()
    final = history.generate("final.png")
    published = history.tell(
        Kind.PUBLISHED, place(url="https://example.org"), file("final.jpg"), cites=[final], minutes=90
    )
    found = why(find_lineage(history.graph(), [blob("final.jpg")]))
    assert found == {final.position: "ancestor", published.position: "picture"}


def test_without_a_project_the_working_session_counts():
    history = History()
    before = history.generate("before.png")
    first = history.generate("first.png", minutes=60)
    second = history.generate("second.png", minutes=59.9)
    final = history.generate("final.png", minutes=59.9)
    after = history.generate("after.png", minutes=1)
    found = why(find_lineage(history.graph(), [blob("final.png")]))
    assert found == {first.position: "session", second.position: "session", final.position: "picture"}
    assert not {before.position, after.position} & found.keys()


def test_an_edit_belongs_to_the_session_of_the_jobs_just_before_it():
    history = History()
    made = history.generate("a.png")
    tried = history.generate("b.png", minutes=30)
    history.tell(Kind.EDITED, file("edit.png"), cites=[made], minutes=30)
    assert why(find_lineage(history.graph(), [blob("edit.png")]))[tried.position] == "session"


def test_a_clock_set_back_shows_no_pause():
    history = History()
    first = history.generate("a.png")
    history.clock.moment -= timedelta(days=9)
    history.generate("b.png")
    assert why(find_lineage(history.graph(), [blob("b.png")]))[first.position] == "session"


def recovered(history: History, name: str, folder: str, modified: str | None) -> Told:
    said = [place(f"{folder}/{name}", modified=modified)]
    return history.generate(name, said=said, means=Means.RECOVERED, minutes=0)


def test_recovered_files_are_a_session_by_folder_and_claimed_time():
    history = History()
    winner = recovered(history, "a.png", "/out", "2026-01-05T10:50:00.000Z")
    near = recovered(history, "b.png", "/out", "2026-01-05T10:00:00.000Z")
    chained = recovered(history, "c.png", "/out", "2026-01-05T09:10:00.000Z")
    far = recovered(history, "d.png", "/out", "2026-01-05T07:00:00.000Z")
    later = recovered(history, "e.png", "/out", "2026-01-05T10:51:00.000Z")
    elsewhere = recovered(history, "f.png", "/other", "2026-01-05T10:49:00.000Z")
    silent = recovered(history, "g.png", "/out", None)
    lineage = find_lineage(history.graph(), [blob("a.png")])
    assert why(lineage) == {winner.position: "picture", near.position: "session", chained.position: "session"}
    assert [member.claimed for member in lineage.members] == [False, True, True]
    assert not {far.position, later.position, elsewhere.position, silent.position} & lineage.positions


def test_in_a_project_an_import_is_ordered_by_claims_and_nothing_unordered_is_left_out():
    history = History()
    history.brief("Cat")
    winner = recovered(history, "a.png", "/out", "2026-01-05T10:50:00.000Z")
    earlier = recovered(history, "b.png", "/out", "2026-01-01T10:00:00.000Z")
    later = recovered(history, "c.png", "/out", "2026-01-09T10:00:00.000Z")
    silent = recovered(history, "d.png", "/out", None)
    lineage = find_lineage(history.graph(), [blob("a.png")])
    assert {winner.position, earlier.position, silent.position} <= lineage.positions
    assert later.position not in lineage.positions
    claimed = {member.entry.position: member.claimed for member in lineage.members}
    assert claimed[earlier.position]
    assert claimed[silent.position]
    assert not claimed[winner.position]


def test_everything_that_cites_or_names_one_of_these_belongs():
    history = History()
    made = history.generate("a.png", "b.png")
    kept = history.keep(made.file(0), among=[made.file(0), made.file(1)], minutes=90)
    noted = history.tell(Kind.NOTED, note("why"), cites=[kept], minutes=90)
    used = history.generate("z.png", said=[file("a.png", Role.REFERENCE)], minutes=90)
    undone = history.withdraw(kept, minutes=90)
    other = history.tell(Kind.NOTED, note("else"), minutes=90)
    lineage = find_lineage(history.graph(), [blob("a.png")])
    assert why(lineage) == {
        made.position: "picture",
        kept.position: "cites",
        noted.position: "cites",
        used.position: "cites",
        undone.position: "cites",
    }
    assert other.position not in lineage.positions
    member = lineage.find(kept.name)
    assert member is not None
    assert member.withdrawn_by == (undone.name,)


def test_a_withdrawal_taken_back_does_not_stand():
    history = History()
    made = history.generate("a.png")
    undone = history.withdraw(made)
    redone = history.withdraw(undone)
    by_name = {m.entry.name: m.withdrawn_by for m in find_lineage(history.graph(), [blob("a.png")]).members}
    assert by_name == {made.name: (), undone.name: (redone.name,), redone.name: ()}


def test_what_lay_on_the_table_is_an_alternative_and_no_ancestor():
    history = History()
    made = history.generate("a.png")
    other = history.generate("b.png", minutes=90)
    history.keep(made.file(), among=[made.file(), other.file()], minutes=90)
    assert why(find_lineage(history.graph(), [blob("a.png")]))[other.position] == "alternative"


def test_a_choice_about_something_else_brings_nothing_with_it():
    history = History()
    made = history.generate("a.png")
    other = history.generate("b.png", minutes=90)
    history.keep(made.file(), among=[made.file(), other.file()], minutes=90)
    cleared = [history.generate(f"{number}.png", minutes=90) for number in range(3)]
    history.keep(other.file(), among=[other.file(), *(told.file() for told in cleared)], minutes=90)
    found = find_lineage(history.graph(), [blob("a.png")]).positions
    assert not found & {told.position for told in cleared}


def test_a_job_that_used_the_picture_is_not_where_it_comes_from():
    history = History()
    sketch = history.generate("sketch.png")
    user = history.generate(
        "b.png", said=[file("photo.png", Role.INIT), file("sketch.png", Role.MASK)], minutes=90
    )
    found = why(find_lineage(history.graph(), [blob("photo.png")]))
    assert found == {user.position: "picture"}
    assert sketch.position not in found


def test_streams_tell_what_is_missing():
    history = History()
    opened = history.open("s")
    history.generate("a.png", stream="s")
    history.generate("b.png", stream="s", seq=5)
    gap = history.tell(
        Kind.GAP, own(why="lost", stream=history.stream("s"), missing=[[2, 4]]), means=Means.OWN
    )
    pulse = history.tell(Kind.PULSE, own(streams={history.stream("s"): 8}), means=Means.OWN)
    history.keep(history.told[1].file(), stream="act")
    lineage = find_lineage(history.graph(), [blob("a.png")])
    (stream,) = lineage.streams
    assert (stream.of, stream.last, stream.seen, stream.missing) == ("hook", 8, 3, ((2, 4), (6, 8)))
    assert stream.missing_count == 6
    assert [entry.position for entry in lineage.context] == [opened.position, gap.position]
    assert pulse.position not in lineage.positions


def test_the_first_second_look_after_each_job_of_its_tool_is_context():
    history = History()
    early = history.look(0)
    history.generate("a.png")
    other_tool = history.look(9, "invokeai")
    first = history.look(1)
    later = history.look(1)
    history.generate("b.png")
    second, elsewhere = history.look(2), history.look(5, url="http://127.0.0.1:9999")
    last = history.look(2)
    lineage = find_lineage(history.graph(), [blob("b.png")])
    assert [found.position for found in lineage.looks()] == [
        item.position for item in (first, second, elsewhere)
    ]
    assert not {item.position for item in (early, other_tool, later, last)} & lineage.positions
    assert [found.position for found in find_lineage(history.graph(), [blob("a.png")]).looks()] == [
        first.position,
        elsewhere.position,
    ]


def test_what_was_read_later_needs_no_second_look_and_what_has_not_its_shape_is_none():
    history = History()
    history.generate("a.png", means=Means.RECOVERED)
    history.look(1)
    assert find_lineage(history.graph(), [blob("a.png")]).looks() == []
    history.generate("b.png")
    told = {"tool": "comfyui", "url": "u", "jobs": 2, "missing": []}
    bent = [
        {"jobs": True},
        {"jobs": -1},
        {"jobs": "2"},
        {"tool": None},
        {"url": 7},
        {"missing": [{"job": "j"}]},
        {"missing": [1]},
        {"missing": [{"job": str(n), "why": "unknown"} for n in range(3)]},
        {"missing": [{"job": "j", "why": "unknown"}] * 2},
    ]
    for change in bent:
        history.tell(Kind.CHECKED, own(second_look={**told, **change}), means=Means.OWN)
    history.tell(Kind.CHECKED, own(second_look="none"), means=Means.OWN)
    assert find_lineage(history.graph(), [blob("b.png")]).looks() == []
    history.tell(Kind.CHECKED, own(second_look=told), means=Means.OWN)
    assert len(find_lineage(history.graph(), [blob("b.png")]).looks()) == 1


def test_who_the_people_are_is_context_and_not_lineage():
    history = History()
    genesis = history.tell(Kind.ENROLLED, own(log_key="k"), means=Means.OWN)
    one = history.tell(Kind.ENROLLED, people("a1"))
    other = history.tell(Kind.ENROLLED, people("a2"))
    made = history.generate("a.png")
    history.keep(made.file())
    lineage = find_lineage(history.graph(), [blob("a.png")])
    assert [entry.position for entry in lineage.context] == [genesis.position, one.position]
    assert other.position not in lineage.positions


def people(name: str) -> Said:
    return Said(PartType.PEOPLE, {"people": [{"id": name}]})


def test_a_sealed_picture_is_found_by_its_file_part_and_what_is_listed_comes_in_marked():
    history = History()
    first = history.generate("a.png", minutes=90)
    second = history.generate("b.png", said=[file("a.png", Role.INIT)], minutes=90)
    kept = history.keep(first.file(), minutes=90)
    sealed = [first.file(), second.file(0), second.file(1)]
    graph = history.graph(sealed=sealed)
    assert why(find_lineage(graph, [second.file(0)])) == {second.position: "picture"}
    lineage = find_lineage(graph, [second.file(0)], listed={first.position, kept.position})
    assert why(lineage) == {first.position: "listed", second.position: "picture", kept.position: "listed"}
    assert lineage.pictures[0].blob is None
    assert [digest for _, digest in lineage.silent(PartState.SEALED)] == sealed


def test_the_example_of_the_page():
    history = History()
    history.brief("Cat")
    first = history.generate("a.png", "b.png")
    chosen = history.generate("c.png", said=[file("sketch.png", Role.INIT)])
    kept = history.keep(chosen.file(0), among=[first.file(0), first.file(1), chosen.file(0)])
    history.generate("x.png")
    edit = history.tell(Kind.EDITED, file("d.png"), cites=[chosen], actor="a1")
    history.generate("y.png")
    history.tell(Kind.PUBLISHED, place(url="https://example.org/"), cites=[edit], actor="a1")
    undone = history.withdraw(kept)
    lineage = find_lineage(history.graph(), [blob("d.png")])
    page = Path(__file__).parents[1] / "docs" / "spec" / "lineage.md"
    rows = re.findall(r"^\| (\d) \|.*\| (`(\w+)`|no)[^|]*\|$", page.read_text("utf-8"), re.MULTILINE)
    assert why(lineage) == {int(position): name for position, _, name in rows if name}
    member = lineage.find(kept.name)
    assert member is not None
    assert member.withdrawn_by == (undone.name,)
