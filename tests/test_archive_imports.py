"""Importing: what is found becomes the event it deserves, once, and survives being cut off."""

import base64
import os
from pathlib import Path

import pytest
from tests.reading import entries
from tests.records import a1111_png, comfyui_png, png, text_to_image

from makingof.archive.imports import import_files
from makingof.archive.names import Namer
from makingof.capture.folder import list_files
from makingof.event import Event, Kind
from makingof.part import FileBody, Holding, Means, Own, Parameters, PartType, Pieces, Place, Raw, Role, Text
from makingof.reading import State
from makingof.recorder.files import look_in_place
from makingof.recorder.importing import Outcome
from makingof.recorder.parts import piece_digest


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "outputs"
    made.mkdir()
    (made / "00001.png").write_bytes(a1111_png("a crane at dusk", Seed=2**64 - 1))
    (made / "00002.png").write_bytes(comfyui_png(text_to_image("黄昏里的仙鹤", seed=7)))
    (made / "sketch.png").write_bytes(png())
    return made


def outcomes(archive, paths, **options):
    return {
        done.path.name: done.outcome for done in import_files(archive, list_files(paths).files, **options)
    }


def test_a_file_with_a_record_is_generated_and_one_without_is_imported(archive, folder):
    assert outcomes(archive, [folder]) == {
        "00001.png": Outcome.RECOGNISED,
        "00002.png": Outcome.RECOGNISED,
        "sketch.png": Outcome.UNRECOGNISED,
    }
    made = entries(archive, Kind.GENERATED)
    assert [entry.means for entry in made] == [Means.RECOVERED] * 2
    assert [entry.first(PartType.PROMPT, Text).effective for entry in made] == [
        "a crane at dusk",
        "黄昏里的仙鹤",
    ]
    assert made[0].first(PartType.PARAMETERS, Parameters).fields["seed"].value == str(2**64 - 1)
    (listed,) = entries(archive, Kind.IMPORTED)
    assert listed.means is Means.OWN
    assert listed.first(PartType.PLACE, Place).name == "sketch.png"


def test_no_recovered_part_claims_to_have_been_seen(archive, folder):
    outcomes(archive, [folder])
    for entry in entries(archive, Kind.GENERATED):
        said = {part.means for part in entry.parts.values()}
        assert said <= {Means.RECOVERED, Means.OWN}


def test_originals_are_kept_byte_for_byte_and_untouched(archive, folder):
    before = {path: path.read_bytes() for path in folder.iterdir()}
    outcomes(archive, [folder])
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    for entry in entries(archive, Kind.GENERATED):
        (file,) = entry.files()
        assert archive.store.read(file.body.digest) in before.values()


def test_the_run_is_a_stream_from_opened_to_closed_without_a_missing_number(archive, folder):
    outcomes(archive, [folder])
    opened, *_ = entries(archive, Kind.OPENED)
    stream = opened.event.header.stream
    numbers = [e.event.header.seq for e in entries(archive) if e.event.header.stream == stream]
    assert numbers == list(range(len(numbers)))
    (closed,) = entries(archive, Kind.CLOSED)
    assert closed.first(PartType.OWN, Own).facts["recognised"] == 2


def test_importing_again_writes_nothing(archive, folder):
    outcomes(archive, [folder])
    size = archive.log.size()
    assert set(outcomes(archive, [folder]).values()) == {Outcome.KNOWN}
    assert archive.log.size() == size


def test_known_bytes_in_a_new_place_write_one_file_part(archive, folder, tmp_path):
    outcomes(archive, [folder])
    copy = tmp_path / "copy.png"
    copy.write_bytes((folder / "00001.png").read_bytes())
    generated = len(entries(archive, Kind.GENERATED))
    assert outcomes(archive, [copy]) == {"copy.png": Outcome.AGAIN}
    assert len(entries(archive, Kind.GENERATED)) == generated
    again = entries(archive, Kind.IMPORTED)[-1]
    assert len(again.files()) == 1
    assert again.event.header.cites == (entries(archive, Kind.GENERATED)[0].name,)


def test_twins_in_one_folder_are_one_picture(archive, folder):
    (folder / "twin.png").write_bytes((folder / "00001.png").read_bytes())
    found = outcomes(archive, [folder])
    assert sorted([found["00001.png"], found["twin.png"]]) == [Outcome.AGAIN, Outcome.RECOGNISED]


def test_pieces_check_against_the_original_under_the_key_in_its_file_part(archive, folder):
    outcomes(archive, [folder])
    entry = entries(archive, Kind.GENERATED)[0]
    (file,) = entry.files()
    data = archive.store.read(file.body.digest)
    (told,) = entry.first(PartType.PIECES, Pieces).files
    assert told.file == file.digest
    at = 0
    for number, piece in enumerate(told.pieces):
        span = data[at : at + piece.size]
        assert piece_digest(bytes.fromhex(file.body.pieces_key), number, span) == piece.digest
        at += piece.size
    assert at == len(data)


def test_in_place_keeps_digest_and_records_and_leaves_the_bytes(archive, folder):
    outcomes(archive, [folder], in_place=True)
    entry = entries(archive, Kind.GENERATED)[0]
    (file,) = entry.files()
    assert file.body.holding is Holding.KNOWN
    assert not archive.store.has(file.body.digest)
    assert entry.first(PartType.RAW, Raw).base64 is not None
    assert set(outcomes(archive, [folder], in_place=True).values()) == {Outcome.KNOWN}


