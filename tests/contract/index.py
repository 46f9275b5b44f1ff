"""What every index must answer. A backend's test file imports these and gives one fixture:

`make_index`, a function that returns an empty index.
"""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.histories import (
    PROGRAM,
    History,
    Said,
    Told,
    blob,
    file,
    job,
    negative,
    note,
    own,
    parameters,
    place,
    prompt,
    reason,
)
from tests.random_histories import histories

from makingof.digest import Digest
from makingof.errors import IntegrityError, UsageError
from makingof.event import Kind, Source
from makingof.index.values import EventFilter, PictureFilter
from makingof.lineage.judged import Judged
from makingof.part import Means, PartType, Role
from makingof.tlog.reader import StoredPart

MODEST = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


class Prefix:
    """A log as it was at an earlier size."""

    def __init__(self, log: History, size: int) -> None:
        self.log = log
        self.limit = size

    def size(self) -> int:
        return self.limit

    def __getattr__(self, name):
        return getattr(self.log, name)


@pytest.fixture
def index_of(make_index):
    def follow(history):
        index = make_index()
        index.follow(history)
        return index

    return follow


def people(*persons: dict) -> Said:
    return Said(PartType.PEOPLE, {"people": list(persons)})


# Following


@MODEST
@given(history=histories(), cuts=st.lists(st.integers(0, 24), max_size=5))
def test_following_in_any_steps_gives_the_same_tables(make_index, history, cuts):
    stepwise, at_once = make_index(), make_index()
    for cut in sorted(cuts):
        stepwise.follow(Prefix(history, min(cut, history.size())))
    stepwise.follow(history)
    at_once.follow(history)
    assert stepwise.differs_from(at_once) == []
    assert stepwise.size() == history.size()


@MODEST
@given(history=histories(), data=st.data())
def test_after_erasing_the_tables_are_those_of_the_log_that_is_left(make_index, history, data):
    index = make_index()
    index.follow(history)
    parts = [part for told in history.told for part in told.parts]
    if not parts:
        return
    erased = data.draw(st.lists(st.sampled_from(parts), min_size=1, max_size=6, unique=True))
    history.erase(*erased)
    index.follow(history)
    history.forget(*erased)
    index.purge(erased)
    history.generate("later.png")
    index.follow(history)
    fresh = make_index()
    fresh.follow(history)
    assert index.differs_from(fresh) == []


def test_following_tells_how_far_it_is_and_reads_nothing_twice(make_index):
    history = History()
    for number in range(2500):
        history.tell(Kind.NOTED, note(str(number)))
    told: list[tuple[int, int]] = []
    index = make_index()
    assert index.follow(history, progress=lambda done, of: told.append((done, of))) == 2500
    assert told[-1] == (2500, 2500)
    assert index.follow(history) == 0


def test_long_texts_are_read_in_smaller_steps(make_index):
    history = History()
    for number in range(12):
        history.tell(Kind.NOTED, note("word " * 200_000 + str(number)))
    told: list[int] = []
    index = make_index()
    index.follow(history, progress=lambda done, _: told.append(done))
    assert told == [9, 12]
    assert index.count_events(EventFilter(text="word")) == 12


def test_another_log_empties_the_index_first(make_index, index_of):
    history, other = History(), History(seed="other")
    for log, name in ((history, "a.png"), (other, "b.png")):
        log.generate(name)
        log.generate("c.png")
    index = index_of(history)
    assert index.follow(other) == 2
    assert not index.files_of(blob("a.png"))
    assert index.differs_from(index_of(other)) == []


def test_a_log_that_lost_its_end_empties_the_index_first(index_of):
    history = History()
    history.generate("a.png")
    history.generate("b.png")
    index = index_of(history)
    assert index.follow(Prefix(history, 1)) == 1
    assert not index.files_of(blob("b.png"))


def test_a_log_that_cannot_be_read_stops_where_it_cannot(make_index):
    history = History()
    history.generate("a.png")
    history.told.append(Told(1, Digest.of(b""), {}, []))
    history._rows.append(b"{}")
    index = make_index()
    with pytest.raises(IntegrityError, match="entry 1"):
        index.follow(history)
    assert index.follow(Prefix(history, 1)) == 1


