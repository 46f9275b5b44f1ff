"""What a watched folder leaves in the log."""

import pytest
from tests.documents.clipstudio import write_clip
from tests.documents.drawing import DRAWING
from tests.documents.gimp import write_xcf
from tests.documents.krita import write_kra_with_ai
from tests.documents.openraster import write_ora
from tests.documents.procreate import write_procreate
from tests.documents.psd import write_psd
from tests.hooks import events, own_facts
from tests.records import a1111_png, png
from tests.records_elsewhere import jpeg, xmp, xmp_segment

from makingof.archive.fsck import check_archive
from makingof.archive.imports import import_files
from makingof.archive.watching import Watch
from makingof.capture.watching import Change, What
from makingof.digest import Digest
from makingof.errors import StorageError
from makingof.event import Event, Kind
from makingof.part import FileBody, Part, PartType, Report, Role
from makingof.recorder.write import Recorder
from makingof.stamp.trust import built_in_trust


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "out"
    made.mkdir()
    return made


@pytest.fixture
def watch(archive, folder):
    made = Watch(archive, (folder,))
    made.open(0)
    return made


def appeared(path, data, what=What.APPEARED):
    path.write_bytes(data)
    return Change(what, path)


def parts(archive, position, part_type):
    found = [Part.parse(part.data) for part in archive.log.parts(position)]
    return [part for part in found if part.type is part_type and part.listed() is None]


def test_an_arrival_is_watched_and_the_prompt_in_it_only_recovered(archive, watch, folder):
    watch.record([appeared(folder / "a.png", a1111_png("a crane at dusk", "blurry", Seed=11))])
    watch.close()
    assert events(archive) == [("opened", "own"), ("generated", "watched"), ("closed", "own")]
    (position,) = archive.index.positions_of_kind(Kind.GENERATED)
    assert str(parts(archive, position, PartType.FILE)[0].means) == "watched"
    assert str(parts(archive, position, PartType.PROMPT)[0].means) == "recovered"
    assert archive.index.stream(watch.stream).missing == ()
    check_archive(archive, built_in_trust(), openssl=None).require()


def test_a_picture_that_says_nothing_is_recorded_as_having_arrived(archive, watch, folder):
    (noted,) = watch.record([appeared(folder / "a.png", png())])
    assert noted.kind is Kind.IMPORTED
    assert own_facts(archive, Kind.IMPORTED) == [{"arrival": "appeared"}]


def test_what_a_hook_or_an_import_recorded_there_is_not_recorded_again(archive, watch, folder):
    change = appeared(folder / "a.png", a1111_png("a crane", "", Seed=1))
    list(import_files(archive, [change.path]))
    assert watch.record([change])[0].kind is None


def test_a_renamed_file_keeps_its_event_and_gets_its_new_place(archive, watch, folder):
    change = appeared(folder / "a.png", a1111_png("a crane", "", Seed=1))
    watch.record([change])
    change.path.rename(folder / "final.png")
    watch.record([Change(What.RENAMED, folder / "final.png", change.path)])
    assert own_facts(archive, Kind.IMPORTED)[0]["arrival"] == "renamed"
    assert archive.index.last_seen(str(folder / "final.png")) is not None


def test_a_deletion_cites_what_lay_there(archive, watch, folder):
    change = appeared(folder / "a.png", a1111_png("a crane", "", Seed=1))
    watch.record([change])
    change.path.unlink()
    watch.record([Change(What.DELETED, change.path)])
    (position,) = archive.index.positions_of_kind(Kind.REMOVED)
    event = Event.parse(archive.log.entry(position))
    assert str(event.means) == "watched"
    assert len(event.header.cites) == 1


def test_a_file_gone_before_it_could_be_copied_is_a_gap(archive, watch, folder):
    assert watch.record([Change(What.APPEARED, folder / "gone.png")])[0].kind is Kind.GAP
    assert own_facts(archive, Kind.GAP)[0]["why"] == "vanished"


def test_what_could_not_be_written_is_recorded_the_next_time_as_if_for_the_first(
    archive, watch, folder, monkeypatch
):
    def refuse(*_args, **_named):
        message = "disk full"
        raise StorageError(message)

    change = appeared(folder / "work.psd", write_psd(DRAWING))
    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "commit", refuse)
        with pytest.raises(StorageError):
            watch.record([change])
    (noted,) = watch.record([change])
    assert noted.kind is Kind.EDITED
    (position,) = archive.index.positions_of_kind(Kind.EDITED)
    header = Event.parse(archive.log.entry(position)).header
    assert (header.seq, header.cites) == (1, ())
    assert [part.read(FileBody).role for part in parts(archive, position, PartType.FILE)] == [Role.LAYER]


def test_a_folder_that_vanishes_is_a_gap(archive, watch, folder):
    watch.record([Change(What.FOLDER_VANISHED, folder)])
    assert own_facts(archive, Kind.GAP)[0]["why"] == "folder_vanished"


