import copy
import json

import pytest
from tests import records
from tests import records_elsewhere as elsewhere
from tests.records import node

from makingof.metadata.facts import facts_of
from makingof.metadata.registry import main_reading, read_records
from makingof.reading import State


def readings_of(graph, name=None, **size):
    return read_records(records.comfyui_png(graph, with_workflow=False, **size), name)


def main_of(graph, name=None, **size):
    return main_reading(readings_of(graph, name, **size))


def changed(graph, **nodes):
    """The graph with nodes put in; `n12` is node 12."""
    return copy.deepcopy({**graph, **{key.removeprefix("n"): value for key, value in nodes.items()}})


BASE = records.text_to_image("a jade pendant", "watermark")


def test_the_default_graph():
    reading = main_of(BASE)
    said = {name: field.value for name, field in reading.fields.items() if not name.startswith("tool:")}
    assert said == {
        "prompt": "a jade pendant",
        "negative": "watermark",
        "seed": "42",
        "steps": "20",
        "sampler": "euler",
        "scheduler": "normal",
        "guidance": "7.0",
        "denoise": "1.0",
        "model": "pendant_v2.safetensors",
        "width": "512",
        "height": "512",
    }
    assert reading.fields["prompt"].source == "6.text"


def test_negative_words_never_come_from_the_positive_side_and_the_other_way_round():
    swapped = changed(BASE)
    swapped["3"]["inputs"] |= {"positive": ["7", 0], "negative": ["6", 0]}
    reading = main_of(swapped)
    assert (reading.value("prompt"), reading.value("negative")) == ("watermark", "a jade pendant")


def test_both_sides_through_one_node_stay_apart():
    graph = changed(
        BASE,
        n20=node(
            "ControlNetApplyAdvanced",
            positive=["6", 0],
            negative=["7", 0],
            control_net=["21", 0],
            image=["22", 0],
            strength=1.0,
        ),
        n21=node("ControlNetLoader", control_net_name="canny.safetensors"),
        n22=node("LoadImage", image="a.png"),
    )
    graph["3"] = node("KSampler", **BASE["3"]["inputs"] | {"positive": ["20", 0], "negative": ["20", 1]})
    assert (main_of(graph).value("prompt"), main_of(graph).value("negative")) == (
        "a jade pendant",
        "watermark",
    )


def test_conditioning_that_was_zeroed_is_no_negative_prompt():
    graph = changed(BASE, n7=node("ConditioningZeroOut", conditioning=["6", 0]))
    reading = main_of(graph)
    assert reading.value("prompt") == "a jade pendant"
    assert reading.state_of("negative") is State.ABSENT


def test_one_text_on_both_sides_is_no_negative_prompt():
    graph = changed(BASE)
    graph["3"] = node("KSampler", **BASE["3"]["inputs"] | {"negative": ["6", 0]})
    assert main_of(graph).state_of("negative") is State.ABSENT


def test_guiders_noise_and_sigmas_are_followed_by_name():
    graph = {
        "4": BASE["4"],
        "5": BASE["5"],
        "6": BASE["6"],
        "7": BASE["7"],
        "13": node(
            "SamplerCustomAdvanced",
            noise=["25", 0],
            guider=["22", 0],
            sampler=["16", 0],
            sigmas=["18", 0],
            latent_image=["5", 0],
        ),
        "16": node("KSamplerSelect", sampler_name="dpmpp_2m"),
        "17": node("BasicScheduler", scheduler="karras", steps=8, denoise=0.9, model=["4", 0]),
        "18": node("SplitSigmas", sigmas=["17", 0], step=3),
        "22": node("CFGGuider", cfg=6.5, model=["4", 0], positive=["6", 0], negative=["7", 0]),
        "25": node("RandomNoise", noise_seed=161616),
        "8": node("VAEDecode", samples=["13", 1], vae=["4", 2]),
        "9": BASE["9"],
    }
    reading = main_of(graph)
    found = [
        reading.value(name)
        for name in ("prompt", "negative", "seed", "steps", "sampler", "scheduler", "guidance", "denoise")
    ]
    assert found == ["a jade pendant", "watermark", "161616", "8", "dpmpp_2m", "karras", "6.5", "0.9"]
    basic = changed(graph, n22=node("BasicGuider", model=["4", 0], conditioning=["6", 0]))
    assert main_of(basic).value("prompt") == "a jade pendant"
    assert main_of(basic).state_of("negative") is State.ABSENT
    dual = node(
        "DualCFGGuider",
        model=["4", 0],
        cond1=["6", 0],
        cond2=["7", 0],
        negative=["7", 0],
        cfg_conds=5.0,
        cfg_cond2_negative=1.0,
    )
    assert (
        main_of(changed(graph, n22=dual)).value("prompt"),
        main_of(changed(graph, n22=dual)).value("negative"),
    ) == (
        "a jade pendant",
        "watermark",
    )


