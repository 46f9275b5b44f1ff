"""Measure everything in one run on this machine: `make bench`, or with `--quick` to see that it runs.

Results go to `bench/out/results.json`; with `--write` the table and the plot go into `docs/`.
"""

import argparse
import json
import os
import platform
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from bench import report  # noqa: E402 - the folder above is where they are found
from bench.appending import measure_append  # noqa: E402
from bench.importing import measure_import  # noqa: E402
from bench.logs import measure_growth, measure_verify  # noqa: E402
from bench.measuring import OUT  # noqa: E402
from bench.packages import measure_package, measure_small_pictures  # noqa: E402
from bench.reading import measure_reading, measure_reading_set  # noqa: E402
from bench.recording import measure_draining, measure_hook, measure_watching  # noqa: E402
from bench.rows import FULL, QUICK  # noqa: E402
from bench.starting import measure_start  # noqa: E402
from bench.webui_hook import measure_webui_hook  # noqa: E402

ROWS = {
    "reading": measure_reading,
    "reading-set": measure_reading_set,
    "import": measure_import,
    "append": measure_append,
    "hook": measure_hook,
    "watch": measure_watching,
    "drain": measure_draining,
    "verify-log": measure_verify,
    "package": measure_package,
    "package-small": measure_small_pictures,
    "start": measure_start,
    "webui-hook": measure_webui_hook,
    "growth": measure_growth,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="small sizes, few rounds: the figures say little"
    )
    parser.add_argument(
        "--row", action="append", choices=list(ROWS), help="only this row, again; others are kept"
    )
    parser.add_argument("--write", action="store_true", help="write table and plot into docs/")
    given = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / ("quick.json" if given.quick else "results.json")
    rows = _kept(path) if given.row else {}
    found = {"machine": machine(), "rows": rows}
    for name in given.row or ROWS:
        print(f"{name} …", file=sys.stderr, flush=True)
        rows[name] = ROWS[name](QUICK if given.quick else FULL).to_json()
        found["rows"] = {known: rows[known] for known in ROWS if known in rows}
        path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(report.table(found))
    if given.write:
        report.write(found)


def machine() -> dict:
    """Describe the machine in general terms: enough to judge the figures, not to find it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory),
        "kernel": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }


def _kept(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))["rows"] if path.exists() else {}


if __name__ == "__main__":
    main()
