"""Asking an RFC 3161 authority, and keeping what will be needed to check its answer in twenty years."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace

from makingof.digest import Digest
from makingof.errors import MalformedError, UnavailableError, UsageError
from makingof.stamp.base import Authority, Beside, Kind, Receipt, Role, Uncounted
from makingof.stamp.chain import Chain, to_der
from makingof.stamp.http import Fetch
from makingof.stamp.openssl import OpenSsl
from makingof.stamp.revocation import MAX_CRL_BYTES, crl_addresses, parse_crl
from makingof.stamp.rfc3161 import chain_behind, verify_token
from makingof.stamp.token import MAX_RESPONSE_BYTES, DeclinedError, make_request
from makingof.texts import Message, say

_QUERY_TYPE = "application/timestamp-query"
_NONCE_BITS = 64


@dataclass(frozen=True, slots=True)
class RemoteAuthority:
    """An RFC 3161 authority reached over HTTP; implements `StampingAuthority`."""

    authority: Authority
    fetch: Fetch
    openssl: OpenSsl | None
    fetches_crls: bool = True

    def __post_init__(self) -> None:
        if not self.authority.urls or self.authority.kind is not Kind.RFC3161:
            message = f"{self.authority.name} cannot be asked: it has no address for time-stamp queries"
            raise UsageError(message)

    @property
    def name(self) -> str:
        """The name the receipts will carry."""
        return self.authority.name

    def request(self, message: bytes) -> Receipt:
        """Have `message` stamped: one SHA-256 and one nonce are sent.

        The receipt returned has passed every check a later reader will make
        under this authority's roots. The query, the chain and, where the
        certificates name them and `fetches_crls`, the revocation lists stand
        beside it; what could not be had of these is in its `remarks`.
        """
        digest = Digest.of(message)
        query = make_request(digest, 1 << (_NONCE_BITS - 1) | secrets.randbits(_NONCE_BITS - 1))
        data = self.fetch(
            self.authority.urls[0], query.data, content_type=_QUERY_TYPE, max_bytes=MAX_RESPONSE_BYTES
        )
        receipt = Receipt(Kind.RFC3161, self.name, digest, data, (Beside(Role.REQUEST, query.data),))
        found = self._verify(receipt)
        return replace(
            receipt,
            beside=(*receipt.beside, *(item for item in found if isinstance(item, Beside))),
            remarks=tuple(item for item in found if isinstance(item, Message)),
        )

    def _verify(self, receipt: Receipt) -> list[Beside | Message]:
        """Refuse what a reader would refuse; return what belongs beside the receipt and what is missing."""
        try:
            found = verify_token(receipt, [self.authority], openssl=self.openssl)
        except DeclinedError as err:
            raise UnavailableError(say("stamp.declined", authority=self.name, reason=err)) from err
        if isinstance(found, Uncounted):
            raise UnavailableError(say("stamp.answer_not_theirs", authority=self.name, reason=found.reason))
        chain = chain_behind(receipt, [self.authority])
        certificates = [Beside(Role.CERTIFICATE, to_der(certificate)) for certificate in chain]
        return [*certificates, *(self._revocation_lists(chain) if self.fetches_crls else ())]

    def _revocation_lists(self, chain: Chain) -> Iterator[Beside | Message]:
        fetched: set[str] = set()
        for certificate in chain[:-1]:
            subject = certificate.subject.rfc4514_string()
            addresses = crl_addresses(certificate)
            if not addresses:
                yield say("stamp.no_crl_named", certificate=subject)
            for url in addresses[:1]:
                if url not in fetched:
                    fetched.add(url)
                    yield self._revocation_list(url)

    def _revocation_list(self, url: str) -> Beside | Message:
        try:
            data = self.fetch(url, max_bytes=MAX_CRL_BYTES)
            parse_crl(data)
        except (UnavailableError, MalformedError) as err:
            return say("stamp.no_crl", url=url, reason=err)
        return Beside(Role.CRL, data, url)
