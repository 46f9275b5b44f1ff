"""The pages about judging say what the program judges with; what each probe and pack is has its heading."""

import re
from pathlib import Path

from docs import make_judging
from makingof.assess.pack import Pack, check_pack
from makingof.assess.registry import built_in_probes
from makingof.assess.shipped import shipped_packs

HOWTO = Path(make_judging.DOCS / "howto" / "write-a-pack.md")


def test_the_pages_are_what_the_program_says():
    assert make_judging.PACKS.read_text("utf-8") == make_judging.packs_page(), "run docs/make_judging.py"
    assert make_judging.PROBES.read_text("utf-8") == make_judging.probes_page(), "run docs/make_judging.py"


def test_every_probe_and_pack_has_its_heading():
    headings = set(re.findall(r"^## (.*)$", make_judging.PROBES.read_text("utf-8"), re.MULTILINE))
    assert headings == set(built_in_probes())
    headings = set(re.findall(r"^## (.*)$", make_judging.PACKS.read_text("utf-8"), re.MULTILINE))
    assert headings == {pack.id for pack in shipped_packs()}


def test_the_pack_of_the_how_to_page_is_whole():
    (block,) = re.findall(r"```toml\n(.*?)```", HOWTO.read_text("utf-8"), re.DOTALL)
    assert check_pack(block.encode(), frozenset(built_in_probes())) == []
    assert Pack.parse(block.encode()).find("choice") is not None
