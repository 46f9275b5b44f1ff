"""Time, checked by programs that are not ours: OpenSSL as authority and verifier, a hostile clock, `ots`.

Needs the Debian packages openssl and faketime, and the program `ots` of
opentimestamps-client on the search path. A missing one is a failure.
"""

import base64
import dataclasses
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import tsp
from rfc3161_client import decode_timestamp_response
from tests.stamping import (
    DIGEST,
    MESSAGE,
    NOON,
    answering,
    make_local,
    receipt_of,
)

from makingof.digest import Digest
from makingof.errors import ProofError
from makingof.stamp.authority import RemoteAuthority
from makingof.stamp.base import Authority, Beside, Kind, Receipt, Role, Statement
from makingof.stamp.bounds import Stamp, Standing, Timeline
from makingof.stamp.chain import load_pem_certificates, to_der
from makingof.stamp.http import HttpFetch
from makingof.stamp.openssl import find_openssl
from makingof.stamp.rfc3161 import verify_token
from makingof.stamp.sheet import Sheet, SheetLine, format_sheet
from makingof.stamp.sm3 import sm3_hex
from makingof.stamp.token import make_request

pytestmark = pytest.mark.integration

CONFIGURATION = """
[ req ]
prompt = no
distinguished_name = name
[ name ]
CN = set by -subj
[ v3_ca ]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[ v3_tsa ]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[ tsa ]
default_tsa = tsa1
[ tsa1 ]
dir = .
serial = $dir/serial
crypto_device = builtin
signer_cert = $dir/tsa.pem
signer_key = $dir/tsa.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.99999.1.1
digests = sha256,sha384,sha512
accuracy = secs:1
clock_precision_digits = 0
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


def run(*arguments, cwd=None, at=None):
    """Run a program, under a false clock if `at` is given, and return what it prints."""
    if at is not None:
        arguments = ("faketime", at, *arguments)
    done = subprocess.run(arguments, cwd=cwd, capture_output=True, check=False)
    if done.returncode:
        raise AssertionError(done.stderr.decode())
    return done.stdout


@pytest.fixture(scope="module")
def openssl():
    found = find_openssl()
    assert found is not None, "openssl is not installed"
    return found


class OpenSslAuthority:
    """A certification authority and a time-stamping one, made and run by the `openssl` program."""

    def __init__(self, folder, *, made_at=None, days=3000, with_chain=False):
        self.folder = folder
        self.clock = None
        self._lock = threading.Lock()
        folder.mkdir()
        chain = "certs = $dir/ca.pem\n" if with_chain else ""
        (folder / "tsa.cnf").write_text(CONFIGURATION + chain)
        (folder / "serial").write_text("01")
        name = f"/O=Test/CN=Test {folder.name}"
        new = ("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-sha256", "-config", "tsa.cnf")
        root = (
            *new,
            "-x509",
            "-keyout",
            "ca.key",
            "-out",
            "ca.pem",
            "-days",
            "9000",
            "-subj",
            f"{name} root",
        )
        signer = (*new, "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", f"{name} signer")
        issue = (
            "openssl",
            "x509",
            "-req",
            "-in",
            "tsa.csr",
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
        )
        issue += (
            "-out",
            "tsa.pem",
            "-days",
            str(days),
            "-sha256",
            "-extfile",
            "tsa.cnf",
            "-extensions",
            "v3_tsa",
        )
        for command in ((*root, "-extensions", "v3_ca"), signer, issue):
            run(*command, cwd=folder, at=made_at)

    def respond(self, query):
        with self._lock:  # the program rewrites `serial`
            (self.folder / "q").write_bytes(query)
            reply = ("openssl", "ts", "-reply", "-config", "tsa.cnf", "-section", "tsa1", "-queryfile", "q")
            run(*reply, "-out", "r", cwd=self.folder, at=self.clock)
            return (self.folder / "r").read_bytes()

    @property
    def signer_der(self):
        return to_der(load_pem_certificates((self.folder / "tsa.pem").read_bytes())[0])

    def authority(self, url=None):
        roots = load_pem_certificates((self.folder / "ca.pem").read_bytes())
        return Authority(
            self.folder.name, Kind.RFC3161, self.folder.name, (url,) if url else (), tuple(map(to_der, roots))
        )


@pytest.fixture(scope="module")
def authorities(tmp_path_factory):
    """Three authorities whose certificates are good since 2019; the third sends its chain unsorted."""
    folder = tmp_path_factory.mktemp("authorities")
    return [
        OpenSslAuthority(folder / name, made_at="2019-01-01", days=9000, with_chain=name == "three")
        for name in ("one", "two", "three")
    ]


def ask(tsa, openssl, message=MESSAGE):
    with answering({"/": tsa.respond}) as (url, _):
        return RemoteAuthority(tsa.authority(f"{url}/"), HttpFetch(), openssl).request(message)


def by_hand(receipt, root_pem, folder, *arguments):
    """Verify as the specification tells a person to; return whether OpenSSL says OK."""
    (folder / "message").write_bytes(MESSAGE)
    (folder / "receipt.tsr").write_bytes(receipt.data)
    (folder / "root.pem").write_bytes(root_pem)
    command = ["openssl", "ts", "-verify", "-data", "message", "-in", "receipt.tsr", "-CAfile", "root.pem"]
    done = subprocess.run([*command, *arguments], cwd=folder, capture_output=True, check=False)
    return done.returncode == 0 and b"Verification: OK" in done.stdout + done.stderr


def epoch(moment):
    return str(int(moment.timestamp()))


def test_a_real_authority_is_asked_and_two_programs_agree(authorities, openssl, tmp_path):
    for tsa in authorities:
        receipt = ask(tsa, openssl)
        statement = verify_token(receipt, [tsa.authority()], openssl=openssl)
        assert isinstance(statement, Statement)
        assert abs(statement.at - datetime.now(UTC)) < timedelta(minutes=5)
        assert [name.split()[0] for name in statement.checked_by] == ["rfc3161-client", "openssl"]
        root = (tsa.folder / "ca.pem").read_bytes()
        assert by_hand(receipt, root, tmp_path, "-attime", epoch(statement.at))
        other = (authorities[0] if tsa is not authorities[0] else authorities[1]).folder / "ca.pem"
        assert not by_hand(receipt, other.read_bytes(), tmp_path, "-attime", epoch(statement.at))


def test_a_chain_sent_unsorted_is_refused_raw_and_read_normalised(authorities, openssl):
    """Whether the set is in order depends on the certificates; both ways round must be read."""
    tsa = authorities[2]
    receipt = ask(tsa, openssl)
    response = tsp.TimeStampResp.load(receipt.data)
    certificates = [choice.dump() for choice in response["time_stamp_token"]["content"]["certificates"]]
    assert len(certificates) == 2
    if certificates != sorted(certificates):
        with pytest.raises(ValueError, match="InvalidSetOrdering"):
            decode_timestamp_response(receipt.data)
    assert isinstance(verify_token(receipt, [tsa.authority()], openssl=openssl), Statement)


def test_a_reply_without_its_certificate_is_verified_with_the_one_kept_beside(authorities, openssl):
    tsa = authorities[0]
    query = tsp.TimeStampReq.load(make_request(DIGEST, 5).data)
    query["cert_req"] = False
    receipt = receipt_of(tsa.respond(query.dump()), authority="one")
    with pytest.raises(ProofError, match="neither in the time-stamp token nor beside"):
        verify_token(receipt, [tsa.authority()], openssl=openssl)
    kept = dataclasses.replace(receipt, beside=(Beside(Role.CERTIFICATE, tsa.signer_der),))
    assert isinstance(verify_token(kept, [tsa.authority()], openssl=openssl), Statement)


def test_a_clock_before_the_certificates_is_refused_where_openssl_alone_says_ok(
    authorities, openssl, tmp_path
):
    tsa = authorities[0]
    tsa.clock = "2018-01-01 12:00:00"
    try:
        receipt = receipt_of(tsa.respond(make_request(DIGEST, 5).data), authority="one")
        with pytest.raises(ProofError, match="not valid at 2018-01-01"):
            ask(tsa, openssl)
    finally:
        tsa.clock = None
    with pytest.raises(ProofError, match="not valid at 2018-01-01"):
        verify_token(receipt, [tsa.authority()], openssl=openssl)
    root = (tsa.folder / "ca.pem").read_bytes()
    assert by_hand(receipt, root, tmp_path), "the trap: openssl ts without -attime looks at today"
    assert not by_hand(receipt, root, tmp_path, "-attime", epoch(datetime(2018, 1, 1, 12, tzinfo=UTC)))


def test_a_token_outlives_its_certificate_where_openssl_alone_refuses(openssl, tmp_path):
    tsa = OpenSslAuthority(tmp_path / "old", made_at="2020-01-01", days=10)
    tsa.clock = "2020-01-05 12:00:00"
    receipt = receipt_of(tsa.respond(make_request(DIGEST, 5).data), authority="old")
    statement = verify_token(receipt, [tsa.authority()], openssl=openssl)
    assert isinstance(statement, Statement)
    assert statement.at.date().isoformat() == "2020-01-05"
    root = (tsa.folder / "ca.pem").read_bytes()
    assert not by_hand(receipt, root, tmp_path), "the trap: the certificate has expired since"
    assert by_hand(receipt, root, tmp_path, "-attime", epoch(statement.at))


def test_a_lying_clock_passes_every_check_and_moves_no_bound(authorities, openssl):
    """One authority backdates by years with good certificates: only the second one's word protects."""
    liar, honest = authorities[0], authorities[1]
    liar.clock = "2021-06-01 00:00:00"
    try:
        backdated = ask(liar, openssl)
    finally:
        liar.clock = None
    receipts = [(backdated, liar), (ask(honest, openssl), honest)]
    statements = [verify_token(receipt, [tsa.authority()], openssl=openssl) for receipt, tsa in receipts]
    assert statements[0].at.year == 2021
    bound = Timeline([Stamp(statement, 8, None) for statement in statements]).not_after(3)
    assert (bound.standing, bound.at) == (Standing.TWO, statements[1].latest)
    assert Timeline([Stamp(statements[0], 8, None)]).not_after(3).standing is Standing.ONE


