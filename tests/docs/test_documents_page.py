"""Every trap on the page about layered documents names a test that exists."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent
PAGE = TESTS.parent / "docs" / "reference" / "documents.md"
TRAPS = re.findall(r"\| `(test_\w+\.py)::(test_\w+)` \|", PAGE.read_text("utf-8"))


@pytest.mark.parametrize(("file", "name"), TRAPS)
def test_the_test_of_a_trap_exists(file, name):
    assert f"\ndef {name}(" in (TESTS / file).read_text("utf-8")


def test_there_are_traps():
    assert len(TRAPS) > 25
