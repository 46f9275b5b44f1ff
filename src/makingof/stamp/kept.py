"""Receipts as a `stamped` event tells of them: facts in the log, bytes in the store."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from makingof.canonical import convert
from makingof.digest import Digest
from makingof.stamp.base import Beside, Kind, Receipt, Role


class KeptBeside(msgspec.Struct, frozen=True):
    """A document kept beside a receipt: its bytes are the blob `digest`."""

    role: Role
    digest: Digest
    source: str = ""


class KeptReceipt(msgspec.Struct, frozen=True):
    """A receipt as `docs/spec/event.md` writes it: its bytes are the blob `digest`."""

    kind: Kind
    authority: str
    what: str  # checkpoint, sheet, file
    about: Digest  # what was stamped
    digest: Digest
    size: int
    beside: tuple[KeptBeside, ...] = ()
    remarks: tuple[str, ...] = ()


def keep_receipt(receipt: Receipt, what: str, put: Callable[[bytes], Digest]) -> KeptReceipt:
    """Store a receipt and what is kept beside it by `put`; return how the log tells of it."""
    return KeptReceipt(
        kind=receipt.kind,
        authority=receipt.authority,
        what=what,
        about=receipt.digest,
        digest=put(receipt.data),
        size=len(receipt.data),
        beside=tuple(KeptBeside(item.role, put(item.data), item.source) for item in receipt.beside),
        remarks=tuple(str(remark) for remark in receipt.remarks),
    )


def load_receipt(kept: KeptReceipt, read: Callable[[Digest], bytes]) -> Receipt:
    """Rebuild the receipt from its blobs; whatever `read` raises rises."""
    return Receipt(
        kind=kept.kind,
        authority=kept.authority,
        digest=kept.about,
        data=read(kept.digest),
        beside=tuple(Beside(item.role, read(item.digest), item.source) for item in kept.beside),
    )


def kept_to_facts(kept: KeptReceipt) -> dict[str, Any]:
    """Write a kept receipt as own facts."""
    facts: dict[str, Any] = msgspec.to_builtins(kept, enc_hook=str)
    return facts


def parse_kept(facts: Mapping[str, Any]) -> KeptReceipt:
    """Read own facts back; another shape is a `MalformedError`."""
    return convert(dict(facts), KeptReceipt, "receipt of a stamped event")