def hires(**second):
    graph = changed(
        BASE,
        n12=node(
            "LatentUpscale",
            upscale_method="nearest-exact",
            width=768,
            height=768,
            crop="disabled",
            samples=["3", 0],
        ),
        n13=node(
            "KSampler",
            **BASE["3"]["inputs"]
            | {"seed": 889, "steps": 6, "denoise": 0.5, "latent_image": ["12", 0]}
            | second,
        ),
        n14=node("VAEDecode", samples=["13", 0], vae=["4", 2]),
        n15=node("SaveImage", filename_prefix="second", images=["14", 0]),
    )
    graph["9"] = node("SaveImage", filename_prefix="first", images=["8", 0])
    return graph


def test_several_samplers_are_several_readings_in_dataflow_order():
    shuffled = dict(reversed(hires().items()))
    readings = [reading for reading in readings_of(shuffled) if reading.tool == "comfyui"]
    assert [(reading.ordinal, reading.value("seed")) for reading in readings] == [(0, "42"), (1, "889")]
    assert len({reading.raw for reading in readings}) == 1


@pytest.mark.parametrize(
    ("name", "size", "seed"),
    [
        ("first_00001_.png", 8, "42"),
        ("second_00012_.png", 8, "889"),
        ("/pictures/of today/first_00001_.png", 8, "42"),
        (r"C:\pictures\first_00001_.png", 8, "42"),
        (None, 512, "42"),
        (None, 768, "889"),
        ("renamed.png", 8, "889"),
    ],
)
def test_the_main_sampler_is_the_last_one_before_the_picture_in_this_file(name, size, seed):
    reading = main_of(hires(), name, width=size, height=size)
    assert reading.value("seed") == seed


def test_prefixes_with_folders_and_tokens_are_recognised():
    graph = hires()
    graph["9"]["inputs"]["filename_prefix"] = "吊坠/%date%_crane_%width%"
    assert main_of(graph, "2026_crane_64_00001_.png").value("seed") == "42"


@pytest.mark.parametrize("graph", [BASE, hires()], ids=["one sampler", "two"])
def test_a_picture_no_sampler_made_is_not_given_one(graph):
    graph = changed(graph)
    graph["20"] = node("LoadImage", image="a.png")
    graph["21"] = node("SaveImage", filename_prefix="depth", images=["20", 0])
    reading = main_of(graph, "depth_00001_.png")
    assert (reading.tool, reading.value("seed"), reading.value("prompt")) == ("comfyui", None, None)


def parallel():
    graph = changed(
        BASE,
        n30=node("KSampler", **BASE["3"]["inputs"] | {"seed": 7, "positive": ["31", 0]}),
        n31=node("CLIPTextEncode", text="a silver ring", clip=["4", 1]),
        n32=node("VAEDecode", samples=["30", 0], vae=["4", 2]),
        n33=node("ImageStitch", image1=["8", 0], image2=["32", 0], direction="right"),
    )
    graph["9"] = node("SaveImage", filename_prefix="page", images=["33", 0])
    return graph


def test_samplers_side_by_side_speak_only_for_what_they_agree_on():
    facts = facts_of(records.comfyui_png(parallel()), "page_00001_.png")
    assert (facts["tool"], facts["prompt"], facts["seed"]) == ("comfyui", None, None)
    assert (facts["negative"], facts["steps"], facts["model"]) == (
        "watermark",
        "20",
        "pendant_v2.safetensors",
    )
    main = main_of(parallel())
    assert main.state_of("prompt") is State.SEVERAL
    assert [r.value("prompt") for r in readings_of(parallel())] == ["a jade pendant", "a silver ring", None]


def test_text_through_string_nodes_is_followed():
    graph = changed(
        BASE,
        n6=node("CLIPTextEncode", text=["40", 0], clip=["4", 1]),
        n40=node("PrimitiveStringMultiline", value="typed"),
    )
    reading = main_of(graph)
    assert (reading.value("prompt"), reading.fields["prompt"].source) == ("typed", "40.value")
    through = changed(
        graph, n40=node("Reroute", value=["41", 0]), n41=node("String Literal", string="far away")
    )
    assert main_of(through).value("prompt") == "far away"


