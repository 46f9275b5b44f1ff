import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makingof.metadata import tool_json
from makingof.metadata.a1111 import _pairs, _plain_pairs
from makingof.metadata.tool_json import Number, parse_tool_json

NUMBERS = st.sampled_from(
    ["0", "-0", "7", "-7", "7.0", "1e5", "1E+2", "-0.0", "18446744073709551616", "1" * 60, "007", "1.", "NaN"]
)
TEXTS = st.text(st.sampled_from('ab:" \\/{}[],-0\u00e9\u7fe1\n\t\x7f'), max_size=6)
STRINGS = st.builds(lambda text, ascii_: json.dumps(text, ensure_ascii=ascii_), TEXTS, st.booleans())
ODD_STRINGS = st.sampled_from(['"\\ud800"', '"\\u003a"', '":"', '"a\nb"', '"\\":"', '"\\u0022:"'])
SPACES = st.sampled_from(["", "", "", " ", "\n", "\t", "\r", "\0"])


def _objects(inner):
    pair = st.tuples(st.one_of(STRINGS, ODD_STRINGS), SPACES, inner).map("{0[0]}{0[1]}:{0[2]}".format)
    return st.lists(pair, max_size=4).map(lambda pairs: "{" + ", ".join(pairs) + "}")


def _lists(inner):
    return st.lists(inner, max_size=4).map(lambda items: "[" + ",".join(items) + "]")


DOCUMENTS = st.recursive(
    st.one_of(NUMBERS, STRINGS, ODD_STRINGS, st.sampled_from(["true", "false", "null"])),
    lambda inner: st.one_of(_objects(inner), _lists(inner)),
    max_leaves=12,
)


def kinds(value):
    """The value with every type told: a `Number` equals its text."""
    if isinstance(value, dict):
        return {key: kinds(item) for key, item in value.items()}
    if isinstance(value, list):
        return [kinds(item) for item in value]
    return type(value), value


@given(st.one_of(_objects(DOCUMENTS), _lists(DOCUMENTS), DOCUMENTS))
def test_the_quick_way_says_what_the_lenient_way_says_or_nothing(text):
    quick = tool_json._parse_strict(text)
    if quick is not None:
        value, duplicates = tool_json._parse_lenient(text)
        assert kinds(quick) == kinds(value)
        assert duplicates == 0


def test_the_quick_way_is_taken_for_what_tools_write():
    graph = {"3": {"inputs": {"seed": 2**64 - 1, "cfg": 7.0, "text": "a (jade:1.3) cat"}, "class_type": "K"}}
    for text in (json.dumps(graph), json.dumps(graph, separators=(",", ":")), json.dumps(graph, indent=2)):
        assert kinds(tool_json._parse_strict(text)) == kinds(tool_json._parse_lenient(text)[0])
    assert parse_tool_json("7") == (Number("7"), 0)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 2}',
        '{"a" : ":", "a": 2}',
        '{"a": {"b": 1, "b": "x:y"}, "c": ": "}',
        '{"a": "\\u003a", "a": ":"}',
    ],
)
def test_a_key_that_comes_twice_is_counted_however_it_is_written(text):
    assert parse_tool_json(text)[1] == 1


@given(st.text(st.sampled_from('Sed: ,-/"[{1\t\u00a0é()\\'), max_size=30))
def test_a_plain_line_of_settings_is_split_as_any_line_is(line):
    plain = _plain_pairs(line)
    assert not plain or plain == list(_pairs(line))
