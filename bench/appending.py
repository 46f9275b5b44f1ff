"""Row: events of five parts appended to a log on disk."""

from bench import peers
from bench.measuring import Contender, measure, ours
from bench.rows import Row, Scale, Target

GROUPED, INDEXED, SINGLE = "makingof, 64 to a commit", "makingof, 64, indexed", "makingof, one by one"


def measure_append(scale: Scale) -> Row:
    """Measure the recorder alone and with its index, beside logs and trackers that take documents."""
    many, single, few = scale.events, scale.single_events, scale.peer_events
    contenders = {
        Contender(GROUPED, lambda _: ours("append_events", many, 64), durable=True): many,
        Contender(INDEXED, lambda _: ours("append_and_index", many, 64), durable=True): many,
        Contender(SINGLE, lambda _: ours("append_events", single, 1), durable=True): single,
        Contender(
            "attestroot",
            lambda folder: peers.worker("attestroot", "run_attestroot.py", "append", folder / "home", few),
            note="one by one; does not sync",
            peer="attestroot",
            rounds=scale.peer_rounds,
            durable=True,
        ): few,
        Contender(
            "pymerkle, SQLite",
            lambda folder: peers.worker("pymerkle", "run_pymerkle.py", folder, few),
            note="one by one",
            peer="pymerkle",
            rounds=scale.peer_rounds,
            durable=True,
        ): few,
        Contender(
            "MLflow, SQLite",
            lambda folder: peers.worker("mlflow", "run_mlflow.py", folder, few // 5),
            note="one run per job, facts as parameters",
            peer="mlflow",
            rounds=min(2, scale.peer_rounds),
            durable=True,
        ): few // 5,
    }
    measured = measure("append", contenders, scale.rounds)
    row = Row("append", "Append events of five parts", "events", measured)
    row.counts = {item.name: count for item, count in contenders.items()}
    row.targets = [Target("durable, grouped", 2_000, row.rate(GROUPED), at_least=True, unit="events/s")]
    row.notes = ["Peers take the same facts as one document without parts, salts or canonical form."]
    return row
