"""Clip Studio, on synthesised files: layers out of SQLite, preview, time-lapse; and SQLite as a weapon."""

import pytest
from tests.documents.clipstudio import BLOBS, make_database, write_clip
from tests.documents.drawing import DRAWING, Drawn, merged, names, png

from makingof.errors import MalformedError
from makingof.metadata.documents.database import Database
from makingof.metadata.documents.document import LayerKind
from makingof.metadata.documents.read import read_document


def test_the_canvas_preview_is_the_png_in_the_database():
    data = write_clip()
    (picture,) = read_document(data).pictures
    assert (picture.media_type, picture.width, picture.height) == ("image/png", 96, 80)
    assert picture.stored.read(data) == png(merged())
    assert picture.stored.locator.place == "CanvasPreview.ImageData[1]"


def test_the_time_lapse_is_listed_with_its_data():
    data = write_clip()
    recordings = read_document(data).recordings
    assert [recording.number for recording in recordings] == [1, 2]
    assert all(len(recording.stored.read(data)) == recording.size_bytes for recording in recordings)
    assert read_document(write_clip(blobs=[])).recordings == ()


def test_a_recording_whose_data_is_gone_is_said():
    document = read_document(
        write_clip(blobs=BLOBS, edit="UPDATE TimeLapseBlob SET BlobData = x'00' WHERE MainId = 2")
    )
    assert [recording.stored is None for recording in document.recordings] == [False, True]
    assert "is not in the file" in document.damage[0].what


def test_project_facts_are_claims():
    document = read_document(write_clip())
    assert document.claim("title") == "猫 cat"
    assert document.claim("tool:ProjectInternalVersion") == "1.1.0"


def test_a_canvas_in_millimetres_is_not_turned_into_pixels():
    document = read_document(write_clip(unit=2))
    assert (document.width, document.height) == (None, None)
    assert document.claim("tool:canvas size") == "96.0 x 80.0 mm, 72.0 dpi"


def with_column(name):
    edit = "ALTER TABLE Layer ADD COLUMN NAME; UPDATE Layer SET NAME = 0, LayerType = 0"
    return edit.replace("NAME", name)


@pytest.mark.parametrize(
    ("edit", "kind"),
    [
        ("UPDATE Layer SET LayerType = 4098 WHERE MainId = 16", LayerKind.ADJUSTMENT),
        ("UPDATE Layer SET LayerType = 1584 WHERE MainId = 16", LayerKind.FILL),
        ("UPDATE Layer SET LayerType = 0 WHERE MainId = 16", LayerKind.OTHER),
        (with_column("TextLayerType"), LayerKind.TEXT),
        (with_column("VectorNormalType"), LayerKind.VECTOR),
        (with_column("ResizableOriginalMipmap").replace(" = 0, L", " = 3, L"), LayerKind.EMBEDDED),
    ],
)
def test_kinds_are_told_by_the_columns_that_are_there(edit, kind):
    assert read_document(write_clip(edit=edit)).layers[-1].kind is kind


def test_a_mask_is_counted():
    document = read_document(write_clip((Drawn("a", mask="m", id=5), Drawn("b", id=6))))
    assert [layer.masks for layer in document.layers] == [("",), ()]


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        ("UPDATE Layer SET LayerNextIndex = 16 WHERE MainId = 12", "in a ring"),
        ("UPDATE Layer SET LayerFirstChildIndex = 12 WHERE MainId = 12", "in a ring"),
        ("UPDATE Layer SET LayerNextIndex = 9999 WHERE MainId = 12", "leads nowhere"),
        (
            "INSERT INTO Layer(MainId, LayerName) VALUES (500, 'lost')",
            "hang on nothing and are not listed: 1",
        ),
        ("UPDATE Canvas SET CanvasRootFolder = 77", "root folder 77 is not there"),
    ],
)
def test_links_that_lead_in_a_ring_or_nowhere_are_cut_and_said(edit, reason):
    document = read_document(write_clip(edit=edit))
    assert any(reason in damage.what for damage in document.damage)


@pytest.mark.parametrize(
    "column", ["LayerUuid", "LayerOpacity", "LayerVisibility", "LayerName", "LayerLayerMaskMipmap"]
)
def test_a_column_that_a_version_lacks_is_absent(column):
    document = read_document(write_clip(edit=f"ALTER TABLE Layer DROP COLUMN {column}"))
    assert len(list(document.walk())) == len(list(names(DRAWING)))
    assert not document.damage


def test_tables_that_a_version_lacks_are_absent():
    document = read_document(
        write_clip(edit="DROP TABLE Project; DROP TABLE CanvasPreview; DROP TABLE TimeLapseBlob")
    )
    assert list(names(document.layers)) == list(names(DRAWING))
    assert (document.pictures, document.recordings) == ((), ())


