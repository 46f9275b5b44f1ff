"""Bytes from strangers: every reader returns, in bounded time, whatever it is given."""

import copy
import json
import mmap
import time
import tracemalloc
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import c2pa_files, records
from tests import records_elsewhere as elsewhere

from makingof.containers.cbor import parse_cbor
from makingof.containers.exif import parse_exif
from makingof.containers.exif_text import decode_user_comment
from makingof.containers.headed import HeadedFile
from makingof.containers.jumbf import parse_jumbf
from makingof.containers.pieces import segments
from makingof.containers.source import SeekableFile
from makingof.containers.xmp import parse_xmp
from makingof.errors import MalformedError
from makingof.metadata.a1111 import parse_infotext
from makingof.metadata.c2pa import check_manifest
from makingof.metadata.contradictions import find_contradictions
from makingof.metadata.facts import facts_of
from makingof.metadata.registry import main_reading, read_records
from makingof.metadata.secrets import find_secrets
from makingof.metadata.tool_json import parse_tool_json, spell
from makingof.reading import State

SAMPLES = Path(__file__).parents[2] / "shared" / "samples"
TEXT = records.infotext("a jade pendant, 仙鹤", "text", Hires_prompt="a, b: c")
GRAPH = json.dumps(records.text_to_image("a jade pendant", "text"))
COMMENT = json.dumps(elsewhere.novelai_comment("a", "b"))
BLOCK = elsewhere.comment_exif(TEXT)
PHOTOSHOP = elsewhere.xmp({"xmp:CreatorTool": "Adobe Photoshop", "TC260:AIGC": "{}"})
OTHERS = {
    "AIGC": '{"AIGC": {"Label": "1"}}',
    "sd-metadata": "{}",
    "Dream": '"a" -s 5',
    "generation_data": "{}",
}
PICTURES = [
    records.png({"parameters": TEXT, "prompt": GRAPH, "workflow": '{"nodes": [], "links": []}'}),
    records.png({"Software": "NovelAI", "Comment": COMMENT}),
    records.png(OTHERS),
    elsewhere.jpeg(
        elsewhere.exif_segment(BLOCK),
        elsewhere.xmp_segment(PHOTOSHOP),
        *elsewhere.extended_xmp(PHOTOSHOP, 90)[1],
    ),
    elsewhere.webp(elsewhere.riff_chunk(b"EXIF", BLOCK), elsewhere.riff_chunk(b"XMP ", PHOTOSHOP)),
    elsewhere.gif(elsewhere.gif_comment(TEXT.encode()), elsewhere.gif_xmp(PHOTOSHOP)),
    elsewhere.avif(exif_block=b"Exif\0\0" + BLOCK, xmp_packet=elsewhere.xmp({"sdcpp:parameters": TEXT})),
    elsewhere.exif({0x02BC: PHOTOSHOP, 0x010E: TEXT.encode()}, kinds={0x02BC: 1}),
    c2pa_files.signed_png(),
    c2pa_files.signed_jpeg(),
]


def read_all(data):
    readings = read_records(data, "a_00001_.png")
    assert sum(reading.main for reading in readings) <= 1
    for reading in readings:
        where = reading.locator
        if where.offset is not None and reading.raw:
            assert data[where.offset : where.offset + where.size_bytes] == reading.raw
        for field in reading.fields.values():
            assert field.value is None or field.value.encode() is not None
            assert (field.value is None) == (field.state not in (State.PRESENT, State.DEFAULT))
    json.dumps(facts_of(data, "a.png"), default=str)
    find_secrets(readings)
    find_contradictions(readings, (8, 8))


@given(
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"II*\0", b"\0\0\0\x1cftypavif"]),
    st.binary(max_size=300),
)
@settings(max_examples=60)
def test_arbitrary_bytes_are_read_or_have_nothing_to_read(magic, rest):
    read_all(magic + rest)


@given(
    st.sampled_from(PICTURES),
    st.lists(st.tuples(st.integers(0, 1 << 16), st.binary(min_size=1, max_size=8)), max_size=6),
    st.booleans(),
)
@settings(max_examples=150)
def test_spoilt_pictures_are_read_as_far_as_they_go(picture, changes, cut):
    data = bytearray(picture)
    for place, put in changes:
        at = place % len(data)
        data[at : at + len(put)] = put
    if cut and changes:
        del data[changes[0][0] % len(data) :]
    read_all(bytes(data))
    segments(bytes(data))


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="../shared/samples is not there")
def test_spoilt_samples_are_read_as_far_as_they_go():
    for path in sorted(SAMPLES.rglob("*")):
        if (
            path.suffix in (".png", ".jpg", ".webp")
            and path.stat().st_size < 30_000
            and "0.3.64" not in path.parts
        ):
            data = path.read_bytes()
            for at in range(0, len(data), 1 + len(data) // 6):
                read_records(data[:at] + b'\xff\0{"' + data[at + 4 :])
                read_records(data[:at])


@given(st.text(alphabet=st.characters(), max_size=200))
@settings(max_examples=60)
def test_any_text_is_an_infotext_or_none(text):
    parse_infotext(text)
    parse_infotext(f"{text}\nSteps: 1, Seed: 2, Size: 3x4, X: {text}")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
        max_leaves=20,
    )
)
@settings(max_examples=60)
def test_json_is_spelled_back_as_the_same_json(value):
    parsed, _ = parse_tool_json(json.dumps([value]))
    assert json.loads(spell(parsed)) == [value]


