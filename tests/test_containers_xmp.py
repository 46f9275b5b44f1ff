import itertools

import pytest
from tests import records_elsewhere as records

from makingof.containers.xmp import (
    DC,
    EXIF,
    IPTC_EXT,
    XMP,
    XMP_MM,
    extended_guid,
    join_extended,
    parse_extended_part,
    parse_xmp,
)
from makingof.errors import MalformedError


def test_properties_are_known_by_namespace_whatever_the_prefix():
    packet = parse_xmp(records.xmp({"iptcExt:DigImageGUID": "guid", "xmp:CreatorTool": "A tool"}))
    assert packet.text(IPTC_EXT, "DigImageGUID") == "guid"
    assert packet.text(XMP, "CreatorTool") == "A tool"


def test_attributes_alternatives_arrays_and_structures_are_values():
    elements = [
        records.alternative("exif:UserComment", '{"c": "x"}'),
        "<dc:subject><rdf:Bag><rdf:li>one</rdf:li><rdf:li>two</rdf:li></rdf:Bag></dc:subject>",
        '<xmpMM:DerivedFrom rdf:parseType="Resource"><stEvt:action>a</stEvt:action></xmpMM:DerivedFrom>',
        '<xmpMM:History><rdf:Seq><rdf:li stEvt:action="saved" stEvt:when="2026"/></rdf:Seq></xmpMM:History>',
    ]
    packet = parse_xmp(records.xmp({}, elements=elements))
    event = "{http://ns.adobe.com/xap/1.0/sType/ResourceEvent#}"
    assert packet.text(EXIF, "UserComment") == '{"c": "x"}'
    assert packet.find(DC, "subject") == ["one", "two"]
    assert packet.find(XMP_MM, "DerivedFrom") == {f"{event}action": "a"}
    assert packet.find(XMP_MM, "History") == [{f"{event}action": "saved", f"{event}when": "2026"}]


def test_the_default_language_comes_first():
    items = '<rdf:li xml:lang="de">zwei</rdf:li><rdf:li xml:lang="x-default">one</rdf:li>'
    title = f"<dc:title><rdf:Alt>{items}</rdf:Alt></dc:title>"
    assert parse_xmp(records.xmp({}, elements=[title])).text(DC, "title") == "one"


def test_packets_in_two_byte_letters_are_read():
    packet = records.xmp({"xmp:CreatorTool": "仙鹤"}).decode().split("?>", 1)[1].rsplit("<?", 1)[0]
    assert parse_xmp(("\ufeff" + packet).encode("utf-16-le")).text(XMP, "CreatorTool") == "仙鹤"


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"no XML",
        b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        b"<!DOCTYPE lolz [<!ENTITY l 'lol'><!ENTITY m '&l;&l;&l;&l;&l;&l;&l;&l;&l;&l;'>]><a>&m;</a>",
        b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
        b"<?xml version='1.0' encoding='no-such'?><a/>",
    ],
)
def test_what_is_no_plain_xml_is_malformed(packet):
    with pytest.raises(MalformedError):
        parse_xmp(packet)


def test_deep_and_broad_packets_are_malformed():
    deep = '<dc:a rdf:parseType="Resource">' * 40 + "</dc:a>" * 40
    with pytest.raises(MalformedError, match="deeper"):
        parse_xmp(records.xmp({}, elements=[deep]))
    with pytest.raises(MalformedError, match="more than"):
        parse_xmp(records.xmp({}, elements=["<dc:a>x</dc:a>"] * 30_000))


def test_extended_xmp_is_put_together_in_any_order():
    whole = records.xmp({"exif:UserComment": "long " * 600})
    guid, segments = records.extended_xmp(whole)
    assert len(segments) == 4
    for order in itertools.permutations(segments):
        parts = [parse_extended_part(segment[4 + 35 :]) for segment in order]
        assert join_extended(parts, guid) == whole


@pytest.mark.parametrize("spoil", ["gap", "overlap", "alter", "none"])
def test_extended_xmp_that_is_not_whole_is_malformed(spoil):
    guid, segments = records.extended_xmp(records.xmp({"exif:UserComment": "long " * 600}))
    parts = [parse_extended_part(segment[4 + 35 :]) for segment in segments]
    if spoil == "gap":
        del parts[1]
    elif spoil == "overlap":
        parts.append(parts[0])
    elif spoil == "alter":
        parts[1] = parse_extended_part(segments[1][4 + 35 :].replace(b"long", b"lang"))
    else:
        parts = []
    with pytest.raises(MalformedError):
        join_extended(parts, guid)


def test_a_packet_names_its_extension():
    assert extended_guid(parse_xmp(records.xmp({"xmpNote:HasExtendedXMP": "ABC"}))) == "ABC"
    assert extended_guid(parse_xmp(records.xmp({}))) is None
    with pytest.raises(MalformedError):
        parse_extended_part(b"short")
