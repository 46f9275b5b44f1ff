"""Layered documents shown to the programs they belong to: real Krita, real GIMP, and psd-tools.

Needs Debian's krita, gimp, xvfb and xauth, and psd-tools from PyPI. A missing one is a failure.
"""

import io
import os
import shutil
import subprocess
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageChops
from tests.documents import gimp, krita, openraster, psd
from tests.documents.drawing import DRAWING, HEIGHT, WIDTH, Drawn, merged, names, walk

from makingof.metadata.documents.difference import Change, compare_documents
from makingof.metadata.documents.document import Document, LayerKind
from makingof.metadata.documents.read import read_document, read_document_file

pytestmark = pytest.mark.integration

TEMPLATES = Path("/usr/share/krita/templates")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home for programs with windows, warm after the first start."""
    folder = tmp_path_factory.mktemp("home")
    folder.chmod(0o700)
    return folder


def run(home: Path, *command: str) -> None:
    program = shutil.which(command[0])
    assert program, f"{command[0]} is not installed"
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home),
        "LANG": "C.UTF-8",
        "QT_QPA_PLATFORM": "xcb",
    }
    done = subprocess.run(
        [program, *command[1:]], env=env, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


@pytest.fixture
def convert(home, tmp_path):
    """Let Krita open `data` and save it under another suffix."""

    def _convert(data: bytes, suffix: str, into: str) -> bytes:
        source, target = tmp_path / f"in.{suffix}", tmp_path / f"out.{into}"
        source.write_bytes(data)
        target.unlink(missing_ok=True)
        run(home, "xvfb-run", "-a", "krita", "--export", "--export-filename", str(target), str(source))
        return target.read_bytes()

    return _convert


@pytest.fixture
def script_gimp(home):
    """Let GIMP run a Scheme expression without a window."""

    def _script(expression: str) -> None:
        run(home, "gimp", "-i", "-d", "-f", "-b", expression, "-b", "(gimp-quit 0)")

    return _script


def greatest_difference(picture: bytes) -> int:
    image = Image.open(io.BytesIO(picture)).convert("RGBA")
    assert image.size == (WIDTH, HEIGHT)
    return max(high for _, high in ImageChops.difference(image, merged()).getextrema())


def require_drawing(document: Document) -> None:
    """The drawing must have come through: names, order, groups, visibility, opacity, size."""
    assert list(names(document.layers)) == list(names(DRAWING))
    assert [layer.visible for layer in document.walk()] == [drawn.visible for drawn in walk(DRAWING)]
    opacity = next(layer.opacity for layer in document.walk() if layer.name == "题字")
    number, _, scale = opacity.partition("/")
    assert abs(float(number) / float(scale or 1) - 128 / 255) < 0.005
    assert (document.width, document.height) == (WIDTH, HEIGHT)
    assert document.damage == ()


@pytest.mark.parametrize(
    ("suffix", "data"),
    [
        ("kra", krita.write_kra()),
        ("kra", krita.write_kra_with_ai()),
        ("ora", openraster.write_ora()),
        ("psd", psd.write_psd()),
        ("psd", psd.write_psd(trailing_null=True)),
        ("psb", psd.write_psd(big=True)),
    ],
    ids=["kra", "kra with history", "ora", "psd", "psd with nulls", "psb"],
)
def test_krita_sees_in_our_files_what_was_drawn(convert, suffix, data):
    assert greatest_difference(convert(data, suffix, "png")) == 0


@pytest.mark.parametrize(
    ("suffix", "data", "into"),
    [
        ("kra", krita.write_kra(), "kra"),
        ("ora", openraster.write_ora(), "kra"),
        ("psd", psd.write_psd(), "kra"),
        ("psb", psd.write_psd(big=True), "kra"),
        ("psd", psd.write_psd(depth=16), "kra"),
        ("kra", krita.write_kra(), "psd"),
        ("kra", krita.write_kra(), "ora"),
    ],
)
def test_krita_s_own_files_are_read_as_what_was_drawn(convert, suffix, data, into):
    written = convert(data, suffix, into)
    document = read_document(written)
    assert document.format == into
    require_drawing(document)
    if into != "psd" and data != psd.write_psd(depth=16):  # its colours go through 16 bits
        assert greatest_difference(document.composite.stored.read(written)) == 0


def test_krita_leaves_ids_and_stored_bytes_of_untouched_layers_alone(convert):
    first = convert(krita.write_kra(), "kra", "kra")
    second = convert(first, "kra", "kra")
    assert compare_documents(read_document(first), read_document(second)) == ()
    edited = (replace(DRAWING[0], name="renamed"), *DRAWING[1:])
    other = read_document(convert(krita.write_kra(edited), "kra", "kra"))
    (change,) = compare_documents(read_document(first), other)
    assert (change.change, change.before, change.after) == (Change.RENAMED, "题字", "renamed")


def test_krita_s_counters_come_back_as_claims(convert):
    document = read_document(convert(krita.write_kra(), "kra", "kra"))
    assert document.tool == "krita"
    assert document.tool_version
    assert int(document.claim("editing_cycles")) >= 1
    assert document.claim("modified_at")[:2] == "20"


def test_a_mask_drawn_by_krita_s_rules_stays_a_mask(convert):
    drawn = (Drawn("a", id=3, mask="遮罩"),)
    mask = krita.write_kra(drawn, extra=[(f"{krita.FOLDER}/layers/mask3.pixelselection", b"")])
    (layer,) = read_document(convert(mask, "kra", "kra")).layers
    assert layer.masks == ("遮罩",)


def test_every_document_that_comes_with_krita_is_read_whole():
    paths = sorted(TEMPLATES.glob("**/.source/*.kra"))
    assert len(paths) > 20
    for path in paths:
        with path.open("rb") as file:
            document = read_document_file(file, path.name)
            assert document.damage == (), path
            assert document.layers, path
            composite = document.composite.stored.read(file_bytes(path)) if document.composite else None
        if composite:
            assert Image.open(io.BytesIO(composite)).size == (document.width, document.height), path


def file_bytes(path: Path) -> bytes:
    return path.read_bytes()


def save_with_gimp(script_gimp, source: Path, target: Path, picture: Path) -> None:
    script_gimp(
        f'(let* ((image (car (gimp-file-load RUN-NONINTERACTIVE "{source}" "x")))) '
        f'(gimp-xcf-save 0 image (car (gimp-image-get-active-drawable image)) "{target}" "x") '
        "(let ((all (car (gimp-image-merge-visible-layers image CLIP-TO-IMAGE)))) "
        f'(file-png-save RUN-NONINTERACTIVE image all "{picture}" "x" 0 9 0 0 0 0 0)))'
    )


@pytest.mark.parametrize("version", [3, 11])
def test_gimp_and_this_reader_agree_on_xcf_both_ways(script_gimp, tmp_path, version):
    source, target, picture = tmp_path / "in.xcf", tmp_path / "out.xcf", tmp_path / "out.png"
    source.write_bytes(gimp.write_xcf(version=version))
    save_with_gimp(script_gimp, source, target, picture)
    assert greatest_difference(picture.read_bytes()) == 0
    document = read_document(target.read_bytes())
    require_drawing(document)
    assert document.claim("comment") == "drawn by hand"
    assert [layer.id for layer in document.walk()] == [str(drawn.id) for drawn in walk(DRAWING)]


def test_a_generated_jpeg_saved_by_gimp_still_tells_its_prompt(script_gimp, tmp_path):
    """The second encoding is GIMP's own here."""
    source, target = tmp_path / "in.jpg", tmp_path / "out.xcf"
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = gimp.USER_COMMENT
    Image.new("RGB", (40, 30)).save(source, exif=exif)
    save_with_gimp(script_gimp, source, target, tmp_path / "out.png")
    readings = read_document(target.read_bytes()).readings
    (reading,) = [reading for reading in readings if reading.tool == "a1111"]
    assert reading.value("prompt") == "a jade cat, 光"
    assert reading.value("seed") == "42"


