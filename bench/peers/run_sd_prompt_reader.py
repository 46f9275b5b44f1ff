"""sd-prompt-reader: a folder or a list of files read and timed, or the files of the labelled set answered."""

import json
import sys
import time
from pathlib import Path

from sd_prompt_reader.image_data_reader import ImageDataReader

_NOTHING = {"", "None"}


def answer(path: str) -> dict:
    """Return what it says of one file, in the words of the labelled set; nothing where it finds nothing."""
    found = ImageDataReader(path)
    given = found.parameter
    facts = {"prompt": found.positive, "negative": found.negative, "seed": given.get("seed")}
    facts["steps"] = given.get("steps")
    placeholder = "                    "
    return {
        name: None if value is None or str(value) in _NOTHING or str(value) == placeholder else str(value)
        for name, value in facts.items()
    }


def tried(path: str) -> dict:
    """Take a failure for an answer that says nothing."""
    try:
        return answer(path)
    except Exception as err:  # noqa: BLE001 - whatever it fails with is its answer
        return {"error": type(err).__name__}


def parsed(path: str) -> bool:
    """Read one file, whatever it fails with."""
    try:
        return bool(ImageDataReader(path).positive)
    except Exception:  # noqa: BLE001 - whatever it fails with, the time was spent
        return False


job, *rest = sys.argv[1:]
if job == "time":
    paths = sorted(Path(rest[0]).glob("*.png"))
    started, used = time.perf_counter(), time.process_time()
    for path in paths:
        assert ImageDataReader(str(path)).positive
    print(
        json.dumps(
            {"seconds": time.perf_counter() - started, "cpu": time.process_time() - used, "files": len(paths)}
        )
    )
elif job == "listed":
    paths = Path(rest[0]).read_text(encoding="utf-8").splitlines() * int(rest[1])
    started, used = time.perf_counter(), time.process_time()
    found = sum([parsed(path) for path in paths])
    print(
        json.dumps(
            {"seconds": time.perf_counter() - started, "cpu": time.process_time() - used, "found": found}
        )
    )
else:
    paths = Path(rest[0]).read_text(encoding="utf-8").splitlines()
    answers = {path: tried(path) for path in paths}
    print(json.dumps({"seconds": 0.0, "answers": answers}, default=str))
