"""Photoshop's history and the IPTC words on generative AI, from XMP."""

import json

import pytest
from tests import records
from tests import records_elsewhere as elsewhere

from makingof.metadata.registry import main_reading, read_records

HISTORY = (
    "<xmpMM:History><rdf:Seq>"
    '<rdf:li stEvt:action="created" stEvt:instanceID="xmp.iid:1" stEvt:when="2026-03-01T10:00:00+01:00"'
    ' stEvt:softwareAgent="Adobe Photoshop 27.0 (Windows)"/>'
    '<rdf:li rdf:parseType="Resource"><stEvt:action>saved</stEvt:action></rdf:li>'
    "</rdf:Seq></xmpMM:History>"
)
IDS = "<rdf:Bag><rdf:li>uuid:1</rdf:li><rdf:li>xmp.did:2</rdf:li></rdf:Bag>"
ANCESTORS = f"<photoshop:DocumentAncestors>{IDS}</photoshop:DocumentAncestors>"
PACKET = elsewhere.xmp(
    {
        "xmp:CreatorTool": "Adobe Photoshop 27.0 (Windows)",
        "xmp:CreateDate": "2026-03-01T10:00:00+01:00",
        "xmpMM:DocumentID": "xmp.did:9",
        "photoshop:History": "2026-03-01 10:00 File opened",
    },
    elements=[HISTORY, ANCESTORS],
)


@pytest.mark.parametrize(
    "data",
    [
        elsewhere.jpeg(elsewhere.xmp_segment(PACKET)),
        records.png(before=[records.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + PACKET)]),
        elsewhere.exif({0x02BC: PACKET}, kinds={0x02BC: 1}, order="<"),
    ],
    ids=["jpeg", "png", "tiff"],
)
def test_history_and_ancestors_are_read_in_every_container(data):
    reading = main_reading(read_records(data))
    assert (reading.tool, reading.tool_version) == ("photoshop", "Adobe Photoshop 27.0 (Windows)")
    history = json.loads(reading.value("tool:History"))
    assert [step["action"] for step in history] == ["created", "saved"]
    assert history[0]["when"] == "2026-03-01T10:00:00+01:00"
    assert json.loads(reading.value("tool:DocumentAncestors")) == ["uuid:1", "xmp.did:2"]
    assert reading.value("tool:HistoryLog") == "2026-03-01 10:00 File opened"
    assert reading.value("made_at") == "2026-03-01T10:00:00+01:00"


def test_a_history_in_extended_xmp_out_of_order_is_read():
    guid, segments = elsewhere.extended_xmp(PACKET, 400)
    main = elsewhere.xmp_segment(elsewhere.xmp({"xmpNote:HasExtendedXMP": guid}))
    data = elsewhere.jpeg(*reversed(segments), main)
    assert main_reading(read_records(data)).tool == "photoshop"
    orphan = read_records(elsewhere.jpeg(*segments))
    assert any(check.held is False for reading in orphan for check in reading.checks)


def test_a_generator_s_record_speaks_before_an_editor_s():
    data = elsewhere.jpeg(
        elsewhere.xmp_segment(PACKET),
        elsewhere.exif_segment(elsewhere.comment_exif(records.infotext("a ring"))),
    )
    readings = read_records(data)
    assert main_reading(readings).tool == "a1111"
    assert [reading.tool for reading in readings if reading.tool] == ["a1111", "photoshop"]


SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


@pytest.mark.parametrize(("source", "held"), [(SOURCE, True), ("trainedAlgorithmicMedia", False)])
def test_the_digital_source_type_is_a_uri_or_marked(source, held):
    packet = elsewhere.xmp({"Iptc4xmpExt:DigitalSourceType": source})
    (reading,) = read_records(elsewhere.jpeg(elsewhere.xmp_segment(packet)))
    assert (reading.tool, reading.value("tool:DigitalSourceType")) == (None, source)
    assert [check.held for check in reading.checks] == [held]


def test_the_prompt_writer_is_never_taken_for_a_user():
    fields = {
        "Iptc4xmpExt:AIPromptInformation": "a ring",
        "Iptc4xmpExt:AIPromptWriterName": "ada",
        "Iptc4xmpExt:AISystemUsed": "x",
    }
    (reading,) = read_records(elsewhere.jpeg(elsewhere.xmp_segment(elsewhere.xmp(fields))))
    assert reading.value("tool:AIPromptWriterName") == "ada"
    assert reading.value("user") is None
    assert reading.value("prompt") is None


def test_xmp_that_does_not_parse_is_unreadable_and_the_rest_still_read():
    bad = b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"
    data = elsewhere.jpeg(
        elsewhere.xmp_segment(bad), elsewhere.exif_segment(elsewhere.comment_exif(records.infotext("a ring")))
    )
    readings = read_records(data)
    assert main_reading(readings).value("prompt") == "a ring"
    assert [str(reading.state) for reading in readings] == ["present", "unreadable"]
