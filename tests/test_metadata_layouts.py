"""Layouts that versions, forks and extensions of the tools write: six facts of each right, or not said.

Prompts and numbers are our own; the layouts are those of the writers' sources.
"""

import json

import pytest
from tests.records import comfyui_png, node, png, text_to_image

from makingof.metadata.registry import read_records
from makingof.reading import Reading

BASE = text_to_image("POS", "NEG", seed=42, steps=20, model="m")
FIRST = "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x512"
NAMES = ("prompt", "negative", "seed", "steps", "model")


def main(data: bytes, name: str = "ComfyUI_00001_.png") -> Reading:
    (found,) = [reading for reading in read_records(data, name) if reading.main]
    return found


def said(reading: Reading) -> tuple[str | None, ...]:
    """What a field says; its state where it says nothing, and None where the record has no such field."""
    fields = [reading.fields.get(name) for name in NAMES]
    return tuple(None if field is None else field.value or f"({field.state})" for field in fields)


def infotext(settings: str, prompt: str = "a cat", negative: str | None = "dog") -> bytes:
    label = "" if negative is None else f"Negative prompt: {negative}\n"
    return png({"parameters": f"{prompt}\n{label}{settings}"})


@pytest.mark.parametrize(
    ("tool", "data", "facts"),
    [
        ("a1111", infotext(FIRST, negative=None), ("a cat", None, "1", "20", None)),
        ("a1111", infotext(f"{FIRST}, Model hash: 7460a6fa"), ("a cat", "dog", "1", "20", None)),
        ("a1111", infotext(f"{FIRST}, Model: m", "a sign: Negative prompt: none"),
         ("a sign: Negative prompt: none", "dog", "1", "20", "m")),
        ("a1111", infotext(f"{FIRST}, Model: m", "a cat\nSteps: 5, Sampler: none, Seed: 99"),
         ("a cat\nSteps: 5, Sampler: none, Seed: 99", "dog", "1", "20", "m")),
        ("a1111", infotext(
            f"{FIRST}, Model hash: 0a1b2c3d4e, Model: m, VAE: v.pt, Hires upscale: 2, Hires steps: 10, "
            'Lora hashes: "x: abc, y: def", TI hashes: "easy: 123", Version: v1.6.0', "a cat <lora:x:0.8>"),
         ("a cat <lora:x:0.8>", "dog", "1", "20", "m")),
        ("forge", infotext(
            f'{FIRST}, Model: m, ADetailer model: face.pt, ADetailer prompt: "a face, of", '
            "ADetailer version: 25.3.0, ADetailer prompt 2nd: hand, Module 1: ae, "
            "Version: f2.0.1v1.10.1-previous-659-gc055f2d4"),
         ("a cat", "dog", "1", "20", "m")),
        ("forge", infotext(f"{FIRST}, Shift: 3, Model: m, Module 1: ae, Version: neo"),
         ("a cat", "dog", "1", "20", "m")),
        ("a1111", infotext(
            f'{FIRST}, Model: m, ControlNet 0: "Module: canny, Model: other [d14c016b], Weight: 1"'),
         ("a cat", "dog", "1", "20", "m")),
        ("a1111", infotext(
            f'{FIRST}, Model: m, RP Active: True, RP Ratios: "1,1", RP Use Base: False, Version: v1.6.0',
            "a cat BREAK a dog ADDCOMM x"),
         ("a cat BREAK a dog ADDCOMM x", "dog", "1", "20", "m")),
        ("a1111", infotext(f'{FIRST}, Model: m, Wildcard prompt: "__a__, x", Version: v1.9.4'),
         ("a cat", "dog", "1", "20", "m")),
        ("sdnext", infotext(
            "Steps: 20, Seed: 1, Sampler: Euler a, CFG scale: 6, Size: 512x512, Parser: Full parser, "
            "Model: m, Backend: Diffusers, Version: 5142c25, Operations: txt2img"),
         ("a cat", "dog", "1", "20", "m")),
        ("civitai", infotext(
            f"{FIRST}, Civitai resources: "
            '[{"type":"checkpoint","modelVersionId":1,"modelName":"Dream, big"},'
            '{"type":"lora","weight":0.8,"modelName":"More"}], Civitai metadata: {"remixOfId":1}'),
         ("a cat", "dog", "1", "20", "Dream, big")),
        ("civitai", infotext(
            f'{FIRST}, Civitai resources: [{{"type":"checkpoint","modelName":"A"}},'
            '{"type":"checkpoint","modelName":"B"}]'),
         ("a cat", "dog", "1", "20", None)),
        ("civitai", infotext(f'{FIRST}, Civitai resources: [{{"type":"checkpoint","modelVersionId":1}}]'),
         ("a cat", "dog", "1", "20", None)),
        ("comfyui", infotext(f'{FIRST}, Model: m, Hashes: {{"model":"aa","lora:x":"bb"}}, Version: ComfyUI'),
         ("a cat", "dog", "1", "20", "m")),
    ],
)  # fmt: skip
def test_settings_in_a1111_s_form(tool, data, facts):
    reading = main(data, "00001-1.png")
    assert (reading.tool, said(reading)) == (tool, facts)


