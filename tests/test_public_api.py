import subprocess
import sys

import pytest

import makingof

PINNED = [
    "Archive",
    "open_archive",
    "create_archive",
    "Observation",
    "Attachment",
    "Reading",
    "read_records",
    "Event",
    "Kind",
    "Source",
    "Part",
    "Person",
    "Means",
    "Digest",
    "Lineage",
    "Finding",
    "Outcome",
    "Pack",
    "check_bundle",
    "Report",
    "record",
    "record_loading",
    "MakingofError",
    "record_calls",
]


def test_the_public_names_are_these_and_all_resolve():
    assert makingof.__all__ == PINNED
    assert all(getattr(makingof, name) is not None for name in PINNED)


def test_another_name_is_none():
    with pytest.raises(AttributeError):
        makingof.nothing_of_the_kind  # noqa: B018 - resolving it is the test


def test_importing_the_package_loads_none_of_it():
    code = "import sys, makingof; print([name for name in sys.modules if name.startswith('makingof.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_loads_neither_the_index_nor_pillow():
    code = (
        "import sys; from makingof.cli.main import run; run(['--help'], {});"
        "loaded = {'makingof.index', 'PIL', 'cryptography', 'rich', 'msgspec'} & set(sys.modules);"
        "assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
