"""What hooks hand over, drained: each by the means it has earned, nothing lost, nothing twice."""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time

import pytest
from tests.clocks import ManualClock
from tests.hooks import connect_hook, events, job, own_facts, picture, prompt, report, stream_of

from makingof.archive import draining
from makingof.archive.archive import Plan, create_archive, open_archive
from makingof.archive.draining import drain
from makingof.archive.fsck import check_archive
from makingof.archive.home import Home
from makingof.archive.hooks import hook_folder, spool_path
from makingof.clock import SystemClock
from makingof.config import Settings
from makingof.digest import Digest
from makingof.errors import StorageError
from makingof.event import Kind
from makingof.part import Means
from makingof.recorder.write import Recorder
from makingof.spool.standings import StandingFolder
from makingof.stamp.trust import built_in_trust

LIVE_JOB = [("opened", "own"), ("prompted", "live"), ("generated", "live")]


@pytest.fixture
def hook(archive):
    return connect_hook(archive)


@pytest.fixture
def stream(hook, clock):
    made = stream_of(hook, clock)
    made.open({"host": "a-tool"})
    return made


def gaps(archive):
    return [facts["why"] for facts in own_facts(archive, Kind.GAP)]


def handovers(archive):
    return sorted(spool_path(archive).glob("*.handover"))


def require_sound(archive):
    check_archive(archive, built_in_trust(), openssl=None).require()


def test_a_job_handed_over_in_time_is_live(archive, stream):
    job(stream)
    drain(archive)
    assert events(archive) == LIVE_JOB
    assert own_facts(archive, Kind.OPENED)[0]["accepted"] is True
    assert handovers(archive) == []
    require_sound(archive)


def test_the_picture_is_in_the_store_with_the_digest_the_hook_took(archive, stream):
    job(stream, b"these very bytes")
    drain(archive)
    assert archive.store.read(Digest.of(b"these very bytes")) == b"these very bytes"


def test_a_choice_names_pictures_handed_over_before_and_nothing_the_store_has_not(archive, stream):
    def choice(data):
        file = {"digest": str(Digest.of(data)), "role": "output"}
        body = {"judged": [{"attached": 0}]}
        stream.hand_over("selected", [{"type": "choice", "from": "tool", "body": body}], [file])

    job(stream, b"the picture")
    choice(b"the picture")
    choice(b"nobody has this")
    drain(archive)
    assert events(archive, "selected") == [("selected", "live")]
    assert [facts["why"] for facts in own_facts(archive, Kind.GAP)] == ["refused"]


def test_draining_one_by_one_gives_what_draining_at_once_gives(archive, stream):
    request = stream.hand_over("prompted", [prompt()])
    drain(archive)
    stream.hand_over("generated", [report()], [picture()], [request])
    drain(archive)
    stream.close()
    drain(archive)
    assert events(archive) == [*LIVE_JOB, ("closed", "own")]
    assert gaps(archive) == []


def test_right_but_late_is_spooled(archive, stream, clock):
    job(stream)
    clock.advance(seconds=61)
    drain(archive)
    assert events(archive, "prompted", "generated") == [("prompted", "spooled"), ("generated", "spooled")]
    assert gaps(archive) == []


def test_a_result_in_time_whose_request_came_late_is_spooled(archive, stream, clock):
    request = stream.hand_over("prompted", [prompt()])
    clock.advance(minutes=10)
    stream.hand_over("generated", [report()], [picture()], [request])
    drain(archive)
    assert events(archive, "prompted", "generated") == [("prompted", "spooled"), ("generated", "spooled")]


def test_a_long_job_whose_request_was_logged_at_the_time_is_live(archive, stream, clock):
    request = stream.hand_over("prompted", [prompt()])
    drain(archive)
    clock.advance(minutes=10)
    stream.hand_over("generated", [report()], [picture()], [request])
    drain(archive)
    assert events(archive, "generated") == [("generated", "live")]


def test_another_boot_makes_it_late_and_a_stepped_wall_clock_does_not(archive, stream, clock):
    job(stream)
    clock.moment = clock.moment.replace(year=2020)
    drain(archive)
    job(stream, b"another")
    clock.boot = "00000000-0000-4000-8000-000000000002"
    drain(archive)
    assert [means for _, means in events(archive, "generated")] == ["live", "spooled"]


