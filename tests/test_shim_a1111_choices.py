"""The Save button of AUTOMATIC1111 and its kin, as a choice among what a job gave."""

import contextlib
import csv
import importlib
import io
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.a1111_host import A1111, FORGE, OLD, Processing, Webui, picture
from tests.webui_run import judged_and_among, wait_for

from makingof.archive.connecting import plan_connection
from makingof.event import Kind
from makingof.part import Part, PartType, Place

VERSIONS = {"a1111": A1111, "old": OLD, "forge": FORGE}


@pytest.fixture(params=VERSIONS)
def each(request, start_webui):
    return start_webui(VERSIONS[request.param])


def test_a_save_press_is_a_choice_among_the_batch(each):
    webui = each
    processed = webui.make("a crane", n_iter=1, batch_size=4)
    webui.heard()
    webui.host.press_save(processed, 3)
    time.sleep(0.2)
    webui.settle()
    chosen, event = webui.only(Kind.SELECTED)
    assert str(event.means) == "live"
    judged, among = judged_and_among(webui, chosen)
    made, result = webui.events(Kind.GENERATED)[0]
    outputs = {file.number: file.digest for file in webui.files(made) if str(file.role) == "output"}
    assert [file.digest for file in judged] == [outputs[2]]
    assert {file.digest for file in among} == set(outputs.values())
    assert event.header.cites == (result.name,)
    places = [place.path for place in webui.parts(chosen, PartType.PLACE, Place)]
    assert places == [str(next(Path(webui.host.options.outdir_save).glob("*.png")))]


def test_saving_all_that_is_shown_is_a_choice_of_all_and_not_of_the_grid(webui):
    processed = webui.make("a wave", batch_size=3)
    webui.heard()
    webui.host.press_save(processed, -1)
    webui.settle()
    judged, among = judged_and_among(webui, webui.only(Kind.SELECTED)[0])
    assert len({file.digest for file in judged}) == len(among) == 3
    assert "grid" not in {str(file.role) for file in judged}


def test_a_copy_with_other_bytes_leads_back_to_its_picture(webui):
    processed = webui.make("a wave", batch_size=2)
    webui.heard()
    webui.host.options.samples_format = "jpg"
    (copy,) = webui.host.press_save(processed, 2)
    webui.settle()
    first, second = webui.events(Kind.GENERATED)
    assert webui.held(second[0]) == [copy.read_bytes()]
    assert webui.roles(second[0]) == [("preview", None)]
    assert second[1].header.cites == (webui.only(Kind.PROMPTED)[1].name,)
    position, chosen = webui.only(Kind.SELECTED)
    assert set(chosen.header.cites) == {first[1].name, second[1].name}
    judged, _ = judged_and_among(webui, position)
    assert judged[0].digest in [file.digest for file in webui.files(first[0]) if file.number == 1]


def test_a_picture_that_was_never_saved_by_itself_can_be_chosen(webui):
    webui.host.options.samples_save = False
    processed = webui.make("a wave", batch_size=2)
    webui.heard()
    webui.host.press_save(processed, 1)
    webui.settle()
    judged, among = judged_and_among(webui, webui.only(Kind.SELECTED)[0])
    assert (len(judged), len(among)) == (1, 2)


def test_a_press_that_only_the_list_tells_of_is_found_there_and_older_rows_are_not_of_now(
    archive, tmp_path, start_webui
):
    folder = tmp_path / "webui"
    before = Webui(folder)
    old = before.process_images(Processing("an old one"))
    before.press_save(old, 0)
    webui = start_webui(A1111)
    processed = webui.make("a new one")
    webui.heard()
    webui.host._callbacks.pop("image_saved")
    webui.host.press_save(processed, 0)
    wait_for(lambda: webui.jobs._save_button._rows == 2)
    webui.settle()
    position, event = webui.only(Kind.SELECTED)
    judged, _ = judged_and_among(webui, position)
    made = webui.only(Kind.GENERATED)
    assert judged[0].digest in [file.digest for file in webui.files(made[0])]
    assert made[1].name in event.header.cites
    raws = [Part.parse(part.data) for part in archive.log.parts(position)]
    assert [part.body["locator"] for part in raws if part.type is PartType.RAW] == ["log.csv"]


