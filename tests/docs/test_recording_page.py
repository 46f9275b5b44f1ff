"""`docs/reference/recording.md` names a test for what it promises, and each of them is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "recording.md").read_text("utf-8")


def test_every_test_named_is_there():
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", PAGE)
    missing = [
        name
        for file, name in named
        if not re.search(rf"^def {name}\(", (ROOT / "tests" / file).read_text("utf-8"), re.MULTILINE)
    ]
    assert len(named) > 20
    assert missing == []
