"""Deposit certificates: 可信时间戳, 至信链, 天平链 and the like, attached verbatim.

A platform holds a file's hash and answers a court under its own number. What
its certificate says is checked on the platform's page and never by us: the
formats are not public, and many use SM2. Such a receipt therefore gives no
bound; it gives a number somebody can ask about.
"""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from makingof import canonical
from makingof.digest import Digest
from makingof.errors import MalformedError, UsageError
from makingof.stamp.base import Authority, Beside, Kind, Receipt, Role, Uncounted
from makingof.stamp.sm3 import FileDigests
from makingof.texts import say

MAX_CERTIFICATE_BYTES = 32 * 1024 * 1024
_MAX_TEXT = 1000
_SM3 = re.compile(r"[0-9a-f]{64}")


class DepositDetails(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a deposit certificate says, in its own words; nothing in here is checked but the digests."""

    platform: str
    number: str  # 存证编号
    time: str  # as the platform spells it
    sha256: str  # of the file deposited
    sm3: str
    certificate: str  # digest of the certificate's bytes
    file_name: str = ""
    transaction: str = ""
    block: str = ""

    def to_bytes(self) -> bytes:
        """Write the details as canonical JSON."""
        return canonical.to_bytes(msgspec.to_builtins(self, enc_hook=str))


def attach_deposit(
    certificate: bytes,
    digests: FileDigests,
    *,
    platform: str,
    number: str,
    time: str,
    file_name: str = "",
    transaction: str = "",
    block: str = "",
) -> Receipt:
    """Keep a platform's certificate about one file.

    `digests` must be taken from the very file that was deposited. The
    certificate is kept byte for byte, whatever its format; the number and time
    are what a person read off it, or the platform's interface answered.
    """
    if not certificate or len(certificate) > MAX_CERTIFICATE_BYTES:
        message = f"deposit certificate of {len(certificate)} bytes cannot be kept"
        raise UsageError(message, hint=say("stamp.certificate_hint"))
    if not (platform.strip() and number.strip() and time.strip()):
        message = "deposit needs a platform, a number and the time the platform states"
        raise UsageError(message)
    details = DepositDetails(
        platform=platform,
        number=number,
        time=time,
        sha256=digests.sha256,
        sm3=digests.sm3,
        certificate=Digest.of(certificate),
        file_name=file_name,
        transaction=transaction,
        block=block,
    )
    _check(details)
    beside = (Beside(Role.DETAILS, details.to_bytes()),)
    return Receipt(Kind.DEPOSIT, platform, digests.sha256, certificate, beside)


def parse_details(data: bytes) -> DepositDetails:
    """Read deposit details; any spelling but the canonical one is a `MalformedError`."""
    value: Any = canonical.from_bytes(data)
    try:
        details = msgspec.convert(value, DepositDetails, strict=True)
    except (msgspec.ValidationError, RecursionError) as err:
        message = f"deposit details do not parse: {err}"
        raise MalformedError(message) from err
    _check(details)
    return details


def read_deposit(receipt: Receipt, authorities: Sequence[Authority]) -> Uncounted:
    """Return what a deposit says and where it can be checked.

    Checked here: the certificate's bytes and the file's digest are the ones in
    the details. Not checked, and said so: everything the platform states.
    """
    found = receipt.find_beside(Role.DETAILS)
    if len(found) != 1:
        message = f"deposit has {len(found)} details beside it and not one"
        raise MalformedError(message)
    details = parse_details(found[0])
    if details.certificate != Digest.of(receipt.data):
        message = "deposit certificate is not the one its details name"
        raise MalformedError(message)
    if details.sha256 != receipt.digest:
        message = f"deposit is about {details.sha256} and not {receipt.digest}"
        raise MalformedError(message)
    page = next((authority.page for authority in authorities if _is_platform(authority, details)), "")
    reason = say(
        "stamp.checked_by_platform", platform=details.platform, number=details.number, page=page or "-"
    )
    return Uncounted(Kind.DEPOSIT, details.platform, receipt.digest, reason, claimed_text=details.time)


def _is_platform(authority: Authority, details: DepositDetails) -> bool:
    return authority.kind is Kind.DEPOSIT and details.platform in (authority.name, authority.operator)


def _check(details: DepositDetails) -> None:
    for digest in (details.sha256, details.certificate):
        Digest.parse(digest)
    if not _SM3.fullmatch(details.sm3):
        message = f"SM3 {details.sm3!r} is not spelled as 64 lower-case hex digits"
        raise MalformedError(message)
    for text in (details.platform, details.number, details.time, details.file_name):
        if len(text) > _MAX_TEXT:
            message = f"deposit details hold a text of {len(text)} characters, more than {_MAX_TEXT}"
            raise MalformedError(message)
