"""When to stamp: often enough for the acts that matter, and never for its own sake."""

import itertools
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.stamping import NOON

from makingof.stamp.schedule import (
    REQUEST_INTERVAL,
    SITTING_PAUSE,
    Act,
    Due,
    Reason,
    Stamping,
    calendar_is_due,
    completion_is_due,
    news,
    next_stamp,
    sitting_ended_at,
)

MINUTE = timedelta(minutes=1)


def acts(*minutes, kind="generated"):
    return tuple(Act(kind, NOON + minute * MINUTE) for minute in minutes)


def test_no_news_no_stamp():
    assert next_stamp(Stamping(stamped_at=NOON), NOON + timedelta(days=9)) is None


def test_words_of_the_recorder_about_itself_are_no_news():
    events = [("stamped", "own", NOON), ("pulse", "own", NOON), ("gap", "own", NOON), ("noted", "live", NOON)]
    assert news(events) == (Act("noted", NOON),)


def test_the_first_act_ever_opens_a_sitting():
    assert next_stamp(Stamping(acts=acts(0)), NOON) == Due(Reason.OPENING, NOON)


def test_an_act_after_an_hour_opens_the_next():
    stamping = Stamping(acts=acts(61), act_before=NOON, stamped_at=NOON)
    assert next_stamp(stamping, NOON + 61 * MINUTE).reason is Reason.OPENING
    stamping = Stamping(acts=acts(59), act_before=NOON, stamped_at=NOON)
    assert next_stamp(stamping, NOON + 59 * MINUTE).reason is Reason.NEWS


def test_news_wait_for_fifteen_minutes_since_the_last_stamp():
    stamping = Stamping(acts=acts(3), act_before=NOON, stamped_at=NOON + MINUTE)
    assert next_stamp(stamping, NOON + 4 * MINUTE) == Due(Reason.NEWS, NOON + 16 * MINUTE)


def test_a_choice_does_not_wait():
    for kind in ("selected", "published", "affirmed"):
        stamping = Stamping(acts=(*acts(3), *acts(4, kind=kind)), act_before=NOON, stamped_at=NOON + MINUTE)
        assert next_stamp(stamping, NOON + 4 * MINUTE) == Due(Reason.CHOICE, NOON + 4 * MINUTE)
    stamping = Stamping(acts=acts(3, kind="rejected"), act_before=NOON, stamped_at=NOON + MINUTE)
    assert next_stamp(stamping, NOON + 4 * MINUTE).reason is Reason.NEWS


def test_the_close_is_noticed_by_the_next_command():
    stamping = Stamping(acts=acts(3), act_before=NOON, stamped_at=NOON + 2 * MINUTE)
    found = next_stamp(stamping, NOON + timedelta(hours=9))
    assert found == Due(Reason.CLOSE, NOON + 3 * MINUTE + SITTING_PAUSE)


def test_requests_stand_fifteen_seconds_apart():
    stamping = Stamping(
        acts=acts(1, kind="selected"), act_before=NOON, stamped_at=NOON, asked_at=NOON + MINUTE
    )
    assert next_stamp(stamping, NOON + MINUTE).at == NOON + MINUTE + REQUEST_INTERVAL


def test_a_failed_request_is_tried_again_for_the_same_reason():
    stamping = Stamping(acts=acts(0), asked_at=NOON)
    found = next_stamp(stamping, NOON + timedelta(seconds=20))
    assert found == Due(Reason.OPENING, NOON + REQUEST_INTERVAL)


def test_a_clock_set_back_does_not_stop_stamping():
    late = NOON + timedelta(days=30)
    for stamping in (
        Stamping(acts=acts(0), act_before=NOON, stamped_at=late, asked_at=late),
        Stamping(acts=(Act("generated", late),), act_before=late, stamped_at=late),
        Stamping(acts=(Act("selected", late),), act_before=late, stamped_at=NOON),
        Stamping(acts=(Act("generated", late),)),
    ):
        assert next_stamp(stamping, NOON + MINUTE).at <= NOON + MINUTE


def test_a_sitting_ends_an_hour_after_its_last_act():
    assert sitting_ended_at(None, NOON) is None
    assert sitting_ended_at(NOON, NOON + 59 * MINUTE) is None
    assert sitting_ended_at(NOON, NOON + 90 * MINUTE) == NOON + 60 * MINUTE


def test_calendars_are_asked_once_a_day():
    day = timedelta(days=1)
    assert calendar_is_due(None, NOON)
    assert not calendar_is_due(NOON, NOON + day - MINUTE)
    assert calendar_is_due(NOON, NOON + day)
    assert calendar_is_due(NOON + 9 * day, NOON), "a clock set back"


def test_pending_proofs_are_asked_after_every_three_hours():
    hour = timedelta(hours=1)
    assert not completion_is_due(NOON, None, NOON + 2 * hour)
    assert completion_is_due(NOON, None, NOON + 3 * hour)
    assert not completion_is_due(NOON, NOON + 3 * hour, NOON + 4 * hour)
    assert completion_is_due(NOON, NOON + 9 * hour, NOON)


@given(
    st.lists(
        st.tuples(st.sampled_from(["generated", "selected"]), st.integers(0, 600)), min_size=1, max_size=20
    )
)
@settings(max_examples=60)
def test_whoever_obeys_is_never_asked_twice_within_fifteen_seconds_and_covers_everything(steps):
    """Simulate a day: acts at given minutes, a stamp whenever one is due."""
    happened = sorted((Act(kind, NOON + minute * MINUTE) for kind, minute in steps), key=lambda act: act.at)
    asked = []
    stamping = Stamping()
    now = NOON
    for moment in [*(act.at for act in happened), NOON + timedelta(days=1)]:
        while (due := next_stamp(stamping, now)) and due.at <= moment:
            now = max(now, due.at)
            asked.append(now)
            stamping = Stamping((), stamping.acts[-1].at, now, now)
        now = moment
        waiting = tuple(act for act in happened if act.at == moment and act not in stamping.acts)
        stamping = Stamping(
            (*stamping.acts, *waiting), stamping.act_before, stamping.stamped_at, stamping.asked_at
        )
    assert all(later - earlier >= REQUEST_INTERVAL for earlier, later in itertools.pairwise(asked))
    assert asked[-1] >= happened[-1].at
    assert len(asked) <= len(happened) * 2