def test_a_commit_as_version_alone_names_no_program():
    assert main(infotext(f"{FIRST}, Version: 5142c25"), "a.png").tool == "a1111"


def as_json(**value):
    return png({"parameters": json.dumps(value)})


@pytest.mark.parametrize("model", [{"Model": "m", "Model hash": "aa"}, "m"])
def test_spaces_name_the_model_plainly_or_once_more_inside(model):
    reading = main(
        as_json(
            prompt="POS",
            negative_prompt="NEG",
            resolution="8 x 8",
            num_inference_steps=20,
            seed=1,
            Model=model,
        )
    )
    assert (reading.tool, said(reading)) == ("huggingface-space", ("POS", "NEG", "1", "20", "m"))


def fed(**more):
    """The default sampler, some of its links led elsewhere."""
    return {"3": BASE["3"] | {"inputs": BASE["3"]["inputs"] | more}}


PIPE = {"seed": 42, "steps": 20, "cfg": 7, "sampler_name": "euler", "scheduler": "normal", "denoise": 1}
LOADER = {"ckpt_name": "m", "vae_name": "Baked VAE", "clip_skip": -1, "lora_name": "None"}
FACTS = ("POS", "NEG", "42", "20", "m")

GRAPHS = {
    "efficiency": {
        "1": node("Efficient Loader", positive="POS", negative="NEG", **LOADER),
        "2": node("KSampler (Efficient)", model=["1", 0], positive=["1", 1], negative=["1", 2], **PIPE),
        "3": node("SaveImage", filename_prefix="ComfyUI", images=["2", 5]),
    },
    "easy use": {
        "1": node("easy fullLoader", positive="POS", negative="NEG", **LOADER),
        "3": node("easy preSampling", pipe=["1", 0], **PIPE),
        "2": node("easy kSampler", pipe=["3", 0], save_prefix="ComfyUI", image_output="Save", **PIPE),
    },
    "ttN": {
        "1": node("ttN pipeLoader_v2", ckpt_name="m", positive="POS", negative="NEG", seed=1),
        "2": node("ttN pipeKSampler_v2", pipe=["1", 0], image_output="Save", **PIPE),
    },
    "inspire": BASE | {"3": BASE["3"] | {"class_type": "KSampler //Inspire"}},
    "power lora and seed of rgthree": BASE
    | fed(seed=["31", 0], model=["30", 0])
    | {
        "30": node(
            "Power Lora Loader (rgthree)",
            lora_1={"on": True, "lora": "a", "strength": 0.8},
            lora_2={"on": False, "lora": "b", "strength": 1},
            model=["4", 0],
        ),
        "31": node("Seed (rgthree)", seed=42),
    },
    "gguf": BASE
    | fed(model=["95", 0])
    | {
        "95": node("LoraLoaderModelOnly", lora_name="l", strength_model=0.7, model=["96", 0]),
        "96": node("UnetLoaderGGUF", unet_name="m"),
        "4": node("CheckpointLoaderSimple", ckpt_name="only its clip"),
    },
    "control net": BASE
    | fed(positive=["90", 0], negative=["90", 1])
    | {"90": node("ControlNetApplyAdvanced", positive=["6", 0], negative=["7", 0], image=["92", 0])},
    "inpainting": BASE
    | fed(positive=["90", 0], negative=["90", 1], latent_image=["90", 2])
    | {"90": node("InpaintModelConditioning", positive=["6", 0], negative=["7", 0], pixels=["92", 0])},
    "words behind string nodes": BASE
    | {
        "6": node("CLIPTextEncode", text=["70", 0], clip=["4", 1]),
        "7": node("CLIPTextEncode", text=["71", 0], clip=["4", 1]),
        "70": node("Text Multiline", text="POS"),
        "71": node("String Literal", string="NEG"),
    },
    "qwen": BASE
    | {
        "6": node("TextEncodeQwenImageEditPlus", prompt="POS", clip=["4", 1], image1=["10", 0]),
        "7": node("TextEncodeQwenImageEditPlus", prompt="NEG", clip=["4", 1]),
    },
    "titles that lie": BASE
    | {
        "6": BASE["7"] | {"_meta": {"title": "Positive"}},
        "7": BASE["6"] | {"_meta": {"title": "Negative"}},
    }
    | fed(positive=["7", 0], negative=["6", 0]),
    "numbers behind primitives": BASE
    | fed(seed=["99", 0], steps=["98", 0])
    | {"99": node("PrimitiveInt", value=42), "98": node("INTConstant", value=20)},
    "literals wrapped by the server": BASE | fed(seed=42, sigmas_of={"__value__": [1, 2]}),
    "wan": {
        "1": node("WanVideoModelLoader", model="m"),
        "2": node("WanVideoTextEncode", positive_prompt="POS", negative_prompt="NEG", t5=["5", 0]),
        "3": node("WanVideoSampler", steps=20, cfg=6, seed=42, model=["1", 0], text_embeds=["2", 0]),
        "7": node("WanVideoDecode", samples=["3", 0]),
        "9": node("SaveAnimatedWEBP", filename_prefix="ComfyUI", fps=16, images=["7", 0]),
    },
    "images of an input that grows": BASE
    | {
        "20": node("ImageStitchN", **{"images.image0": ["8", 0], "images.image1": ["8", 0]}),
        "9": node("SaveImage", filename_prefix="ComfyUI", images=["20", 0]),
    },
}  # fmt: skip


