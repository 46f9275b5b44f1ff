"""The services' own client libraries, recorded, against servers on loopback that speak their forms.

Needs openai, google-genai, replicate and fal-client from PyPI. A missing one is a failure.
"""

import asyncio
import io
import json

import httpx
import httpx2
import pytest
from tests.recorded_calls import all_bytes, make_calls, recorded
from tests.services_host import KEY, Host, Reply, b64, png, sse

from makingof.live.record_calls import _find_wrap
from makingof.part import PartType

pytestmark = [
    pytest.mark.integration,
    # What the libraries themselves still use.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore:The generate_images method is deprecated"),
]

WHY = "requirements/integration.txt brings it"
openai = pytest.importorskip("openai", reason=WHY)
genai = pytest.importorskip("google.genai", reason=WHY)
types = pytest.importorskip("google.genai.types", reason=WHY)
replicate = pytest.importorskip("replicate", reason=WHY)
fal_client = pytest.importorskip("fal_client", reason=WHY)

FAL_KEY = "5c1e8a90-7f1d-4a7b-9a55-0c3c1c2d3e4f:0123456789abcdef0123456789abcdef"


@pytest.fixture
def archive(live_archive):
    return live_archive


@pytest.fixture
def host():
    with Host() as running:
        yield running


@pytest.fixture
def calls(archive):
    made = make_calls(archive, {})
    yield made
    made.close(5)


@pytest.fixture
def record(calls, host, tmp_path):
    """Record a client as `record_calls` does, with the server under the name of a service."""

    def wrap(client, service="openai"):
        calls.addresses.add({host.url: service})
        return _find_wrap(client)(client, calls)

    yield wrap
    kept = all_bytes(tmp_path)
    assert KEY.encode() not in kept
    assert FAL_KEY.encode() not in kept


def kinds(told):
    return [(event.kind, event.means) for event in told]


LIVE = [("prompted", "live"), ("generated", "live")]


# OpenAI


@pytest.mark.parametrize("library", [httpx2, httpx])
def test_openai_generates_by_either_library(archive, host, calls, record, library):
    host.replies[("POST", "/v1/images/generations")] = Reply(
        {
            "created": 1795342272,
            "data": [{"b64_json": b64(png())}, {"b64_json": b64(png("blue"))}],
            "size": "8x8",
        },
        headers={"x-request-id": "req_1"},
        coding="gzip",
    )
    with openai.OpenAI(
        api_key=KEY, base_url=f"{host.url}/v1", http_client=record(library.Client(trust_env=False))
    ) as client:
        answer = client.images.generate(model="gpt-image-2", prompt="黄昏里的仙鹤", n=2)
    assert answer.data[1].b64_json == b64(png("blue"))
    told = recorded(archive, calls)
    assert kinds(told) == LIVE
    assert told[1].files() == [("output", png()), ("output", png("blue"))]
    assert told[0].body(PartType.PROMPT).effective == "黄昏里的仙鹤"
    assert told[1].part(PartType.REPORT).vouched.job == "req_1"


def test_openai_edits_and_sends_the_same_form_as_without_us(archive, host, calls, record):
    host.replies[("POST", "/v1/images/edits")] = Reply({"created": 1, "data": [{"b64_json": b64(png())}]})
    for is_recorded in (True, False):
        client = httpx2.Client(trust_env=False)
        with openai.OpenAI(
            api_key=KEY, base_url=f"{host.url}/v1", http_client=record(client) if is_recorded else client
        ) as made:
            made.images.edit(
                model="gpt-image-2",
                prompt="a crane on the roof",
                image=[("house.png", io.BytesIO(png("white"))), ("bird.png", png("red"))],
                mask=("mask.png", png("black")),
            )
    ours, theirs = host.seen
    boundary = [seen.headers["Content-Type"].partition("boundary=")[2].encode() for seen in (ours, theirs)]
    assert ours.body.replace(boundary[0], b"-") == theirs.body.replace(boundary[1], b"-")
    assert ours.headers.keys() == theirs.headers.keys()
    told = recorded(archive, calls)
    assert kinds(told) == LIVE
    assert told[0].files() == [("init", png("white")), ("init", png("red")), ("mask", png("black"))]


