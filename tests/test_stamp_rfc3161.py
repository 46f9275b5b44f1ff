"""RFC 3161: each trap that let somebody's token through is a test here.

The same receipts are shown to `openssl ts` in `integration/test_stamp_outside.py`.
"""

import hashlib
from datetime import timedelta

import pytest
from asn1crypto import algos, cms, core, tsp
from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from rfc3161_client import VerifierBuilder, decode_timestamp_response
from tests.stamping import (
    DIGEST,
    LONG_AGO,
    NOON,
    make_authority,
    make_local,
    make_pair,
    receipt_of,
    respond,
)

from makingof.digest import Digest
from makingof.errors import MalformedError, ProofError
from makingof.stamp.base import Revocation, Statement, Uncounted
from makingof.stamp.chain import to_der
from makingof.stamp.local import (
    POLICY,
    grant,
    make_crl,
    make_intermediate,
    make_root,
    make_signer,
    names_certificate,
    sign_token,
    token_info,
)
from makingof.stamp.rfc3161 import chain_behind, verify_token
from makingof.stamp.token import make_request, parse_response


@pytest.fixture(scope="module")
def pair():
    return make_pair()


@pytest.fixture(scope="module")
def authority(pair):
    return make_authority(pair[0])


def verify(receipt, *authorities):
    return verify_token(receipt, authorities, openssl=None)


def test_a_token_says_when_by_whom_and_who_checked(pair, authority):
    statement = verify(receipt_of(respond(pair[1])), authority)
    assert isinstance(statement, Statement)
    assert statement.at == NOON
    assert (statement.earliest, statement.latest) == (
        NOON - timedelta(seconds=1),
        NOON + timedelta(seconds=1),
    )
    assert statement.digest == DIGEST
    assert statement.authority == "one"
    assert statement.signer.startswith("CN=one signer")
    assert statement.policy == POLICY
    assert [name.split()[0] for name in statement.checked_by] == ["rfc3161-client"]
    assert "operator:one" in statement.keys
    assert len(statement.keys) == 2


def test_another_message_is_refused(pair, authority):
    with pytest.raises(ProofError, match="is about"):
        verify(receipt_of(respond(pair[1]), digest=Digest.of(b"another")), authority)


def test_a_nonce_of_another_request_is_refused(pair, authority):
    request = make_request(DIGEST, 78).data
    with pytest.raises(ProofError, match="nonce"):
        verify(receipt_of(respond(pair[1]), request=request), authority)
    request = make_request(DIGEST, 77).data
    assert isinstance(verify(receipt_of(respond(pair[1]), request=request), authority), Statement)


def test_a_kept_query_about_something_else_is_refused(pair, authority):
    request = make_request(Digest.of(b"another"), 77).data
    with pytest.raises(ProofError, match="query is about"):
        verify(receipt_of(respond(pair[1]), request=request), authority)


def test_an_unsorted_certificate_set_is_read_and_left_as_it_is(pair, authority):
    ders = sorted([to_der(pair[1].certificate), to_der(pair[0].certificate)])
    straight = respond(pair[1], certificates=ders)
    first, second = (straight.find(der) for der in ders)
    assert 0 < first < second
    unsorted = (
        straight[:first]
        + ders[1]
        + straight[first + len(ders[0]) : second]
        + ders[0]
        + straight[second + len(ders[1]) :]
    )
    assert unsorted != straight
    assert len(unsorted) == len(straight)
    receipt = receipt_of(unsorted)
    assert isinstance(verify(receipt, authority), Statement)
    assert receipt.data == unsorted


def test_a_bare_token_is_not_a_response(pair, authority):
    token = parse_response(respond(pair[1])).content
    with pytest.raises(MalformedError, match="bare time-stamp token"):
        verify(receipt_of(token), authority)


def test_a_root_of_nobody_counts_for_nothing(pair):
    found = verify(receipt_of(respond(pair[1])))
    assert isinstance(found, Uncounted)
    assert found.claimed_at == NOON


