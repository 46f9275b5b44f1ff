"""The small formats of a package: each value has one spelling, and what is not that spelling is malformed."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.packages import make_session, unpack

from makingof.bundle import layout
from makingof.bundle.description import CopyOf, Description, File, Log, Options, ShownPiece, Shows, Stamp, Why
from makingof.bundle.lines import join_lines, split_lines
from makingof.bundle.manifest import format_manifest, parse_manifest
from makingof.bundle.pem import format_pem, parse_pem
from makingof.bundle.ranges import ProvenRange, format_ranges, parse_ranges
from makingof.digest import Digest
from makingof.errors import MalformedError

HASH = st.binary(min_size=32, max_size=32)
D = Digest.of(b"")


@st.composite
def proven_ranges(draw):
    ranges, start = [], 0
    for _ in range(draw(st.integers(1, 4))):
        start += draw(st.integers(1, 9))
        end = start + draw(st.integers(1, 9))
        ranges.append(ProvenRange(start, end, tuple(draw(st.lists(HASH, max_size=3)))))
        start = end
    return tuple(ranges)


@given(proven_ranges())
@settings(max_examples=50, deadline=None)
def test_ranges_read_back(ranges):
    assert parse_ranges(format_ranges(ranges)) == ranges


@given(proven_ranges(), st.integers(0, 10**6), st.integers(1, 255))
@settings(max_examples=200, deadline=None)
def test_no_two_spellings_of_ranges_are_one(ranges, at, mask):
    good = format_ranges(ranges)
    at %= len(good)
    bad = good[:at] + bytes([good[at] ^ mask]) + good[at + 1 :]
    try:
        assert parse_ranges(bad) != ranges
    except MalformedError:
        return


@pytest.mark.parametrize(
    "text",
    [
        "", "makingof-ranges/1", "makingof-ranges/1\n", "makingof-ranges/2\n0 1\n",
        "makingof-ranges/1\n0 0\n",
        "makingof-ranges/1\n0 1\n\n1 2\n", "makingof-ranges/1\n5 6\n\n0 1\n", "makingof-ranges/1\n00 1\n",
        "makingof-ranges/1\n0 1\n\n", "makingof-ranges/1\n0 1\nAAAA\n", "makingof-ranges/1\n-1 1\n",
    ],
)  # fmt: skip
def test_other_spellings_of_ranges_are_malformed(text):
    with pytest.raises(MalformedError):
        parse_ranges(text.encode())


NAME = st.from_regex(r"[a-z]{1,6}(/[a-z]{1,6})?", fullmatch=True)


@given(st.dictionaries(NAME, HASH.map(bytes.hex), max_size=5))
@settings(max_examples=50, deadline=None)
def test_manifests_read_back(digests):
    assert parse_manifest(format_manifest(digests), "m") == digests


@pytest.mark.parametrize(
    "text",
    [
        "x", f"{D.hex} a\n", f"{D.hex}  a", f"{D.hex}  ../a\n", f"{D.hex}  a\n{D.hex}  a\n",
        f"{D.hex.upper()}  a\n",
        f"{D.hex}  b\n{D.hex}  a\n", f"{D.hex} *a\n", f"\n{D.hex}  a\n", f"{D.hex}  ä\n",
    ],
)  # fmt: skip
def test_other_spellings_of_manifests_are_malformed(text):
    with pytest.raises(MalformedError):
        parse_manifest(text.encode(), "m")


@given(st.lists(st.binary(min_size=1, max_size=9).filter(lambda line: b"\n" not in line), max_size=5))
@settings(max_examples=50, deadline=None)
def test_lines_read_back(lines):
    assert split_lines(join_lines(lines), "x") == lines


@pytest.mark.parametrize("data", [b"a", b"\n", b"a\n\nb\n", b"a\nb"])
def test_unfinished_and_empty_lines_are_malformed(data):
    with pytest.raises(MalformedError):
        split_lines(data, "x")


@given(st.lists(st.binary(min_size=1, max_size=200), min_size=1, max_size=3))
@settings(max_examples=50, deadline=None)
def test_certificates_read_back(certificates):
    assert parse_pem(format_pem(certificates)) == tuple(certificates)


@pytest.mark.parametrize(
    "data", [b"", b"x", b"-----BEGIN CERTIFICATE-----\n", b"\xff", format_pem([b"a"]) + b"\n"]
)
def test_other_spellings_of_certificates_are_malformed(data):
    with pytest.raises(MalformedError):
        parse_pem(data)


def describe(**changes):
    given = {
        "format": layout.FORMAT,
        "made_with": "test",
        "log": Log("makingof/0", 9, D),
        "pictures": (D,),
        "lineage_rule": 1,
        "lineage": (1, 2),
        "options": Options(),
    }
    return Description(**{**given, **changes})


ORIGINAL = File(number=1, parts=(D,), shows=Shows.ORIGINAL, name="data/files/0001.png", size=1, sha256=D)
COPY = CopyOf(D, (ShownPiece(0, "0" * 32),))
BAD_COPY = CopyOf(D, (ShownPiece(0, "x"),))


def test_a_description_reads_back():
    nothing = File(number=2, parts=(D,), shows=Shows.NOTHING, why=Why.ERASED)
    whole = describe(files=(ORIGINAL, nothing), stamps=(Stamp("data/log/checkpoint", (), 9),))
    assert Description.parse(whole.to_bytes()) == whole


def here(name="data/files/0001.png", **changes):
    given = {"number": 1, "parts": (D,), "shows": Shows.ORIGINAL, "name": name, "size": 1, "sha256": D}
    return {"files": (File(**{**given, **changes}),)}


def absent(**changes):
    given = {"number": 1, "parts": (D,), "shows": Shows.NOTHING, "why": Why.ERASED}
    return {"files": (File(**{**given, **changes}),)}


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "makingof-package/2"},
        {"pictures": ()},
        {"lineage": (2, 1)},
        {"lineage": (1, 1)},
        {"lineage": (9,)},
        {"lineage": (-1,)},
        absent(number=2),
        absent(why=None),
        absent(shows=Shows.ORIGINAL, why=None),
        absent(name="data/files/0001.png"),
        here("data/files/0002.png"),
        here("data/log/0001.png"),
        here(copy=COPY),
        here(why=Why.BRIEF),
        here("data/files/0001-copy.png", shows=Shows.COPY, why=Why.WITHHELD),
        here("data/files/0001-copy.png", shows=Shows.COPY, copy=COPY),
        here("data/files/0001-copy.png", shows=Shows.COPY, why=Why.WITHHELD, copy=BAD_COPY),
    ],
)
def test_descriptions_that_make_no_sense_are_malformed(changes):
    with pytest.raises(MalformedError):
        Description.parse(describe(**changes).to_bytes())


@given(st.binary(max_size=60))
@settings(max_examples=100, deadline=None)
def test_arbitrary_bytes_are_no_description(data):
    with pytest.raises(MalformedError):
        Description.parse(data)


def test_every_name_in_a_package_is_short_and_plain():
    session = make_session()
    for name in unpack(session.archive.package(session.final)):
        layout.check_name(name)
        assert len(layout.folder_name(D.hex)) + 1 + len(name) < 100


def test_base64_of_a_hash_has_one_spelling():
    line = base64.b64encode(bytes(32)).decode()
    loose = line[:-2] + "B="
    assert base64.b64decode(loose) == bytes(32)
    with pytest.raises(MalformedError):
        parse_ranges(f"makingof-ranges/1\n0 1\n{loose}\n".encode())


def test_line_feeds_without_end_are_counted_before_they_are_cut():
    feeds = b"\n" * 5_000_000
    for parse in (lambda data: split_lines(data, "x"), lambda data: parse_manifest(data, "x")):
        with pytest.raises(MalformedError):
            parse(feeds)
    with pytest.raises(MalformedError):
        parse_ranges(b"makingof-ranges/1\n" + feeds)
