"""What a picture's records name as its inputs: by digest, or by nothing but a name."""

import json

import pytest
from tests.exports import invoke_metadata
from tests.records import comfyui_png, infotext, node, png, text_to_image

from makingof.digest import Digest
from makingof.metadata.inputs import MAX_INPUTS, find_inputs
from makingof.metadata.record import Sheet
from makingof.metadata.registry import read_records
from makingof.part import Role

SKETCH, OTHER, MASK = (f"{number:064x}" for number in (1, 2, 3))


def inputs(data, name="ComfyUI_00001_.png"):
    return find_inputs(read_records(data, name), Sheet("png", name, 8, 8, ()))


def image_to_image(**more):
    """An uploaded picture, encoded, in the place of the empty latent."""
    graph = text_to_image("a crane", seed=7)
    loaded = node("LoadImage", image="sketch.png") | {"is_changed": [SKETCH]} | more
    graph |= {"10": loaded, "5": node("VAEEncode", pixels=["10", 0], vae=["4", 2])}
    return graph


def named(found):
    return [(item.sha256 and item.sha256.hex, item.name, item.role) for item in found]


@pytest.mark.parametrize("changed", [[SKETCH], SKETCH])
def test_a_loaded_picture_is_named_by_its_digest(changed):
    (found,) = inputs(comfyui_png(image_to_image(is_changed=changed)))
    assert (found.sha256, found.name, found.where) == (
        Digest(f"sha256:{SKETCH}"),
        "sketch.png",
        "node 10 LoadImage",
    )


@pytest.mark.parametrize(
    "changed", [None, "NaN", 7, ["x" * 64], [SKETCH.upper() + "z"], {"a": SKETCH}, [[SKETCH]], SKETCH[:-1]]
)
def test_what_is_no_digest_leaves_a_name_and_no_more(changed):
    (found,) = inputs(comfyui_png(image_to_image(is_changed=changed)))
    assert (found.sha256, found.name) == (None, "sketch.png")


@pytest.mark.parametrize("kind", ["input", "output", "temp"])
def test_the_folder_behind_a_name_is_no_part_of_it(kind):
    loaded = node("LoadImage", image=f"clipspace/a [1].png [{kind}]") | {"is_changed": [SKETCH]}
    (found,) = inputs(comfyui_png(image_to_image() | {"10": loaded}))
    assert found.name == "clipspace/a [1].png"


def test_a_picture_loaded_for_something_else_in_the_graph_is_no_input():
    graph = image_to_image()
    graph |= {
        "20": node("LoadImage", image="other.png") | {"is_changed": [OTHER]},
        "21": node("PreviewImage", images=["20", 0]),
        "22": node("SaveImage", filename_prefix="else", images=["20", 0]),
    }
    assert named(inputs(comfyui_png(graph))) == [(SKETCH, "sketch.png", Role.INIT)]
    assert named(inputs(comfyui_png(graph), "else_00001_.png")) == [(OTHER, "other.png", Role.INIT)]


def test_where_the_saver_is_not_known_only_what_lies_above_all_counts():
    graph = image_to_image()
    graph |= {
        "20": node("LoadImage", image="other.png") | {"is_changed": [OTHER]},
        "22": node("ImageBlend", image1=["8", 0], image2=["20", 0]),
        "23": node("SaveImage", filename_prefix="else", images=["22", 0]),
    }
    assert named(inputs(comfyui_png(graph), "renamed.png")) == [(SKETCH, "sketch.png", Role.INIT)]


def test_a_mask_is_one():
    graph = image_to_image()
    graph["11"] = node("LoadImageMask", image="mask.png", channel="red") | {"is_changed": [MASK]}
    graph["5"]["inputs"]["mask"] = ["11", 0]
    assert (MASK, "mask.png", Role.MASK) in named(inputs(comfyui_png(graph)))


def test_a_graph_in_a_wrapper_is_looked_into():
    data = png({"prompt": json.dumps({"prompt": json.dumps(image_to_image())})})
    assert named(inputs(data)) == [(SKETCH, "sketch.png", Role.INIT)]


def test_a1111_names_the_pixels_it_was_given():
    hashed = "0123456789abcdef0123456789abcdef"
    (found,) = inputs(png({"parameters": infotext("a crane", **{"Init image hash": hashed})}), "00001.png")
    assert (found.pixels_md5, found.sha256, found.name) == (hashed, None, None)
    assert inputs(png({"parameters": infotext("a crane", **{"Init image hash": "short"})}), "00001.png") == []


def test_invokeai_names_pictures_and_gives_no_digest():
    said = json.loads(invoke_metadata("a crane", 7)) | {
        "init_image": "one.png",
        "controlnets": [{"image": {"image_name": "two.png"}, "processed_image": {"image_name": "three.png"}}],
    }
    found = inputs(png({"invokeai_metadata": json.dumps(said)}), "a.png")
    assert {(item.sha256, item.name) for item in found} == {
        (None, f"{name}.png") for name in ("one", "two", "three")
    }


def test_a_picture_without_records_names_nothing():
    assert inputs(png(), "a.png") == []


def test_a_graph_of_endless_inputs_is_bounded():
    graph = image_to_image()
    for number in range(100, 400):
        graph[str(number)] = node("LoadImage", image=f"{number}.png") | {"is_changed": [f"{number:064x}"]}
        graph["8"]["inputs"][f"image{number}"] = [str(number), 0]
    assert len(inputs(comfyui_png(graph))) == MAX_INPUTS
