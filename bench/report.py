"""The table and the plot, made from what `run` measured; nothing here is typed by hand."""

import sys
from math import log10
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "performance.md"
PLOT = ROOT / "docs" / "img" / "growth.svg"
_READING = (
    "Figures are the median of all rounds, in brackets the range. Other machines give other figures: compare"
    " within a row."
)
_GROWN = (
    "entries",
    "µs per entry, 1,000 to a commit",
    "µs for one, durable",
    "hashes in a proof",
    "µs for a proof",
    "bytes per entry",
)
_BEGIN, _END = "<!-- measured: begin -->", "<!-- measured: end -->"


def table(found: dict) -> str:
    """Spell all rows as Markdown."""
    machine = found["machine"]
    where = f"{machine['cores']} cores, {machine['memory_gib']} GiB of memory, {machine['kernel']}"
    how = f"a virtual disk, CPython {machine['python']}, load {machine['load']} when it began"
    parts = [f"Measured on {where}, {how}. {_READING}", _targets(found["rows"])]
    parts += [_row(row) for row in found["rows"].values() if row["key"] != "growth"]
    if "growth" in found["rows"]:
        parts.append(_growth(found["rows"]["growth"]))
    return "\n\n".join(parts) + "\n"


def write(found: dict) -> None:
    """Put the table into the page between its marks, and draw the plot."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(_BEGIN)
    after = rest.partition(_END)[2]
    PAGE.write_text(f"{before}{_BEGIN}\n\n{table(found)}\n{_END}{after}", encoding="utf-8")
    if "growth" in found["rows"]:
        PLOT.write_text(plot(found["rows"]["growth"]["facts"]["points"]), encoding="utf-8")


def _targets(rows: dict[str, dict]) -> str:
    lines = ["| job | target | goal | measured | met |", "|---|---|---|---|---|"]
    for row in rows.values():
        for target in row["targets"]:
            sign = "≥" if target["at_least"] else "≤"
            goal = f"{sign} {_number(target['goal'])} {target['unit']}".strip()
            found = "–" if target["found"] is None else f"{_number(target['found'])} {target['unit']}".strip()
            met = {True: "yes", False: "**no**", None: "not measured"}[target["met"]]
            lines.append(f"| {row['title']} | {target['text']} | {goal} | {found} | {met} |")
    return "\n".join(lines)


def _row(row: dict) -> str:
    lines = [
        f"### {row['title']}",
        "",
        f"| | {row['unit']}/s | per CPU second | seconds | syncs | |",
        "|---|---|---|---|---|---|",
    ]
    lines += [_contender(row, item) for item in row["measured"]]
    lines += ["", *row["notes"]] if row["notes"] else []
    return "\n".join([*lines, *_scores(row["facts"]), *_sizes(row["facts"])])


def _contender(row: dict, item: dict) -> str:
    if not item["seconds"]:
        return f"| {item['name']} | – | – | – | – | not measured: {item['missing']} |"
    ordered = sorted(item["seconds"])
    middle = _median(ordered)
    rate = _number(row["counts"][item["name"]] / middle)
    syncs = "" if item["syncs"] is None else f"{item['syncs']:,}"
    span = f"{_seconds(middle)} ({_seconds(ordered[0])}–{_seconds(ordered[-1])})"
    used = item["said"].get("cpu")
    of_cpu = _number(row["counts"][item["name"]] / used) if used else ""
    return f"| {item['name']} | {rate} | {of_cpu} | {span} | {syncs} | {item['note']} |"


def _scores(facts: dict) -> list[str]:
    lines = []
    for key, what in (("made", "the labelled set"), ("samples", "real samples")):
        if scores := facts.get(key):
            some = next(iter(scores.values()))
            lines += ["", f"Prompt, negative, seed and steps of {what}, {some['files']} files:", ""]
            lines += ["| | right | wrong | not said |", "|---|---|---|---|"]
            lines += [
                f"| {name} | {one['right']} of {one['facts']} | {one['wrong']} | {one['silent']} |"
                for name, one in scores.items()
            ]
    return lines


def _sizes(facts: dict) -> list[str]:
    if not (sizes := facts.get("sizes")):
        return []
    lines = [
        "",
        "Installed, without bytecode, pip and setuptools:",
        "",
        "| | MB | distributions |",
        "|---|---|---|",
    ]
    return lines + [f"| {name} | {one['mb']} | {one['distributions']} |" for name, one in sizes.items()]


def _growth(row: dict) -> str:
    lines = [f"### {row['title']}", "", "![Cost of an append and length of a proof](../img/growth.svg)", ""]
    lines += [f"| {' | '.join(_GROWN)} |", "|---|---|---|---|---|---|"]
    for point in row["facts"]["points"]:
        numbers = (point["grouped_us"], point["single_us"], point["proof_hashes"], point["proof_us"])
        cells = " | ".join(f"{number:,.0f}" for number in (*numbers, point["bytes_per_entry"]))
        lines.append(f"| {point['size']:,} | {cells} |")
    return "\n".join([*lines, "", "Entries are about 1 kB long, as headers are."])


def _median(ordered: list[float]) -> float:
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _seconds(value: float) -> str:
    return f"{value:.3f}" if value < 1 else f"{value:.2f}"


def _number(value: float) -> str:
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


# The plot: two panels over a logarithmic axis of entries.

_WIDTH, _HEIGHT = 760, 300
_LEFT, _TOP, _PANEL_WIDTH, _PANEL_HEIGHT, _GAP = 62, 52, 290, 190, 80
_INK, _GRID, _GROUND = "#33322e", "#dcd8cf", "#fbfaf7"
_PALETTE = ("#8a3b12", "#1f5d6b")
_DARK = {_INK: "#d9d6cf", _GRID: "#3b4048", _GROUND: "#14181f", "#8a3b12": "#f0a37a", "#1f5d6b": "#7cc4d4"}


def plot(points: list[dict]) -> str:
    """Draw what one more entry costs, and how long a proof is, against the size of the log."""
    cost = _Panel(points, _LEFT, "µs per entry")
    proof = _Panel(points, _LEFT + _PANEL_WIDTH + _GAP, "hashes in a proof")
    body = [
        *cost.axes(max(point["grouped_us"] for point in points)),
        *cost.line("grouped_us", "durable, 1,000 to a commit", _PALETTE[0]),
        *proof.axes(max(point["proof_hashes"] for point in points)),
        *proof.line("proof_hashes", "longest of 50 proofs", _PALETTE[1]),
    ]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"'
        ' font-family="system-ui, sans-serif" font-size="12" aria-labelledby="title desc">'
    )
    title = '<title id="title">Append cost and proof length from a thousand to a million entries</title>'
    told = (
        '<desc id="desc">Left, microseconds to append one entry; right, hashes in the longest of fifty'
        " inclusion proofs; both over logs of a thousand to a million entries. The table below gives the"
        " numbers.</desc>"
    )
    changes = "".join(
        f'[fill="{light}"]{{fill:{dark}}}[stroke="{light}"]{{stroke:{dark}}}' for light, dark in _DARK.items()
    )
    dark = f"<style>@media (prefers-color-scheme: dark) {{{changes}}}</style>"
    ground = f'<rect width="{_WIDTH}" height="{_HEIGHT}" rx="6" fill="{_GROUND}"/>'
    return "\n".join([head, title, told, dark, ground, *body, "</svg>"]) + "\n"


class _Panel:
    def __init__(self, points: list[dict], left: float, label: str) -> None:
        self.points, self.left, self.label = points, left, label
        self.low, self.high = log10(points[0]["size"]), log10(points[-1]["size"])
        self.top_value = 1.0

    def axes(self, largest: float) -> list[str]:
        """Draw the frame: a few round values upwards, a tick per power of ten across."""
        step = _round_step(largest / 4)
        self.top_value = step * (int(largest / step) + 1)
        lines = [_text(self.left, _TOP - 24, self.label, weight="600")]
        value = 0.0
        while value <= self.top_value:
            y = self.y(value)
            lines.append(
                f'<line x1="{self.left}" x2="{self.left + _PANEL_WIDTH}" y1="{y}" y2="{y}" stroke="{_GRID}"/>'
            )
            lines.append(_text(self.left - 8, y + 4, f"{value:,.0f}", anchor="end"))
            value += step
        below = _TOP + _PANEL_HEIGHT
        lines += [
            _text(self.x(10**power), below + 20, f"{10**power:,}", anchor="middle")
            for power in range(round(self.low), round(self.high) + 1)
        ]
        lines.append(
            _text(self.left + _PANEL_WIDTH / 2, _TOP + _PANEL_HEIGHT + 40, "entries", anchor="middle")
        )
        return lines

    def line(self, key: str, name: str, colour: str) -> list[str]:
        places = [(self.x(point["size"]), self.y(point[key])) for point in self.points]
        path = " ".join(f"{x},{y}" for x, y in places)
        dots = [f'<circle cx="{x}" cy="{y}" r="3.5" fill="{colour}"/>' for x, y in places]
        drawn = f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        return [drawn, *dots, _text(self.left + _PANEL_WIDTH, _TOP - 24, name, anchor="end", colour=colour)]

    def x(self, size: float) -> float:
        share = (log10(size) - self.low) / ((self.high - self.low) or 1)
        return round(self.left + share * _PANEL_WIDTH, 1)

    def y(self, value: float) -> float:
        return round(_TOP + _PANEL_HEIGHT * (1 - value / self.top_value), 1)


def _round_step(value: float) -> float:
    base = 10.0 ** (len(str(int(max(value, 1)))) - 1)
    return next(base * factor for factor in (1, 2, 5, 10) if base * factor >= value)


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", weight: str = "400", colour: str = _INK
) -> str:
    return (
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-weight="{weight}" fill="{colour}">{text}</text>'
    )


if __name__ == "__main__":
    import json

    write(json.loads((ROOT / "bench" / "out" / "results.json").read_text(encoding="utf-8")))
    print(PAGE.relative_to(ROOT), PLOT.relative_to(ROOT), file=sys.stderr)
