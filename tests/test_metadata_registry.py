"""Reading whole files: what `read_records` and `facts_of` promise."""

from tests import records

from makingof.metadata.facts import facts_of
from makingof.metadata.registry import main_reading, read_records


def test_facts_of_an_a1111_picture():
    data = records.a1111_png("a jade pendant, 仙鹤", "watermark, text")
    facts = facts_of(data, "a.png")
    assert (facts["tool"], facts["prompt"], facts["negative"]) == (
        "a1111",
        "a jade pendant, 仙鹤",
        "watermark, text",
    )
    assert (facts["seed"], facts["steps"], facts["model"]) == ("1234567890", "20", "pendant_v2")


def test_facts_of_a_comfyui_picture():
    data = records.comfyui_png(records.text_to_image("a jade pendant", "水印", seed=2**63 + 1))
    facts = facts_of(data, "a.png")
    assert (facts["tool"], facts["prompt"], facts["negative"]) == ("comfyui", "a jade pendant", "水印")
    assert (facts["seed"], facts["steps"], facts["model"]) == (str(2**63 + 1), "20", "pendant_v2.safetensors")


def test_a_picture_that_says_nothing_has_no_main_reading():
    assert main_reading(read_records(records.png())) is None
    assert facts_of(records.png(), "a.png")["tool"] is None


def test_raw_bytes_are_those_the_locator_names():
    data = records.comfyui_png(records.text_to_image("a jade pendant", "水印"))
    for reading in read_records(data):
        where = reading.locator
        assert data[where.offset : where.offset + where.size_bytes] == reading.raw


def test_pictures_read_one_after_the_other_keep_their_own_words():
    for number in range(200):
        data = records.a1111_png(f"words of number {number}", Seed=number) if number % 3 else records.png()
        main = main_reading(read_records(data))
        assert (main.value("prompt") if main else None) == (
            f"words of number {number}" if number % 3 else None
        )


def test_readings_are_the_same_every_time():
    data = records.comfyui_png(records.text_to_image("a jade pendant", "水印"))
    assert read_records(data, "a.png") == read_records(bytes(data), "a.png")


def test_unknown_chunks_are_kept_without_a_tool():
    data = records.png(
        {"Software": "something", "Weird key": "仙鹤"}, before=[records.chunk(b"zTXt", b"broken\0\0xx")]
    )
    readings = read_records(data)
    assert [(reading.tool, str(reading.state)) for reading in readings] == [
        (None, "present"),
        (None, "present"),
        (None, "unreadable"),
    ]
    assert readings[1].value("tool:Weird key") == "仙鹤"
    assert readings[2].raw == b"broken\0\0xx"
