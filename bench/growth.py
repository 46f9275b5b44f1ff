"""How a log grows: what one more entry costs, and how long a proof is, up to a million entries."""

import time
from pathlib import Path
from statistics import median

from bench.events import append_headers, header, new_log

from makingof.tlog.log import EncodedEntry, Log, Pending

_SINGLE = 50
_PROOFS = 50


def grow(folder: Path, count: int) -> list[dict]:
    """Append up to `count` entries; return a point for 1, 3.2, 10, 32… thousand of them."""
    with new_log(folder) as log:
        return [_point(log, size) for size in _sizes(count)]


def _sizes(count: int) -> list[int]:
    steps = [round(1_000 * 10 ** (half / 2)) for half in range(20)]
    return [size for size in steps if size <= count]


def _point(log: Log, size: int) -> dict:
    before = log.size()
    started = time.perf_counter()
    append_headers(log, size - before)
    grouped = (time.perf_counter() - started) / (size - before)
    singles = [_timed(lambda number=number: log.append([_pending(number)])) for number in range(_SINGLE)]
    at = log.size()
    indexes = [at * number // _PROOFS for number in range(_PROOFS)]
    proofs = [log.inclusion_proof(index, at) for index in indexes]
    return {
        "size": size,
        "grouped_us": grouped * 1e6,
        "single_us": median(singles) * 1e6,
        "proof_hashes": max(map(len, proofs)),
        "proof_us": median(_timed(lambda index=index: log.inclusion_proof(index, at)) for index in indexes)
        * 1e6,
        "bytes_per_entry": _size(log.path) / at,
    }


def _size(path: Path) -> int:
    """Add up the file and what still stands in its write-ahead log."""
    return sum(
        file.stat().st_size for file in path.parent.glob(f"{path.name}*") if file.suffix != ".sqlite-shm"
    )


def _pending(number: int) -> Pending:
    return Pending(key=None, encode=lambda _head: EncodedEntry(header(number), []))


def _timed(act) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started