@pytest.mark.parametrize("name", GRAPHS)
def test_graphs_of_custom_nodes(name):
    reading = main(comfyui_png(GRAPHS[name], with_workflow=False))
    assert (reading.tool, said(reading)) == ("comfyui", FACTS)


def test_a_node_that_makes_both_sides_made_the_negative_one_too():
    styler = node("SDXLPromptStyler", text_positive="POS", text_negative="NEG", style="base")
    graph = BASE | {
        "6": node("CLIPTextEncode", text=["40", 0], clip=["4", 1]),
        "7": node("CLIPTextEncode", text=["40", 1], clip=["4", 1]),
        "40": styler,
    }
    assert said(main(comfyui_png(graph)))[:2] == ("(computed)", "(computed)")


@pytest.mark.parametrize(
    ("kind", "more", "seed", "steps"),
    [
        ("UltimateSDUpscale", {"upscale_by": 2, "upscale_model": ["61", 0]}, "77", "12"),
        ("FaceDetailer", {"guide_size": 512, "bbox_detector": ["61", 0]}, "77", "12"),
    ],
)
def test_what_worked_the_picture_over_speaks_last_and_the_first_sampler_is_kept(kind, more, seed, steps):
    graph = BASE | {
        "60": node(kind, seed=77, steps=12, cfg=6, sampler_name="euler", scheduler="normal", denoise=0.2,
                   image=["8", 0], model=["4", 0], positive=["6", 0], negative=["7", 0], **more),
        "9": node("SaveImage", filename_prefix="ComfyUI", images=["60", 0]),
    }  # fmt: skip
    readings = [
        reading for reading in read_records(comfyui_png(graph), "ComfyUI_00001_.png") if reading.fields
    ]
    assert [said(reading) for reading in readings] == [FACTS, ("POS", "NEG", seed, steps, "m")]
    assert [reading.main for reading in readings] == [False, True]
