"""Rows: records read from pictures, how fast and how rightly, beside two libraries."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

from bench import peers
from bench.importing import corpus
from bench.labelled import FACTS, samples, write_labelled
from bench.logs import environment
from bench.measuring import OUT, Contender, last_json, measure, ours
from bench.rows import Row, Scale, Target

OURS, SD_PARSERS, PROMPT_READER = "makingof", "sd-parsers", "sd-prompt-reader"


def measure_reading(scale: Scale) -> Row:
    """Measure opening files and reading their records; then ask all about the labelled set."""
    pictures = corpus(scale.pictures)
    contenders = [
        Contender(OURS, lambda _: ours("read_pictures", pictures), note="every record, raw bytes kept"),
        Contender(
            SD_PARSERS,
            lambda _: peers.worker("sd-parsers", "run_sd_parsers.py", "time", pictures),
            peer="sd-parsers",
        ),
        Contender(
            PROMPT_READER,
            lambda _: peers.worker("sd-prompt-reader", "run_sd_prompt_reader.py", "time", pictures),
            peer="sd-prompt-reader",
            rounds=scale.peer_rounds,
        ),
    ]
    measured = measure("reading", contenders, scale.rounds)
    row = Row("reading", f"Read the records of {scale.pictures:,} PNG", "images", measured)
    row.counts = {item.name: scale.pictures for item in measured}
    made, real = _scores(write_labelled(OUT / "labelled")), _scores(samples())
    row.facts = {"made": made, "samples": real}
    right = made[OURS]["right"] / made[OURS]["facts"]
    wrong = made[OURS]["wrong"] + (real[OURS]["wrong"] if real else 0)
    row.targets = [
        Target("beside sd-parsers", 5.0, row.ratio(OURS, SD_PARSERS), at_least=True, unit="×"),
        Target("facts of the labelled set right", 1.0, right, at_least=True),
        Target("facts wrong, real samples included", 0, wrong, at_least=False, unit="facts"),
    ]
    if real:
        share = real[OURS]["right"] / real[OURS]["facts"]
        row.targets.append(Target("facts of the real samples right", 1.0, share, at_least=True))
    else:
        row.notes.append("The real samples were not there: correctness is that of the labelled set.")
    return row


def measure_reading_set(scale: Scale) -> Row:
    """Measure reading the labelled set and the real samples, damaged and unusual files among them."""
    listed = _list([*write_labelled(OUT / "labelled"), *samples()])
    count = len(listed.read_text(encoding="utf-8").splitlines())
    contenders = [
        Contender(OURS, lambda _: ours("read_listed", listed, _PASSES), note="every record, raw bytes kept"),
        Contender(
            SD_PARSERS,
            lambda _: peers.worker("sd-parsers", "run_sd_parsers.py", "listed", listed, _PASSES),
            peer="sd-parsers",
        ),
        Contender(
            PROMPT_READER,
            lambda _: peers.worker("sd-prompt-reader", "run_sd_prompt_reader.py", "listed", listed, _PASSES),
            peer="sd-prompt-reader",
            rounds=scale.peer_rounds,
        ),
    ]
    measured = measure("reading-set", contenders, scale.rounds)
    row = Row(
        "reading-set", f"Read the {count} files of the labelled set and the samples", "images", measured
    )
    row.counts = {item.name: count * _PASSES for item in measured}
    row.targets = [
        Target("beside sd-parsers", 5.0, row.ratio(OURS, SD_PARSERS), at_least=True, unit="×"),
    ]
    row.notes = [_NOTE]
    return row


_PASSES = 8
_NOTE = (
    f"Each file {_PASSES} times, in one process. Where sd-parsers finds no record it knows before the pixels,"
    " it decodes the whole picture to look behind them; these few files take most of its time."
)


def _list(paths: Iterable[str]) -> Path:
    listed = OUT / "labelled.txt"
    listed.write_text("".join(f"{path}\n" for path in paths), encoding="utf-8")
    return listed


def _scores(expected: dict[str, dict]) -> dict[str, dict]:
    """Ask everybody; count facts right, wrong, and not said although the file states them."""
    if not expected:
        return {}
    scores = {}
    listed = _list(expected)
    for name, command in (
        (OURS, ours("read_labelled", listed)),
        (SD_PARSERS, peers.worker("sd-parsers", "run_sd_parsers.py", "answer", listed)),
        (PROMPT_READER, peers.worker("sd-prompt-reader", "run_sd_prompt_reader.py", "answer", listed)),
    ):
        if name != OURS and peers.why_missing(name):
            continue
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
        scores[name] = _score(expected, last_json(done.stdout)["answers"])
    return scores


def _score(expected: dict[str, dict], answers: dict[str, dict]) -> dict:
    outcomes = {"right": [], "wrong": [], "silent": []}
    for path, facts in expected.items():
        for fact in FACTS:
            outcome = _outcome(facts[fact], answers[path].get(fact))
            outcomes[outcome].append(f"{Path(path).name}: {fact}")
    counts = {outcome: len(found) for outcome, found in outcomes.items()}
    return counts | {"facts": sum(counts.values()), "files": len(expected), "wrong_facts": outcomes["wrong"]}


def _outcome(wanted: str | dict | None, found: object) -> str:
    """Judge leniently: white space at the ends and the kind of value do not matter."""
    said = None if found is None or not str(found).strip() else str(found).strip()
    if isinstance(wanted, dict):  # a long text, by its beginning
        right = said is not None and said.startswith(wanted["starts"].strip())
    else:
        right = said == (None if wanted is None else wanted.strip() or None)
    if right:
        return "right"
    return "silent" if said is None else "wrong"