def test_an_authority_that_only_bears_a_famous_name_counts_for_nothing(authority):
    root, signer = make_pair(name="one")
    receipt = receipt_of(
        respond(signer, certificates=[to_der(signer.certificate), to_der(root.certificate)]),
        certificates=[to_der(root.certificate)],
    )
    assert isinstance(verify(receipt, authority), Uncounted)
    assert isinstance(verify(receipt, make_authority(root)), Statement)


def test_a_self_signed_signer_from_the_package_gives_no_trust(pair, authority):
    lone = make_root("one signer", valid_from=LONG_AGO)
    with pytest.raises(ProofError):
        verify(receipt_of(respond(lone), certificates=[to_der(lone.certificate)]), authority)


def test_a_root_handed_to_the_client_as_an_intermediate_would_have_given_trust(pair):
    """Why the chain goes into the token's own set: the library keeps roots and intermediates in one store."""
    root, signer = make_pair(name="two")
    verifier = VerifierBuilder(roots=[pair[0].certificate], intermediates=[root.certificate]).build()
    assert verifier.verify(decode_timestamp_response(respond(signer)), DIGEST.raw)
    receipt = receipt_of(respond(signer), certificates=[to_der(root.certificate)])
    assert isinstance(verify(receipt, make_authority(pair[0])), Uncounted)


def test_a_certificate_expired_today_was_good_then():
    root, signer = make_pair(valid_until=NOON + timedelta(days=1))
    assert isinstance(verify(receipt_of(respond(signer)), make_authority(root)), Statement)


@pytest.mark.parametrize("days", [-500, 30])
def test_a_time_outside_the_certificates_validity_is_refused(days):
    root, signer = make_pair(valid_until=NOON + timedelta(days=1))
    late = respond(signer, at=NOON + timedelta(days=days))
    with pytest.raises(ProofError, match="not valid at"):
        verify(receipt_of(late), make_authority(root))


def test_an_intermediate_not_valid_at_the_time_breaks_the_chain():
    root = make_root("root", valid_from=LONG_AGO)
    middle = make_intermediate("middle", root, valid_from=NOON + timedelta(days=1))
    signer = make_signer("signer", middle, valid_from=LONG_AGO)
    both = [to_der(signer.certificate), to_der(middle.certificate)]
    assert isinstance(verify(receipt_of(respond(signer, certificates=both)), make_authority(root)), Uncounted)


def test_of_two_certificates_the_one_named_by_hash_signed():
    root, signer = make_pair()
    other = make_signer("one signer", root, valid_from=LONG_AGO)
    for order in ([signer, other], [other, signer]):
        ders = [to_der(identity.certificate) for identity in order]
        statement = verify(receipt_of(respond(signer, certificates=ders)), make_authority(root))
        assert isinstance(statement, Statement)
        assert chain_behind(receipt_of(respond(signer, certificates=ders)), [make_authority(root)])[0] == (
            signer.certificate
        )


def test_a_token_of_one_authority_does_not_pass_for_anothers():
    root, signer = make_pair(name="one")
    other_root, other = make_pair(name="two")
    ders = [to_der(signer.certificate), to_der(other.certificate)]
    receipt = receipt_of(respond(signer, certificates=ders), authority="two")
    assert isinstance(verify(receipt, make_authority(other_root, "two")), Uncounted)
    found = verify(receipt, make_authority(other_root, "two"), make_authority(root, "one"))
    assert isinstance(found, Statement)
    assert found.authority == "one"


def test_a_token_without_certificates_takes_them_from_beside(pair, authority):
    data = respond(pair[1], certificates=[])
    with pytest.raises(ProofError, match="neither in the time-stamp token nor beside"):
        verify(receipt_of(data), authority)
    assert isinstance(
        verify(receipt_of(data, certificates=[to_der(pair[1].certificate)]), authority), Statement
    )