@pytest.mark.parametrize(
    "content", [b"", b"SQLite format 3\0", b"SQLite format 3\0" + bytes(5000), b"x" * 5000]
)
def test_a_database_that_does_not_open_is_said(content):
    document = read_document(write_clip(database=content))
    assert (document.format, document.layers) == ("clip", ())
    assert document.damage[0].where == "CHNKSQLi"


def test_a_damaged_database_is_said():
    content = bytearray(make_database())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    document = read_document(write_clip(database=bytes(content)))
    assert any("does not read" in damage.what for damage in document.damage)


@pytest.mark.parametrize("word", [b"LayerName", b"sqlite_autoindex", b"CREATE TABLE Layer", b"CanvasWidth"])
def test_a_schema_that_is_no_text_is_said(word):
    """The driver decodes names of columns and its own messages itself, and strictly."""
    content = make_database().replace(word, b"\xff" * len(word))
    assert read_document(write_clip(database=content)).format == "clip"


def test_a_database_with_a_write_ahead_log_is_read_without_it(tmp_path):
    """Bytes 18 and 19 say "WAL"; a copy in memory could not be opened."""
    content = make_database()
    assert list(
        names(read_document(write_clip(database=content[:18] + b"\2\2" + content[20:])).layers)
    ) == list(names(DRAWING))


def test_a_chunk_that_claims_more_than_the_file_is_cut_and_said():
    document = read_document(write_clip(declared=1 << 40))
    assert any("are claimed" in damage.what for damage in document.damage)
    assert list(names(document.layers)) == list(names(DRAWING))


def test_the_head_knows_the_database_where_the_chunks_break_off():
    data = bytearray(write_clip())
    at = data.index(b"CHNKExta") + 8
    data[at : at + 8] = b"\xff" * 8
    document = read_document(bytes(data))
    assert list(names(document.layers)) == list(names(DRAWING))
    assert read_document(write_clip(hint=1 << 50)).layers
    data[24 + 24 : 24 + 32] = b"\xff" * 8
    assert read_document(bytes(data)).layers == ()


@pytest.mark.parametrize("cut", [8, 20, 30, 100, 500, 3000])
def test_a_file_cut_anywhere_is_still_a_document(cut):
    assert read_document(write_clip()[:cut]).format == "clip"


ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x AS MainId FROM c"


@pytest.mark.parametrize(
    "edit",
    [
        f"DROP TABLE Layer; CREATE VIEW Layer AS {ENDLESS}",
        f"DROP TABLE Canvas; CREATE VIEW Canvas AS {ENDLESS}",
        "DROP TABLE Layer; CREATE VIRTUAL TABLE Layer USING fts5(MainId, LayerName)",
    ],
)
def test_a_table_that_is_none_has_no_rows(edit):
    assert read_document(write_clip(edit=edit)).layers == ()


def test_a_schema_cannot_call_functions():
    """A generated column is worked out as it is read."""
    made = "ALTER TABLE Layer ADD COLUMN LayerUuid AS (hex(zeroblob(100000000)))"
    document = read_document(write_clip(edit=f"ALTER TABLE Layer RENAME COLUMN LayerUuid TO u; {made}"))
    assert [layer.id for layer in document.layers] == ["11", "12", "16"]  # the column counts as not there


def test_only_reading_is_allowed():
    content = make_database()
    with Database.open(content, 0, len(content)) as database:
        for statement in (
            "DROP TABLE Layer",
            "ATTACH 'x' AS y",
            "PRAGMA writable_schema = ON",
            "SELECT load_extension('x')",
        ):
            with pytest.raises(MalformedError):
                database._fetch(statement)


def test_more_rows_than_any_drawing_has_are_malformed():
    many = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 100001) SELECT x FROM c"
    document = read_document(write_clip(edit=f"INSERT INTO Layer(MainId) {many}"))
    assert any("more than 100000 rows" in damage.what for damage in document.damage)


def test_an_answer_of_a_hundred_megabytes_is_malformed():
    document = read_document(write_clip(edit="UPDATE Layer SET LayerName = hex(zeroblob(7000000))"))
    assert any("bytes to one question" in damage.what for damage in document.damage)


def test_an_endless_statement_is_stopped():
    content = make_database()
    with Database.open(content, 0, len(content)) as database:
        database._connection.set_authorizer(None)
        with pytest.raises(MalformedError, match="interrupted"):
            database._fetch(ENDLESS.replace("SELECT x AS", "SELECT count(x) AS"))


def test_nothing_is_written_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    read_document(write_clip())
    assert list(tmp_path.iterdir()) == []
