"""One algorithm: the package vectors against `makingof verify` and `verify.py`; a browser has them too."""

import ast
import importlib.util
import io
import json
import subprocess
import sys
import tarfile
import zipfile
from functools import cache
from pathlib import Path

import pytest
from tests.carried_texts import CARRIED, texts_of, wanted_texts
from tests.flips import NOBODY
from tests.vectors.package.make import FOLDER, cases

from makingof.verify.check import STEPS, check_bundle
from makingof.verify.report import Outcome

CASES = json.loads((FOLDER / "cases.json").read_text("utf-8"))


@cache
def packages() -> dict[str, bytes]:
    with tarfile.open(FOLDER / "packages.tar.xz") as archive:
        return {item.name.removesuffix(".zip"): archive.extractfile(item).read() for item in archive}


@cache
def script():
    """`verify.py` as a module, as it lies in every package."""
    spec = importlib.util.spec_from_file_location("carried_verify", CARRIED / "verify.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_script(path: Path):
    run = script().Run(str(path))
    run.check()
    return run


def by_name(case):
    return case["name"]


def test_the_vectors_are_what_their_script_writes():
    made = list(cases())
    assert {case.name: case.data for case in made} == packages()
    listed = [{"name": case.name, "fails": case.fails, "verifiers": list(case.verifiers)} for case in made]
    assert listed == CASES


@pytest.mark.parametrize("case", CASES, ids=by_name)
def test_makingof_says_of_a_vector_what_is_written(case):
    report = check_bundle(packages()[case["name"]], trust=NOBODY)
    assert [step.name for step in report.failures][:1] == ([case["fails"]] if case["fails"] else [])
    assert "\n".join(report.lines("zh"))


@pytest.mark.parametrize("case", CASES, ids=by_name)
def test_the_script_says_of_a_vector_what_is_written(case, tmp_path):
    path = tmp_path / "p.zip"
    path.write_bytes(packages()[case["name"]])
    run = run_script(path)
    failed = [step[0] for step in run.steps if step[1] == "failed"]
    fails = case["fails"] if "verify.py" in case["verifiers"] else None
    assert failed[:1] == ([fails] if fails else [])


@pytest.mark.parametrize("name", [case["name"] for case in CASES if not case["fails"]])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_both_say_the_same_words_where_they_do_the_same(name, language, tmp_path):
    path = tmp_path / "p.zip"
    path.write_bytes(packages()[name])
    report = check_bundle(path)
    run = run_script(path)
    ours = {step.name: step for step in report.steps}
    for step, outcome, key, values, details, _ in run.steps:
        if outcome != "passed":
            continue
        assert script().say(language, key, **values) == ours[step].message.in_language(language)
        said = [script().say(language, detail, **known) for detail, known in details]
        assert said == [detail.in_language(language) for detail in ours[step].details]


def test_the_script_runs_alone_and_says_what_it_leaves_to_others(tmp_path):
    good, bad = tmp_path / "good.zip", tmp_path / "bad.zip"
    good.write_bytes(packages()["deposited"])
    bad.write_bytes(packages()["changed_picture"])
    # -I and -S: neither this environment nor site-packages
    command = [sys.executable, "-I", "-S", str(CARRIED / "verify.py"), "--lang", "en"]
    passed = subprocess.run([*command, str(good)], capture_output=True, text=True, check=False)
    failed = subprocess.run([*command, str(bad)], capture_output=True, text=True, check=False)
    wrong = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (passed.returncode, failed.returncode, wrong.returncode) == (0, 1, 2)
    assert "left to openssl: receipts in data/stamps: 1" in passed.stdout
    assert failed.stdout.startswith("This package does NOT check")
    assert "data/files/0001.png" in failed.stdout
    assert not passed.stderr + failed.stderr


def test_the_script_never_lets_a_package_move_the_cursor():
    said = script().say("en", "copy_lacks", number=1, pieces="\x1b[2J\x1b[Hok\u202e", bytes=1)
    assert said.isprintable()


def test_the_script_reads_an_unpacked_folder(tmp_path):
    with zipfile.ZipFile(io.BytesIO(packages()["whole"])) as archive:
        archive.extractall(tmp_path)  # noqa: S202 - our own vector
    assert not [step for step in run_script(tmp_path).steps if step[1] == "failed"]


def test_the_script_is_written_for_old_pythons():
    source = (CARRIED / "verify.py").read_text("utf-8")
    compile(source, "verify.py", "exec", dont_inherit=True)
    ast.parse(source, feature_version=(3, 8))


@pytest.mark.parametrize("name", ["verify.py", "check.html"])
def test_the_carried_verifiers_hold_the_words_of_the_catalogue(name):
    assert texts_of(name) == wanted_texts()  # python -m tests.carried_texts writes them anew


def test_every_step_has_its_words():
    texts = wanted_texts()
    for step in STEPS:
        assert f"title_{step}" in texts
        if step != "findings":
            assert f"passed_{step}" in texts
            assert f"failed_{step}" in texts
    assert {str(outcome) for outcome in Outcome} <= texts.keys()


def test_the_page_holds_no_way_to_make_a_package_part_of_it():
    source = (CARRIED / "check.html").read_text("utf-8")
    for forbidden in (
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "document.write",
        "eval(",
        "fetch(",
        "XMLHttpRequest",
        "http:",
        "https:",
        "import(",
    ):
        assert forbidden not in source, forbidden
    assert "default-src 'none'" in source
