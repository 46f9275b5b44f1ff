"""Pictures linked to what they were made from: by digest, whichever came first, and never by a name alone."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from tests.reading import entries
from tests.records import a1111_png, comfyui_png, png
from tests.test_metadata_inputs import image_to_image

from makingof.archive.edits import propose_sources
from makingof.archive.imports import import_files
from makingof.archive.inputs import link_inputs
from makingof.archive.watching import Watch
from makingof.capture.folder import list_files
from makingof.capture.watching import Change, What
from makingof.digest import Digest
from makingof.event import Kind
from makingof.part import PartType, Place, Role
from makingof.pictures import md5_of_pixels

RUNS = Path(__file__).parents[2] / "shared" / "samples" / "comfyui-runs" / "0.8.0"


@pytest.fixture
def bring(archive):
    def run(*paths, **options):
        done = list(import_files(archive, list_files(paths).files, **options))
        return link_inputs(archive, done)

    return run


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "there"
    made.mkdir()
    return made


SKETCH = png(colour=(1, 2, 3))


def made_from(data: bytes) -> bytes:
    return comfyui_png(image_to_image(is_changed=[Digest.of(data).hex]))


def links(archive):
    """What linked events use, by the role it has for them."""
    return [
        {file.body.role: file.body.digest for file in entry.files()}
        for entry in entries(archive, Kind.GENERATED)
        if len(entry.files()) > 1
    ]


def behind(archive, data):
    """The kinds of events in the lineage of a picture that give the sketch."""
    members = archive.index.lineage(archive.log, [Digest.of(data)]).members
    sketch = archive.index.files_of(Digest.of(SKETCH))[0].event
    return [member.why for member in members if member.entry.name == sketch]


@pytest.mark.parametrize("order", [("sketch", "made"), ("made", "sketch")])
def test_a_picture_is_linked_to_its_input_whichever_came_first(archive, bring, folder, order):
    data = {"sketch": SKETCH, "made": made_from(SKETCH)}
    counts = []
    for name in order:
        (folder / f"{name}.png").write_bytes(data[name])
        counts.append(bring(folder))
    assert counts == [0, 1]
    assert links(archive) == [{Role.OUTPUT: Digest.of(data["made"]), Role.INIT: Digest.of(SKETCH)}]
    assert behind(archive, data["made"]) == ["ancestor"]


def test_a_link_is_recovered_and_written_once(archive, bring, folder):
    (folder / "sketch.png").write_bytes(SKETCH)
    (folder / "made.png").write_bytes(made_from(SKETCH))
    assert bring(folder) == 1
    size = archive.log.size()
    assert bring(folder) == 0
    assert archive.log.size() == size
    (linked,) = [entry for entry in entries(archive, Kind.GENERATED) if len(entry.files()) > 1]
    assert {part.means for part in linked.parts.values()} == {"recovered"}
    (key,) = [said.body.url for said in linked.statements(PartType.PLACE, Place)]
    assert Digest.of(SKETCH).hex not in key


def test_a_picture_of_the_same_name_is_not_the_input(archive, bring, folder):
    (folder / "sketch.png").write_bytes(png(colour=(9, 9, 9)))
    (folder / "made.png").write_bytes(made_from(SKETCH))
    assert bring(folder) == 0
    assert links(archive) == []


def test_a_name_alone_is_proposed_to_a_person(archive, bring, folder):
    other = png(colour=(9, 9, 9))
    (folder / "sketch.png").write_bytes(other)
    (folder / "made.png").write_bytes(made_from(SKETCH))
    bring(folder)
    assert propose_sources(archive, folder / "made.png")[0].blob == Digest.of(other)


def test_a_picture_is_not_its_own_input(archive, bring, folder):
    (folder / "made.png").write_bytes(made_from(SKETCH))
    bring(folder)
    assert all(
        found.blob != Digest.of(made_from(SKETCH)) for found in propose_sources(archive, folder / "made.png")
    )


def test_left_in_place_pictures_are_linked_too(archive, bring, folder):
    (folder / "sketch.png").write_bytes(SKETCH)
    (folder / "made.png").write_bytes(made_from(SKETCH))
    assert bring(folder, in_place=True) == 1


def rgba() -> bytes:
    out = BytesIO()
    Image.new("RGBA", (3, 2), (1, 2, 3, 4)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("kept", [SKETCH, rgba()])
def test_a1111_s_input_is_known_by_name_and_pixels(archive, bring, folder, kept):
    hashed = md5_of_pixels(kept)
    (folder / f"{hashed}.png").write_bytes(kept)
    (folder / "made.png").write_bytes(a1111_png("a crane", **{"Init image hash": hashed}))
    assert bring(folder) == 1
    assert links(archive)[0][Role.INIT] == Digest.of(kept)


@pytest.mark.parametrize("other", [png(colour=(7, 7, 7)), SKETCH[:45]])
def test_other_pixels_under_the_name_of_a1111_s_input_are_not_linked(archive, bring, folder, other):
    hashed = md5_of_pixels(SKETCH)
    (folder / f"{hashed}.png").write_bytes(other)
    (folder / "made.png").write_bytes(a1111_png("a crane", **{"Init image hash": hashed}))
    assert bring(folder) == 0


def test_a_watched_picture_is_linked_as_it_arrives(archive, folder):
    (folder / "sketch.png").write_bytes(SKETCH)
    (folder / "made.png").write_bytes(made_from(SKETCH))
    watch = Watch(archive, (folder,))
    watch.open(0)
    for name in ("sketch.png", "made.png"):
        watch.record([Change(What.APPEARED, folder / name)])
    watch.close()
    (used,) = links(archive)
    assert used[Role.INIT] == Digest.of(SKETCH)


@pytest.mark.skipif(not RUNS.exists(), reason="the recorded runs are not beside this checkout")
def test_what_a_real_server_loaded_is_linked(archive, bring):
    run = RUNS / "06-img2img-upload"
    assert bring(run / "inputs", run / "outputs") == 1
    (used,) = links(archive)
    uploaded = (run / "inputs" / "pendant_00001_.png").read_bytes()
    assert used[Role.INIT] == Digest.of(uploaded)
