"""What comes into a package, and that it comes out the same again."""

import io
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.histories import PROGRAM, job, note, own, prompt
from tests.packages import PROMPT, Archive, Session, ask, make_session, unpack
from tests.records import a1111_png
from tests.stamping import NOON, make_local

from makingof.bundle.collect import collect_package
from makingof.bundle.description import Options
from makingof.bundle.request import Request
from makingof.bundle.spans import MAX_SPAN, find_spans
from makingof.bundle.stamps import StampedEvent, choose_stamped
from makingof.bundle.write import write_package
from makingof.digest import Digest
from makingof.errors import CorruptBlobError, UsageError
from makingof.event import Kind
from makingof.lineage.graph import Stream
from makingof.part import Means, PartType, Role
from makingof.verify.check import check_bundle


def described(package: bytes) -> dict:
    return json.loads(unpack(package)["data/package.json"])


def request(session: Session, size: int | None = None, **options) -> Request:
    return Request((session.final,), size or session.archive.history.size(), Options(**options))


def shows(package: bytes) -> dict[int, str]:
    return {file["number"]: file["shows"] for file in described(package)["files"]}


def test_a_package_is_the_same_whenever_it_is_made():
    assert make_session().archive.package(make_session().final) == make_session().archive.package(
        make_session().final
    )


def test_a_package_is_made_again_from_a_log_that_has_gone_on():
    session = make_session()
    asked = request(session)
    before = session.archive.write(asked)
    session.archive.history.tell(Kind.EXPORTED, own(size=asked.size), means=Means.OWN, source=PROGRAM)
    session.archive.history.reject(session.chosen.file())
    session.archive.generate(a1111_png(PROMPT, seed=44), prompt(PROMPT), job("job-1"))
    session.archive.history.tell(Kind.NOTED, note("later"), cites=[session.chosen], actor="a1")
    assert session.archive.write(asked) == before
    assert session.archive.write(request(session)) != before


def test_other_options_make_another_package():
    session = make_session()
    made = {
        session.archive.write(request(session, **options))
        for options in ({}, {"full": True}, {"withhold": ("reason",)})
    }
    assert len(made) == 3


def test_pictures_neither_used_nor_judged_go_as_previews_unless_all_are_wanted():
    session = make_session()
    archive = session.archive
    archive.generate(a1111_png(PROMPT, seed=9, colour=(5, 5, 5)), prompt(PROMPT), job("job-9"))
    last = archive.generate(a1111_png(PROMPT, seed=10, colour=(6, 6, 6)), prompt(PROMPT), job("job-10"))
    session = replace(session, final=last.file())
    kinds = list(shows(archive.write(request(session))).values())
    assert kinds == ["original", "original", "original", "preview", "original"]
    assert set(shows(archive.write(request(session, full=True))).values()) == {"original"}


def test_what_people_bring_comes_whole():
    archive = Archive()
    session = make_session(archive)
    sketch = archive.picture(b"a pencil sketch", Role.REFERENCE)[0]
    archive.history.tell(Kind.NOTED, note("my sketch"), sketch, cites=[session.chosen], actor="a1")
    assert b"a pencil sketch" in unpack(archive.write(request(session))).values()


def test_files_that_cannot_be_had_are_listed_as_such():
    session = make_session()
    gone = next(iter(session.archive.blobs))
    del session.archive.blobs[gone]
    package = session.archive.write(request(session))
    absent = [file for file in described(package)["files"] if file["shows"] == "nothing"]
    assert [file["why"] for file in absent] == ["unavailable"]
    check_bundle(package).require()


def test_erased_files_are_listed_as_such():
    session = make_session()
    history = session.archive.history
    part = session.other.file()
    history.erase(part)
    history.forget(part)
    package = session.archive.write(request(session))
    assert [file["why"] for file in described(package)["files"] if file["shows"] == "nothing"] == ["erased"]
    report = check_bundle(package)
    report.require()
    assert "erased: 1" in "\n".join(report.lines("en"))


def test_a_blob_that_rotted_is_never_written_as_the_original():
    session = make_session()
    digest = next(iter(session.archive.blobs))
    session.archive.blobs[digest] = session.archive.blobs[digest][:-1] + b"x"
    with pytest.raises(CorruptBlobError):
        session.archive.write(request(session))


def test_one_picture_recorded_twice_is_one_file():
    session = make_session()
    data = a1111_png(PROMPT, "blurry hands, watermark", seed=1)
    again = session.archive.generate(data, prompt(PROMPT), means=Means.RECOVERED)
    package = session.archive.write(request(session))
    assert any(
        len(file["parts"]) == 2 and again.file() in file["parts"] for file in described(package)["files"]
    )
    check_bundle(package).require()


def test_files_in_a_list_part_come_along():
    session = make_session()
    history = session.archive.history
    files = [session.archive.picture(bytes([seed]) * 9, Role.REFERENCE)[0] for seed in range(20)]
    history.tell(
        Kind.NOTED, note("twenty references"), *files, cites=[session.chosen], actor="a1", listed=True
    )
    package = session.archive.write(request(session))
    assert len(described(package)["files"]) == 23
    check_bundle(package).require()


def test_nothing_recorded_of_a_picture_is_a_usage_error():
    session = make_session()
    with pytest.raises(UsageError):
        session.archive.package(Digest.of(b"unknown"))


# Runs


def stream(opened: int | None, closed: int | None, of: str = "hook") -> Stream:
    return Stream("0" * 32, of, opened, closed, 5, 5, (), ())


