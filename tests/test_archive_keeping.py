"""Keeping an archive: stamps, exports, erasing, backups, successors, and finding what is wrong."""

import base64
import os
import shutil
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from tests.reading import entries, entry_at
from tests.records import a1111_png

from makingof.archive import acts
from makingof.archive.archive import Plan, create_archive, open_archive
from makingof.archive.backup import back_up, restore_backup
from makingof.archive.erasing import Erasure, apply_erasures, erase
from makingof.archive.export import export_package, repeat_request, write_request
from makingof.archive.fsck import check_archive
from makingof.archive.home import Home
from makingof.archive.imports import import_files
from makingof.archive.known_names import KnownNamer
from makingof.archive.names import Namer
from makingof.archive.stamping import sitting_sheet, stamp_log, stamp_sheet
from makingof.archive.succession import open_successor, succession_statement
from makingof.archive.upkeep import find_due, record_health, stamp_due
from makingof.bundle.description import Options
from makingof.bundle.request import Request
from makingof.config import Settings
from makingof.errors import ConflictError, StorageError, UnavailableError, UsageError
from makingof.event import Kind
from makingof.keys.recovery import RecoveryKey
from makingof.keys.signing import PublicKey
from makingof.observation import Observation, Position
from makingof.part import Means, Own, PartType
from makingof.recorder.write import new_stream, own_draft
from makingof.stamp.authority import RemoteAuthority
from makingof.stamp.http import HttpFetch
from makingof.stamp.local import LocalAuthority, serve
from makingof.stamp.sheet import parse_sheet
from makingof.stamp.trust import Trust, built_in_trust
from makingof.tlog.audit import Outcome
from makingof.tlog.merkle import TreeHead
from makingof.verify.check import check_bundle

OWNER = acts.Teller("a1")
PROMPT = "a crane at dusk over still water"


@pytest.fixture
def authorities(clock):
    locals_ = [LocalAuthority(f"authority {name}", clock) for name in "AB"]
    with serve(locals_[0]) as first, serve(locals_[1]) as second:
        yield [
            RemoteAuthority(local.authority(url), HttpFetch(), None, fetches_crls=False)
            for local, url in zip(locals_, (first, second), strict=True)
        ]


@pytest.fixture
def picture(archive, tmp_path):
    path = tmp_path / "crane.png"
    path.write_bytes(a1111_png(PROMPT, Seed=5))
    found = Namer(archive).picture(str(path))
    archive.record([acts.choose(Kind.SELECTED, [found], acts.Table(), OWNER, final=True)], means=Means.LIVE)
    return found


def trust_in(authorities):
    return Trust("test", tuple(item.authority for item in authorities))


def check(archive, trust=None):
    return check_archive(archive, trust or built_in_trust(), openssl=None)


def failed(report):
    return {step.name for step in report.steps if step.outcome is Outcome.FAILED}


def no_progress(done, total=None):
    pass


def test_what_authorities_answer_is_logged_and_lies_under_what_comes_next(archive, picture, authorities):
    size = archive.log.size()
    stamped = stamp_log(archive, authorities)
    assert [receipt.authority for receipt in stamped.receipts] == ["authority A", "authority B"]
    entry = entry_at(archive.log, stamped.recorded.position)
    facts = entry.first(PartType.OWN, Own).facts
    assert facts["checkpoint"].encode() == archive.log.checkpoint(size)
    assert all(archive.store.has(receipt.digest) for receipt in stamped.receipts)
    assert archive.index.status().undated == 0


def test_an_authority_that_does_not_answer_is_a_recorded_problem(archive, picture, authorities):
    class Silent:
        name = "silent"

        def request(self, _message):
            error = "no answer"
            raise UnavailableError(error)

    stamped = stamp_log(archive, [Silent(), authorities[0]])
    assert [problem.authority for problem in stamped.problems] == ["silent"]
    facts = entry_at(archive.log, stamped.recorded.position).first(PartType.OWN, Own).facts
    assert facts["problems"] == [{"authority": "silent", "message": "no answer"}]


def test_stamping_is_no_news_for_the_next_stamp(archive, picture, authorities, clock):
    assert find_due(archive) is not None
    stamp_log(archive, authorities)
    clock.advance(hours=5)
    assert find_due(archive) is None


