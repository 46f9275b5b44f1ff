"""AUTOMATIC1111 and its kin: `log.csv`, one row for each press of Save, and `params.txt`, the latest request.

`log.csv` is written by the button under the gallery and by nothing else, so a row is a
choice. It states no time, and of several pictures saved at once it names the first.
`params.txt` is written when a job starts, whether anything is saved or not.
"""

import csv
import io
from collections.abc import Callable, Sequence

from makingof.capture.exports.told import (
    Export,
    Told,
    Wanted,
    choice,
    content_key,
    observe,
    place,
    report,
    sheet_of,
)
from makingof.errors import MalformedError
from makingof.event import Kind
from makingof.metadata import a1111
from makingof.reading import Reading

TOOL = "a1111"
MAX_ROWS = 100_000
MAX_LOG_BYTES = 64 << 20
MAX_PARAMS_BYTES = 4 << 20
_MAX_FIELD = 1 << 20
_FIRST = ("prompt", "seed", "width", "height", "sampler", "cfgs", "steps", "filename", "negative_prompt")
_LATER = ("sd_model_name", "sd_model_hash")


def is_log(head: bytes) -> bool:
    """Tell whether a CSV is this log, by its first line."""
    first = head.partition(b"\n")[0].removeprefix(b"\xef\xbb\xbf").strip().decode("utf-8", "replace")
    return first.split(",")[: len(_FIRST)] == list(_FIRST)


def read_log(data: bytes) -> Export:
    """Read every row; one that has no file name, or too few fields, is a problem and the rest is read."""
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    csv.field_size_limit(_MAX_FIELD)
    told: list[Told] = []
    problems: list[str] = []
    try:
        rows = csv.reader(io.StringIO(text, newline=""))
        next(rows, None)
        for number, row in enumerate(rows, 1):
            if number > MAX_ROWS:
                problems.append(f"more than {MAX_ROWS} rows")
                break
            if len(row) < len(_FIRST) - 1 or not row[7]:
                problems.append(f"row {number} has {len(row)} fields")
                continue
            told.append(_saved(row, number))
    except csv.Error as err:
        problems.append(f"after {len(told)} rows: {err}")
    return Export("a1111-log", tuple(told), tuple(problems))


def _saved(row: Sequence[str], number: int) -> Told:
    said = dict(zip((*_FIRST, *_LATER), row, strict=False))
    where = f"log.csv row {number}"
    name = said["filename"].replace("\\", "/").rpartition("/")[2]
    facts = {name: said.get(name) for name in ("seed", "steps", "sampler", "cfgs", "sd_model_hash")}
    return Told(
        key=content_key("a1111", f"log/{number}", "\n".join(row)),
        observation=observe(
            Kind.SELECTED,
            TOOL,
            [choice(where, [0]), report(where, text="Save", also=facts), place(where, said["filename"])],
        ),
        wanted=(Wanted(name, fits=_has_seed(said["seed"])),),
    )


def _has_seed(seed: str) -> Callable[[Sequence[Reading]], bool | None]:
    """A name is used again once its file is gone; a picture that states another seed is another picture."""

    def fits(readings: Sequence[Reading]) -> bool | None:
        seeds = [value for reading in readings if (value := reading.value("seed"))]
        return seed in seeds if seeds else None

    return fits


def read_params(data: bytes) -> Export:
    """Read the latest request; text that is none is a `MalformedError`."""
    text = data.decode("utf-8", "replace")
    (record,) = sheet_of("txt", "params.txt", "parameters", text).records
    reading = a1111.read_infotext(record)
    if reading is None:
        message = "params.txt holds no request"
        raise MalformedError(message)
    told = Told(
        key=content_key("a1111", "params", text),
        observation=observe(
            Kind.PROMPTED, reading.tool or TOOL, [report("params.txt", text="the latest request")]
        ),
        readings=(reading,),
    )
    return Export("a1111-params", (told,))
