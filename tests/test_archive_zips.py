"""Zips as services hand them out: read like the folder they hold, without escapes, bombs or losses."""

import json
import os
import zipfile
import zlib

import pytest
from tests.documents.zipped import deflate, end, entry, local, write_zip
from tests.exports import (
    JOBS,
    Invoke,
    asset,
    channel,
    chat,
    conversation,
    fooocus_log,
    fooocus_values,
    invoke_metadata,
    log_csv,
    message,
    midjourney_job,
    sent,
    sent_csv,
)
from tests.reading import entries
from tests.records import a1111_png, comfyui_png, png, text_to_image
from tests.test_archive_exports import history, told_by

from makingof.archive.exports import import_exports
from makingof.archive.zips import import_zip, open_place
from makingof.capture.zipped import opened_zip, split_place
from makingof.digest import Digest
from makingof.event import Kind
from makingof.part import FileBody, Holding, Own, PartType, Place
from makingof.recorder.importing import Outcome

FILE = "file-AbCdEf0123456789"


@pytest.fixture
def bring(archive):
    """Import a zip and what its exports tell; None where it is not read like a folder."""

    def run(path, *, in_place=False):
        with opened_zip(path) as zipped:
            if zipped is None:
                return None
            run.stays = []
            done = list(import_zip(archive, zipped, in_place=in_place, seen=run.stays.append))
        return done, list(import_exports(archive, done, in_place=in_place))

    return run


@pytest.fixture
def packed(tmp_path):
    def write(members, name="export.zip"):
        path = tmp_path / name
        path.write_bytes(members if isinstance(members, bytes) else write_zip(members))
        return path

    return write


def places(archive):
    return {
        said.body.path.rpartition("/")[2]: said.body.path
        for item in entries(archive)
        for said in item.statements(PartType.PLACE, Place)
        if said.body.path
    }


def outcomes(done):
    return {item.path.name: item.outcome for item in done}


def errors(done):
    return [str(item.error) for item in done if item.error is not None]


def test_pictures_in_a_zip_are_recorded_with_their_place_in_it(archive, bring, packed):
    made = a1111_png("a crane", Seed=1)
    path = packed([("2026/岩 picture.png", made), ("notes.txt", b"mine"), ("__MACOSX/._a.png", b"x")])
    done, _ = bring(path)
    assert places(archive)["岩 picture.png"] == f"{path}!/2026/岩 picture.png"
    assert archive.store.read(Digest.of(made)) == made
    (event,) = entries(archive, Kind.GENERATED)
    assert event.means == "recovered"
    assert outcomes(done) == {"岩 picture.png": "recognised", "export.zip": "unrecognised"}
    assert bring.stays == [False, True]


def test_the_zip_itself_is_named_by_its_digest_and_stays_where_it_is(archive, bring, packed):
    path = packed([("a.png", png())])
    bring(path)
    files = [said.body for item in entries(archive) for said in item.statements(PartType.FILE, FileBody)]
    (itself,) = [file for file in files if file.media_type == "application/zip"]
    assert (itself.holding, itself.digest) == (Holding.KNOWN, Digest.of(path.read_bytes()))
    assert not archive.store.has(itself.digest)


def test_the_same_zip_again_writes_nothing(archive, bring, packed):
    path = packed(
        [("a.png", a1111_png("a crane", Seed=1)), ("jobs.json", json.dumps([midjourney_job(JOBS[0], "x")]))]
    )
    bring(path)
    size = archive.log.size()
    done, told = bring(path)
    assert archive.log.size() == size
    assert {item.outcome for item in done} == {Outcome.KNOWN}
    assert not told[0].events


def test_times_count_only_where_the_zip_states_an_instant(archive, bring, tmp_path):
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as made:
        plain = zipfile.ZipInfo("plain.png", (2026, 3, 1, 12, 0, 0))
        made.writestr(plain, png())
        stated = zipfile.ZipInfo("stated.png", (2026, 3, 1, 12, 0, 0))
        stated.extra = b"UT\x05\x00\x01" + (1772355600).to_bytes(4, "little")
        made.writestr(stated, png({"a": "b"}))
    bring(path)
    modified = {
        said.body.name: said.body.modified
        for item in entries(archive)
        for said in item.statements(PartType.PLACE, Place)
    }
    assert modified["plain.png"] is None
    assert modified["stated.png"] == "2026-03-01T09:00:00.000Z"


# Every kind of export


def openai_zip():
    talk = conversation(
        chat("m1", "user", ["a crane"]),
        chat(
            "m2",
            "tool",
            [asset(f"file-service://{FILE}", prompt="a crane", gen_id="g")],
            name="dalle.text2im",
        ),
    )
    return [(f"{FILE}-1234.png", png()), ("conversations.json", json.dumps([talk])), ("chat.html", b"<html>")]


def invoke_zip(tmp_path):
    database = Invoke(tmp_path / "made.db")
    database.image("a.png", starred=1, metadata=invoke_metadata("a crane", 7))
    database.close()
    return [
        ("invokeai/databases/invokeai.db", (tmp_path / "made.db").read_bytes()),
        ("invokeai/outputs/images/a.png", png({"invokeai_metadata": invoke_metadata("a crane", 7)})),
    ]


