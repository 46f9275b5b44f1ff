import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.logs import KEY, OTHER_KEY, fill, make_log, pending

from makingof.errors import (
    IntegrityError,
    LogForkError,
    MakingofError,
    MalformedError,
    ProofError,
    UsageError,
)
from makingof.tlog.checkpoint import sign_checkpoint
from makingof.tlog.merkle import TreeHead
from makingof.tlog.tiles import (
    ENTRIES,
    Tile,
    list_tiles,
    parse_tile_path,
    read_tile_entries,
    tile_path,
    verify_tiles,
    write_tiles,
)


def files_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A log of 600 entries and its tiles."""
    folder = tmp_path_factory.mktemp("tiles")
    with fill(make_log(folder), 600) as log:
        write_tiles(log, folder / "tiles", log.checkpoint())
    return folder / "tiles"


@pytest.fixture
def tiles(written, tmp_path):
    """A copy of it, to be damaged."""
    for name, data in files_of(written).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    return tmp_path


def test_the_example_of_the_specification():
    paths = [tile_path(tile) for tile in list_tiles(70_000)]
    assert len([path for path in paths if path.startswith("tile/0/")]) == 274
    assert [path for path in paths if path.startswith(("tile/1/", "tile/2/"))] == [
        "tile/1/000",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    ]
    assert "tile/0/273.p/112" in paths
    assert "tile/entries/273.p/112" in paths
    assert [tile_path(tile) for tile in list_tiles(256)] == [
        "tile/entries/000",
        "tile/0/000",
        "tile/1/000.p/1",
    ]
    assert tile_path(Tile(3, 1_234_067)) == "tile/3/x001/x234/067"
    assert list(list_tiles(0)) == []


@given(st.integers(-1, 63), st.integers(0, 2**55), st.integers(1, 256))
@settings(max_examples=100, deadline=None)
def test_parsing_a_path_is_the_inverse_of_making_it(level, index, width):
    tile = Tile(level, index, width)
    assert parse_tile_path(tile_path(tile)) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/0",
        "tile/0/0000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/x000/000",
        "tile/0/001/002",
        "tile/0/x001/x002",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/999",
        "tile/0/000/",
        "/tile/0/000",
        "tile/0/../../000",
        "tile/data/000",
        "tile/0/٠٠٠",
        "tile/0/" + "x001/" * 2000 + "000",
        "checkpoint",
    ],
)
def test_other_paths_are_malformed(path):
    with pytest.raises(MalformedError):
        parse_tile_path(path)


@pytest.mark.parametrize("tile", [Tile(64, 0), Tile(-2, 0), Tile(0, -1), Tile(0, 0, 0), Tile(0, 0, 257)])
def test_there_are_no_other_tiles(tile):
    with pytest.raises(UsageError):
        tile_path(tile)


def test_a_log_is_written_as_tiles_and_read_back(written):
    verified = verify_tiles(written, KEY.public)
    assert verified.checkpoint.size == 600
    assert verified.files == len(list(list_tiles(600))) == len(files_of(written)) - 1
    assert list(read_tile_entries(written, 600)) == [b"entry %d" % number for number in range(600)]


def test_writing_again_adds_what_is_new_and_changes_nothing(tmp_path):
    folder = tmp_path / "tiles"
    with fill(make_log(tmp_path), 255) as log:
        assert write_tiles(log, folder, log.checkpoint()) == 2
        first = files_of(folder)
        assert write_tiles(log, folder, log.checkpoint()) == 0
        fill(log, 2)
        assert write_tiles(log, folder, log.checkpoint()) == 5
        verify_tiles(folder, KEY.public)
        assert {
            name: data for name, data in files_of(folder).items() if name in first and name != "checkpoint"
        } == {name: data for name, data in first.items() if name != "checkpoint"}
        assert write_tiles(log, tmp_path / "older", log.checkpoint(100)) == 2
        verify_tiles(tmp_path / "older", KEY.public)


def test_an_empty_log_is_a_checkpoint_alone(tmp_path):
    with make_log(tmp_path) as log:
        assert write_tiles(log, tmp_path / "tiles", log.checkpoint()) == 0
    assert verify_tiles(tmp_path / "tiles", KEY.public).checkpoint.size == 0


def test_a_folder_with_another_history_is_not_written_over(tmp_path):
    folder = tmp_path / "tiles"
    (tmp_path / "other").mkdir()
    with fill(make_log(tmp_path), 3) as log, make_log(tmp_path / "other", key=OTHER_KEY) as other:
        write_tiles(log, folder, log.checkpoint())
        before = files_of(folder)
        other.append([pending(text) for text in "abc"])
        with pytest.raises(LogForkError):
            write_tiles(other, folder, other.checkpoint())
        assert files_of(folder) == before


def test_one_changed_byte_in_any_file_is_found(tiles):
    for name, data in files_of(tiles).items():
        for place in {0, 1, len(data) // 2, len(data) - 1}:
            (tiles / name).write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
            with pytest.raises(MakingofError):
                verify_tiles(tiles, KEY.public)
        for changed in (data[:-1], data + b"\0", b""):
            (tiles / name).write_bytes(changed)
            with pytest.raises(MakingofError):
                verify_tiles(tiles, KEY.public)
        (tiles / name).unlink()
        with pytest.raises(MalformedError):
            verify_tiles(tiles, KEY.public)
        (tiles / name).write_bytes(data)
    verify_tiles(tiles, KEY.public)


def test_entries_that_were_exchanged_with_their_tiles_are_found(tiles):
    bundle = (tiles / "tile/entries/000").read_bytes()
    (tiles / "tile/entries/000").write_bytes(bundle.replace(b"entry 10", b"ENTRY 10"))
    with pytest.raises(IntegrityError):
        verify_tiles(tiles, KEY.public)


def test_tiles_of_another_log_are_refused(tiles):
    with pytest.raises(ProofError):
        verify_tiles(tiles, OTHER_KEY.public)


def test_a_root_that_is_signed_and_not_that_of_the_tiles_is_found(tiles):
    (tiles / "checkpoint").write_bytes(sign_checkpoint(TreeHead(600, bytes(32)), KEY).to_bytes())
    with pytest.raises(IntegrityError):
        verify_tiles(tiles, KEY.public)


def test_a_huge_file_is_not_read(tiles):
    with (tiles / "tile/0/000").open("r+b") as stream:
        stream.truncate(1 << 40)
    with pytest.raises(MalformedError):
        verify_tiles(tiles, KEY.public)
    assert parse_tile_path("tile/entries/000").level == ENTRIES
