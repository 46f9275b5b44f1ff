"""Three answers about a manifest, never made one; and what it says."""

import hashlib
import socket

import pytest
from tests import c2pa_files, records

from makingof.errors import UnavailableError
from makingof.metadata.c2pa import check_manifest
from makingof.metadata.facts import facts_of
from makingof.metadata.registry import main_reading, read_records
from makingof.metadata.thorough import read_thoroughly

PICTURES = {"png": c2pa_files.signed_png(), "jpeg": c2pa_files.signed_jpeg()}


def answers(data):
    reading = next(reading for reading in read_thoroughly(data) if reading.reader == "c2pa/1")
    return {check.name: check.held for check in reading.checks if check.name.startswith("c2pa")}


@pytest.mark.parametrize("name", PICTURES)
def test_a_manifest_names_its_generator_and_never_a_prompt(name):
    reading = main_reading(read_records(PICTURES[name]))
    assert reading.tool == "openai"
    assert reading.value("tool:claim_generator") == "A Media Service API"
    assert reading.value("tool:actions") == '["c2pa.created", "c2pa.converted"]'
    assert reading.value("tool:digitalSourceType") == c2pa_files.SOURCE_TYPE
    assert reading.value("made_at") == "2026-06-05T13:46:44Z"
    assert facts_of(PICTURES[name], "a")["prompt"] is None


@pytest.mark.parametrize("name", PICTURES)
def test_an_untouched_picture_is_signed_and_whole_whoever_trusts_the_signer(name):
    assert answers(PICTURES[name]) == {"c2pa_signature": True, "c2pa_bytes": True, "c2pa_trust": None}


def test_plain_reading_leaves_the_answers_open():
    checks = {check.name: check.held for check in main_reading(read_records(PICTURES["png"])).checks}
    assert checks == {"c2pa_signature": None, "c2pa_bytes": None, "c2pa_trust": None}


@pytest.mark.parametrize("name", PICTURES)
def test_bytes_changed_after_signing_leave_the_signature_right(name):
    data = bytearray(PICTURES[name])
    data[-20] ^= 1
    assert answers(bytes(data)) == {"c2pa_signature": True, "c2pa_bytes": False, "c2pa_trust": None}


def test_a_chunk_added_afterwards_breaks_the_bytes():
    data = PICTURES["png"]
    assert answers(data[:-12] + records.text_chunk("parameters", "x") + data[-12:])["c2pa_bytes"] is False


def test_an_altered_claim_breaks_the_signature_and_an_altered_assertion_the_bytes():
    data = PICTURES["png"]
    assert answers(data.replace(b"A Media Service", b"B Media Service"))["c2pa_signature"] is False
    assert answers(data.replace(b"c2pa.converted", b"c2pa.convertes")) == {
        "c2pa_signature": True,
        "c2pa_bytes": False,
        "c2pa_trust": None,
    }


def test_a_manifest_may_leave_out_nothing_but_itself():
    everything = c2pa_files.store(hashlib.sha256(b"").digest(), [(0, 1 << 20)])
    plain = records.png()
    data = plain[:33] + records.chunk(b"caBX", everything) + plain[33:]
    signature, whole = check_manifest(data, everything)
    assert (signature.held, whole.held) == (True, False)
    assert "excluded" in whole.detail


@pytest.mark.parametrize("spoil", [b"", b"\0\0\0\x08jumb", PICTURES["png"][41:400], b"\xff" * 100])
def test_a_store_that_does_not_parse_is_unreadable(spoil):
    plain = records.png()
    data = plain[:33] + records.chunk(b"caBX", spoil) + plain[33:]
    (reading,) = [reading for reading in read_records(data) if reading.tool == "c2pa"]
    assert str(reading.state) == "unreadable"


def test_nothing_is_fetched(monkeypatch):
    def refuse(*_args, **_how):
        pytest.fail("something asked for the network")

    monkeypatch.setattr(socket, "socket", refuse)
    answers(PICTURES["png"])


def test_without_the_extra_the_library_is_unavailable_and_says_so():
    try:
        import c2pa  # noqa: F401, PLC0415
    except ImportError:
        from makingof.metadata.c2pa_library import ask_library  # noqa: PLC0415

        with pytest.raises(UnavailableError):
            ask_library(PICTURES["png"], "image/png")