def test_the_authority_in_the_process_satisfies_openssl(openssl):
    local = make_local(moment=datetime.now(UTC))
    receipt = ask_local(local, openssl)
    found = verify_token(receipt, [local.authority()], openssl=openssl)
    assert len(found.checked_by) == 2


def ask_local(local, openssl):
    with answering({"/": local.respond}) as (url, _):
        return RemoteAuthority(local.authority(f"{url}/"), HttpFetch(), openssl).request(MESSAGE)


def test_digests_of_a_sheet_are_those_of_sha256sum_and_openssl(tmp_path):
    (tmp_path / "cat.png").write_bytes(b"abc")
    line = SheetLine(Digest.of(b"e"), None, Digest.of(b"abc"), sm3_hex(b"abc"), "cat.png")
    sheet = format_sheet(Sheet("makingof/0", NOON, (line,))).decode()
    for command in (("sha256sum", "cat.png"), ("openssl", "dgst", "-sm3", "-r", "cat.png")):
        assert run(*command, cwd=tmp_path).decode().split()[0] in sheet


def test_a_receipt_is_plain_files_for_any_tool(authorities, openssl, tmp_path):
    """Response, query and chain as files: the by-hand steps of docs/spec/stamp.md."""
    tsa = authorities[0]
    receipt = ask(tsa, openssl)
    assert isinstance(receipt, Receipt)
    (tmp_path / "q.tsq").write_bytes(receipt.find_beside(Role.REQUEST)[0])
    (tmp_path / "r.tsr").write_bytes(receipt.data)
    text = run("openssl", "ts", "-reply", "-in", "r.tsr", "-text", cwd=tmp_path).decode()
    assert "Status: Granted" in text
    text = run("openssl", "ts", "-query", "-in", "q.tsq", "-text", cwd=tmp_path).decode()
    assert "Hash Algorithm: sha256" in text
    pem = base64.b64encode(receipt.find_beside(Role.CERTIFICATE)[0]).decode()
    (tmp_path / "chain.pem").write_text(f"-----BEGIN CERTIFICATE-----\n{pem}\n-----END CERTIFICATE-----\n")
    assert Path(tmp_path / "chain.pem").exists()
    root = (tsa.folder / "ca.pem").read_bytes()
    at = verify_token(receipt, [tsa.authority()], openssl=None).at
    assert by_hand(receipt, root, tmp_path, "-attime", epoch(at), "-untrusted", "chain.pem")