def test_where_the_system_names_no_boot_the_wall_clocks_must_agree(archive, hook, clock):
    clock.boot = ""
    stream = stream_of(hook, clock)
    stream.open({})
    job(stream)
    clock.moment = clock.moment.replace(year=2027)
    drain(archive)
    assert events(archive, "generated") == [("generated", "spooled")]


def test_a_claim_from_the_future_is_doubted(archive, stream, clock):
    job(stream)
    clock.up_ms -= 10_000
    drain(archive)
    assert events(archive, "generated") == [("generated", "recovered")]
    assert gaps(archive) == ["claim_ahead"]


def test_a_result_without_a_request_is_recovered(archive, stream):
    stream.hand_over("generated", [report()], [picture()])
    drain(archive)
    assert events(archive, "generated") == [("generated", "recovered")]
    assert gaps(archive) == ["no_request"]


def test_one_line_of_shell_forges_nothing_live(archive, stream, clock):
    """The attack of the threat model: a hand-written file in the spool, dated last March."""
    observation = {
        "v": 1, "kind": "generated", "source": {"name": "x", "version": "1"}, "stream": "ab" * 16, "seq": 0,
        "occurred_at": "2025-03-01T00:00:00.000Z", "occurred_by": "hook",
        "files": [{"file": "a.png", "digest": "sha256:" + hashlib.sha256(b"old").hexdigest()}],
        "parts": [],
    }  # fmt: skip
    said = {"v": 1, "hook": "00" * 16, "previous": None, "boot": clock.boot, "uptime_ms": clock.up_ms,
            "said_at": "2026-03-01T09:30:00.000Z"}  # fmt: skip
    name = spool_path(archive) / f"{'ab' * 16}-0000000000"
    name.with_suffix(".files").mkdir(parents=True)
    (name.with_suffix(".files") / "a.png").write_bytes(b"old")
    lines = f"{json.dumps(said)}\n{json.dumps(observation)}\n{'0' * 64}\n"
    name.with_suffix(".handover").write_text(lines, "utf-8")
    drain(archive)
    assert ("generated", "recovered") in events(archive)
    assert "unknown_hook" in gaps(archive)
    require_sound(archive)


def test_a_changed_byte_takes_the_mac_away_and_cannot_take_a_number(archive, stream):
    job(stream)
    path = handovers(archive)[1]
    path.write_bytes(path.read_bytes().replace(b'"typed"', b'"pasted"'))
    drain(archive)
    assert {means for _, means in events(archive, "prompted", "generated")} == {"recovered"}
    assert {"wrong_mac", "missing"} <= set(gaps(archive))
    require_sound(archive)


def test_replay_writes_nothing(archive, stream, tmp_path):
    job(stream)
    shutil.copytree(spool_path(archive), tmp_path / "copy")
    drain(archive)
    size = archive.log.size()
    for path in (tmp_path / "copy").iterdir():
        if path.name not in ("newest", "recorder"):
            shutil.move(path, spool_path(archive) / path.name)
    assert drain(archive).already == 3
    assert archive.log.size() == size
    assert handovers(archive) == []


def test_other_bytes_under_a_recorded_number_are_kept_under_a_gap(archive, hook, clock, stream):
    job(stream)
    drain(archive)
    again = stream_of(hook, clock)
    again.stream = stream.stream
    again.open({"host": "another"})
    drain(archive)
    assert gaps(archive) == ["number_reused"]
    assert drain(archive).already == 0


def test_a_handover_taken_out_of_the_middle_shows(archive, stream):
    job(stream)
    job(stream, b"second")
    handovers(archive)[2].unlink()
    drain(archive)
    # The first result is the number taken out; the second one's request stands behind the break.
    assert gaps(archive) == ["missing", "no_request"]
    facts = own_facts(archive, Kind.GAP)[0]
    assert facts["missing"] == [[2, 2]]
    assert [means for _, means in events(archive, "prompted")] == ["live", "recovered"]
    assert archive.index.stream(stream.stream).missing == ((2, 2),)


