"""The documentation says what the program does: headings, links, generated pages."""

import inspect
import re
import tomllib
from pathlib import Path
from urllib.parse import unquote

import click
import pytest

from docs import make_cli, make_layers, make_start
from makingof import errors
from makingof.cli.main import COMMANDS, program
from makingof.config import Settings
from makingof.texts import load_area

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(
    [path for path in DOCS.rglob("*.md") if "site" not in path.relative_to(DOCS).parts]
    + [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")]
)
CLASSES = [
    item for _, item in inspect.getmembers(errors, inspect.isclass) if issubclass(item, errors.MakingofError)
]

_LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)\)")
_FENCE = re.compile(r"^(```+).*?^\1$", re.MULTILINE | re.DOTALL)


def prose(path):
    return _FENCE.sub("", path.read_text("utf-8"))


def anchors(path):
    """Slug headings as the site does: lower case, words joined by hyphens."""
    found = re.findall(r"^#+ (.*)$", prose(path), re.MULTILINE)
    plain = [re.sub(r"[^\w\s-]", "", heading.replace("`", "")).strip().lower() for heading in found]
    return {re.sub(r"[-\s]+", "-", heading) for heading in plain}


def relative(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_every_internal_link_resolves(page):
    for link in _LINK.findall(prose(page)):
        target, _, anchor = link.partition("#")
        if target.startswith(("http://", "https://")):
            continue
        other = page if target == "" else (page.parent / unquote(target)).resolve()
        assert other.exists(), f"{link} leads nowhere"
        if anchor:
            assert anchor in anchors(other), f"{link} leads to no heading"


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_a_page_says_what_it_is_and_promises_nothing(page):
    text = page.read_text("utf-8")
    assert text.startswith("# ")
    assert not re.search(r"\b(TODO|FIXME|TBD|lorem ipsum|coming soon)\b", text, re.IGNORECASE)


def test_every_page_of_the_site_is_in_its_navigation():
    listed = set(re.findall(r"[\w./-]+\.md", (ROOT / "mkdocs.yml").read_text("utf-8")))
    assert {str(page.relative_to(DOCS)) for page in PAGES if page.is_relative_to(DOCS)} == listed


def test_the_command_page_is_what_the_program_says():
    assert make_cli.PAGE.read_text("utf-8") == make_cli.page(), "run docs/make_cli.py"


def test_the_first_image_is_recorded_as_the_page_shows(tmp_path):
    page = make_start.PAGE.read_text("utf-8")
    now = make_start.refreshed(page, tmp_path)
    assert make_start.constant(now) == make_start.constant(page), "run docs/make_start.py"


def test_every_command_has_its_heading():
    assert make_cli.missing() == []
    assert set(COMMANDS) <= anchors(make_cli.PAGE)


def commands_in(page):
    """Yield (command, its options) for every use of the program on a page, in blocks and in running text."""
    text = page.read_text("utf-8").replace("\\\n", " ")
    for name, rest in re.findall(r"(?:^|[\s`$/])makingof ([a-z]+)\b([^`\n]*)", text):
        words = re.sub(r"\"[^\"]*\"", "TEXT", rest).split()
        if name in COMMANDS:
            yield name, [word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)]


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_every_option_a_page_uses_is_one_its_command_has(page):
    root = program()
    context = click.Context(root)
    for name, options in commands_in(page):
        known = {spelling for item in root.get_command(context, name).params for spelling in item.opts}
        assert set(options) <= known | {"--help"}, f"makingof {name}"


def test_uses_of_the_program_are_found():
    assert ("keep", ["--final", "--title"]) in list(commands_in(make_start.PAGE))


def test_every_command_has_a_help_text():
    assert set(COMMANDS) <= load_area("help").keys()


def test_the_picture_of_the_layers_is_current():
    assert make_layers.PICTURE.read_text("utf-8") == make_layers.draw(make_layers.layers()), (
        "run docs/make_layers.py"
    )


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_every_error_class_has_a_heading_with_its_exit_code(error):
    text = (DOCS / "reference" / "errors.md").read_text("utf-8")
    _, _, section = text.partition(f"\n## {error.__name__}\n\n")
    assert section.startswith(f"Exit code {error.exit_code}.")


def test_every_exit_code_is_in_the_table():
    text = (DOCS / "reference" / "errors.md").read_text("utf-8")
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)}
    assert listed == {0, 130} | {error.exit_code for error in CLASSES}


def test_every_setting_is_in_the_table_and_the_example_parses():
    text = (DOCS / "reference" / "settings.md").read_text("utf-8")
    settings = set(Settings.__dataclass_fields__)
    listed = set(re.findall(r"^\| `(\w+)` \|", text.partition("## Environment")[0], re.MULTILINE))
    assert listed == settings
    example = re.search(r"```toml\n(.*?)```", text, re.DOTALL)[1]
    assert tomllib.loads(example).keys() == settings
    Settings.parse(example)


def test_every_environment_variable_is_in_the_table():
    text = (DOCS / "reference" / "settings.md").read_text("utf-8")
    source = "".join(path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py"))
    assert set(re.findall(r'"(MAKINGOF_\w+)"', source)) == set(
        re.findall(r"^\| `(MAKINGOF_\w+)`", text, re.MULTILINE)
    )


@pytest.mark.parametrize("picture", sorted((DOCS / "img").glob("*.svg")), ids=lambda path: path.name)
def test_a_picture_fetches_nothing_is_readable_in_dark_and_says_what_it_shows(picture):
    text = picture.read_text("utf-8")
    assert "prefers-color-scheme: dark" in text
    assert "<title" in text
    assert "<desc" in text
    assert set(re.findall(r"https?://[^\"'\s]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "<script" not in text
