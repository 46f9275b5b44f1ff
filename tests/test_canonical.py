import time

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from makingof import canonical
from makingof.digest import Digest
from makingof.errors import MalformedError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_bytes_are_those_of_rfc_8785(value):
    assert canonical.to_bytes(value) == rfc8785.dumps(value)


@given(VALUES)
def test_every_value_has_one_spelling_that_reads_back(value):
    assert canonical.from_bytes(canonical.to_bytes(value)) == value


@given(st.binary(max_size=60) | VALUES.map(msgspec.json.encode))
def test_arbitrary_bytes_are_canonical_or_refused(data):
    try:
        value = canonical.from_bytes(data)
    except MalformedError:
        return
    assert canonical.to_bytes(value) == data


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":2}',
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b"1.0",
        b"1e3",
        b"9007199254740992",
        b"NaN",
        b'"\\u0041"',
        b'"\\ud83d"',
        b"\xff",
        b"[" * 200 + b"]" * 200,
        b"[" * 100_000,
        b"",
        b"1 ",
        b'{"a":[1.0]}',
        b'{"a":-9007199254740992}',
        b"[9007199254740993]",
        b"[" * 66 + b"]" * 66,
        '{"\uff61":1,"\U00010000":2}'.encode(),  # sorted by code points
        '{"\uff61\\"":1,"\U00010000\\"":2}'.encode(),  # the same, the keys' ends hidden by an escape
        '{"a\uff61b":{"\uff61":1,"\U00010000":2}}'.encode(),
    ],
)
def test_other_spellings_are_refused(data):
    with pytest.raises(MalformedError):
        canonical.from_bytes(data)


@pytest.mark.parametrize(
    "value", [1.5, float("nan"), 2**53, b"x", {1: 2}, "\ud83d", {"\ud83d": 1}, {"a": {1}}]
)
def test_values_without_a_canonical_form_are_refused(value):
    with pytest.raises(MalformedError):
        canonical.to_bytes(value)


@pytest.mark.parametrize(
    "data",
    [
        '{"text":"女孩，光线: 柔和 \U0001f600"}',
        '{"salt":"1234567890123456"}',
        '{"a":[1,"\\"女孩\\":"]}',
        '{"brackets":"' + "[{" * 100 + '"}',
        '{"女孩":1}',
        '"1234567890123456"',
    ],
)
def test_what_only_looks_hard_is_read(data):
    assert canonical.to_bytes(canonical.from_bytes(data.encode())) == data.encode()


def test_keys_are_sorted_by_utf16_units_and_not_by_code_points():
    # U+10000 begins with the surrogate D800, which sorts below U+FF61.
    assert canonical.to_bytes({"\uff61": 1, "\U00010000": 2}) == '{"\U00010000":2,"\uff61":1}'.encode()


def test_a_digest_is_written_as_text():
    digest = Digest.of(b"abc")
    assert canonical.from_bytes(canonical.to_bytes({"d": digest})) == {"d": str(digest)}


@pytest.mark.parametrize(
    "value",
    [(b"x",), [(1.5,)], {"a": ({1: 2},)}, {"a": ({1},)}, (float("nan"),), {"a": ("\ud83d",)}, [[2**53], ()]],
)
def test_values_without_a_canonical_form_are_refused_inside_tuples_too(value):
    with pytest.raises(MalformedError):
        canonical.to_bytes(value)


@given(VALUES)
def test_tuples_are_written_as_lists_are(value):
    assert canonical.to_bytes({"a": (value, (value,))}) == rfc8785.dumps({"a": [value, [value]]})


@pytest.mark.parametrize("value", [{"a": "仙" * 350_000}, {"仙" * 350_000: "a"}, ["é" * 500_000, "仙"]])
def test_a_long_text_outside_ascii_takes_no_more_time_than_its_length(value):
    start = time.process_time()
    data = canonical.to_bytes(value)
    assert data == rfc8785.dumps(value)
    assert canonical.from_bytes(data) == value
    assert time.process_time() - start < 5
