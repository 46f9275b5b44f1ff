"""Krita documents, and the history of "Krita AI Diffusion" inside them."""

import copy
import json

import pytest
from tests.documents.drawing import DRAWING, Drawn, names
from tests.documents.krita import (
    AI,
    FIRST,
    PNG_RESULT,
    SECOND,
    SLOTS,
    STATE,
    THIRD,
    maindoc,
    uuid,
    write_kra,
    write_kra_with_ai,
)
from tests.documents.zipped import write_zip

from makingof.digest import Digest
from makingof.metadata.documents.document import Claim, LayerKind, PictureRole
from makingof.metadata.documents.read import read_document
from makingof.metadata.documents.stored import stored_digest
from makingof.reading import State

BY_JOB = ("job-a", "job-b", "job-c")


def read_ai(**more):
    return read_document(write_kra_with_ai(**more))


def test_counters_and_dates_are_claims_as_the_file_words_them():
    document = read_document(write_kra())
    assert (document.tool, document.tool_version) == ("krita", "5.1.5")
    assert document.claim("editing_seconds") == "5421"
    assert document.claim("editing_cycles") == "7"
    assert document.claim("modified_at") == "2026-03-01T12:00:00"  # without an offset, and none is added
    assert document.claim("created_at") == "2026-02-27T09:10:11"
    assert document.claim("title") == "猫 cat"
    assert (
        Claim("tool:author/full-name", "painter one", "documentinfo.xml author/full-name") in document.claims
    )


def test_layers_keep_krita_s_own_ids_and_where_their_data_lies():
    data = write_kra()
    by_name = {layer.name: layer for layer in read_document(data).walk()}
    hand = by_name["hand"]
    assert hand.id == uuid(DRAWING[1].children[0])
    assert hand.stored.read(data).startswith(b"VERSION 2\nTILEWIDTH 64\n")
    assert hand.mark.startswith("crc32:")
    assert by_name["修改 retouch"].stored is None


def test_a_mask_is_no_layer_of_its_own():
    document = read_document(write_kra((Drawn("a", mask="遮罩", id=1),)))
    assert [(layer.name, layer.masks) for layer in document.walk()] == [("a", ("遮罩",))]


@pytest.mark.parametrize(
    ("nodetype", "kind"),
    [
        ("adjustmentlayer", LayerKind.ADJUSTMENT),
        ("generatorlayer", LayerKind.FILL),
        ("filelayer", LayerKind.EMBEDDED),
        ("shapelayer", LayerKind.VECTOR),
        ("clonelayer", LayerKind.CLONE),
        ("referenceimages", LayerKind.OTHER),
    ],
)
def test_kinds_are_krita_s_node_types(nodetype, kind):
    xml = maindoc((Drawn("one", id=1),)).replace("paintlayer", nodetype)
    assert read_document(write_zip([("maindoc.xml", xml.encode())])).layers[0].kind is kind


def test_preview_and_other_pictures_are_told_apart():
    document = read_document(write_kra(extra=[("x/reference_images/one.png", b"\x89PNG")]))
    assert [picture.role for picture in document.pictures] == [PictureRole.PREVIEW, PictureRole.REFERENCE]


def test_every_job_is_a_reading_with_its_prompts_and_settings():
    readings = read_ai().readings
    assert [reading.tool for reading in readings] == ["krita-ai-diffusion"] * 3
    first = readings[0]
    assert {name: first.value(name) for name in ("prompt", "typed_prompt", "negative", "typed_negative")} == {
        "prompt": "best quality, a jade cat, 光",
        "typed_prompt": "a jade cat, 光",
        "negative": "blurry, text",
        "typed_negative": "text",
    }
    assert {
        name: first.value(name)
        for name in ("seed", "steps", "guidance", "sampler", "denoise", "model", "job")
    } == {
        "seed": "9223372036854775809",  # beyond 63 bits, exact
        "steps": "20",
        "guidance": "7.0",
        "sampler": "DPM++ 2M",
        "denoise": "1.0",
        "model": "model-xl.safetensors",
        "job": "job-a",
    }
    assert json.loads(first.value("adapters")) == [{"name": "jade.safetensors", "weight": 0.8}]
    assert (first.value("width"), first.value("height")) == ("96", "80")
    assert first.fields["prompt"].source == "history[0].params.metadata.prompt_final"
    assert [reading.ordinal for reading in readings] == [0, 1, 2]


