"""What every index must answer: here how it follows a log, beside it what it says then.

A backend's test file imports all of these and gives one fixture, `make_index`, a
function that returns an empty index.
"""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.histories import (
    History,
    Told,
    blob,
    note,
    prompt,
)
from tests.random_histories import histories

from makingof.digest import Digest
from makingof.errors import IntegrityError
from makingof.event import Kind
from makingof.index.values import EventFilter

MODEST = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


class Prefix:
    """A log as it was at an earlier size."""

    def __init__(self, log: History, size: int) -> None:
        self.log = log
        self.limit = size

    def size(self) -> int:
        return self.limit

    def __getattr__(self, name):
        return getattr(self.log, name)


@pytest.fixture
def index_of(make_index):
    def follow(history):
        index = make_index()
        index.follow(history)
        return index

    return follow


@MODEST
@given(history=histories(), cuts=st.lists(st.integers(0, 24), max_size=5))
def test_following_in_any_steps_gives_the_same_tables(make_index, history, cuts):
    stepwise, at_once = make_index(), make_index()
    for cut in sorted(cuts):
        stepwise.follow(Prefix(history, min(cut, history.size())))
    stepwise.follow(history)
    at_once.follow(history)
    assert stepwise.differs_from(at_once) == []
    assert stepwise.size() == history.size()


@MODEST
@given(history=histories(), data=st.data())
def test_after_erasing_the_tables_are_those_of_the_log_that_is_left(make_index, history, data):
    index = make_index()
    index.follow(history)
    parts = [part for told in history.told for part in told.parts]
    if not parts:
        return
    erased = data.draw(st.lists(st.sampled_from(parts), min_size=1, max_size=6, unique=True))
    history.erase(*erased)
    index.follow(history)
    history.forget(*erased)
    index.purge(erased)
    history.generate("later.png")
    index.follow(history)
    fresh = make_index()
    fresh.follow(history)
    assert index.differs_from(fresh) == []


def test_following_tells_how_far_it_is_and_reads_nothing_twice(make_index):
    history = History()
    for number in range(2500):
        history.tell(Kind.NOTED, note(str(number)))
    told: list[tuple[int, int]] = []
    index = make_index()
    assert index.follow(history, progress=lambda done, of: told.append((done, of))) == 2500
    assert told[-1] == (2500, 2500)
    assert index.follow(history) == 0


def test_long_texts_are_read_in_smaller_steps(make_index):
    history = History()
    for number in range(12):
        history.tell(Kind.NOTED, note("word " * 200_000 + str(number)))
    told: list[int] = []
    index = make_index()
    index.follow(history, progress=lambda done, _: told.append(done))
    assert told == [9, 12]
    assert index.count_events(EventFilter(text="word")) == 12


def test_another_log_empties_the_index_first(make_index, index_of):
    history, other = History(), History(seed="other")
    for log, name in ((history, "a.png"), (other, "b.png")):
        log.generate(name)
        log.generate("c.png")
    index = index_of(history)
    assert index.follow(other) == 2
    assert not index.files_of(blob("a.png"))
    assert index.differs_from(index_of(other)) == []


def test_a_log_that_lost_its_end_empties_the_index_first(index_of):
    history = History()
    history.generate("a.png")
    history.generate("b.png")
    index = index_of(history)
    assert index.follow(Prefix(history, 1)) == 1
    assert not index.files_of(blob("b.png"))


def test_a_log_that_cannot_be_read_stops_where_it_cannot(make_index):
    history = History()
    history.generate("a.png")
    history.told.append(Told(1, Digest.of(b""), {}, []))
    history._rows.append(b"{}")
    index = make_index()
    with pytest.raises(IntegrityError, match="entry 1"):
        index.follow(history)
    assert index.follow(Prefix(history, 1)) == 1


def test_rebuilding_gives_the_same_tables(make_index, index_of):
    history = History()
    made = history.generate("a.png", said=[prompt("a cat")])
    history.keep(made.file())
    index = index_of(history)
    assert index.rebuild(history) == 2
    assert index.differs_from(index_of(history)) == []


def test_two_indexes_that_differ_say_where(index_of):
    history, other = History(), History()
    history.generate("a.png", said=[prompt("a cat")])
    other.generate("a.png", said=[prompt("a dog")])
    assert {"texts", "words", "events"} <= set(index_of(history).differs_from(index_of(other)))
