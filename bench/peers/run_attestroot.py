"""attestroot through its own functions: append events, or go through the chain of a session."""

import json
import os
import sys
import time

from bench_event import document

job, folder, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.environ["ATTESTROOT_HOME"] = folder

from attestroot import ledger  # noqa: E402 - it reads its home when it is loaded

given = [document(number) for number in range(count)]
started, used = time.perf_counter(), time.process_time()
if job in ("append", "fill"):
    for facts in given:
        assert ledger.append_event("bench", {"kind": facts["outcome"]}, json.dumps(facts).encode())
elif job == "chain":
    found = ledger.verify_chain("bench")
    assert found.ok, found
    assert found.count == count, found
print(
    json.dumps(
        {"seconds": time.perf_counter() - started, "cpu": time.process_time() - used, "entries": count}
    )
)