def test_rebuilding_gives_the_same_tables(make_index, index_of):
    history = History()
    made = history.generate("a.png", said=[prompt("a cat")])
    history.keep(made.file())
    index = index_of(history)
    assert index.rebuild(history) == 2
    assert index.differs_from(index_of(history)) == []


def test_two_indexes_that_differ_say_where(index_of):
    history, other = History(), History()
    history.generate("a.png", said=[prompt("a cat")])
    other.generate("a.png", said=[prompt("a dog")])
    assert {"texts", "words", "events"} <= set(index_of(history).differs_from(index_of(other)))


# Searching


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


# Events


def test_events_are_listed_newest_first_and_page_by_page(index_of):
    history = History()
    for number in range(7):
        history.tell(Kind.NOTED, note(str(number)))
    index = index_of(history)
    first = index.events(limit=3)
    second = index.events(before=first[-1].position, limit=3)
    assert [row.text for row in (*first, *second)] == ["6", "5", "4", "3", "2", "1"]
    assert index.count_events() == 7


def test_events_are_filtered_by_what_they_are(index_of):
    history = History()
    brief = history.brief("Cat")
    history.open("s")
    made = history.generate("a.png", stream="s")
    found = history.generate("b.png", means=Means.RECOVERED)
    history.keep(made.file())
    index = index_of(history)

    def positions(**wanted):
        return [row.position for row in reversed(index.events(EventFilter(**wanted)))]

    assert positions(kinds=(Kind.GENERATED,)) == [made.position, found.position]
    assert positions(means=(Means.RECOVERED,)) == [found.position]
    assert positions(actor="a1") == [0, 4]
    assert positions(project=brief.name) == [2, 3, 4]
    assert positions(stream=history.stream("s")) == [1, 2]
    assert positions(own=False) == [0, 2, 3, 4]
    since = datetime(2026, 3, 1, 9, 33, tzinfo=UTC)
    assert positions(since=since) == [2, 3, 4]
    assert positions(since=since, until=since + timedelta(minutes=1)) == [2]
    assert positions(kinds=(Kind.GENERATED,), means=(Means.LIVE,), project=brief.name) == [2]
    assert index.count_events(EventFilter(own=False)) == 4


def test_an_event_in_a_list_says_what_there_is_to_it(index_of):
    history = History()
    told = history.generate("a.png", "b.png", said=[prompt("a cat"), place("/out/a.png")])
    undone = history.withdraw(told)
    index = index_of(history)
    history.forget(told.part(PartType.PLACE))
    index.purge([told.part(PartType.PLACE)])
    row = index.event_at(0)
    assert row is not None
    assert (row.name, row.files, row.silent, row.text, row.withdrawn) == (told.name, 2, 1, "a cat", True)
    assert index.event_at(1).name == undone.name
    assert index.event_at(2) is None
    assert index.position_of(undone.name) == 1
    assert index.position_of(Digest.of(b"")) is None


def test_events_are_found_by_the_beginning_of_their_name(index_of):
    history = History()
    told = [history.tell(Kind.NOTED, note(str(number))) for number in range(50)]
    index = index_of(history)
    for item in told[:5]:
        assert index.find_events(item.name.hex, limit=2) == [item.name]
        assert item.name in index.find_events(item.name.hex[:1], limit=50)
    assert index.find_events("0" * 63, limit=2) == []


def test_the_last_act_is_not_the_recorder_s(index_of):
    history = History()
    assert index_of(history).last_act() is None
    told = history.tell(Kind.NOTED, note("x"))
    history.stamp()
    assert index_of(history).last_act() == told.name


