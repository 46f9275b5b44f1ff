import re
import string

import pytest

from makingof.texts import LANGUAGES, areas, load_area, say

REFUSED = re.compile(r"copyrightab|originality score|可版权性", re.IGNORECASE)


def placeholders(text):
    return sorted(field for _, field, _, _ in string.Formatter().parse(text) if field)


@pytest.mark.parametrize("area", areas())
def test_every_text_is_there_in_every_language_with_the_same_gaps(area):
    wrong = [
        name
        for name, entry in load_area(area).items()
        if set(entry) != set(LANGUAGES)
        or not all(entry.values())
        or placeholders(entry["en"]) != placeholders(entry["zh"])
    ]
    assert wrong == []


@pytest.mark.parametrize("area", areas())
def test_no_text_speaks_of_what_we_refuse_to_say(area):
    texts = [text for entry in load_area(area).values() for text in entry.values()]
    assert [text for text in texts if REFUSED.search(text)] == []


def test_a_message_is_said_in_the_language_asked_for_with_its_inner_messages():
    inner = say("acts.empty_note")
    message = say("errors.hint", hint=inner)
    assert message.in_language("zh") == "处理办法：说明内容为空"
    assert str(message) == "what to do: the note is empty"


def test_a_missing_text_is_a_bug():
    with pytest.raises(KeyError):
        say("errors.no_such_text")
