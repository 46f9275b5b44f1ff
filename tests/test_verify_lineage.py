"""What is left out of a package that is whole in itself: entries together with all that would list them."""

import json

import pytest
from tests.flips import NOBODY
from tests.histories import PROGRAM, note, own, prompt
from tests.packages import KEY, PROMPT, Archive, make_session, packed, sealed_again, unpack
from tests.records import a1111_png

from makingof.bundle.description import Options
from makingof.bundle.request import Request
from makingof.errors import IntegrityError
from makingof.event import Kind
from makingof.lineage.memory import MemoryGraph
from makingof.part import Means
from makingof.verify.check import check_bundle
from makingof.verify.report import Outcome


def outcome(report, name: str) -> Outcome:
    return next(step.outcome for step in report.steps if step.name == name)


def words(report) -> str:
    return "\n".join(report.lines("en"))


def told(files: dict[str, bytes], change) -> bytes:
    description = json.loads(files["data/package.json"])
    change(description)
    text = json.dumps(description, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return packed(sealed_again({**files, "data/package.json": text}))


def a_choice():
    """Two pictures made days apart, unrelated but for the choice between them."""
    archive = Archive()
    archive.history.tell(Kind.ENROLLED, own(log_key=KEY.public.vkey), means=Means.OWN, source=PROGRAM)
    other = archive.generate(a1111_png(PROMPT, seed=1), prompt(PROMPT))
    archive.history.tell(Kind.NOTED, note("in between"), actor="a1", source=PROGRAM)
    kept = archive.generate(a1111_png(PROMPT, seed=2), prompt(PROMPT), minutes=3000)
    return archive, other, kept


def package_without(archive: Archive, picture, *hidden, **options) -> bytes:
    """What an exporter packs whose program does not see some entries."""
    history = archive.history
    entries = [history.entry_at(at) for at in range(history.size())]
    hide = {item.position for item in hidden}
    graph = MemoryGraph(entry for entry in entries if entry.position not in hide)
    request = Request((picture.file(),), history.size(), Options(**options))
    return archive.write(request, graph=graph)


@pytest.mark.parametrize("act", ["keep", "reject"])
def test_alternatives_left_out_of_a_package_are_a_failure(act):
    archive, other, kept = a_choice()
    getattr(archive.history, act)(kept.file(), among=[other.file(), kept.file()])
    check_bundle(package_without(archive, kept), trust=NOBODY).require()
    report = check_bundle(package_without(archive, kept, other), trust=NOBODY)
    assert [step.name for step in report.failures] == ["lineage"]
    with pytest.raises(IntegrityError):
        report.require()
    assert "choices about these pictures name what else there was, and 1 of it have no entry" in words(report)


def test_a_choice_that_cites_what_is_not_there_is_one_too_even_with_its_statement_sealed():
    archive, other, kept = a_choice()
    archive.history.keep(kept.file(), among=[other.file(), kept.file()], cites=[other, kept])
    sealed = package_without(archive, kept, other, withhold=("choice",))
    assert [step.name for step in check_bundle(sealed, trust=NOBODY).failures] == ["lineage"]
    honest = package_without(archive, kept, withhold=("choice",))
    assert not check_bundle(honest, trust=NOBODY).failures


def test_what_other_choices_and_notes_name_may_be_absent_and_is_counted():
    archive, other, kept = a_choice()
    later = archive.generate(a1111_png(PROMPT, seed=3), prompt(PROMPT), minutes=3000)
    archive.history.tell(Kind.NOTED, note("both"), cites=[kept, later], actor="a1", source=PROGRAM)
    report = check_bundle(package_without(archive, kept), trust=NOBODY)
    report.require()
    assert "! Events shown here name pictures or events that are not in this package: 1." in words(report)
    assert other.position not in {item.position for item in report.dated}


def test_what_a_choice_about_an_alternative_names_may_be_absent_and_is_counted():
    archive, other, kept = a_choice()
    third = archive.generate(a1111_png(PROMPT, seed=3), prompt(PROMPT), minutes=3000)
    archive.history.keep(kept.file(), among=[other.file(), kept.file()])
    archive.history.reject(other.file(), among=[other.file(), third.file()])
    report = check_bundle(package_without(archive, kept), trust=NOBODY)
    report.require()
    assert "! Events shown here name pictures or events that are not in this package: 1." in words(report)


def test_entries_between_the_pictures_events_that_are_not_shown_are_counted_at_the_top():
    archive, other, kept = a_choice()
    archive.history.keep(kept.file(), among=[other.file(), kept.file()])
    report = check_bundle(package_without(archive, kept), trust=NOBODY)
    report.require()
    assert "! 1 entries of the log between the first and the last" in words(report)
    whole = make_session()
    assert "between the first and the last" not in words(
        check_bundle(whole.archive.package(whole.final), trust=NOBODY)
    )


def as_preview(session, picture, why: str) -> bytes:
    """The package with the original of a picture called a preview."""
    files = unpack(session.archive.package(session.final))

    def change(description):
        file = next(file for file in description["files"] if picture in file["parts"])
        name = file["name"].replace(".png", "-preview.png")
        files[name] = files.pop(file["name"])
        file.update(name=name, shows="preview", why=why)

    description = json.loads(files["data/package.json"])
    change(description)
    return told(files, lambda found: found.update(description))


def test_neither_the_picture_nor_an_ancestor_nor_one_judged_is_held_back_as_needless():
    session = make_session()
    for picture in (session.final, session.chosen.file(), session.other.file()):
        report = check_bundle(as_preview(session, picture, "brief"), trust=NOBODY)
        assert outcome(report, "lineage") == Outcome.FAILED
        assert "left out as not needed" in words(report)


def test_a_picture_shown_as_a_preview_for_another_reason_is_no_evidence():
    session = make_session()
    report = check_bundle(as_preview(session, session.final, "unavailable"), trust=NOBODY)
    assert outcome(report, "lineage") == Outcome.PASSED
    assert "is shown as a preview only, which is no evidence" in words(report)


def test_a_package_of_an_unknown_program_says_first_what_was_compared_with_nothing():
    session = make_session()
    package = session.archive.package(session.final)
    assert "do not run the programs in it" not in words(check_bundle(package, trust=NOBODY))
    strange = told(unpack(package), lambda description: description.update(made_with="makingof 99"))
    lines = list(check_bundle(strange, trust=NOBODY).lines("en"))
    first = next(line for line in lines if line.startswith("  ! "))
    assert "makingof 99" in first
    assert "do not run the programs in it, do not believe its first page" in first
