import threading

import pytest

from makingof.errors import ConflictError, StorageError
from makingof.tlog.grouping import Group


class Committer:
    """Commits rounds: the first one waits until it is told to go on."""

    def __init__(self, failing=None):
        self.rounds = []
        self.failing = failing
        self.entered, self.release = threading.Event(), threading.Event()

    def commit(self, round_):
        self.rounds.append([ticket.given for ticket in round_])
        if len(self.rounds) == 1:
            self.entered.set()
            self.release.wait(10)
        elif self.failing is not None:
            raise self.failing
        for ticket in round_:
            ticket.result = ticket.given * 2


def submit_together(committer, count):
    """One leads and is held up; the others gather behind it."""
    group = Group(committer.commit)
    outcomes = {}

    def work(given):
        try:
            outcomes[given] = group.submit(given)
        except BaseException as err:  # noqa: BLE001 - what came of it is what is asked
            outcomes[given] = err

    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    threads[0].start()
    committer.entered.wait(10)
    for thread in threads[1:]:
        thread.start()
    while len(group._waiting) < count - 1:
        threading.Event().wait(0.001)
    committer.release.set()
    for thread in threads:
        thread.join(10)
    return outcomes


def test_whoever_comes_during_a_round_shares_the_next_one():
    committer = Committer()
    assert submit_together(committer, 6) == {number: number * 2 for number in range(6)}
    assert [len(round_) for round_ in committer.rounds] == [1, 5]


def test_alone_nobody_waits_for_company():
    committer = Committer()
    committer.release.set()
    assert Group(committer.commit).submit(4) == 8


@pytest.mark.parametrize("failing", [StorageError("full", hint="make room"), ZeroDivisionError("bug")])
def test_what_fails_for_a_round_is_raised_to_each_of_it_and_to_nobody_else(failing):
    outcomes = submit_together(Committer(failing), 4)
    assert outcomes.pop(0) == 0
    assert all(type(outcome) is type(failing) for outcome in outcomes.values())
    if isinstance(failing, StorageError):
        assert all(
            outcome.hint == "make room" and outcome.__cause__ is failing for outcome in outcomes.values()
        )
        assert len({id(outcome) for outcome in outcomes.values()}) == 3


def test_if_the_leading_thread_is_interrupted_the_others_are_told_that_they_do_not_know():
    outcomes = submit_together(Committer(KeyboardInterrupt()), 4)
    assert outcomes.pop(0) == 0
    kinds = sorted(type(outcome).__name__ for outcome in outcomes.values())
    assert kinds == ["ConflictError", "ConflictError", "KeyboardInterrupt"]
    assert any(isinstance(outcome, ConflictError) for outcome in outcomes.values())


def test_after_a_failure_the_next_one_leads_again():
    committer = Committer(StorageError("full"))
    committer.release.set()
    group = Group(committer.commit)
    assert group.submit(1) == 2
    with pytest.raises(StorageError):
        group.submit(2)
    committer.failing = None
    assert group.submit(3) == 6
