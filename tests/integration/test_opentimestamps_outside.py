"""OpenTimestamps proofs shown to the reference client, with a stub of a node on loopback.

Needs the program `ots` of opentimestamps-client, beside this Python or on the search path. A missing
one is a failure.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from tests.calendars import NONCE, Calendar, make_authority, trusting
from tests.stamping import MESSAGE, answering

from makingof.stamp.block import parse_header
from makingof.stamp.http import HttpFetch
from makingof.stamp.opentimestamps import CalendarAuthority, complete, verify_proof

pytestmark = pytest.mark.integration


@contextmanager
def bitcoin_node(header, height):
    """A stub of the three calls that `ots` makes to a node."""
    block = parse_header(header).hash

    class Node(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answers = {"getblockcount": height + 6, "getblockhash": block, "getblockheader": header.hex()}
            body = json.dumps({"result": answers[asked["method"]], "error": None, "id": asked["id"]}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Node)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://user:secret@127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def ots(*arguments, cwd):
    beside_python = Path(sys.executable).with_name("ots")
    program = str(beside_python) if beside_python.exists() else shutil.which("ots")
    assert program is not None, "ots (opentimestamps-client) is not installed"
    home = {"HOME": str(cwd), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [program, "--no-cache", *arguments], cwd=cwd, capture_output=True, check=False, env=home
    )
    return done.returncode, (done.stdout + done.stderr).decode()


def test_the_reference_client_verifies_what_we_completed(tmp_path):
    calendar = Calendar()
    with answering(calendar.answers) as (url, _):
        calendar.answers.url = url
        authority = make_authority(url)
        pending = CalendarAuthority(authority, HttpFetch(), NONCE).request(MESSAGE)
        (tmp_path / "checkpoint").write_bytes(MESSAGE)
        proof = tmp_path / "checkpoint.ots"
        proof.write_bytes(pending.data)
        calendar.mined = True
        code, said = ots("-l", url, "--no-bitcoin", "upgrade", str(proof), cwd=tmp_path)
        assert code == 0, said
        upgraded_by_them = proof.read_bytes()
        done = complete(pending, authority, HttpFetch())
    assert upgraded_by_them == done.data
    statement = verify_proof(done, [trusting(done)])
    height = int(statement.signer.removeprefix("block "))
    with bitcoin_node(calendar.header, height) as node:
        code, said = ots("--bitcoin-node", node, "verify", str(proof), cwd=tmp_path)
        assert code == 0, said
        assert f"Bitcoin block {height} attests existence as of {statement.at:%Y-%m-%d}" in said
        (tmp_path / "checkpoint").write_bytes(b"another")
        code, said = ots("--bitcoin-node", node, "verify", str(proof), cwd=tmp_path)
        assert code != 0


def test_the_reference_client_calls_our_pending_proof_pending(tmp_path):
    calendar = Calendar()
    with answering(calendar.answers) as (url, _):
        calendar.answers.url = url
        pending = CalendarAuthority(make_authority(url), HttpFetch(), NONCE).request(MESSAGE)
        (tmp_path / "checkpoint").write_bytes(MESSAGE)
        (tmp_path / "checkpoint.ots").write_bytes(pending.data)
        code, said = ots("-l", url, "--no-bitcoin", "verify", "checkpoint.ots", cwd=tmp_path)
    assert code != 0
    assert f"Calendar {url}" in said
