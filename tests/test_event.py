import json
import re
import runpy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makingof.digest import Digest
from makingof.errors import MalformedError
from makingof.event import RULES, Event, Kind, check_part
from makingof.part import BODIES, Means, Part, PartType

HERE = Path(__file__).parent
VECTORS = json.loads((HERE / "vectors/event/vectors.json").read_text("utf-8"))
SPEC = (HERE.parent / "docs/spec/event.md").read_text("utf-8")


def named(group):
    return pytest.mark.parametrize("case", VECTORS[group].values(), ids=list(VECTORS[group]))


def test_the_vectors_are_what_their_script_writes():
    made = runpy.run_path(str(HERE / "vectors/event/make.py"))["vectors"]()
    assert made == VECTORS


@named("events_accepted")
def test_an_event_is_accepted_under_its_leaf_hash(case):
    event = Event.parse(case["entry"].encode())
    assert event.name == case["name"]
    assert event.entry == case["entry"].encode()


@named("events_refused")
def test_an_event_that_breaks_a_rule_is_refused(case):
    with pytest.raises(MalformedError):
        Event.parse(case.encode())


@named("bytes_refused_hex")
def test_bytes_that_are_no_canonical_event_are_refused(case):
    with pytest.raises(MalformedError):
        Event.parse(bytes.fromhex(case))
    with pytest.raises(MalformedError):
        Part.parse(bytes.fromhex(case))


@named("parts_accepted")
def test_a_part_is_accepted_and_written_back_to_the_same_bytes(case):
    part = Part.parse(case["part"].encode())
    assert Digest.of(part.to_bytes()) == case["digest"]


@named("parts_refused")
def test_a_part_without_its_shape_is_refused(case):
    with pytest.raises(MalformedError):
        Part.parse(case.encode())


@given(st.sampled_from(sorted(VECTORS["events_accepted"])), st.data())
def test_no_single_changed_byte_keeps_the_name(name, data):
    entry = bytearray(VECTORS["events_accepted"][name]["entry"].encode())
    at = data.draw(st.integers(0, len(entry) - 1))
    entry[at] ^= data.draw(st.integers(1, 255))
    try:
        event = Event.parse(bytes(entry))
    except MalformedError:
        return
    assert event.name != VECTORS["events_accepted"][name]["name"]


def test_a_header_writes_the_bytes_it_was_read_from():
    entry = VECTORS["events_accepted"]["an instant told by a person"]["entry"].encode()
    assert Event.parse(entry).header.to_bytes() == entry


@pytest.mark.parametrize("part_means", [Means.LIVE, Means.SPOOLED, Means.WATCHED])
def test_a_part_may_not_claim_more_than_its_event(part_means):
    event = Event.parse(VECTORS["events_accepted"]["an instant told by a person"]["entry"].encode())
    part = Part(PartType.NOTE, "5a" * 16, part_means, "x", None, {"text": "x"})
    with pytest.raises(MalformedError):
        check_part(event.header, part)


def test_the_table_in_the_spec_is_the_table_in_the_code():
    rows = re.findall(r"^\| `(\w+)` \| ([\w ]+?) \| (.*?) \|$", SPEC, re.MULTILINE)
    told = {}
    for kind, how, parts in rows:
        if kind not in Kind.__members__.values() or "means" in parts:
            continue
        means = how.replace("seen", "live spooled watched recovered stated")
        told.setdefault(
            kind,
            (
                set(means.split()),
                set(re.findall(r"\*\*(\w+)\*\*", parts)),
                set(parts.replace("*", "").split()),
            ),
        )
    assert told == {
        kind.value: (set(rule.means), set(rule.required), set(rule.allowed)) for kind, rule in RULES.items()
    }


def test_described_material_can_never_become_a_prompt():
    assert PartType.PROMPT not in RULES[Kind.DESCRIBED].allowed


def test_every_part_type_has_a_shape():
    assert set(BODIES) == set(PartType)