@pytest.mark.parametrize(
    "maker",
    [
        node("StringConcatenate", string_a=["41", 0], string_b="b", delimiter=", "),
        node("TextGenerate", clip=["4", 1], prompt="an order to a language model", max_length=100),
        node("DPRandomGenerator", text="{a|b}", seed=3),
        node("ShowText|pysssss", text=["42", 0], text_0="what an earlier run showed"),
        node("SomethingUnknown", image=["8", 0]),
    ],
)
def test_text_made_at_run_time_is_computed_and_names_its_node(maker):
    graph = changed(
        BASE,
        n6=node("CLIPTextEncode", text=["40", 0], clip=["4", 1]),
        n40=maker,
        n41=node("PrimitiveString", value="a"),
        n42=node("OllamaGenerate", prompt="x", model="y"),
    )
    field = main_of(graph).fields["prompt"]
    assert (field.value, field.state) == (None, State.COMPUTED)
    assert field.source.split()[0] in ("40", "42")
    assert facts_of(records.comfyui_png(graph), "a.png")["prompt"] is None


def test_wildcards_filled_in_are_the_prompt_and_the_rest_was_typed():
    wild = node(
        "ImpactWildcardEncode",
        populated_text="a red ring",
        wildcard_text="a __colour__ ring",
        mode="populate",
        clip=["4", 1],
    )
    reading = main_of(changed(BASE, n6=wild))
    assert (reading.value("prompt"), reading.value("typed_prompt")) == ("a red ring", "a __colour__ ring")


def test_switches_are_followed_where_the_graph_decides():
    graph = changed(
        BASE,
        n6=node("CLIPTextEncode", text=["40", 0], clip=["4", 1]),
        n40=node("ComfySwitchNode", switch=["41", 0], on_true=["42", 0], on_false="typed into the switch"),
        n41=node("PrimitiveBoolean", value=False),
        n42=node("TextGenerate", prompt="x", clip=["4", 1]),
    )
    assert main_of(graph).value("prompt") == "typed into the switch"
    graph["41"]["inputs"]["value"] = True
    assert main_of(graph).state_of("prompt") is State.COMPUTED


def test_several_texts_that_act_together_are_all_said():
    graph = changed(
        BASE,
        n20=node("ConditioningCombine", conditioning_1=["6", 0], conditioning_2=["21", 0]),
        n21=node("ConditioningSetArea", conditioning=["22", 0], x=0, y=0, width=64, height=64, strength=1.0),
        n22=node("CLIPTextEncode", text="the sky above", clip=["4", 1]),
    )
    graph["3"] = node("KSampler", **BASE["3"]["inputs"] | {"positive": ["20", 0]})
    field = main_of(graph).fields["prompt"]
    assert (field.value, field.source) == ("a jade pendant\nthe sky above", "6.text; 22.text")
    twins = changed(
        BASE,
        n6=node("CLIPTextEncodeSDXL", text_g="same", text_l="same", clip=["4", 1], width=1024, height=1024),
    )
    assert main_of(twins).value("prompt") == "same"


def test_seeds_and_numbers_behind_links_are_followed():
    graph = changed(BASE, n33=node("PrimitiveInt", value=1718), n34=node("Seed (rgthree)", seed=99))
    graph["3"] = node("KSampler", **BASE["3"]["inputs"] | {"seed": ["34", 0], "steps": ["33", 0]})
    assert (main_of(graph).value("seed"), main_of(graph).value("steps")) == ("99", "1718")
    computed = changed(graph, n34=node("SimpleMath+", a=["33", 0], b=3, value="a*b"))
    assert main_of(computed).state_of("seed") is State.COMPUTED


def test_models_adapters_and_vae_are_named_by_their_files():
    graph = changed(
        BASE,
        n10=node(
            "LoraLoader",
            lora_name="jade.safetensors",
            strength_model=0.8,
            strength_clip=1.0,
            model=["11", 0],
            clip=["4", 1],
        ),
        n11=node("ModelSamplingDiscrete", sampling="lcm", zsnr=False, model=["4", 0]),
        n15=node("VAELoader", vae_name="ae.safetensors"),
        n8=node("VAEDecode", samples=["3", 0], vae=["15", 0]),
    )
    graph["3"] = node("KSampler", **BASE["3"]["inputs"] | {"model": ["10", 0]})
    reading = main_of(graph)
    assert reading.value("model") == "pendant_v2.safetensors"
    assert reading.value("adapters") == "jade.safetensors:0.8:1.0"
    assert reading.value("vae") == "ae.safetensors"
    merged = changed(
        graph,
        n11=node("ModelMergeSimple", model1=["4", 0], model2=["12", 0], ratio=0.5),
        n12=node("UNETLoader", unet_name="b.gguf"),
    )
    assert main_of(merged).value("model") == "pendant_v2.safetensors\nb.gguf"
    stacked = node(
        "Power Lora Loader (rgthree)",
        model=["4", 0],
        lora_1={"on": True, "lora": "a.sft", "strength": 0.5},
        lora_2={"on": False, "lora": "b.sft"},
    )
    assert main_of(changed(graph, n10=stacked)).value("adapters") == "a.sft:0.5"


