"""Rows: how long a command takes to start, and how much is installed."""

import shutil
import subprocess
import sys
import venv
from pathlib import Path

from bench import peers
from bench.logs import environment
from bench.measuring import OUT, ROOT, Contender, last_json, measure
from bench.rows import Row, Scale, Target

HELP, STATUS = "makingof --help", "makingof status"
_CLICK = "import click\n@click.group()\ndef main():\n    pass\nmain()\n"
_COUNT = """
import importlib.metadata as m, json, pathlib
found = {"packages": [], "bytes": 0}
for item in m.distributions():
    if item.metadata["Name"] in ("pip", "setuptools"):
        continue
    found["packages"].append(item.metadata["Name"])
    for file in item.files or ():
        path = pathlib.Path(item.locate_file(file))
        if path.suffix != ".pyc" and path.is_file():
            found["bytes"] += path.stat().st_size
print(json.dumps(found))
"""


def measure_start(scale: Scale) -> Row:
    """Measure whole commands from start to end, and the size of what each needs."""
    program = [str(Path(sys.executable).parent / "makingof")]
    contenders = [
        Contender(HELP, lambda _: [*program, "--help"]),
        Contender(
            STATUS,
            lambda _: [*program, "status"],
            prepare=lambda folder: _archive(program, folder),
            note="in a new archive",
        ),
        Contender(
            "click alone, --help", lambda _: [peers.python("click"), "-c", _CLICK, "--help"], peer="click"
        ),
        Contender("python -c pass", lambda _: [sys.executable, "-c", "pass"]),
        *(
            Contender(
                f"{peer} --help",
                lambda _, peer=peer: [peers.program(peer, peer), "--help"],
                peer=peer,
                rounds=scale.peer_rounds if peer == "mlflow" else 99,
            )
            for peer in ("attestroot", "evidence-seal", "dvc", "mlflow")
        ),
    ]
    measured = measure("start", contenders, scale.starts)
    row = Row("start", "Start", "commands", measured)
    row.counts = {item.name: 1 for item in measured}
    row.targets = [
        Target("--help", 0.15, row.find(HELP).median, at_least=False, unit="s"),
        Target("status", 0.15, row.find(STATUS).median, at_least=False, unit="s"),
    ]
    sizes = _sizes() if scale.sizes else {}
    row.facts = {"sizes": sizes}
    if "makingof" in sizes:
        size = sizes["makingof"]
        row.targets.append(Target("base install", 75, size["mb"], at_least=False, unit="MB"))
    return row


def _archive(program: list[str], folder: Path) -> None:
    env = environment() | {"HOME": str(folder), "MAKINGOF_STATE": str(folder / "state")}
    command = [*program, "init", ".", "--owner", "bench", "--no-stamps"]
    subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True)


def _install_ours() -> None:
    """Make a wheel of this checkout and install it with the base requirements alone."""
    wheels = OUT / "wheel"
    shutil.rmtree(wheels, ignore_errors=True)
    venv.create(peers.folder("makingof"), with_pip=True, clear=True)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "-w", str(wheels), str(ROOT)], check=True, capture_output=True)
    peers.install("makingof", str(next(wheels.glob("*.whl"))))


def _sizes() -> dict[str, dict]:
    """Sum the files of every installed distribution, without bytecode, pip and setuptools."""
    _install_ours()
    found = {}
    for peer in ("makingof", "attestroot", "evidence-seal", "dvc", "mlflow"):
        if peer != "makingof" and peers.why_missing(peer):
            continue
        done = subprocess.run([peers.python(peer), "-c", _COUNT], check=True, capture_output=True, text=True)
        counted = last_json(done.stdout)
        found[peer] = {"mb": round(counted["bytes"] / 1e6, 1), "distributions": len(counted["packages"])}
    return found