@pytest.mark.parametrize(
    "parse",
    [
        parse_exif,
        parse_xmp,
        parse_jumbf,
        parse_cbor,
        decode_user_comment,
        lambda raw: parse_tool_json(raw.decode("latin-1")),
    ],
)
@given(raw=st.binary(max_size=200))
@settings(max_examples=40)
def test_parsers_return_or_say_malformed(parse, raw):
    try:
        parse(raw)
    except MalformedError:
        return


CAPTION = {"base_caption": "a", "char_captions": [{"char_caption": "c"}]}
TOOL_OBJECTS = {
    "invokeai_metadata": {
        "positive_prompt": "a",
        "seed": 1,
        "model": {"name": "m"},
        "vae": {"name": "v"},
        "loras": [],
    },
    "sd-metadata": {"image": {"prompt": [{"prompt": "a [b]", "weight": 1}], "seed": 1}, "model_weights": "m"},
    "Comment": elsewhere.novelai_comment("a", "b", v4_prompt={"caption": CAPTION}),
    "parameters": {
        "base_model": "m",
        "performance": "x",
        "resolution": "(1, 2)",
        "version": "1",
        "loras": [["a", 1]],
    },
    "generation_data": {"prompt": "a", "seed": -1, "baseModel": {"modelFileName": "m"}, "models": [{"a": 1}]},
    "parameters-json": {"PositivePrompt": "a", "Seed": 1},
    "AIGC": {"AIGC": {"Label": "1", "ContentProducer": "x", "ProduceID": "y"}},
    "prompt": records.text_to_image("a", "b") | {"extraMetadata": '{"prompt": "a"}', "extra": {"airs": []}},
    "UserComment": json.loads(elsewhere.swarm_parameters("a", "b", original_prompt="c")),
}
ODD = st.sampled_from([None, True, 0, -1, 10**30, "", "x", [], {}, [[]], [{}], {"x": None}, ["3", 0], [3, 0]])


def places(value, path=()):
    """Every path into a JSON value."""
    yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in pairs:
        yield from places(item, (*path, key))


@given(st.sampled_from(sorted(TOOL_OBJECTS)), st.data())
@settings(max_examples=120)
def test_values_of_the_wrong_kind_anywhere_spoil_only_themselves(key, data):
    value = copy.deepcopy(TOOL_OBJECTS[key])
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(sorted(places(value), key=str)))
        inside = value
        for step in path[:-1]:
            inside = inside[step]
        if path:
            inside[path[-1]] = copy.deepcopy(data.draw(ODD))
    texts = {key: json.dumps(value)}
    if key == "Comment":
        texts["Software"] = "NovelAI"
    if key == "UserComment":
        read_all(elsewhere.jpeg(elsewhere.exif_segment(elsewhere.comment_exif(texts[key]))))
    else:
        read_all(records.png(texts | {"smproj": "{}"}))


SMALL = ODD.filter(lambda value: value != 10**30)  # CBOR has no larger number than 64 bits
CLAIM_KEYS = ("instanceID", "claim_generator_info", "signature", "created_assertions", "alg")


PLACES = st.sampled_from([None, "actions", "binding", "header"])


@given(st.sampled_from(CLAIM_KEYS), SMALL, PLACES, SMALL, st.booleans())
@settings(max_examples=80)
def test_claims_of_the_wrong_kind_are_read_or_said_not_to_parse(key, odd, place, other, inside):
    around = {"actions": "actions", "binding": "exclusions", "header": 1}
    other = {around[place]: other, "alg": "sha256", "hash": bytes(32)} if inside and place else other
    store = c2pa_files.store(bytes(32), [(33, 10)], change={"claim": {key: odd}, place: other})
    plain = records.png()
    data = plain[:33] + records.chunk(b"caBX", store) + plain[33:]
    read_all(data)
    check_manifest(data, store)


def timed(data, seconds):
    started = time.process_time()
    facts = facts_of(data, "a.png")
    assert time.process_time() - started < seconds
    return facts


