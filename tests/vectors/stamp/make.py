"""Write the vectors of docs/spec/stamp.md: receipts with what a verifier must make of them.

Run from the project's root: `python tests/vectors/stamp/make.py`. A test runs it too and compares. The
keys are made from seeds below, so everybody has them, and nobody trusts them.
"""

import base64
import hashlib
import json
import struct
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from asn1crypto import cms, tsp
from cryptography.x509 import ReasonFlags
from cryptography.x509.oid import ExtendedKeyUsageOID

from makingof.digest import Digest
from makingof.stamp.chain import to_der
from makingof.stamp.local import (
    Identity,
    grant,
    make_crl,
    make_intermediate,
    make_root,
    make_signer,
    names_certificate,
    sign_token,
    token_info,
)
from makingof.stamp.sheet import Sheet, SheetLine, format_sheet
from makingof.stamp.sm3 import sm3_hex
from makingof.stamp.token import make_request, parse_response

HERE = Path(__file__).parent
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
LONG_AGO = NOON - 400 * DAY
DIGEST = Digest.of(b"a checkpoint")
STATEMENT, UNCOUNTED, REFUSED = "statement", "uncounted", "refused"

ROOT = make_root("root", valid_from=LONG_AGO, seed=b"root")
SIGNER = make_signer("signer", ROOT, valid_from=LONG_AGO, seed=b"signer")
MIDDLE = make_intermediate("middle", ROOT, valid_from=LONG_AGO, seed=b"middle")
BELOW = make_signer("below", MIDDLE, valid_from=LONG_AGO, seed=b"below")
IMPOSTOR_ROOT = make_root("root", valid_from=LONG_AGO, seed=b"impostor root")
IMPOSTOR = make_signer("signer", IMPOSTOR_ROOT, valid_from=LONG_AGO, seed=b"impostor")
EXPIRED = make_signer("expired", ROOT, valid_from=LONG_AGO, valid_until=NOON - DAY, seed=b"expired")
LOOSE = make_signer("loose", ROOT, valid_from=LONG_AGO, usages_critical=False, seed=b"loose")
BROAD = make_signer(
    "broad",
    ROOT,
    valid_from=LONG_AGO,
    usages=(ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING),
    seed=b"broad",
)
FORGER = Identity(SIGNER.certificate, IMPOSTOR.key, repeatable=True)


def respond(signer=SIGNER, *, at=NOON, digest=DIGEST, certificates=None, **bent):
    info = token_info(digest.raw, serial=5, at=at, nonce=77)
    if certificates is None:
        certificates = [to_der(signer.certificate)]
    return grant(sign_token(info, signer, certificates=certificates, **bent))


def bent(change):
    response = tsp.TimeStampResp.load(respond())
    change(response)
    return response.dump(force=True)


def with_status(response):
    response["status"]["status"] = "granted_with_mods"


def signed_twice(response):
    signed = response["time_stamp_token"]["content"]
    signed["signer_infos"] = cms.SignerInfos([signed["signer_infos"][0], signed["signer_infos"][0]])


def as_sm2(response):
    signer = response["time_stamp_token"]["content"]["signer_infos"][0]
    signer["signature_algorithm"] = cms.SignedDigestAlgorithm({"algorithm": "1.2.156.10197.1.501"})


def unsorted():
    ders = sorted([to_der(SIGNER.certificate), to_der(ROOT.certificate)])
    straight = respond(certificates=ders)
    return straight.replace(b"".join(ders), ders[1] + ders[0])


def flipped(position):
    data = bytearray(respond())
    data[position] ^= 1
    return bytes(data)


def revoked(at, reason):
    return make_crl(ROOT, at=NOON + 9 * DAY, revoked=[(SIGNER.certificate.serial_number, at, reason)])


def case(response, outcome, *, digest=DIGEST, certificates=(), crls=(), request=None, revocation="unknown"):
    found = {
        "outcome": outcome,
        "response": base64.b64encode(response).decode(),
        "digest": digest,
        "certificates": [base64.b64encode(to_der(one.certificate)).decode() for one in certificates],
        "crls": [base64.b64encode(crl).decode() for crl in crls],
        "request": None if request is None else base64.b64encode(request).decode(),
    }
    if outcome == STATEMENT:
        found |= {"at": "2026-03-01T12:00:00.000Z", "accuracy_seconds": 1, "revocation": revocation}
    return found


