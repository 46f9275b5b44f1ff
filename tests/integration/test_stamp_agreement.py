"""Each trap of RFC 3161 shown to `rfc3161-client` alone, to OpenSSL alone, and to us, who ask both.

Needs the Debian package openssl. A missing one is a failure.
"""

import base64
import contextlib
import json
from datetime import timedelta
from pathlib import Path

import pytest
from asn1crypto import tsp
from cryptography.x509.oid import ExtendedKeyUsageOID
from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response
from tests.stamping import DIGEST, LONG_AGO, NOON, make_authority, make_pair, receipt_of, respond

from makingof.digest import Digest
from makingof.errors import MakingofError, ProofError
from makingof.stamp.base import Authority, Kind, Role, Statement
from makingof.stamp.chain import load_certificate, to_der, to_pem
from makingof.stamp.local import make_crl, make_signer, names_certificate
from makingof.stamp.openssl import find_openssl
from makingof.stamp.rfc3161 import verify_token
from makingof.stamp.token import make_request

VECTORS = json.loads(
    (Path(__file__).parents[1] / "vectors" / "stamp" / "vectors.json").read_text(encoding="utf-8")
)

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def openssl():
    found = find_openssl()
    assert found is not None, "openssl is not installed"
    return found


def client_accepts(receipt, root):
    """Ask `rfc3161-client` alone, about the bytes as they are."""
    requests = receipt.find_beside(Role.REQUEST)
    nonce = int(tsp.TimeStampReq.load(requests[0])["nonce"]) if requests else None
    verifier = VerifierBuilder(roots=[load_certificate(root)], nonce=nonce).build()
    try:
        return verifier.verify(decode_timestamp_response(receipt.data), receipt.digest.raw)
    except (VerificationError, ValueError):
        return False


def openssl_accepts(openssl, receipt, root, at=NOON):
    """Ask OpenSSL alone, with everything kept beside the receipt."""
    requests = receipt.find_beside(Role.REQUEST)
    chain = [load_certificate(der) for der in receipt.find_beside(Role.CERTIFICATE)]
    try:
        openssl.verify(
            receipt.data,
            receipt.digest,
            root=to_pem([load_certificate(root)]),
            chain=to_pem(chain),
            at=at,
            request=requests[0] if requests else None,
        )
    except ProofError:
        return False
    return True


def we_accept(openssl, receipt, root):
    authority = Authority("one", Kind.RFC3161, "one", roots=(root,))
    try:
        return isinstance(verify_token(receipt, [authority], openssl=openssl), Statement)
    except MakingofError:
        return False


def with_status(data, status):
    response = tsp.TimeStampResp.load(data)
    response["status"]["status"] = status
    return response.dump(force=True)


def flipped(data, position):
    bent = bytearray(data)
    bent[position] ^= 1
    return bytes(bent)


def both_orders(signer, root):
    """Two responses that differ in the order of their certificates alone; the first is in DER order."""
    ders = sorted([to_der(signer.certificate), to_der(root.certificate)])
    straight = respond(signer, certificates=ders)
    joined = b"".join(ders)
    assert straight.count(joined) == 1
    return straight, straight.replace(joined, ders[1] + ders[0])


PAIR = make_pair()
ROOT_DER = to_der(PAIR[0].certificate)
SIGNER_DER = to_der(PAIR[1].certificate)
STRANGER = make_pair()
EXPIRED = make_pair(valid_until=NOON - timedelta(days=1))
LOOSE = make_pair(usages_critical=False)
BROAD = make_pair(usages=(ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING))
GOOD = respond(PAIR[1])
SORTED, UNSORTED = both_orders(PAIR[1], PAIR[0])
FORGED = PAIR[1].__class__(PAIR[1].certificate, STRANGER[1].key)
IMPOSTOR = make_pair()

