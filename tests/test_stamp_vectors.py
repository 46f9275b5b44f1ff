"""The vectors of docs/spec/stamp.md: frozen receipts, and what every verifier must make of them."""

import base64
import json
import runpy
from datetime import timedelta
from pathlib import Path

import pytest

from makingof.clock import parse_instant
from makingof.digest import Digest
from makingof.errors import MakingofError, MalformedError
from makingof.stamp.base import Authority, Beside, BlockRules, Kind, Receipt, Role, Statement, Uncounted
from makingof.stamp.opentimestamps import verify_proof
from makingof.stamp.rfc3161 import verify_token
from makingof.stamp.sheet import format_sheet, parse_sheet

HERE = Path(__file__).parent / "vectors" / "stamp"
VECTORS = json.loads((HERE / "vectors.json").read_text(encoding="utf-8"))


def decode(text):
    return base64.b64decode(text)


def outcome(verify):
    try:
        found = verify()
    except MakingofError:
        return "refused", None
    return ("statement" if isinstance(found, Statement) else "uncounted"), found


def token_receipt(case):
    beside = [Beside(Role.CERTIFICATE, decode(text)) for text in case["certificates"]]
    beside += [Beside(Role.CRL, decode(text)) for text in case["crls"]]
    if case["request"]:
        beside.append(Beside(Role.REQUEST, decode(case["request"])))
    return Receipt(Kind.RFC3161, "one", Digest.parse(case["digest"]), decode(case["response"]), tuple(beside))


def test_the_vectors_are_what_their_script_writes():
    assert runpy.run_path(str(HERE / "make.py"))["vectors"]() == VECTORS


@pytest.mark.parametrize("name", VECTORS["tokens"])
def test_tokens(name):
    case = VECTORS["tokens"][name]
    authority = Authority("one", Kind.RFC3161, "one", roots=(decode(VECTORS["root"]),))
    got, found = outcome(lambda: verify_token(token_receipt(case), [authority], openssl=None))
    assert got == case["outcome"]
    if got == "statement":
        margin = timedelta(seconds=case["accuracy_seconds"])
        assert found.at == parse_instant(case["at"])
        assert (found.earliest, found.latest) == (found.at - margin, found.at + margin)
        assert found.revocation == case["revocation"]


@pytest.mark.parametrize("name", VECTORS["proofs"])
def test_proofs(name):
    case = VECTORS["proofs"][name]
    known = tuple((int(height), block) for height, block in case["rules"]["blocks"].items())
    rules = BlockRules(case["rules"]["minimum_difficulty"], known)
    beside = tuple(Beside(Role.HEADER, decode(text)) for text in case["headers"])
    receipt = Receipt(Kind.OTS, "bitcoin", Digest.parse(case["digest"]), decode(case["proof"]), beside)
    authority = Authority("bitcoin", Kind.OTS, "Bitcoin", blocks=rules)
    got, found = outcome(lambda: verify_proof(receipt, [authority]))
    assert got == case["outcome"]
    assert got == "refused" or isinstance(found, Statement | Uncounted)


@pytest.mark.parametrize("name", VECTORS["sheets"]["accepted"])
def test_sheets_accepted(name):
    data = VECTORS["sheets"]["accepted"][name].encode()
    assert format_sheet(parse_sheet(data)) == data


@pytest.mark.parametrize("name", VECTORS["sheets"]["refused"])
def test_sheets_refused(name):
    with pytest.raises(MalformedError):
        parse_sheet(VECTORS["sheets"]["refused"][name].encode())