def comfyui_zip():
    graph = text_to_image("a crane", seed=7)
    told = json.dumps(history("job-1", graph, "ComfyUI_00001_.png"))
    return [("output/ComfyUI_00001_.png", comfyui_png(graph)), ("history.json", told)]


def midjourney_zip():
    name = f"painter_a_crane_{JOBS[0]}_0.png"
    said = {"Description": f"a crane --v 6 Job ID: {JOBS[0]}", "Author": "painter"}
    return [
        (f"batch/{name}", png(said)),
        ("batch/jobs.json", json.dumps([midjourney_job(JOBS[0], "a crane --v 6")])),
    ]


def discord_zip():
    said = message("1", "**a crane** - <@1> (fast)", f"x_{JOBS[0]}.png")
    return [("general.json", channel(said)), (f"general.json_Files/x_{JOBS[0]}-0A1B2.png", png())]


def a1111_zip():
    row = {"prompt": "a crane", "seed": 1, "filename": "00001-1.png"}
    return [("log/images/00001-1.png", a1111_png("a crane", Seed=1)), ("log/images/log.csv", log_csv(row))]


def fooocus_zip():
    return [
        ("2026/a_1.png", png()),
        ("2026/log.html", fooocus_log(("a_1.png", fooocus_values("a crane", 1)))),
    ]


@pytest.mark.parametrize(
    ("members", "source", "kinds"),
    [
        (openai_zip(), "chatgpt", {Kind.GENERATED: 1}),
        (comfyui_zip(), "comfyui-history", {Kind.GENERATED: 1}),
        (midjourney_zip(), "midjourney-jobs", {Kind.GENERATED: 1}),
        (discord_zip(), "midjourney-discord", {Kind.GENERATED: 1}),
        (a1111_zip(), "a1111-log", {Kind.SELECTED: 1}),
        (fooocus_zip(), "fooocus-log", {Kind.GENERATED: 1}),
    ],
    ids=["openai", "comfyui", "midjourney", "discord", "a1111", "fooocus"],
)
@pytest.mark.parametrize("in_place", [False, True])
def test_a_zipped_export_is_told_with_its_pictures(archive, bring, packed, members, source, kinds, in_place):
    _, told = bring(packed(members), in_place=in_place)
    assert [(item.source, dict(item.events), item.missing) for item in told] == [(source, kinds, 0)]
    made = told_by(archive, next(iter(kinds)))
    assert len(made) == 1


def test_a_zipped_database_is_read_with_its_pictures(archive, bring, packed, tmp_path):
    _, told = bring(packed(invoke_zip(tmp_path)))
    assert told[0].source == "invokeai"
    assert told[0].events == {Kind.GENERATED: 1, Kind.SELECTED: 1}


def test_the_rest_of_a_zip_is_left_in_it(archive, bring, packed):
    other = json.dumps({"messages": [{"from": "friend", "text": "private"}]})
    bring(
        packed([("a.png", png()), ("inbox.json", other), ("user.json", b'{"email": "me"}'), ("a.txt", b"x")])
    )
    assert bring.stays == [False, True, True, True]
    assert not any(b"private" in archive.store.read(digest) for digest in archive.store.iter_digests())


def test_of_a_data_package_only_channels_with_a_request_are_taken(archive, bring, packed):
    asked, other = sent(469641859543728149, "/imagine prompt: a crane"), sent(469641859543728150, "private")
    members = [
        ("messages/index.json", json.dumps({"1": "general"})),
        (
            "messages/c1/channel.json",
            json.dumps({"id": "1", "type": 0, "guild": {"id": "2", "name": "studio"}}),
        ),
        ("messages/c1/messages.json", json.dumps([asked])),
        ("messages/c2/messages.json", json.dumps([other])),
        ("messages/c3/messages.csv", sent_csv(other)),
        ("account/user.json", json.dumps({"id": "7", "email": "me"})),
        ("account/avatar.png", png()),
    ]
    done, told = bring(packed(members))
    assert [(item.source, dict(item.events)) for item in told] == [("discord-package", {Kind.PROMPTED: 1})]
    assert sorted(outcomes(done)) == ["avatar.png", "export.zip", "messages.json"]
    assert not any(b"private" in archive.store.read(digest) for digest in archive.store.iter_digests())


@pytest.mark.parametrize(
    "members",
    [[("readme.txt", b"hello"), ("program.py", b"x")], b"PK\x03\x04 and nothing more", b"no zip at all"],
)
def test_a_zip_of_other_things_is_a_file_like_any_other(bring, packed, members):
    assert bring(packed(members)) is None


def test_a_document_is_not_read_like_a_folder(bring, packed):
    assert bring(packed([("mimetype", b"image/openraster"), ("mergedimage.png", png())], "a.ora")) is None


def test_a_document_in_a_zip_is_one(archive, bring, packed):
    inner = write_zip(
        [("mimetype", b"image/openraster"), ("stack.xml", b'<image w="1" h="1"><stack/></image>')]
    )
    bring(packed([("work/a.ora", inner)]))
    assert len(entries(archive, Kind.EDITED)) == 1


