from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makingof.clock import SystemClock, format_instant, parse_instant
from makingof.errors import MalformedError


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_reads_back_to_the_millisecond(moment):
    read = parse_instant(format_instant(moment))
    assert timedelta(0) <= moment - read < timedelta(milliseconds=1)


def test_another_offset_is_written_as_utc():
    moment = datetime(2026, 3, 1, 5, 14, tzinfo=timezone(timedelta(hours=8)))
    assert format_instant(moment) == "2026-02-28T21:14:00.000Z"


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T09:30:00Z",
        "2026-03-01T09:30:00.0000Z",
        "2026-03-01T09:30:00.000+00:00",
        "2026-02-30T09:30:00.000Z",
        "",
        None,
    ],
)
def test_any_other_spelling_is_refused(text):
    with pytest.raises(MalformedError):
        parse_instant(text)


def test_the_system_clock_is_aware_and_its_uptime_grows():
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    assert 0 < clock.uptime_ms() <= clock.uptime_ms()
