"""MLflow into a local SQLite database: one run per job, its facts as parameters."""

import json
import os
import sys
import time

folder, count = sys.argv[1], int(sys.argv[2])
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["DO_NOT_TRACK"] = "true"

import mlflow  # noqa: E402 - it reads the environment when it is loaded
from bench_event import document  # noqa: E402

mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.sqlite")
mlflow.set_experiment("bench")
given = [document(number) for number in range(count)]
started, used = time.perf_counter(), time.process_time()
for facts in given:
    with mlflow.start_run():
        mlflow.log_params({key: str(value) for key, value in facts.items()})
print(
    json.dumps(
        {"seconds": time.perf_counter() - started, "cpu": time.process_time() - used, "entries": count}
    )
)
