"""Pictures with the records real generators write, made by their writers' rules.

Tests, the demo and the benches share these. Nothing here is copied from a
generated file: prompts, seeds and graphs are our own.
"""

import json
import struct
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, payload: bytes) -> bytes:
    """One PNG chunk with its check sum."""
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def text_chunk(keyword: str, text: str) -> bytes:
    """A text chunk as Pillow chooses it: `tEXt` where latin-1 can write the text, else `iTXt`.

    So one tool writes both, depending on the prompt.
    """
    try:
        return chunk(b"tEXt", keyword.encode("latin-1") + b"\0" + text.encode("latin-1"))
    except UnicodeEncodeError:
        return chunk(b"iTXt", keyword.encode("latin-1") + b"\0\0\0\0\0" + text.encode())


def pixels(width: int = 8, height: int = 8, colour: tuple[int, ...] = (120, 90, 60)) -> bytes:
    """Compressed rows of one colour, as an `IDAT` holds them."""
    row = b"\0" + bytes(colour) * width
    return zlib.compress(row * height)


def png(
    texts: Mapping[str, str] | None = None,
    *,
    width: int = 8,
    height: int = 8,
    colour: tuple[int, ...] = (120, 90, 60),
    before: Iterable[bytes] = (),
    after: Iterable[bytes] = (),
    packed_pixels: bytes | None = None,
) -> bytes:
    """A PNG (RGB, or RGBA for a colour of four) with text chunks before `IDAT` and any others around it."""
    header = struct.pack(">IIBBBBB", width, height, 8, 6 if len(colour) == 4 else 2, 0, 0, 0)
    parts = [chunk(b"IHDR", header), *(text_chunk(key, text) for key, text in (texts or {}).items()), *before]
    parts.append(chunk(b"IDAT", pixels(width, height, colour) if packed_pixels is None else packed_pixels))
    return PNG_SIGNATURE + b"".join([*parts, *after, chunk(b"IEND", b"")])


def infotext(prompt: str, negative: str = "", **settings: object) -> str:
    """The text AUTOMATIC1111 writes: values with comma, colon or line break are JSON-quoted."""
    given: dict[str, object] = {
        "Steps": 20,
        "Sampler": "Euler a",
        "Schedule type": "Automatic",
        "CFG scale": 7,
        "Seed": 1234567890,
        "Size": "512x512",
        "Model hash": "0a1b2c3d4e",
        "Model": "pendant_v2",
        "Version": "v1.10.1",
    }
    given |= {key.replace("_", " "): value for key, value in settings.items()}
    pairs = [
        key if key == value else f"{key}: {quote(value)}" for key, value in given.items() if value is not None
    ]
    label = f"\nNegative prompt: {negative}" if negative else ""
    return f"{prompt}{label}\n{', '.join(pairs)}".strip()


def quote(value: object) -> str:
    """Quote one value as A1111 does."""
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if any(mark in text for mark in ",\n:") else text


def a1111_png(
    prompt: str,
    negative: str = "",
    *,
    width: int = 8,
    height: int = 8,
    colour: tuple[int, ...] = (120, 90, 60),
    **settings: object,
) -> bytes:
    """A picture as AUTOMATIC1111 saves it; settings by name, `CFG_scale=5`, None leaves one out."""
    return png(
        {"parameters": infotext(prompt, negative, **settings)}, width=width, height=height, colour=colour
    )


def node(kind: str, title: str | None = None, **inputs: object) -> dict[str, Any]:
    """One node of an executed graph; a link is `["4", 0]`."""
    return {"inputs": inputs, "class_type": kind, "_meta": {"title": title or kind}}


def text_to_image(
    prompt: str,
    negative: str = "",
    *,
    seed: int = 42,
    steps: int = 20,
    model: str = "pendant_v2.safetensors",
    prefix: str = "ComfyUI",
    **sampler: object,
) -> dict[str, Any]:
    """The default ComfyUI graph."""
    settings = {"cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0} | sampler
    fed = {"model": ["4", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0]}
    return {
        "3": node("KSampler", seed=seed, steps=steps, **settings, **fed),
        "4": node("CheckpointLoaderSimple", ckpt_name=model),
        "5": node("EmptyLatentImage", width=512, height=512, batch_size=1),
        "6": node("CLIPTextEncode", text=prompt, clip=["4", 1]),
        "7": node("CLIPTextEncode", text=negative, clip=["4", 1]),
        "8": node("VAEDecode", samples=["3", 0], vae=["4", 2]),
        "9": node("SaveImage", filename_prefix=prefix, images=["8", 0]),
    }


def workflow_of(graph: Mapping[str, Any]) -> dict[str, Any]:
    """A user interface's graph as bulky as a real one; its values are positional."""
    nodes = [
        {
            "id": int(key) if key.isdigit() else key,
            "type": entry["class_type"],
            "pos": [40 * at, 30 * at],
            "size": [315, 98],
            "flags": {},
            "order": at,
            "mode": 0,
            "widgets_values": [value for value in entry["inputs"].values() if not isinstance(value, list)],
        }
        for at, (key, entry) in enumerate(graph.items())
    ]
    return {
        "last_node_id": len(nodes),
        "last_link_id": 0,
        "nodes": nodes,
        "links": [],
        "groups": [],
        "config": {},
        "extra": {},
        "version": 0.4,
    }


def comfyui_png(
    graph: Mapping[str, Any],
    *,
    workflow: Mapping[str, Any] | None = None,
    with_workflow: bool = True,
    width: int = 8,
    height: int = 8,
    colour: tuple[int, ...] = (120, 90, 60),
) -> bytes:
    """A picture as ComfyUI's SaveImage writes it: `prompt` and, unless posted without one, `workflow`."""
    texts = {"prompt": json.dumps(graph)}
    if with_workflow:
        texts["workflow"] = json.dumps(workflow or workflow_of(graph))
    return png(texts, width=width, height=height, colour=colour)
