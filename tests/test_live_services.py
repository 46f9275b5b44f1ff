"""What each service's requests ask and its answers tell, from the forms its documentation gives."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.services_host import b64, png, sse

from makingof.errors import MalformedError, UsageError
from makingof.live.exchange import Answered, End, describe_request
from makingof.live.services import fal, gemini, openai, replicate, stability
from makingof.live.services.known import SERVICES, Addresses
from makingof.live.services.said import Outcome, Step, Told

JSON = {"content-type": "application/json"}


def asked(path, body, content_type="application/json"):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = describe_request("POST", f"https://service.example{path}", [("content-type", content_type)], 0)
    return request.with_body(data, len(data), is_whole=True)


def answered(body, status=200, headers=JSON, end=End.WHOLE):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answered(status, headers, data, len(data), end)


def outputs(told):
    return [picture.data for picture in told.pictures if picture.role == "output"]


def form(fields, files, boundary="0f1e2d"):
    lines = b""
    for name, value in fields.items():
        lines += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    for name, (file, data) in files.items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{file}"\r\n'
        lines += f"{head}Content-Type: image/png\r\n\r\n".encode() + data + b"\r\n"
    return lines + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


@pytest.mark.parametrize(
    ("host", "method", "path", "service", "step"),
    [
        ("api.openai.com", "POST", "/v1/images/generations", "openai", Step.ASKS),
        ("api.openai.com", "POST", "/v1/images/edits", "openai", Step.ASKS),
        ("api.openai.com", "POST", "/v1/responses", "openai", Step.ASKS),
        ("api.openai.com", "GET", "/v1/responses/resp_68", "openai", Step.LOOKS),
        ("api.openai.com", "POST", "/v1/chat/completions", None, None),
        ("a-b.openai.azure.com", "POST", "/openai/deployments/d/images/generations", "openai", Step.ASKS),
        ("generativelanguage.googleapis.com", "POST", "/v1/models/g:generateContent", "gemini", Step.ASKS),
        ("us-central1-aiplatform.googleapis.com", "POST",
         "/v1/projects/p/locations/l/publishers/google/models/imagen-4:predict", "gemini", Step.ASKS),
        ("generativelanguage.googleapis.com", "POST", "/v1beta/models/g:countTokens", None, None),
        ("api.stability.ai", "POST", "/v2beta/stable-image/generate/core", "stability", Step.ASKS),
        ("api.stability.ai", "GET", "/v2beta/results/" + "a" * 64, "stability", Step.LOOKS),
        ("api.stability.ai", "GET", "/v1/user/balance", None, None),
        ("api.replicate.com", "POST", "/v1/predictions", "replicate", Step.ASKS),
        ("api.replicate.com", "POST", "/v1/models/o/m/predictions", "replicate", Step.ASKS),
        ("api.replicate.com", "GET", "/v1/predictions/gm3qorzdhgbfu", "replicate", Step.LOOKS),
        ("api.replicate.com", "POST", "/v1/predictions/gm3qorzdhgbfu/cancel", "replicate", Step.LOOKS),
        ("api.replicate.com", "GET", "/v1/predictions", None, None),
        ("fal.run", "POST", "/fal-ai/flux/dev", "fal", Step.ASKS),
        ("queue.fal.run", "POST", "/fal-ai/flux/dev", "fal", Step.ASKS),
        ("queue.fal.run", "GET", "/fal-ai/flux/requests/764cabcf-b745/status", None, None),
        ("queue.fal.run", "GET", "/fal-ai/flux/requests/764cabcf-b745", "fal", Step.LOOKS),
        ("rest.fal.ai", "POST", "/storage/upload/initiate", None, None),
        ("evil-api.openai.com.example", "POST", "/v1/images/generations", None, None),
    ],
)  # fmt: skip
def test_a_request_is_recognised_by_host_method_and_path(host, method, path, service, step):
    known = Addresses().find(method, host, None, "https", path)
    assert (known and known.service.NAME) == service
    assert (known and known.route.step) == step


def test_a_base_address_can_be_named_and_another_name_is_refused():
    addresses = Addresses()
    addresses.add({"https://proxy.example/open/v1": "openai", "http://127.0.0.1:8080": "replicate"})
    assert addresses.find("POST", "proxy.example", 443, "https", "/open/v1/images/generations")
    assert addresses.find("POST", "proxy.example", None, "https", "/openx/v1/images/generations") is None
    assert addresses.find("POST", "127.0.0.1", 8080, "http", "/v1/predictions")
    assert addresses.find("POST", "127.0.0.1", 8081, "http", "/v1/predictions") is None
    for wrong in ({"https://proxy.example": "midjourney"}, {"proxy.example": "openai"}):
        with pytest.raises(UsageError):
            addresses.add(wrong)


# OpenAI


def test_openai_words_that_were_revised_stand_beside_what_was_asked():
    body = {
        "created": 1795342272,
        "data": [{"url": "https://files.example/a.png?sig=1", "revised_prompt": "a crane, oil painting"}],
    }
    told = openai.read_answer(answered(body, headers=JSON | {"x-request-id": "req_1"}))
    assert [(words.text, words.place) for words in told.revised] == [
        ("a crane, oil painting", "data[0].revised_prompt")
    ]
    assert (told.job, told.at_ms, told.pictures[0].url) == ("req_1", 1795342272000, body["data"][0]["url"])
    assert openai.read_wish(
        asked("/v1/images/generations", {"model": "dall-e-3", "prompt": "x"})
    ).is_rewritten


def test_openai_a_form_names_its_files_by_their_fields():
    body, content_type = form(
        {"prompt": "鹤", "n": "2"}, {"image[]": ("a.png", png("red")), "mask": ("m.png", png("blue"))}
    )
    wish = openai.read_wish(asked("/v1/images/edits", body, content_type))
    assert [(picture.role, picture.data, picture.name) for picture in wish.pictures] == [
        ("init", png("red"), "a.png"),
        ("mask", png("blue"), "m.png"),
    ]
    assert (wish.prompts[0].text, wish.fields) == ("鹤", {"tool:n": "2"})


def test_openai_an_edit_in_json_gives_its_pictures():
    body = {
        "prompt": "x",
        "images": [{"image_url": f"data:image/png;base64,{b64(png())}"}, {"file_id": "file-1"}],
        "mask": {"image_url": "https://files.example/m.png"},
    }
    wish = openai.read_wish(asked("/v1/images/edits", body))
    assert [(picture.role, picture.data, picture.url) for picture in wish.pictures] == [
        ("init", png(), None),
        ("mask", None, "https://files.example/m.png"),
    ]


def test_openai_moderation_is_a_refusal_and_an_overload_a_failure():
    blocked = {
        "error": {"message": "rejected", "type": "image_generation_user_error", "code": "moderation_blocked"}
    }
    told = openai.read_answer(answered(blocked, 400))
    assert (told.outcome, told.facts["safety"], told.text) == (Outcome.REFUSED, True, "rejected")
    assert openai.read_answer(answered({"error": {"message": "x"}}, 500)).outcome is Outcome.FAILED
    assert openai.read_answer(answered({"error": None}, 429)).outcome is Outcome.REFUSED


RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1795342272,
    "status": "completed",
    "model": "gpt-5.4",
    "output": [
        {"type": "image_generation_call", "id": "ig_1", "result": b64(png()), "status": "completed",
         "revised_prompt": "A crane at dusk, ink", "size": "1024x1024", "action": "generate"},
        {"type": "message", "content": [{"type": "output_text", "text": "Here it is."}]},
    ],
}  # fmt: skip


def test_openai_responses_give_the_words_the_model_wrote_and_the_ids():
    told = openai.read_answer(answered(RESPONSE))
    assert (told.outcome, told.job, outputs(told)) == (Outcome.MADE, "resp_1", [png()])
    assert told.revised[0].text == "A crane at dusk, ink"
    assert (told.note, told.facts["calls"], told.facts["action"]) == ("Here it is.", ["ig_1"], "generate")
    assert openai.read_answer(answered(RESPONSE | {"status": "in_progress"})).outcome is Outcome.WAITING


def test_openai_responses_ask_for_pictures_only_with_the_tool():
    body = {
        "model": "gpt-5.4",
        "tools": [{"type": "image_generation", "quality": "high"}],
        "input": [
            {"role": "user", "content": "first"},
            {"type": "image_generation_call", "id": "ig_0", "result": b64(png("red"))},
            {"role": "user", "content": [
                {"type": "input_text", "text": "now at dusk"},
                {"type": "input_image", "image_url": f"data:image/png;base64,{b64(png())}"}]},
        ],
    }  # fmt: skip
    wish = openai.read_wish(asked("/v1/responses", body))
    assert [words.text for words in wish.prompts] == ["now at dusk"]
    assert [(picture.role, picture.data) for picture in wish.pictures] == [
        ("reference", png("red")),
        ("init", png()),
    ]
    assert wish.is_rewritten
    assert openai.read_wish(asked("/v1/responses", {"model": "gpt-5.4", "input": "a chat"})) is None


def test_openai_a_stream_of_responses_is_told_once_though_the_last_event_repeats_it():
    body = b"".join(
        sse(
            {"type": "response.created", "response": {"id": "resp_1"}},
            {"type": "response.image_generation_call.partial_image", "partial_image_b64": b64(png("red"))},
            {"type": "response.output_item.done", "item": RESPONSE["output"][0]},
            {"type": "response.completed", "response": RESPONSE},
        )
    )
    stream = {"content-type": "text/event-stream; charset=utf-8"}
    told = openai.read_answer(answered(body, headers=stream))
    assert (told.job, outputs(told), len(told.pictures)) == ("resp_1", [png()], 2)
    cut = openai.read_answer(
        answered(body[: body.index(b"response.output_item")], headers=stream, end=End.BROKEN)
    )
    assert (cut.outcome, cut.job, outputs(cut)) == (Outcome.INTERRUPTED, "resp_1", [])


def test_openai_an_error_in_a_stream_is_told():
    body = b"".join(sse({"type": "error", "error": {"code": "moderation_blocked", "message": "no"}}))
    told = openai.read_answer(answered(body, headers={"content-type": "text/event-stream"}))
    assert (told.outcome, told.text) == (Outcome.REFUSED, "no")


# Gemini and Imagen


def inline(data):
    return {"inlineData": {"mimeType": "image/png", "data": b64(data)}}


def test_gemini_the_last_turn_is_the_prompt_and_earlier_pictures_are_references():
    body = {
        "contents": [
            {"role": "user", "parts": [{"text": "a crane"}]},
            {"role": "model", "parts": [inline(png("red"))]},
            {"role": "user", "parts": [{"text": "make it dusk"}, inline(png("blue"))]},
        ],
        "systemInstruction": {"parts": [{"text": "ink only"}]},
        "generationConfig": {"responseModalities": ["TEXT", "IMAGE"], "seed": 9007199254740993,
                             "imageConfig": {"aspectRatio": "16:9"}},
    }  # fmt: skip
    wish = gemini.read_wish(asked("/v1beta/models/gemini-3-pro:generateContent", body))
    assert [words.text for words in wish.prompts] == ["make it dusk"]
    assert [(picture.role, picture.data) for picture in wish.pictures] == [
        ("reference", png("red")),
        ("init", png("blue")),
    ]
    assert wish.fields["seed"] == "9007199254740993"
    assert wish.fields["tool:imageConfig.aspectRatio"] == "16:9"
    assert (wish.fields["tool:systemInstruction"], wish.fields["tool:turns"]) == ("ink only", "3")


def test_gemini_a_request_for_text_is_nobodys():
    text = {"contents": [{"parts": [{"text": "hello"}]}]}
    assert gemini.read_wish(asked("/v1beta/models/gemini-3-pro:generateContent", text)) is None
    assert gemini.read_wish(asked("/v1beta/models/gemini-3-pro-image:generateContent", text)) is not None
    only = text | {"generationConfig": {"responseModalities": ["TEXT"]}}
    assert gemini.read_wish(asked("/v1beta/models/gemini-3-pro-image:generateContent", only)) is None
    assert gemini.read_wish(asked("/v1/models/text-embedding:predict", {"instances": []})) is None


def chunk(parts, **more):
    return {"candidates": [{"content": {"parts": parts}, **more}], "responseId": "r-1", "modelVersion": "g-3"}


def test_gemini_thoughts_are_previews_and_a_stream_is_one_answer():
    chunks = [
        chunk([{"text": "thinking", "thought": True}, {**inline(png("red")), "thought": True}]),
        chunk([{"text": "Here "}, inline(png("green"))]),
        chunk([{"text": "it is."}], finishReason="STOP"),
    ]
    whole = gemini.read_answer(answered(chunks))
    lines = b"".join(f"data: {json.dumps(item)}\r\n\r\n".encode() for item in chunks)
    streamed = gemini.read_answer(answered(lines, headers={"content-type": "text/event-stream"}))
    for told in (whole, streamed):
        assert (told.outcome, told.job, told.note) == (Outcome.MADE, "r-1", "Here it is.")
        assert [(picture.role, picture.data) for picture in told.pictures] == [
            ("output", png("green")),
            ("preview", png("red")),
        ]
        assert told.fields == {"tool:modelVersion": "g-3"}


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "responseId": "r"}, Outcome.REFUSED),
        (chunk([], finishReason="IMAGE_SAFETY", finishMessage="unsafe"), Outcome.REFUSED),
        (chunk([{"text": "no"}], finishReason="NO_IMAGE"), Outcome.FAILED),
    ],
)
def test_gemini_without_a_picture_says_why(body, outcome):
    told = gemini.read_answer(answered(body))
    assert (told.outcome, bool(told.text)) == (outcome, True)
    assert told.facts.get("safety", False) is (outcome is Outcome.REFUSED)


def test_gemini_an_error_is_told_in_its_own_words():
    told = gemini.read_answer(answered([{"error": {"code": 429, "message": "quota", "status": "X"}}], 429))
    assert (told.outcome, told.text, told.facts["code"]) == (Outcome.REFUSED, "quota", "429")


def test_imagen_enhanced_words_stand_beside_and_filtered_pictures_are_named():
    body = {
        "instances": [{"prompt": "a crane"}],
        "parameters": {"sampleCount": 2, "seed": 7, "enhancePrompt": True, "negativePrompt": "text"},
    }
    wish = gemini.read_wish(asked("/v1beta/models/imagen-4.0-generate:predict", body))
    assert (wish.prompts[0].text, wish.negative.text, wish.fields["seed"]) == ("a crane", "text", "7")
    assert wish.is_rewritten
    told = gemini.read_answer(
        answered(
            {"predictions": [{"bytesBase64Encoded": b64(png()), "prompt": "a crane, dusk"},
                             {"raiFilteredReason": "blocked: 39322892"}]}
        )
    )  # fmt: skip
    assert (told.outcome, outputs(told), told.revised[0].text) == (Outcome.MADE, [png()], "a crane, dusk")
    assert told.facts["rai_filtered_reasons"] == ["blocked: 39322892"]
    assert gemini.read_answer(answered({"predictions": []})).outcome is Outcome.REFUSED


# Stability


def test_stability_a_form_and_a_picture_with_its_seed_in_a_header():
    body, content_type = form({"prompt": "x", "negative_prompt": "y", "seed": "0", "none": ""}, {})
    wish = stability.read_wish(asked("/v2beta/stable-image/generate/core", body, content_type))
    assert (wish.negative.text, wish.fields["seed"], wish.fields["model"]) == ("y", "0", "core")
    headers = {"content-type": "image/png", "seed": "343940597", "finish-reason": "SUCCESS"}
    told = stability.read_answer(answered(png(), headers=headers))
    assert (outputs(told), told.fields, told.facts) == (
        [png()],
        {"seed": "343940597"},
        {"finish_reason": "SUCCESS"},
    )
    cut = stability.read_answer(answered(png()[:40], headers=headers, end=End.BROKEN))
    assert (cut.outcome, cut.pictures) == (Outcome.INTERRUPTED, ())


@pytest.mark.parametrize("end", [end for end in End if end is not End.WHOLE])
def test_stability_a_picture_that_did_not_come_to_its_end_is_none(end):
    told = stability.read_answer(answered(png(1)[:-20], headers={"content-type": "image/png"}, end=end))
    assert told.outcome is not Outcome.MADE
    assert not told.pictures


def test_stability_json_filtered_and_refused():
    blurred = {"image": b64(png()), "finish_reason": "CONTENT_FILTERED", "seed": 4294967294}
    told = stability.read_answer(answered(blurred))
    assert (told.outcome, told.facts["safety"], told.fields) == (Outcome.MADE, True, {"seed": "4294967294"})
    refused = {"id": "a1", "name": "content_moderation", "errors": ["flagged"]}
    told = stability.read_answer(answered(refused, 403))
    assert (told.outcome, told.facts["safety"], told.text) == (Outcome.REFUSED, True, "flagged")
    assert stability.read_answer(answered({"id": "b2"})).outcome is Outcome.WAITING
    assert (
        stability.read_answer(answered({"id": "b2", "status": "in-progress"}, 202)).outcome is Outcome.WAITING
    )


def test_stability_control_pictures_are_no_inits():
    body, content_type = form({"prompt": "x"}, {"image": ("edges.png", png())})
    wish = stability.read_wish(asked("/v2beta/stable-image/control/sketch", body, content_type))
    assert [picture.role for picture in wish.pictures] == ["control"]


# Replicate


PREDICTION = {
    "id": "gm3qorzdhgbfu",
    "model": "black-forest-labs/flux-dev",
    "version": "v9",
    "status": "succeeded",
    "input": {"prompt": "x"},
    "output": ["https://replicate.delivery/a/out-0.webp", f"data:image/png;base64,{b64(png())}"],
    "logs": "Using seed: 18446744073709551615\n 50%|##",
    "error": None,
    "created_at": "2026-11-22T10:11:10.765994657Z",
    "completed_at": "2026-11-22T10:11:12.5Z",
    "metrics": {"predict_time": 1.2},
}


def test_replicate_outputs_times_and_the_seed_its_log_prints():
    told = replicate.read_answer(answered(PREDICTION))
    assert (told.outcome, told.job, told.fields["seed"]) == (
        Outcome.MADE,
        "gm3qorzdhgbfu",
        "18446744073709551615",
    )
    assert [picture.url for picture in told.pictures] == [PREDICTION["output"][0], None]
    assert told.at_ms == 1795342272500
    assert told.facts["metrics"] == "{predict_time: 1.2}"


def test_replicate_may_answer_with_outputs_before_it_says_that_it_is_done():
    told = replicate.read_answer(answered(PREDICTION | {"status": "processing", "completed_at": None}))
    assert (told.outcome, len(told.pictures)) == (Outcome.WAITING, 2)


def test_replicate_inputs_are_files_by_name():
    body = {"version": "v9", "input": {"prompt": "x", "image": f"data:image/png;base64,{b64(png())}",
                                       "mask": "https://a.example/m.png", "seed": 18446744073709551615,
                                       "hf_token": "hf_0123456789"}}  # fmt: skip
    wish = replicate.read_wish(asked("/v1/predictions", body))
    assert [(picture.role, picture.data) for picture in wish.pictures] == [("init", png()), ("mask", None)]
    assert wish.fields == {"seed": "18446744073709551615", "tool:version": "v9"}


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"status": "processing"}, Outcome.WAITING),
        ({"status": "canceled"}, Outcome.CANCELLED),
        ({"status": "failed", "error": "CUDA out of memory"}, Outcome.FAILED),
        ({"status": "failed", "error": "NSFW content detected"}, Outcome.REFUSED),
    ],
)
def test_replicate_says_how_a_prediction_ended(change, outcome):
    assert replicate.read_answer(answered(PREDICTION | {"output": None} | change)).outcome is outcome


# fal


def test_fal_a_queue_answers_with_an_id_and_then_with_pictures():
    waiting = {"request_id": "764c", "status_url": "https://queue.fal.run/x", "status": "IN_QUEUE"}
    assert fal.read_answer(answered(waiting)) == Told(Outcome.WAITING, "764c")
    result = {
        "images": [{"url": "https://v3.fal.media/files/a.png", "content_type": "image/png", "width": 8}],
        "seed": 6252023, "timings": {"inference": 0.3}, "has_nsfw_concepts": [False], "prompt": "x, at dusk",
    }  # fmt: skip
    told = fal.read_answer(answered(result, headers=JSON | {"x-fal-request-id": "764c"}))
    assert (told.job, told.fields, told.revised[0].text) == ("764c", {"seed": "6252023"}, "x, at dusk")
    assert told.pictures[0].media_type == "image/png"


def test_fal_the_model_is_the_path_and_inputs_are_addresses():
    body = {"prompt": "x", "image_url": f"data:image/png;base64,{b64(png())}", "image_size": {"width": 64}}
    wish = fal.read_wish(asked("/fal-ai/flux/dev/image-to-image", body))
    assert wish.fields == {"model": "fal-ai/flux/dev/image-to-image", "width": "64"}
    assert wish.pictures[0].data == png()


@pytest.mark.parametrize("end", [end for end in End if end is not End.WHOLE])
def test_fal_a_stream_that_did_not_come_to_its_end_has_no_result(end):
    events = [{"type": "image", "images": [{"url": f"https://v3.fal.media/{n}.png"}]} for n in range(2)]
    stream = b"".join(sse(*events))
    told = fal.read_answer(answered(stream, headers={"content-type": "text/event-stream"}, end=end))
    assert told.outcome is not Outcome.MADE
    assert [picture.role for picture in told.pictures] == ["preview", "preview"]


def test_fal_an_error_and_a_refusal():
    detail = [{"loc": ["body"], "msg": "flagged", "type": "content_policy_violation"}]
    assert fal.read_answer(answered({"detail": detail}, 422)).outcome is Outcome.REFUSED
    assert fal.read_answer(answered({"detail": "down"}, 502)).outcome is Outcome.FAILED
    assert (
        fal.read_answer(answered({"detail": "Request is still in progress"}, 400)).outcome is Outcome.WAITING
    )


# All of them

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["image", "https://a"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["data", "input", "output", "contents", "parts", "candidates", "predictions", "images", "image",
             "error", "status", "id", "object", "response", "tools", "type", "instances", "parameters",
             "prompt", "inlineData", "generationConfig", "detail", "seed", "url", "item"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
@pytest.mark.parametrize("deep", ["[" * 900 + "]" * 900, '{"a":' * 900 + "1" + "}" * 900])
def test_what_is_nested_deep_takes_no_stack(service, deep):
    names = (
        "input",
        "output",
        "status",
        "detail",
        "error",
        "usage",
        "promptFeedback",
        "tools",
        "metrics",
        "seed",
    )
    body = "{" + ",".join(f'"{name}": {deep}' for name in names) + ', "status": "failed", "id": "a1b2c3"}'
    for path in ("/v1/images/edits", "/v1/responses", "/v1/models/imagen:predict"):
        for act in (
            lambda path=path: service.read_wish(asked(path, body.encode())),
            lambda: service.read_answer(answered(body.encode(), 200)),
            lambda: service.read_answer(answered(body.encode(), 400)),
        ):
            try:
                act()
            except MalformedError:
                continue


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    value=_values,
    raw=st.binary(max_size=60),
    status=st.sampled_from([200, 202, 400, 500]),
    kind=st.sampled_from(["json", "raw", "sse", "form"]),
)
def test_whatever_a_service_sends_is_read_or_malformed(service, value, raw, status, kind):
    body = {"raw": raw, "sse": b"data: " + json.dumps(value).encode() + b"\n\n", "form": raw}.get(
        kind, json.dumps(value).encode()
    )
    media = {"sse": "text/event-stream", "form": "multipart/form-data; boundary=x"}.get(
        kind, "application/json"
    )
    for path in (
        "/v1/images/edits",
        "/v1/responses",
        "/v1/models/imagen:predict",
        "/v1/models/image:generateContent",
    ):
        for act in (
            lambda path=path: service.read_wish(asked(path, body, media)),
            lambda: service.read_answer(answered(body, status, {"content-type": media})),
        ):
            try:
                act()
            except MalformedError:
                continue