def tokens():
    both = [to_der(MIDDLE.certificate), to_der(BELOW.certificate)]
    return {
        "good": case(respond(), STATEMENT),
        "with its query": case(respond(), STATEMENT, request=make_request(DIGEST, 77).data),
        "through an intermediate": case(respond(BELOW, certificates=both), STATEMENT),
        "intermediate beside": case(respond(BELOW), STATEMENT, certificates=[MIDDLE]),
        "certificate beside": case(respond(certificates=[]), STATEMENT, certificates=[SIGNER]),
        "certificates out of order": case(unsorted(), STATEMENT),
        "not revoked": case(respond(), STATEMENT, crls=[make_crl(ROOT, at=NOON)], revocation="good"),
        "superseded later": case(
            respond(), STATEMENT, crls=[revoked(NOON + DAY, ReasonFlags.superseded)], revocation="good"
        ),
        "same names, another root": case(respond(IMPOSTOR), UNCOUNTED, certificates=[IMPOSTOR_ROOT]),
        "intermediate missing": case(respond(BELOW), UNCOUNTED),
        "SM2": case(bent(as_sm2), UNCOUNTED),
        "another message": case(respond(), REFUSED, digest=Digest.of(b"another")),
        "another query": case(respond(), REFUSED, request=make_request(DIGEST, 78).data),
        "bare token": case(parse_response(respond()).content, REFUSED),
        "granted with modifications": case(bent(with_status), REFUSED),
        "two signers": case(bent(signed_twice), REFUSED),
        "signed by another key": case(respond(FORGER), REFUSED),
        "signature changed": case(flipped(-1), REFUSED),
        "cut": case(respond()[:-1], REFUSED),
        "trailing byte": case(respond() + b"\0", REFUSED),
        "certificate missing": case(respond(certificates=[]), REFUSED),
        "certificate not named": case(respond(attributes=[]), REFUSED),
        "another certificate named": case(
            respond(attributes=[names_certificate(to_der(ROOT.certificate))]), REFUSED
        ),
        "certificate expired before": case(respond(EXPIRED), REFUSED),
        "before the certificate": case(respond(at=LONG_AGO - DAY), REFUSED),
        "usage not critical": case(respond(LOOSE), REFUSED),
        "usage too broad": case(respond(BROAD), REFUSED),
        "revoked before": case(respond(), REFUSED, crls=[revoked(NOON - DAY, ReasonFlags.superseded)]),
        "revoked later, no reason": case(respond(), REFUSED, crls=[revoked(NOON + DAY, None)]),
    }


def header(root, *, bits=0x207FFFFF):
    """A header over `root` of very little work: the first nonce whose hash meets the target."""
    for nonce in range(1 << 16):
        data = struct.pack("<I32s32sIII", 1, bytes(32), root, int(NOON.timestamp()), bits, nonce)
        if hashlib.sha256(hashlib.sha256(data).digest()).digest()[-1] < 0x7F:
            return data
    raise AssertionError


def proofs():
    """OpenTimestamps proofs, written by hand: magic, version, SHA-256, digest, operations, attestation."""
    magic = b"\x00OpenTimestamps\x00\x00Proof\x00\xbf\x89\xe2\xe8\x84\xe8\x92\x94"
    start = magic + b"\x01\x08" + DIGEST.raw + b"\xf0\x04salt\x08"
    root = hashlib.sha256(DIGEST.raw + b"salt").digest()
    in_block = b"\x00" + bytes.fromhex("0588960d73d71901") + b"\x02\xb9\x60"  # height 12345
    pending = b"\x00" + bytes.fromhex("83dfe30d2ef90c8e") + b"\x14\x13http://127.0.0.1/ca"
    good = header(root)
    block = hashlib.sha256(hashlib.sha256(good).digest()).digest()[::-1].hex()
    lazy = good[:-8] + struct.pack("<II", 0x1D00FFFF, 0)
    rules = {"minimum_difficulty": 0, "blocks": {"12345": block}}

    def proof(data, outcome, headers=(), **changed):
        return {
            "outcome": outcome,
            "proof": base64.b64encode(data).decode(),
            "digest": DIGEST,
            "headers": [base64.b64encode(struct.pack(">I", 12345) + one).decode() for one in headers],
            "rules": rules | changed,
        }

    return {
        "complete, block known": proof(start + in_block, STATEMENT, [good]),
        "complete, little work": proof(start + in_block, UNCOUNTED, [good], minimum_difficulty=1, blocks={}),
        "complete, no header": proof(start + in_block, UNCOUNTED),
        "pending": proof(start + pending, UNCOUNTED),
        "another block known": proof(start + in_block, REFUSED, [good], blocks={"12345": "00" * 32}),
        "header of another root": proof(start + in_block, REFUSED, [header(bytes(32))]),
        "header without work": proof(start + in_block, REFUSED, [lazy]),
        "cut": proof((start + in_block)[:-1], REFUSED, [good]),
    }


def sheets():
    line = SheetLine(Digest.of(b"event"), NOON, Digest.of(b"abc"), sm3_hex(b"abc"), "猫.png")
    untimed = SheetLine(Digest.of(b"other"), None, Digest.of(b"abc"), sm3_hex(b"abc"), "a\\b\n\u202e.png")
    origin = "makingof/" + "0" * 32
    good = format_sheet(Sheet(origin, NOON, (line, untimed))).decode()
    return {
        "accepted": {
            "two files": good,
            "none": format_sheet(Sheet(origin, NOON, ())).decode(),
        },
        "refused": {
            "wrong count": good.replace("files   2", "files   3"),
            "CRLF": good.replace("\n", "\r\n"),
            "no last line end": good[:-1],
            "needless escape": good.replace("猫", "\\u{732b}"),
            "upper-case digest": good.replace(sm3_hex(b"abc"), sm3_hex(b"abc").upper()),
        },
    }


def vectors():
    return {
        "root": base64.b64encode(to_der(ROOT.certificate)).decode(),
        "tokens": tokens(),
        "proofs": proofs(),
        "sheets": sheets(),
    }


if __name__ == "__main__":
    text = json.dumps(vectors(), indent=1, ensure_ascii=True) + "\n"
    (HERE / "vectors.json").write_text(text, encoding="utf-8")
    sys.stdout.write(f"{len(text)} bytes\n")
