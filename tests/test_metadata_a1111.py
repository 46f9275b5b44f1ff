import json

import pytest
from tests import records
from tests import records_elsewhere as elsewhere
from tests.main_readings import main_of

from makingof.metadata.a1111 import infotext_tool, parse_infotext, parse_settings
from makingof.metadata.facts import facts_of
from makingof.metadata.registry import read_records
from makingof.reading import State

SETTINGS = "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 42, Size: 512x768, Model: pendant_v2"


def test_prompt_negative_and_settings_are_told_apart_by_lines():
    text = parse_infotext(f"a jade pendant,\nmacro\nNegative prompt: watermark,\ntext\n{SETTINGS}")
    assert (text.prompt, text.negative) == ("a jade pendant,\nmacro", "watermark,\ntext")
    assert text.settings["Seed"] == "42"


@pytest.mark.parametrize(
    ("text", "prompt", "negative"),
    [
        (f"only a prompt\n{SETTINGS}", "only a prompt", None),
        (f"Negative prompt: only negative\n{SETTINGS}", "", "only negative"),
        (SETTINGS, "", None),
        (f"p\nNegative prompt: \n{SETTINGS}", "p", ""),
        (
            f"the words Negative prompt: inside a line\n{SETTINGS}",
            "the words Negative prompt: inside a line",
            None,
        ),
        (f"p\r\nNegative prompt: n\r\n{SETTINGS}", "p", "n"),
    ],
)
def test_a_part_that_is_not_there_is_none_and_an_empty_one_is_empty(text, prompt, negative):
    found = parse_infotext(text)
    assert (found.prompt, found.negative) == (prompt, negative)


def test_a_last_line_with_fewer_than_three_pairs_belongs_to_the_prompt():
    text = parse_infotext("a pendant\nSteps: 20, Seed: 3")
    assert text.prompt == "a pendant\nSteps: 20, Seed: 3"
    assert text.settings == {}


def test_a_prompt_with_colons_is_no_line_of_settings():
    text = parse_infotext("style: x, mood: y, light: (z:1.2), Model, Seed")
    assert text.settings == {}


def test_a_prompt_line_that_looks_like_settings_does_not_hide_the_real_ones():
    text = parse_infotext(f"Steps: 3, Seed: 1, Size: 1x1\nmore words\n{SETTINGS}")
    assert text.prompt == "Steps: 3, Seed: 1, Size: 1x1\nmore words"
    assert text.settings["Seed"] == "42"


def test_the_label_a_second_time_is_a_part_of_the_negative_prompt_and_a_doubt():
    data = records.png({"parameters": f"p\nNegative prompt: one\nNegative prompt: two\n{SETTINGS}"})
    reading = main_of(data)
    assert reading.value("negative") == "one\ntwo"
    assert [check.held for check in reading.checks if check.name == "infotext_unambiguous"] == [False]


def test_quoted_values_keep_commas_colons_and_line_breaks():
    settings = parse_settings(
        records.infotext("p", Hires_prompt='a, "b": c\nd', Model="x, y: z").rpartition("\n")[2]
    )
    assert settings["Hires prompt"] == 'a, "b": c\nd'
    assert settings["Model"] == "x, y: z"


def test_a_bare_key_stands_for_a_value_equal_to_it():
    assert parse_settings("Steps: 20, Tiling, Seed: 1") == {"Steps": "20", "Tiling": "Tiling", "Seed": "1"}


def test_lists_inside_quotes_are_one_value():
    control = "Module: canny, Model: control_v11p [d14c016b], Weight: 1.0"
    settings = parse_settings(
        f'Steps: 20, ControlNet 0: {json.dumps(control)}, Lora hashes: "a: 1f, b: 2e", Seed: 7'
    )
    assert settings["ControlNet 0"] == control
    assert settings["Lora hashes"] == "a: 1f, b: 2e"
    assert settings["Seed"] == "7"


def test_bare_json_inside_the_line_is_measured_and_not_cut_at_its_commas():
    resources = [{"type": "checkpoint", "modelVersionId": 128078, "modelName": "A, B"}]
    listed = json.dumps(resources)
    line = f"{SETTINGS}, Created Date: 2024-10-01T10:00Z, Civitai resources: {listed}, Civitai metadata: {{}}"
    settings = parse_settings(line)
    assert json.loads(settings["Civitai resources"]) == resources
    assert settings["Civitai metadata"] == "{}"
    assert main_of(records.png({"parameters": f"p\n{line}"})).tool == "civitai"


def test_the_first_of_a_key_counts_and_prefixed_keys_are_others():
    reading = main_of(
        records.a1111_png(
            "p", ADetailer_model="face_yolov8n.pt", ADetailer_version="25.3.0", Version="v1.10.1"
        )
    )
    assert reading.tool_version == "v1.10.1"
    assert reading.value("tool:ADetailer version") == "25.3.0"
    assert parse_settings("Seed: 1, X Seed: 2, Seed: 3")["Seed"] == "1"