def test_at_the_close_of_a_sitting_its_files_go_onto_a_sheet(
    archive, picture, authorities, clock, monkeypatch
):
    clock.advance(hours=2)
    sheet = sitting_sheet(archive, 0, clock.now())
    line = parse_sheet(sheet).lines[0]
    assert line.sha256 == picture.blob
    assert line.name == "crane.png"
    done = stamp_sheet(archive, authorities, sheet)
    assert {receipt.what for receipt in done.receipts} == {"sheet"}
    assert check(archive, trust_in(authorities)).is_sound


def test_without_authorities_nothing_is_due_that_could_be_done(archive, picture):
    stamped = stamp_due(archive, sleep=lambda _seconds: None)
    assert stamped is not None
    assert stamped.receipts == ()


def test_health_is_written_down_once_a_day_and_once_a_boot(archive, clock):
    record_health(archive)
    record_health(archive)
    assert len(entries(archive, Kind.CHECKED)) == 1
    clock.advance(hours=25)
    record_health(archive)
    clock.boot = "another"
    record_health(archive)
    assert len(entries(archive, Kind.CHECKED)) == 3
    facts = entries(archive, Kind.CHECKED)[0].first(PartType.OWN, Own).facts
    assert facts["disk_free_bytes"] > 0


def test_a_sound_archive_passes_every_step(archive, picture, authorities):
    stamp_log(archive, authorities)
    report = check(archive, trust_in(authorities))
    assert report.is_sound
    assert {step.name for step in report.steps} >= {
        "entries",
        "events",
        "statements",
        "blobs",
        "receipts",
        "index",
    }


def test_a_changed_blob_is_found(archive, picture):
    path = archive.store.blob_path(picture.blob)
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert failed(check(archive)) == {"blobs"}


def test_a_missing_blob_is_found_and_one_nobody_names_is_only_noted(archive, picture):
    archive.store.put(b"left by a crash")
    report = check(archive)
    assert report.is_sound
    assert any(step.notes for step in report.steps if step.name == "store")
    archive.store.remove(picture.blob)
    assert failed(check(archive)) == {"blobs"}


def test_an_index_that_says_something_else_is_found_and_rebuilt(archive, picture, home):
    with sqlite3.connect(home.path / "index.sqlite") as connection:
        connection.execute("UPDATE texts SET text = 'another' WHERE field = 'prompt'")
    connection.close()
    assert failed(check(archive)) == {"index"}
    archive.index.rebuild(archive.log)
    assert check(archive).is_sound


def test_a_part_that_lost_its_bytes_without_an_event_is_found(archive, picture):
    position = archive.index.position_of(picture.event)
    archive.log.erase_part(position, 1)
    assert "statements" in failed(check(archive))


def test_an_export_verifies_and_is_noted_and_can_be_repeated(archive, picture, authorities, tmp_path):
    stamp_log(archive, authorities)
    request = Request((picture.file_part,), archive.log.size())
    done = export_package(archive, request, tmp_path / "package.zip")
    report = check_bundle(tmp_path / "package.zip", trust=trust_in(authorities))
    report.require()
    assert report.package == done.payload
    archive.record([acts.note("something later", [picture], OWNER)], means=Means.LIVE)
    again, payload = repeat_request(archive, done.recorded.name)
    assert (again, payload) == (request, done.payload)
    write_request(archive, again, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "package.zip").read_bytes()


def test_a_package_on_disk_is_not_overwritten(archive, picture, tmp_path):
    (tmp_path / "package.zip").write_bytes(b"handed over")
    with pytest.raises(UsageError):
        write_request(archive, Request((picture.file_part,), archive.log.size()), tmp_path / "package.zip")
    assert (tmp_path / "package.zip").read_bytes() == b"handed over"
    assert not list(tmp_path.glob("*.tmp"))


def test_a_withheld_prompt_is_nowhere_in_the_package_and_it_verifies(archive, picture, tmp_path):
    request = Request((picture.file_part,), archive.log.size(), Options(withhold=("prompts",)))
    write_request(archive, request, tmp_path / "package.zip")
    assert b"crane" not in (tmp_path / "package.zip").read_bytes()
    check_bundle(tmp_path / "package.zip").require()


