"""Bounds: two authorities of the reader, whatever they are called, and never a pending promise."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.stamping import DIGEST, NOON

from makingof.stamp.base import Kind, Statement
from makingof.stamp.bounds import NOT_DATED, Bound, Bounds, Said, Stamp, Standing, Timeline


def minute(count):
    return NOON + timedelta(minutes=count)


def said(authority, minutes, *, keys=None, margin=timedelta(0), kind=Kind.RFC3161):
    at = minute(minutes)
    return Statement(
        kind=kind,
        authority=authority,
        keys=frozenset(keys or {f"operator:{authority}"}),
        digest=DIGEST,
        at=at,
        earliest=at - margin,
        latest=at + margin,
        checked_by=("test",),
    )


def stamp(authority, minutes, size=10, logged_at=10, **others):
    return Stamp(said(authority, minutes, **others), size, logged_at)


def test_without_a_stamp_an_entry_is_not_yet_dated():
    assert Timeline([]).bounds(0, head_size=0) == Bounds(NOT_DATED, NOT_DATED)


def test_one_authority_says():
    bound = Timeline([stamp("one", 5)]).not_after(3)
    assert (bound.standing, bound.at) == (Standing.ONE, minute(5))
    assert [word.authority for word in bound.by] == ["one"]


def test_with_two_the_second_earliest_holds():
    bound = Timeline([stamp("one", 5), stamp("two", 7), stamp("three", 9)]).not_after(3)
    assert (bound.standing, bound.at) == (Standing.TWO, minute(7))
    assert [word.authority for word in bound.by] == ["one", "two"]
    assert bound.closest.at == minute(5)


def test_one_authority_twice_is_one():
    timeline = Timeline([stamp("one", 5), stamp("one", 6)])
    assert timeline.not_after(3).standing is Standing.ONE


def test_two_names_under_one_root_are_one():
    shared = [
        stamp("one", 5, keys={"operator:one", "key:root"}),
        stamp("two", 6, keys={"operator:two", "key:root"}),
    ]
    assert Timeline(shared).not_after(3).standing is Standing.ONE


def test_two_roots_of_one_operator_are_one_through_any_chain_of_keys():
    chained = [
        stamp("one", 5, keys={"operator:a", "key:1"}),
        stamp("two", 6, keys={"operator:b", "key:2"}),
        stamp("three", 7, keys={"operator:b", "key:1"}),
    ]
    assert Timeline(chained).not_after(3).standing is Standing.ONE
    assert Timeline(chained[:2]).not_after(3).standing is Standing.TWO


def test_only_checkpoints_that_hold_the_entry_bound_it_from_above():
    timeline = Timeline([stamp("one", 5, size=4), stamp("two", 6, size=4), stamp("one", 9, size=8)])
    assert timeline.not_after(3).at == minute(6)
    assert timeline.not_after(4).at == minute(9)
    assert timeline.not_after(4).standing is Standing.ONE
    assert timeline.not_after(8) == NOT_DATED


def test_only_receipts_under_the_head_bound_an_entry_from_below():
    timeline = Timeline([stamp("one", 5, logged_at=4), stamp("two", 6, logged_at=5)])
    assert timeline.not_before(4) == NOT_DATED
    assert timeline.not_before(5).standing is Standing.ONE
    bound = timeline.not_before(6)
    assert (bound.standing, bound.at) == (Standing.TWO, minute(5))
    assert bound.closest.at == minute(6)


def test_a_receipt_not_logged_bounds_nothing_from_below_and_a_files_nothing_from_above():
    stamps = [stamp("one", 5, logged_at=None), stamp("two", 6, size=None)]
    timeline = Timeline(stamps)
    assert timeline.not_before(100).standing is Standing.ONE
    assert timeline.not_after(0).standing is Standing.ONE


def test_accuracy_widens_and_never_narrows():
    second = timedelta(seconds=1)
    stamps = [stamp("one", 5, margin=second), stamp("two", 6, margin=second)]
    assert Timeline(stamps).not_after(0).at == minute(6) + second
    assert Timeline(stamps).not_before(99).at == minute(5) - second


def test_a_block_is_an_authority_and_a_coarse_one():
    hours = timedelta(hours=2)
    stamps = [stamp("one", 5), stamp("bitcoin", 60, margin=hours, kind=Kind.OTS)]
    bound = Timeline(stamps).not_after(0)
    assert (bound.standing, bound.at, bound.is_coarse) == (Standing.TWO, minute(60) + hours, True)
    assert not Timeline(stamps[:1]).not_after(0).is_coarse


def test_a_record_younger_than_itself_is_a_contradiction():
    lying = [
        stamp("one", 50, size=None, logged_at=0),
        stamp("two", 51, size=None, logged_at=1),
        stamp("one", 5, size=9, logged_at=None),
        stamp("two", 6, size=9, logged_at=None),
    ]
    assert Timeline(lying).bounds(5, head_size=5).contradictory
    assert not Timeline(lying).bounds(5, head_size=0).contradictory


def test_the_two_sided_bound_of_an_honest_log():
    """Receipts over size 3 are entries 3 and 4; entry 5 is stamped over size 6."""
    stamps = [
        stamp("one", 0, size=3, logged_at=3),
        stamp("two", 1, size=3, logged_at=4),
        stamp("one", 10, size=6, logged_at=6),
        stamp("two", 11, size=6, logged_at=7),
    ]
    found = Timeline(stamps).bounds(5, head_size=5)
    assert (found.not_before.at, found.not_after.at) == (minute(0), minute(11))
    assert not found.contradictory


STAMPS = st.builds(
    stamp,
    st.sampled_from(["one", "two", "three", "four"]),
    st.integers(0, 50),
    size=st.none() | st.integers(1, 12),
    logged_at=st.none() | st.integers(0, 12),
    margin=st.sampled_from([timedelta(0), timedelta(minutes=3)]),
)


def plainly(stamps, pick, *, earliest):
    """The rule of the specification, word for word and slowly."""
    best = {}
    for one in stamps:
        if pick(one):
            at = one.statement.latest if earliest else one.statement.earliest
            held = best.get(one.statement.authority)
            if held is None or (at < held if earliest else at > held):
                best[one.statement.authority] = at
    ranked = sorted(best.values(), reverse=not earliest)
    if not ranked:
        return (Standing.NONE, None)
    return (Standing.TWO, ranked[1]) if len(ranked) > 1 else (Standing.ONE, ranked[0])


@given(st.lists(STAMPS, max_size=12), st.integers(0, 13))
@settings(max_examples=150)
def test_the_search_agrees_with_the_rule(stamps, place):
    timeline = Timeline(stamps)
    after, before = timeline.not_after(place), timeline.not_before(place)
    assert (after.standing, after.at) == plainly(
        stamps, lambda one: one.size is not None and one.size > place, earliest=True
    )
    assert (before.standing, before.at) == plainly(
        stamps, lambda one: one.logged_at is not None and one.logged_at < place, earliest=False
    )


@given(st.lists(STAMPS, max_size=8), STAMPS, st.integers(0, 13))
@settings(max_examples=80)
def test_a_further_stamp_of_a_known_standing_never_loosens_a_bound(stamps, further, place):
    less, more = Timeline(stamps), Timeline([*stamps, further])
    if less.not_after(place).standing is Standing.TWO:
        assert more.not_after(place).at <= less.not_after(place).at
    if less.not_before(place).standing is Standing.TWO:
        assert more.not_before(place).at >= less.not_before(place).at


def test_a_bound_names_who_decides_it_last():
    bound = Bound(
        Standing.TWO, minute(1), (Said(minute(0), "one", Kind.OTS), Said(minute(1), "two", Kind.RFC3161))
    )
    assert not bound.is_coarse
