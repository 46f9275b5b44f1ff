"""Fooocus, SwarmUI, Easy Diffusion, Draw Things, hubs and Spaces."""

import json
import struct
import zlib

import pytest
from tests import records
from tests import records_elsewhere as elsewhere
from tests.main_readings import FACTS, main_of, values

from makingof.metadata.registry import main_reading, read_records

# Fooocus.

FOOOCUS = {
    "adm_guidance": "(1.5, 0.8, 0.3)",
    "base_model": "jugg",
    "base_model_hash": "aeb7",
    "full_prompt": ["cinematic a fish", "a fish, sharp"],
    "full_negative_prompt": ["bad"],
    "guidance_scale": 4,
    "loras": [["l.safetensors", 0.5, "ab12"]],
    "metadata_scheme": "fooocus",
    "negative_prompt": "",
    "performance": "Speed",
    "prompt": "a fish",
    "resolution": "(768, 1280)",
    "sampler": "dpmpp",
    "scheduler": "karras",
    "seed": "6952411511246973023",
    "steps": 30,
    "styles": "['Fooocus V2']",
    "version": "Fooocus v2.5.5",
    "created_by": "ada",
}


def fooocus_exif():
    return elsewhere.exif(
        {
            elsewhere.USER_COMMENT: json.dumps(FOOOCUS).encode(),
            0x927C: b"fooocus\0",
            0x0131: b"Fooocus v2.5.5\0",
        },
        kinds={0x927C: 7},
    )


@pytest.mark.parametrize(
    "data",
    [
        records.png({"parameters": json.dumps(FOOOCUS), "fooocus_scheme": "fooocus"}),
        elsewhere.jpeg(elsewhere.exif_segment(fooocus_exif())),
        elsewhere.webp(elsewhere.riff_chunk(b"EXIF", fooocus_exif())),
    ],
    ids=["png", "jpeg", "webp"],
)
def test_fooocus_json_is_read_with_and_without_a_character_code(data):
    reading = main_of(data)
    assert (reading.tool, reading.tool_version) == ("fooocus", "Fooocus v2.5.5")
    assert values(reading, *FACTS) == ["a fish", "", "6952411511246973023", "30", "jugg"]
    assert reading.value("expanded_prompt") == '["cinematic a fish", "a fish, sharp"]'
    assert values(reading, "width", "height", "user") == ["768", "1280", "ada"]


def test_fooocus_writes_a1111_text_too():
    text = records.infotext(
        "styled fish", "bad", Raw_prompt="a fish", Version="Fooocus v2.5.5", Lora_weights="l: 0.5", User="ada"
    )
    reading = main_of(records.png({"parameters": text, "fooocus_scheme": "a1111"}))
    assert (reading.tool, reading.value("prompt"), reading.value("typed_prompt")) == (
        "fooocus",
        "styled fish",
        "a fish",
    )


def test_ruinedfooocus_names_itself():
    record = {
        "Prompt": "a fish",
        "Negative": "bad",
        "steps": 30,
        "cfg": 8,
        "seed": 12,
        "base_model_name": "m.safetensors",
        "software": "RuinedFooocus",
    }
    reading = main_of(records.png({"parameters": json.dumps(record)}))
    assert (reading.tool, *values(reading, *FACTS)) == (
        "ruinedfooocus",
        "a fish",
        "bad",
        "12",
        "30",
        "m.safetensors",
    )


# SwarmUI.


@pytest.mark.parametrize(
    "carry",
    [
        lambda text: records.png({"parameters": text}),
        lambda text: elsewhere.jpeg(elsewhere.exif_segment(elsewhere.comment_exif(text, "le"))),
        lambda text: elsewhere.webp(elsewhere.riff_chunk(b"EXIF", elsewhere.comment_exif(text, "le"))),
        lambda text: elsewhere.jpeg(elsewhere.exif_segment(elsewhere.exif({0x0110: text.encode() + b"\0"}))),
    ],
    ids=["png", "jpeg", "webp", "very old"],
)
def test_swarmui_is_read_wherever_it_writes(carry):
    reading = main_of(
        carry(elsewhere.swarm_parameters("a red cat, 猫", "text", original_prompt="a <random:red,blue> cat"))
    )
    assert (reading.tool, reading.tool_version) == ("swarmui", "0.9.3.1")
    assert values(reading, *FACTS) == ["a red cat, 猫", "text", "7", "20", "OfficialStableDiffusion/pendant"]
    assert values(reading, "typed_prompt", "guidance", "made_at") == [
        "a <random:red,blue> cat",
        "4.5",
        "2024-11-19",
    ]