def test_a_run_comes_whole_from_its_opening_to_its_close_or_the_end():
    assert find_spans([4], [stream(2, 6)], 10) == [(2, 7)]
    assert find_spans([4], [stream(2, None)], 10) == [(2, 10)]
    assert find_spans([0, 4, 9], [stream(2, 6)], 10) == [(0, 1), (2, 7), (9, 10)]
    assert find_spans([0, 1, 2], [stream(3, 4)], 10) == [(0, 5)]


def test_imports_acts_and_endless_runs_are_shown_where_they_matter_only():
    assert find_spans([4], [stream(2, 6, "import")], 10) == [(4, 5)]
    assert find_spans([4], [stream(None, None)], 10) == [(4, 5)]
    assert find_spans([4], [stream(2, None)], MAX_SPAN + 3) == [(4, 5)]
    assert find_spans([4], [stream(2, None)], MAX_SPAN + 2) == [(2, MAX_SPAN + 2)]


def test_a_package_of_a_run_that_is_not_shown_whole_says_so(monkeypatch):
    monkeypatch.setattr("makingof.bundle.spans.MAX_SPAN", 2)
    session = make_session()
    history = session.archive.history
    history.open("long")
    for seed in range(10, 14):
        history.tell(Kind.OPENED, own(of="watch"), means=Means.OWN, stream=f"other {seed}")
        last = session.archive.generate(
            a1111_png(PROMPT, seed=seed), prompt(PROMPT), stream="long", project=None
        )
    archive = session.archive
    archive.history.project = None
    alone = archive.generate(a1111_png("alone", seed=3), prompt("alone"), stream="long", minutes=500)
    report = check_bundle(archive.package(alone.file()))
    report.require()
    assert last.position < alone.position
    assert [stream.covered for stream in report.streams] == [False]
    assert "not shown as a whole" in "\n".join(report.lines("en"))


def test_headers_of_others_in_a_run_come_without_what_they_say():
    session = make_session()
    history = session.archive.history
    history.open("second")
    history.project = None
    private = history.tell(Kind.NOTED, note("about a rival"), actor="a1", minutes=300)
    data = a1111_png(PROMPT, seed=99)
    made = session.archive.generate(data, prompt(PROMPT), stream="second", minutes=300)
    history.close("second")
    files = unpack(session.archive.package(made.file()))
    assert history.entry(private.position) in files["data/log/entries.jsonl"].split(b"\n")
    assert b"about a rival" not in b"".join(files.values())


# Stamps


def stamped(position: int, size: int) -> StampedEvent:
    return StampedEvent(position, size, b"", ())


def test_the_stamps_nearest_to_each_event_are_chosen():
    events = [stamped(10 * number + 9, 10 * number + 8) for number in range(10)]
    assert [event.position for event in choose_stamped(events, [45])] == [29, 39, 49, 59]
    assert [event.position for event in choose_stamped(events, [0])] == [9, 19]
    assert [event.position for event in choose_stamped(events, [97])] == [79, 89, 99]
    assert choose_stamped([], [5]) == []


def test_receipts_come_with_their_checkpoints_and_proofs():
    session = make_session()
    archive = session.archive
    first, second = make_local("one", NOON), make_local("two", NOON + timedelta(seconds=1))
    size = archive.history.size()
    note_bytes = archive.checkpoint(size)
    archive.stamp(*(ask(authority, note_bytes) for authority in (first, second)))
    files = unpack(archive.write(request(session)))
    folder = f"data/stamps/{size:09d}/"
    assert files[folder + "checkpoint"] == note_bytes
    assert {name.removeprefix(folder) for name in files if name.startswith(folder)} >= {
        "1.tsr",
        "2.tsr",
        "consistency",
    }


def test_later_stamps_can_be_added_to_an_earlier_package():
    session = make_session()
    archive = session.archive
    asked = request(session)
    before = archive.write(asked)
    size = archive.history.size()
    archive.history.tell(Kind.NOTED, note("something later"), actor="a1")
    told = archive.stamp(ask(make_local(), archive.checkpoint(size + 1)))
    assert archive.write(asked) == before
    refreshed = archive.write(replace(asked, later_stamps=(told.position,)))
    files = unpack(refreshed)
    assert f"data/stamps/{size + 1:09d}/1.tsr" in files
    assert files["data/log/checkpoint"] == unpack(before)["data/log/checkpoint"]
    check_bundle(refreshed).require()


def test_what_lies_over_the_payload_names_it():
    session = make_session()
    package = collect_package(session.archive.sources(), request(session))
    out = io.BytesIO()
    name = write_package(
        out, package, sign=session.archive.sign, make_views=lambda payload: {"dossier.html": payload.encode()}
    )
    files = unpack(out.getvalue())
    assert files["views/dossier.html"] == name.encode()
    assert Digest.of(files["manifest-sha256.txt"]) == name
    report = check_bundle(out.getvalue())
    report.require()
    assert "views/dossier.html" in "\n".join(report.lines("en"))


def test_people_and_the_logs_own_entry_come_along():
    session = make_session()
    session.archive.history.tell(Kind.NOTED, note("x"), cites=[session.chosen], actor="a2")
    parts = unpack(session.archive.write(request(session)))["data/parts.jsonl"]
    types = [json.loads(line)["type"] for line in parts.splitlines()]
    assert PartType.PEOPLE in types
    assert b"A. Person" in parts
