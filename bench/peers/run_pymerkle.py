"""pymerkle's SQLite tree: one document after the other, each in its own transaction as it does it."""

import json
import sys
import time

from bench_event import document
from pymerkle import SqliteTree

folder, count = sys.argv[1], int(sys.argv[2])
given = [json.dumps(document(number)).encode() for number in range(count)]
tree = SqliteTree(f"{folder}/tree.sqlite")
started, used = time.perf_counter(), time.process_time()
for entry in given:
    tree.append_entry(entry)
print(
    json.dumps(
        {
            "seconds": time.perf_counter() - started,
            "cpu": time.process_time() - used,
            "entries": tree.get_size(),
        }
    )
)