def test_the_raw_record_is_the_plug_in_s_whole_state():
    data = write_kra_with_ai()
    (raw,) = {reading.raw for reading in read_document(data).readings}
    assert raw == json.dumps(STATE, indent=2).encode()


def test_a_prompt_that_is_only_the_typed_one_says_so():
    second = read_ai().readings[1]
    assert second.value("prompt") == "a hand"
    assert "typed_prompt" not in second.fields
    assert [(check.name, check.held) for check in second.checks] == [("prompt_as_sent", None)]
    assert not read_ai().readings[0].checks


def test_the_old_sampler_text_is_taken_apart_and_kept():
    second = read_ai().readings[1]
    assert (second.value("sampler"), second.value("steps"), second.value("guidance")) == (
        "Euler a",
        "30",
        "5.5",
    )
    assert second.value("tool:sampler") == "Euler a (30 / 5.5)"


def test_documents_of_before_1_26_have_no_metadata():
    third = read_ai().readings[2]
    assert third.value("prompt") == "an old document's prompt"
    assert third.value("negative") == "old negative"
    assert third.value("sampler") == "DDIM"
    assert third.value("seed") == "7"


def test_which_results_were_applied_and_which_not_and_where_nobody_knows():
    jobs = read_ai().jobs
    assert [job.id for job in jobs] == list(BY_JOB)
    assert [[result.applied for result in job.results] for job in jobs] == [
        [False, True, False],
        [False],  # the plug-in kept the list, and nothing is in it
        [None],  # an early version kept no list
    ]


def test_every_result_is_cut_out_of_its_slot():
    data = write_kra_with_ai()
    jobs = read_document(data).jobs
    digests = [stored_digest(result.picture.stored, data) for job in jobs for result in job.results]
    assert digests == [Digest.of(picture) for picture in (FIRST, SECOND, THIRD, PNG_RESULT, FIRST)]


def test_results_belong_to_jobs_and_are_not_listed_twice():
    assert [picture.role for picture in read_ai().pictures] == [PictureRole.PREVIEW]


def test_what_stood_in_the_prompt_box_is_a_claim_and_no_prompt():
    document = read_ai()
    assert document.claim("prompt_in_editor") == "still being typed"
    assert document.claim("negative_in_editor") is None


def test_annotations_without_a_suffix_are_found():
    """Early versions of the plug-in wrote them so."""
    slots = {"result0": SLOTS["result0.webp"]}
    state = {"history": STATE["history"][:1]}
    data = write_kra(
        extra=[(f"{AI}ui", json.dumps(state).encode()), *((f"{AI}{n}", d) for n, d in slots.items())]
    )
    (job,) = read_document(data).jobs
    assert all(result.picture for result in job.results)


def changed(**entry):
    state = copy.deepcopy(STATE)
    state["history"][0] |= entry
    return read_ai(state=state)


def test_a_slot_that_is_gone_leaves_the_job():
    document = read_ai(slots={})
    assert [job.id for job in document.jobs] == list(BY_JOB)
    assert all(result.picture is None for job in document.jobs for result in job.results)
    assert len([damage for damage in document.damage if "not in the document" in damage.what]) == 3


@pytest.mark.parametrize("offsets", [[0, 10**9, 5], [5, 3, 1], [-1, 0, 4], ["a", None, {}], [0, 0, 0]])
def test_offsets_that_lie_give_no_picture(offsets):
    document = changed(offsets=offsets)
    assert len(document.jobs[0].results) == 3
    assert any("does not lie inside" in damage.what for damage in document.damage)
    assert len(document.readings) == 3


