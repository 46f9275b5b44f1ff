"""What the pages of tools say becomes of a file, on files made as those tools make them."""

import json
from pathlib import Path

import pytest
from tests import c2pa_files, records, test_metadata_novelai, test_metadata_tools
from tests import records_elsewhere as elsewhere
from tests.documents.clipstudio import write_clip
from tests.documents.gimp import write_xcf
from tests.documents.krita import write_kra, write_kra_with_ai
from tests.documents.procreate import write_procreate
from tests.documents.psd import write_psd
from tests.hooks import events
from tests.test_metadata_midjourney import TEXTS

from makingof.archive.watching import Watch
from makingof.capture.watching import Change, What
from makingof.event import Event, Kind

HOWTO = Path(__file__).parents[2] / "docs" / "howto"
RECORD = {"c": "a ring", "uc": "text", "seed": 42, "steps": 8, "sampler": "UniPC", "model": "m.ckpt"}
DRAW_THINGS = elsewhere.xmp(
    {"xmp:CreatorTool": "Draw Things"},
    elements=[elsewhere.alternative("exif:UserComment", json.dumps(RECORD))],
)
PACKET = records.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + DRAW_THINGS)
PHOTOSHOP = elsewhere.xmp({"xmp:CreatorTool": "Adobe Photoshop 26.0", "xmpMM:DocumentID": "xmp.did:9"})
SWARM = elsewhere.swarm_parameters("a cat", original_prompt="a <random:red,blue> cat")

EDITED, GENERATED = [("edited", "watched")], [("generated", "watched")]
KEPT_PROMPT = [("prompted", "recovered"), ("edited", "watched")]
JOBS = [("generated", "recovered"), ("selected", "recovered"), *[("generated", "recovered")] * 2, *EDITED]
ARRIVALS = [
    ("photoshop.md", "a.psd", write_psd(), EDITED, "photoshop"),
    ("photoshop.md", "a.jpg", elsewhere.jpeg(elsewhere.xmp_segment(PHOTOSHOP)), EDITED, "photoshop"),
    ("krita.md", "a.kra", write_kra(), EDITED, "krita"),
    ("krita.md", "b.kra", write_kra_with_ai(), JOBS, "krita"),
    ("gimp.md", "a.xcf", write_xcf(), KEPT_PROMPT, "gimp"),
    ("procreate.md", "a.procreate", write_procreate(), EDITED, "procreate"),
    ("clip-studio.md", "a.clip", write_clip(), EDITED, "clip-studio"),
    ("midjourney.md", "a.png", records.png(dict(TEXTS)), GENERATED, "midjourney"),
    (
        "novelai.md",
        "a.png",
        records.png(test_metadata_novelai.novelai_texts(test_metadata_novelai.COMMENT)),
        GENERATED,
        "novelai",
    ),
    (
        "fooocus.md",
        "a.png",
        records.png({"parameters": json.dumps(test_metadata_tools.FOOOCUS), "fooocus_scheme": "fooocus"}),
        GENERATED,
        "fooocus",
    ),
    ("swarmui.md", "a.png", records.png({"parameters": SWARM}), GENERATED, "swarmui"),
    ("draw-things.md", "a.png", records.png(before=[PACKET]), GENERATED, "drawthings"),
    ("chatgpt.md", "a.png", c2pa_files.signed_png(), GENERATED, "openai"),
]


@pytest.mark.parametrize(
    ("page", "name", "data", "told", "tool"),
    ARRIVALS,
    ids=[f"{page}-{name}" for page, name, *_ in ARRIVALS],
)
def test_a_file_of_the_tool_becomes_what_its_page_says(archive, tmp_path, page, name, data, told, tool):
    folder = tmp_path / "out"
    folder.mkdir()
    watch = Watch(archive, (folder,))
    watch.open(0)
    (folder / name).write_bytes(data)
    watch.record([Change(What.APPEARED, folder / name)])
    assert events(archive)[1:] == told
    kind = Kind(told[-1][0])
    header = Event.parse(archive.log.entry(archive.index.positions_of_kind(kind)[-1])).header
    assert header.source.tool == tool
    text = (HOWTO / page).read_text("utf-8")
    assert f"`{kind}`" in text
    assert all(f"`{means}`" in text for _, means in told)


def test_every_tool_of_the_index_has_its_page():
    index = (HOWTO / "tools.md").read_text("utf-8")
    pages = {page for page, *_ in ARRIVALS} | {"comfyui.md"}
    assert [page for page in sorted(pages) if f"({page})" not in index] == []
    chinese = (HOWTO.parent / "zh" / "tools.md").read_text("utf-8")
    assert [page for page in sorted(pages) if f"(../howto/{page})" not in chinese] == []
