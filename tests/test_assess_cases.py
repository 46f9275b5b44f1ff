import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docs import make_judging
from makingof.archive.cases import Judges, replay_case, run_cases
from makingof.assess.cases.agreement import Agreement, MutationRow, find_result
from makingof.assess.cases.case import Case, Change
from makingof.assess.cases.mutate import mutate
from makingof.assess.registry import built_in_probes
from makingof.assess.shipped import shipped_cases, shipped_packs
from makingof.errors import MalformedError

CASES = {case.id: case for case in map(Case.parse, shipped_cases())}
JUDGES = Judges(shipped_packs(), built_in_probes())
# Law's decided cases, one for each row of its table, and two registrations.
EXPECTED = {
    "li-v-liu-2023",
    "wuhan-scroll-2025",
    "changshu-half-heart-2025",
    "zhou-cat-crystal-2025",
    "zhangjiagang-chair-2025",
    "wei-false-story-2025",
    "prague-2023",
    "munich-logos-2026",
    "theatre-2023",
    "suryast-2023",
    "american-cheese-2025",
    "chiba-2025",
    "zarya-2023",
    "ai-suros-wife-2024",
}


def test_every_decided_case_is_there_and_on_the_page():
    assert set(CASES) == EXPECTED
    headings = re.findall(r"^## (.*)$", make_judging.CASES.read_text("utf-8"), re.MULTILINE)
    assert headings[1:] == [case.title.en for case in CASES.values()]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_rules_agree_with_the_authority_or_the_difference_is_explained(name, tmp_path):
    (benchmark,) = run_cases([CASES[name]], tmp_path, JUDGES)
    unexplained = [
        (row.expectation.axis, row.expectation.requirement, row.expectation.values, row.ours)
        for row in benchmark.rows
        if not row.is_explained
    ]
    assert not unexplained
    assert any(row.agreement is Agreement.AGREES for row in benchmark.rows)
    assert benchmark.mutations
    assert not [row for row in benchmark.mutations if not row.holds]
    section = make_judging.case_section(CASES[name], benchmark)
    assert section in make_judging.CASES.read_text("utf-8"), "run docs/make_judging.py"


def test_every_kind_of_mutation_the_benchmark_promises_is_made():
    done = {change.do for case in CASES.values() for item in case.mutation for change in item.change}
    promised = {
        "later",
        "without-fields",
        "moved",
        "unnamed",
        "without-baseline",
        "counted",
        "by-script",
        "sealed",
    }
    assert promised <= done


def test_no_probe_and_no_rule_of_a_pack_knows_a_case():
    words = {case.picture for case in CASES.values()} | set(CASES)
    words |= {person.name for case in CASES.values() for event in case.event for person in event.people}
    folder = Path(__file__).parent.parent / "src/makingof/assess"
    for path in [*folder.glob("*.py"), *folder.glob("probes/*.py")]:
        code = re.sub(r'"""[\s\S]*?"""|#.*', "", path.read_text("utf-8"))
        assert not [word for word in words if word and f'"{word}"' in code], path.name
    for pack in shipped_packs():
        for requirement in pack.requirements:
            assert not [word for word in words if word and word in str(requirement.needs)]


def test_axis_b_is_never_open_where_the_authority_decided_without_saying_so():
    for case in CASES.values():
        for item in case.expect:
            assert item.differs is None or item.values


def test_replaying_gives_the_same_answers_again(tmp_path):
    case = CASES["wuhan-scroll-2025"]
    first, second = (replay_case(case, tmp_path / str(number), JUDGES) for number in range(2))
    for pack in shipped_packs():
        results = [
            [(item.requirement.id, item.outcome) for item in done.assessments[pack.id].results]
            for done in (first, second)
        ]
        assert results[0] == results[1]


def test_a_mutation_that_changes_nothing_does_not_hold():
    row = MutationRow("c", "m", "p/r", ("shown",), "shown", "shown")
    assert not row.holds


GOOD = shipped_cases()[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"version = 1", b"version = 9"),
        (b'axis = "A"', b'axis = "C"'),
        (b'values = ["shown"]', b'values = ["copyrighted"]'),
        (b'kind = "generated"', b'kind = "painted"'),
        (b'picture = "', b'picture = "x'),
        (b'at = "20', b'at = "on a day in 20'),
        (b'sources = ["', b'sources = ["x'),
        (b'cites = ["', b'cites = ["x'),
        (b"[[event]]", b"[[event]]\nunknown = 1"),
    ],
)
def test_a_case_that_is_not_whole_is_malformed(old, new):
    assert old in GOOD
    with pytest.raises(MalformedError):
        Case.parse(GOOD.replace(old, new, 1))


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_no_case(data):
    with pytest.raises(MalformedError):
        Case.parse(data)


def test_a_change_nobody_knows_is_malformed():
    case = CASES["prague-2023"]
    mutation = msgspec.structs.replace(case.mutation[0], change=(Change(do="improve"),))
    with pytest.raises(MalformedError, match="improve"):
        mutate(case, mutation)


def test_a_requirement_no_pack_has_is_malformed():
    with pytest.raises(MalformedError, match="no pack"):
        find_result({}, "x", "y")