def test_a_withdrawal_taken_back_lets_the_event_stand_again(index_of):
    history = History()
    told = history.tell(Kind.NOTED, note("x"))
    first = history.withdraw(told)
    second = history.withdraw(told)
    history.withdraw(first)
    index = index_of(history)
    assert [row.withdrawn for row in reversed(index.events())] == [True, True, False, False]
    history.withdraw(second)
    index.follow(history)
    assert index.event_at(told.position).withdrawn is False
    history.withdraw(history.told[-1])
    index.follow(history)
    assert index.event_at(told.position).withdrawn is True


# Files and pictures


def test_bytes_are_found_under_all_their_file_parts_the_giving_ones_first(index_of):
    history = History()
    used = history.generate("b.png", said=[file("a.png", Role.INIT)])
    made = history.generate("a.png", said=[place("/out/a.png")], occurred_at="2026-01-05T10:00:00.000Z")
    index = index_of(history)
    rows = index.files_of(blob("a.png"))
    assert [row.part for row in rows] == [made.file(), used.file(1)]
    assert (rows[0].event, rows[0].given, rows[0].holding, rows[0].role) == (
        made.name,
        True,
        "held",
        Role.OUTPUT,
    )
    assert rows[0].occurred_at == "2026-01-05T10:00:00.000Z"
    assert index.file_part(used.file(1)).given is False
    assert index.file_part(Digest.of(b"")) is None
    assert index.twins_of(used.file(1)) == [used.file(1), made.file()]
    assert index.twins_of(Digest.of(b"unknown")) == [Digest.of(b"unknown")]
    assert index.find_blobs(blob("a.png").hex[:12], limit=2) == [blob("a.png")]
    assert index.find_file_parts(made.file().hex[:12], limit=2) == [made.file()]
    assert [row.blob for row in index.files_since(made.position)] == [blob("a.png")]


def test_a_file_whose_bytes_were_erased_says_so(index_of):
    history = History()
    made = history.generate("a.png")
    history.erase(files=[made.file()])
    index = index_of(history)
    assert [row.holding for row in index.files_of(blob("a.png"))] == ["erased"]


def test_outputs_are_the_pictures_and_siblings_those_of_the_whole_job(index_of):
    history = History()
    request = history.tell(Kind.PROMPTED, prompt("a cat"))
    one = history.generate(
        "a.png", said=[file("grid.png", Role.GRID), file("i.png", Role.INIT)], cites=[request]
    )
    two = history.generate("b.png", cites=[request])
    third = history.generate("c.png", said=[job("1")])
    fourth = history.generate("d.png", said=[job("1")])
    brief = history.tell(Kind.BRIEFED, note("x"), file("sketch.png", Role.REFERENCE))
    index = index_of(history)

    def blobs(rows):
        return [row.blob for row in rows]

    assert blobs(index.outputs_of(one.name)) == [blob("a.png")]
    assert blobs(index.files_in(one.name)) == [blob("a.png"), blob("grid.png"), blob("i.png")]
    assert blobs(index.siblings_of(one.name)) == [blob("a.png"), blob("b.png")]
    assert blobs(index.siblings_of(request.name)) == [blob("a.png"), blob("b.png")]
    assert blobs(index.siblings_of(third.name)) == [blob("c.png"), blob("d.png")]
    assert blobs(index.outputs_of(brief.name)) == [blob("sketch.png")]
    assert index.last_output_event() == fourth.name
    assert index.outputs_of(Digest.of(b"")) == index.siblings_of(Digest.of(b"")) == []
    assert two.position == 2


def test_a_path_names_the_last_bytes_seen_there(index_of):
    history = History()

    def put(name, path):
        said = file(name)
        part = Digest.of(history._salted(said, Means.WATCHED))
        history._salts -= 1
        return history.generate(name, said=[place(path, file=part)], means=Means.WATCHED)

    put("a.png", "/out/1.png")
    put("b.png", "/out/1.png")
    put("a.png", "/out/2.png")
    history.tell(Kind.REMOVED, place("/out/1.png"), means=Means.WATCHED)
    index = index_of(history)
    assert index.last_seen("/out/1.png") == blob("b.png")
    assert index.last_seen("/out/3.png") is None
    assert index.has_place(blob("a.png"), "/out/1.png")
    assert not index.has_place(blob("b.png"), "/out/2.png")
    assert index.places_of(blob("a.png")) == ["/out/2.png", "/out/1.png"]
    assert index.files_of(blob("b.png"))[0].name == "1.png"


