"""pymerkle's SQLite tree: one document after the other, each in its own transaction as it does it."""

import json
import sys
import time

from bench_event import document
from pymerkle import SqliteTree

folder, count = sys.argv[1], int(sys.argv[2])
given = [json.dumps(document(number)).encode() for number in range(count)]
tree = SqliteTree(f"{folder}/tree.sqlite")
started = time.perf_counter()
for entry in given:
    tree.append_entry(entry)
print(json.dumps({"seconds": time.perf_counter() - started, "entries": tree.get_size()}))
