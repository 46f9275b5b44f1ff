"""Certificate revocation lists kept beside a token, and what they mean for it.

A list is usable if the issuer of the certificate signed it and it covers that
issuer's certificates whole: delta, indirect and partial lists are not used.
Revocation after the token's time does not always spare the token: RFC 3161,
section 4, lists four reasons that do, and every other one, or none, makes all
tokens of that key invalid, because the key may have been in other hands.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from makingof.errors import MalformedError, ProofError
from makingof.stamp.asn1 import reading
from makingof.stamp.base import Revocation
from makingof.stamp.chain import Chain, is_authority

MAX_CRL_BYTES = 8 * 1024 * 1024

# The key was given up in good order, so what it signed before stays good (RFC 3161, 4, item 1).
_ORDERLY = (
    x509.ReasonFlags.unspecified,
    x509.ReasonFlags.affiliation_changed,
    x509.ReasonFlags.superseded,
    x509.ReasonFlags.cessation_of_operation,
)
_SIGNING_KEYS = (rsa.RSAPublicKey, ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey, ed448.Ed448PublicKey)
_UNDERSTOOD = (x509.CRLNumber, x509.AuthorityKeyIdentifier)


@dataclass(frozen=True, slots=True)
class RevocationState:
    """Whether every certificate below the root was looked up, and up to which day the lists reach."""

    state: Revocation
    as_of: datetime | None  # the oldest of the newest lists used


def parse_crl(data: bytes) -> x509.CertificateRevocationList:
    """Read one DER revocation list; what it says is not yet checked."""
    if len(data) > MAX_CRL_BYTES:
        message = f"revocation list of {len(data)} bytes is longer than {MAX_CRL_BYTES}"
        raise MalformedError(message)
    with reading("revocation list"):
        crl = x509.load_der_x509_crl(data)
        _ = (crl.extensions, crl.issuer, crl.last_update_utc)
    return crl


def check_revocation(chain: Chain, crls: Iterable[bytes], at: datetime) -> RevocationState:
    """Look up every certificate of `chain` below its root.

    Raises `ProofError` if one was revoked in a way that reaches a token of `at`.
    Whoever hands in the token hands in the lists, so their absence proves
    nothing and is only reported. A list that does not parse is an error, and
    one signed by somebody else is ignored.
    """
    parsed = [parse_crl(crl) for crl in crls]
    reached = []
    for certificate, issuer in pairwise(chain):
        crl = _newest_usable(parsed, certificate, issuer)
        if crl is not None:
            _check_listed(certificate, crl, at)
            reached.append(crl.last_update_utc)
    if not reached:
        return RevocationState(Revocation.UNKNOWN, None)
    whole = len(reached) == len(chain) - 1
    return RevocationState(Revocation.GOOD if whole else Revocation.PARTIAL, min(reached))


def crl_addresses(certificate: x509.Certificate) -> list[str]:
    """Return the http addresses at which the certificate says its revocation list lies."""
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return []
    names = [name for point in points for name in point.full_name or ()]
    return [
        name.value
        for name in names
        if isinstance(name, x509.UniformResourceIdentifier) and name.value.startswith(("http://", "https://"))
    ]


def _newest_usable(
    crls: Sequence[x509.CertificateRevocationList], certificate: x509.Certificate, issuer: x509.Certificate
) -> x509.CertificateRevocationList | None:
    usable = [crl for crl in crls if _covers(crl, certificate) and _is_signed(crl, issuer)]
    return max(usable, key=lambda crl: crl.last_update_utc, default=None)


def _covers(crl: x509.CertificateRevocationList, certificate: x509.Certificate) -> bool:
    """Tell whether the list would name `certificate` if it were revoked (RFC 5280, 6.3.3)."""
    for extension in crl.extensions:
        value = extension.value
        if isinstance(value, x509.IssuingDistributionPoint):
            if not _is_in_scope(value, certificate):
                return False
        elif extension.critical and not isinstance(value, _UNDERSTOOD):
            return False  # a delta list, or one whose meaning we do not know
    return True


def _is_in_scope(point: x509.IssuingDistributionPoint, certificate: x509.Certificate) -> bool:
    """Refuse lists that are indirect or partial, and the shard of a list that lies elsewhere."""
    if point.indirect_crl or point.only_some_reasons or point.only_contains_attribute_certs:
        return False
    if point.only_contains_user_certs and is_authority(certificate):
        return False
    if point.only_contains_ca_certs and not is_authority(certificate):
        return False
    if point.relative_name is not None:
        return False
    named = {name.value for name in point.full_name or () if isinstance(name, x509.UniformResourceIdentifier)}
    return point.full_name is None or not named.isdisjoint(crl_addresses(certificate))


def _is_signed(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    key = issuer.public_key()
    if crl.issuer != issuer.subject or not _may_sign_lists(issuer) or not isinstance(key, _SIGNING_KEYS):
        return False
    try:
        return crl.is_signature_valid(key)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


def _may_sign_lists(issuer: x509.Certificate) -> bool:
    try:
        return issuer.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign
    except x509.ExtensionNotFound:
        return True


def _check_listed(certificate: x509.Certificate, crl: x509.CertificateRevocationList, at: datetime) -> None:
    with reading("revocation list"):
        entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
        if entry is None:
            return
        reason = _reason(entry)
        revoked_at = entry.revocation_date_utc
    if reason in _ORDERLY and revoked_at > at:
        return
    why = "no reason given" if reason is None else reason.value
    message = (
        f"certificate {certificate.serial_number:x} was revoked at {revoked_at:%Y-%m-%dT%H:%M:%SZ} ({why})"
    )
    raise ProofError(message)


def _reason(entry: x509.RevokedCertificate) -> x509.ReasonFlags | None:
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return None
