"""Asking an authority over loopback: what is sent, what is kept, and what is not accepted."""

import contextlib
import socket
import threading

import pytest
from tests.stamping import DIGEST, LONG_AGO, MESSAGE, NOON, answering, make_authority, make_local, respond

from makingof.digest import Digest
from makingof.errors import MakingofError, ProofError, UnavailableError, UsageError
from makingof.stamp.authority import RemoteAuthority
from makingof.stamp.base import Authority, Kind, Revocation, Role, Statement
from makingof.stamp.http import HttpFetch
from makingof.stamp.local import decline, make_crl, make_root, make_signer, serve
from makingof.stamp.rfc3161 import verify_token
from makingof.stamp.token import parse_request


def ask(authority, fetch=None):
    return RemoteAuthority(authority, fetch or HttpFetch(), openssl=None).request(MESSAGE)


def test_a_receipt_stands_with_its_query_and_chain():
    local = make_local()
    with serve(local) as url:
        receipt = ask(local.authority(url))
    assert receipt.digest == DIGEST
    assert receipt.authority == local.name
    assert [len(receipt.find_beside(role)) for role in (Role.REQUEST, Role.CERTIFICATE)] == [1, 2]
    assert "names none" in str(receipt.remarks[0])
    assert isinstance(verify_token(receipt, [local.authority()], openssl=None), Statement)


def test_only_a_hash_and_a_nonce_are_sent():
    local = make_local()
    with answering({"/": local.respond}) as (url, seen):
        ask(local.authority(f"{url}/"))
        ask(local.authority(f"{url}/"))
    queries = [parse_request(body) for _, _, _, body in seen]
    assert {query.digest for query in queries} == {DIGEST}
    assert len({query.nonce for query in queries}) == 2
    assert all(MESSAGE not in body and len(body) < 80 for _, _, _, body in seen)
    assert seen[0][2]["Content-Type"] == "application/timestamp-query"


def test_the_revocation_list_is_fetched_and_kept():
    root = make_root("root", valid_from=LONG_AGO)
    pages = {}
    with answering(pages) as (url, _):
        signer = make_signer("signer", root, valid_from=LONG_AGO, crl_url=f"{url}/crl")
        pages["/"] = lambda body: respond(signer, nonce=parse_request(body).nonce)
        pages["/crl"] = make_crl(root, at=NOON)
        authority = make_authority(root, urls=(f"{url}/",))
        receipt = ask(authority)
        assert receipt.find_beside(Role.CRL) == (pages["/crl"],)
        assert receipt.remarks == ()
        assert verify_token(receipt, [authority], openssl=None).revocation is Revocation.GOOD
        for broken in (None, b"no list"):
            pages["/crl"] = broken
            receipt = ask(authority)
            assert receipt.find_beside(Role.CRL) == ()
            assert "no revocation list" in str(receipt.remarks[0])


@pytest.mark.parametrize(
    ("answer", "error", "why"),
    [
        (lambda _: respond(SIGNER, nonce=1), ProofError, "nonce"),
        (
            lambda body: respond(SIGNER, nonce=parse_request(body).nonce, digest=Digest.of(b"other")),
            ProofError,
            "is about",
        ),
        (lambda body: respond(STRANGER, nonce=parse_request(body).nonce), UnavailableError, "not its own"),
        (lambda _: decline("closed today", "system_failure"), UnavailableError, "declined"),
        (b"<html>captive portal</html>", MakingofError, "time-stamp response"),
        (b"", MakingofError, "time-stamp response"),
        (None, UnavailableError, "HTTP 404"),
        ((503, {}, b"later"), UnavailableError, "HTTP 503"),
        ((302, {"Location": "file:///etc/passwd"}, b""), UnavailableError, "did not answer"),
        ((302, {"Location": "/again"}, b""), UnavailableError, "did not answer"),
        (bytes(300_000), UnavailableError, "more than 262144 bytes"),
    ],
)
def test_an_answer_that_does_not_hold_is_not_accepted(answer, error, why):
    with answering({"/": answer}) as (url, _), pytest.raises(error, match=why):
        ask(make_authority(ROOT, urls=(f"{url}/",)))


ROOT = make_root("root", valid_from=LONG_AGO)
SIGNER = make_signer("signer", ROOT, valid_from=LONG_AGO)
STRANGER = make_signer("signer", make_root("root", valid_from=LONG_AGO), valid_from=LONG_AGO)


def test_an_answer_that_trickles_is_given_up():
    """One byte at a time keeps every socket time-out from running out, in the headers as in the body."""
    stop = threading.Event()

    def trickle(server):
        connection, _ = server.accept()
        with connection, contextlib.suppress(OSError):
            while not stop.wait(0.01):
                connection.sendall(b"H")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=trickle, args=(server,), daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with pytest.raises(UnavailableError, match="too slowly"):
            ask(make_authority(ROOT, urls=(url,)), HttpFetch(whole_timeout_seconds=0.2))
        stop.set()
        thread.join()


def test_nobody_listening_is_unavailable_with_advice():
    with answering({}) as (url, _):
        pass
    with pytest.raises(UnavailableError) as raised:
        ask(make_authority(ROOT, urls=(url,)))
    assert raised.value.hint is not None
    assert "没有应答" in raised.value.message.in_language("zh")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/", "127.0.0.1", "data:,x"])
def test_only_web_addresses_are_asked(url):
    with pytest.raises(UnavailableError, match="neither http nor https"):
        ask(make_authority(ROOT, urls=(url,)))


def test_an_authority_without_an_address_cannot_be_asked():
    with pytest.raises(UsageError, match="cannot be asked"):
        RemoteAuthority(make_authority(ROOT), HttpFetch(), openssl=None)
    platform = Authority("platform", Kind.DEPOSIT, "platform", urls=("http://127.0.0.1/",))
    with pytest.raises(UsageError, match="cannot be asked"):
        RemoteAuthority(platform, HttpFetch(), openssl=None)
