"""What people do to pictures in InvokeAI, seen by looking at its database twice."""

import pytest
from tests.hooks import events
from tests.invokeai_run import read, running

from makingof.event import Kind
from makingof.part import Choice, PartType, Place, Report


@pytest.fixture
def run(archive, tmp_path):
    with running(archive, tmp_path) as made:
        yield made


@pytest.mark.parametrize(
    ("judge", "text"),
    [
        (lambda host, name: host.set(name, starred=1), "starred"),
        (lambda host, name: host.set(name, is_intermediate=0), "saved to the gallery"),
        (lambda host, name: host.put(host.board("chosen"), name), "put on a board"),
    ],
)
def test_what_people_do_to_a_picture_while_we_look_is_a_choice_that_names_it(run, judge, text):
    run.look()
    _, (name,) = run.host.run(is_intermediate=1)
    run.look()
    judge(run.host, name)
    run.look()
    made, _ = run.one(Kind.GENERATED)
    event, parts = run.one(Kind.SELECTED)
    (choice,) = read(parts, PartType.CHOICE, Choice)
    file = next(ref.digest for ref in made.header.parts if ref.type is PartType.FILE)
    assert (choice.judged, event.header.means.value) == ((file,), "watched")
    assert event.header.cites == (made.name,)
    assert read(parts, PartType.REPORT, Report)[0].text == text
    assert run.look() == 0


def test_a_star_taken_off_takes_the_choice_back_and_put_again_is_a_new_one(run):
    run.look()
    _, (name,) = run.host.run()
    run.host.set(name, starred=1)
    run.look()
    run.host.set(name, starred=0)
    run.look()
    chosen, _ = run.one(Kind.SELECTED)
    taken_back, _ = run.one(Kind.WITHDRAWN)
    assert taken_back.header.cites == (chosen.name,)
    assert taken_back.header.means.value == "watched"
    run.host.set(name, starred=1)
    run.look()
    assert len(run.of(Kind.SELECTED)) == 2


def test_a_star_that_stood_there_is_told_once_also_after_a_new_start(run):
    _, (name,) = run.host.run()
    run.host.set(name, starred=1)
    for _ in range(2):
        run.follow()
        run.look()
    assert events(run.archive, "selected") == [("selected", "recovered")]


def test_a_star_on_a_picture_nobody_recorded_brings_the_picture_along(run):
    name = run.host.picture(session="long gone from the queue")
    run.look()
    run.host.set(name, starred=1)
    run.look()
    event, parts = run.one(Kind.SELECTED)
    (choice,) = read(parts, PartType.CHOICE, Choice)
    assert choice.judged == tuple(ref.digest for ref in event.header.parts if ref.type is PartType.FILE)


def test_a_board_that_takes_new_pictures_by_itself_chooses_nothing(run):
    board = run.host.board("new ones")
    run.look()
    _, (name,) = run.host.run()
    run.look()
    run.host.put(board, name, seconds=0)  # committed a moment after the picture, between two looks
    run.look()
    assert run.of(Kind.SELECTED) == []


def test_a_picture_moved_to_another_board_leaves_the_first(run):
    first, second = run.host.board("first"), run.host.board("second")
    run.look()
    _, (name,) = run.host.run()
    run.host.put(first, name)
    run.look()
    run.host.put(second, name)
    run.look()
    run.host.take_off(name)
    run.look()
    chosen = [event.name for event, _ in run.of(Kind.SELECTED)]
    assert [event.header.cites for event, _ in run.of(Kind.WITHDRAWN)] == [(chosen[0],), (chosen[1],)]


def test_a_deleted_picture_is_removed_and_what_recorded_it_is_cited(run):
    run.look()
    _, (name,) = run.host.run()
    run.look()
    run.host.delete(name)
    run.look()
    made, _ = run.one(Kind.GENERATED)
    event, parts = run.one(Kind.REMOVED)
    assert (event.header.cites, event.header.means.value) == ((made.name,), "watched")
    assert read(parts, PartType.PLACE, Place)[0].name == name
