"""Krita's .kra as Krita 5 writes it, and the history of "Krita AI Diffusion" as the plug-in's source does."""

import json
from uuid import UUID
from xml.sax.saxutils import quoteattr

from tests.documents.drawing import DRAWING, HEIGHT, WIDTH, Drawn, merged, png
from tests.documents.zipped import write_zip

FOLDER = "画 drawing"
AI = f"{FOLDER}/annotations/ai_diffusion/"

_DOC = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    "<!DOCTYPE DOC PUBLIC '-//KDE//DTD krita 2.0//EN' 'http://www.calligra.org/DTD/krita-2.0.dtd'>\n"
    '<DOC xmlns="http://www.calligra.org/DTD/krita" syntaxVersion="2.0" '
    'kritaVersion="5.1.5" editor="Krita">\n'
)
_INFO = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    "<!DOCTYPE document-info PUBLIC '-//KDE//DTD document-info 1.1//EN' "
    "'http://www.calligra.org/DTD/document-info-1.1.dtd'>\n"
    '<document-info xmlns="http://www.calligra.org/DTD/document-info"><about><title>猫 cat</title>'
    "<initial-creator>Unknown</initial-creator><editing-cycles>7</editing-cycles>"
    "<editing-time>5421</editing-time><date>2026-03-01T12:00:00</date>"
    "<creation-date>2026-02-27T09:10:11</creation-date></about>"
    "<author><full-name>painter one</full-name></author></document-info>"
)


def write_kra(layers=DRAWING, extra=(), *, folder=FOLDER, info=_INFO, without=()) -> bytes:
    members = [
        ("mimetype", b"application/x-krita"),
        ("maindoc.xml", maindoc(layers, folder).encode()),
        ("documentinfo.xml", info.encode()),
        ("preview.png", png(merged().resize((48, 40)))),
        *((f"{folder}/layers/layer{drawn.id}", paint(drawn)) for drawn in _paint_layers(layers)),
        *((f"{folder}/layers/layer{drawn.id}.defaultpixel", bytes(4)) for drawn in _paint_layers(layers)),
        *extra,
        ("mergedimage.png", png(merged())),
    ]
    return write_zip([member for member in members if member[0] not in without])


def uuid(drawn: Drawn) -> str:
    return "{" + str(UUID(int=drawn.id + 1)) + "}"


def maindoc(layers=DRAWING, folder=FOLDER) -> str:
    return (
        f'{_DOC} <IMAGE mime="application/x-kra" name={quoteattr(folder)} width="{WIDTH}" height="{HEIGHT}" '
        'colorspacename="RGBA" profile="sRGB-elle-V2-srgbtrc.icc" x-res="72" y-res="72" description="">'
        f"<layers>{''.join(map(_node, layers))}</layers></IMAGE>\n</DOC>\n"
    )


def _node(drawn: Drawn) -> str:
    said = (
        f'name={quoteattr(drawn.name)} uuid="{uuid(drawn)}" opacity="{drawn.opacity}" '
        f'visible="{int(drawn.visible)}" compositeop="normal" locked="0" x="0" y="0" channelflags="" '
        'channellockflags="" collapsed="0" colorlabel="0" intimeline="0" onionskin="0"'
    )
    if drawn.children is not None:
        inner = "".join(map(_node, drawn.children))
        head = f'<layer nodetype="grouplayer" passthrough="0" filename="layer{drawn.id}" {said}>'
        return f"{head}<layers>{inner}</layers></layer>"
    mask = ""
    if drawn.mask is not None:
        said_of_it = f'nodetype="transparencymask" name={quoteattr(drawn.mask)} filename="mask{drawn.id}"'
        mask = f"<masks><mask {said_of_it}/></masks>"
    return (
        f'<layer nodetype="paintlayer" filename="layer{drawn.id}" colorspacename="RGBA" {said}>{mask}</layer>'
    )


def _paint_layers(layers):
    for drawn in layers:
        if drawn.children is None:
            yield drawn
        else:
            yield from _paint_layers(drawn.children)


def paint(drawn: Drawn) -> bytes:
    """A layer's pixels: a text head, then tiles of 64 x 64 pixels in BGRA behind a byte 0, "not packed"."""
    red, green, blue, alpha = drawn.colour
    left, top = drawn.at
    right, bottom = left + drawn.size[0], top + drawn.size[1]
    tiles = []
    for y in range(top // 64 * 64, bottom, 64):
        for x in range(left // 64 * 64, right, 64):
            inside = [
                bytes((blue, green, red, alpha))
                if left <= x + dx < right and top <= y + dy < bottom
                else bytes(4)
                for dy in range(64)
                for dx in range(64)
            ]
            tiles.append(f"{x},{y},LZF,16385\n".encode() + b"\0" + b"".join(inside))
    head = f"VERSION 2\nTILEWIDTH 64\nTILEHEIGHT 64\nPIXELSIZE 4\nDATA {len(tiles)}\n"
    return head.encode() + b"".join(tiles)


def write_kra_with_ai(state=None, slots=None, **more) -> bytes:
    """A document in which the plug-in left three jobs of two versions' layouts."""
    state = STATE if state is None else state
    slots = SLOTS if slots is None else slots
    text = state if isinstance(state, bytes) else json.dumps(state, indent=2).encode()
    extra = [(f"{AI}ui.json", text), *((f"{AI}{name}", data) for name, data in slots.items())]
    return write_kra(extra=extra, **more)


FIRST, SECOND, THIRD = (b"RIFF\x10\0\0\0WEBPVP8L picture " + bytes([n]) * 40 for n in (1, 2, 3))
PNG_RESULT = png(merged())
SLOTS = {
    "result0.webp": FIRST + SECOND + THIRD,
    "result1.webp": PNG_RESULT,  # named .webp whatever the user's format is
    "result4.webp": FIRST,
}

STATE = {
    "version": 1,
    "workspace": "generation",
    "history": [
        {
            "id": "job-a",
            "slot": 0,
            "offsets": [0, len(FIRST), len(FIRST) + len(SECOND)],
            "params": {
                "bounds": [0, 0, 96, 80],
                "name": "a jade cat",
                "regions": [],
                "metadata": {
                    "prompt": "a jade cat, 光",
                    "negative_prompt": "text",
                    "prompt_final": "best quality, a jade cat, 光",
                    "negative_prompt_final": "blurry, text",
                    "style": "digital-artwork.json",
                    "checkpoint": "model-xl.safetensors",
                    "loras": [{"name": "jade.safetensors", "weight": 0.8}],
                    "sampler": "DPM++ 2M",
                    "steps": 20,
                    "guidance": 7.0,
                    "strength": 1.0,
                },
                "seed": 9223372036854775809,
                "has_mask": False,
                "frame": [0, 0, 0],
                "animation_id": "",
            },
            "kind": "diffusion",
            "in_use": {"1": True},
        },
        {
            "id": "job-b",
            "slot": 1,
            "offsets": [0],
            "params": {
                "bounds": [16, 16, 64, 32],
                "name": "repair the hand",
                "metadata": {
                    "prompt": "a hand",
                    "sampler": "Euler a (30 / 5.5)",
                    "style": "x.json",
                    "checkpoint": "sd15",
                },
                "seed": 42,
            },
            "in_use": {},
        },
        {
            "id": "job-c",
            "slot": 4,
            "offsets": [0],
            "params": {
                "bounds": [0, 0, 96, 80],
                "prompt": "an old document's prompt",
                "negative_prompt": "old negative",
                "sampler": "DDIM",
                "seed": 7,
            },
        },
    ],
    "root": {"positive": "still being typed", "negative": ""},
}  # fmt: skip