def test_openai_streams_partial_pictures_to_a_task(archive, host, calls, record):
    common = {
        "background": "opaque",
        "created_at": 1795342272,
        "output_format": "png",
        "quality": "low",
        "size": "8x8",
    }
    usage = {"input_tokens": 1, "input_tokens_details": {"image_tokens": 0, "text_tokens": 1},
             "output_tokens": 1, "total_tokens": 2}  # fmt: skip
    part = {
        "type": "image_generation.partial_image",
        "b64_json": b64(png("red")),
        "partial_image_index": 0,
        **common,
    }
    done = {"type": "image_generation.completed", "b64_json": b64(png()), "usage": usage, **common}
    host.replies[("POST", "/v1/images/generations")] = Reply(
        chunks=sse(part, done), headers={"Content-Type": "text/event-stream"}, pause=0.05
    )

    async def run():
        client = record(httpx2.AsyncClient(trust_env=False))
        async with openai.AsyncOpenAI(api_key=KEY, base_url=f"{host.url}/v1", http_client=client) as made:
            stream = await made.images.generate(
                model="gpt-image-2", prompt="a crane", stream=True, partial_images=1
            )
            return [event.type async for event in stream]

    assert asyncio.run(run()) == ["image_generation.partial_image", "image_generation.completed"]
    told = recorded(archive, calls)
    assert kinds(told) == LIVE
    assert told[1].files() == [("output", png()), ("preview", png("red"))]


def test_openai_tries_again_and_each_attempt_stands_alone(archive, host, calls, record):
    host.replies[("POST", "/v1/images/generations")] = [
        Reply({"error": {"message": "busy"}}, 500, {"Retry-After-Ms": "1"}),
        Reply({"created": 1, "data": [{"b64_json": b64(png())}]}),
    ]
    with openai.OpenAI(
        api_key=KEY,
        base_url=f"{host.url}/v1",
        http_client=record(httpx2.Client(trust_env=False)),
        max_retries=2,
    ) as client:
        client.images.generate(model="gpt-image-2", prompt="a crane")
    told = recorded(archive, calls)
    assert [event.kind for event in told] == ["prompted", "attempted", "prompted", "generated"]
    assert [event.facts()["headers"]["x-stainless-retry-count"] for event in told[::2]] == ["0", "1"]


def test_openai_responses_with_the_tool_for_pictures(archive, host, calls, record):
    call = {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": b64(png()),
            "revised_prompt": "A crane at dusk, ink wash"}  # fmt: skip
    host.replies[("POST", "/v1/responses")] = Reply(
        {"id": "resp_1", "object": "response", "created_at": 1795342272, "status": "completed",
         "model": "gpt-5.4", "output": [call], "parallel_tool_calls": True,
         "tool_choice": "auto", "tools": []}
    )  # fmt: skip
    with openai.OpenAI(
        api_key=KEY, base_url=f"{host.url}/v1", http_client=record(httpx2.Client(trust_env=False))
    ) as client:
        answer = client.responses.create(
            model="gpt-5.4", input="a crane", tools=[{"type": "image_generation", "quality": "low"}]
        )
    assert answer.output[0].result == b64(png())
    _, made = recorded(archive, calls)
    prompt = made.body(PartType.PROMPT)
    assert (prompt.typed, prompt.effective) == ("a crane", "A crane at dusk, ink wash")
    assert made.part(PartType.PROMPT).vouched.job == "resp_1"


# Gemini and Imagen


def gemini_client(host, *, vertexai=False, **options):
    options = types.HttpOptions(base_url=host.url, **options)
    return genai.Client(api_key=KEY, vertexai=vertexai, http_options=options)


def answer_of(*parts, **more):
    return {"candidates": [{"content": {"parts": list(parts), "role": "model"}, **more}], "responseId": "r-1"}


def test_gemini_generates_and_streams(archive, host, calls, record):
    inline = {"inlineData": {"mimeType": "image/png", "data": b64(png())}}
    path = "/v1/models/gemini-3-pro-image"
    host.replies[("POST", f"{path}:generateContent")] = Reply(
        answer_of({"text": "Here."}, inline, finishReason="STOP"), coding="gzip"
    )
    lines = [f"data: {json.dumps(answer_of(part))}\r\n\r\n".encode() for part in ({"text": "Here."}, inline)]
    host.replies[("POST", f"{path}:streamGenerateContent")] = Reply(
        chunks=lines, headers={"Content-Type": "text/event-stream"}, pause=0.05
    )
    http_client = record(httpx2.Client(trust_env=False), "gemini")
    client = gemini_client(host, httpx_client=http_client)
    config = types.GenerateContentConfig(response_modalities=["TEXT", "IMAGE"], seed=7)
    contents = ["make it dusk", types.Part.from_bytes(data=png("white"), mime_type="image/png")]
    given = client.models.generate_content(model="gemini-3-pro-image", contents=contents, config=config)
    assert given.candidates[0].content.parts[1].inline_data.data == png()
    pieces = list(
        client.models.generate_content_stream(model="gemini-3-pro-image", contents="x", config=config)
    )
    assert len(pieces) == 2
    http_client.close()  # the library leaves a client it was given open
    told = recorded(archive, calls)
    assert kinds(told) == LIVE * 2
    assert told[0].files() == [("init", png("white"))]
    assert told[0].fields()["seed"] == "7"
    assert [told[at].files() for at in (1, 3)] == [[("output", png())]] * 2
    assert told[1].part(PartType.REPORT).vouched.job == "r-1"


