"""The sitting sheet, SM3, and deposit certificates: what others hold as files."""

import dataclasses
import io
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.stamping import NOON

from makingof.digest import Digest
from makingof.errors import MalformedError, UsageError
from makingof.stamp import sm3
from makingof.stamp.base import Kind, Role, Uncounted
from makingof.stamp.deposit import (
    MAX_CERTIFICATE_BYTES,
    attach_deposit,
    parse_details,
    read_deposit,
)
from makingof.stamp.sheet import Sheet, SheetLine, format_sheet, parse_sheet
from makingof.stamp.sm3 import digest_stream, sm3_hex
from makingof.stamp.trust import Trust, built_in_trust
from makingof.stamp.verify import verify_receipt

ABC = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"  # GB/T 32905, example 1


def line(name="cat.png", claimed_at=NOON):
    return SheetLine(Digest.of(b"event"), claimed_at, Digest.of(b"abc"), sm3_hex(b"abc"), name)


def sheet(*lines):
    return Sheet("makingof/0123456789abcdef0123456789abcdef", NOON, lines)


MOMENTS = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2100, 1, 1)).map(  # noqa: DTZ001 - made aware below
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=UTC)
)


@given(st.lists(st.builds(line, st.text(max_size=20), st.none() | MOMENTS), max_size=5))
@settings(max_examples=40)
def test_a_sheet_reads_back_whatever_the_files_are_called(lines):
    written = sheet(*lines)
    assert parse_sheet(format_sheet(written)) == written


def test_a_sheet_has_one_line_per_file_in_fixed_columns():
    text = format_sheet(sheet(line(), line("猫.png", None))).decode()
    head, columns, *rows = text.split("\n\n", 1)[0], *text.split("\n\n", 1)[1].splitlines()
    assert "files   2" in head
    for title, width in (("event", 64), ("claimed time", 24), ("SHA-256", 64), ("SM3", 64)):
        at = columns.index(title)
        assert all(len(row[at : at + width].strip()) in (1, width) for row in rows)
    assert [row.rsplit("  ", 1)[1] for row in rows] == ["cat.png", "猫.png"]


@pytest.mark.parametrize(
    "name", ["a\nb", "a\r", "\u202egnp.tac", "a\u2028b", "\u200bx", "\udce4.png", "back\\slash", ""]
)
def test_a_name_cannot_add_a_line_or_turn_the_text_around(name):
    data = format_sheet(sheet(line(name)))
    assert data.count(b"\n") == 7
    assert not set(data.decode()) & set("\r\u202e\u2028\u200b")
    assert parse_sheet(data).lines[0].name == name


def test_only_one_spelling_is_a_sheet():
    data = format_sheet(sheet(line()))
    for bent in (
        data[:-1],
        data + b"\n",
        data.replace(b"files   1", b"files   2"),
        data.replace(b"sheet 1", b"sheet 2"),
        data.replace(b"\n", b"\r\n"),
        data.replace(b"cat.png", b"\\u{63}at.png"),
        data.replace(b"cat.png", b"\\u{110000}"),
        data.replace(b"2026", b"20 6"),
        data.replace(b"-", b"--", 1),
        b"\xff" + data,
        b"",
    ):
        with pytest.raises(MalformedError):
            parse_sheet(bent)


def test_sm3_is_that_of_the_standard_in_both_implementations():
    assert sm3_hex(b"abc") == ABC
    for from_hashlib in (True, False):
        state = sm3._new_sm3(from_hashlib=from_hashlib)
        state.update(b"a")
        state.update(b"bc")
        assert state.digest().hex() == ABC


def test_a_stream_is_named_by_both_digests_in_one_reading():
    found = digest_stream(io.BytesIO(b"abc"))
    assert (found.sha256, found.sm3, found.size_bytes) == (Digest.of(b"abc"), ABC, 3)


def deposit(**others):
    fields = {"platform": "可信时间戳", "number": "TSA-01-1", "time": "2026年3月1日 20:00:00"} | others
    return attach_deposit(b"%PDF certificate", digest_stream(io.BytesIO(b"abc")), **fields)


def test_a_deposit_is_kept_verbatim_and_checked_by_the_platform():
    receipt = deposit(file_name="cat.png", transaction="0xabc", block="77")
    assert receipt.kind is Kind.DEPOSIT
    assert receipt.data == b"%PDF certificate"
    found = verify_receipt(receipt, built_in_trust(), openssl=None)
    assert isinstance(found, Uncounted)
    assert found.claimed_text == "2026年3月1日 20:00:00"
    assert found.claimed_at is None
    assert "TSA-01-1" in str(found.reason)
    assert "tsa.cn" in str(found.reason)
    assert "checked by the platform, not by us" in str(found.reason)
    assert "由平台验证" in found.reason.in_language("zh")
    details = parse_details(receipt.find_beside(Role.DETAILS)[0])
    assert (details.sha256, details.sm3) == (Digest.of(b"abc"), ABC)


def test_an_unknown_platform_is_named_without_a_page():
    found = verify_receipt(deposit(platform="某平台"), Trust("none", ()), openssl=None)
    assert "page: -" in str(found.reason)


def test_a_deposit_whose_parts_do_not_belong_together_is_malformed():
    receipt = deposit()
    for bent in (
        dataclasses.replace(receipt, data=b"another certificate"),
        dataclasses.replace(receipt, digest=Digest.of(b"another file")),
        dataclasses.replace(receipt, beside=()),
        dataclasses.replace(receipt, beside=receipt.beside * 2),
    ):
        with pytest.raises(MalformedError):
            read_deposit(bent, ())


@pytest.mark.parametrize("field", ["platform", "number", "time"])
def test_a_deposit_needs_platform_number_and_time(field):
    with pytest.raises(UsageError, match="needs a platform"):
        deposit(**{field: " "})


@pytest.mark.parametrize("size", [0, MAX_CERTIFICATE_BYTES + 1])
def test_an_empty_or_huge_certificate_is_not_kept(size):
    with pytest.raises(UsageError, match="cannot be kept"):
        attach_deposit(bytes(size), digest_stream(io.BytesIO()), platform="p", number="n", time="t")


@given(st.binary(max_size=80))
@settings(max_examples=60)
def test_arbitrary_details_are_malformed(data):
    with pytest.raises(MalformedError):
        parse_details(data)


def test_details_have_one_spelling_and_no_unknown_fields():
    data = deposit().find_beside(Role.DETAILS)[0]
    assert parse_details(data).to_bytes() == data
    for bent in (
        data.replace(b'"block"', b'"blocks"'),
        data.replace(ABC.encode(), ABC.upper().encode()),
        data.replace(b"sha256:", b"sha512:"),
        data + b" ",
        data.replace("2026年3月1日 20:00:00".encode(), b"x" * 2000),
    ):
        with pytest.raises(MalformedError):
            parse_details(bent)