def test_a_number_that_comes_after_all_is_recovered(archive, stream, tmp_path):
    job(stream)
    late = handovers(archive)[1]
    shutil.move(late, tmp_path / late.name)
    drain(archive)
    shutil.move(tmp_path / late.name, late)
    drain(archive)
    assert gaps(archive) == ["missing", "out_of_order"]
    assert events(archive, "prompted") == [("prompted", "recovered")]


def test_a_handover_from_another_run_does_not_fit_the_chain(archive, hook, clock, stream):
    drain(archive)
    other = stream_of(hook, clock)
    other.stream, other._seq = stream.stream, 1
    other.hand_over("prompted", [prompt()])
    drain(archive)
    assert gaps(archive) == ["wrong_chain"]


def test_a_stream_opened_on_nothing_of_this_log_is_not_believed(archive, hook, clock):
    (spool_path(archive) / "newest").write_text(json.dumps({"nonce": "ab" * 32}), "utf-8")
    stream = stream_of(hook, clock)
    stream.open({})
    job(stream)
    drain(archive)
    assert set(gaps(archive)) == {"unknown_nonce", "not_open"}
    assert events(archive, "generated") == [("generated", "recovered")]


def test_nothing_is_live_after_closed(archive, stream):
    stream.close()
    stream.hand_over("prompted", [prompt()])
    drain(archive)
    assert events(archive, "prompted") == [("prompted", "recovered")]


def test_a_file_changed_between_hook_and_recorder_is_kept_and_not_taken_for_it(archive, stream):
    job(stream, b"as the hook saw it")
    next(spool_path(archive).glob("*.files/*")).write_bytes(b"something else")
    drain(archive)
    assert events(archive, "generated") == []
    assert gaps(archive) == ["files_changed"]
    assert archive.store.has(Digest.of(b"something else"))
    assert own_facts(archive, Kind.GAP)[0]["missing"] == [[2, 2]]
    require_sound(archive)


def test_a_broken_spool_file_is_kept_under_a_gap(archive, stream):
    broken = [b"", b"{}", b"\x00" * 100, b"[" * 100_000, b"{}\n{}\n" + b"0" * 64 + b"\n"]
    for number, data in enumerate(broken):
        (spool_path(archive) / f"{'cd' * 16}-{number:010d}.handover").write_bytes(data)
    drain(archive)
    assert gaps(archive) == ["unreadable"] * len(broken)
    assert all(archive.store.has(Digest.of(data)) for data in broken)
    assert handovers(archive) == []
    require_sound(archive)


