"""What the tests of time share: a clock that stands still, bent tokens, a loopback server."""

import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

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


@contextmanager
def answering(answers):
    """Serve one canned answer per path on loopback; yields (address, requests seen)."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self._answer(self.rfile.read(int(self.headers["Content-Length"])))

        def do_GET(self):
            self._answer(None)

        def _answer(self, body):
            seen.append((self.command, self.path, dict(self.headers), body))
            found = answers.get(self.path)
            found = found(body) if callable(found) else found
            if isinstance(found, tuple):
                status, headers, found = found
            else:
                status, headers = (404, {}) if found is None else (200, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(found or b"")

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
