"""`check.html` in a real Chromium: held to the vectors, fed by dialog and drop, hostile text kept text."""

import base64
import json
import shutil
import tarfile
from pathlib import Path

import pytest
from tests.carried_texts import CARRIED, wanted_texts
from tests.packages import make_session, packed, unpack
from tests.vectors.package.packages import FOLDER, told, whole, withheld

from makingof.event import Kind
from makingof.verify.check import check_bundle

pytestmark = pytest.mark.integration
playwright = pytest.importorskip("playwright.sync_api", reason="requirements/integration.txt brings it")

CASES = json.loads((FOLDER / "cases.json").read_text("utf-8"))
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as running:
        started = running.chromium.launch(executable_path=shutil.which("chromium"), headless=True, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(params=["", "#own"], ids=["the browser's cryptography", "our own"])
def page(browser, request):
    """The page as a reader opens it: from disk. Errors of its script and requests of any kind are noted."""
    opened = browser.new_page(viewport={"width": 1100, "height": 1400}, locale="en-GB")
    opened.errors, opened.requested = [], []
    opened.on("pageerror", lambda error: opened.errors.append(str(error)))
    opened.on("dialog", lambda dialog: (opened.errors.append(dialog.message), dialog.dismiss()))
    opened.on("request", lambda asked: opened.requested.append(asked.url))
    opened.goto(f"file://{CARRIED / 'check.html'}{request.param}")
    yield opened
    assert opened.errors == []
    assert {url.partition(":")[0] for url in opened.requested} <= {"file", "blob"}
    opened.close()


@pytest.fixture(scope="module")
def vectors(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("vectors")
    with tarfile.open(FOLDER / "packages.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder


def choose(page, path: Path) -> None:
    """Choose a file in the dialog, and wait for the verdict."""
    page.evaluate("() => { delete result.dataset.outcome; file.value = ''; }")
    page.set_input_files("#file", path)
    page.wait_for_selector("#result[data-outcome]", timeout=60_000)


def failed_steps(page) -> list[str]:
    return page.eval_on_selector_all("#result li.failed", "items => items.map(item => item.dataset.step)")


def test_the_page_says_of_every_vector_what_is_written(page, vectors):
    wrong = []
    for case in CASES:
        choose(page, vectors / f"{case['name']}.zip")
        fails = case["fails"] if "check.html" in case["verifiers"] else None
        outcome = page.get_attribute("#result", "data-outcome")
        if failed_steps(page)[:1] != ([fails] if fails else []) or outcome != (
            "failed" if fails else "passed"
        ):
            wrong.append((case["name"], outcome, failed_steps(page)))
    assert wrong == []


@pytest.mark.parametrize("name", [case["name"] for case in CASES if not case["fails"]])
def test_the_page_says_what_makingof_says_in_both_languages(page, vectors, name):
    report = check_bundle(vectors / f"{name}.zip")
    for language in ("en", "zh"):
        choose(page, vectors / f"{name}.zip")
        for step in report.steps:
            if step.outcome != "passed" or step.name in ("lineage", "views", "carried", "time"):
                continue
            shown = page.inner_text(f"#result li[data-step={step.name}]")
            for message in (step.title, step.message, *step.details):
                assert message.in_language(language) in shown
        page.click("#language")


def test_a_package_can_be_dropped(page, vectors):
    data = (vectors / "whole.zip").read_bytes()
    transfer = page.evaluate_handle(
        """data => {
            const transfer = new DataTransfer();
            const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
            transfer.items.add(new File([bytes], "p.zip"));
            return transfer;
        }""",
        base64.b64encode(data).decode(),
    )
    page.dispatch_event("#drop", "drop", {"dataTransfer": transfer})
    page.wait_for_selector("#result[data-outcome=passed]", timeout=20_000)


def test_the_page_says_what_it_leaves_to_others(page, vectors):
    choose(page, vectors / "deposited.zip")
    text = page.inner_text("#result")
    for key in ("skipped_time_openssl", "skipped_lineage_here", "skipped_views_here", "skipped_carried_here"):
        assert wanted_texts()[key]["en"].partition("{")[0].strip() in text
    assert "never proved" in text
    assert "one of several" in text


HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"


def test_hostile_text_is_shown_and_never_becomes_part_of_the_page(page, tmp_path):
    def poison(description):
        for file in description["files"]:
            file["sm3"] = HOSTILE
        description["made_with"] = HOSTILE

    (tmp_path / "words.zip").write_bytes(told(whole(), poison))
    choose(page, tmp_path / "words.zip")
    assert HOSTILE in page.inner_text("#result")
    assert page.locator("#result script").count() == 0
    assert page.locator("#result img[src=x]").count() == 0
    bad_name = packed({**whole(), "data/<svg onload=alert(3)>": b"x"})
    (tmp_path / "name.zip").write_bytes(bad_name)
    choose(page, tmp_path / "name.zip")
    assert failed_steps(page) == ["container"]
    assert page.locator("#result svg").count() == 0


def test_pictures_are_shown_and_a_picture_that_is_none_does_no_harm(page, tmp_path):
    (tmp_path / "p.zip").write_bytes(packed(withheld()))
    choose(page, tmp_path / "p.zip")
    page.wait_for_function("() => [...document.querySelectorAll('td img')].every(image => image.complete)")
    widths = page.eval_on_selector_all("td img", "images => images.map(image => image.naturalWidth)")
    assert widths == [8, 8, 8]


def test_a_large_file_is_hashed_piece_by_piece(page, tmp_path):
    session = make_session()
    large = bytes(1 << 20) * 160
    file = session.archive.picture(large, apart=False)[0]
    told_large = session.archive.history.tell(Kind.GENERATED, file)
    (tmp_path / "large.zip").write_bytes(session.archive.package(told_large.file()))
    choose(page, tmp_path / "large.zip")
    assert page.get_attribute("#result", "data-outcome") == "passed"


def test_a_reader_sees_it(page, vectors, tmp_path):
    """Looked at by eye when it was made; here only that there is something to see."""
    choose(page, vectors / "withheld.zip")
    page.click("#language")
    page.screenshot(path=tmp_path / "zh.png", full_page=True)
    assert (tmp_path / "zh.png").stat().st_size > 50_000
    assert page.get_attribute("html", "lang") == "zh-CN"
    assert "核验步骤" in page.inner_text("#result")


def test_the_first_page_of_a_package_needs_no_script(browser, tmp_path):
    session = make_session()
    path = tmp_path / "first.html"
    path.write_bytes(unpack(session.archive.package(session.final))["00-READ-ME-FIRST.html"])
    opened = browser.new_page(java_script_enabled=False)
    opened.goto(f"file://{path}")
    assert "请自行取得核验程序" in opened.inner_text("body")
    assert opened.locator("tbody tr").count() == 4
    assert opened.locator("script, a, img, iframe").count() == 0
    opened.screenshot(path=tmp_path / "first.png", full_page=True)
    opened.close()