def test_loaders_that_hold_both_texts_and_pipes_are_read():
    graph = {
        "1": node(
            "Efficient Loader",
            ckpt_name="x.safetensors",
            positive="words for",
            negative="words against",
            lora_name="None",
        ),
        "3": node(
            "KSampler (Efficient)",
            seed=5,
            steps=9,
            cfg=4.0,
            sampler_name="euler",
            scheduler="normal",
            denoise=1.0,
            model=["1", 0],
            positive=["1", 1],
            negative=["1", 2],
            latent_image=["1", 3],
        ),
        "9": node("SaveImage", filename_prefix="x", images=["3", 5]),
    }
    reading = main_of(graph)
    assert [reading.value(name) for name in ("prompt", "negative", "model", "seed")] == [
        "words for",
        "words against",
        "x.safetensors",
        "5",
    ]
    piped = {
        "1": node(
            "easy fullLoader", ckpt_name="x.safetensors", positive="words for", negative="words against"
        ),
        "2": node(
            "easy preSampling",
            pipe=["1", 0],
            seed=5,
            steps=9,
            cfg=4.0,
            sampler_name="euler",
            scheduler="normal",
            denoise=1.0,
        ),
        "3": node("easy kSampler", pipe=["2", 0]),
        "9": node("SaveImage", filename_prefix="x", images=["3", 1]),
    }
    reading = main_of(piped)
    assert [reading.value(name) for name in ("prompt", "negative", "model", "seed")] == [
        "words for",
        "words against",
        "x.safetensors",
        "5",
    ]


def test_a_remote_service_is_read_without_a_sampler():
    graph = {
        "1": node("GeminiNode", prompt="write me a prompt", model="gemini-text", seed=1),
        "2": node(
            "GeminiImage2Node",
            prompt=["3", 0],
            model="gemini-image",
            seed=42,
            aspect_ratio="16:9",
            images=["1", 0],
        ),
        "3": node("PrimitiveString", value="a jade pendant"),
        "9": node("SaveImage", filename_prefix="x", images=["2", 0]),
    }
    reading = main_of(graph)
    assert [reading.value(name) for name in ("prompt", "model", "seed")] == [
        "a jade pendant",
        "gemini-image",
        "42",
    ]
    assert reading.value("tool:node") == "2 GeminiImage2Node"
    dotted = {
        "2": node("Seedance", **{"model": "2.0", "model.prompt": "a ring", "seed": 3}),
        "9": node("SaveImage", images=["2", 0]),
    }
    assert (main_of(dotted).value("prompt"), main_of(dotted).value("model")) == ("a ring", "2.0")


def test_subgraph_ids_nan_and_trailing_nulls_are_normal():
    graph = {f"57:{key}" if key == "3" else key: value for key, value in json.loads(json.dumps(BASE)).items()}
    graph["8"]["inputs"]["samples"] = ["57:3", 0]
    graph["10"] = node("LoadImage", image="gone.png") | {"is_changed": float("nan")}
    data = records.png({"prompt": json.dumps(graph) + "\0\0"})
    assert main_reading(read_records(data)).value("seed") == "42"


def test_duplicate_keys_are_noted_and_lone_surrogates_spoil_only_their_own_field():
    text = (
        json.dumps(BASE)
        .replace('"watermark"', '"bad \\ud800 half"')
        .replace('"seed": 42', '"seed": 1, "seed": 42')
    )
    reading = main_reading(read_records(records.png({"prompt": text})))
    assert reading.fields["negative"].state is State.UNREADABLE
    assert (reading.value("prompt"), reading.value("seed")) == ("a jade pendant", "42")
    assert [check.held for check in reading.checks if check.name == "keys_unique"] == [False]
    assert b"\\ud800" in reading.raw


