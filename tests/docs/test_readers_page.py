"""The page on generator records names every tool, every check and tests that exist."""

import re
from pathlib import Path

from makingof.metadata import c2pa, editors
from makingof.metadata.contradictions import _GENERATORS
from makingof.metadata.registry import READERS

HERE = Path(__file__).parents[1]
PAGE = (HERE.parent / "docs" / "reference" / "readers.md").read_text(encoding="utf-8")


def test_every_test_the_page_names_is_there():
    there = set(
        re.findall(
            r"^def (test_\w+)",
            "\n".join(path.read_text(encoding="utf-8") for path in HERE.glob("test_*.py")),
            re.MULTILINE,
        )
    )
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert named
    assert named - there == set()


def test_every_tool_has_its_line():
    vendors = {tool for _, tool in c2pa._VENDORS} | {"c2pa", "photoshop"}
    lines = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    named = set(re.findall(r"`([a-z0-9.-]+)`", " ".join(lines)))
    assert (_GENERATORS | vendors) - named == set()
    assert editors.read in {reader.read for reader in READERS}


def test_every_check_a_reader_makes_is_explained():
    source = "\n".join(
        path.read_text(encoding="utf-8") for path in (HERE.parent / "src/makingof/metadata").glob("*.py")
    )
    made = set(re.findall(r'Check\(\s*"(\w+)"', source)) | {
        "novelai_signature",
        "c2pa_signature",
        "c2pa_bytes",
        "c2pa_trust",
    }
    assert {name for name in made if f"`{name}`" not in PAGE and not name.startswith("aigc_")} == set()