def test_pictures_are_listed_once_newest_first_with_what_was_said_of_them(index_of):
    history = History()
    brief = history.brief("Cat")
    made = history.generate("a.png", "b.png", said=[prompt("a cat")])
    history.generate("c.png", "d.png", means=Means.WATCHED)
    history.generate("a.png", means=Means.RECOVERED)
    history.keep(made.file(0))
    history.reject(made.file(1))
    final = history.keep(made.file(0), final=True)
    index = index_of(history)
    rows = index.pictures()
    assert [row.file.blob for row in rows] == [blob(name) for name in ("d.png", "c.png", "b.png", "a.png")]
    assert [row.judged for row in rows] == [Judged.NEVER, Judged.NEVER, Judged.REJECTED, Judged.FINAL]
    assert (rows[3].prompt, rows[3].project, rows[3].withdrawn) == ("a cat", brief.name, False)
    assert index.count_pictures() == 4
    page = index.pictures(limit=2)
    assert [row.file.blob for row in index.pictures(before=page[-1].file, limit=1)] == [blob("b.png")]
    for wanted, count in (
        (PictureFilter(judged=Judged.FINAL), 1),
        (PictureFilter(judged=Judged.NEVER), 2),
        (PictureFilter(text="cat"), 2),
        (PictureFilter(means=(Means.WATCHED,)), 2),
        (PictureFilter(tool="comfyui"), 4),
        (PictureFilter(tool="forge"), 0),
        (PictureFilter(project=brief.name), 4),
        (PictureFilter(text='""'), 0),
    ):
        assert index.count_pictures(wanted) == len(index.pictures(wanted)) == count
    history.withdraw(final)
    index.follow(history)
    assert index.pictures()[3].judged is Judged.KEPT
    assert [row.blob for row in index.newest_outputs(1)] == [blob("d.png")]


def test_a_picture_is_found_by_the_tool_its_record_names(index_of):
    history = History()
    history.generate(
        "a.png", said=[parameters("forge")], means=Means.RECOVERED, source=Source("makingof", "1")
    )
    assert index_of(history).count_pictures(PictureFilter(tool="forge")) == 1


def test_judgements_tell_who_and_why(index_of):
    history = History()
    made = history.generate("a.png")
    kept = history.keep(made.file(), said=[reason("the light")])
    history.reject(made.file())
    history.withdraw(history.told[-1])
    first, second = index_of(history).judgements_of(blob("a.png"))
    assert (first.event, first.judged, first.actor, first.reason) == (
        kept.name,
        Judged.KEPT,
        "a1",
        "the light",
    )
    assert (second.judged, second.withdrawn) == (Judged.REJECTED, True)


# Projects, people, streams


def test_the_current_project_is_the_newest_that_stands(index_of):
    history = History()
    assert index_of(history).current_project() is None
    cat = history.brief("Cat")
    dog = history.brief("Dog")
    again = history.brief("Cat")
    index = index_of(history)
    assert index.current_project() == index.find_project("Cat") == again.name
    history.withdraw(again)
    index.follow(history)
    assert index.current_project() == dog.name
    assert index.find_project("Cat") == cat.name
    assert index.find_project(dog.name) == dog.name
    assert [project.title for project in index.projects()] == ["Cat", "Dog", "Cat"]
    with pytest.raises(UsageError, match="Mouse"):
        index.find_project("Mouse")


def test_the_finals_of_a_project_are_marked_so(index_of):
    history = History()
    cat = history.brief("Cat")
    made = history.generate("a.png", "b.png")
    history.keep(made.file(0), final=True)
    history.keep(made.file(1))
    history.withdraw(history.keep(made.file(1), final=True))
    dog = history.brief("Dog")
    index = index_of(history)
    assert index.project_finals(cat.name) == [made.file(0)]
    assert index.project_finals(dog.name) == []