def test_gimp_s_groups_and_masks_are_read(script_gimp, tmp_path):
    target = tmp_path / "made.xcf"
    script_gimp(
        "(let* ((image (car (gimp-image-new 40 30 RGB))) (outer (car (gimp-layer-group-new image))) "
        "(inner (car (gimp-layer-group-new image))) "
        '(paint (car (gimp-layer-new image 10 12 RGBA-IMAGE "画 paint" 25 LAYER-MODE-MULTIPLY)))) '
        '(gimp-image-insert-layer image outer 0 0) (gimp-item-set-name outer "外 outer") '
        '(gimp-image-insert-layer image inner outer 0) (gimp-item-set-name inner "内 inner") '
        "(gimp-image-insert-layer image paint inner 0) (gimp-item-set-visible inner FALSE) "
        "(gimp-layer-add-mask paint (car (gimp-layer-create-mask paint ADD-MASK-WHITE))) "
        "(gimp-layer-set-offsets paint 3 -4) "
        f'(gimp-xcf-save 0 image paint "{target}" "x"))'
    )
    document = read_document(target.read_bytes())
    assert list(names(document.layers)) == [(0, "外 outer"), (1, "内 inner"), (2, "画 paint")]
    outer, inner, paint = document.walk()
    assert (outer.visible, inner.visible, inner.kind) == (True, False, LayerKind.GROUP)
    assert (paint.at, paint.size, paint.opacity, len(paint.masks)) == ((3, -4), (10, 12), "0.25", 1)