def test_deep_json_is_unreadable_and_the_tool_named():
    deep = '{"1": {"class_type": "X", "inputs": {"a": ' + "[" * 100_000 + "]" * 100_000 + "}}}"
    data = records.png({"prompt": deep, "parameters": TEXT})
    timed(data, 2)
    assert main_reading(read_records(data)).state is State.UNREADABLE


def test_very_long_json_is_not_parsed():
    data = records.png({"prompt": '{"1": {"class_type": "X"}, "2": "' + "x" * (9 << 20) + '"}'})
    timed(data, 3)
    assert main_reading(read_records(data)).state is State.UNREADABLE


def test_a_graph_too_large_to_read_is_not_read_by_half():
    nodes = {str(n): {"class_type": "X"} for n in range(20_001)}
    assert main_reading(read_records(records.png({"prompt": json.dumps(nodes)}))).state is State.UNREADABLE


def test_numbers_without_end_are_text():
    graph = json.dumps(records.text_to_image("a", seed=42)).replace('"seed": 42', '"seed": ' + "9" * 100_000)
    assert len(timed(records.png({"prompt": graph}), 2)["seed"]) == 100_000
    assert (
        timed(records.png({"parameters": f"a\nSteps: 1, Size: {'9' * 50_000}x1, Seed: [{'9' * 9_000}]"}), 2)[
            "steps"
        ]
        == "1"
    )


def test_many_bombs_share_one_limit():
    bomb = records.chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(15 << 20), 9))
    timed(records.png(before=[bomb] * 200), 6)


def test_many_records_are_counted_and_no_more():
    chunks = [records.text_chunk(f"k{number}", "x") for number in range(5_000)]
    assert len(read_records(records.png(before=chunks))) == 2_000


def test_lines_made_to_be_slow_are_not():
    lines = [
        "Steps: 1, " + "a" * 200_000,
        "Steps: 1, " + "a: [" * 50_000,
        'Steps: 1, b: "' + "\\" * 200_000,
        "Steps: " + "-" * 200_000,
    ]
    lines += [
        "Steps: 1, Seed: 2, Size: 1x1, " + "a b-c/" * 40_000,
        ", " * 100_000 + "Steps: 1, Seed: 2, Size: 1x1",
    ]
    for line in lines:
        timed(records.png({"parameters": f"p\n{line}"}), 2)


def test_a_graph_made_to_be_walked_for_ever_is_not():
    nodes = {
        str(n): records.node(
            "ConditioningCombine", **{f"conditioning_{k}": [str((n * 7 + k) % 3_000), 0] for k in range(5)}
        )
        for n in range(3_000)
    }
    nodes |= {
        f"s{n}": records.node(
            "KSampler", seed=n, steps=1, positive=["0", 0], negative=["1", 0], latent=[f"s{n - 1}", 0]
        )
        for n in range(60)
    }
    nodes |= {f"o{n}": records.node("SaveImage", filename_prefix="x", images=[f"s{n}", 0]) for n in range(60)}
    timed(records.png({"prompt": json.dumps(nodes)}), 5)


def test_mapped_and_opened_files_are_read_like_bytes(tmp_path):
    for number, data in enumerate(PICTURES):
        path = tmp_path / str(number)
        path.write_bytes(data)
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            assert read_records(mapped, "a.png") == read_records(data, "a.png")
            assert read_records(SeekableFile(file), "a.png") == read_records(data, "a.png")
        with HeadedFile(path) as headed:
            assert read_records(headed, "a.png") == read_records(data, "a.png")
            assert facts_of(headed, "a.png") == facts_of(data, "a.png")


def test_files_that_shrink_while_they_are_read_are_read_as_far_as_they_go(tmp_path):
    for number, data in enumerate(PICTURES):
        path = tmp_path / str(number)
        for left in range(0, len(data), 1 + len(data) // 9):
            path.write_bytes(data)
            with path.open("r+b", buffering=0) as file, HeadedFile(path) as headed:
                opened = SeekableFile(file)
                file.truncate(left)
                read_records(opened, "a.png")
                read_records(headed, "a.png")


def test_names_as_long_as_books_are_not_remembered():
    def read(number):
        long = f"{number} " * 20_000
        graph = records.text_to_image("a cat")
        graph["6"]["class_type"] = long
        graph["4"]["inputs"][f"model {long}"] = ["8", 0]
        settings = records.infotext("a cat", **{long: 1, "Version": long})
        assert read_records(records.comfyui_png(graph))
        assert read_records(records.png({"parameters": settings}))

    read(0)
    tracemalloc.start()
    try:
        for number in range(1, 60):
            read(number)
        left, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert left < 1 << 20  # one name of each file would be more than six times that
