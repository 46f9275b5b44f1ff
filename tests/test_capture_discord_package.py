"""Discord's own data package: requests among one person's messages, and nothing else of them."""

import json

import pytest
from tests.exports import sent, sent_csv

from makingof.capture.exports.recognise import Damaged, read_export
from makingof.event import Kind
from makingof.part import PartType
from makingof.reading import State
from makingof.recorder.found import reading_drafts

# The number holds 2018-07-19T23:09:04.839Z; the pair of number and time is from a public description.
NUMBER = 469641859543728149
AT = "2018-07-19 23:09:04"


def read(*messages, name="messages.json"):
    if name.endswith(".csv"):
        return read_export(sent_csv(*messages), name)
    return read_export(json.dumps(messages).encode(), name)


@pytest.mark.parametrize("name", ["messages.json", "messages.csv"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("/imagine prompt: a crane, at dusk\nand rain --ar 1:1", "a crane, at dusk\nand rain --ar 1:1"),
        ("/imagine a crane", "a crane"),
        ('!dream "a crane" -n 4', '"a crane" -n 4'),
        ("  /Imagine Prompt:仙鹤", "仙鹤"),
    ],
)
def test_a_request_sent_as_text_is_what_was_typed(name, content, words):
    (told,) = read(sent(NUMBER, content, at=AT), name=name).told
    assert told.observation.kind is Kind.PROMPTED
    assert told.readings[0].value("typed_prompt") == words
    assert "prompt" not in told.readings[0].fields


def test_the_number_of_a_message_holds_its_instant():
    (told,) = read(sent(NUMBER, "/imagine a crane", at=AT)).told
    assert (told.observation.occurred_at, told.observation.occurred_by) == (
        "2018-07-19T23:09:04.839Z",
        "vendor",
    )
    report = next(draft.body for draft in told.observation.drafts if draft.type is PartType.REPORT)
    assert report["facts"]["timestamp"] == AT


def test_nothing_says_that_the_request_was_carried_out():
    (told,) = read(sent(NUMBER, "/imagine a crane")).told
    assert told.wanted == ()
    (prompt,) = [
        draft
        for draft in reading_drafts(told.readings, "recovered", copy_raw=False)
        if draft.type is PartType.PROMPT
    ]
    assert (prompt.body.get("effective"), prompt.body["typed"]) == (None, "a crane")
    assert prompt.body["state"] == State.ABSENT


@pytest.mark.parametrize("name", ["messages.json", "messages.csv"])
def test_what_else_a_person_wrote_is_left_alone(name):
    others = ("hello", "use /imagine prompt: like so", "/describe", "/imagine", "/imaginecup a", "/settings")
    assert read(*(sent(NUMBER + number, text) for number, text in enumerate(others)), name=name) is None


def test_one_channel_is_told_apart_from_lists_of_other_things():
    assert read_export(b'[{"ID": 1, "Contents": "/imagine a"}]', "messages.json") is None
    assert read_export(b"ID,Timestamp,Contents\n", "messages.csv") is None


def test_numbers_a_spreadsheet_spoilt_tell_no_message():
    assert read({"ID": "4.69642E+17", "Timestamp": AT, "Contents": "/imagine a crane"}) is None


def test_a_field_without_end_is_damage():
    found = read(sent(NUMBER, "/imagine " + "a" * (2 << 20)), name="messages.csv")
    assert isinstance(found, Damaged)
