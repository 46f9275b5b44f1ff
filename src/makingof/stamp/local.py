"""A time-stamping authority inside this process, for the demonstration and the tests.

Nobody trusts it: its root is made on the spot, stands in no list, and says so
in its name. What it hands out is otherwise a real RFC 3161 token, made without
OpenSSL, so that every check runs for real.
"""

import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from asn1crypto import cms, core, parser, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from makingof.clock import Clock
from makingof.errors import MalformedError
from makingof.stamp.base import Authority, Kind
from makingof.stamp.chain import to_der
from makingof.stamp.token import MAX_RESPONSE_BYTES, parse_request

LABEL = "DEMONSTRATION - trusted by nobody"
POLICY = "2.25.198302412340412"  # under 2.25 anybody may choose; it means nothing
_LIFETIME = timedelta(days=365 * 20)


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate and its key; a `repeatable` one signs the same bytes the same way each time."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    repeatable: bool = False


def make_root(
    name: str, *, valid_from: datetime, valid_until: datetime | None = None, seed: bytes | None = None
) -> Identity:
    """Make a self-signed root called `name`.

    Here and below, the same `seed` gives the same bytes. Whoever has the seed
    has the key, so it is for vectors and demonstrations that must repeat.
    """
    key = _make_key(seed)
    subject = _name(name)
    certificate = (
        _builder(subject, subject, key, valid_from, valid_until)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256(), ecdsa_deterministic=seed is not None or None)
    )
    return Identity(certificate, key, repeatable=seed is not None)


def make_intermediate(
    name: str,
    issuer: Identity,
    *,
    valid_from: datetime,
    crl_url: str | None = None,
    seed: bytes | None = None,
) -> Identity:
    """Make a certification authority below `issuer`."""
    key = _make_key(seed)
    builder = (
        _builder(_name(name), issuer.certificate.subject, key, valid_from, None)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
    )
    return _issue(_with_crl_address(builder, crl_url), issuer, key)


def make_signer(
    name: str,
    issuer: Identity,
    *,
    valid_from: datetime,
    valid_until: datetime | None = None,
    crl_url: str | None = None,
    usages: Sequence[x509.ObjectIdentifier] = (ExtendedKeyUsageOID.TIME_STAMPING,),
    usages_critical: bool = True,
    seed: bytes | None = None,
) -> Identity:
    """Make a certificate for time-stamping below `issuer`; tests bend `usages`."""
    key = _make_key(seed)
    builder = (
        _builder(_name(name), issuer.certificate.subject, key, valid_from, valid_until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
    )
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=usages_critical)
    return _issue(_with_crl_address(builder, crl_url), issuer, key)


def make_crl(
    issuer: Identity,
    *,
    at: datetime,
    revoked: Sequence[tuple[int, datetime, x509.ReasonFlags | None]] = (),
) -> bytes:
    """Make a revocation list as of `at`: serial numbers, when revoked, and why."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(at)
        .next_update(at + timedelta(days=30))
    )
    for serial, revoked_at, reason in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(revoked_at)
        if reason is not None:
            entry = entry.add_extension(x509.CRLReason(reason), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    crl = builder.sign(issuer.key, hashes.SHA256(), ecdsa_deterministic=issuer.repeatable or None)
    return crl.public_bytes(Encoding.DER)


@dataclass
class LocalAuthority:
    """Answers time-stamp queries by `clock`; keys are made when it is, from `seed` if one is given."""

    name: str
    clock: Clock
    seed: bytes | None = None
    root: Identity = field(init=False)
    signer: Identity = field(init=False)
    _serial: int = field(default=0, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        valid_from = self.clock.now() - timedelta(days=1)
        seeds = (None, None) if self.seed is None else (self.seed + b" root", self.seed + b" signer")
        self.root = make_root(f"{self.name} root", valid_from=valid_from, seed=seeds[0])
        self.signer = make_signer(f"{self.name} signer", self.root, valid_from=valid_from, seed=seeds[1])

    def authority(self, url: str | None = None) -> Authority:
        """Return what a reader would have to trust to count this authority's word."""
        return Authority(
            name=self.name,
            kind=Kind.RFC3161,
            operator=self.name,
            urls=(url,) if url else (),
            roots=(to_der(self.root.certificate),),
        )

    def respond(self, query: bytes) -> bytes:
        """Answer one time-stamp query with a response; a query that does not parse is declined."""
        try:
            request = parse_request(query)
        except MalformedError as err:
            return decline(str(err), "bad_data_format")
        with self._lock:
            self._serial += 1
            info = token_info(
                request.digest.raw, serial=self._serial, at=self.clock.now(), nonce=request.nonce
            )
        return grant(sign_token(info, self.signer, certificates=[to_der(self.signer.certificate)]))