@pytest.mark.parametrize(
    "entry",
    [{"offsets": 7}, {"slot": "../../x"}, {"slot": [1]}, {"in_use": ["a"]}, {"kind": 3}, {"id": None}],
)
def test_an_entry_of_another_shape_loses_only_that(entry):
    document = changed(**entry)
    assert len(document.jobs) == 3
    assert document.readings[0].value("typed_prompt") == "a jade cat, 光"


def test_values_of_another_shape_are_kept_as_json():
    state = copy.deepcopy(STATE)
    state["history"][0]["params"]["metadata"] |= {"prompt": ["a", 1], "steps": {"x": 2}, "strength": None}
    first = read_ai(state=state).readings[0]
    assert first.value("typed_prompt") == '["a", 1]'
    assert first.value("steps") == '{"x": 2}'
    assert "denoise" not in first.fields


def test_half_a_character_in_a_prompt_spares_the_rest():
    text = json.dumps(STATE).replace("a jade cat, \\u5149", "\\ud800")
    first = read_ai(state=text.encode()).readings[0]
    assert first.fields["typed_prompt"].state is State.UNREADABLE
    assert first.value("seed") == "9223372036854775809"


def test_half_a_character_in_a_name_becomes_a_question_mark():
    text = json.dumps(STATE).replace("job-a", "\\ud800").replace("still being typed", "\\udc00 typed")
    document = read_ai(state=text.encode())
    assert document.jobs[0].id == "?"
    assert document.claim("prompt_in_editor") == "? typed"


def test_duplicate_keys_nan_and_nulls_do_not_lose_the_record():
    text = json.dumps(STATE).replace('"steps": 20', '"steps": 19, "steps": NaN').encode() + b"\0\0"
    first = read_ai(state=text).readings[0]
    assert first.value("steps") == "NaN"
    assert any(check.name == "keys_unique" and check.held is False for check in first.checks)


@pytest.mark.parametrize("state", [b"", b"{", b"[]", b"[" * 100_000, b"\xff\xfe{}"])
def test_a_state_that_does_not_parse_is_said_and_kept(state):
    document = read_ai(state=state)
    assert any("ui.json" in damage.where for damage in document.damage)
    assert [reading.state for reading in document.readings] == [State.UNREADABLE]
    assert document.readings[0].raw == state
    assert list(names(document.layers)) == list(names(DRAWING))


@pytest.mark.parametrize("history", [None, 7, "x", {}, [1, None, "a", {}], [{"params": 3}]])
def test_a_history_of_another_shape_gives_no_jobs(history):
    assert read_ai(state={"history": history}).jobs == ()


@pytest.mark.parametrize("missing", ["maindoc.xml", "documentinfo.xml", "mergedimage.png", "preview.png"])
def test_a_missing_member_leaves_the_others(missing):
    document = read_document(write_kra_with_ai(without=(missing,)))
    assert len(document.jobs) == 3
    assert bool(document.layers) == (missing != "maindoc.xml")


@pytest.mark.parametrize(
    "xml",
    [
        b"<DOC><IMAGE",
        b'<!DOCTYPE d [<!ENTITY a "b"><!ENTITY c "&a;&a;&a;">]><DOC>&c;</DOC>',
        b'<!DOCTYPE d [<!ENTITY % x SYSTEM "file:///etc/passwd">%x;]><DOC/>',
        b"<DOC>" + b"<a>" * 5000,
        b"<DOC>" + b"<a/>" * 100_001 + b"</DOC>",
        b"",
    ],
)
def test_hostile_xml_is_said_and_the_rest_is_read(xml):
    members = [("mimetype", b"application/x-krita"), ("maindoc.xml", xml), ("mergedimage.png", PNG_RESULT)]
    document = read_document(write_zip(members))
    assert document.layers == ()
    assert document.composite is not None
    assert any(damage.where == "maindoc.xml" for damage in document.damage)
