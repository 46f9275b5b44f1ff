import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.histories import History, prompt
from tests.stories import bounded, evidence, published_at

from makingof.assess.engine import assess, find
from makingof.assess.finding import Outcome
from makingof.assess.need import BoundAsked, MeansAsked, ProbeNeed, SomeNeed, _all_of, _at_least, weigh_need
from makingof.assess.pack import MAX_PACK_BYTES, Pack, check_pack
from makingof.assess.registry import built_in_probes
from makingof.assess.shipped import shipped_packs
from makingof.cli.main import COMMANDS
from makingof.clock import format_instant
from makingof.errors import MalformedError
from makingof.event import Kind
from makingof.part import Means

PROBES = built_in_probes()
KNOWN = frozenset(PROBES)
GOOD = """
version = 1
id = "mine"
edition = "2026-11"
lifecycle = "draft"
date = "2026-11-01"
reviewer = ""
authority = { en = "A court", zh = "某法院" }
about = { en = "What it asked.", zh = "其要求。" }

[[source]]
id = "s1"
cite = "A decision"
read = "primary"

[[requirement]]
id = "prompts"
title = { en = "Prompts", zh = "提示词" }
asks = { en = "The prompts.", zh = "提示词。" }
met_by = { en = "Text.", zh = "文本。" }
counts = "with_others"
counts_why = { en = "With the rest.", zh = "与其他内容一并。" }
sources = ["s1"]
needs = { probe = "prompts_recorded", means = "left_behind" }
"""


def changed(old, new):
    assert old in GOOD
    return GOOD.replace(old, new, 1).encode()


def test_a_pack_is_read_and_named_by_its_bytes():
    pack = Pack.parse(GOOD.encode())
    assert pack.find("prompts").needs == ProbeNeed("prompts_recorded", MeansAsked.LEFT_BEHIND)
    assert Pack.parse(GOOD.encode() + b"\n").digest != pack.digest
    assert check_pack(GOOD.encode(), KNOWN) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("version = 1", "version = 2", "version 2"),
        ('id = "mine"', 'id = "My Pack"', "lower-case"),
        ('date = "2026-11-01"', 'date = "soon"', "not spelled"),
        ('lifecycle = "draft"', 'lifecycle = "reviewed"', "reviewed by nobody"),
        ('lifecycle = "draft"', 'lifecycle = "great"', "shape"),
        ('sources = ["s1"]', 'sources = ["s2"]', "not listed"),
        ('sources = ["s1"]', "sources = []", "names no source"),
        ('zh = "提示词。"', 'zh = " "', "missing in a language"),
        ('en = "The prompts."', 'en = "It is copyrightable."', "verdict"),
        ('en = "The prompts."', 'en = "At least 80 % of them."', "verdict"),
        ('needs = { probe = "prompts_recorded", means = "left_behind" }', "needs = {}", "none of"),
        ('needs = { probe = "prompts_recorded", means = "left_behind" }', "needs = { all = [] }", "0 of 0"),
        ('means = "left_behind"', 'means = "good"', "good"),
        ('means = "left_behind"', 'weight = "3"', "none of"),
        ('cite = "A decision"', 'cite = ""', "no citation"),
        ('read = "primary"', 'read = "from memory"', "neither primary nor secondary"),
        ("needs = {", "extra = 1\nneeds = {", "shape"),
    ],
)
def test_what_is_wrong_with_a_pack_is_said(old, new, problem):
    data = changed(old, new)
    assert any(problem in said for said in check_pack(data, KNOWN))
    with pytest.raises(MalformedError):
        Pack.parse(data)


def test_an_unknown_probe_is_named_to_the_writer_and_unverifiable_to_the_reader():
    data = changed("prompts_recorded", "something_else")
    assert check_pack(data, KNOWN) == ["probe 'something_else' is not known here"]
    history = History()
    made = history.generate("a.png")
    done = assess(evidence(history, made.file()), Pack.parse(data), PROBES)
    assert done.results[0].outcome is Outcome.UNVERIFIABLE


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"a = " + b"[" * 100_000,
        b"a = 1\n" * 2,
        b"#" * (MAX_PACK_BYTES + 1),
        GOOD.replace("{ probe", "{ all = [" * 50 + "{ probe").encode(),
        changed(
            'needs = { probe = "prompts_recorded", means = "left_behind" }',
            "needs = " + "{ all = [" * 9 + '{ probe = "x" }' + "] }" * 9,
        ),
    ],
)
def test_hostile_packs_are_malformed(data):
    with pytest.raises(MalformedError):
        Pack.parse(data)
    assert check_pack(data, KNOWN)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_malformed_and_nothing_else(data):
    with pytest.raises(MalformedError):
        Pack.parse(data)


