"""InvokeAI: its three generations of records."""

import json

from tests import records
from tests.main_readings import FACTS, main_of, values

from makingof.metadata.registry import main_reading, read_records
from makingof.reading import State

CORE = {
    "generation_mode": "sdxl_txt2img",
    "positive_prompt": "a pendant",
    "negative_prompt": "text",
    "width": 1024,
    "height": 1024,
    "seed": 3293022630,
    "cfg_scale": 8.0,
    "steps": 35,
    "scheduler": "euler",
    "app_version": "6.14.0",
    "loras": [{"model": {"name": "l"}, "weight": 0.5}],
    "clip_skip": None,
    "model": {"key": "k", "hash": "blake3:0f", "name": "juggernautXL", "base": "sdxl", "type": "main"},
}


def test_invokeai_s_own_record_is_read():
    reading = main_of(records.png({"invokeai_metadata": json.dumps(CORE), "invokeai_graph": "{}"}))
    assert values(reading, *FACTS) == ["a pendant", "text", "3293022630", "35", "juggernautXL"]
    assert values(reading, "guidance", "sampler", "model_hash") == ["8.0", "euler", "blake3:0f"]
    assert (reading.tool, reading.tool_version) == ("invokeai", "6.14.0")
    assert reading.state_of("clip_skip") is State.ABSENT


def test_invokeai_before_version_four_names_the_model_otherwise():
    older = CORE | {"model": {"model_name": "older", "base_model": "sdxl", "model_type": "main"}}
    assert main_of(records.png({"invokeai_metadata": json.dumps(older)})).value("model") == "older"


def test_invokeai_s_second_generation_splits_words_in_brackets():
    image = {
        "prompt": [{"prompt": "a ring, [blurry], macro [text]", "weight": 1.0}],
        "steps": 50,
        "seed": 2,
        "sampler": "k_lms",
        "cfg_scale": 5,
    }
    record = {
        "model": "stable diffusion",
        "model_weights": "deliberate",
        "model_hash": "56d1",
        "app_version": "2.3.0",
        "image": image,
    }
    dream = (
        '"a ring, [blurry], macro [text]" -s 50 -S 2 -W 512 -H 768 -C 5 -A k_lms -G 0.9 -cf 0.75 -U 4 0.95'
    )
    readings = read_records(records.png({"Dream": dream, "sd-metadata": json.dumps(record)}))
    main = main_reading(readings)
    assert values(main, *FACTS) == ["a ring, macro", "blurry, text", "2", "50", "deliberate"]
    assert main.value("typed_prompt") == "a ring, [blurry], macro [text]"
    assert main.locator.place == "tEXt:sd-metadata"
    assert len(readings) == 2


def test_invokeai_s_first_generation_is_a_command_line():
    reading = main_of(
        records.png({"Dream": '"a "quoted" ring [text]" -s 50 -S 123 -W 512 -H 768 -C 7.5 -A k_lms'})
    )
    assert values(reading, *FACTS) == ['a "quoted" ring', "text", "123", "50", None]
    assert values(reading, "width", "height", "guidance", "sampler") == ["512", "768", "7.5", "k_lms"]
