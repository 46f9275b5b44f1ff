"""Which program is taken for a second opinion, and how it is believed. Real ones run in integration."""

import os
import sys

import pytest
from tests.stamping import DIGEST, NOON, make_authority, make_pair, receipt_of, respond

from makingof.errors import ProofError
from makingof.stamp.openssl import OpenSsl, find_openssl
from makingof.stamp.rfc3161 import verify_token

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="stands in by shell scripts")


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Put a program called `openssl` first on the search path."""

    def put(script):
        program = tmp_path / "openssl"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        return program

    return put


@pytest.mark.parametrize(
    ("words", "version"),
    [
        ("OpenSSL 3.0.19 27 Jan 2026 (Library: OpenSSL 3.0.19)", "3.0.19"),
        ("OpenSSL 1.1.1w  11 Sep 2023", "1.1.1w"),
        ("OpenSSL 4.0.3 1 Oct 2026", "4.0.3"),
        ("LibreSSL 3.3.6", None),
        ("OpenSSL 1.0.2u  20 Dec 2019", None),
        ("", None),
    ],
)
def test_only_an_openssl_that_can_verify_at_a_time_is_taken(stand_in, words, version):
    program = stand_in(f'echo "{words}"')
    found = find_openssl()
    assert (found and (found.program, found.version)) == (version and (str(program), version))


def test_a_program_in_the_current_folder_is_not_taken(stand_in, tmp_path, monkeypatch):
    stand_in('echo "OpenSSL 3.0.19"')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", ".")
    assert find_openssl() is None


def test_no_program_is_no_second_opinion():
    assert find_openssl("openssl-that-is-not-there") is None


def test_disagreement_is_failure(stand_in):
    root, signer = make_pair()
    program = stand_in(
        'echo "Verification: FAILED" >&2; echo "error:ts:certificate verify error" >&2; exit 1'
    )
    with pytest.raises(ProofError, match=r"openssl 3\.0 refuses.*certificate verify error"):
        verify_token(
            receipt_of(respond(signer)), [make_authority(root)], openssl=OpenSsl(str(program), "3.0")
        )


@pytest.mark.parametrize("script", ['echo "Verification: OK"; exit 1', "exit 0", "kill -9 $$"])
def test_only_a_clear_yes_is_a_yes(stand_in, script):
    opinion = OpenSsl(str(stand_in(script)), "3.0")
    with pytest.raises(ProofError, match="refuses"):
        opinion.verify(b"", DIGEST, root=b"", chain=b"", at=NOON)


def test_a_program_that_hangs_or_is_gone_does_not_agree(stand_in, tmp_path):
    slow = OpenSsl(str(stand_in("sleep 5")), "3.0", timeout_seconds=0.1)
    with pytest.raises(ProofError, match="did not finish"):
        slow.verify(b"", DIGEST, root=b"", chain=b"", at=NOON)
    gone = OpenSsl(str(tmp_path / "gone"), "3.0")
    with pytest.raises(ProofError, match="could not be run"):
        gone.verify(b"", DIGEST, root=b"", chain=b"", at=NOON)


def test_both_programs_are_named(stand_in):
    root, signer = make_pair()
    opinion = OpenSsl(str(stand_in('echo "Verification: OK"')), "3.0")
    statement = verify_token(receipt_of(respond(signer)), [make_authority(root)], openssl=opinion)
    assert [name.split()[0] for name in statement.checked_by] == ["rfc3161-client", "openssl"]