def test_people_are_as_they_were_last_enrolled(index_of):
    history = History()
    history.tell(
        Kind.ENROLLED, people({"id": "a1", "name": "One"}, {"id": "a2", "name": "Two"}), source=PROGRAM
    )
    history.tell(Kind.ENROLLED, people({"id": "a1", "name": "Uno", "key": "ssh-ed25519 x"}), source=PROGRAM)
    wrong = history.tell(Kind.ENROLLED, people({"id": "a2", "name": "Wrong"}), source=PROGRAM)
    history.generate("a.png", said=[people({"id": "a9", "name": "somebody else"})])
    history.withdraw(wrong)
    found = index_of(history).people()
    assert [(person.id, person.name, person.key) for person in found] == [
        ("a1", "Uno", "ssh-ed25519 x"),
        ("a2", "Two", None),
    ]


def test_a_pulse_is_due_for_open_streams_that_moved(index_of):
    history = History()
    history.open("s")
    history.open("t")
    history.generate("a.png", stream="s")
    history.keep(history.told[-1].file(), stream="act")
    history.close("t")
    index = index_of(history)
    assert index.moved_streams() == {history.stream("s"): 1}
    history.tell(Kind.PULSE, own(streams={history.stream("s"): 1}), means=Means.OWN)
    index.follow(history)
    assert index.moved_streams() == {}
    history.generate("b.png", stream="s")
    index.follow(history)
    assert index.moved_streams() == {history.stream("s"): 2}
    assert index.stream(history.stream("s")).last == 2


# Parts


def test_parts_are_found_by_name_and_by_type(index_of):
    history = History()
    one = history.generate("a.png", said=[prompt("a cat"), place("/out/a.png")])
    two = history.tell(Kind.NOTED, note("x"))
    index = index_of(history)
    prompt_part, note_part = one.part(PartType.PROMPT), two.part(PartType.NOTE)
    wanted = [note_part, prompt_part, Digest.of(b"unknown")]
    assert index.positions_of_parts(wanted) == [(prompt_part, 0), (note_part, 1)]
    assert index.events_of_parts([*wanted, one.file()]) == [one.name, two.name]
    assert index.parts_of_type(one.name, [PartType.PROMPT, PartType.PLACE]) == list(one.parts)[1:]
    assert index.parts_of_type(Digest.of(b""), [PartType.PROMPT]) == []
    assert index.positions_of_kind(Kind.NOTED) == [1]


def test_erased_text_is_not_found_any_more(index_of):
    history = History()
    told = history.generate("a.png", said=[prompt("a secret cat")])
    other = history.tell(Kind.NOTED, note("a secret dog"))
    index = index_of(history)
    history.forget(told.part(PartType.PROMPT))
    index.purge([told.part(PartType.PROMPT)])
    assert [row.position for row in index.events(EventFilter(text="secret"))] == [other.position]
    assert index.pictures()[0].prompt is None
    assert index.status().erased_parts == 1


# Time


def test_what_is_dated_is_what_a_stamped_checkpoint_holds(index_of):
    history = History()
    history.generate("a.png")
    history.stamp()
    history.generate("b.png")
    history.stamp({"what": "file"})
    history.stamp({"kind": "deposit"})
    history.stamp({"kind": "ots"})
    history.keep(history.told[0].file())
    index = index_of(history)
    status = index.status()
    assert (status.stamped_size, status.undated, status.events) == (1, 2, 7)
    assert status.stamped_at == datetime(2026, 3, 1, 9, 32, tzinfo=UTC)
    assert index.last_receipt_at() == datetime(2026, 3, 1, 9, 34, tzinfo=UTC)
    assert index.calendar_asked_at() == datetime(2026, 3, 1, 9, 36, tzinfo=UTC)
    assert index.stamped_positions() == [1, 3, 4, 5]
    since = index.since_last_stamp()
    assert since.size == 5  # a pending proof: no need to ask again at once
    assert [act.kind for act in since.acts] == [Kind.SELECTED]
    assert since.act_before == datetime(2026, 3, 1, 9, 33, tzinfo=UTC)
    assert since.asked_at == since.stamped_at == datetime(2026, 3, 1, 9, 36, tzinfo=UTC)


