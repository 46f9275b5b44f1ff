"""What every index must answer about events, their parts, projects, people and streams."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.histories import (
    PROGRAM,
    History,
    Said,
    note,
    own,
    place,
    prompt,
)

from makingof.digest import Digest
from makingof.errors import UsageError
from makingof.event import Kind
from makingof.index.values import EventFilter
from makingof.part import Means, PartType


def people(*persons: dict) -> Said:
    return Said(PartType.PEOPLE, {"people": list(persons)})


def test_events_are_listed_newest_first_and_page_by_page(index_of):
    history = History()
    for number in range(7):
        history.tell(Kind.NOTED, note(str(number)))
    index = index_of(history)
    first = index.events(limit=3)
    second = index.events(before=first[-1].position, limit=3)
    assert [row.text for row in (*first, *second)] == ["6", "5", "4", "3", "2", "1"]
    assert index.count_events() == 7


def test_events_are_filtered_by_what_they_are(index_of):
    history = History()
    brief = history.brief("Cat")
    history.open("s")
    made = history.generate("a.png", stream="s")
    found = history.generate("b.png", means=Means.RECOVERED)
    history.keep(made.file())
    index = index_of(history)

    def positions(**wanted):
        return [row.position for row in reversed(index.events(EventFilter(**wanted)))]

    assert positions(kinds=(Kind.GENERATED,)) == [made.position, found.position]
    assert positions(means=(Means.RECOVERED,)) == [found.position]
    assert positions(actor="a1") == [0, 4]
    assert positions(project=brief.name) == [2, 3, 4]
    assert positions(stream=history.stream("s")) == [1, 2]
    assert positions(own=False) == [0, 2, 3, 4]
    since = datetime(2026, 3, 1, 9, 33, tzinfo=UTC)
    assert positions(since=since) == [2, 3, 4]
    assert positions(since=since, until=since + timedelta(minutes=1)) == [2]
    assert positions(kinds=(Kind.GENERATED,), means=(Means.LIVE,), project=brief.name) == [2]
    assert index.count_events(EventFilter(own=False)) == 4


def test_an_event_in_a_list_says_what_there_is_to_it(index_of):
    history = History()
    told = history.generate("a.png", "b.png", said=[prompt("a cat"), place("/out/a.png")])
    undone = history.withdraw(told)
    index = index_of(history)
    history.forget(told.part(PartType.PLACE))
    index.purge([told.part(PartType.PLACE)])
    row = index.event_at(0)
    assert row is not None
    assert (row.name, row.files, row.silent, row.text, row.withdrawn) == (told.name, 2, 1, "a cat", True)
    assert index.event_at(1).name == undone.name
    assert index.event_at(2) is None
    assert index.position_of(undone.name) == 1
    assert index.position_of(Digest.of(b"")) is None


def test_events_are_found_by_the_beginning_of_their_name(index_of):
    history = History()
    told = [history.tell(Kind.NOTED, note(str(number))) for number in range(50)]
    index = index_of(history)
    for item in told[:5]:
        assert index.find_events(item.name.hex, limit=2) == [item.name]
        assert item.name in index.find_events(item.name.hex[:1], limit=50)
    assert index.find_events("0" * 63, limit=2) == []


def test_the_last_act_is_not_the_recorder_s(index_of):
    history = History()
    assert index_of(history).last_act() is None
    told = history.tell(Kind.NOTED, note("x"))
    history.stamp()
    assert index_of(history).last_act() == told.name


def test_a_withdrawal_taken_back_lets_the_event_stand_again(index_of):
    history = History()
    told = history.tell(Kind.NOTED, note("x"))
    first = history.withdraw(told)
    second = history.withdraw(told)
    history.withdraw(first)
    index = index_of(history)
    assert [row.withdrawn for row in reversed(index.events())] == [True, True, False, False]
    history.withdraw(second)
    index.follow(history)
    assert index.event_at(told.position).withdrawn is False
    history.withdraw(history.told[-1])
    index.follow(history)
    assert index.event_at(told.position).withdrawn is True


def test_the_current_project_is_the_newest_that_stands(index_of):
    history = History()
    assert index_of(history).current_project() is None
    cat = history.brief("Cat")
    dog = history.brief("Dog")
    again = history.brief("Cat")
    index = index_of(history)
    assert index.current_project() == index.find_project("Cat") == again.name
    history.withdraw(again)
    index.follow(history)
    assert index.current_project() == dog.name
    assert index.find_project("Cat") == cat.name
    assert index.find_project(dog.name) == dog.name
    assert [project.title for project in index.projects()] == ["Cat", "Dog", "Cat"]
    with pytest.raises(UsageError, match="Mouse"):
        index.find_project("Mouse")


def test_the_finals_of_a_project_are_marked_so(index_of):
    history = History()
    cat = history.brief("Cat")
    made = history.generate("a.png", "b.png")
    history.keep(made.file(0), final=True)
    history.keep(made.file(1))
    history.withdraw(history.keep(made.file(1), final=True))
    dog = history.brief("Dog")
    index = index_of(history)
    assert index.project_finals(cat.name) == [made.file(0)]
    assert index.project_finals(dog.name) == []


def test_people_are_as_they_were_last_enrolled(index_of):
    history = History()
    history.tell(
        Kind.ENROLLED, people({"id": "a1", "name": "One"}, {"id": "a2", "name": "Two"}), source=PROGRAM
    )
    history.tell(Kind.ENROLLED, people({"id": "a1", "name": "Uno", "key": "ssh-ed25519 x"}), source=PROGRAM)
    wrong = history.tell(Kind.ENROLLED, people({"id": "a2", "name": "Wrong"}), source=PROGRAM)
    history.generate("a.png", said=[people({"id": "a9", "name": "somebody else"})])
    history.withdraw(wrong)
    found = index_of(history).people()
    assert [(person.id, person.name, person.key) for person in found] == [
        ("a1", "Uno", "ssh-ed25519 x"),
        ("a2", "Two", None),
    ]


def test_a_pulse_is_due_for_open_streams_that_moved(index_of):
    history = History()
    history.open("s")
    history.open("t")
    history.generate("a.png", stream="s")
    history.keep(history.told[-1].file(), stream="act")
    history.close("t")
    index = index_of(history)
    assert index.moved_streams() == {history.stream("s"): 1}
    history.tell(Kind.PULSE, own(streams={history.stream("s"): 1}), means=Means.OWN)
    index.follow(history)
    assert index.moved_streams() == {}
    history.generate("b.png", stream="s")
    index.follow(history)
    assert index.moved_streams() == {history.stream("s"): 2}
    assert index.stream(history.stream("s")).last == 2


def test_parts_are_found_by_name_and_by_type(index_of):
    history = History()
    one = history.generate("a.png", said=[prompt("a cat"), place("/out/a.png")])
    two = history.tell(Kind.NOTED, note("x"))
    index = index_of(history)
    prompt_part, note_part = one.part(PartType.PROMPT), two.part(PartType.NOTE)
    wanted = [note_part, prompt_part, Digest.of(b"unknown")]
    assert index.positions_of_parts(wanted) == [(prompt_part, 0), (note_part, 1)]
    assert index.events_of_parts([*wanted, one.file()]) == [one.name, two.name]
    assert index.parts_of_type(one.name, [PartType.PROMPT, PartType.PLACE]) == list(one.parts)[1:]
    assert index.parts_of_type(Digest.of(b""), [PartType.PROMPT]) == []
    assert index.positions_of_kind(Kind.NOTED) == [1]


def test_erased_text_is_not_found_any_more(index_of):
    history = History()
    told = history.generate("a.png", said=[prompt("a secret cat")])
    other = history.tell(Kind.NOTED, note("a secret dog"))
    index = index_of(history)
    history.forget(told.part(PartType.PROMPT))
    index.purge([told.part(PartType.PROMPT)])
    assert [row.position for row in index.events(EventFilter(text="secret"))] == [other.position]
    assert index.pictures()[0].prompt is None
    assert index.status().erased_parts == 1
