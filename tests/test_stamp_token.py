"""Reading requests and responses: hostile bytes either parse or are malformed."""

import pytest
from asn1crypto import core, tsp
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.stamping import DIGEST, NOON, make_pair, respond

from makingof.digest import Digest
from makingof.errors import MalformedError
from makingof.stamp.chain import load_certificate, load_pem_certificates
from makingof.stamp.local import decline, grant, sign_token, token_info
from makingof.stamp.revocation import parse_crl
from makingof.stamp.token import (
    MAX_RESPONSE_BYTES,
    DeclinedError,
    make_request,
    normalised_response,
    parse_request,
    parse_response,
)


@pytest.fixture(scope="module")
def signer():
    return make_pair()[1]


@pytest.fixture(scope="module")
def response(signer):
    return respond(signer)


@given(st.binary(min_size=32, max_size=32), st.integers(min_value=0, max_value=2**64 - 1))
@settings(max_examples=25)
def test_a_request_reads_back(raw, nonce):
    digest = Digest.from_raw(raw)
    request = make_request(digest, nonce)
    assert parse_request(request.data) == request
    assert (request.digest, request.nonce) == (digest, nonce)


@given(st.binary(max_size=200))
@settings(max_examples=100)
@pytest.mark.parametrize(
    "parse", [parse_request, parse_response, load_certificate, load_pem_certificates, parse_crl]
)
def test_arbitrary_bytes_are_malformed(parse, data):
    with pytest.raises(MalformedError):
        parse(data)


@given(draw=st.data())
@settings(max_examples=60)
def test_a_bent_response_parses_or_is_malformed(response, draw):
    at = draw.draw(st.integers(0, len(response)))
    cut = draw.draw(st.integers(0, 8))
    try:
        parse_response(response[:at] + draw.draw(st.binary(max_size=8)) + response[at + cut :])
    except MalformedError:
        return


@pytest.mark.parametrize(
    "data",
    [
        b"\x30\x84\xff\xff\xff\xff" + bytes(100),
        b"\x30\x80" * 5000,
        b"\x30" * 10_000,
        b"\x30\x82\x27\x10" + b"\x30\x82\x27\x0c" * 2500,
        b"\x30\x0c\x06\x0a" + b"\xff" * 9 + b"\x7f",
        b"",
    ],
)
def test_deep_long_and_empty_encodings_are_malformed(data):
    with pytest.raises(MalformedError):
        parse_response(data)


def test_a_response_too_long_is_not_looked_at():
    with pytest.raises(MalformedError, match="longer than"):
        parse_response(bytes(MAX_RESPONSE_BYTES + 1))


def test_a_refusal_says_why():
    with pytest.raises(DeclinedError, match=r"rejection.*not today; time_not_available"):
        parse_response(decline("not today", "time_not_available"))


def test_granted_without_a_token_is_malformed():
    status = tsp.PKIStatusInfo({"status": "granted"}).dump()
    with pytest.raises(MalformedError, match="holds no token"):
        parse_response(b"\x30" + bytes([len(status)]) + status)


def bent_info(signer, **changes):
    info = token_info(DIGEST.raw, serial=5, at=NOON, nonce=1)
    for name, value in changes.items():
        info[name] = value
    return grant(sign_token(info, signer, certificates=[]))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"version": "v2"}, "version"),
        ({"gen_time": core.GeneralizedTime.load(b"\x18\x1320260301120000+0100")}, "end with Z"),
        ({"gen_time": core.GeneralizedTime.load(b"\x18\x0f00000301120000Z")}, "not a time of ours"),
        ({"gen_time": core.GeneralizedTime.load(b"\x18\x0f00010101000000Z")}, "not a time of ours"),
        ({"gen_time": core.GeneralizedTime.load(b"\x18\x0f99991231235959Z")}, "not a time of ours"),
        ({"accuracy": {"seconds": 10**12}}, "out of range"),
        ({"accuracy": {"millis": 1000}}, "out of range"),
        ({"accuracy": {"seconds": -1}}, "out of range"),
        (
            {"message_imprint": {"hash_algorithm": {"algorithm": "sha1"}, "hashed_message": bytes(20)}},
            "not a SHA-256",
        ),
        (
            {"message_imprint": {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": bytes(31)}},
            "32 bytes",
        ),
        (
            {"extensions": [{"extn_id": "1.2.3.4", "critical": True, "extn_value": b"\x05\x00"}]},
            "critical extension",
        ),
    ],
)
def test_a_token_info_out_of_its_rules_is_malformed(signer, changes, why):
    with pytest.raises(MalformedError, match=why):
        parse_response(bent_info(signer, **changes))


def test_an_extension_that_is_not_critical_is_passed_over(signer):
    extensions = [{"extn_id": "1.2.3.4", "critical": False, "extn_value": b"\x05\x00"}]
    assert parse_response(bent_info(signer, extensions=extensions)).digest == DIGEST


def test_an_accuracy_left_out_is_not_made_up(signer):
    info = token_info(DIGEST.raw, serial=5, at=NOON, nonce=1)
    del info["accuracy"]
    assert parse_response(grant(sign_token(info, signer, certificates=[]))).accuracy is None


def test_normalising_keeps_what_is_signed(signer):
    token = parse_response(respond(signer))
    again = parse_response(normalised_response(token, token.certificates * 2))
    assert again == parse_response(normalised_response(again, again.certificates))
    assert (again.at, again.digest, again.certificates) == (token.at, token.digest, token.certificates)