# Left in place


def test_pictures_left_in_a_zip_are_found_in_it_again(archive, bring, packed):
    made = a1111_png("a crane", Seed=1)
    path = packed([("a/b.png", made), ("c.png", png())])
    bring(path, in_place=True)
    assert list(archive.store.iter_digests()) == []
    with open_place(places(archive)["b.png"]) as stream:
        assert stream.read() == made
    path.unlink()
    assert open_place(places(archive)["b.png"]) is None


def test_a_place_in_a_zip_is_known_by_its_sign(tmp_path):
    place = tmp_path / "export.zip!" / "a" / "b.png"
    assert split_place(place) == (tmp_path / "export.zip", "a/b.png")
    assert split_place(tmp_path / "export.zip") is None


# Whatever the bytes


@pytest.mark.parametrize(
    "name",
    ["../../outside.png", "/etc/outside.png", "C:/outside.png", "a/../../outside.png", "..\\outside.png"],
)
def test_a_name_that_leads_out_is_said_and_not_taken(archive, bring, packed, name):
    done, _ = bring(packed([(name, png()), ("inside.png", a1111_png("a crane"))]))
    assert "leads out of the zip" in errors(done)[0]
    assert outcomes(done)["inside.png"] is Outcome.RECOGNISED
    assert not any("outside" in path for path in places(archive).values())


def two(first, listed, *, good=None):
    """A member as an attacker wrote it, and a good one behind it."""
    good = a1111_png("a crane") if good is None else good
    second = local(b"good.png", good, crc=zlib.crc32(good), size=len(good), method=0)
    both = listed + entry(b"good.png", len(good), len(good), len(first), crc=zlib.crc32(good), method=0)
    return first + second + both + end(2, len(both), len(first) + len(second))


PICTURE = png()
BOMB = deflate(PICTURE + bytes(100 << 20))


@pytest.mark.parametrize(
    ("packed_bytes", "claimed", "options", "reason"),
    [
        (PICTURE, len(PICTURE), {"method": 0, "flags": 1}, "is encrypted"),
        (PICTURE, len(PICTURE), {"method": 0, "crc": 1}, "does not match its check sum"),
        (PICTURE, len(PICTURE), {"method": 12}, "compression 12"),
        (b"\xff" * 9, 9, {}, "does not unpack"),
        (deflate(PICTURE)[:-9], len(PICTURE), {}, "is cut off"),
        (deflate(PICTURE), len(PICTURE) + 1, {}, "and claims"),
        (BOMB, len(PICTURE) + (100 << 20), {}, "claims to unpack from"),
        (BOMB, 1 << 40, {}, "claims to unpack from"),
        (BOMB, 60 << 20, {}, "and claims 62914560"),
    ],
)
def test_a_member_that_cannot_be_read_is_said_and_the_rest_is_read(
    archive, bring, packed, packed_bytes, claimed, options, reason
):
    first = local(b"bad.png", packed_bytes, size=min(claimed, 0xFFFFFFFF), **options)
    listed = entry(b"bad.png", len(packed_bytes), min(claimed, 0xFFFFFFFE), 0, **options)
    done, _ = bring(packed(two(first, listed)))
    assert reason in errors(done)[0]
    assert outcomes(done)["good.png"] is Outcome.RECOGNISED
    (gap,) = [item.first(PartType.OWN, Own).facts for item in entries(archive, Kind.GAP)]
    assert (gap["why"], gap["files"]) == ("unreadable", 1)


def test_half_a_download_gives_its_whole_members_and_says_so(archive, bring, packed):
    whole = write_zip([("a.png", a1111_png("a crane")), ("b.png", png({"x": "y" * 5000}))])
    done, _ = bring(packed(whole[: whole.index(b"b.png") + 60]))
    assert outcomes(done)["a.png"] is Outcome.RECOGNISED
    assert "directory is missing" in errors(done)[0]


def test_two_members_of_one_name_are_both_recorded(archive, bring, packed):
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = packed([("a.png", a1111_png("a crane")), ("a.png", a1111_png("a heron"))])
    done, _ = bring(path)
    assert len([item for item in done if item.path.name == "a.png"]) == 2
    assert len(entries(archive, Kind.GENERATED)) == 2


def test_a_zip_that_changes_while_it_is_read_is_said(archive, packed):
    path = packed([("a.png", png())])
    with opened_zip(path) as zipped:
        os.utime(path, ns=(1, 1))
        done = list(import_zip(archive, zipped, in_place=False, seen=lambda _: None))
    assert "changed while it was read" in errors(done)[0]


def test_a_zip_of_one_bomb_after_the_other_ends_in_bounds(archive, packed):
    path = packed([(f"{number}.png", PICTURE) for number in range(5)])
    with opened_zip(path, limit_bytes=3 * len(PICTURE)) as zipped:
        done = list(import_zip(archive, zipped, in_place=False, seen=lambda _: None))
    assert len(errors(done)) == 2
    assert "the zip unpacks to more than is taken" in errors(done)[0]
