"""China's implicit label: read leniently, reported strictly."""

import base64
import json

import pytest
from tests import records
from tests import records_elsewhere as elsewhere

from makingof.metadata.aigc import is_credit_code
from makingof.metadata.registry import read_records

# Codes of two providers as they stand in public files (their check digits are right).
PRODUCER = "001191110102MAD55U9H0F10002"
OTHER = "001191440300708461136T1XGW3"
LABEL = {
    "Label": "1",
    "ContentProducer": PRODUCER,
    "ProduceID": "a1-b2",
    "ReservedCode1": "",
    "ContentPropagator": PRODUCER,
    "PropagateID": "a1-b2",
    "ReservedCode2": "",
}


def in_xmp(text):
    return elsewhere.jpeg(elsewhere.xmp_segment(elsewhere.xmp({"TC260:AIGC": text})))


def label_of(data):
    return next(reading for reading in read_records(data) if reading.reader == "aigc/1")


def failed(data):
    return {check.name for check in label_of(data).checks if check.held is False}


def test_a_label_as_the_standard_has_it_fails_nothing_but_the_side_it_was_passed_on():
    reading = label_of(in_xmp(json.dumps(LABEL)))
    assert reading.value("tool:AIGC.Label") == "1"
    assert reading.value("tool:AIGC.ContentProducer") == PRODUCER
    assert failed(in_xmp(json.dumps(LABEL))) == {"aigc_code_propagator"}


@pytest.mark.parametrize(
    "data",
    [
        records.png({"AIGC": json.dumps({"AIGC": LABEL})}),
        elsewhere.jpeg(elsewhere.exif_segment(elsewhere.comment_exif(json.dumps({"AIGC": LABEL})))),
        elsewhere.webp(elsewhere.riff_chunk(b"XMP ", elsewhere.xmp({"TC260:AIGC": json.dumps(LABEL)}))),
        elsewhere.gif(elsewhere.gif_xmp(elsewhere.xmp({"TC260:AIGC": json.dumps(LABEL)}))),
        elsewhere.exif({0x02BC: elsewhere.xmp({"TC260:AIGC": json.dumps(LABEL)})}, kinds={0x02BC: 7}),
        records.png(
            before=[
                records.chunk(
                    b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + elsewhere.xmp({"TC260:AIGC": json.dumps(LABEL)})
                )
            ]
        ),
    ],
    ids=["png chunk", "exif", "webp", "gif", "tiff", "png xmp"],
)
def test_a_label_is_found_in_every_place_the_guide_names(data):
    assert label_of(data).value("tool:AIGC.ProduceID") == "a1-b2"
    assert "aigc_form" not in failed(data)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (json.dumps({"AIGC": LABEL}), "aigc_form"),
        (json.dumps(LABEL | {"Label": "AIGC"}), "aigc_label_value"),
        (json.dumps(LABEL | {"Label": 1}), "aigc_label_value"),
        (json.dumps(LABEL | {"ProduceID": "with blank"}), "aigc_characters"),
        (json.dumps(LABEL | {"ContentProducer": "某公司"}), "aigc_code_producer"),
        (json.dumps(LABEL | {"ContentProducer": PRODUCER.replace("H0F1", "H0G1")}), "aigc_code_producer"),
        (json.dumps({key: LABEL[key] for key in list(LABEL)[:3]}), "aigc_keys"),
        (json.dumps(dict(reversed(LABEL.items()))), "aigc_keys"),
        (json.dumps(LABEL | {"Extra": "x"}), "aigc_keys"),
        (base64.b64encode(json.dumps(LABEL).encode()).decode(), "aigc_is_json"),
        (json.dumps(LABEL).replace('"', "&quot;"), "aigc_is_json"),
        ("not JSON", "aigc_is_json"),
    ],
)
def test_every_deviation_is_a_check_of_its_own(text, name):
    assert name in failed(in_xmp(text))


def test_two_labels_in_one_file_are_one_too_many():
    data = elsewhere.jpeg(
        elsewhere.xmp_segment(elsewhere.xmp({"TC260:AIGC": json.dumps(LABEL)})),
        elsewhere.exif_segment(elsewhere.comment_exif(json.dumps({"AIGC": LABEL}))),
    )
    assert "aigc_one_label" in failed(data)


def test_a_label_passed_on_by_another_is_noted_and_no_failure():
    passed_on = LABEL | {"ContentPropagator": OTHER.replace("T1XGW3", "T2XGW3")}
    checks = {check.name: check.held for check in label_of(in_xmp(json.dumps(passed_on))).checks}
    assert checks["aigc_as_first_written"] is None
    assert checks["aigc_code_propagator"] is True


@pytest.mark.parametrize(
    ("code", "right"),
    [
        ("91110102MAD55U9H0F", True),
        ("91440300708461136T", True),
        ("91110102MAD55U9H0E", False),
        ("91110102MAD55U9H0", False),
        ("9111010IMAD55U9H0F", False),
    ],
)
def test_check_digits_of_credit_codes(code, right):
    assert is_credit_code(code) is right