def test_what_is_erased_is_gone_from_every_file_of_ours_and_the_log_still_checks(archive, picture, home):
    done = erase(archive, Erasure(files=(picture.file_part,)), OWNER, "the sitter asked for it")
    prompts = archive.index.parts_of_type(
        picture.event, [PartType.PROMPT, PartType.RAW, PartType.PARAMETERS, PartType.PLACE]
    )
    erase(archive, Erasure(parts=tuple(prompts)), OWNER, "the sitter asked for it")
    archive.close()
    for path in home.path.rglob("*"):
        assert path.is_dir() or b"still water" not in path.read_bytes(), path
    with open_archive(home, archive.clock) as again:
        report = check(again)
        assert report.is_sound
        assert entry_at(again.log, done.position).kind is Kind.ERASED
        assert apply_erasures(again) == 0


def test_erasing_takes_the_same_bytes_wherever_they_were_recorded(archive, picture, tmp_path):
    copy = tmp_path / "copy.png"
    copy.write_bytes((tmp_path / "crane.png").read_bytes())
    list(import_files(archive, [copy]))
    assert len(archive.index.files_of(picture.blob)) == 2
    erase(archive, Erasure(files=(picture.file_part,)), OWNER, "asked")
    assert not archive.store.has(picture.blob)
    assert check(archive).is_sound


@pytest.mark.parametrize(("what", "why"), [(Erasure(), "why"), (None, "  ")])
def test_an_erasure_of_nothing_or_without_a_reason_is_refused(archive, picture, what, why):
    with pytest.raises(UsageError):
        erase(archive, what or Erasure(files=(picture.file_part,)), OWNER, why)


def test_an_erasure_cut_off_is_finished_by_doing_it_again(archive, picture):
    prompts = archive.index.parts_of_type(picture.event, [PartType.PROMPT])
    erase(archive, Erasure(parts=tuple(prompts)), OWNER, "asked")
    observation = erasure_of(archive, picture)
    archive.record([observation], means=Means.LIVE)
    assert "blobs" in failed(check(archive))
    assert apply_erasures(archive) == 2
    assert not archive.store.has(picture.blob)
    assert check(archive).is_sound


def erasure_of(archive, picture):
    """The event alone, as a crash right after it leaves things."""
    return Observation(
        kind=Kind.ERASED,
        source=acts.PROGRAM,
        drafts=(own_draft({"parts": [picture.file_part], "files": [picture.file_part]}),),
        actor="a1",
        position=Position(new_stream(), 0),
        cites=(picture.event,),
    )


def test_a_backup_holds_no_key_and_opens_read_only_until_it_has_a_successor(
    archive, picture, home, clock, tmp_path
):
    back_up(archive, tmp_path / "backup", no_progress)
    assert not list((tmp_path / "backup").rglob("*.pem"))
    archive.record([acts.note("after the backup", [], OWNER)], means=Means.LIVE)
    archive.close()
    shutil.rmtree(home.path)
    restore_backup(tmp_path / "backup", home, clock, no_progress)
    with open_archive(home, clock) as restored:
        assert restored.log.read_only.reason == "behind_mark"
        assert restored.store.read(picture.blob)
        with pytest.raises(ConflictError):
            restored.record([acts.note("no", [], OWNER)], means=Means.LIVE)
    successor, _ = open_successor(home, clock, owner="Test Owner")
    with successor:
        zero = entry_at(successor.log, 0).first(PartType.OWN, Own).facts["previous"]
        head = TreeHead(zero["size"], bytes.fromhex(zero["root"].removeprefix("sha256:")))
        statement = succession_statement(zero["origin"], head, successor.log.origin)
        PublicKey(bytes.fromhex(zero["signer"])).verify(base64.b64decode(zero["signature"]), statement)
        gap = entries(successor, Kind.GAP)[0].first(PartType.OWN, Own).facts
        assert gap["signed_size"] > gap["size"]
        successor.record([acts.note("going on", [], OWNER)], means=Means.LIVE)
        assert check(successor).is_sound
        back_up(successor, tmp_path / "second backup", no_progress)
    for folder in (home.path, tmp_path / "second backup"):
        (earlier,) = (folder / "earlier").iterdir()
        with open_archive(Home(earlier, home.state), clock) as old:
            assert old.store.read(picture.blob)