def test_a_chain_from_beside_reaches_the_root():
    root = make_root("root", valid_from=LONG_AGO)
    middle = make_intermediate("middle", root, valid_from=LONG_AGO)
    signer = make_signer("signer", middle, valid_from=LONG_AGO)
    receipt = receipt_of(respond(signer), certificates=[to_der(middle.certificate)])
    assert isinstance(verify(receipt, make_authority(root)), Statement)
    assert len(chain_behind(receipt, [make_authority(root)])) == 3


def test_an_authority_certificate_cannot_stand_for_an_intermediate_it_is_not():
    root, leaf = make_pair()
    below = make_signer("below", leaf, valid_from=LONG_AGO)
    receipt = receipt_of(respond(below), certificates=[to_der(leaf.certificate)])
    assert isinstance(verify(receipt, make_authority(root)), Uncounted)


def test_a_path_length_is_kept():
    root = make_root("root", valid_from=LONG_AGO)
    first = make_intermediate("first", root, valid_from=LONG_AGO)
    second = make_intermediate("second", first, valid_from=LONG_AGO)
    signer = make_signer("signer", second, valid_from=LONG_AGO)
    between = [to_der(first.certificate), to_der(second.certificate)]
    assert isinstance(
        verify(receipt_of(respond(signer), certificates=between), make_authority(root)), Uncounted
    )


def test_a_token_that_does_not_name_its_certificate_is_refused(pair, authority):
    with pytest.raises(ProofError, match="does not name its signer"):
        verify(receipt_of(respond(pair[1], attributes=[])), authority)


def test_a_token_that_names_another_certificate_is_refused(pair, authority):
    named = names_certificate(to_der(pair[0].certificate))
    with pytest.raises(ProofError, match="is not the one whose hash"):
        verify(receipt_of(respond(pair[1], attributes=[named])), authority)


def signing_certificate(name, *ders):
    """Name certificates by SHA-1 (version 1) or SHA-256."""
    if name == "signing_certificate":
        value = tsp.SigningCertificate(
            {"certs": [{"cert_hash": hashlib.sha1(der, usedforsecurity=False).digest()} for der in ders]}
        )
    else:
        value = tsp.SigningCertificateV2(
            {"certs": [{"cert_hash": hashlib.sha256(der).digest()} for der in ders]}
        )
    return cms.CMSAttribute({"type": name, "values": [value]})


def test_the_older_attribute_with_sha1_is_compared_too(pair, authority):
    good, bad = to_der(pair[1].certificate), to_der(pair[0].certificate)
    old, new = "signing_certificate", "signing_certificate_v2"
    assert isinstance(
        verify(receipt_of(respond(pair[1], attributes=[signing_certificate(old, good)])), authority),
        Statement,
    )
    both = [signing_certificate(old, good), signing_certificate(new, good)]
    assert isinstance(verify(receipt_of(respond(pair[1], attributes=both)), authority), Statement)
    for attributes in (
        [signing_certificate(old, bad)],
        [signing_certificate(old, bad), signing_certificate(new, good)],
        [signing_certificate(old, good), signing_certificate(new, bad)],
    ):
        with pytest.raises(ProofError, match="is not the one whose hash"):
            verify(receipt_of(respond(pair[1], attributes=attributes)), authority)


def test_further_certificates_named_must_be_in_the_chain(pair, authority):
    root, signer = pair
    stranger = make_root("stranger", valid_from=LONG_AGO)
    name = "signing_certificate_v2"
    ours = signing_certificate(name, to_der(signer.certificate), to_der(root.certificate))
    assert isinstance(verify(receipt_of(respond(signer, attributes=[ours])), authority), Statement)
    theirs = signing_certificate(name, to_der(signer.certificate), to_der(stranger.certificate))
    with pytest.raises(ProofError, match="not in the signer's chain"):
        verify(receipt_of(respond(signer, attributes=[theirs])), authority)


def bend_signed_data(data, bend):
    """Decode a response, change its signed data, encode it again."""
    response = tsp.TimeStampResp.load(data)
    bend(response["time_stamp_token"]["content"])
    return response.dump(force=True)


