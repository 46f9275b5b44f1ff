"""COSE_Sign1 (RFC 9052) as C2PA uses it: one signature over a claim kept apart from it."""

from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from makingof.containers.cbor import parse_cbor
from makingof.errors import MalformedError

_ALGORITHM, _X5CHAIN = "1", "33"  # labels of header parameters; keys are read as text
_HASH_OF = {
    -7: hashes.SHA256(), -35: hashes.SHA384(), -36: hashes.SHA512(),
    -37: hashes.SHA256(), -38: hashes.SHA384(), -39: hashes.SHA512(),
}  # fmt: skip
_NAME_OF = {-7: "ES256", -35: "ES384", -36: "ES512", -37: "PS256", -38: "PS384", -39: "PS512", -8: "EdDSA"}
_PARTS = 4  # protected and unprotected headers, payload, signature


def check_signature(sign1: bytes, payload: bytes) -> tuple[bool, str]:
    """Check a detached signature with the first certificate of its own chain.

    Returns whether it held and who signed, in the certificate's words. Neither chain,
    validity nor trust is looked at. What cannot be checked is a `MalformedError`.
    """
    protected, unprotected, signature = _parts(sign1)
    header = parse_cbor(protected) if protected else {}
    if not isinstance(header, dict):
        message = "protected header of the signature is no map"
        raise MalformedError(message)
    algorithm = header.get(_ALGORITHM)
    if not isinstance(algorithm, int) or algorithm not in _NAME_OF:
        message = f"algorithm {algorithm!r} is not one C2PA allows"
        raise MalformedError(message)
    certificate = _certificate(header, unprotected)
    # Sig_structure (RFC 9052, 4.4): context, protected header, external data, payload.
    signed = b"\x84" + _text("Signature1") + _string(protected) + _string(b"") + _string(payload)
    held = _verify(certificate, algorithm, signature, signed)
    return held, f"{_NAME_OF[algorithm]} by {_subject(certificate)}"


def _parts(sign1: bytes) -> tuple[bytes, dict[str, Any], bytes]:
    value = parse_cbor(sign1)
    parts = value if isinstance(value, list) and len(value) == _PARTS else [None] * _PARTS
    protected, unprotected, _, signature = parts
    if not (isinstance(protected, bytes) and isinstance(unprotected, dict) and isinstance(signature, bytes)):
        message = f"signature is no COSE_Sign1 of {_PARTS} parts"
        raise MalformedError(message)
    return protected, unprotected, signature


def _certificate(header: dict[str, Any], unprotected: dict[str, Any]) -> x509.Certificate:
    chain = (
        header.get(_X5CHAIN)
        or unprotected.get(_X5CHAIN)
        or header.get("x5chain")
        or unprotected.get("x5chain")
    )
    leaf = chain[0] if isinstance(chain, list) and chain else chain
    if not isinstance(leaf, bytes):
        message = "signature carries no certificate"
        raise MalformedError(message)
    try:
        return x509.load_der_x509_certificate(leaf)
    except ValueError as err:
        message = f"certificate does not parse: {err}"
        raise MalformedError(message) from err


def _verify(certificate: x509.Certificate, algorithm: int, signature: bytes, signed: bytes) -> bool:
    try:
        key = certificate.public_key()
        match key:
            case ec.EllipticCurvePublicKey() if algorithm in (-7, -35, -36):
                half = len(signature) // 2
                pair = (int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))
                key.verify(encode_dss_signature(*pair), signed, ec.ECDSA(_HASH_OF[algorithm]))
            case rsa.RSAPublicKey() if algorithm in (-37, -38, -39):
                chosen = _HASH_OF[algorithm]
                key.verify(signature, signed, padding.PSS(padding.MGF1(chosen), chosen.digest_size), chosen)
            case ed25519.Ed25519PublicKey() if algorithm == -8:  # noqa: PLR2004 - EdDSA
                key.verify(signature, signed)
            case _:
                message = f"key of the certificate does not fit {_NAME_OF[algorithm]}"
                raise MalformedError(message)
    except InvalidSignature:
        return False
    except (ValueError, UnsupportedAlgorithm) as err:
        message = f"signature cannot be checked: {err}"
        raise MalformedError(message) from err
    return True


def _subject(certificate: x509.Certificate) -> str:
    try:
        return certificate.subject.rfc4514_string()
    except ValueError:
        return "a certificate whose subject does not parse"


def _string(value: bytes) -> bytes:
    return _head(2, len(value)) + value


def _text(value: str) -> bytes:
    return _head(3, len(value)) + value.encode()


def _head(major: int, length: int) -> bytes:
    if length < 24:  # noqa: PLR2004 - RFC 8949, 3: shortest form
        return bytes([major << 5 | length])
    for extra, size in ((24, 1), (25, 2), (26, 4)):
        if length < 1 << 8 * size:
            return bytes([major << 5 | extra]) + length.to_bytes(size, "big")
    return bytes([major << 5 | 27]) + length.to_bytes(8, "big")
