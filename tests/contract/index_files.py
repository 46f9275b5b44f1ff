"""What every index must answer about files and pictures."""

from tests.histories import (
    History,
    blob,
    file,
    job,
    note,
    parameters,
    place,
    prompt,
    reason,
)

from makingof.digest import Digest
from makingof.event import Kind, Source
from makingof.index.values import PictureFilter
from makingof.lineage.judged import Judged
from makingof.part import Means, Role


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
    strangers = [blob(f"stranger-{number}.png") for number in range(1_200)]
    assert index.known_among([blob("a.png"), *strangers, blob("b.png")]) == {blob("a.png"), blob("b.png")}
    assert index.known_among([]) == set()
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