def test_a_file_that_cannot_be_read_is_reported_and_the_rest_goes_on(archive, folder):
    (folder / "gone.png").symlink_to(folder / "nowhere.png")
    listing = list_files([folder])
    assert [path.name for path, _ in listing.failed] == ["gone.png"]
    assert Outcome.RECOGNISED in outcomes(archive, [folder]).values()


def test_a_file_that_vanishes_before_it_is_read_leaves_a_gap(archive, folder):
    files = [*list_files([folder]).files, folder / "vanished.png"]
    done = {item.path.name: item.outcome for item in import_files(archive, files)}
    assert done["vanished.png"] is Outcome.FAILED
    (gap,) = entries(archive, Kind.GAP)
    assert gap.first(PartType.OWN, Own).facts["why"] == "unreadable"
    assert gap.first(PartType.PLACE, Place).name == "vanished.png"
    assert len(entries(archive, Kind.GENERATED)) == 2


def test_what_tools_write_and_json_refuses_is_recorded_all_the_same(archive, folder):
    graph = text_to_image("a \ud83d crane", seed=2**64 - 1)
    graph["10"] = {"class_type": "LoadImage", "inputs": {"image": "x.png"}, "is_changed": float("nan")}
    (folder / "00003.png").write_bytes(comfyui_png(graph))
    assert set(outcomes(archive, [folder]).values()) == {Outcome.RECOGNISED, Outcome.UNRECOGNISED}
    entry = entries(archive, Kind.GENERATED)[-1]
    assert entry.first(PartType.PARAMETERS, Parameters).fields["seed"].value == str(2**64 - 1)
    prompt = entry.first(PartType.PROMPT, Text)
    assert prompt.effective is None
    assert prompt.state is State.UNREADABLE


def test_an_import_cut_off_goes_on_where_it_stopped(archive, folder):
    for number in range(130):
        (folder / f"more-{number:03}.png").write_bytes(a1111_png(f"p{number}", Seed=number))
    run = import_files(archive, list_files([folder]).files)
    for _ in range(10):
        next(run)
    run.close()
    recorded = len(entries(archive, Kind.GENERATED))
    assert 0 < recorded < 132
    outcomes(archive, [folder])
    assert len(entries(archive, Kind.GENERATED)) == 132


def test_the_header_alone_tells_neither_prompt_nor_name_nor_digest(archive, folder):
    outcomes(archive, [folder])
    for position in range(archive.log.size()):
        data = archive.log.entry(position)
        event = Event.parse(data)
        for secret in ("crane", "仙鹤", "00001.png", "sketch"):
            assert secret.encode() not in data
        blobs = {f.body.digest for e in entries(archive) for f in e.statements(PartType.FILE, FileBody)}
        assert not blobs & {ref.digest for ref in event.header.parts}


def test_a_file_left_in_place_and_cut_short_while_it_is_looked_at_ends_nothing(folder):
    victim = folder / "00001.png"
    victim.write_bytes(victim.read_bytes() + bytes(300_000))
    with victim.open("rb") as stream:
        os.truncate(victim, 100)
        looked = look_in_place(stream, victim.name)
    assert looked.media_type == "image/png"


def test_a_name_that_is_no_unicode_is_recorded_and_known_again(archive, folder):
    path = Path(os.fsdecode(os.fsencode(folder) + b"/cr\xe9pe.png"))
    path.write_bytes(a1111_png("a name from another time", Seed=3))
    before = archive.log.size()
    assert outcomes(archive, [path]) == {path.name: Outcome.RECOGNISED}
    place = entries(archive, Kind.GENERATED)[-1].first(PartType.PLACE, Place)
    assert place.path is None
    assert base64.b64decode(place.base64).decode("utf-8", "surrogatepass") == str(path)
    size = archive.log.size()
    assert size > before
    assert outcomes(archive, [path]) == {path.name: Outcome.KNOWN}
    assert archive.log.size() == size
    path.unlink()
    (file,) = entries(archive, Kind.GENERATED)[-1].files()
    assert Namer(archive).picture(str(path)).blob == file.body.digest


def test_a_vanished_name_that_is_no_unicode_leaves_a_gap(archive, folder):
    path = Path(os.fsdecode(os.fsencode(folder) + b"/gone\xff.png"))
    (done,) = import_files(archive, [path])
    assert done.outcome is Outcome.FAILED
    (gap,) = entries(archive, Kind.GAP)
    assert gap.first(PartType.PLACE, Place).base64


def test_a_grid_carries_the_settings_of_its_first_picture_and_is_no_output(archive, folder):
    for name in ("grid-0001.png", "00001-1.png"):
        (folder / name).write_bytes(a1111_png("a crane", Seed=1, Width=len(name)))
    list(import_files(archive, sorted(folder.iterdir())))
    roles = {}
    for entry in entries(archive, Kind.GENERATED):
        (place,) = entry.statements(PartType.PLACE, Place)
        roles[place.body.name] = entry.files()[0].body.role
    assert roles["grid-0001.png"] is Role.GRID
    assert roles["00001-1.png"] is Role.OUTPUT
