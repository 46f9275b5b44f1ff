"""Every trap on the page about importers names a test that exists, and every source has its row."""

import re
from pathlib import Path

import pytest

from makingof.texts import load_area

TESTS = Path(__file__).parent.parent
PAGE = (TESTS.parent / "docs" / "reference" / "importers.md").read_text("utf-8")
TRAPS = re.findall(r"\| `(test_\w+\.py)::(test_\w+)` \|", PAGE)


@pytest.mark.parametrize(("file", "name"), TRAPS)
def test_the_test_of_a_trap_exists(file, name):
    assert f"\ndef {name}(" in (TESTS / file).read_text("utf-8")


def test_there_are_traps():
    assert len(TRAPS) > 25


def test_every_source_that_import_names_is_on_the_page():
    sources = [name for name in load_area("exports") if name.startswith("source_")]
    words = {
        "chatgpt": "ChatGPT",
        "json": "JSON",
        "swarmui_stars": "Starred",
        "midjourney_discord": "Discord",
    }
    for source in sources:
        name = source.removeprefix("source_")
        assert words.get(name, name.split("_")[0]).lower() in PAGE.lower()
