"""CBOR and JUMBF, the two layers under a C2PA manifest."""

import struct

import pytest

from makingof.containers.cbor import parse_cbor
from makingof.containers.jumbf import parse_jumbf
from makingof.errors import MalformedError


@pytest.mark.parametrize(
    ("data", "value"),
    [  # from RFC 8949, appendix A
        ("00", 0),
        ("1818", 24),
        ("1903e8", 1000),
        ("1b000000e8d4a51000", 10**12),
        ("20", -1),
        ("3903e7", -1000),
        ("f93c00", 1.0),
        ("fb3ff199999999999a", 1.1),
        ("f4", False),
        ("f5", True),
        ("f6", None),
        ("4401020304", b"\1\2\3\4"),
        ("62c3bc", "ü"),
        ("83010203", [1, 2, 3]),
        ("a26161016162820203", {"a": 1, "b": [2, 3]}),
        ("5f42010243030405ff", b"\1\2\3\4\5"),
        ("7f657374726561646d696e67ff", "streaming"),
        ("9f018202039f0405ffff", [1, [2, 3], [4, 5]]),
        ("bf6346756ef563416d7421ff", {"Fun": True, "Amt": -2}),
        ("c074323031332d30332d32315432303a30343a30305a", "2013-03-21T20:04:00Z"),
        ("a10126", {"1": -7}),
    ],
)
def test_examples_of_the_specification(data, value):
    assert parse_cbor(bytes.fromhex(data)) == value


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x1c",
        b"\x44ab",
        b"\x62\xff\xfe",
        b"\x9b" + b"\xff" * 8,
        b"\x81" * 200,
        b"\xf8\x18",
        b"\x5f\x01\xff",
        b"\xbf\x01\xff",
        b"\x9f",
    ],
)
def test_what_is_no_cbor_or_too_much_of_it_is_malformed(data):
    with pytest.raises(MalformedError):
        parse_cbor(data)


def box(kind, payload):
    return struct.pack(">I4s", len(payload) + 8, kind) + payload


def superbox(label, *inner):
    return box(b"jumb", box(b"jumd", bytes(16) + b"\x03" + label.encode() + b"\0") + b"".join(inner))


def test_superboxes_are_found_by_label():
    store = parse_jumbf(superbox("c2pa", superbox("urn:one", box(b"cbor", b"\xa0")), superbox("urn:two")))
    assert [path for path, _ in store.walk()] == ["c2pa", "c2pa/urn:one", "c2pa/urn:two"]
    assert store.inside[0].content("cbor") == b"\xa0"
    assert store.inside[0].content("json") is None


def test_boxes_with_long_sizes_are_read():
    long = struct.pack(">I4sQ", 1, b"jumb", 16 + 3) + b"abc"
    assert parse_jumbf(long).label == ""


@pytest.mark.parametrize(
    "data", [b"", b"\0\0\0\x09cbor1", b"\0\0\xff\xffjumb", superbox("a")[:-3], b"\0\0\0\x04jumb"]
)
def test_what_is_no_superbox_is_malformed(data):
    with pytest.raises(MalformedError):
        parse_jumbf(data)


def test_nesting_is_limited():
    data = superbox("x")
    for _ in range(20):
        data = superbox("x", data)
    with pytest.raises(MalformedError, match="deeper"):
        parse_jumbf(data)
