"""RFC 3161: a token is believed when two independent programs and our own checks agree.

What each of the three does, because each alone has a hole:

- ours: one signer, chosen by the hash the token holds and not by name; a
  certificate for time-stamping alone; a chain to one root of the *reader*,
  valid at the token's time; no weak hash; revocation lists.
- `rfc3161-client`: strict DER, the signature, the chain at the token's time.
- `openssl ts -verify -attime`: the same, written by others, where it is found.

If one refuses, the token is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from typing import Any

from cryptography import x509
from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

from makingof.errors import MalformedError, ProofError
from makingof.stamp.asn1 import reading
from makingof.stamp.base import Authority, Kind, Receipt, Role, Statement, Uncounted
from makingof.stamp.chain import (
    Chain,
    check_named,
    check_signer,
    find_chain,
    find_signer,
    key_digest,
    load_certificate,
    to_der,
    to_pem,
)
from makingof.stamp.openssl import OpenSsl
from makingof.stamp.revocation import check_revocation
from makingof.stamp.token import (
    ChineseTokenError,
    Token,
    normalised_response,
    parse_request,
    parse_response,
)
from makingof.texts import say

_STRONG = ("sha256", "sha384", "sha512")


@dataclass(frozen=True, slots=True)
class Chained:
    """A token with the chain that was found for it and the authority of the reader it ends at."""

    token: Token
    chain: Chain
    authority: Authority


def verify_token(
    receipt: Receipt, authorities: Sequence[Authority], *, openssl: OpenSsl | None
) -> Statement | Uncounted:
    """Verify a time-stamp response at the time it names, under the reader's authorities.

    A `Statement` means: the reader's authority named in it signed, with a
    certificate valid at that time, that it saw `receipt.digest` then.
    `Uncounted` means that no root of the reader is behind it, or that it uses
    algorithms only the platform can check. Everything else raises
    `MalformedError` or `ProofError`. Whether the authority's clock was right
    is not checked; that is why bounds take two.
    """
    try:
        token = parse_response(receipt.data)
    except ChineseTokenError:
        return Uncounted(receipt.kind, receipt.authority, receipt.digest, say("stamp.chinese_token"))
    _check_request(token, receipt)
    chained = _find_authority(token, _pool(token, receipt), receipt, authorities)
    if chained is None:
        reason = say("stamp.unknown_authority", authority=receipt.authority)
        return Uncounted(receipt.kind, receipt.authority, receipt.digest, reason, claimed_at=token.at)
    check_named(chained.chain, token)
    _verify_by_client(chained)
    checked_by = [f"rfc3161-client {version('rfc3161-client')}"]
    if openssl is not None:
        _verify_by_openssl(receipt, chained, openssl)
        checked_by.append(str(openssl))
    revocation = check_revocation(chained.chain, (*token.crls, *receipt.find_beside(Role.CRL)), token.at)
    margin = token.accuracy or timedelta(0)
    root = chained.chain[-1]
    return Statement(
        kind=Kind.RFC3161,
        authority=chained.authority.name,
        keys=frozenset({f"operator:{chained.authority.operator}", f"key:{key_digest(root)}"}),
        digest=token.digest,
        at=token.at,
        earliest=token.at - margin,
        latest=token.at + margin,
        checked_by=tuple(checked_by),
        signer=chained.chain[0].subject.rfc4514_string(),
        serial=f"{token.serial:x}",
        policy=token.policy,
        revocation=revocation.state,
        revocation_as_of=revocation.as_of,
        remarks=receipt.remarks,
    )


def chain_behind(receipt: Receipt, authorities: Sequence[Authority]) -> Chain:
    """Return the chain behind a token, signer first and root last; empty if no root is reached."""
    token = parse_response(receipt.data)
    chained = _find_authority(token, _pool(token, receipt), receipt, authorities)
    return chained.chain if chained else ()


def _check_request(token: Token, receipt: Receipt) -> None:
    """Compare imprint and, where the query is kept, the nonce: an old answer played back has another one."""
    if token.digest != receipt.digest:
        message = f"time-stamp token is about {token.digest} and not {receipt.digest}"
        raise ProofError(message)
    for data in receipt.find_beside(Role.REQUEST):
        request = parse_request(data)
        if request.digest != receipt.digest:
            message = f"time-stamp query is about {request.digest} and not {receipt.digest}"
            raise ProofError(message)
        if request.nonce != token.nonce:
            message = "time-stamp token answers another request: its nonce differs"
            raise ProofError(message)


def _pool(token: Token, receipt: Receipt) -> list[x509.Certificate]:
    return [load_certificate(der) for der in (*token.certificates, *receipt.find_beside(Role.CERTIFICATE))]


def _find_authority(
    token: Token, pool: Sequence[x509.Certificate], receipt: Receipt, authorities: Sequence[Authority]
) -> Chained | None:
    """Find the reader's authority by root and policy; the name on the receipt only decides among equals."""
    if token.signature_digest not in _STRONG:
        message = f"time-stamp token is signed over a {token.signature_digest}, which is too weak"
        raise ProofError(message)
    signer = find_signer(token, pool)
    check_signer(signer)
    stampers = [authority for authority in authorities if authority.kind is Kind.RFC3161]
    reached = None
    for authority in sorted(stampers, key=lambda authority: authority.name != receipt.authority):
        roots = [load_certificate(der) for der in authority.roots]
        if chain := find_chain(signer, pool, roots, token.at):
            reached = Chained(token, chain, authority)
            if not authority.policies or token.policy in authority.policies:
                return reached
    if reached is not None:
        message = f"time-stamp policy {token.policy} is not one accepted of {reached.authority.name}"
        raise ProofError(message)
    find_chain(signer, pool, (), token.at)  # an unknown authority's token must still make sense
    return None