def test_imagen_by_a_task(archive, host, calls, record):
    host.replies[("POST", "/v1beta1/publishers/google/models/imagen-4.0-generate-001:predict")] = Reply(
        {
            "predictions": [
                {"mimeType": "image/png", "bytesBase64Encoded": b64(png()), "prompt": "a crane, dusk"}
            ]
        }
    )

    async def run():
        http_client = record(httpx2.AsyncClient(trust_env=False), "gemini")
        client = gemini_client(host, vertexai=True, httpx_async_client=http_client)
        answer = await client.aio.models.generate_images(
            model="imagen-4.0-generate-001",
            prompt="a crane",
            config=types.GenerateImagesConfig(number_of_images=1, guidance_scale=7.5),
        )
        await http_client.aclose()
        return answer

    assert asyncio.run(run()).generated_images[0].image.image_bytes == png()
    asked, made = recorded(archive, calls)
    assert asked.fields()["guidance"] == "7.5"
    assert made.files() == [("output", png())]
    assert made.body(PartType.PROMPT).effective == "a crane, dusk"


# Replicate and fal


def test_replicate_runs_and_its_file_is_the_one_recorded(archive, host, calls, record):
    prediction = {
        "id": "gm3qorzdhgbfu", "model": "o/m", "version": "v9", "status": "processing",
        "input": {"prompt": "x"}, "output": [f"{host.url}/out/0.webp?sig=1"], "logs": "", "error": None,
        "metrics": None, "urls": {}, "created_at": "2026-11-22T10:11:10Z", "started_at": None,
        "completed_at": None,
    }  # fmt: skip
    host.replies[("POST", "/v1/models/o/m/predictions")] = Reply(prediction, 201)
    host.replies[("GET", "/out/0.webp")] = Reply(png(), headers={"Content-Type": "image/png"})
    transport = record(httpx.HTTPTransport(), "replicate")
    client = replicate.Client(api_token=KEY, base_url=host.url, transport=transport)
    (output,) = client.run("o/m", input={"prompt": "a crane", "seed": 42})
    # Of an address without TLS the library makes no file by itself.
    assert replicate.helpers.FileOutput(output, client).read() == png()
    told = recorded(archive, calls)
    assert kinds(told) == LIVE
    assert told[0].fields()["seed"] == "42"
    assert told[1].files() == [("output", png())]
    client._client.close()


class Elsewhere(httpx.BaseTransport):
    """fal's addresses are fixed in its library: this leads them to the server of the test."""

    def __init__(self, url):
        self.url = httpx.URL(url)
        self.inner = httpx.HTTPTransport()

    def handle_request(self, request):
        url = request.url.copy_with(scheme="http", host=self.url.host, port=self.url.port)
        return self.inner.handle_request(
            httpx.Request(
                request.method,
                url,
                headers=request.headers,
                stream=request.stream,
                extensions=request.extensions,
            )
        )

    def close(self):
        self.inner.close()


def test_fal_subscribes_and_the_queue_is_followed_to_its_end(archive, host, calls, record):
    job = "/fal-ai/flux/requests/764cabcf-b745-4b3e"
    base = "https://queue.fal.run"
    host.replies[("POST", "/fal-ai/flux/dev")] = Reply(
        {"request_id": "764cabcf-b745-4b3e", "status": "IN_QUEUE", "queue_position": 0,
         "response_url": f"{base}{job}", "status_url": f"{base}{job}/status",
         "cancel_url": f"{base}{job}/cancel"}
    )  # fmt: skip
    host.replies[("GET", f"{job}/status")] = [
        Reply({"status": "IN_PROGRESS", "logs": None}, 202),
        Reply({"status": "COMPLETED", "logs": None, "metrics": {}}),
    ]
    url = f"data:image/png;base64,{b64(png())}"
    host.replies[("GET", job)] = Reply(
        {
            "images": [{"url": url, "width": 8, "height": 8, "content_type": "image/png"}],
            "seed": 7,
            "prompt": "a",
        },
        headers={"x-fal-request-id": "764cabcf-b745-4b3e"},
    )
    client = fal_client.SyncClient(key=FAL_KEY)
    client._client._transport = Elsewhere(host.url)
    record(client._client, "fal")
    answer = client.subscribe("fal-ai/flux/dev", arguments={"prompt": "a", "seed": 7})
    assert answer["images"][0]["url"] == url
    told = recorded(archive, calls)
    assert kinds(told) == LIVE
    assert told[1].files() == [("output", png())]
    assert told[1].fields()["seed"] == "7"
    assert told[0].fields()["model"] == "fal-ai/flux/dev"
    client._client.close()
