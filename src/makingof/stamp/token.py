"""Reading RFC 3161 requests and responses: bytes to values, or `MalformedError`.

A *response* is what an authority sends; the *token* is the signed part inside
it. We keep responses. What a value here says is not yet true: the signature is
checked elsewhere, over the bytes kept in `normalised`.

`asn1crypto` reads lazily and forgivingly, so every access runs inside
`reading`, and the stricter reader of `rfc3161-client` must later agree.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from asn1crypto import algos, cms, core, parser, tsp

from makingof.digest import Digest
from makingof.errors import MalformedError
from makingof.stamp.asn1 import reading

MAX_RESPONSE_BYTES = 256 * 1024
MAX_CERTIFICATES = 32
GRANTED = 0
_SEQUENCE = 16

# SM2 and SM3 (GB/T 32918, 32905): no general tool checks them, so the platform must.
_CHINESE_ALGORITHMS = ("1.2.156.10197.1.",)


@dataclass(frozen=True, slots=True)
class CertificateId:
    """ESSCertID: the hash by which a token names its signer's certificate."""

    algorithm: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """A time-stamp query, with the nonce that ties the answer to it."""

    digest: Digest
    nonce: int | None
    data: bytes


@dataclass(frozen=True, slots=True)
class Token:
    """What a granted response claims; `normalised` is the response with its certificate set in DER order."""

    status: int
    at: datetime
    accuracy: timedelta | None
    serial: int
    policy: str
    nonce: int | None
    digest: Digest
    signer_issuer: bytes
    signer_serial: int
    signature_digest: str
    named_certificates: tuple[tuple[CertificateId, ...], ...]  # one list per attribute, v1 and v2
    certificates: tuple[bytes, ...]
    crls: tuple[bytes, ...]
    content: bytes


class DeclinedError(MalformedError):
    """The authority answered, properly, that it will not stamp."""


class ChineseTokenError(MalformedError):
    """The token uses SM2 or SM3, which neither of our two verifiers reads."""