def test_swarmui_with_the_graph_it_ran_speaks_for_itself():
    data = records.png(
        {
            "parameters": elsewhere.swarm_parameters("a cat"),
            "prompt": json.dumps(records.text_to_image("graph words")),
        }
    )
    readings = read_records(data)
    assert main_reading(readings).value("prompt") == "a cat"
    assert [reading.tool for reading in readings] == ["swarmui", "comfyui"]
    assert [reading.main for reading in readings] == [True, False]


# Easy Diffusion.

EASY_API = {
    "prompt": "a ring",
    "negative_prompt": "text",
    "seed": "42",
    "use_stable_diffusion_model": "sd-v1-5",
    "sampler_name": "euler_a",
    "num_inference_steps": "25",
    "guidance_scale": "7.5",
    "width": "512",
    "height": "512",
    "use_lora_model": "None",
    "clip_skip": "False",
}
EASY_SHOWN = {
    "Prompt": "a ring",
    "Negative Prompt": "text",
    "Seed": "42",
    "Stable Diffusion model": "sd-v1-5",
    "Sampler": "euler_a",
    "Steps": "25",
    "Guidance Scale": "7.5",
    "Width": "512",
    "Height": "512",
}


@pytest.mark.parametrize("record", [EASY_API, EASY_SHOWN], ids=["api", "display"])
def test_easydiffusion_is_read_under_both_namings(record):
    for data in (
        records.png(record),
        elsewhere.jpeg(elsewhere.exif_segment(elsewhere.comment_exif(json.dumps(record)))),
    ):
        reading = main_of(data)
        assert (reading.tool, *values(reading, *FACTS)) == (
            "easydiffusion",
            "a ring",
            "text",
            "42",
            "25",
            "sd-v1-5",
        )
    spread = main_of(records.png(record))
    assert (spread.locator.offset, spread.locator.size_bytes) == (None, None)
    assert len(read_records(records.png(record))) == 1


# Draw Things.


def test_draw_things_is_read_from_xmp():
    record = {
        "c": "a ring",
        "uc": "text",
        "seed": 42,
        "steps": 8,
        "sampler": "UniPC",
        "scale": 4.5,
        "size": "960x1280",
        "model": "m.ckpt",
        "strength": 1,
    }
    packet = elsewhere.xmp(
        {"xmp:CreatorTool": "Draw Things"},
        elements=[
            elsewhere.alternative("exif:UserComment", json.dumps(record)),
            elsewhere.alternative("dc:description", "a ring\n-text"),
        ],
    )
    data = records.png(before=[records.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet)])
    reading = main_of(data)
    assert (reading.tool, *values(reading, *FACTS)) == ("drawthings", "a ring", "text", "42", "8", "m.ckpt")
    assert values(reading, "width", "height", "guidance") == ["960", "1280", "4.5"]
    assert data[reading.locator.offset :][: len(packet)] == packet


def test_draw_things_in_exif_is_not_taken_for_novelai():
    record = {"c": "a ring", "uc": "text", "seed": 42, "steps": 8, "sampler": "UniPC", "model": "m.ckpt"}
    block = elsewhere.exif(
        {0x0131: b"Draw Things\0"}, {elsewhere.USER_COMMENT: elsewhere.comment_utf16(json.dumps(record))}
    )
    reading = main_of(elsewhere.jpeg(elsewhere.exif_segment(block)))
    assert (reading.tool, *values(reading, *FACTS)) == ("drawthings", "a ring", "text", "42", "8", "m.ckpt")


# Hubs.


def test_civitai_s_graph_holds_what_was_asked_for_beside_what_ran():
    graph = records.text_to_image(
        "graph words", "graph negative", model="urn:air:sdxl:checkpoint:civitai:101055@128078"
    )
    extra = {
        "prompt": "asked words",
        "negativePrompt": "asked negative",
        "steps": 25,
        "cfgScale": 5,
        "sampler": "euler",
        "seed": 42,
        "resources": [],
    }
    whole = graph | {
        "extra": {"airs": []},
        "extraMetadata": json.dumps(extra),
        "resource-stack": {"class_type": "x"},
    }
    reading = main_of(elsewhere.jpeg(elsewhere.exif_segment(elsewhere.comment_exif(json.dumps(whole)))))
    assert (reading.tool, *values(reading, *FACTS)) == (
        "civitai",
        "asked words",
        "asked negative",
        "42",
        "25",
        "urn:air:sdxl:checkpoint:civitai:101055@128078",
    )


