"""What docs/spec/stamp.md says is what the program does: its example parses, its traps have tests."""

import re
from pathlib import Path

import pytest

from makingof.stamp.base import Kind, Role
from makingof.stamp.schedule import CHOICES
from makingof.stamp.trust import parse_trust
from makingof.texts import LANGUAGES, load_area

ROOT = Path(__file__).parents[1]
SPEC = (ROOT / "docs" / "spec" / "stamp.md").read_text(encoding="utf-8")


def test_the_example_trust_file_parses():
    (example,) = re.findall(r"```toml\n(.*?)```", SPEC, re.DOTALL)
    trust = parse_trust(example.encode(), name="example")
    assert [authority.kind for authority in trust.authorities] == [Kind.RFC3161, Kind.OTS, Kind.DEPOSIT]
    assert trust.authorities[0].roots


def test_every_trap_has_the_test_it_names():
    named = re.findall(r"^\| .* \| `(test_\w+)` \|$", SPEC, re.MULTILINE)
    assert len(named) > 30
    sources = [*ROOT.glob("tests/test_stamp_*.py"), *ROOT.glob("tests/integration/test_*.py")]
    written = {
        name
        for source in sources
        for name in re.findall(r"^def (test_\w+)", source.read_text("utf-8"), re.MULTILINE)
    }
    assert set(named) <= written


@pytest.mark.parametrize("word", [*Kind, *Role])
def test_every_kind_and_role_is_described(word):
    assert f"| `{word}` |" in SPEC


def test_every_text_of_this_area_stands_in_both_languages():
    for name, texts in load_area("stamp").items():
        assert set(texts) == set(LANGUAGES), name
        fields = [sorted(re.findall(r"\{(\w+)", text)) for text in texts.values()]
        assert fields[0] == fields[1], name


def test_the_acts_that_do_not_wait_are_those_of_the_design():
    assert {"selected", "published", "affirmed"} == CHOICES