def _verify_by_client(chained: Chained) -> None:
    """Verify with `rfc3161-client`; only the root is trusted.

    The intermediates go into the token's own certificate set: handed over as
    `intermediates` they would stand in the same store as the roots, where a
    self-signed one from a package would give trust.
    """
    token, chain = chained.token, chained.chain
    response = normalised_response(token, [to_der(certificate) for certificate in chain[:-1]])
    verifier = VerifierBuilder(roots=[chain[-1]], nonce=token.nonce).build()
    try:
        with reading("time-stamp response"):
            decoded = decode_timestamp_response(response)
            _check_same(decoded.tst_info, token)
            verifier.verify(decoded, token.digest.raw)
    except VerificationError as err:
        message = f"rfc3161-client refuses the time-stamp token: {err}"
        raise ProofError(message) from err
    except BaseException as err:
        # Its Rust code answers some malformed input by a panic, which is no Exception on purpose.
        if type(err).__name__ != "PanicException":
            raise
        message = f"rfc3161-client cannot read the time-stamp token: {err}"
        raise MalformedError(message) from err


def _check_same(info: Any, token: Token) -> None:
    """Refuse a token that two parsers read differently; what is reported was read by ours."""
    theirs = (
        info.gen_time.replace(tzinfo=token.at.tzinfo),
        info.serial_number,
        info.policy.dotted_string,
        info.nonce,
        info.message_imprint.message,
    )
    ours = (token.at.replace(microsecond=0), token.serial, token.policy, token.nonce, token.digest.raw)
    if theirs != ours:
        message = "time-stamp token reads differently in two parsers"
        raise ProofError(message)


def _verify_by_openssl(receipt: Receipt, chained: Chained, openssl: OpenSsl) -> None:
    requests = receipt.find_beside(Role.REQUEST)
    openssl.verify(
        receipt.data,
        receipt.digest,
        root=to_pem(chained.chain[-1:]),
        chain=to_pem(chained.chain[:-1]),
        at=chained.token.at,
        request=requests[0] if requests else None,
    )
