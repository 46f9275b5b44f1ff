"""Chains: what may stand between a signer and a root, and how long a hostile pool is searched."""

import time
from datetime import timedelta

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from tests.stamping import LONG_AGO, NOON, make_authority, receipt_of, respond

from makingof.errors import MalformedError, ProofError
from makingof.stamp.base import Statement, Uncounted
from makingof.stamp.chain import find_chain, is_self_signed, key_digest, load_certificate, to_der
from makingof.stamp.local import Identity, make_intermediate, make_root, make_signer
from makingof.stamp.rfc3161 import verify_token

TIME_STAMPING = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])


def issue(name, issuer, *extensions, key=None):
    """Issue a certificate with exactly these extensions; below itself if `issuer` is None."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(LONG_AGO)
        .not_valid_after(NOON + timedelta(days=400))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    signing = issuer.key if issuer else key
    return Identity(builder.sign(signing, hashes.SHA256()), key)


def usage(**allowed):
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: allowed.get(name, False) for name in names})


ROOT = make_root("root", valid_from=LONG_AGO)
ANY_DEPTH = x509.BasicConstraints(ca=True, path_length=None)


def verify_below(middle, root=ROOT):
    signer = make_signer("signer", middle, valid_from=LONG_AGO)
    receipt = receipt_of(respond(signer), certificates=[to_der(middle.certificate)])
    return verify_token(receipt, [make_authority(root)], openssl=None)


@pytest.mark.parametrize(
    "extensions",
    [
        (ANY_DEPTH,),
        (ANY_DEPTH, usage(key_cert_sign=True)),
        (ANY_DEPTH, TIME_STAMPING),
        (ANY_DEPTH, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])),
        (x509.BasicConstraints(ca=True, path_length=0),),
    ],
)
def test_an_intermediate_that_may_issue_makes_a_link(extensions):
    assert isinstance(verify_below(issue("middle", ROOT, *extensions)), Statement)


@pytest.mark.parametrize(
    "extensions",
    [
        (),
        (x509.BasicConstraints(ca=False, path_length=None),),
        (ANY_DEPTH, usage(crl_sign=True)),
        (ANY_DEPTH, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])),
    ],
)
def test_an_intermediate_that_may_not_makes_none(extensions):
    assert isinstance(verify_below(issue("middle", ROOT, *extensions)), Uncounted)


def test_a_root_without_constraints_issues_nothing():
    old = issue("old root", None)
    assert is_self_signed(old.certificate)
    signer = make_signer("signer", old, valid_from=LONG_AGO)
    receipt = receipt_of(respond(signer))
    assert isinstance(verify_token(receipt, [make_authority(old)], openssl=None), Uncounted)


def say_sha1(identity):
    """Write SHA-1 where the certificate names its signature; no library here signs so any more."""
    certificate = asn1_x509.Certificate.load(to_der(identity.certificate))
    certificate["tbs_certificate"]["signature"]["algorithm"] = "sha1_ecdsa"
    certificate["signature_algorithm"]["algorithm"] = "sha1_ecdsa"
    return Identity(load_certificate(certificate.dump(force=True)), identity.key)


def test_a_link_signed_over_sha1_is_none():
    assert isinstance(verify_below(say_sha1(issue("middle", ROOT, ANY_DEPTH))), Uncounted)


def test_a_root_signed_over_sha1_is_one_because_the_reader_says_so():
    root = say_sha1(issue("weak root", None, ANY_DEPTH))
    assert is_self_signed(root.certificate)
    below = make_intermediate("below", root, valid_from=LONG_AGO)
    assert isinstance(verify_below(below, root), Statement)


def test_a_weak_certificate_that_names_another_key_is_no_root():
    key = ec.generate_private_key(ec.SECP256R1())
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    for named, expected in ((own.digest, True), (b"another", False), (None, True)):
        authority = x509.AuthorityKeyIdentifier(named, None, None)
        weak = say_sha1(issue("weak root", None, ANY_DEPTH, own, authority, key=key))
        assert is_self_signed(weak.certificate) is expected


def test_an_authority_does_not_stamp_in_person():
    signer = issue("signer", ROOT, ANY_DEPTH, usage(digital_signature=True), TIME_STAMPING)
    with pytest.raises(ProofError, match="certification authority"):
        verify_token(receipt_of(respond(signer)), [make_authority(ROOT)], openssl=None)


def test_a_root_issued_again_keeps_its_key():
    again = issue("root of another year", None, ANY_DEPTH, key=ROOT.key)
    assert again.certificate != ROOT.certificate
    assert key_digest(again.certificate) == key_digest(ROOT.certificate)


def test_a_chain_is_at_most_eight_long():
    between = [ROOT]
    while len(between) < 9:
        between.append(issue(f"middle {len(between)}", between[-1], ANY_DEPTH))
    for count, found in ((6, True), (7, False)):
        signer = make_signer("signer", between[count], valid_from=LONG_AGO)
        pool = [identity.certificate for identity in between[1:]]
        chain = find_chain(signer.certificate, pool, [ROOT.certificate], NOON)
        assert (chain is not None) is found


def test_a_pool_of_crossed_authorities_is_given_up_and_not_searched_for_ever():
    """All of one name, one key, each below each other: every order of them is a chain that ends nowhere."""
    key = ec.generate_private_key(ec.SECP256R1())
    first = issue("same", None, ANY_DEPTH, key=key)
    pool = [first.certificate, *(issue("same", first, ANY_DEPTH, key=key).certificate for _ in range(30))]
    signer = make_signer("signer", first, valid_from=LONG_AGO)
    started = time.perf_counter()
    with pytest.raises(MalformedError, match="signature checks"):
        find_chain(signer.certificate, pool, [ROOT.certificate], NOON)
    assert time.perf_counter() - started < 2
