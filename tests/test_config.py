from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makingof.config import Settings, find_archive_path, state_path
from makingof.errors import MalformedError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(TEXT, st.lists(TEXT, max_size=3), TEXT)
def test_settings_read_back(owner, authorities, blobs):
    settings = Settings(owner=owner, authorities=tuple(authorities), blobs=blobs)
    assert Settings.parse(settings.to_text()) == settings


@pytest.mark.parametrize(
    "text", ["owner = 1", "authorities = 'x'", "colour = 'red'", "owner = ", "watched = [1]"]
)
def test_settings_that_mean_nothing_are_refused_by_name(text):
    with pytest.raises(MalformedError):
        Settings.parse(text)


def test_the_environment_moves_the_state_folder_and_the_archive(tmp_path):
    assert state_path({"MAKINGOF_STATE": "/x"}) == Path("/x")
    assert find_archive_path({"MAKINGOF_ARCHIVE": "/y"}, tmp_path) == Path("/y")


def test_an_archive_is_found_by_walking_up(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    archive = tmp_path / ".makingof"
    archive.mkdir()
    assert find_archive_path({"HOME": "/home/x"}, tmp_path / "a" / "b") == Path("/home/x/.makingof")
    (archive / "log.sqlite").touch()
    assert find_archive_path({"HOME": "/home/x"}, tmp_path / "a" / "b") == archive


def test_an_archive_that_may_not_be_entered_is_not_passed_over_for_another(tmp_path, monkeypatch):
    def refuse(path):
        if path.parent == tmp_path / ".makingof":
            raise PermissionError(13, "Permission denied", str(path))
        return False

    monkeypatch.setattr(Path, "exists", refuse)
    found = find_archive_path({"HOME": str(tmp_path / "home")}, tmp_path / "deep")
    assert found == tmp_path / ".makingof"