def test_what_is_left_out_stays_absent_and_no_default_is_put_in():
    reading = main_of(records.a1111_png("p", Sampler=None))
    for name in ("sampler", "clip_skip", "vae", "denoise", "negative"):
        assert reading.state_of(name) is State.ABSENT


def test_values_keep_their_spelling():
    reading = main_of(records.a1111_png("p", CFG_scale="7.0", Seed=2**63 + 9, Denoising_strength="0.55"))
    assert reading.value("guidance") == "7.0"
    assert reading.value("seed") == str(2**63 + 9)
    assert reading.value("denoise") == "0.55"


def test_hires_settings_stand_beside_the_size_of_the_first_pass():
    data = records.a1111_png(
        "p", Hires_upscale=2, Hires_steps=10, Denoising_strength=0.4, width=1024, height=1024
    )
    reading = main_of(data)
    assert (reading.value("width"), reading.value("tool:Hires upscale")) == ("512", "2")
    assert reading.value("steps") == "20"


def test_templates_after_the_settings_are_what_was_typed():
    templates = "Template: a {red|blue} pendant\nNegative Template: {text|logo}"
    text = f"a red pendant\nNegative prompt: text\n{SETTINGS}\n{templates}"
    reading = main_of(records.png({"parameters": text}))
    assert reading.value("prompt") == "a red pendant"
    assert reading.value("typed_prompt") == "a {red|blue} pendant"
    assert reading.value("typed_negative") == "{text|logo}"
    assert reading.value("seed") == "42"


def test_a_prompt_may_begin_a_line_with_template():
    assert parse_infotext(f"Template: of a prompt\n{SETTINGS}").prompt == "Template: of a prompt"
    text = parse_infotext(f"p\nNegative prompt: n\nTemplate: of a negative prompt\n{SETTINGS}")
    assert text.negative == "n\nTemplate: of a negative prompt"


def test_sd_next_leaves_out_the_sampler_and_puts_templates_before():
    text = (
        "a pendant\nNegative prompt: \nTemplate: a {pendant|ring}\nNegative template: x\n"
        "Steps: 20, Size: 512x512, Seed: 7, CFG scale: 4.5, CLiP-skip: 2, App: SD.Next, Version: 8c22b25, "
        "Pipeline: SanaPipeline, Operations: txt2img; hires, Model: Sana, Index: 2x1, Batch 2x2"
    )
    reading = main_of(elsewhere.jpeg(elsewhere.exif_segment(elsewhere.comment_exif(text))))
    assert (reading.tool, reading.tool_version, reading.value("model")) == ("sdnext", "8c22b25", "Sana")
    assert (reading.value("negative"), reading.value("typed_prompt")) == ("", "a {pendant|ring}")
    assert reading.state_of("sampler") is State.ABSENT
    assert (reading.value("clip_skip"), reading.value("tool:Index")) == ("2", "2x1")
    assert reading.value("tool:Operations") == "txt2img; hires"


@pytest.mark.parametrize(
    ("settings", "tool"),
    [
        ({"Version": "v1.10.1"}, "a1111"),
        ({"Version": "1.6.0"}, "a1111"),
        ({}, "a1111"),
        ({"Version": "f2.0.1v1.10.1-previous-669-gdfdcbab6"}, "forge"),
        ({"Version": "f0.0.17v1.8.0rc-latest-276-g29be1da7"}, "forge"),
        ({"Version": "neo"}, "forge"),
        ({"Version": "classic"}, "forge"),
        ({"Version": "f1.7.0-v1.10.1RC-latest-2255-g2b54f24a"}, "reforge"),
        ({"Version": "f1.0.0v2-v1.10.1RC-latest-2184"}, "reforge"),
        ({"Version": "4ab7cc", "App": "SD.Next"}, "sdnext"),
        ({"Version": "stable-diffusion.cpp"}, "stable-diffusion.cpp"),
        ({"Version": "ComfyUI"}, "comfyui"),
        ({"Version": "Fooocus v2.5.5"}, "fooocus"),
        ({"Civitai resources": "[]"}, "civitai"),
    ],
)
def test_the_program_is_named_by_its_own_version(settings, tool):
    assert infotext_tool(settings) == tool


def test_forge_modules_and_its_guidance_are_kept():
    reading = main_of(
        records.a1111_png(
            "p", Version="f2.0.1v1.10.1-previous-1", Distilled_CFG_Scale=3.5, Module_1="ae", User="ada"
        )
    )
    assert reading.value("tool:Distilled CFG Scale") == "3.5"
    assert reading.value("tool:Module 1") == "ae"
    assert reading.value("user") == "ada"