def test_values_keep_their_spelling():
    text = (
        json.dumps(BASE)
        .replace("7.0", "7.000")
        .replace('"denoise": 1.0', '"denoise": 1e0')
        .replace("42", "18446744073709551615")
    )
    reading = main_reading(read_records(records.png({"prompt": text})))
    assert [reading.value(name) for name in ("guidance", "denoise", "seed")] == [
        "7.000",
        "1e0",
        "18446744073709551615",
    ]


def test_a_workflow_alone_is_comfyui_and_says_nothing_else():
    data = records.png({"workflow": json.dumps(records.workflow_of(BASE) | {"links": []})})
    facts = facts_of(data, "a.png")
    assert (facts["tool"], facts["prompt"], facts["seed"]) == ("comfyui", None, None)


def test_animated_png_carries_its_graph_behind_the_frames():
    chunks = [
        records.chunk(b"comf", b"prompt\0" + json.dumps(BASE).encode()),
        records.chunk(b"comf", b"workflow\0{}"),
    ]
    reading = main_reading(read_records(records.png(after=chunks)))
    assert (reading.tool, reading.locator.place, reading.value("seed")) == ("comfyui", "comf:prompt", "42")


GRAPH = json.dumps(BASE)
FLOW = json.dumps(records.workflow_of(BASE))
PICTURES = {
    "WebP of SaveAnimatedWEBP": lambda: elsewhere.webp(
        elsewhere.riff_chunk(
            b"EXIF",
            elsewhere.exif({0x0110: f"prompt:{GRAPH}\0".encode(), 0x010F: f"workflow:{FLOW}\0".encode()}),
        )
    ),
    "save-image-extended": lambda: elsewhere.jpeg(
        elsewhere.exif_segment(
            elsewhere.exif({0x010F: f"Prompt: {GRAPH}\0".encode(), 0x010E: f"Workflow: {FLOW}\0".encode()})
        )
    ),
    "saveimage-plus": lambda: elsewhere.jpeg(
        elsewhere.exif_segment(
            elsewhere.exif({elsewhere.USER_COMMENT: f'{{"prompt": {GRAPH}, "workflow": {FLOW}}}'.encode()})
        )
    ),
    "graphs as JSON text": lambda: elsewhere.webp(
        elsewhere.riff_chunk(b"EXIF", elsewhere.comment_exif(json.dumps({"prompt": GRAPH, "workflow": FLOW})))
    ),
}


@pytest.mark.parametrize("how", PICTURES)
def test_every_other_way_to_carry_a_graph(how):
    facts = facts_of(PICTURES[how](), "a.webp")
    assert [facts[name] for name in ("tool", "prompt", "negative", "seed")] == [
        "comfyui",
        "a jade pendant",
        "watermark",
        "42",
    ]


def test_a_saver_s_text_beside_the_graph_is_comfyui_s_and_fills_what_was_computed():
    graph = changed(
        BASE,
        n6=node("CLIPTextEncode", text=["40", 0], clip=["4", 1]),
        n40=node("TextGenerate", prompt="x", clip=["4", 1]),
    )
    text = records.infotext("what the model wrote", "watermark", Seed=42, Version=None)
    data = records.png({"prompt": json.dumps(graph), "parameters": text})
    assert {reading.tool for reading in read_records(data)} == {"comfyui"}
    facts = facts_of(data, "a.png")
    assert (facts["prompt"], facts["seed"]) == ("what the model wrote", "42")


def test_json_that_breaks_off_is_unreadable_and_the_tool_still_named():
    data = records.png({"prompt": json.dumps(BASE)[:-40]})
    reading = main_reading(read_records(data))
    assert (reading.tool, reading.state) == ("comfyui", State.UNREADABLE)
    assert facts_of(data, "a.png")["prompt"] is None


def test_cycles_and_missing_nodes_end():
    graph = changed(
        BASE, n6=node("CLIPTextEncode", text=["6", 0], clip=["4", 1]), n7=node("Reroute", x=["7", 0])
    )
    graph["4"] = node("ModelPatch", model=["4", 0])
    graph["5"] = node("LatentThing", samples=["5", 0])
    reading = main_of(graph)
    assert reading.value("seed") == "42"
    assert reading.value("prompt") is None
    assert reading.state_of("model") is State.ABSENT


def test_thousands_of_samplers_are_read_in_bounded_time():
    graph = {
        str(n): node("KSampler", seed=n, steps=1, positive=[str(n - 1), 0], model=[str(n - 1), 0])
        for n in range(4_000)
    }
    readings = readings_of(graph)
    assert len(readings) == 64
    assert any(check.name == "all_samplers_read" and check.held is False for check in readings[0].checks)
