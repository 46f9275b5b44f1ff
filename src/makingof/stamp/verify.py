"""One door for every kind of receipt."""

from makingof.stamp.base import Kind, Receipt, Statement, Uncounted
from makingof.stamp.deposit import read_deposit
from makingof.stamp.openssl import OpenSsl
from makingof.stamp.opentimestamps import verify_proof
from makingof.stamp.rfc3161 import verify_token
from makingof.stamp.trust import Trust


def verify_receipt(receipt: Receipt, trust: Trust, *, openssl: OpenSsl | None) -> Statement | Uncounted:
    """Verify `receipt` under the reader's `trust`.

    A `Statement` counts towards a bound, and names the programs that checked
    it. An `Uncounted` says why the receipt gives none. Raises `MalformedError`
    for bytes that do not parse and `ProofError` for a receipt that does not
    hold.
    """
    match receipt.kind:
        case Kind.RFC3161:
            return verify_token(receipt, trust.authorities, openssl=openssl)
        case Kind.OTS:
            return verify_proof(receipt, trust.authorities)
        case Kind.DEPOSIT:
            return read_deposit(receipt, trust.authorities)