def test_sdcpp_spells_floats_as_c_does_and_names_the_model_in_parts():
    text = (
        "a pendant\nSteps: 20, CFG scale: 7.000000, Guidance: 3.500000, Eta: inf, Seed: 42, Size: 512x512, "
        "Model: , RNG: cuda, Sampler: euler discrete, Unet: anima.safetensors, VAE: ae.sft, "
        'Version: stable-diffusion.cpp, SDCPP: {"a":{"b":[1,2]},"c":3}'
    )
    for data in (
        records.png({"parameters": text}),
        elsewhere.jpeg(elsewhere.jpeg_segment(0xE1, b"parameters\0" + text.encode())),
        elsewhere.webp(elsewhere.riff_chunk(b"XMP ", elsewhere.xmp({"sdcpp:parameters": text}))),
        elsewhere.avif(xmp_packet=elsewhere.xmp({"sdcpp:parameters": text})),
    ):
        reading = main_of(data)
        assert (reading.tool, reading.value("guidance")) == ("stable-diffusion.cpp", "7.000000")
        assert reading.value("model") == "anima.safetensors"
        assert reading.value("tool:Eta") == "inf"
        assert reading.value("tool:SDCPP") == '{"a":{"b":[1,2]},"c":3}'
        assert reading.state_of("negative") is State.ABSENT


@pytest.mark.parametrize("order", ["be", "le"])
def test_the_same_text_is_read_in_every_container(order):
    text = records.infotext("a jade pendant, 仙鹤", "水印")
    block = elsewhere.comment_exif(text, order)
    pictures = [
        records.png({"parameters": text}),
        records.png(after=[records.text_chunk("parameters", text)]),
        records.png(before=[records.chunk(b"eXIf", block)]),
        elsewhere.jpeg(elsewhere.exif_segment(block)),
        elsewhere.webp(elsewhere.riff_chunk(b"EXIF", block)),
        elsewhere.webp(elsewhere.riff_chunk(b"EXIF", b"Exif\0\0" + block)),
        elsewhere.avif(exif_block=b"Exif\0\0" + block),
        elsewhere.gif(elsewhere.gif_comment(text.encode())),
        elsewhere.jpeg(elsewhere.jpeg_segment(0xFE, text.encode())),
    ]
    for data in pictures:
        facts = facts_of(data, "x")
        assert (facts["tool"], facts["prompt"], facts["negative"]) == (
            "a1111",
            "a jade pendant, 仙鹤",
            "水印",
        )


def test_the_extras_tab_writes_settings_without_a_prompt():
    reading = main_of(
        records.png({"postprocessing": "Postprocess upscale by: 4, Postprocess upscaler: R-ESRGAN 4x+"})
    )
    assert reading.tool == "a1111"
    assert reading.value("tool:Postprocess upscaler") == "R-ESRGAN 4x+"
    assert reading.value("prompt") is None


def test_a_plain_sentence_under_parameters_is_nobody_s():
    reading = read_records(records.png({"parameters": "a sentence, nothing more"}))[0]
    assert (reading.tool, reading.main) == (None, False)
    assert reading.value("tool:parameters") == "a sentence, nothing more"


@pytest.mark.parametrize(
    "prompt", ["[a crane:a heron:0.5], mist", "{red|blue} pendant", "{{{masterpiece}}}, jade", '{"a": 1}']
)
def test_a_prompt_may_begin_with_a_bracket(prompt):
    reading = main_of(records.png({"parameters": f"{prompt}\nNegative prompt: [blurry]\n{SETTINGS}"}))
    assert (reading.tool, reading.value("prompt"), reading.value("negative")) == ("a1111", prompt, "[blurry]")


def test_one_tool_writes_two_kinds_of_chunk():
    plain, chinese = records.a1111_png("plain"), records.a1111_png("仙鹤")
    assert read_records(plain)[0].locator.place == "tEXt:parameters"
    assert read_records(chinese)[0].locator.place == "iTXt:parameters"


@pytest.mark.parametrize("codec", ["utf-8", "latin-1"])
def test_text_chunks_hold_utf8_or_latin1(codec):
    text = f"caf\xe9, ni\xf1o\n{SETTINGS}"
    data = records.png(before=[records.chunk(b"tEXt", b"parameters\0" + text.encode(codec))])
    reading = main_of(data)
    assert reading.value("prompt") == "caf\xe9, ni\xf1o"
    assert reading.raw == b"parameters\0" + text.encode(codec)


def test_a_prompt_of_a_megabyte_is_read():
    prompt = "a jade pendant, " * (1 << 16)
    assert main_of(records.a1111_png(prompt)).value("prompt") == prompt.strip()
