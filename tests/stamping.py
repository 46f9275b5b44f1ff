"""What the tests of time share: a clock that stands still, and tokens bent in one place each."""

from datetime import UTC, datetime, timedelta

from makingof.digest import Digest
from makingof.stamp.base import Authority, Beside, Kind, Receipt, Role
from makingof.stamp.chain import to_der
from makingof.stamp.local import (
    Identity,
    LocalAuthority,
    grant,
    make_root,
    make_signer,
    sign_token,
    token_info,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONG_AGO = NOON - timedelta(days=400)
MESSAGE = b"a checkpoint"
DIGEST = Digest.of(MESSAGE)


class StoppedClock:
    """Says `moment` until it is moved; its uptime grows by `step_ms` each time it is asked."""

    def __init__(self, moment=NOON, step_ms=0):
        self.moment = moment
        self.step_ms = step_ms
        self.uptime = 0

    def now(self):
        return self.moment

    def uptime_ms(self):
        self.uptime += self.step_ms
        return self.uptime

    def boot_id(self):
        return ""


def make_local(name="demonstration one", moment=NOON):
    return LocalAuthority(name, StoppedClock(moment))


def make_authority(root: Identity, name="one", **others):
    return Authority(name=name, kind=Kind.RFC3161, operator=name, roots=(to_der(root.certificate),), **others)


def make_pair(*, name="one", valid_from=LONG_AGO, valid_until=None, **usages):
    """Return a root and a signer below it."""
    root = make_root(f"{name} root", valid_from=valid_from)
    signer = make_signer(f"{name} signer", root, valid_from=valid_from, valid_until=valid_until, **usages)
    return root, signer


def respond(signer: Identity, *, digest=DIGEST, at=NOON, nonce=77, certificates=None, **bent):
    """Answer like an authority would, except in what is given."""
    info = token_info(digest.raw, serial=5, at=at, nonce=nonce)
    if certificates is None:
        certificates = [to_der(signer.certificate)]
    return grant(sign_token(info, signer, certificates=certificates, **bent))


def receipt_of(data, *, digest=DIGEST, authority="one", certificates=(), crls=(), request=None):
    beside = [Beside(Role.CERTIFICATE, der) for der in certificates]
    beside += [Beside(Role.CRL, crl) for crl in crls]
    if request is not None:
        beside.append(Beside(Role.REQUEST, request))
    return Receipt(Kind.RFC3161, authority, digest, data, tuple(beside))
