"""Records hidden in the lowest bits of pixels."""

import gzip
import json
import struct
import time

import pytest
from PIL import Image
from tests import records
from tests import records_elsewhere as elsewhere

from makingof.metadata.facts import facts_of
from makingof.metadata.pixels import read_stealth
from makingof.metadata.registry import main_reading, read_records
from makingof.reading import State

TEXT = records.infotext("a jade pendant, 仙鹤", "text", Seed=5)
MODES = ("stealth_pnginfo", "stealth_pngcomp", "stealth_rgbinfo", "stealth_rgbcomp")


@pytest.mark.parametrize("mode", MODES)
def test_all_four_ways_to_hide_a_text_are_found_on_demand(mode):
    data = elsewhere.saved(elsewhere.hide(TEXT, mode, width=48, height=80))
    (reading,) = read_stealth(data)
    assert (reading.tool, reading.value("prompt"), reading.value("seed")) == (
        "a1111",
        "a jade pendant, 仙鹤",
        "5",
    )
    assert (reading.locator.offset, reading.locator.place[:6]) == (None, "pixels")
    assert read_records(data) == []


def test_it_survives_in_lossless_webp():
    data = elsewhere.saved(elsewhere.hide(TEXT), "WEBP", lossless=True, exact=True)
    assert facts_of(data, "a.webp")["prompt"] == "a jade pendant, 仙鹤"


def test_facts_look_for_it_where_a_picture_with_alpha_says_nothing_else():
    silent = elsewhere.saved(elsewhere.hide(TEXT))
    assert facts_of(silent, "a.png")["seed"] == "5"
    speaking = silent[:33] + records.text_chunk("parameters", records.infotext("other", Seed=6)) + silent[33:]
    assert facts_of(speaking, "a.png")["seed"] == "6"
    assert facts_of(elsewhere.saved(elsewhere.hide(TEXT, "stealth_rgbinfo")), "a.png")["tool"] is None


def test_what_novelai_hides_is_read_as_its_chunks_are():
    comment = elsewhere.novelai_comment("a pendant", "text")
    hidden = {
        "Description": "a pendant",
        "Software": "NovelAI",
        "Source": "NovelAI Diffusion V4",
        "Comment": json.dumps(comment),
    }
    reading = main_reading(read_stealth(elsewhere.saved(elsewhere.hide(json.dumps(hidden)))))
    assert (reading.tool, reading.value("prompt"), reading.value("seed")) == (
        "novelai",
        "a pendant",
        "2043807047",
    )


def test_what_comfyui_hides_is_read_as_its_graph():
    hidden = {"prompt": records.text_to_image("a pendant"), "workflow": {"nodes": [], "links": []}}
    reading = main_reading(
        read_stealth(elsewhere.saved(elsewhere.hide(json.dumps(hidden), width=128, height=128)))
    )
    assert (reading.tool, reading.value("prompt")) == ("comfyui", "a pendant")


def with_bits(data, width=64, height=64):
    image = Image.new("RGBA", (width, height), (1, 2, 3, 254))
    bits = [byte >> shift & 1 for byte in data for shift in range(7, -1, -1)]
    for at, bit in enumerate(bits):
        image.putpixel((at // height, at % height), (1, 2, 3, 254 | bit))
    return elsewhere.saved(image)


@pytest.mark.parametrize(
    "data",
    [
        b"stealth_pnginfo" + struct.pack(">I", 0xFFFFFFFF),
        b"stealth_pngcomp" + struct.pack(">I", 64) + b"no gzip!",
        b"stealth_pngcomp" + struct.pack(">I", 8 * 60) + gzip.compress(TEXT.encode())[:60],
    ],
    ids=["a length beyond the pixels", "no gzip", "cut off"],
)
def test_a_hidden_record_that_does_not_unpack_is_unreadable(data):
    (reading,) = read_stealth(with_bits(data))
    assert (reading.tool, reading.state) == (None, State.UNREADABLE)


def test_a_hidden_bomb_is_not_unpacked():
    bomb = gzip.compress(bytes(40 << 20))
    data = with_bits(b"stealth_pngcomp" + struct.pack(">I", 8 * len(bomb)) + bomb, 640, 640)
    started = time.process_time()
    (reading,) = read_stealth(data)
    assert reading.state is State.UNREADABLE
    assert time.process_time() - started < 3


def test_a_picture_that_cannot_be_decoded_cannot_be_said_to_hide_nothing():
    data = elsewhere.saved(elsewhere.hide(TEXT))
    (reading,) = read_stealth(data[: len(data) // 2])
    assert reading.state is State.UNREADABLE
    huge = records.png(width=30_000, height=30_000, packed_pixels=b"", colour=(1, 2, 3, 4))
    assert read_stealth(huge)[0].state is State.UNREADABLE
    assert read_stealth(b"no picture") == []


def test_pictures_without_a_hidden_record_give_nothing():
    assert read_stealth(records.png(colour=(1, 2, 3, 4), width=64, height=64)) == []
    assert read_stealth(elsewhere.jpeg()) == []