def test_a_link_in_the_spool_reaches_nothing(archive, stream, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret", "utf-8")
    (spool_path(archive) / f"{'cd' * 16}-0000000000.handover").symlink_to(secret)
    job(stream)
    target = next(spool_path(archive).glob("*.files/*"))
    target.unlink()
    target.symlink_to(secret)
    drain(archive)
    assert not archive.store.has(Digest.of(b"secret"))
    assert secret.read_text("utf-8") == "secret"
    assert sorted(gaps(archive)) == ["refused", "unreadable"]


def test_a_hook_cannot_speak_for_the_recorder(archive, stream):
    kinds = [
        "enrolled",
        "stamped",
        "exported",
        "erased",
        "rotated",
        "imported",
        "pulse",
        "affirmed",
        "configured",
    ]
    own = {"type": "own", "from": "hook", "body": {"facts": {"log_key": "x"}}}
    for kind in kinds:
        stream.hand_over(kind, [own])
    drain(archive)
    assert events(archive, *kinds) == []
    assert gaps(archive) == ["refused"] * len(kinds)


BREAKING = [
    {"type": "file", "from": "x", "body": {"role": "output", "digest": "sha256:" + "ab" * 32, "size": 1}},
    {"type": "prompt", "from": "x", "body": {"effective": 7}},
    {"type": "report", "from": "x", "body": {"facts": {"n": 2**60}}},
    {"type": "prompt", "from": "x", "body": {"parts": ["sha256:" + "ab" * 32]}},
    {"type": "prompt", "from": "x", "body": {"effective": "\ud800"}},
    {"type": "prompt", "from": "x", "body": {"effective": "x", "file": {"attached": 3}}},
    {"type": "choice", "from": "x", "body": {"judged": []}},
]


def test_a_part_that_breaks_a_rule_costs_only_its_own_handover(archive, stream):
    for part in BREAKING:
        stream.hand_over("prompted", [part])
    job(stream)
    drain(archive)
    assert gaps(archive) == ["refused"] * len(BREAKING)
    assert ("generated", "live") in events(archive)
    require_sound(archive)


def test_a_citation_of_nothing_is_left_out_and_doubted(archive, stream):
    stream.hand_over("prompted", [prompt()], cites=["sha256:" + "ab" * 32])
    drain(archive)
    assert gaps(archive) == ["unknown_citation"]


def test_a_disconnected_hook_is_unknown(archive, hook, stream):
    hook_folder(archive).remove(hook)
    job(stream)
    drain(archive)
    assert set(gaps(archive)) == {"unknown_hook"}
    assert events(archive, "generated") == [("generated", "recovered")]


def test_a_spool_from_another_machine_is_imported_and_left_as_it_is(archive, tmp_path):
    clock = ManualClock(boot="another boot")
    rented, _ = create_archive(
        Home(tmp_path / "rented/.makingof", tmp_path / "rented-state"), clock, Plan("X", Settings())
    )
    with rented:
        stream = stream_of(connect_hook(rented), clock)
        stream.open({"host": "rented"})
        job(stream)
        job(stream, b"second")
    brought = tmp_path / "brought"
    shutil.copytree(spool_path(rented), brought)
    first = drain(archive, brought)
    assert first.events[Means.RECOVERED] == 4
    assert gaps(archive) == ["unknown_hook"]
    assert len(list(brought.glob("*.handover"))) == 5
    size = archive.log.size()
    assert drain(archive, brought).already == 5
    assert archive.log.size() == size
    require_sound(archive)


def test_a_disk_that_is_full_in_the_host_is_counted_and_said_later(archive, stream, monkeypatch):
    def refuse(_handle):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        assert stream.hand_over("prompted", [prompt()], [picture()]) is None
        assert stream.hand_over("prompted", [prompt()]) is None
    assert [path for path in spool_path(archive).iterdir() if path.name.startswith(".")] == []
    job(stream)
    drain(archive)
    assert own_facts(archive, Kind.GAP) == [{"why": "hook_lost", "stream": stream.stream, "lost": 2}]
    assert ("generated", "live") in events(archive)


class _Kill(BaseException):
    pass


@pytest.mark.parametrize("step", ["commit", "after_commit", "standing", "remove", "half_removed"])
def test_a_drain_killed_at_any_step_loses_nothing_and_writes_nothing_twice(
    archive, stream, monkeypatch, step
):
    def die(*_args, **_named):
        raise _Kill

    def commit_then_die(self, prepared, **named):
        real_commit(self, prepared, **named)
        raise _Kill

    def remove_half(taken):
        for path in handovers(archive)[:2]:
            path.unlink()
        raise _Kill

    real_commit = Recorder.commit
    job(stream)
    with monkeypatch.context() as patch:
        match step:
            case "commit":
                patch.setattr(Recorder, "commit", die)
            case "after_commit":
                patch.setattr(Recorder, "commit", commit_then_die)
            case "standing":
                patch.setattr(StandingFolder, "keep", die)
            case "remove":
                patch.setattr(draining, "remove_recorded", die)
            case "half_removed":
                patch.setattr(draining, "remove_recorded", remove_half)
            case _:
                pytest.fail(step)
        with pytest.raises(_Kill):
            drain(archive)
    home, clock = archive.home, archive.clock
    archive.close()
    with open_archive(home, clock) as again:
        drain(again)
        job(stream, b"afterwards")
        drain(again)
        assert events(again) == [*LIVE_JOB, ("prompted", "live"), ("generated", "live")]
        assert gaps(again) == []
        assert handovers(again) == []
        require_sound(again)


def test_what_the_log_refuses_stays_in_the_spool(archive, stream, monkeypatch):
    def refuse(*_args, **_named):
        message = "disk full"
        raise StorageError(message)

    job(stream)
    with monkeypatch.context() as patch:
        patch.setattr(Recorder, "commit", refuse)
        with pytest.raises(StorageError):
            drain(archive)
    assert len(handovers(archive)) == 3
    drain(archive)
    assert events(archive) == LIVE_JOB


def test_two_generators_at_once_keep_their_own_order(archive, hook, clock):
    first, second = stream_of(hook, clock), stream_of(hook, clock)
    first.open({})
    second.open({})
    for _ in range(3):
        job(first)
        job(second, b"another")
    drain(archive)
    assert [means for _, means in events(archive, "generated")] == ["live"] * 6
    assert gaps(archive) == []


def test_a_graph_handed_over_as_bytes_is_read_by_the_reader_of_files(archive, stream):
    graph = {
        "3": {
            "class_type": "KSampler",
            "inputs": {"seed": 7, "steps": 8, "positive": ["6", 0], "model": ["4", 0]},
        },
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a jade crane", "clip": ["4", 1]}},
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "m.safetensors"}},
    }
    data = json.dumps(graph).encode()
    raw = {"type": "raw", "from": "api:/prompt", "body": {
        "locator": "api:/prompt", "tool": "comfyui", "digest": str(Digest.of(data)), "size": len(data),
        "base64": base64.b64encode(data).decode()}}  # fmt: skip
    stream.hand_over("prompted", [raw])
    drain(archive)
    assert events(archive, "prompted") == [("prompted", "live")]
    assert archive.index.events(limit=1)[0].text == "a jade crane"
    require_sound(archive)