def test_of_many_acts_since_the_last_stamp_those_are_told_that_decide(index_of):
    history = History()
    for number in range(5):
        history.generate(f"{number}.png")
    history.keep(history.told[0].file())
    history.keep(history.told[1].file())
    history.generate("x.png")
    since = index_of(history).since_last_stamp()
    assert [(act.kind, act.at.minute) for act in since.acts] == [
        (Kind.GENERATED, 31),
        (Kind.SELECTED, 36),
        (Kind.GENERATED, 38),
    ]
    assert (since.act_before, since.stamped_at, since.asked_at) == (None, None, None)


def test_a_proof_waits_until_it_is_complete(index_of):
    history = History()
    history.stamp({"kind": "ots"})
    index = index_of(history)
    (pending,) = index.pending_proofs()
    assert (pending.receipt.authority, pending.checkpoint) == ("test", b"note")
    assert index.oldest_pending_at() == datetime(2026, 3, 1, 9, 31, tzinfo=UTC)
    history.stamp({"kind": "ots", "beside": [{"role": "header", "digest": blob("header"), "source": ""}]})
    index.follow(history)
    assert index.pending_proofs() == []
    assert index.oldest_pending_at() is None


def test_a_receipt_we_cannot_read_dates_nothing(index_of):
    history = History()
    history.tell(Kind.STAMPED, own(size=1, root=blob("r"), receipts=[{"kind": "new"}, 7]), means=Means.OWN)
    history.tell(Kind.STAMPED, own(size="many", receipts=None), means=Means.OWN)
    assert index_of(history).status().stamped_size == 0


def test_a_sitting_began_after_the_last_pause_of_an_hour(index_of):
    history = History()
    history.generate("a.png")
    first = history.generate("b.png", minutes=60)
    history.stamp(minutes=59)
    history.generate("c.png", minutes=0.5)
    history.generate("d.png", minutes=59)
    index = index_of(history)
    assert index.sitting_start(history.clock.now()) == first.position
    assert index.sitting_start(history.clock.now() - timedelta(hours=2)) == 0


def test_the_newest_health_check_is_told(index_of):
    history = History()
    assert index_of(history).last_check() is None
    history.tell(Kind.CHECKED, own(boot="one"), means=Means.OWN)
    history.tell(Kind.CHECKED, own(boot="two"), means=Means.OWN)
    check = index_of(history).last_check()
    assert (check.at, check.boot) == (datetime(2026, 3, 1, 9, 32, tzinfo=UTC), "two")


def test_the_status_counts_what_stands_open(index_of):
    history = History()
    history.open("s")
    made = history.generate("a.png", "b.png", stream="s", seq=4)
    alone = history.generate("c.png")
    history.keep(made.file(0), final=True)
    history.tell(Kind.PUBLISHED, place(url="https://example.org"), cites=[alone], actor="a1")
    history.tell(Kind.GAP, own(why="lost", stream=history.stream("s")), means=Means.OWN)
    cat = history.brief("Cat")
    status = index_of(history).status()
    assert (status.pictures, status.unjudged, status.finals, status.finals_without_choice) == (3, 2, 2, 1)
    assert (status.open_streams, status.missing_numbers, status.gaps) == (1, 3, 1)
    assert status.project is not None
    assert status.project.name == cat.name


def test_an_empty_record_has_an_empty_status(index_of):
    status = index_of(History()).status()
    assert (status.events, status.pictures, status.undated, status.project) == (0, 0, 0, None)


def test_a_part_without_bytes_is_erased_from_the_start(make_index):
    history = History()
    told = history.generate("a.png", said=[prompt("a cat")])
    history.forget(*told.parts)
    assert all(isinstance(part, StoredPart) and part.data is None for part in history.parts(0))
    index = make_index()
    index.follow(history)
    assert index.event_at(0).silent == 2
    assert index.files_in(told.name)[0].blob is None
    assert index.status().pictures == 0
