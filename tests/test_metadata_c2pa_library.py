"""The reference library as a second opinion on the same manifests (extra `c2pa`)."""

import pytest
from tests import c2pa_files

from makingof.metadata.c2pa import BYTES, SIGNATURE, TRUST
from makingof.metadata.c2pa_library import ask_library

pytestmark = pytest.mark.integration

PICTURES = {"image/png": c2pa_files.signed_png(), "image/jpeg": c2pa_files.signed_jpeg(60_000)}


@pytest.mark.parametrize("media_type", PICTURES)
def test_the_library_s_one_word_becomes_three_answers(media_type):
    checks = {check.name: check.held for check in ask_library(PICTURES[media_type], media_type)}
    assert checks == {SIGNATURE: True, BYTES: True, TRUST: False}


@pytest.mark.parametrize("media_type", PICTURES)
def test_the_library_agrees_that_bytes_were_changed(media_type):
    data = bytearray(PICTURES[media_type])
    data[-20] ^= 1
    checks = {check.name: check.held for check in ask_library(bytes(data), media_type)}
    assert (checks[SIGNATURE], checks[BYTES]) == (True, False)


def test_what_the_library_cannot_read_has_no_answer():
    assert {check.held for check in ask_library(b"no picture", "image/png")} == {None}