@pytest.fixture
def psd_tools():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import psd_tools  # noqa: PLC0415 - installed for these tests only

        yield psd_tools


def told_by_psd_tools(layers, depth=0):
    """Flatten what psd-tools sees, topmost layer first."""
    for layer in reversed(list(layers)):
        yield depth, layer.name.rstrip("\0"), layer.visible, layer.opacity, layer.is_group()
        if layer.is_group():
            yield from told_by_psd_tools(layer, depth + 1)


def told_by_us(layers, depth=0):
    for layer in layers:
        opacity = int(layer.opacity.partition("/")[0])
        yield depth, layer.name, layer.visible, opacity, layer.kind is LayerKind.GROUP
        yield from told_by_us(layer.children, depth + 1)


@pytest.mark.parametrize(
    "data",
    [
        psd.write_psd(),
        psd.write_psd(big=True),
        psd.write_psd(depth=16),
        psd.write_psd(big=True, depth=16),
        psd.write_psd(trailing_null=True),
    ],
    ids=["psd", "psb", "psd 16", "psb 16", "nulls"],
)
def test_psd_tools_sees_in_our_files_what_we_see(psd_tools, data):
    theirs = psd_tools.PSDImage.open(io.BytesIO(data))
    ours = read_document(data)
    assert list(told_by_psd_tools(theirs)) == list(told_by_us(ours.layers))
    assert theirs.size == (ours.width, ours.height)
    boxes = {layer.name.rstrip("\0"): layer.bbox for layer in theirs.descendants() if not layer.is_group()}
    for layer in ours.walk():
        if layer.kind is not LayerKind.GROUP:
            left, top, right, bottom = boxes[layer.name]
            assert (layer.at, layer.size) == ((left, top), (right - left, bottom - top))
    packet = theirs.image_resources.get_data(1060)
    assert any(reading.raw == packet for reading in ours.readings)


def test_we_see_in_files_of_psd_tools_what_it_sees(psd_tools):
    made = psd_tools.PSDImage.new("RGBA", (64, 48))
    made.create_pixel_layer(Image.new("RGBA", (20, 20), (255, 0, 0, 128)), name="first", top=3, left=5)
    group = made.create_group(name="group")
    child = made.create_pixel_layer(Image.new("RGBA", (30, 10), (0, 0, 255, 255)), name="child")
    child.name = "图层 二"  # a Chinese name at creation is refused there
    child.visible = False
    child.opacity = 100
    child.move_to_group(group)
    out = io.BytesIO()
    made.save(out)
    document = read_document(out.getvalue())
    again = psd_tools.PSDImage.open(io.BytesIO(out.getvalue()))
    assert list(told_by_us(document.layers)) == list(told_by_psd_tools(again))
    assert document.damage == ()


def test_psd_tools_sees_in_krita_s_files_what_we_see(psd_tools, convert):
    written = convert(krita.write_kra(), "kra", "psd")
    theirs = psd_tools.PSDImage.open(io.BytesIO(written))
    assert list(told_by_psd_tools(theirs)) == list(told_by_us(read_document(written).layers))
