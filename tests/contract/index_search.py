"""What every index must find by words."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.histories import (
    History,
    Said,
    blob,
    job,
    negative,
    note,
    prompt,
    reason,
)

from makingof.errors import UsageError
from makingof.event import Kind
from makingof.index.values import EventFilter, PictureFilter
from makingof.part import PartType

MODEST = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture
def searched(index_of):
    history = History()
    history.generate(
        "a.png", said=[prompt("一个女孩站在窗边，光线柔和, blue eyes, Café"), negative("lowres")]
    )
    history.brief("The Cat", "a tale of two cities, quick notes")
    history.keep(history.told[0].file(), said=[reason("the light is better 光影")])
    history.tell(Kind.NOTED, note("カタカナ と ひらがな, 한국어 텍스트, 𠮷野家"))
    history.tell(Kind.ATTEMPTED, job("1", text="out of memory"))
    index = index_of(history)

    def search(text):
        return [row.position for row in reversed(index.events(EventFilter(text=text)))]

    return search


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("女孩", [0]),
        ("光线", [0]),
        ("光", [0, 2]),  # one sign: the first of a pair
        ("影", [2]),  # the last of a run
        ("柔和", [0]),
        ("女孩站在窗边", [0]),
        ("孩女", []),
        ("女边", []),
        ("女孩 blue", [0]),
        ("blue 光线", [0]),
        ("blue cat", []),
        ("BLUE", [0]),
        ("ｂｌｕｅ", [0]),  # full width
        ("cafe", [0]),
        ("lowres", [0]),
        ("cat", [1]),
        ("cit*", [1]),
        ("cit", []),
        ('"two cities"', [1]),
        ('"cities two"', []),
        ('"光线柔和, blue"', [0]),
        ("光线柔和,blue", [0]),
        ("タカ", [3]),
        ("らがな", [3]),
        ("한국", [3]),
        ("𠮷野", [3]),
        ("memory", [4]),
        ("better", [2]),
        ("nothing", []),
        ("", []),
        ("***", []),
        ('"', []),
        ('NEAR(cat) OR "', []),
        ("cat AND", []),
        ("words:cat", []),
        ("-cat", [1]),
        ("(cat", [1]),
        ("^cat", [1]),
        ("\0", []),
    ],
)
def test_words_are_found_in_any_script_and_nothing_typed_is_syntax(searched, text, found):
    assert searched(text) == found


def test_a_search_of_too_many_words_is_refused(searched):
    with pytest.raises(UsageError, match="over 64"):
        searched("word " * 65)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(alphabet='女孩光线 ab"*()^:-AND OR NEAR,\0\n', max_size=24))
def test_nothing_typed_breaks_a_search(searched, text):
    assert isinstance(searched(text), list)


@MODEST
@given(run=st.text(alphabet="女孩站在窗边光线柔和", min_size=2, max_size=8), data=st.data())
def test_every_run_of_signs_is_found_in_the_text_that_holds_it(index_of, run, data):
    before, after = (data.draw(st.text(alphabet="女孩x ,", max_size=4)) for _ in range(2))
    history = History()
    history.tell(Kind.NOTED, note(f"{before}{run}{after}"))
    assert index_of(history).events(EventFilter(text=run))


def test_what_is_found_by_words_comes_in_pages_and_narrowed_further(index_of):
    history = History()
    brief = history.brief("cat project")
    first = history.generate("first.png", "second.png", said=[prompt("a cat")])
    history.project = None
    for number in range(900):
        history.generate(f"{number}.png", said=[prompt("a cat"), negative("no cat")])
    index = index_of(history)
    wanted = EventFilter(text="cat")
    page = index.events(wanted, limit=500)
    rest = index.events(wanted, before=page[-1].position, limit=500)
    assert [row.position for row in (*page, *rest)] == list(range(901, -1, -1))
    narrowed = EventFilter(text="cat", project=brief.name)
    assert [row.position for row in index.events(narrowed)] == [first.position]
    assert index.count_events(narrowed) == 1
    pictures = index.pictures(PictureFilter(text="cat"), limit=901)
    more = index.pictures(PictureFilter(text="cat"), before=pictures[-1].file, limit=10)
    assert [row.file.blob for row in (pictures[-1], *more)] == [blob("second.png"), blob("first.png")]
    assert index.count_pictures(PictureFilter(text="cat")) == 902


def test_signatures_are_no_text(index_of):
    history = History()
    told = history.tell(Kind.NOTED, note("mine"))
    report = Said(PartType.REPORT, {"outcome": "sshsig", "text": "-----BEGIN SSH SIGNATURE-----"})
    history.tell(Kind.AFFIRMED, report, cites=[told], actor="a1")
    index = index_of(history)
    assert index.event_at(1).text is None
    assert index.count_events(EventFilter(text="signature")) == 0