def test_two_signers_are_refused(pair, authority):
    def twice(signed):
        signed["signer_infos"] = cms.SignerInfos([signed["signer_infos"][0], signed["signer_infos"][0]])

    with pytest.raises(MalformedError, match="2 signers"):
        verify(receipt_of(bend_signed_data(respond(pair[1]), twice)), authority)


def test_no_signer_is_refused(pair, authority):
    def none(signed):
        signed["signer_infos"] = cms.SignerInfos([])

    with pytest.raises(MalformedError, match="0 signers"):
        verify(receipt_of(bend_signed_data(respond(pair[1]), none)), authority)


def test_a_usage_that_is_not_critical_is_refused():
    root, signer = make_pair(usages_critical=False)
    with pytest.raises(ProofError, match="not critical"):
        verify(receipt_of(respond(signer)), make_authority(root))


@pytest.mark.parametrize(
    "usages",
    [
        [ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING],
        [ExtendedKeyUsageOID.SERVER_AUTH],
        [ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE],
    ],
)
def test_a_usage_other_than_time_stamping_alone_is_refused(usages):
    root, signer = make_pair(usages=usages)
    with pytest.raises(ProofError, match="other purposes"):
        verify(receipt_of(respond(signer)), make_authority(root))


def test_no_usage_is_refused():
    root, signer = make_pair(usages=())
    with pytest.raises(ProofError, match="no extended key usage"):
        verify(receipt_of(respond(signer)), make_authority(root))


def test_a_policy_the_reader_did_not_accept_is_refused(pair):
    accepted = make_authority(pair[0], policies=(POLICY,))
    assert isinstance(verify(receipt_of(respond(pair[1])), accepted), Statement)
    with pytest.raises(ProofError, match="policy"):
        verify(receipt_of(respond(pair[1])), make_authority(pair[0], policies=("1.2.3",)))


def test_of_two_authorities_under_one_root_the_one_with_the_policy_is_meant(pair):
    narrow = make_authority(pair[0], "narrow", policies=("1.2.3",))
    wide = make_authority(pair[0], "wide", policies=(POLICY,))
    for order in ([narrow, wide], [wide, narrow]):
        assert verify(receipt_of(respond(pair[1]), authority="narrow"), *order).authority == "wide"


def test_granted_with_modifications_is_not_granted(pair, authority):
    response = tsp.TimeStampResp.load(respond(pair[1]))
    response["status"]["status"] = "granted_with_mods"
    with pytest.raises(MalformedError, match="granted_with_mods"):
        verify(receipt_of(response.dump(force=True)), authority)


def test_a_signature_by_another_key_is_refused(pair, authority):
    _, impostor = make_pair()
    forged = impostor.__class__(pair[1].certificate, impostor.key)
    with pytest.raises(ProofError, match="rfc3161-client refuses"):
        verify(receipt_of(respond(forged)), authority)


def test_a_weak_signature_digest_is_refused(pair, authority):
    def weaken(signed):
        signed["signer_infos"][0]["digest_algorithm"] = algos.DigestAlgorithm({"algorithm": "sha1"})

    with pytest.raises(ProofError, match="too weak"):
        verify(receipt_of(bend_signed_data(respond(pair[1]), weaken)), authority)


def test_chinese_algorithms_are_left_to_the_platform(pair, authority):
    def as_sm2(signed):
        signed["signer_infos"][0]["signature_algorithm"] = cms.SignedDigestAlgorithm(
            {"algorithm": "1.2.156.10197.1.501"}
        )

    found = verify(receipt_of(bend_signed_data(respond(pair[1]), as_sm2)), authority)
    assert isinstance(found, Uncounted)
    assert "not by us" in str(found.reason)


