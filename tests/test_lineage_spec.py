"""The vectors of docs/spec/lineage.md, and that they are the ones its script writes."""

import json
import runpy
from pathlib import Path

import pytest

from makingof.digest import Digest
from makingof.lineage.entry import Entry
from makingof.lineage.lineage import RULE
from makingof.lineage.memory import MemoryGraph
from makingof.lineage.rule import find_lineage

HERE = Path(__file__).parent / "vectors" / "lineage"
VECTORS = json.loads((HERE / "vectors.json").read_text("utf-8"))
CASES = VECTORS["cases"]


@pytest.mark.parametrize("case", CASES, ids=[case["title"] for case in CASES])
def test_the_lineage_is_the_one_written_down(case):
    entries = []
    for position, told in enumerate(case["entries"]):
        stored = {Digest.of(part.encode()): part.encode() for part in told["parts"]}
        entries.append(Entry.read(position, told["entry"].encode(), stored))
    pictures = [Digest.parse(name) for name in case["pictures"]]
    lineage = find_lineage(MemoryGraph(entries), pictures, listed=frozenset(case["listed"]))
    assert lineage.rule == VECTORS["rule"] == RULE
    assert [
        {
            "position": member.entry.position,
            "why": member.why,
            "claimed": member.claimed,
            "withdrawn_by": list(member.withdrawn_by),
        }
        for member in lineage.members
    ] == case["members"]


def test_the_vectors_are_those_of_their_script(tmp_path, monkeypatch):
    made = runpy.run_path(str(HERE / "make.py"))
    assert {"rule": 1, "cases": made["CASES"]} == VECTORS
