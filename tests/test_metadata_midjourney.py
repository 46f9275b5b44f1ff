"""Midjourney: made after its documentation, for no genuine download was to be had."""

import pytest
from tests import records
from tests import records_elsewhere as elsewhere

from makingof.metadata.facts import facts_of
from makingof.metadata.midjourney import prompt_fields
from makingof.metadata.registry import main_reading, read_records

JOB = "3f2a1b4c-0d1e-4f2a-8b3c-123456789abc"
COMMAND = "a jade pendant, macro --ar 16:9 --no text, logo --seed 42 --v 6.1 --raw"
TEXTS = {
    "Description": f"{COMMAND} Job ID: {JOB}",
    "Author": "ada",
    "Creation Time": "Mon, 02 Mar 2026 10:00:00 GMT",
}
PACKET = elsewhere.xmp(
    {
        "iptcExt:DigImageGUID": JOB,
        "iptcExt:DigitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
    }
)


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_download_is_read_wherever_its_chunks_stand(place):
    chunks = [records.text_chunk(key, text) for key, text in TEXTS.items()]
    chunks.append(records.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + PACKET))
    readings = read_records(records.png(**{place: chunks}))
    main = main_reading(readings)
    assert (main.tool, main.value("prompt"), main.value("negative")) == (
        "midjourney",
        "a jade pendant, macro",
        "text, logo",
    )
    assert (main.value("job"), main.value("user"), main.value("seed")) == (JOB, "ada", "42")
    assert main.value("tool:command") == COMMAND
    assert main.value("model") == "version 6.1"
    assert any(reading.value("tool:DigImageGUID") == JOB for reading in readings)


def test_flags_behind_a_dash_and_without_a_value_are_flags():
    fields = prompt_fields("a ring \u2014ar 1:1 --tile --s 250 --sref https://a/b.png 123", "x")
    assert fields["prompt"].value == "a ring"
    assert fields["tool:--ar"].value == "1:1"
    assert fields["tool:--tile"].value == "true"
    assert fields["tool:--stylize"].value == "250"
    assert fields["tool:--sref"].value == "https://a/b.png 123"


def test_a_name_alone_is_a_hint_and_speaks_for_nothing():
    data = records.png()
    (reading,) = read_records(data, f"ada_a_jade_pendant_macro_{JOB}_0.png")
    assert (reading.tool, reading.main, reading.value("job")) == ("midjourney", False, JOB)
    assert reading.value("prompt") is None
    assert [check.held for check in reading.checks] == [None]
    assert facts_of(data, f"ada_x_{JOB}_0.png")["tool"] is None
    assert read_records(data, f"{JOB}.png") == []


def test_a_name_and_xmp_that_name_one_job_speak_for_the_picture():
    data = elsewhere.jpeg(elsewhere.xmp_segment(PACKET))
    assert main_reading(read_records(data, f"ada_x_y_{JOB}_3.jpg")).tool == "midjourney"
    assert main_reading(read_records(data, "other.jpg")) is None


def test_hostile_descriptions_take_no_time():
    for text in (
        " " * 60_000,
        "Job ID:" * 9_000,
        "--a " * 15_000 + f"Job ID: {JOB}",
        "—" * 60_000 + f" Job ID: {JOB}",
    ):
        read_records(records.png({"Description": text}), "_" * 250 + ".png")
