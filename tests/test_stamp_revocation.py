"""Revocation lists beside a token: what spares it and what does not."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from tests.stamping import LONG_AGO, NOON, make_authority, make_pair, receipt_of, respond

from makingof.errors import MalformedError, ProofError
from makingof.stamp.base import Revocation
from makingof.stamp.chain import to_der
from makingof.stamp.local import make_crl, make_intermediate, make_root, make_signer
from makingof.stamp.revocation import MAX_CRL_BYTES, crl_addresses
from makingof.stamp.rfc3161 import verify_token

DAY = timedelta(days=1)
Reason = x509.ReasonFlags


@pytest.fixture(scope="module")
def pair():
    return make_pair()


def verify(pair, crls, **others):
    receipt = receipt_of(respond(pair[1]), crls=crls, **others)
    return verify_token(receipt, [make_authority(pair[0])], openssl=None)


def revoked(pair, at, reason):
    root, signer = pair
    return make_crl(root, at=NOON + 10 * DAY, revoked=[(signer.certificate.serial_number, at, reason)])


def test_without_a_list_nothing_is_known(pair):
    statement = verify(pair, [])
    assert (statement.revocation, statement.revocation_as_of) == (Revocation.UNKNOWN, None)


def test_a_list_without_the_certificate_is_good_as_of_its_day(pair):
    statement = verify(pair, [make_crl(pair[0], at=NOON - DAY), make_crl(pair[0], at=NOON + DAY)])
    assert (statement.revocation, statement.revocation_as_of) == (Revocation.GOOD, NOON + DAY)


@pytest.mark.parametrize(
    "reason", [None, *(reason for reason in Reason if reason is not Reason.remove_from_crl)]
)
def test_revoked_before_the_token_is_refused_whatever_the_reason(pair, reason):
    with pytest.raises(ProofError, match="was revoked"):
        verify(pair, [revoked(pair, NOON - DAY, reason)])


def test_revoked_at_the_very_second_is_refused(pair):
    with pytest.raises(ProofError, match="superseded"):
        verify(pair, [revoked(pair, NOON, Reason.superseded)])


@pytest.mark.parametrize(
    "reason",
    [Reason.unspecified, Reason.affiliation_changed, Reason.superseded, Reason.cessation_of_operation],
)
def test_a_key_given_up_in_good_order_spares_earlier_tokens(pair, reason):
    assert verify(pair, [revoked(pair, NOON + DAY, reason)]).revocation is Revocation.GOOD


@pytest.mark.parametrize(
    "reason",
    [None, Reason.key_compromise, Reason.ca_compromise, Reason.certificate_hold, Reason.privilege_withdrawn],
)
def test_a_key_that_may_have_been_in_other_hands_spares_none(pair, reason):
    with pytest.raises(ProofError, match="was revoked"):
        verify(pair, [revoked(pair, NOON + DAY, reason)])


def test_the_newest_list_decides(pair):
    old = make_crl(pair[0], at=NOON - 30 * DAY)
    with pytest.raises(ProofError):
        verify(pair, [old, revoked(pair, NOON - DAY, None)])


def test_a_list_of_somebody_elses_is_not_used(pair):
    stranger = make_root("one root", valid_from=LONG_AGO)
    serial = pair[1].certificate.serial_number
    forged = make_crl(stranger, at=NOON + DAY, revoked=[(serial, NOON - DAY, None)])
    assert verify(pair, [forged]).revocation is Revocation.UNKNOWN


def scoped(root, **scope):
    """A list that says it covers only part of what its issuer issued."""
    fields = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    } | scope
    return list_with(root, x509.IssuingDistributionPoint(**fields))


def list_with(root, extension):
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(root.certificate.subject)
        .last_update(NOON)
        .next_update(NOON + DAY)
        .add_extension(extension, critical=True)
    )
    return builder.sign(root.key, hashes.SHA256()).public_bytes(Encoding.DER)


def address(text):
    return [x509.UniformResourceIdentifier(text)]


COMMON_NAME = x509.NameAttribute(x509.NameOID.COMMON_NAME, "1")


@pytest.mark.parametrize(
    ("scope", "found"),
    [
        ({"full_name": address("http://127.0.0.1/1"), "indirect_crl": True}, Revocation.UNKNOWN),
        ({"only_some_reasons": frozenset([Reason.key_compromise])}, Revocation.UNKNOWN),
        ({"only_contains_attribute_certs": True}, Revocation.UNKNOWN),
        ({"only_contains_ca_certs": True}, Revocation.UNKNOWN),
        ({"only_contains_user_certs": True}, Revocation.GOOD),
        ({"full_name": address("http://127.0.0.1/2")}, Revocation.UNKNOWN),
        ({"full_name": address("http://127.0.0.1/1")}, Revocation.GOOD),
        (
            {
                "relative_name": x509.RelativeDistinguishedName(
                    [x509.NameAttribute(x509.NameOID.COMMON_NAME, "1")]
                )
            },
            Revocation.UNKNOWN,
        ),
    ],
)
def test_a_list_counts_only_for_what_it_covers(scope, found):
    """A shard published at another address would never name this certificate, revoked or not."""
    root, signer = make_pair(crl_url="http://127.0.0.1/1")
    assert verify((root, signer), [scoped(root, **scope)]).revocation is found


def test_a_delta_list_or_one_not_understood_is_not_used(pair):
    for extension in (
        x509.DeltaCRLIndicator(1),
        x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b""),
    ):
        assert verify(pair, [list_with(pair[0], extension)]).revocation is Revocation.UNKNOWN


def test_a_list_for_end_users_says_nothing_of_an_authority():
    root = make_root("root", valid_from=LONG_AGO)
    middle = make_intermediate("middle", root, valid_from=LONG_AGO)
    signer = make_signer("signer", middle, valid_from=LONG_AGO)
    beside = {"certificates": [to_der(middle.certificate)]}
    crls = [make_crl(middle, at=NOON), scoped(root, only_contains_user_certs=True)]
    assert verify((root, signer), crls, **beside).revocation is Revocation.PARTIAL


def test_every_certificate_below_the_root_needs_a_list():
    root = make_root("root", valid_from=LONG_AGO)
    middle = make_intermediate("middle", root, valid_from=LONG_AGO)
    signer = make_signer("signer", middle, valid_from=LONG_AGO)
    beside = {"certificates": [to_der(middle.certificate)]}
    of_middle, of_root = make_crl(middle, at=NOON), make_crl(root, at=NOON - DAY)
    assert verify((root, signer), [of_middle], **beside).revocation is Revocation.PARTIAL
    whole = verify((root, signer), [of_middle, of_root], **beside)
    assert (whole.revocation, whole.revocation_as_of) == (Revocation.GOOD, NOON - DAY)
    fallen = make_crl(root, at=NOON, revoked=[(middle.certificate.serial_number, NOON - DAY, None)])
    with pytest.raises(ProofError, match="was revoked"):
        verify((root, signer), [fallen], **beside)


def test_a_list_that_does_not_parse_is_an_error(pair):
    good = make_crl(pair[0], at=NOON)
    for data in (b"", b"junk", good[:-3], good + b"\0", bytes(MAX_CRL_BYTES + 1)):
        with pytest.raises(MalformedError):
            verify(pair, [data])


def test_only_web_addresses_are_asked_for_lists():
    root = make_root("root", valid_from=LONG_AGO)
    for url, wanted in (("http://127.0.0.1/crl", ["http://127.0.0.1/crl"]), ("ldap://127.0.0.1/", [])):
        signer = make_signer("signer", root, valid_from=LONG_AGO, crl_url=url)
        assert crl_addresses(signer.certificate) == wanted
    assert crl_addresses(root.certificate) == []
