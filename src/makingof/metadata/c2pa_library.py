"""The reference library's opinion on a C2PA manifest, trust lists included (extra `c2pa`).

Its one-word verdict misleads: with its defaults an untouched picture of a large
vendor is `Invalid`, only because the vendor's certificate has an extended key usage
the library's list lacks. So the usages C2PA names are given to it, remote manifests
are switched off, and its status codes are sorted into our three answers.
"""

import io
import json
from typing import Any

from makingof.containers.source import Source
from makingof.errors import UnavailableError
from makingof.metadata.c2pa import BYTES, SIGNATURE, TRUST
from makingof.reading import Check

# C2PA claim signing, e-mail protection, document signing, time stamping, OCSP signing.
_KEY_USAGES = (
    "1.3.6.1.4.1.62558.2.1",
    "1.3.6.1.5.5.7.3.4",
    "1.3.6.1.5.5.7.3.36",
    "1.3.6.1.5.5.7.3.8",
    "1.3.6.1.5.5.7.3.9",
)
_GOOD = {
    SIGNATURE: ("claimSignature.validated",),
    BYTES: ("assertion.dataHash.match", "assertion.bmffHash.match", "assertion.boxesHash.match"),
    TRUST: ("signingCredential.trusted",),
}
_BAD = {
    SIGNATURE: ("claimSignature.mismatch", "claim.malformed"),
    BYTES: ("assertion.dataHash.mismatch", "assertion.bmffHash.mismatch", "assertion.hashedURI.mismatch"),
    TRUST: ("signingCredential.untrusted", "signingCredential.invalid", "signingCredential.expired"),
}


def ask_library(data: Source, media_type: str, *, trust_anchors: str = "") -> tuple[Check, Check, Check]:
    """Return signature, bytes and trust as `c2pa-python` sees them, each with its status codes.

    `trust_anchors` are roots as PEM: without any, trust cannot hold. Without the
    library this is an `UnavailableError`; nothing is ever fetched.
    """
    try:
        import c2pa  # noqa: PLC0415 - an extra with a native library
    except ImportError as err:
        message = "c2pa-python is not installed"
        raise UnavailableError(message, hint="pip install makingof[c2pa]") from err
    trust = {"trust_config": "\n".join(_KEY_USAGES) + "\n"}
    if trust_anchors:
        trust["trust_anchors"] = trust_anchors
    settings = c2pa.Settings.from_dict(
        {"version": 1, "verify": {"remote_manifest_fetch": False}, "trust": trust}
    )
    try:
        with c2pa.Context(settings=settings) as context:
            reader = c2pa.Reader(media_type, io.BytesIO(data[0 : len(data)]), context=context)
            report = json.loads(reader.json())
    except c2pa.C2paError as err:
        reason = f"c2pa-python could not read it: {err}"
        return tuple(Check(name, held=None, detail=reason) for name in (SIGNATURE, BYTES, TRUST))  # type: ignore[return-value]
    codes = _codes(report)
    return (_answer(SIGNATURE, codes), _answer(BYTES, codes), _answer(TRUST, codes))


def _codes(report: dict[str, Any]) -> list[str]:
    results = (report.get("validation_results") or {}).get("activeManifest") or {}
    return [str(entry.get("code")) for entries in results.values() for entry in entries]


def _answer(name: str, codes: list[str]) -> Check:
    bad = [code for code in codes if code in _BAD[name]]
    good = [code for code in codes if code in _GOOD[name]]
    held = False if bad else True if good else None
    return Check(name, held=held, detail=f"c2pa-python: {', '.join(bad or good) or 'no word on it'}")
