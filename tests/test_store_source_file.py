"""Files that are not ours: hashed through one handle, and refused when they change meanwhile."""

import os

import pytest

from makingof.digest import Digest
from makingof.errors import SourceError
from makingof.store.base import Failure
from makingof.store.source_file import ChangedError, Hashed, SourceFile, hash_many, read_steadily


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"picture")
    return path


def read_and(change):
    """Read a file whole, let something happen to it, and ask whether it stayed the same."""

    def read(source):
        data = bytes(source.read_whole())
        change(source.path)
        source.require_unchanged(len(data))
        return data

    return read


def grow(path):
    with path.open("ab") as stream:
        stream.write(b"!")


def rewrite(path):
    path.write_bytes(b"PICTURE")
    os.utime(path, ns=(1, 1))


def shrink(path):
    os.truncate(path, 3)


def save_by_rename(path):
    path.with_suffix(".tmp").write_bytes(b"picture")
    path.with_suffix(".tmp").rename(path)


@pytest.mark.parametrize("change", [grow, rewrite, save_by_rename])
def test_a_change_is_noticed(change, path):
    with SourceFile.open(path) as source, pytest.raises(ChangedError, match=r"a\.png changed while"):
        read_and(change)(source)


def test_bytes_that_are_fewer_than_the_size_are_a_change(path):
    with SourceFile.open(path) as source, pytest.raises(ChangedError):
        source.require_unchanged(source.size_bytes - 1)


def test_a_file_deleted_while_it_was_read_has_not_changed(path):
    assert read_steadily(path, read_and(lambda path: path.unlink())) == b"picture"


def test_a_file_renamed_while_it_was_read_has_not_changed(path):
    assert read_steadily(path, read_and(lambda path: path.rename(path.with_suffix(".old")))) == b"picture"


def test_a_link_is_read_through(path, tmp_path):
    (tmp_path / "link").symlink_to(path)
    assert read_steadily(tmp_path / "link", read_and(lambda _path: None)) == b"picture"


def test_reading_starts_again_after_a_change(path):
    changes = [lambda _path: None, shrink, grow]

    def change_less(path):
        changes.pop()(path)

    assert read_steadily(path, read_and(change_less)) == b"pic"


def test_reading_gives_up_on_a_file_that_goes_on_changing(path):
    with pytest.raises(ChangedError) as caught:
        read_steadily(path, read_and(grow))
    assert "wait until the program" in str(caught.value.hint)
    assert path.read_bytes() == b"picture!!!"


def test_a_disk_that_cannot_read_the_file_is_a_source_error(path):
    def fail(_source):
        raise OSError(5, "input/output error")

    with pytest.raises(SourceError, match="could not be read: input/output error"):
        read_steadily(path, fail)


def test_a_file_without_permission_is_a_source_error(path):
    if os.geteuid() == 0:
        path.unlink()
        path.mkdir()
    else:
        path.chmod(0)
    with pytest.raises(SourceError, match="could not be read"):
        SourceFile.open(path)


def test_large_files_are_hashed_piece_by_piece(tmp_path):
    data = os.urandom(1 << 20) * 3 + b"tail"
    (tmp_path / "large").write_bytes(data)
    with SourceFile.open(tmp_path / "large") as source:
        assert Digest.of_file(source.stream) == (Digest.of(data), len(data))


def test_many_files_are_hashed_in_order_and_left_alone(tmp_path):
    paths = []
    for number in range(150):
        paths.append(tmp_path / f"{number}.png")
        if number != 77:
            paths[-1].write_bytes(b"%d" % number)
    seen = []
    results = list(
        hash_many(
            iter(paths), lambda stream, _path: stream.read(1), lambda path, size: seen.append((path, size))
        )
    )
    assert [result.path for result in results] == paths
    assert isinstance(results[77], Failure)
    hashed = [result for result in results if isinstance(result, Hashed)]
    assert len(hashed) == 149
    for result in hashed:
        data = result.path.read_bytes()
        assert (result.digest, result.size_bytes, result.seen) == (Digest.of(data), len(data), data[:1])
        assert result.modified_ns == result.path.stat().st_mtime_ns
    assert seen == [(result.path, result.size_bytes) for result in hashed]


def test_hashing_may_stop_early(tmp_path):
    for number in range(100):
        (tmp_path / f"{number}.png").write_bytes(b"")
    run = hash_many(sorted(tmp_path.iterdir()), lambda _stream, _path: None)
    assert isinstance(next(run), Hashed)
    run.close()


def test_what_looks_at_a_file_that_changes_is_not_believed(path):
    def look(stream, path):
        grow(path)
        return stream.read()

    (failure,) = hash_many([path], look)
    assert isinstance(failure, Failure)
    assert isinstance(failure.error, ChangedError)
