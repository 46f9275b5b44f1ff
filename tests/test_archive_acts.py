"""What people do: recorded now as live, told afterwards as stated, taken back only by another event."""

import pytest
from tests.reading import entries, entry_at
from tests.records import a1111_png, png

from makingof.archive import acts
from makingof.archive.names import Namer
from makingof.errors import UsageError
from makingof.event import Kind
from makingof.lineage.judged import Judged
from makingof.lineage.lineage import Why
from makingof.part import Choice, Means, Note, PartType, Place, Reason, Role

OWNER = acts.Teller("a1")
LATER = acts.Teller("a1", "2026-02-11T21:14:00+08:00")


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "outputs"
    made.mkdir()
    for number in range(3):
        (made / f"{number}.png").write_bytes(a1111_png(f"a crane, version {number}", Seed=number))
    return made


@pytest.fixture
def pictures(archive, folder):
    return Namer(archive).pictures([str(folder)])


def record(archive, observation, teller=OWNER):
    return archive.record([observation], means=teller.means)[0]


def test_a_choice_names_what_was_judged_and_what_lay_on_the_table(archive, pictures):
    table = acts.Table(tuple(pictures), "given")
    done = record(archive, acts.choose(Kind.SELECTED, pictures[:1], table, OWNER, reason="柔和的光线"))
    entry = entry_at(archive.log, done.position)
    assert entry.means is Means.LIVE
    choice = entry.first(PartType.CHOICE, Choice)
    assert choice.judged == (pictures[0].file_part,)
    assert set(choice.among) == {picture.file_part for picture in pictures}
    assert choice.among_from == "given"
    assert entry.first(PartType.REASON, Reason).text == "柔和的光线"
    assert archive.index.judgements_of(pictures[0].blob)[0].judged is Judged.KEPT


def test_a_whole_folder_is_judged_in_one_event_beyond_the_citations_a_header_holds(archive, tmp_path):
    many = tmp_path / "many"
    many.mkdir()
    for number in range(90):
        (many / f"{number:03}.png").write_bytes(a1111_png(f"p{number}", Seed=number))
    judged = Namer(archive).pictures([str(many)])
    done = record(archive, acts.choose(Kind.REJECTED, judged, acts.Table(), OWNER))
    entry = entry_at(archive.log, done.position)
    assert len(entry.event.header.cites) == 64
    assert len(entry.first(PartType.CHOICE, Choice).judged) == 90


def test_what_is_told_afterwards_is_stated_and_its_moment_is_the_persons(archive, pictures):
    done = record(archive, acts.choose(Kind.SELECTED, pictures[:1], acts.Table(), LATER), LATER)
    header = entry_at(archive.log, done.position).event.header
    assert header.means is Means.STATED
    assert (header.occurred_at, header.occurred_by) == ("2026-02-11T13:14:00.000Z", "person")


def test_a_moment_without_an_offset_stays_in_the_tellers_words(archive, pictures):
    teller = acts.Teller("a1", "some evening in March")
    done = record(archive, acts.note("I drew the sketch first", pictures[:1], teller), teller)
    entry = entry_at(archive.log, done.position)
    assert entry.event.header.occurred_at is None
    assert "some evening in March" in [said.body.text for said in entry.statements(PartType.NOTE, Note)]


def test_acts_belong_to_the_project_opened_last(archive, pictures, folder):
    opened = record(archive, acts.brief("仙鹤", "dusk, one crane", [], OWNER))
    inside = record(archive, acts.note("too dark", pictures[:1], OWNER))
    assert entry_at(archive.log, inside.position).event.header.project == opened.name
    record(archive, acts.withdraw([opened.name], OWNER))
    after = record(archive, acts.note("again", pictures[:1], OWNER))
    assert entry_at(archive.log, after.position).event.header.project is None


def test_an_edit_names_the_picture_it_came_from_as_its_own_file(archive, pictures, tmp_path):
    after = tmp_path / "edited.png"
    after.write_bytes(png(colour=(1, 2, 3)))
    layers = tmp_path / "edited.ora"
    layers.write_bytes(b"PK\x03\x04")
    done = record(archive, acts.edit(after, pictures[:1], [layers], LATER, text="colour"), LATER)
    files = entry_at(archive.log, done.position).files()
    assert [file.body.role for file in files] == [Role.OUTPUT, Role.LAYER, Role.INIT]
    assert files[2].body.digest == pictures[0].blob
    lineage = archive.index.lineage(archive.log, [files[0].body.digest])
    assert pictures[0].event in {member.entry.name for member in lineage.by_why(Why.ANCESTOR)}


def test_a_publication_names_each_picture(archive, pictures):
    done = record(archive, acts.publish(pictures[:2], "https://example.org/p/1", LATER), LATER)
    places = entry_at(archive.log, done.position).statements(PartType.PLACE, Place)
    assert [said.body.file for said in places] == [picture.file_part for picture in pictures[:2]]


def test_nothing_is_undone_but_by_an_event_that_says_so(archive, pictures):
    done = record(archive, acts.choose(Kind.REJECTED, pictures[:1], acts.Table(), OWNER))
    record(archive, acts.withdraw([done.name], OWNER, reason="the wrong picture"))
    assert [item.withdrawn for item in archive.index.judgements_of(pictures[0].blob)] == [True]
    assert entry_at(archive.log, done.position).kind is Kind.REJECTED


@pytest.mark.parametrize(
    "make",
    [
        lambda: acts.choose(Kind.SELECTED, [], acts.Table(), OWNER),
        lambda: acts.note("   ", [], OWNER),
        lambda: acts.note("\udce9", [], OWNER),
    ],
)
def test_an_act_that_says_nothing_or_is_no_text_is_refused(make):
    with pytest.raises(UsageError):
        make()


def test_a_path_names_the_bytes_in_it_now(archive, folder):
    namer = Namer(archive)
    first = namer.picture(str(folder / "0.png"))
    assert namer.newly_recorded == [folder / "0.png"]
    (folder / "0.png").write_bytes(a1111_png("another picture under the same name", Seed=9))
    second = namer.picture(str(folder / "0.png"))
    assert first.blob != second.blob
    assert len(entries(archive, Kind.GENERATED)) == 2


def test_a_vanished_path_names_the_last_bytes_seen_there(archive, folder):
    namer = Namer(archive)
    before = namer.picture(str(folder / "0.png"))
    (folder / "0.png").unlink()
    assert namer.picture(str(folder / "0.png")).blob == before.blob


def test_short_names_stand_for_pictures_and_events(archive, folder):
    namer = Namer(archive)
    picture = namer.picture(str(folder / "0.png"))
    position = archive.index.position_of(picture.event)
    for name in (picture.blob.hex[:8], f"e{position}", "last"):
        assert namer.picture(name).blob == picture.blob
    assert namer.event(f"e{position}") == picture.event
    assert namer.event(picture.event.hex[:12]) == picture.event


@pytest.mark.parametrize("name", ["nowhere.png", "e99", "ffff", "last"])
def test_a_name_that_stands_for_nothing_is_refused(archive, name):
    with pytest.raises(UsageError):
        Namer(archive).picture(name)
