"""What docs/spec/log.md shows is what the program makes."""

import base64
import json
import re
from pathlib import Path

import pytest
from tests.logs import fill, make_log, state_path

from makingof.keys.mark import MarkFile
from makingof.keys.recovery import RecoveryKey
from makingof.keys.signing import PublicKey, SigningKey
from makingof.tlog.database import FORMAT, MAX_ENTRY_BYTES
from makingof.tlog.merkle import verify_consistency, verify_range
from makingof.tlog.note import NoteKey
from makingof.tlog.proof import TlogProof, parse_proof

ROOT = Path(__file__).parents[1]
SPEC = (ROOT / "docs" / "spec" / "log.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"```([a-z-]+)\n(.*?)```", SPEC, re.DOTALL))
# RFC 8032, 7.1, test 2
KEY = SigningKey.from_seed(bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"))


@pytest.fixture
def log(tmp_path):
    with fill(make_log(tmp_path, key=KEY), 5) as log:
        yield log


def hashes(name):
    return [base64.b64decode(line) for line in EXAMPLES[name].split()]


def test_the_example_is_made_by_the_log(log, tmp_path):
    assert EXAMPLES["vkey"] == log.vkey + "\n"
    proof = TlogProof(2, tuple(log.inclusion_proof(2, 5)), log.checkpoint())
    assert EXAMPLES["tlog-proof"].encode() == proof.to_bytes()
    assert hashes("range-proof") == log.range_proof(1, 4, 5)
    assert hashes("consistency-proof") == log.consistency_proof(3, 5)
    assert EXAMPLES["mark"] == MarkFile(state_path(tmp_path), KEY.origin).path.read_text("utf-8")


def test_the_example_verifies_by_itself(log):
    public: PublicKey = NoteKey.parse(EXAMPLES["vkey"].strip()).public
    head = parse_proof(EXAMPLES["tlog-proof"].encode()).verify(log.leaf(2), public).head
    verify_range(log.leaves(1, 4), 1, head, hashes("range-proof"))
    verify_consistency(log.head_at(3), head, hashes("consistency-proof"))


def test_the_recovery_key_is_the_one_shown():
    key = RecoveryKey(bytes(range(20)))
    assert EXAMPLES["recovery"] == key.text + "\n"
    assert f"`{key.signing_key.origin}`" in SPEC


def test_the_numbers_are_those_of_the_program(log):
    assert f"{MAX_ENTRY_BYTES:,} bytes" in SPEC
    assert f"`user_version` {FORMAT}," in SPEC
    for name in ("merkle", "notes"):
        count = len(json.loads((ROOT / f"tests/vectors/tlog/{name}.json").read_bytes()))
        assert re.search(rf"{name}\.json`: {count} ", SPEC)


def test_the_tables_are_those_of_the_file(log):
    for table in ("settings", "checkpoint", "entries", "nodes", "parts"):
        (row,) = re.findall(rf"^\| `{table}` \| (.*) \|$", SPEC, re.MULTILINE)
        for (column,) in log._query("SELECT name FROM pragma_table_info(?)", (table,)):
            assert f"`{column}`" in row