def token_info(imprint: bytes, *, serial: int, at: datetime, nonce: int | None) -> tsp.TSTInfo:
    """Say that `imprint`, a SHA-256, was seen at `at`, to the second."""
    return tsp.TSTInfo(
        {
            "version": "v1",
            "policy": POLICY,
            "message_imprint": {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": imprint},
            "serial_number": serial,
            "gen_time": at.astimezone(UTC).replace(microsecond=0),
            "accuracy": {"seconds": 1},
            "nonce": nonce,
        }
    )


def sign_token(
    info: tsp.TSTInfo,
    signer: Identity,
    *,
    certificates: Sequence[bytes],
    attributes: Sequence[cms.CMSAttribute] | None = None,
) -> cms.ContentInfo:
    """Sign `info` as CMS; `attributes` stand in for the certificate's hash, for tests."""
    content = cms.EncapsulatedContentInfo(
        {"content_type": "tst_info", "content": core.ParsableOctetString(info.dump())}
    )
    named = [names_certificate(to_der(signer.certificate))] if attributes is None else attributes
    return cms.ContentInfo(
        {
            "content_type": "signed_data",
            "content": cms.SignedData(
                {
                    "version": "v3",
                    "digest_algorithms": [{"algorithm": "sha256"}],
                    "encap_content_info": content,
                    "certificates": [
                        cms.CertificateChoices("certificate", asn1_x509.Certificate.load(der))
                        for der in certificates
                    ]
                    or None,
                    "signer_infos": [_signer_info(info, signer, named)],
                }
            ),
        }
    )


def names_certificate(certificate: bytes) -> cms.CMSAttribute:
    """Make the signed attribute that names a certificate by its SHA-256 (ESSCertIDv2)."""
    return _attribute(
        "signing_certificate_v2",
        tsp.SigningCertificateV2({"certs": [{"cert_hash": hashlib.sha256(certificate).digest()}]}),
    )


def grant(token: cms.ContentInfo) -> bytes:
    """Wrap a token as a granted response."""
    return bytes(tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": token}).dump())


def decline(reason: str, failure: str) -> bytes:
    """Make a rejection, which holds no token."""
    status = tsp.PKIStatusInfo({"status": "rejection", "status_string": [reason], "fail_info": {failure}})
    return bytes(parser.emit(0, 1, core.Sequence.tag, status.dump()))


@contextmanager
def serve(authority: LocalAuthority) -> Iterator[str]:
    """Serve `authority` on the loopback interface for as long as the block runs; yields its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _answering(authority))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answering(authority: LocalAuthority) -> type[BaseHTTPRequestHandler]:
    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = min(int(self.headers.get("Content-Length", "0")), MAX_RESPONSE_BYTES)
            answer = authority.respond(self.rfile.read(length))
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Stay silent: the demonstration prints its own account."""

    return Answering


def _signer_info(info: tsp.TSTInfo, signer: Identity, named: Sequence[cms.CMSAttribute]) -> cms.SignerInfo:
    attributes = cms.CMSAttributes(
        [
            _attribute("content_type", "tst_info"),
            _attribute("message_digest", hashlib.sha256(info.dump()).digest()),
            *named,
        ]
    )
    certificate = asn1_x509.Certificate.load(to_der(signer.certificate))
    return cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                "issuer_and_serial_number",
                cms.IssuerAndSerialNumber(
                    {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
                ),
            ),
            "digest_algorithm": {"algorithm": "sha256"},
            "signed_attrs": attributes,
            "signature_algorithm": {"algorithm": "sha256_ecdsa"},
            # CMS signs the attributes as a plain SET and sends them under an implicit tag (RFC 5652, 5.4).
            "signature": signer.key.sign(
                attributes.dump(), ec.ECDSA(hashes.SHA256(), deterministic_signing=signer.repeatable)
            ),
        }
    )


def _attribute(name: str, value: Any) -> cms.CMSAttribute:
    return cms.CMSAttribute({"type": name, "values": [value]})


def _make_key(seed: bytes | None) -> ec.EllipticCurvePrivateKey:
    if seed is None:
        return ec.generate_private_key(ec.SECP256R1())
    secret = int.from_bytes(hashlib.sha256(seed).digest()) >> 1  # below the order of the curve
    return ec.derive_private_key(secret, ec.SECP256R1())


def _serial_number(key: ec.EllipticCurvePrivateKey) -> int:
    """Number a certificate by its key: at most 20 bytes, positive, and no two alike (RFC 5280, 4.1.2.2)."""
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return int.from_bytes(b"\x01" + hashlib.sha256(spki).digest()[:18])


def _issue(builder: x509.CertificateBuilder, issuer: Identity, key: ec.EllipticCurvePrivateKey) -> Identity:
    certificate = builder.sign(issuer.key, hashes.SHA256(), ecdsa_deterministic=issuer.repeatable or None)
    return Identity(certificate, key, repeatable=issuer.repeatable)


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, LABEL),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    valid_from: datetime,
    valid_until: datetime | None,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(_serial_number(key))
        .not_valid_before(valid_from)
        .not_valid_after(valid_until or valid_from + _LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _with_crl_address(builder: x509.CertificateBuilder, url: str | None) -> x509.CertificateBuilder:
    if url is None:
        return builder
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)
    return builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
