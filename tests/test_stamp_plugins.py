"""Authorities from other packages."""

from importlib.metadata import EntryPoint

import pytest

from makingof.errors import UsageError
from makingof.stamp.plugins import GROUP, load_authority

MODULE = """
class Platform:
    name = "platform"

    def request(self, message):
        return message

class Mute:
    name = "mute"

def broken():
    raise RuntimeError("no contract")
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Install a package the way pip leaves one behind."""
    (tmp_path / "platform_of_tests.py").write_text(MODULE)
    info = tmp_path / "platform_of_tests-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: platform-of-tests\nVersion: 1\n")
    lines = [f"{name} = platform_of_tests:{value}" for name, value in ENTRIES.items()]
    (info / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *lines]) + "\n")
    monkeypatch.syspath_prepend(str(tmp_path))


ENTRIES = {"platform": "Platform", "mute": "Mute", "broken": "broken", "gone": "Gone"}


def test_an_installed_authority_is_found_by_its_name(installed):
    assert load_authority("platform").request(b"checkpoint") == b"checkpoint"
    assert load_authority("nobody") is None


@pytest.mark.parametrize(
    ("name", "why"), [("broken", "no contract"), ("gone", "Gone"), ("mute", "no request")]
)
def test_an_authority_that_does_not_work_is_not_left_out_in_silence(installed, name, why):
    with pytest.raises(UsageError, match=why):
        load_authority(name)


def test_only_the_group_given_is_looked_at():
    entry = EntryPoint("one", "nowhere:nothing", GROUP)
    assert load_authority("two", among=[entry]) is None
    with pytest.raises(UsageError, match="nowhere"):
        load_authority("one", among=[entry])
