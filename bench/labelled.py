"""The labelled set: files made by the generators' own rules, and what a reader should say of each.

None means that the file does not state it: a reader that says something there is wrong.
"""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

from bench.measuring import ROOT
from tests import records, records_elsewhere
from tests.records import a1111_png, comfyui_png, node, png, text_to_image

FACTS = ("prompt", "negative", "seed", "steps")
SAMPLES = ROOT.parent / "shared" / "samples"

_CAT = "studio photo of a jade pendant shaped as a cat, dark silk"
_BAD = "blurry, watermark"
_CHINESE = "翡翠猫咪吊坠，丝绸背景，柔和的侧光"


def write_labelled(folder: Path) -> dict[str, dict]:
    """Write the set into `folder`; return path → what should be said of it."""
    folder.mkdir(parents=True, exist_ok=True)
    expected = {}
    for name, data, facts in (*_a1111(), *_comfyui(), *_others()):
        path = folder / name
        path.write_bytes(data)
        expected[str(path)] = dict(zip(FACTS, facts, strict=True))
    return expected


def samples() -> dict[str, dict]:
    """Return the real files beside the repository, where they are there, with what each should say."""
    if not SAMPLES.is_dir():
        return {}
    table = tomllib.loads((ROOT / "tests" / "samples.toml").read_text(encoding="utf-8"))["file"]
    pictures = [row for row in table if row["path"].endswith((".png", ".jpg", ".webp"))]
    return {str(SAMPLES / row["path"]): {fact: row.get(fact) for fact in FACTS} for row in pictures}


def _a1111() -> Iterator[tuple]:
    yield "a1111-plain.png", a1111_png(_CAT, _BAD, Seed=7), (_CAT, _BAD, "7", "20")
    yield "a1111-chinese.png", a1111_png(_CHINESE, "模糊", Seed=8), (_CHINESE, "模糊", "8", "20")
    yield "a1111-no-negative.png", a1111_png(_CAT, Seed=9), (_CAT, None, "9", "20")
    lines = "a harbour at dusk\nboats, long reflections"
    yield "a1111-lines.png", a1111_png(lines, _BAD, Seed=10), (lines, _BAD, "10", "20")
    weighted = "(jade:1.3), [silk::0.4], <lora:cats:0.8>"
    yield "a1111-weights.png", a1111_png(weighted, _BAD, Seed=11), (weighted, _BAD, "11", "20")
    steps = "three stone steps, Steps: many, Seed: of an apple"
    yield "a1111-words-like-settings.png", a1111_png(steps, _BAD, Seed=12), (steps, _BAD, "12", "20")
    quoted = a1111_png(_CAT, _BAD, Seed=13, Lora_hashes='cats: "0a1b", dogs: "2c3d"')
    yield "a1111-quoted-values.png", quoted, (_CAT, _BAD, "13", "20")
    comment = records.infotext(_CAT, _BAD, Seed=14)
    block = records_elsewhere.exif({0x9286: records_elsewhere.comment_utf16(comment)})
    jpeg = records_elsewhere.jpeg(records_elsewhere.exif_segment(block))
    yield "a1111-utf16.jpg", jpeg, (_CAT, _BAD, "14", "20")


def _comfyui() -> Iterator[tuple]:
    base = text_to_image(_CAT, _BAD, seed=21)
    plain = (_CAT, _BAD, "21", "20")
    yield "comfyui-default.png", comfyui_png(base), plain
    yield "comfyui-without-workflow.png", comfyui_png(base, with_workflow=False), plain
    bulky = records.workflow_of(base) | {"extra": {"notes": "a note on the canvas " * 4_000}}
    yield "comfyui-large-workflow.png", comfyui_png(base, workflow=bulky), plain
    chinese = text_to_image(_CHINESE, "模糊", seed=22)
    yield "comfyui-chinese.png", comfyui_png(chinese), (_CHINESE, "模糊", "22", "20")
    large = text_to_image(_CAT, _BAD, seed=2**64 - 1)
    yield "comfyui-64-bit-seed.png", comfyui_png(large), (_CAT, _BAD, str(2**64 - 1), "20")
    turned = dict(reversed(base.items()))
    yield "comfyui-nodes-in-other-order.png", comfyui_png(turned), plain
    swapped = base | {"6": base["7"], "7": base["6"]}
    crossed = {**base["3"]["inputs"], "positive": ["7", 0], "negative": ["6", 0]}
    swapped |= {"3": node("KSampler", **crossed)}
    yield "comfyui-negative-node-first.png", comfyui_png(swapped), plain
    told = base | {"6": node("CLIPTextEncode", text=["40", 0], clip=["4", 1])}
    told |= {"40": node("PrimitiveStringMultiline", value=_CAT)}
    yield "comfyui-text-through-a-node.png", comfyui_png(told), plain
    made = base | {"6": node("CLIPTextEncode", text=["40", 0], clip=["4", 1])}
    made |= {"40": node("OllamaGenerate", prompt="write a prompt", model="llama")}
    yield "comfyui-text-made-at-run-time.png", comfyui_png(made), (None, _BAD, "21", "20")
    zero = base | {"7": node("ConditioningZeroOut", conditioning=["6", 0])}
    yield "comfyui-negative-zeroed.png", comfyui_png(zero), (_CAT, None, "21", "20")
    yield "comfyui-guider.png", comfyui_png(_guided()), (_CAT, _BAD, "23", "8")
    basic = _guided() | {"22": node("BasicGuider", model=["4", 0], conditioning=["6", 0])}
    yield "comfyui-basic-guider.png", comfyui_png(basic), (_CAT, None, "23", "8")
    bare = json.dumps(base).replace('"cfg": 7.0', '"cfg": NaN')
    yield "comfyui-nan.png", png({"prompt": bare}), plain


def _guided() -> dict:
    """A graph of the newer kind: noise, guider, sampler and sigmas are nodes of their own."""
    kept = {key: item for key, item in text_to_image(_CAT, _BAD).items() if key != "3"}
    fed = {"noise": ["25", 0], "guider": ["22", 0], "sampler": ["16", 0], "sigmas": ["17", 0]}
    return kept | {
        "13": node("SamplerCustomAdvanced", **fed, latent_image=["5", 0]),
        "16": node("KSamplerSelect", sampler_name="dpmpp_2m"),
        "17": node("BasicScheduler", scheduler="karras", steps=8, denoise=1.0, model=["4", 0]),
        "22": node("CFGGuider", cfg=6.5, model=["4", 0], positive=["6", 0], negative=["7", 0]),
        "25": node("RandomNoise", noise_seed=23),
        "8": node("VAEDecode", samples=["13", 0], vae=["4", 2]),
    }


def _others() -> Iterator[tuple]:
    swarm = records_elsewhere.swarm_parameters(_CAT, _BAD)
    yield "swarmui.png", png({"parameters": swarm}), (_CAT, _BAD, "7", "20")
    comment = records_elsewhere.novelai_comment(_CAT, _BAD, seed=32, steps=28)
    texts = {"Title": "AI generated image", "Software": "NovelAI", "Source": "NovelAI Diffusion V4"}
    texts |= {"Description": _CAT, "Comment": json.dumps(comment)}
    yield "novelai.png", png(texts), (_CAT, _BAD, "32", "28")
    yield "no-record.png", png(), (None, None, None, None)
    yield "a-title-only.png", png({"Title": "holiday"}), (None, None, None, None)
