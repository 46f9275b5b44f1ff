"""The chain from a token's signer to a root of the reader, at the time the token names.

Found by ourselves, although `rfc3161-client` and `openssl` each build a chain
of their own, for three reasons: it says *which* root was reached, so that two
names under one root count once; revocation lists are needed for exactly these
certificates; and both verifiers are then given this one root and no other.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from makingof.digest import Digest
from makingof.errors import MalformedError, ProofError
from makingof.stamp.asn1 import reading
from makingof.stamp.token import CertificateId, Token

MAX_CHAIN_CERTIFICATES = 8
_MAX_SIGNATURE_CHECKS = 64
_HASHES = {"sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}
_WEAK = ("md5", "sha1")

Chain = tuple[x509.Certificate, ...]


def load_certificate(data: bytes) -> x509.Certificate:
    """Read one DER certificate, its extensions included."""
    with reading("certificate"):
        return _checked(x509.load_der_x509_certificate(data))


def load_pem_certificates(data: bytes) -> list[x509.Certificate]:
    """Read every certificate of a PEM file; a file without one is malformed."""
    with reading("PEM file"):
        return [_checked(certificate) for certificate in x509.load_pem_x509_certificates(data)]


def _checked(certificate: x509.Certificate) -> x509.Certificate:
    """Read now what would be read lazily, so that it fails here."""
    _ = (certificate.extensions, certificate.issuer, certificate.subject, certificate.public_key())
    return certificate


def to_der(certificate: x509.Certificate) -> bytes:
    """Return the certificate's bytes."""
    return certificate.public_bytes(Encoding.DER)