def test_a_backup_as_new_as_the_mark_goes_on_without_a_successor(archive, picture, home, clock, tmp_path):
    back_up(archive, tmp_path / "backup", no_progress)
    archive.close()
    shutil.rmtree(home.path)
    assert restore_backup(tmp_path / "backup", home, clock, no_progress).goes_on
    with open_archive(home, clock) as restored:
        restored.record([acts.note("going on", [picture], OWNER)], means=Means.LIVE)


def test_a_log_whose_key_is_gone_goes_on_under_its_recovery_key(home, clock):
    archive, recovery = create_archive(home, clock, Plan("Owner", Settings(), takes_recovery_key=True))
    archive.close()
    shutil.rmtree(home.state / "keys")
    with open_archive(home, clock) as readable:
        assert readable.log.read_only.reason == "no_key"
    with pytest.raises(UsageError):
        open_successor(home, clock, owner="Owner", recovery=RecoveryKey.make())
    successor, _ = open_successor(home, clock, owner="Owner", recovery=RecoveryKey.parse(recovery.text))
    with successor:
        zero = entry_at(successor.log, 0).first(PartType.OWN, Own).facts["previous"]
        assert zero["signed_by"] == "recovery"


def test_an_archive_that_can_go_on_gets_no_successor(archive, home, clock):
    archive.close()
    with pytest.raises(UsageError):
        open_successor(home, clock, owner="Owner")


def test_an_archive_is_not_made_over_another(archive, home, clock):
    with pytest.raises(UsageError):
        create_archive(home, clock, Plan("Owner", Settings()))


def test_an_archive_in_a_synced_folder_is_refused(tmp_path, clock):
    home = Home(tmp_path / "Dropbox" / ".makingof", tmp_path / "state")
    with pytest.raises(UsageError):
        create_archive(home, clock, Plan("Owner", Settings()))
    assert not home.path.exists()


def test_a_clock_set_back_shows_in_the_record(archive, clock):
    first = archive.record([acts.note("before", [], OWNER)], means=Means.LIVE)[0]
    clock.moment -= timedelta(days=30)
    clock.up_ms += 1000
    second = archive.record([acts.note("after", [], OWNER)], means=Means.LIVE)[0]
    one, two = (entry_at(archive.log, done.position).event.header for done in (first, second))
    assert two.recorded_at < one.recorded_at
    assert two.uptime_ms > one.uptime_ms
    assert check(archive).is_sound


def test_erasing_takes_what_a_crash_left_on_its_way_in(archive, picture, tmp_path, clock):
    data = (tmp_path / "crane.png").read_bytes()
    incoming = archive.home.path / archive.settings.blobs / "incoming"
    now, earlier, long_ago = (clock.now().timestamp() - age for age in (0, 60, 7200))
    left = {
        "whole": (data, now),
        "beginning": (data[:-9], earlier),
        "being-written": (data[:-9], now),
        "another": (b"of a running import", earlier),
        "abandoned": (b"of an import long dead", long_ago),
    }
    for name, (content, modified) in left.items():
        (incoming / name).write_bytes(content)
        os.utime(incoming / name, (modified, modified))
    (incoming / "link").symlink_to(tmp_path / "crane.png")
    erase(archive, Erasure(files=(picture.file_part,)), OWNER, "asked")
    assert {path.name for path in incoming.iterdir()} == {"being-written", "another", "link"}


def test_an_erased_picture_is_named_with_the_event_that_erased_it(archive, picture, tmp_path):
    position = archive.index.position_of(picture.event)
    done = erase(archive, Erasure(files=(picture.file_part,)), OWNER, "asked")
    size = archive.log.size()
    looking = KnownNamer(archive)
    for name in (f"e{position}", str(tmp_path / "crane.png")):
        with pytest.raises(UsageError, match=f"erased by e{done.position}"):
            looking.picture(name)
    assert archive.log.size() == size
    acting = Namer(archive)
    acting.picture(str(tmp_path / "crane.png"))
    assert acting.erased_before == {tmp_path / "crane.png": f"e{done.position}"}


def test_an_archive_that_may_not_be_entered_says_so(archive, home, clock, monkeypatch):
    def refuse(path, **_):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", refuse)
    monkeypatch.setattr(Path, "exists", lambda path: bool(path.stat()))
    with pytest.raises(StorageError, match="Permission denied") as raised:
        open_archive(home, clock)
    assert raised.value.hint is not None
