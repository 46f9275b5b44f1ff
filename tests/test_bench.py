"""The bench runs: every row's own side with the smallest sizes, no peer installed."""

from pathlib import Path

import pytest
from bench import report
from bench.corpus import make_corpus
from bench.labelled import FACTS, write_labelled
from bench.measuring import ROOT, last_json
from bench.ours import JOBS

POINTS = [
    {"size": 1_000, "grouped_us": 40.0, "single_us": 900.0, "proof_hashes": 11, "proof_us": 60.0}
    | {"bytes_per_entry": 1400.0},
    {"size": 10_000, "grouped_us": 41.0, "single_us": 930.0, "proof_hashes": 14, "proof_us": 70.0}
    | {"bytes_per_entry": 1410.0},
]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures") / "made"
    make_corpus(folder, 4)
    return folder


@pytest.fixture
def run(capsys, monkeypatch):
    """Do one of our jobs in a folder, and return what it printed."""

    def do(folder, job, *arguments):
        folder.mkdir(exist_ok=True)
        monkeypatch.chdir(folder)
        JOBS[job](*map(str, arguments))
        return last_json(capsys.readouterr().out)

    return do


@pytest.mark.parametrize("job", ["import_held", "import_in_place", "copy_sync_hash", "hash_alone"])
def test_pictures_are_taken_in_and_timed(run, pictures, tmp_path, job):
    assert run(tmp_path, job, pictures)["seconds"] > 0


@pytest.mark.parametrize(
    ("job", "arguments", "key"),
    [
        ("save_pictures", [2], "stall"),
        ("save_pictures_hooked", [2], "stall"),
        ("watch_folder", [5, 1], "latency"),
        ("drain_spool", [3, 800], "handovers"),
    ],
)
def test_recording_while_a_tool_runs_is_timed(run, tmp_path, job, arguments, key):
    said = run(tmp_path / "work", job, *arguments)
    assert said["seconds"] > 0
    assert said[key] > 0


def test_the_package_that_is_made_is_verified(run, pictures, tmp_path):
    run(tmp_path, "make_package", pictures, "p.zip")
    assert run(tmp_path, "verify_package", "p.zip")["steps"] > 10


def test_the_log_that_is_filled_is_verified(run, tmp_path):
    run(tmp_path, "fill_log", 8, 5)
    assert run(tmp_path, "verify_log", "archive/log.sqlite")["entries"] == 9


def test_a_log_of_headers_grows_and_is_verified(run, tmp_path):
    points = run(tmp_path, "grow_log", 1_000)["points"]
    assert (points[0]["size"], points[0]["proof_hashes"]) == (1_000, 11)


def test_the_labelled_set_is_read_without_a_fault(run, tmp_path):
    expected = write_labelled(tmp_path / "set")
    listed = tmp_path / "listed"
    listed.write_text("".join(f"{path}\n" for path in expected), encoding="utf-8")
    answers = run(tmp_path, "read_labelled", listed)["answers"]
    assert {path: {fact: answers[path][fact] for fact in FACTS} for path in expected} == expected


def test_the_files_of_a_list_are_read_and_timed(run, tmp_path):
    listed = tmp_path / "listed"
    listed.write_text("".join(f"{path}\n" for path in write_labelled(tmp_path / "set")), encoding="utf-8")
    assert run(tmp_path, "read_listed", listed, 2)["seconds"] > 0


def test_the_table_says_what_was_not_measured_and_which_target_was_missed():
    row = {"key": "import", "title": "Import", "unit": "pictures", "notes": [], "facts": {}}
    row["counts"] = {"ours": 10}
    row["measured"] = [
        {
            "name": "ours",
            "seconds": [2.0, 1.0, 3.0],
            "syncs": 4,
            "missing": "",
            "note": "",
            "said": {"cpu": 1.0},
        },
        {"name": "peer", "seconds": [], "syncs": None, "missing": "could not be installed", "note": ""},
    ]
    row["targets"] = [
        {"text": "beside it", "goal": 0.8, "found": 0.5, "at_least": True, "unit": "×", "met": False}
    ]
    growth = {"key": "growth", "title": "Growth", "targets": [], "facts": {"points": POINTS}}
    machine = {"cores": 2, "memory_gib": 24, "kernel": "Linux", "python": "3.11", "load": 0.1}
    text = report.table({"machine": machine, "rows": {"import": row, "growth": growth}})
    assert "| peer | – | – | – | – | not measured: could not be installed |" in text
    assert "| ours | 5 | 10 | 2.00 (1.00–3.00) | 4 |  |" in text
    assert "| ≥ 0.80 × | 0.50 × | **no** |" in text


def test_the_plot_is_one_picture_without_a_script():
    drawn = report.plot(POINTS)
    assert drawn.startswith("<svg ")
    assert drawn.count("<circle") == 2 * len(POINTS)
    assert "<script" not in drawn


def test_the_page_holds_the_marks_the_report_writes_between():
    page = (Path(ROOT) / "docs" / "reference" / "performance.md").read_text(encoding="utf-8")
    assert page.count("<!-- measured: begin -->") == page.count("<!-- measured: end -->") == 1
    assert "make bench" in page