def test_an_edit_is_proposed_by_likeness_and_decided_by_nobody(archive, watch, folder):
    original = a1111_png("a crane", "", Seed=1)
    watch.record([appeared(folder / "a.png", original)])
    (noted,) = watch.record([appeared(folder / "edited.png", png())])
    assert noted.kind is Kind.IMPORTED
    assert noted.proposals == (folder / "a.png",)
    (position,) = archive.index.positions_of_kind(Kind.IMPORTED)
    assert Event.parse(archive.log.entry(position)).header.cites == ()


def test_a_copy_of_a_recorded_picture_is_not_proposed_as_made_from_another(archive, watch, folder):
    watch.record([appeared(folder / "near.png", a1111_png("a crane", "", Seed=1))])
    watch.record([appeared(folder / "edited.png", png())])
    (noted,) = watch.record([appeared(folder / "copy.png", png())])
    assert noted.kind is Kind.IMPORTED
    assert noted.proposals == ()


def test_a_picture_an_editor_wrote_is_linked_by_its_document_id(archive, watch, folder):
    document = write_psd(DRAWING)
    watch.record([appeared(folder / "work.psd", document)])
    said = {"xmp:CreatorTool": "Adobe Photoshop 26.0", "xmpMM:DocumentID": "xmp.did:two"}
    exported = jpeg(xmp_segment(xmp(said)))
    (noted,) = watch.record([appeared(folder / "out.jpg", exported)])
    assert noted.kind is Kind.EDITED
    first, second = archive.index.positions_of_kind(Kind.EDITED)
    (cited,) = Event.parse(archive.log.entry(second)).header.cites
    assert cited.raw == archive.log.leaf(first)
    bodies = [part.read(FileBody) for part in parts(archive, second, PartType.FILE)]
    assert [(body.role, body.digest) for body in bodies] == [
        (Role.OUTPUT, Digest.of(exported)),
        (Role.INIT, Digest.of(document)),
    ]
    check_archive(archive, built_in_trust(), openssl=None).require()


def test_a_krita_document_tells_the_jobs_of_its_plugin_once(archive, watch, folder):
    path = folder / "work.kra"
    watch.record([appeared(path, write_kra_with_ai())])
    told = [("generated", "recovered"), ("selected", "recovered")]
    told += [("generated", "recovered")] * 2 + [("edited", "watched")]
    assert events(archive)[1:] == told
    watch.record([appeared(path, write_kra_with_ai(layers=DRAWING[1:]), What.REPLACED)])
    assert events(archive)[1:] == [*told, ("edited", "watched")]
    check_archive(archive, built_in_trust(), openssl=None).require()


@pytest.mark.parametrize(
    ("name", "data", "tool"),
    [
        ("a.xcf", write_xcf, "gimp"),
        ("a.procreate", write_procreate, "procreate"),
        ("a.clip", write_clip, "clip-studio"),
        ("a.ora", write_ora, None),
    ],
)
def test_documents_of_every_kind_are_edits_and_the_next_save_cites_the_one_before(
    archive, watch, folder, name, data, tool
):
    watch.record([appeared(folder / name, data(DRAWING[1:]))])
    watch.record([appeared(folder / name, data(DRAWING), What.REPLACED)])
    first, second = archive.index.positions_of_kind(Kind.EDITED)
    header = Event.parse(archive.log.entry(second)).header
    assert (str(header.means), header.source.tool) == ("watched", tool)
    assert archive.log.leaf(first) in [cited.raw for cited in header.cites]
    report = parts(archive, second, PartType.REPORT)[0].read(Report)
    assert report.facts["changes_in_all"] > 0
    said = [part for part in parts(archive, second, PartType.REPORT) if "document" in part.read(Report).facts]
    assert {str(part.means) for part in said} == {"recovered"}
    check_archive(archive, built_in_trust(), openssl=None).require()


def test_saves_of_a_layered_document_are_edits_of_one_another(archive, watch, folder):
    path = folder / "work.psd"
    watch.record([appeared(path, write_psd(DRAWING[1:]))])
    watch.record([appeared(path, write_psd(DRAWING), What.REPLACED)])
    assert events(archive, "edited") == [("edited", "watched")] * 2
    second = archive.index.positions_of_kind(Kind.EDITED)[1]
    report = parts(archive, second, PartType.REPORT)[0].read(Report)
    assert ("added", DRAWING[0].name) in [(item["change"], item["path"]) for item in report.facts["changes"]]
    roles = [part.read(FileBody).role for part in parts(archive, second, PartType.FILE)]
    assert roles == [Role.LAYER, Role.INIT]
    assert len(Event.parse(archive.log.entry(second)).header.cites) == 1
    check_archive(archive, built_in_trust(), openssl=None).require()
