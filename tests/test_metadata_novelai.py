"""NovelAI: its chunks, its structures, and the signature over parameters and pixels."""

import base64
import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests import records
from tests import records_elsewhere as elsewhere
from tests.main_readings import FACTS, main_of, values

from makingof.metadata.facts import facts_of
from makingof.metadata.pixels import check_novelai
from makingof.metadata.registry import main_reading, read_records


def novelai_texts(comment):
    return {
        "Title": "AI generated image",
        "Description": comment["prompt"],
        "Software": "NovelAI",
        "Source": "NovelAI Diffusion V4.5 4BDE2A90",
        "Generation time": "5.9s",
        "Comment": json.dumps(comment),
    }


COMMENT = elsewhere.novelai_comment(
    "a pendant, 仙鹤",
    "text, logo",
    v4_prompt={
        "caption": {
            "base_caption": "a pendant, 仙鹤",
            "char_captions": [{"char_caption": "a crane", "centers": [{"x": 0.5, "y": 0.5}]}],
        },
    },
)


def test_novelai_png_keeps_its_chunks_and_its_comment():
    readings = read_records(records.png(novelai_texts(COMMENT)))
    main = main_reading(readings)
    assert values(main, *FACTS) == [
        "a pendant, 仙鹤",
        "text, logo",
        "2043807047",
        "28",
        "NovelAI Diffusion V4.5 4BDE2A90",
    ]
    assert main.value("tool:v4_prompt character 1") == "a crane"
    assert {reading.tool for reading in readings} == {"novelai"}
    assert len(readings) == 6


def test_novelai_webp_holds_json_inside_json():
    outer = {
        "Comment": json.dumps(COMMENT),
        "Software": "NovelAI",
        "Source": "NovelAI Diffusion V4 37C2B166",
        "Description": "x",
    }
    comment = b"ASCII\0\0\0" + json.dumps(outer).encode()
    block = elsewhere.exif(
        {
            0x010D: b"AI generated image\0",
            0x0131: b"NovelAI\0",
            0x010E: "damaged \xff".encode("latin-1") + b"\0",
        },
        {elsewhere.USER_COMMENT: comment},
    )
    main = main_of(elsewhere.webp(elsewhere.riff_chunk(b"EXIF", block)))
    assert values(main, *FACTS) == [
        "a pendant, 仙鹤",
        "text, logo",
        "2043807047",
        "28",
        "NovelAI Diffusion V4 37C2B166",
    ]


def test_novelai_prompts_in_the_structure_alone_are_found():
    comment = {key: item for key, item in COMMENT.items() if key != "prompt"}
    reading = main_of(records.png({"Software": "NovelAI", "Comment": json.dumps(comment)}))
    assert reading.value("prompt") == "a pendant, 仙鹤"


def test_early_novelai_keeps_the_prompt_only_in_the_description():
    comment = {"steps": 50, "sampler": "k_euler", "seed": 1, "uc": "text"}
    texts = {
        "Description": "a pendant",
        "Software": "NovelAI",
        "Source": "Stable Diffusion 1D44365E",
        "Comment": json.dumps(comment),
    }
    assert values(main_of(records.png(texts)), *FACTS) == [
        "a pendant",
        "text",
        "1",
        "50",
        "Stable Diffusion 1D44365E",
    ]


def signed(key, comment, image):
    pixels = image.convert("RGB").tobytes()
    signature = key.sign(pixels + json.dumps(comment).encode())
    return comment | {"signed_hash": base64.b64encode(signature).decode()}


def test_novelai_signatures_bind_parameters_to_pixels():
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public = key.public_key().public_bytes_raw()
    image = elsewhere.hide("x")
    comment = signed(key, COMMENT, image)
    text = json.dumps(comment)
    for data in (elsewhere.saved(image), elsewhere.saved(image, "WEBP", lossless=True, exact=True)):
        assert check_novelai(data, text, key=public).held is True
        assert check_novelai(data, json.dumps(comment | {"seed": 1}), key=public).held is False
        assert check_novelai(data, text).held is False
    image.putpixel((0, 0), (1, 2, 3, 254))
    check = check_novelai(elsewhere.saved(image), text, key=public)
    assert (check.held, check.detail[:12]) == (False, "not verified")


def test_a_signature_that_cannot_be_checked_is_neither_right_nor_wrong():
    data = elsewhere.saved(elsewhere.hide("x"))
    assert check_novelai(data, json.dumps(COMMENT)).held is None
    assert check_novelai(data, json.dumps(COMMENT | {"signed_hash": "no base64!"})).held is None
    assert check_novelai(b"no picture", json.dumps(COMMENT | {"signed_hash": "AAAA"})).held is None


def test_facts_check_a_signature_and_plain_reading_leaves_it_open():
    image = elsewhere.hide("x")
    comment = signed(Ed25519PrivateKey.from_private_bytes(bytes(32)), COMMENT, image)
    chunks = [records.text_chunk(key, text) for key, text in novelai_texts(comment).items()]
    data = elsewhere.saved(image)
    data = data[:33] + b"".join(chunks) + data[33:]
    assert [check.held for check in main_of(data).checks] == [None]
    checks = next(record["checks"] for record in facts_of(data, "a.png")["records"] if record["main"])
    assert [(check["name"], check["held"]) for check in checks] == [("novelai_signature", False)]