def test_no_change_of_any_byte_is_believed(archive, hook, clock):
    """Every byte of a handover in turn is another: what is drained is never live, and nothing breaks."""
    template = stream_of(hook, clock)
    template.open({"host": "a-tool"})
    original = handovers(archive)[0].read_bytes()
    name = handovers(archive)[0].name
    handovers(archive)[0].unlink()
    for offset in range(0, len(original), 7):
        changed = bytearray(original)
        changed[offset] ^= 1
        (spool_path(archive) / name).write_bytes(changed)
        drain(archive)
    assert all(facts.get("accepted") is False for facts in own_facts(archive, Kind.OPENED))
    (spool_path(archive) / name).write_bytes(original)
    drain(archive)
    assert handovers(archive) == []


def test_a_drain_killed_again_and_again_records_everything_once(archive, hook, tmp_path):
    archive.clock = archive.recorder._clock = SystemClock()
    stream = stream_of(hook, archive.clock)
    stream.open({})
    for number in range(40):
        job(stream, str(number).encode())
    home = archive.home
    archive.close()
    command = [sys.executable, "-m", "makingof", "drain", "--archive", str(home.path)]
    env = {"MAKINGOF_STATE": str(home.state), "HOME": str(tmp_path), "PATH": os.defpath}
    for delay in (0.3, 0.5, 0.7, 0.9):
        process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        process.kill()
        process.wait()
    with open_archive(home, SystemClock()) as again:
        drain(again)
        assert len(events(again, "generated")) == 40
        assert gaps(again) == []
        assert len(events(again, "prompted")) == 40
        assert handovers(again) == []
        require_sound(again)


def test_what_a_killed_host_left_half_written_is_kept_once_it_is_old(archive, stream):
    spool = spool_path(archive)
    name = f"{'ab' * 16}-0000000003"
    half, files, orphan = (
        spool / f".{name}-12345678",
        spool / f".{name}-12345678.files",
        spool / f"{name}.files",
    )
    half.write_bytes(b"half a hand")
    for folder in (files, orphan):
        folder.mkdir()
        (folder / "00000.png").write_bytes(f"a picture in {folder.name}".encode())
    recent = archive.clock.now().timestamp()
    for path in (half, files, orphan):
        os.utime(path, (recent, recent))
    drain(archive)
    assert gaps(archive) == []
    for path in (half, files, orphan):
        os.utime(path, (recent - 4000, recent - 4000))
    drain(archive)
    assert gaps(archive) == ["unfinished", "unfinished"]
    for data in (
        b"half a hand",
        f"a picture in {files.name}".encode(),
        f"a picture in {orphan.name}".encode(),
    ):
        assert archive.store.has(Digest.of(data))
    assert not any(path.exists() for path in (half, files, orphan))
    require_sound(archive)
