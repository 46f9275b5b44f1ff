"""Every real file beside the repository, fact by fact; runs only where the samples are."""

import hashlib
import tomllib
from pathlib import Path

import pytest

from makingof.metadata.facts import FACTS, facts_of

SAMPLES = Path(__file__).parents[2] / "shared" / "samples"
EXPECTED = tomllib.loads((Path(__file__).parent / "samples.toml").read_text(encoding="utf-8"))["file"]

needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="../shared/samples is not there")


def agrees(expected, found):
    if isinstance(expected, dict):
        digest = hashlib.sha256((found or "").encode()).hexdigest()
        return found is not None and found.startswith(expected["starts"]) and digest == expected["sha256"]
    return expected == found


@needs_samples
@pytest.mark.parametrize("expected", EXPECTED, ids=lambda row: row["path"])
def test_a_sample_is_read_as_what_it_says(expected):
    path = SAMPLES / expected["path"]
    facts = facts_of(path.read_bytes(), path.name)
    wrong = {
        fact: (expected.get(fact), facts[fact])
        for fact in ("tool", *FACTS)
        if not agrees(expected.get(fact), facts[fact])
    }
    assert not wrong


@needs_samples
def test_no_sample_is_left_out_of_the_table():
    there = {
        path.relative_to(SAMPLES).as_posix()
        for path in SAMPLES.rglob("*")
        if path.suffix in (".png", ".jpg", ".webp", ".bin")
    }
    assert there == {row["path"] for row in EXPECTED}


@needs_samples
def test_raw_bytes_of_every_sample_are_those_its_locators_name():
    for row in EXPECTED:
        data = (SAMPLES / row["path"]).read_bytes()
        for record in facts_of(data, row["path"])["records"]:
            span = record["locator"].rpartition("@")[2]
            if "@" in record["locator"] and "+" in span:
                offset, size = map(int, span.split("+"))
                assert hashlib.sha256(data[offset : offset + size]).hexdigest() == record["digest"][7:]
