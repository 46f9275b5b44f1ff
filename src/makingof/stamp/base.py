"""The values of time: what an authority gave us, and what may be said of it.

A `Receipt` is bytes from outside, kept verbatim. Checking one under the
reader's `Authority` values gives a `Statement`, which counts, or an
`Uncounted`, which says why it does not; a receipt that contradicts itself
raises. Nothing here asks a clock or the network.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from makingof.digest import Digest
from makingof.texts import Message


class Kind(StrEnum):
    """The form of a receipt, which decides how it is checked."""

    RFC3161 = "rfc3161"
    OTS = "ots"
    DEPOSIT = "deposit"


class Role(StrEnum):
    """What a document kept beside a receipt is for. None of them ever gives trust."""

    REQUEST = "request"  # the time-stamp query, which holds the nonce
    CERTIFICATE = "certificate"  # DER, for building the chain
    CRL = "crl"  # DER
    HEADER = "header"  # block height (4 bytes, big-endian) and the 80 bytes of the block's header
    DETAILS = "details"  # canonical JSON: what the certificate of a deposit says, typed from it


@dataclass(frozen=True, slots=True)
class Beside:
    """A document that helps to check a receipt, kept with it because it may be gone tomorrow."""

    role: Role
    data: bytes
    source: str = ""  # the address it came from, where it was fetched


@dataclass(frozen=True, slots=True)
class Receipt:
    """An outsider's bytes about `digest`, verbatim, and under whose name we asked for them.

    `authority` is the asker's claim; who really spoke is found by checking.
    `remarks` says what could not be had when the receipt was made, so that a
    missing revocation list is a recorded fact and not an omission.
    """

    kind: Kind
    authority: str
    digest: Digest
    data: bytes
    beside: tuple[Beside, ...] = ()
    remarks: tuple[Message, ...] = ()

    def find_beside(self, role: Role) -> tuple[bytes, ...]:
        """Return the documents of one role, in the order they were kept."""
        return tuple(document.data for document in self.beside if document.role is role)


@dataclass(frozen=True, slots=True)
class BlockRules:
    """What the reader takes for a block of the Bitcoin chain, and where one may be asked for."""

    minimum_difficulty: int
    known: tuple[tuple[int, str], ...] = ()  # heights and block hashes the reader looked up himself
    calendars: tuple[str, ...] = ()  # host patterns that pending proofs may be completed at
    explorers: tuple[str, ...] = ()  # addresses of block explorers with the Esplora interface


@dataclass(frozen=True, slots=True)
class Authority:
    """An outsider whose word on time the reader accepts.

    Authorities of one `operator`, or under one root key, are one authority:
    two names do not make two witnesses.
    """

    name: str
    kind: Kind
    operator: str
    urls: tuple[str, ...] = ()
    roots: tuple[bytes, ...] = ()  # DER, self-signed; for rfc3161
    policies: tuple[str, ...] = ()  # object identifiers accepted; empty: any
    blocks: BlockRules | None = None  # for ots
    page: str = ""  # where a person can have a receipt checked; for deposit


class Revocation(StrEnum):
    """What revocation lists say of the chain behind a token."""

    GOOD = "good"  # a list covers every certificate below the root
    PARTIAL = "partial"  # a list covers some of them
    UNKNOWN = "unknown"  # no usable list is kept


@dataclass(frozen=True, slots=True)
class Statement:
    """An authority of the reader says `digest` existed at `at`; every check passed.

    `earliest` and `latest` widen `at` by what the receipt states of its own
    accuracy, and for block times by two hours. `keys` names the operator and
    the root key, so that one authority under two names is counted once.
    """

    kind: Kind
    authority: str
    keys: frozenset[str]
    digest: Digest
    at: datetime
    earliest: datetime
    latest: datetime
    checked_by: tuple[str, ...]
    signer: str = ""
    serial: str = ""
    policy: str = ""
    revocation: Revocation = Revocation.UNKNOWN
    revocation_as_of: datetime | None = None
    remarks: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Uncounted:
    """A receipt that gives no bound: pending, of an unknown authority, or for a platform to check."""

    kind: Kind
    authority: str
    digest: Digest
    reason: Message
    claimed_at: datetime | None = None
    claimed_text: str = ""  # the platform's own words for the time


class StampingAuthority(Protocol):
    """What an entry point of `makingof.authorities` provides: somebody who can be asked."""

    @property
    def name(self) -> str:
        """The name the receipts will carry."""
        ...

    def request(self, message: bytes) -> Receipt:
        """Have `message` stamped; nothing but a hash of it may leave the machine.

        What returns has been checked against the message. Raises
        `UnavailableError` where the authority does not answer or declines, and
        `IntegrityError` or `MalformedError` where its answer does not hold.
        """
        ...
