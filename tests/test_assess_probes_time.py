"""Probes of time: what was before what, and on whose word."""

from datetime import timedelta

from tests.histories import (
    History,
    Said,
    file,
    place,
    reason,
)
from tests.stories import (
    ask,
    bounded,
    environment,
    publish,
)

from makingof.assess.finding import Basis, Outcome
from makingof.part import Means, Parameter, Parameters, PartType, Role, body_of
from makingof.stamp.bounds import NOT_DATED, Bound, Bounds, Standing

SHOWN, PARTLY, ABSENT, CONTRADICTED, NOT_APPLICABLE = (
    Outcome.SHOWN,
    Outcome.PARTLY,
    Outcome.ABSENT,
    Outcome.CONTRADICTED,
    Outcome.NOT_APPLICABLE,
)


def test_choices_after_publication_are_no_record_and_live_ones_contradict():
    for means, outcome in ((Means.LIVE, CONTRADICTED), (Means.STATED, ABSENT)):
        history = History()
        made = history.generate("a.png")
        publish(history, made)
        history.keep(made.file(), cites=[made], means=means)
        assert ask("nothing_decided_after_publication", history, made.file()).outcome is outcome


def test_some_choices_after_publication_leave_it_partly():
    history = History()
    made = history.generate("a.png")
    history.keep(made.file(), cites=[made])
    publish(history, made)
    history.keep(made.file(), cites=[made], said=[reason("thought of later")])
    assert ask("nothing_decided_after_publication", history, made.file()).outcome is PARTLY


def test_a_model_newer_than_the_use_claimed_contradicts():
    history = History()
    models = [{"name": "m", "digest": "d", "date": "2026-03-05"}]
    made = history.generate("a.png", said=[environment(models=models)])
    assert ask("times_possible", history, made.file()).outcome is CONTRADICTED
    history = History()
    models = [{"date": "long ago"}, "no table", {"date": 5}, {"date": "2020-01-01"}]
    made = history.generate("a.png", said=[environment(models=models)])
    assert ask("times_possible", history, made.file()).outcome is SHOWN


def test_a_label_older_than_its_standard_contradicts():
    history = History()
    label = Said(
        PartType.PARAMETERS, body_of(Parameters(reader="aigc/1", fields={"tool:Label": Parameter("1")}))
    )
    made = history.generate(
        "a.png", said=[label], means=Means.RECOVERED, occurred_at="2024-01-01T00:00:00.000Z"
    )
    assert ask("times_possible", history, made.file()).outcome is CONTRADICTED


def test_a_file_or_an_event_later_than_its_record_contradicts():
    history = History()
    made = history.generate("a.png", said=[place("/x/a.png", modified="2027-01-01T00:00:00.000Z")])
    assert ask("times_possible", history, made.file()).outcome is CONTRADICTED
    history = History()
    made = history.generate("a.png", means=Means.RECOVERED, occurred_at="2030-01-01T00:00:00.000Z")
    assert ask("times_possible", history, made.file()).outcome is CONTRADICTED


def test_clock_jumps_contradict_and_reboots_do_not():
    history = History()
    history.generate("a.png", stream="run")
    history.clock.moment += timedelta(hours=3)  # the wall clock alone
    made = history.generate("b.png", stream="run", said=[file("a.png", Role.INIT)])
    assert ask("clock_steady", history, made.file()).outcome is CONTRADICTED
    history = History()
    first = history.generate("a.png")
    history.clock.moment -= timedelta(days=1)
    made = history.generate("b.png", cites=[first])
    assert ask("clock_steady", history, made.file()).outcome is CONTRADICTED
    history = History()
    first = history.generate("a.png", stream="run")
    history.clock.up_ms = 5
    made = history.generate("b.png", stream="run", cites=[first])
    assert ask("clock_steady", history, made.file()).outcome is SHOWN


def test_a_clock_outside_what_authorities_say_contradicts():
    history = History()
    made = history.generate("a.png")
    late = history.clock.now() - timedelta(hours=2)
    bounds = {made.position: Bounds(NOT_DATED, Bound(Standing.ONE, late))}
    assert ask("clock_steady", history, made.file(), bounds=bounds).outcome is CONTRADICTED


def test_one_time_for_all_files_of_a_sitting_contradicts_and_a_bare_day_says_nothing():
    for times, outcome in (
        (["2026-01-01T10:00:00.000Z"] * 3, CONTRADICTED),
        ([f"2026-01-01T10:0{n}:00.000Z" for n in range(3)], SHOWN),
        (["2026-01-01"] * 3, NOT_APPLICABLE),
    ):
        history = History()
        history.brief("work")
        jobs = [
            history.generate(f"{n}.png", said=[place(f"/x/{n}.png", modified=at)], means=Means.RECOVERED)
            for n, at in enumerate(times)
        ]
        assert ask("file_times_plausible", history, jobs[-1].file()).outcome is outcome


def test_one_authority_vouches_and_two_prove():
    history = History()
    made = history.generate("a.png")
    assert ask("record_dated", history, made.file()).outcome is ABSENT
    two = ask("record_dated", history, made.file(), bounds=bounded(history))
    assert (two.outcome, two.basis) == (SHOWN, Basis.PROVED)
    one = {made.position: Bounds(NOT_DATED, Bound(Standing.ONE, history.clock.now()))}
    found = ask("record_dated", history, made.file(), bounds=one)
    assert (found.outcome, found.basis) == (SHOWN, Basis.VOUCHED)