def test_a_fraction_of_a_second_is_kept(pair, authority):
    info = token_info(DIGEST.raw, serial=5, at=NOON, nonce=None)
    info["gen_time"] = core.GeneralizedTime.load(b"\x18\x1320260301120000.125Z")
    data = grant(sign_token(info, pair[1], certificates=[to_der(pair[1].certificate)]))
    statement = verify(receipt_of(data), authority)
    assert statement.at == NOON + timedelta(milliseconds=125)


def test_two_names_under_one_root_share_a_key():
    root = make_root("root", valid_from=LONG_AGO)
    first, second = (make_signer(name, root, valid_from=LONG_AGO) for name in ("first", "second"))
    one = verify(receipt_of(respond(first)), make_authority(root, "first"))
    two = verify(receipt_of(respond(second)), make_authority(root, "second"))
    assert one.authority != two.authority
    assert one.keys & two.keys


@pytest.mark.filterwarnings("ignore")  # libraries warn of odd certificates; they must not raise
def test_every_changed_byte_is_refused_or_changes_nothing_that_is_claimed(pair, authority):
    data = respond(pair[1])
    good = verify(receipt_of(data), authority)
    accepted = 0
    for position in range(len(data)):
        bent = bytearray(data)
        bent[position] ^= 1 << (position % 8)
        try:
            found = verify(receipt_of(bytes(bent)), authority)
        except (MalformedError, ProofError):
            continue
        if isinstance(found, Statement):
            accepted += 1
            assert found == good, f"byte {position}"
    assert accepted < 40, "only what no signature covers may change"


def test_cut_responses_are_malformed(pair, authority):
    data = respond(pair[1])
    for length in range(0, len(data), 7):
        with pytest.raises(MalformedError):
            verify(receipt_of(data[:length]), authority)
    with pytest.raises(MalformedError):
        verify(receipt_of(data + b"\0"), authority)


def test_more_certificates_than_a_token_needs_are_malformed(pair, authority):
    with pytest.raises(MalformedError, match="33 certificates"):
        verify(receipt_of(respond(pair[1], certificates=[to_der(pair[1].certificate)] * 33)), authority)


def test_a_signed_attribute_given_twice_is_malformed(pair, authority):
    named = names_certificate(to_der(pair[1].certificate))
    with pytest.raises(MalformedError, match="exactly one value"):
        verify(receipt_of(respond(pair[1], attributes=[named, named])), authority)


def test_a_signer_named_by_its_key_is_malformed(pair, authority):
    def by_key(signed):
        signed["signer_infos"][0]["sid"] = cms.SignerIdentifier("subject_key_identifier", bytes(20))

    with pytest.raises(MalformedError, match="by key"):
        verify(receipt_of(bend_signed_data(respond(pair[1]), by_key)), authority)


def test_revocation_lists_inside_the_token_are_used_too(pair, authority):
    def with_list(signed):
        crl = asn1_crl.CertificateList.load(make_crl(pair[0], at=NOON))
        signed["crls"] = cms.RevocationInfoChoices([cms.RevocationInfoChoice("crl", crl)])

    statement = verify(receipt_of(bend_signed_data(respond(pair[1]), with_list)), authority)
    assert (statement.revocation, statement.revocation_as_of) == (Revocation.GOOD, NOON)


def test_a_demonstration_authority_answers_what_it_was_asked():
    local = make_local()
    request = make_request(DIGEST, 99)
    receipt = receipt_of(local.respond(request.data), request=request.data)
    assert isinstance(verify(receipt, local.authority()), Statement)
    with pytest.raises(MalformedError, match="bad_data_format"):
        parse_response(local.respond(b"no query"))


def test_the_signers_certificate_is_read_as_it_stands():
    """The issuer in the token is compared byte for byte with the certificate's own spelling."""
    root, signer = make_pair()
    der = to_der(signer.certificate)
    issuer = asn1_x509.Certificate.load(der).issuer.dump()
    assert parse_response(respond(signer)).signer_issuer == issuer
    assert isinstance(verify(receipt_of(respond(signer)), make_authority(root)), Statement)