def test_tensorart_leaves_the_seed_to_chance_and_the_graph_knows_it():
    record = {
        "prompt": "a ring",
        "negativePrompt": "text",
        "steps": 20,
        "cfgScale": 5,
        "seed": "-1",
        "baseModel": {"modelFileName": "m", "hash": "AB"},
    }
    data = records.png(
        {
            "generation_data": json.dumps(record) + "\0",
            "prompt": json.dumps(records.text_to_image("x", seed=77)),
        }
    )
    reading = main_of(data)
    assert (reading.tool, *values(reading, *FACTS)) == ("tensorart", "a ring", "text", "77", "20", "m")
    assert "prompt" in reading.fields["seed"].source
    assert {other.tool for other in read_records(data)} == {"tensorart"}


def test_stability_matrix_is_read_from_its_own_json_or_named_by_its_project():
    record = {
        "PositivePrompt": "a ring",
        "NegativePrompt": "text",
        "Seed": 9,
        "Steps": 30,
        "CfgScale": 5,
        "ModelName": "m",
        "ModelHash": "ab",
    }
    text = records.infotext("a ring", "text", Seed=9, Steps=30, Model="m")
    full = {"parameters": text, "parameters-json": json.dumps(record), "smproj": "{}"}
    for texts in (full, {"parameters": text, "smproj": "{}"}):
        reading = main_of(records.png(texts))
        assert (reading.tool, *values(reading, *FACTS)) == (
            "stabilitymatrix",
            "a ring",
            "text",
            "9",
            "30",
            "m",
        )


def test_spaces_write_plain_json():
    record = {
        "prompt": "a ring",
        "negative_prompt": "text",
        "resolution": "832 x 1216",
        "guidance_scale": 7,
        "num_inference_steps": 28,
        "seed": 5,
        "sampler": "Euler a",
        "use_upscaler": None,
        "Model": "Animagine XL 3.1",
        "Model hash": "e3c4",
    }
    reading = main_of(records.png({"parameters": json.dumps(record)}))
    assert (reading.tool, *values(reading, *FACTS)) == (
        "huggingface-space",
        "a ring",
        "text",
        "5",
        "28",
        "Animagine XL 3.1",
    )
    assert values(reading, "width", "height") == ["832", "1216"]


def test_json_of_an_unknown_tool_is_kept_and_named_to_nobody():
    (reading,) = read_records(records.png({"parameters": '{"prompt": "x", "whatever": 1}'}))
    assert (reading.tool, reading.main) == (None, False)


def test_exif_of_a_camera_is_kept_tag_by_tag():
    tags = {
        0x010F: b"Camera Maker\0",
        0x0110: b"Model 5\0",
        0x829A: struct.pack(">II", 1, 200),
        0x8827: struct.pack(">H", 400),
    }
    readings = read_records(
        elsewhere.jpeg(elsewhere.exif_segment(elsewhere.exif(tags, kinds={0x829A: 5, 0x8827: 3})))
    )
    said = {name: field.value for reading in readings for name, field in reading.fields.items()}
    assert said == {
        "tool:Make": "Camera Maker",
        "tool:Model": "Model 5",
        "tool:ExposureTime": "1/200",
        "tool:ISO": "400",
    }
    assert main_reading(readings) is None


def test_profiles_that_imagemagick_wrapped_as_hex_are_read():
    block = b"Exif\0\0" + elsewhere.comment_exif(records.infotext("a ring", "text"))
    wrapped = f"\nexif\n{len(block):8}\n" + "\n".join(
        block.hex()[at : at + 72] for at in range(0, 2 * len(block), 72)
    )
    for chunk in (
        records.text_chunk("Raw profile type exif", wrapped),
        records.chunk(b"zTXt", b"Raw profile type APP1\0\0" + zlib.compress(wrapped.encode())),
    ):
        reading = main_of(records.png(before=[chunk]))
        assert (reading.tool, reading.value("prompt"), reading.locator.offset) == ("a1111", "a ring", None)
