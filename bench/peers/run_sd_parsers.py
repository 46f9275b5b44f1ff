"""sd-parsers: a folder or a list of files read and timed, or the files of the labelled set answered."""

import json
import sys
import time
from pathlib import Path

from sd_parsers import ParserManager


def answer(path: str) -> dict:
    """Return what it says of one file, in the words of the labelled set; nothing where it finds nothing."""
    found = ParserManager().parse(path)
    if found is None:
        return {}
    sampler = found.samplers[0] if len(found.samplers) == 1 else None
    given = {} if sampler is None else {key.lower(): value for key, value in sampler.parameters.items()}
    return {
        "prompt": found.full_prompt or None,
        "negative": found.full_negative_prompt or None,
        "seed": given.get("seed", given.get("noise_seed")),
        "steps": given.get("steps"),
    }


def tried(path: str) -> dict:
    """Take a failure for an answer that says nothing."""
    try:
        return answer(path)
    except Exception as err:  # noqa: BLE001 - whatever it fails with is its answer
        return {"error": type(err).__name__}


def parsed(manager: ParserManager, path: str) -> bool:
    """Read one file, whatever it fails with."""
    try:
        return manager.parse(path) is not None
    except Exception:  # noqa: BLE001 - whatever it fails with, the time was spent
        return False


job, *rest = sys.argv[1:]
if job == "time":
    paths = sorted(Path(rest[0]).glob("*.png"))
    manager = ParserManager()
    started, used = time.perf_counter(), time.process_time()
    for path in paths:
        assert manager.parse(path)
    print(
        json.dumps(
            {"seconds": time.perf_counter() - started, "cpu": time.process_time() - used, "files": len(paths)}
        )
    )
elif job == "listed":
    paths = Path(rest[0]).read_text(encoding="utf-8").splitlines() * int(rest[1])
    manager = ParserManager()
    started, used = time.perf_counter(), time.process_time()
    found = sum([parsed(manager, path) for path in paths])
    print(
        json.dumps(
            {"seconds": time.perf_counter() - started, "cpu": time.process_time() - used, "found": found}
        )
    )
else:
    paths = Path(rest[0]).read_text(encoding="utf-8").splitlines()
    answers = {path: tried(path) for path in paths}
    print(json.dumps({"seconds": 0.0, "answers": answers}, default=str))
