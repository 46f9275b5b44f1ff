import re
import string

import pytest

from makingof.texts import LANGUAGES, areas, load_area, say

ENTRIES = [(area, name) for area in areas() for name in load_area(area)]


def placeholders(text):
    return sorted(field for _, field, _, _ in string.Formatter().parse(text) if field)


@pytest.mark.parametrize(("area", "name"), ENTRIES, ids=lambda value: value)
def test_every_text_is_there_in_every_language_with_the_same_gaps(area, name):
    entry = load_area(area)[name]
    assert set(entry) == set(LANGUAGES)
    assert placeholders(entry["en"]) == placeholders(entry["zh"])
    assert all(entry.values())


@pytest.mark.parametrize(("area", "name"), ENTRIES, ids=lambda value: value)
def test_no_text_speaks_of_what_we_refuse_to_say(area, name):
    for text in load_area(area)[name].values():
        assert not re.search(r"copyrightab|originality score|可版权性", text, re.IGNORECASE)


def test_a_message_is_said_in_the_language_asked_for_with_its_inner_messages():
    inner = say("acts.empty_note")
    message = say("errors.hint", hint=inner)
    assert message.in_language("zh") == "处理办法：说明内容为空"
    assert str(message) == "what to do: the note is empty"


def test_a_missing_text_is_a_bug():
    with pytest.raises(KeyError):
        say("errors.no_such_text")