# Who would accept what: receipt, root, rfc3161-client alone, OpenSSL alone, we with both.
CASES = {
    "good": (receipt_of(GOOD), ROOT_DER, True, True, True),
    "with the right query": (
        receipt_of(GOOD, request=make_request(DIGEST, 77).data), ROOT_DER, True, True, True
    ),
    "nonce of another query": (
        receipt_of(GOOD, request=make_request(DIGEST, 78).data), ROOT_DER, False, False, False
    ),
    "another message": (receipt_of(GOOD, digest=Digest.of(b"another")), ROOT_DER, False, False, False),
    "root of a stranger": (receipt_of(GOOD), to_der(STRANGER[0].certificate), False, False, False),
    "signed by a stranger's key": (receipt_of(respond(FORGED)), ROOT_DER, False, False, False),
    "flipped signature": (receipt_of(flipped(GOOD, -1)), ROOT_DER, False, False, False),
    "same names, another authority": (
        receipt_of(
            respond(IMPOSTOR[1], certificates=[to_der(identity.certificate) for identity in IMPOSTOR])
        ),
        ROOT_DER, False, False, False,
    ),
    "self-signed root brought along": (
        receipt_of(respond(IMPOSTOR[1]), certificates=[to_der(IMPOSTOR[0].certificate)]),
        ROOT_DER, False, False, False,
    ),
    "certificate expired at the time": (
        receipt_of(respond(EXPIRED[1])), to_der(EXPIRED[0].certificate), False, False, False
    ),
    "usage not critical": (receipt_of(respond(LOOSE[1])), to_der(LOOSE[0].certificate), False, False, False),
    "usage too broad": (receipt_of(respond(BROAD[1])), to_der(BROAD[0].certificate), False, False, False),
    "certificates in order": (receipt_of(SORTED), ROOT_DER, True, True, True),
    "certificates out of order": (receipt_of(UNSORTED), ROOT_DER, False, True, True),
    "certificate beside": (
        receipt_of(respond(PAIR[1], certificates=[]), certificates=[SIGNER_DER]), ROOT_DER, False, True, True
    ),
    "certificate missing": (receipt_of(respond(PAIR[1], certificates=[])), ROOT_DER, False, False, False),
    "no certificate named by hash": (
        receipt_of(respond(PAIR[1], attributes=[])), ROOT_DER, True, False, False
    ),
    "another certificate named by hash": (
        receipt_of(respond(PAIR[1], attributes=[names_certificate(ROOT_DER)])), ROOT_DER, True, False, False
    ),
    "granted with modifications": (
        receipt_of(with_status(GOOD, "granted_with_mods")), ROOT_DER, False, True, False
    ),
    "revoked": (
        receipt_of(
            GOOD,
            crls=[make_crl(PAIR[0], at=NOON, revoked=[(PAIR[1].certificate.serial_number, LONG_AGO, None)])],
        ),
        ROOT_DER, True, True, False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_each_verifier_alone_would_accept(name, openssl):
    receipt, root, by_client, by_openssl, by_us = CASES[name]
    assert client_accepts(receipt, root) is by_client
    assert openssl_accepts(openssl, receipt, root) is by_openssl
    assert we_accept(openssl, receipt, root) is by_us


@pytest.mark.parametrize("name", VECTORS["tokens"])
def test_openssl_agrees_with_every_vector(name, openssl):
    case = VECTORS["tokens"][name]
    beside = {
        "certificates": [base64.b64decode(text) for text in case["certificates"]],
        "crls": [base64.b64decode(text) for text in case["crls"]],
        "request": base64.b64decode(case["request"]) if case["request"] else None,
    }
    receipt = receipt_of(base64.b64decode(case["response"]), digest=Digest.parse(case["digest"]), **beside)
    assert we_accept(openssl, receipt, base64.b64decode(VECTORS["root"])) is (case["outcome"] == "statement")


@pytest.mark.filterwarnings("ignore")
def test_no_changed_byte_makes_the_verifiers_read_two_tokens(openssl):
    """What no signature covers may differ; then OpenSSL refuses, or all still read the same token."""
    authority = make_authority(PAIR[0])
    good = verify_token(receipt_of(GOOD), [authority], openssl=openssl)
    read = []
    for position in range(len(GOOD)):
        with contextlib.suppress(MakingofError):
            read.append(verify_token(receipt_of(flipped(GOOD, position)), [authority], openssl=openssl))
    assert all(statement == good for statement in read)
    assert len(read) < 40


def test_an_embedded_leaf_of_the_same_name_is_not_taken_for_the_signer(openssl):
    other = make_signer("one signer", PAIR[0], valid_from=LONG_AGO)
    receipt = receipt_of(respond(PAIR[1], certificates=[to_der(other.certificate), SIGNER_DER]))
    assert we_accept(openssl, receipt, ROOT_DER)
    forged = receipt_of(respond(other.__class__(PAIR[1].certificate, other.key), certificates=[SIGNER_DER]))
    assert not we_accept(openssl, forged, ROOT_DER)