def to_pem(certificates: Iterable[x509.Certificate]) -> bytes:
    """Return the certificates as one PEM file."""
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def key_digest(certificate: x509.Certificate) -> Digest:
    """Name the certificate's public key; a root issued again keeps it."""
    key = certificate.public_key()
    return Digest.of(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def is_self_signed(certificate: x509.Certificate) -> bool:
    """Tell whether the certificate is signed by the key it holds.

    Old roots are, over a hash too weak to be checked here. A root's own
    signature proves nothing either way: the reader's trust makes it one. Then
    the names decide, and the key identifiers where it has them.
    """
    if certificate.issuer != certificate.subject:
        return False
    return _names_its_own_key(certificate) if _is_weak(certificate) else _verifies(certificate, certificate)


def is_authority(certificate: x509.Certificate) -> bool:
    """Tell whether the certificate is a certification authority's."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def find_signer(token: Token, pool: Sequence[x509.Certificate]) -> x509.Certificate:
    """Return the certificate that signed `token`, identified by hash and not by name alone.

    Issuer and serial number choose, and every ESSCertID list must start with
    the hash of the certificate chosen. `rfc3161-client` does not compare the
    hash, and choosing by name once let the token of one authority pass for
    another's. A token without ESSCertID is refused (RFC 3161, 2.4.2).
    """
    if not token.named_certificates:
        message = "time-stamp token does not name its signer's certificate by hash"
        raise ProofError(message)
    named = [
        certificate
        for certificate in pool
        if certificate.serial_number == token.signer_serial
        and _issuer_bytes(certificate) == token.signer_issuer
    ]
    if not named:
        message = "signer's certificate is neither in the time-stamp token nor beside it"
        raise ProofError(message)
    for certificate in named:
        if all(_is_named(certificate, names[:1]) for names in token.named_certificates):
            return certificate
    message = "signer's certificate is not the one whose hash the time-stamp token holds"
    raise ProofError(message)


def check_signer(certificate: x509.Certificate) -> None:
    """Refuse a certificate that is not critically for time-stamping and nothing else (RFC 3161, 2.3)."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound as err:
        message = "signer's certificate has no extended key usage"
        raise ProofError(message) from err
    if not usage.critical:
        message = "signer's extended key usage is not critical"
        raise ProofError(message)
    if list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        message = "signer's certificate is for other purposes than time-stamping"
        raise ProofError(message)
    if is_authority(certificate):
        message = "signer's certificate is that of a certification authority"
        raise ProofError(message)


def find_chain(
    signer: x509.Certificate,
    pool: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    at: datetime,
) -> Chain | None:
    """Return signer, intermediates and root, all valid at `at`, or None if no root of the reader is reached.

    Certificates of `pool` build the chain and never end it. A signer's
    certificate that was not valid at `at` raises `ProofError`: its token is
    wrong whoever issued it, which is another thing than being unknown.
    """
    if not _is_valid(signer, at):
        message = f"signer's certificate was not valid at {at:%Y-%m-%dT%H:%M:%SZ}"
        raise ProofError(message)
    return _Search(pool, roots, at).extend((signer,))


def check_named(chain: Chain, token: Token) -> None:
    """Refuse a chain without a certificate that the token names (RFC 5035, 5.4: names limit the chain)."""
    for names in token.named_certificates:
        for name in names:
            if not any(_is_named(certificate, (name,)) for certificate in chain):
                message = "time-stamp token names a certificate by hash that is not in the signer's chain"
                raise ProofError(message)


class _Search:
    """A depth-first search that a hostile pool cannot make long: depth and signature checks are counted."""

    def __init__(
        self, pool: Sequence[x509.Certificate], roots: Sequence[x509.Certificate], at: datetime
    ) -> None:
        self.pool = [certificate for certificate in pool if _may_issue(certificate)]
        self.roots = roots
        self.at = at
        self.checks_left = _MAX_SIGNATURE_CHECKS

    def extend(self, chain: Chain) -> Chain | None:
        for root in self._issuers(chain, self.roots):
            return (*chain, root)
        if len(chain) + 1 >= MAX_CHAIN_CERTIFICATES:
            return None
        for issuer in self._issuers(chain, self.pool):
            if issuer not in chain and (found := self.extend((*chain, issuer))):
                return found
        return None

    def _issuers(self, chain: Chain, candidates: Sequence[x509.Certificate]) -> Iterator[x509.Certificate]:
        certificate = chain[-1]
        for issuer in candidates:
            if issuer.subject != certificate.issuer or not _is_valid(issuer, self.at):
                continue
            if not _allows_depth(issuer, len(chain) - 1):
                continue
            self.checks_left -= 1
            if self.checks_left < 0:
                message = f"certificate chain takes more than {_MAX_SIGNATURE_CHECKS} signature checks"
                raise MalformedError(message)
            if _signed_by(certificate, issuer):
                yield issuer


def _is_named(certificate: x509.Certificate, names: Sequence[CertificateId]) -> bool:
    der = to_der(certificate)
    for name in names:
        make = _HASHES.get(name.algorithm)
        if make is not None and make(der).digest() == name.value:
            return True
    return False


def _issuer_bytes(certificate: x509.Certificate) -> bytes:
    """Return the issuer's name as it stands in the certificate; cryptography would write it anew."""
    with reading("certificate"):
        return bytes(asn1_x509.Certificate.load(to_der(certificate)).issuer.dump())


def _is_valid(certificate: x509.Certificate, at: datetime) -> bool:
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def _may_issue(certificate: x509.Certificate) -> bool:
    """Tell whether an intermediate may issue time-stamping certificates, by each extension that limits it."""
    if not is_authority(certificate):
        return False
    try:
        if not certificate.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign:
            return False
    except x509.ExtensionNotFound:
        pass
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return ExtendedKeyUsageOID.TIME_STAMPING in usages or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in usages


def _allows_depth(issuer: x509.Certificate, intermediates_below: int) -> bool:
    try:
        constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return False
    limit = constraints.path_length
    return constraints.ca and (limit is None or intermediates_below <= limit)


def _signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    return not _is_weak(certificate) and _verifies(certificate, issuer)


def _is_weak(certificate: x509.Certificate) -> bool:
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return False  # unknown, and found so when it is verified
    return algorithm is not None and algorithm.name in _WEAK


def _verifies(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _names_its_own_key(certificate: x509.Certificate) -> bool:
    try:
        named = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
        own = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return True
    return named.key_identifier in (None, own.digest)