def make_request(digest: Digest, nonce: int) -> Request:
    """Ask for a token over `digest`, with the certificates in it."""
    query = tsp.TimeStampReq(
        {
            "version": "v1",
            "message_imprint": {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": digest.raw},
            "nonce": nonce,
            "cert_req": True,
        }
    )
    return Request(digest, nonce, query.dump())


def parse_request(data: bytes) -> Request:
    """Read a time-stamp query over a SHA-256."""
    _check_size(data, "time-stamp query")
    with reading("time-stamp query"):
        query = tsp.TimeStampReq.load(data, strict=True)
        return Request(_imprint(query["message_imprint"]), query["nonce"].native, data)


def parse_response(data: bytes) -> Token:
    """Read a granted response.

    Raises `DeclinedError` where the authority declined, `ChineseTokenError` for SM2
    and SM3, and `MalformedError` for everything else that is not a response
    with exactly one signer over a TSTInfo with a SHA-256 imprint. A bare token
    is refused by name: the two are different files and easily mixed up.
    """
    _check_size(data, "time-stamp response")
    with reading("time-stamp response"):
        status, token = _split(data)
        _check_granted(tsp.PKIStatusInfo.load(status, strict=True))
        if token is None:
            message = "time-stamp response is granted and holds no token"
            raise MalformedError(message)
        return _parse_token(token)


def normalised_response(token: Token, certificates: Iterable[bytes]) -> bytes:
    """Write `token` again as a response whose certificate set is `certificates`, in DER order.

    The set is not covered by the signature. Authorities send it unsorted, which
    strict readers refuse, or leave certificates out; certificates put in here
    build chains and cannot give trust. Embedded revocation lists are left out.
    """
    with reading("time-stamp token"):
        content = cms.ContentInfo.load(token.content, strict=True)
        signed = content["content"]
        signed["certificates"] = cms.CertificateSet(
            [
                cms.CertificateChoices("certificate", cms.Certificate.load(certificate))
                for certificate in sorted(set(certificates))
            ]
        )
        if signed["crls"].native is not None:
            del signed["crls"]
        granted = tsp.PKIStatusInfo({"status": "granted"}).dump()
        body: bytes = granted + content.dump()
        return bytes(parser.emit(0, 1, _SEQUENCE, body))


def _check_size(data: bytes, what: str) -> None:
    if len(data) > MAX_RESPONSE_BYTES:
        message = f"{what} of {len(data)} bytes is longer than {MAX_RESPONSE_BYTES}"
        raise MalformedError(message)


def _split(data: bytes) -> tuple[bytes, bytes | None]:
    """Return the encoded status and the encoded token, if there is one."""
    class_, method, tag, _, contents, _ = parser.parse(data, strict=True)
    if (class_, method, tag) != (0, 1, _SEQUENCE):
        message = "bytes are not a time-stamp response"
        raise MalformedError(message)
    _, _, first_tag, header, first, trailer = parser.parse(contents)
    if first_tag == core.ObjectIdentifier.tag:
        message = "bytes are a bare time-stamp token, not the whole response"
        raise MalformedError(message, hint="keep the .tsr file as the authority sent it")
    status = header + first + trailer
    return status, contents[len(status) :] or None


def _check_granted(info: Any) -> None:
    """Refuse every status but `granted`.

    `grantedWithMods` is refused too: the authority changed what was asked and
    does not say what. `rfc3161-client` refuses it and `openssl ts` does not, so
    taking it would mean trusting one implementation alone.
    """
    status = int(info["status"])
    if status == GRANTED:
        return
    texts = (
        [] if info["status_string"].native is None else [str(text) for text in info["status_string"].native]
    )
    reason = info["fail_info"].native
    said = "; ".join([*texts, *sorted(reason or ())]) or "no reason given"
    message = f"authority answered {info['status'].native} and not granted: {said[:500]}"
    raise DeclinedError(message)


def _parse_token(data: bytes) -> Token:
    content = cms.ContentInfo.load(data, strict=True)
    if content["content_type"].native != "signed_data":
        message = f"time-stamp token is {content['content_type'].native} and not signed data"
        raise MalformedError(message)
    signed = content["content"]
    signer = _only_signer(signed["signer_infos"])
    info = _token_info(signed["encap_content_info"])
    attributes = _signed_attributes(signer)
    identifier = signer["sid"].chosen
    accuracy = info["accuracy"]
    return Token(
        status=GRANTED,
        at=_generated_at(info["gen_time"]),
        accuracy=None if accuracy.native is None else _accuracy(accuracy),
        serial=int(info["serial_number"]),
        policy=info["policy"].dotted,
        nonce=info["nonce"].native,
        digest=_imprint(info["message_imprint"]),
        signer_issuer=identifier["issuer"].dump(),
        signer_serial=int(identifier["serial_number"]),
        signature_digest=signer["digest_algorithm"]["algorithm"].native,
        named_certificates=_named_certificates(attributes),
        certificates=tuple(_certificates(signed["certificates"])),
        crls=tuple(_crls(signed["crls"])),
        content=data,
    )


def _only_signer(signers: Any) -> Any:
    if len(signers) != 1:
        message = f"time-stamp token has {len(signers)} signers and not one"
        raise MalformedError(message)
    signer = signers[0]
    for algorithm in (signer["digest_algorithm"]["algorithm"], signer["signature_algorithm"]["algorithm"]):
        _refuse_chinese(algorithm)
    if signer["sid"].name != "issuer_and_serial_number":
        message = "time-stamp token names its signer by key and not by issuer and serial number"
        raise MalformedError(message)
    return signer


def _refuse_chinese(algorithm: Any) -> None:
    if algorithm.dotted.startswith(_CHINESE_ALGORITHMS):
        message = f"time-stamp token uses the Chinese national algorithm {algorithm.dotted}"
        raise ChineseTokenError(message)


def _token_info(encapsulated: Any) -> Any:
    if encapsulated["content_type"].native != "tst_info":
        message = f"time-stamp token holds {encapsulated['content_type'].native} and not a TSTInfo"
        raise MalformedError(message)
    info = tsp.TSTInfo.load(bytes(encapsulated["content"]), strict=True)
    if info["version"].native != "v1":
        message = f"TSTInfo has version {info['version'].native} and not 1"
        raise MalformedError(message)
    if any(extension["critical"].native for extension in info["extensions"] or ()):
        message = "TSTInfo holds a critical extension that is not understood"
        raise MalformedError(message)
    return info


def _generated_at(value: Any) -> datetime:
    # RFC 3161, 2.4.2: genTime is in UTC and ends with Z; a zone of the sender's own is not allowed.
    if not value.contents.endswith(b"Z"):
        message = f"genTime {value.contents!r} does not end with Z"
        raise MalformedError(message)
    moment = value.native
    # asn1crypto has a type of its own for the year 0; years at either end leave no room for the accuracy.
    if not isinstance(moment, datetime) or not 1970 <= moment.year < 9999:  # noqa: PLR2004 - years
        message = f"genTime {value.contents!r} is not a time of ours"
        raise MalformedError(message)
    return moment


def _accuracy(value: Any) -> timedelta:
    seconds, millis, micros = (value[name].native or 0 for name in ("seconds", "millis", "micros"))
    if not (0 <= seconds <= 366 * 86400 and 0 <= millis <= 999 and 0 <= micros <= 999):  # noqa: PLR2004 - RFC 3161, 2.4.2
        message = f"accuracy {seconds} s {millis} ms {micros} µs is out of range"
        raise MalformedError(message)
    return timedelta(seconds=seconds, milliseconds=millis, microseconds=micros)


def _imprint(imprint: Any) -> Digest:
    algorithm = imprint["hash_algorithm"]["algorithm"]
    _refuse_chinese(algorithm)
    if algorithm.native != "sha256":
        message = f"message imprint is a {algorithm.native} and not a SHA-256"
        raise MalformedError(message)
    return Digest.from_raw(bytes(imprint["hashed_message"].native))


def _signed_attributes(signer: Any) -> dict[str, Any]:
    """Return the signed attributes by type; a type given twice could mean two things and is refused."""
    found: dict[str, Any] = {}
    for attribute in signer["signed_attrs"] or ():
        name = attribute["type"].native
        if name in found or len(attribute["values"]) != 1:
            message = f"signed attribute {name} does not have exactly one value"
            raise MalformedError(message)
        found[name] = attribute["values"][0]
    for name in ("content_type", "message_digest"):
        if name not in found:
            message = f"time-stamp token has no signed attribute {name}"
            raise MalformedError(message)
    if found["content_type"].native != "tst_info":
        message = "signed content type is not a TSTInfo"
        raise MalformedError(message)
    return found


def _named_certificates(attributes: dict[str, Any]) -> tuple[tuple[CertificateId, ...], ...]:
    """Read ESSCertID lists of both versions; some authorities write both (RFC 5816)."""
    lists = []
    if "signing_certificate" in attributes:
        certs = attributes["signing_certificate"]["certs"]
        lists.append(tuple(CertificateId("sha1", bytes(cert["cert_hash"].native)) for cert in certs))
    if "signing_certificate_v2" in attributes:
        certs = attributes["signing_certificate_v2"]["certs"]
        lists.append(
            tuple(
                CertificateId(_hash_name(cert["hash_algorithm"]), bytes(cert["cert_hash"].native))
                for cert in certs
            )
        )
    return tuple(lists)


def _hash_name(algorithm: algos.DigestAlgorithm) -> str:
    return str(algorithm["algorithm"].native)


def _certificates(choices: Any) -> Iterator[bytes]:
    if len(choices or ()) > MAX_CERTIFICATES:
        message = f"time-stamp token holds {len(choices)} certificates, more than {MAX_CERTIFICATES}"
        raise MalformedError(message)
    for choice in choices or ():
        if choice.name == "certificate":
            yield choice.chosen.dump()


def _crls(choices: Any) -> Iterator[bytes]:
    for choice in choices or ():
        if choice.name == "crl":
            yield choice.chosen.dump()
