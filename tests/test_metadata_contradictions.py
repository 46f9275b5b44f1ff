import json
import struct

from tests import c2pa_files, records
from tests import records_elsewhere as elsewhere

from makingof.metadata.contradictions import find_contradictions
from makingof.metadata.registry import read_records
from makingof.metadata.thorough import read_thoroughly

GRAPH = json.dumps(records.text_to_image("a jade pendant", "text", seed=42))


def kinds(data, size=None):
    return [found.kind for found in find_contradictions(read_records(data), size)]


def test_records_that_agree_contradict_nothing():
    text = records.infotext(
        "a jade pendant <lora:x:1>", "text", Seed=42, Steps=20, Model="pendant_v2", Version=None
    )
    assert kinds(records.png({"prompt": GRAPH, "parameters": text})) == []


def test_seeds_that_differ_are_named_with_both_values():
    text = records.infotext("a jade pendant", "text", Seed=43, Model="pendant_v2", Version=None)
    (found,) = find_contradictions(read_records(records.png({"prompt": GRAPH, "parameters": text})))
    assert found.kind == "records_differ"
    assert "42" in str(found.message)
    assert "43" in found.message.in_language("zh")


def test_a_text_that_fits_any_sampler_of_the_graph_contradicts_nothing():
    graph = records.text_to_image("a jade pendant", "text", seed=42)
    second = graph["3"]["inputs"] | {"seed": 43, "latent_image": ["3", 0]}
    graph |= {
        "13": records.node("KSampler", **second),
        "8": records.node("VAEDecode", samples=["13", 0], vae=["4", 2]),
    }
    text = records.infotext("a jade pendant", "text", Seed=42, Model="pendant_v2", Version=None)
    assert kinds(records.png({"prompt": json.dumps(graph), "parameters": text})) == []


def test_records_of_two_tools_are_two_tools():
    forge = records.infotext("a jade pendant", "text", Seed=42, Model="pendant_v2", Version="f2.0.1v1.10.1-1")
    assert kinds(records.png({"prompt": GRAPH, "parameters": forge})) == ["two_tools"]


def test_a_picture_smaller_than_its_generation_was_cut_or_is_another():
    data = records.a1111_png("a ring", width=8, height=8)
    assert kinds(data, (8, 8)) == ["smaller_than_made"]
    assert kinds(data, (512, 512)) == []
    assert kinds(data, (1024, 1024)) == []
    assert kinds(data) == []


def test_camera_settings_beside_a_generator_s_record():
    block = elsewhere.exif(
        {0x0110: b"Model 5\0", 0x829A: struct.pack(">II", 1, 200)},
        {elsewhere.USER_COMMENT: elsewhere.comment_utf16(records.infotext("a ring"))},
        kinds={0x829A: 5},
    )
    assert kinds(elsewhere.jpeg(elsewhere.exif_segment(block))) == ["camera"]
    packet = elsewhere.xmp(
        {"Iptc4xmpExt:DigitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"}
    )
    data = elsewhere.jpeg(
        elsewhere.xmp_segment(packet),
        elsewhere.exif_segment(elsewhere.comment_exif(records.infotext("a ring"))),
    )
    assert kinds(data) == ["source_type"]


def test_a_camera_alone_contradicts_nothing():
    block = elsewhere.exif({0x0110: b"Model 5\0", 0x829A: struct.pack(">II", 1, 200)}, kinds={0x829A: 5})
    assert kinds(elsewhere.jpeg(elsewhere.exif_segment(block))) == []


def test_checks_that_did_not_hold_are_named():
    data = bytearray(c2pa_files.signed_png())
    data[-20] ^= 1
    assert [found.kind for found in find_contradictions(read_thoroughly(bytes(data)))] == ["check_failed"]
