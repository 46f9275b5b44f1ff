"""Pictures with C2PA manifests, made here: JUMBF boxes, a CBOR claim, a COSE signature.

The certificate is made from a fixed key and trusted by nobody.
"""

import datetime as dt
import functools
import hashlib
import struct

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from tests import records
from tests import records_elsewhere as elsewhere

KEY = ec.derive_private_key(0xC2BA, ec.SECP256R1())
OPENAI_USAGES = ("1.3.6.1.4.1.62558.2.1", "1.3.6.1.5.5.7.3.36")  # what a large vendor's certificates carry
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


@functools.cache  # its own signature is random, and so would its length be
def certificate():
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "A Test Signer")])
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    usages = [x509.ObjectIdentifier(usage) for usage in OPENAI_USAGES]
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=365))
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .sign(KEY, hashes.SHA256())
    )


def cbor(value):
    """Encode the few kinds of value a manifest needs."""
    if value is None:
        return b"\xf6"
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return _head(4, len(value)) + b"".join(map(cbor, value))
    return _head(5, len(value)) + b"".join([cbor(key) + cbor(item) for key, item in value.items()])


def _head(major, number):
    if number < 24:
        return bytes([major << 5 | number])
    for extra, size in ((24, 1), (25, 2), (26, 4)):
        if number < 1 << 8 * size:
            return bytes([major << 5 | extra]) + number.to_bytes(size, "big")
    return bytes([major << 5 | 27]) + number.to_bytes(8, "big")


def box(kind, payload):
    return struct.pack(">I4s", len(payload) + 8, kind) + payload


def superbox(kind, label, *inner):
    uuid = kind + bytes.fromhex("00110010800000AA00389B71")
    return box(b"jumb", box(b"jumd", uuid + b"\x03" + label.encode() + b"\0") + b"".join(inner))


def store(data_hash, exclusions, *, agent="gpt-image", change=None):
    """A manifest store whose data hash is `data_hash`.

    `change` spoils it: `claim` holds keys to put into the claim; `actions`, `binding` and
    `header` stand for the whole of what they name.
    """
    change = change or {}
    actions = {
        "actions": [
            {"action": "c2pa.created", "softwareAgent": {"name": agent}, "digitalSourceType": SOURCE_TYPE},
            {"action": "c2pa.converted", "when": "2026-06-05T13:46:44Z"},
        ]
    }
    binding = {
        "exclusions": [{"start": a, "length": b} for a, b in exclusions],
        "alg": "sha256",
        "hash": data_hash,
        "pad": bytes(8),
    }
    assertions = [
        superbox(b"cbor", "c2pa.actions.v2", box(b"cbor", cbor(change.get("actions", actions)))),
        superbox(b"cbor", "c2pa.hash.data", box(b"cbor", cbor(change.get("binding", binding)))),
    ]
    labels = ("c2pa.actions.v2", "c2pa.hash.data")
    named = [
        {"url": f"self#jumbf=c2pa.assertions/{label}", "hash": hashlib.sha256(assertion[8:]).digest()}
        for label, assertion in zip(labels, assertions, strict=True)
    ]
    claim = cbor(
        {
            "instanceID": "xmp:iid:1",
            "claim_generator_info": {"name": "A Media Service API"},
            "signature": "self#jumbf=c2pa.signature",
            "created_assertions": named,
            "alg": "sha256",
            **change.get("claim", {}),
        }
    )
    manifest = superbox(
        b"c2ma",
        "urn:c2pa:1",
        superbox(b"c2as", "c2pa.assertions", *assertions),
        superbox(b"c2cl", "c2pa.claim.v2", box(b"cbor", claim)),
        superbox(b"c2cs", "c2pa.signature", box(b"cbor", sign(claim, change.get("header")))),
    )
    return superbox(b"c2pa", "c2pa", manifest)


def sign(claim, header=None):
    protected = cbor(header or {1: -7, 33: certificate().public_bytes(Encoding.DER)})
    signed = cbor(["Signature1", protected, b"", claim])
    r, s = decode_dss_signature(KEY.sign(signed, ec.ECDSA(hashes.SHA256())))
    return b"\xd2" + cbor([protected, {}, None, r.to_bytes(32, "big") + s.to_bytes(32, "big")])


def signed_png(**how):
    """A PNG whose manifest lies in `caBX` behind the header."""
    plain = records.png(width=16, height=16)
    length = len(records.chunk(b"caBX", store(bytes(32), [(33, 99_999)], **how)))
    for _ in range(3):  # the length of the excluded range is a part of what is measured
        digest = hashlib.sha256(plain).digest()
        chunk = records.chunk(b"caBX", store(digest, [(33, length)], **how))
        if len(chunk) == length:
            break
        length = len(chunk)
    return plain[:33] + chunk + plain[33:]


def signed_jpeg(part_bytes=600):
    """A JPEG whose manifest is cut into several APP11 segments."""
    plain = elsewhere.jpeg()
    length = 0
    for _ in range(4):
        box_ = store(hashlib.sha256(plain).digest(), [(2, length)])
        head, body = box_[:8], box_[8:]
        parts = [body[at : at + part_bytes] for at in range(0, len(body), part_bytes)]
        segments = b"".join(
            elsewhere.jpeg_segment(0xEB, b"JP" + struct.pack(">HI", 1, number + 1) + head + part)
            for number, part in enumerate(parts)
        )
        if len(segments) == length:
            break
        length = len(segments)
    return plain[:2] + segments + plain[2:]