WORDS = st.text(st.sampled_from("ab ,;\"'中\n"), max_size=12)
NAMES = st.text(st.sampled_from('ab ,"中.'), min_size=1, max_size=12)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a machine that is busy is no fault
@given(st.lists(st.tuples(NAMES, WORDS), max_size=6), st.booleans())
def test_any_list_the_program_writes_is_read_row_by_row(modules, rows, has_model):
    """Prompts hold commas, quotes and line breaks; the name stands wherever the heading says."""
    written = io.StringIO(newline="")
    csv.writer(written).writerow(["prompt", *(["sd_model_name"] if has_model else []), "filename"])
    for name, prompt in rows:
        csv.writer(written).writerow([prompt, *(["x"] if has_model else []), name])
    found = modules.saving._rows_of(written.getvalue().encode())
    assert [name for name, _ in found] == [name for name, _ in rows]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=200))
def test_any_bytes_in_the_place_of_the_list_are_read_waited_for_or_refused(modules, data):
    with contextlib.suppress(csv.Error):
        rows = modules.saving._rows_of(data)
        assert rows is None or all(name for name, _ in rows)


def test_a_row_of_another_press_does_not_join_the_one_that_goes_on(modules, tmp_path):
    """Two pages save at once: of one the copy is told, of the other only the row is there."""
    told = []
    host = SimpleNamespace(save_folder=lambda: tmp_path, option=lambda _name: True)
    stream = SimpleNamespace(
        source={"tool": "a1111"}, hand_over=lambda *given: told.append((given[0], given[2]))
    )
    recording = SimpleNamespace(host=host, stream=stream, jobs=[], come_back=lambda: None)
    button = modules.saving.SaveButton(recording)
    button.start()
    for name in ("told.png", "untold.png"):
        (tmp_path / name).write_bytes(name.encode())
    button.hear(modules.saving.Kept(modules.pictures.hold(None, tmp_path / "told.png", None), "1"))
    (tmp_path / "log.csv").write_text("prompt,filename\nx,untold.png\n", "utf-8")
    button.look()
    button._rows_waiting = [(row, at - 10) for row, at in button._rows_waiting]
    button.look()
    assert [(kind, [file["name"] for file in files[:1]]) for kind, files in told] == [
        ("selected", ["untold.png"])
    ]
    button.look(is_last=True)
    assert [kind for kind, _ in told] == ["selected", "selected"]


def test_a_grid_that_goes_to_the_folder_of_the_save_button_is_no_choice(webui):
    options = webui.host.options
    options.outdir_save = options.outdir_txt2img_samples = options.outdir_txt2img_grids

    def grid_of_settings(p):
        cell = webui.host.process_images(Processing("a tower"))
        webui.host.save_image(
            picture(1, 192, 64), options.outdir_txt2img_grids, basename="xyz_grid", p=cell, info="grid"
        )
        return cell

    processed = webui.make("a tower", script=grid_of_settings)
    webui.heard()
    webui.host.press_save(processed, 0)
    webui.settle()
    assert len(webui.events(Kind.SELECTED)) == 1
    assert webui.roles(webui.events(Kind.GENERATED)[-1][0]) == [("grid", None)]


@pytest.mark.parametrize("row", ["x" * 200_000, "x" * 5_000, "a\0b", ".."])
def test_a_list_that_is_none_costs_no_press(webui, row):
    folder = Path(webui.host.options.outdir_save)
    folder.mkdir(parents=True)
    (folder / "log.csv").write_text(f"filename\n{row}\n", "utf-8")
    processed = webui.make("a wave", batch_size=2)
    webui.heard()
    webui.host.press_save(processed, 1)
    webui.settle()
    judged, _ = judged_and_among(webui, webui.only(Kind.SELECTED)[0])
    assert len(judged) == 1


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    """The hook's modules by themselves, as they lie in a host."""
    folder = tmp_path_factory.mktemp("hook") / "makingof_modules"
    for name, data in plan_connection("a1111", Webui(tmp_path_factory.mktemp("webui")).folder).files.items():
        if name.startswith("makingof_in_webui/"):
            path = folder / name.removeprefix("makingof_in_webui/")
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"" if path.name == "__init__.py" else data)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder.parent)
        importlib.import_module("makingof_modules.saving")
        yield sys.modules["makingof_modules"]
    for name in [name for name in sys.modules if name.split(".")[0] == "makingof_modules"]:
        del sys.modules[name]
