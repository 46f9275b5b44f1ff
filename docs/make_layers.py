"""Draw `docs/img/layers.svg` from the layer list in `pyproject.toml`: `python docs/make_layers.py`.

Only modules that exist are drawn, so the picture cannot promise anything.
"""
# ruff: noqa: INP001 - a script, not part of a package

import tomllib
from collections.abc import Iterable
from html import escape
from pathlib import Path

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "docs" / "img" / "layers.svg"

# What each module is for, in a few words; a module without them fails here.
NOTES = {
    "__main__": "starts the program",
    "cli": "commands: parse, call, print",
    "server": "the local page",
    "archive": "opens and composes everything",
    "recorder": "the one write path",
    "index": "a view of the log",
    "dossier": "a package on paper",
    "reel": "a package as a film",
    "capture": "folders",
    "verify": "a package, step by step",
    "assess": "what authorities asked for",
    "rerun": "tests of a record",
    "bundle": "packages",
    "lineage": "what led to a picture",
    "label": "labels for AI content",
    "compare": "copies found again",
    "metadata": "what generators left in files",
    "live": "hooks in Python programs",
    "spool": "hand-over from hooks",
    "observation": "what a source hands in",
    "event": "one entry's header",
    "part": "what an event says",
    "stamp": "outsiders' statements on time",
    "store": "files by their digest",
    "tlog": "the order, and its proofs",
    "containers": "",
    "pictures": "",
    "redact": "",
    "canonical": "",
    "keys": "",
    "clock": "",
    "config": "",
    "reading": "",
    "durable": "files that survive a crash",
    "digest": "",
    "texts": "",
    "system": "",
    "errors": "who has to act",
}
# Rows of small modules, under the name of one of them.
BANDS = {
    "canonical": "formats, keys, clock, settings",
    "digest": "digests, words in en and zh, the machine",
}

_WIDTH, _LEFT, _RIGHT, _TOP = 1080, 110, 720, 56
_ROW, _HEIGHT, _GAP = 38, 28, 8
_FULL_SIZE = 5  # boxes in a row that hold their names in full size
_STYLE = """
    .page { fill: #ffffff }
    .box { fill: #f2f5f8; stroke: #4a5b70; stroke-width: 1.4 }
    .truth { fill: #e4f1e4; stroke: #2f7a3d; stroke-width: 1.8 }
    .line { fill: none; stroke: #4a5b70; stroke-width: 1.8 }
    .tip { fill: #4a5b70 }
    text { fill: #1a222d; text-anchor: middle; font-size: 14px }
    .note { fill: #4d5968; font-size: 13px; text-anchor: start }
    @media (prefers-color-scheme: dark) {
      .page { fill: #14181f }
      .box { fill: #252d39; stroke: #93a5bd }
      .truth { fill: #1d3a26; stroke: #6cc285 }
      .line { stroke: #93a5bd }
      .tip { fill: #93a5bd }
      text { fill: #eaeff5 }
      .note { fill: #b4c0cf }
    }
"""


def layers() -> list[list[str]]:
    """Return the modules that exist, highest layer first, as the import contract orders them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contract = settings["tool"]["importlinter"]["contracts"][0]
    rows = [[name.strip(" ()") for name in layer.split("|")] for layer in contract["layers"]]
    return [present for row in rows if (present := [name for name in row if _exists(name)])]


def draw(rows: Iterable[list[str]]) -> str:
    """Draw one row of boxes per layer, with what they are for beside it."""
    drawn = list(rows)
    height = _TOP + len(drawn) * _ROW + 24
    boxes = [line for number, row in enumerate(drawn) for line in _draw_row(row, _TOP + number * _ROW)]
    names = "; ".join(", ".join(row) for row in drawn)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img"',
            '     aria-labelledby="title desc"',
            "     font-family=\"system-ui, 'Segoe UI', 'Helvetica Neue', Arial, 'Noto Sans', sans-serif\">",
            '  <title id="title">The layers of makingof: imports point down</title>',
            f'  <desc id="desc">{escape(names)}</desc>',
            f"  <style>{_STYLE}  </style>",
            f'  <rect class="page" width="{_WIDTH}" height="{height}" rx="12"/>',
            *_draw_arrow(height),
            *boxes,
            "</svg>",
            "",
        ]
    )


def _exists(name: str) -> bool:
    module = ROOT / "src" / "makingof" / name
    return module.with_suffix(".py").exists() or (module / "__init__.py").exists()


def _draw_arrow(height: int) -> list[str]:
    return [
        '  <defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7"',
        '    orient="auto"><path class="tip" d="M0 0 L10 5 L0 10 z"/></marker></defs>',
        f'  <path class="line" d="M58 {_TOP} V{height - 28}" marker-end="url(#tip)"/>',
        f'  <text x="58" y="{_TOP - 20}">imports</text>',
    ]


def _draw_row(row: list[str], top: int) -> list[str]:
    width = (_RIGHT - _LEFT - _GAP * (len(row) - 1)) / len(row)
    small = ' style="font-size: 11px"' if len(row) > _FULL_SIZE else ""
    lines = []
    for number, name in enumerate(row):
        left = _LEFT + number * (width + _GAP)
        kind = "truth" if name in ("store", "tlog") else "box"
        box = f'x="{left:.1f}" y="{top}" width="{width:.1f}" height="{_HEIGHT}" rx="6"'
        lines += [
            f'  <rect class="{kind}" {box}/>',
            f'  <text x="{left + width / 2:.1f}" y="{top + 19}"{small}>{name}</text>',
        ]
    notes = [NOTES[name] for name in row if NOTES[name]] or [BANDS[name] for name in row if name in BANDS]
    note = escape("; ".join(notes))
    return [*lines, f'  <text class="note" x="{_RIGHT + 16}" y="{top + 19}">{note}</text>']


if __name__ == "__main__":
    PICTURE.write_text(draw(layers()), "utf-8")