@pytest.mark.parametrize("pack", shipped_packs(), ids=lambda pack: pack.id)
def test_shipped_packs_name_known_probes_and_commands_there_are(pack):
    assert pack.probe_names <= KNOWN
    for requirement in pack.requirements:
        for step in requirement.do:
            if step.command is not None:
                program, command, *_ = shlex.split(step.command)
                assert program == "makingof"
                assert command in COMMANDS
    used = {name for item in (*pack.requirements, *pack.templates) for name in item.sources}
    assert used == pack.sources.keys()


def test_shipped_packs_call_themselves_drafts_until_somebody_has_read_them():
    assert {str(pack.lifecycle) for pack in shipped_packs()} == {"draft"}


ORDER = [
    Outcome.CONTRADICTED,
    Outcome.ABSENT,
    Outcome.SEALED,
    Outcome.UNVERIFIABLE,
    Outcome.PARTLY,
    Outcome.SHOWN,
]
OUTCOMES = st.lists(st.sampled_from(ORDER), min_size=1, max_size=5)


@given(OUTCOMES, st.data())
def test_more_shown_is_never_worse(outcomes, data):
    at = data.draw(st.integers(0, len(outcomes) - 1))
    better = [*outcomes[:at], Outcome.SHOWN, *outcomes[at + 1 :]]
    count = data.draw(st.integers(1, len(outcomes)))
    coarse = {Outcome.CONTRADICTED: 0, Outcome.PARTLY: 2, Outcome.SHOWN: 3}
    for combine in (_all_of, lambda items: _at_least(items, count)):
        assert coarse.get(combine(better), 1) >= coarse.get(combine(outcomes), 1)


@given(OUTCOMES)
def test_behind_the_first_of_all_the_order_of_needs_does_not_matter(outcomes):
    assert _all_of(outcomes) is _all_of([outcomes[0], *outcomes[:0:-1]])
    assert _at_least(outcomes, 1) is _at_least(outcomes[::-1], 1)


def test_what_a_thing_must_come_with_does_not_show_the_thing():
    assert _all_of([Outcome.ABSENT, Outcome.SHOWN]) is Outcome.ABSENT
    assert _all_of([Outcome.SHOWN, Outcome.ABSENT]) is Outcome.PARTLY
    assert _all_of([Outcome.NOT_APPLICABLE, Outcome.SEALED, Outcome.SHOWN]) is Outcome.SEALED
    assert _all_of([Outcome.SHOWN, Outcome.CONTRADICTED]) is Outcome.CONTRADICTED


@pytest.mark.parametrize(
    ("means", "asked", "outcome"),
    [
        (Means.LIVE, "at_the_moment", Outcome.SHOWN),
        (Means.WATCHED, "at_the_moment", Outcome.SHOWN),
        (Means.RECOVERED, "at_the_moment", Outcome.PARTLY),
        (Means.RECOVERED, "left_behind", Outcome.SHOWN),
        (Means.STATED, "at_the_moment", Outcome.ABSENT),
        (Means.STATED, "left_behind", Outcome.ABSENT),
        (Means.STATED, "told", Outcome.SHOWN),
    ],
)
def test_a_statement_never_stands_in_for_a_record_and_a_trace_only_partly_for_the_moment(
    means, asked, outcome
):
    history = History()
    made = history.generate("a.png", said=[prompt("a cat")], means=means)
    asked_of = evidence(history, made.file())
    findings = {"prompts_recorded": find(asked_of, PROBES["prompts_recorded"])}
    need = ProbeNeed("prompts_recorded", MeansAsked(asked))
    assert weigh_need(need, findings, asked_of).outcome is outcome
    assert weigh_need(SomeNeed(1, (need,)), findings, asked_of).outcome is outcome


def test_before_publication_takes_an_outside_time_and_not_our_clock():
    history = History()
    made = history.generate("a.png", said=[prompt("a cat")])
    history.clock.advance(days=1)
    history.tell(
        Kind.PUBLISHED,
        published_at(),
        cites=[made],
        means=Means.STATED,
        occurred_at=format_instant(history.clock.now()),
    )
    need = ProbeNeed("prompts_recorded", bound=BoundAsked.BEFORE_PUBLICATION)
    for bounds, outcome in (({}, Outcome.PARTLY), (bounded(history), Outcome.SHOWN)):
        asked = evidence(history, made.file(), bounds=bounds)
        findings = {"prompts_recorded": find(asked, PROBES["prompts_recorded"])}
        assert weigh_need(need, findings, asked).outcome is outcome
