"""What goes wrong around a host or in a folder is recorded as what it is, and the host never notices.

Real processes that are really killed, real limits on what they may write, real bursts of files.
"""

import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest
from tests.hooks import connect_hook, events, job, own_facts, picture, prompt, report, stream_of
from tests.records import a1111_png, png

from makingof.archive.archive import open_archive
from makingof.archive.draining import drain
from makingof.archive.fsck import check_archive
from makingof.archive.hooks import spool_path
from makingof.archive.running import is_running, record_on, watched_folders
from makingof.archive.watching import Noted, Watch
from makingof.capture.watching import Change, What
from makingof.clock import SystemClock
from makingof.digest import Digest
from makingof.event import Event, Kind
from makingof.part import FileBody, Part, PartType
from makingof.spool import carried
from makingof.stamp.trust import built_in_trust

PRELUDE = """
import json, sys
sys.path.insert(0, sys.argv[1])
from handing_over import HookStream
stream = HookStream(json.loads(sys.argv[2]), {"name": "a-hook", "version": "1", "tool": "a-tool"})
said = [{"type": "prompt", "from": "api", "body": {"effective": "a crane", "written": "typed"}}]
told = [{"type": "report", "from": "api", "body": {"job": "j", "facts": {}}}]
"""
ENDLESS = """
stream.open({})
print("open", flush=True)
while True:
    request = stream.hand_over("prompted", said)
    file = {"bytes": b"pixels" * 20000 + str(request).encode(), "name": "a.png", "role": "output"}
    stream.hand_over("generated", told, [file], [request])
"""
FULL = """
import resource
stream.open({})
picture = [{"bytes": bytes(100_000), "name": "a.png", "role": "output"}]
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
first = stream.hand_over("prompted", said)
print(stream.hand_over("generated", told, picture, [first]))
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
second = stream.hand_over("prompted", said)
stream.hand_over("generated", told, picture, [second])
stream.close()
"""


@pytest.fixture
def live(archive):
    archive.clock = archive.recorder._clock = SystemClock()
    return archive


@pytest.fixture
def hooks_own_copy(tmp_path):
    folder = tmp_path / "hook"
    folder.mkdir()
    shutil.copy(carried.__file__, folder / "handing_over.py")
    return folder


def host_command(folder, hook, script):
    connection = f'{{"id": "{hook.id}", "secret": "{hook.secret}", "spool": "{hook.spool}"}}'
    return [sys.executable, "-I", "-c", PRELUDE + script, str(folder), connection]


def require_sound(archive):
    check_archive(archive, built_in_trust(), openssl=None).require()


def test_a_host_killed_anywhere_between_two_handovers_leaves_whole_ones_and_no_doubt(live, hooks_own_copy):
    hook = connect_hook(live)
    for delay in (0.0, 0.01, 0.05, 0.11):
        host = subprocess.Popen(host_command(hooks_own_copy, hook, ENDLESS), stdout=subprocess.PIPE)
        assert host.stdout.readline() == b"open\n"
        time.sleep(delay)
        host.kill()
        host.wait()
        host.stdout.close()
    drain(live)
    found = events(live)
    assert [kind for kind, _ in found].count("opened") == 4
    assert {means for kind, means in found if kind != "opened"} <= {"live"}
    assert own_facts(live, Kind.GAP) == []
    assert list(spool_path(live).glob("*.handover")) == []
    require_sound(live)


def test_a_disk_that_takes_no_more_in_the_host_costs_that_job_and_is_said(live, hooks_own_copy):
    command = host_command(hooks_own_copy, connect_hook(live), FULL)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "None\n"
    assert done.stderr == ""
    drain(live)
    assert [facts["lost"] for facts in own_facts(live, Kind.GAP)] == [1]
    assert [kind for kind, _ in events(live)] == [
        "opened",
        "prompted",
        "gap",
        "prompted",
        "generated",
        "closed",
    ]
    require_sound(live)


def test_a_drain_killed_wherever_it_stands_records_everything_once(live, tmp_path):
    """Killed as soon as the log grows or the spool shrinks, and then a little later each time."""
    stream = stream_of(connect_hook(live), live.clock)
    stream.open({})
    for number in range(100):
        job(stream, b"picture" * 1000 + str(number).encode())
    home = live.home
    live.close()
    command = [sys.executable, "-m", "makingof", "drain", "--archive", str(home.path)]
    env = {"MAKINGOF_STATE": str(home.state), "HOME": str(tmp_path), "PATH": os.defpath}
    killed = 0
    for number in range(5):
        before = traces(home)
        if not before[1]:
            break
        process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and traces(home) == before:
            time.sleep(0.001)
        time.sleep(0.01 * number)
        killed += process.poll() is None
        process.kill()
        process.wait()
    assert killed
    with open_archive(home, SystemClock()) as again:
        drain(again)
        assert len(events(again, "generated")) == len(events(again, "prompted")) == 100
        assert own_facts(again, Kind.GAP) == []
        assert list((home.path / "spool").glob("*.handover")) == []
        require_sound(again)


def traces(home):
    """What a drain changes first and last: the log's write-ahead file and the spool."""
    log = home.path / "log.sqlite-wal"
    return log.stat().st_size if log.exists() else 0, len(list((home.path / "spool").glob("*.handover")))


def test_a_host_upgraded_under_a_running_hook_is_two_streams_with_their_own_versions(live):
    hook = connect_hook(live)
    before, after = stream_of(hook, live.clock), stream_of(hook, live.clock)
    before.source = {**before.source, "tool_version": "1.0"}
    after.source = {**after.source, "tool_version": "2.0"}
    before.open({})
    job(before)
    after.open({})
    job(after, b"made by the new one")
    job(before, b"and still one by the old one")
    drain(live)
    told = [Event.parse(live.log.entry(at)).header for at in live.index.positions_of_kind(Kind.GENERATED)]
    assert sorted(header.source.tool_version for header in told) == ["1.0", "1.0", "2.0"]
    assert len({header.stream for header in told}) == 2
    assert {str(header.means) for header in told} == {"live"}
    assert own_facts(live, Kind.GAP) == []


def test_two_generators_that_use_one_name_in_one_folder_keep_their_own_pictures(live):
    hook = connect_hook(live)
    one, other = stream_of(hook, live.clock), stream_of(hook, live.clock)
    one.open({})
    other.open({})
    for stream, data in ((one, b"of the one"), (other, b"of the other"), (one, b"of the one, again")):
        request = stream.hand_over("prompted", [prompt()])
        stream.hand_over("generated", [report(job="1")], [picture(data, "00001.png")], [request])
    drain(live)
    found = [parts_of(live, at)[0] for at in live.index.positions_of_kind(Kind.GENERATED)]
    assert set(found) == {Digest.of(data) for data in (b"of the one", b"of the other", b"of the one, again")}
    assert all(live.store.has(digest) for digest in found)
    assert own_facts(live, Kind.GAP) == []


def parts_of(archive, position):
    found = [Part.parse(part.data) for part in archive.log.parts(position)]
    return [
        part.read(FileBody).digest for part in found if part.type is PartType.FILE and part.listed() is None
    ]


# The folder


@contextmanager
def recording(archive, folder):
    """`record_on` in a thread, as a process has it; yields what it told of so far."""
    watched_folders(archive, [folder])
    home, stop, told = archive.home, threading.Event(), []

    def run():
        with open_archive(home, SystemClock()) as own:
            for item in record_on(own, [folder], None, stop):
                told.extend([item.problem] if item.problem else item.noted)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        wait_for(lambda: is_running(archive))
        yield told
    finally:
        stop.set()
        thread.join()
        archive.index.follow(archive.log)


def changes(told):
    """What was noted, among problems that the next turn tries again."""
    return [item.change for item in told if isinstance(item, Noted)]


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert condition()


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "out"
    made.mkdir()
    return made


@pytest.mark.parametrize(
    "count", [500, pytest.param(10_000, marks=pytest.mark.integration)], ids=["500", "10,000"]
)
def test_a_folder_filled_at_once_is_recorded_file_by_file(live, folder, count):
    with recording(live, folder) as told:
        for number in range(count):
            (folder / f"{number}.png").write_bytes(b"file %d" % number)
        wait_for(lambda: len(told) >= count, 300)
    rows = [facts for facts in own_facts(live, Kind.IMPORTED) if facts["arrival"] == "appeared"]
    assert len(rows) == len(told) == count
    assert own_facts(live, Kind.GAP) == []
    require_sound(live)


def test_what_hooks_hand_over_is_not_late_for_a_folder_filled_at_once(live, folder):
    stream = stream_of(connect_hook(live), live.clock)
    with recording(live, folder) as told:
        for number in range(600):
            (folder / f"{number}.png").write_bytes(b"file %d" % number)
        wait_for(lambda: told)
        stream.open({})
        job(stream)
        wait_for(lambda: not list(spool_path(live).glob("*.handover")))
        assert len(told) < 600
    assert ("generated", "live") in events(live)


def test_what_a_recorder_that_was_ended_did_not_take_any_more_is_counted(live, folder):
    with recording(live, folder) as told:
        for number in range(900):
            (folder / f"{number}.png").write_bytes(b"file %d" % number)
        wait_for(lambda: told)
    (gap,) = own_facts(live, Kind.GAP)
    assert (gap["why"], gap["files"]) == ("not_taken", 900 - len(told))
    (stream,) = {
        Event.parse(live.log.entry(at)).header.stream for at in live.index.positions_of_kind(Kind.CLOSED)
    }
    assert live.index.stream(stream).missing == ()


def test_a_name_used_again_is_two_pictures_and_both_are_kept(live, folder):
    with recording(live, folder) as told:
        first, second = a1111_png("a crane", "", Seed=1), a1111_png("a heron", "", Seed=2, colour=(9, 9, 9))
        (folder / "00001.png").write_bytes(first)
        wait_for(lambda: len(told) == 1)
        (folder / "00001.png").write_bytes(second)
        wait_for(lambda: len(told) == 2)
        (folder / "00001.png").unlink()
        wait_for(lambda: len(told) == 3)
        (folder / "00001.png").write_bytes(png(colour=(1, 2, 3)))
        wait_for(lambda: len(told) == 4)
    assert [str(noted.kind) for noted in told] == ["generated", "generated", "removed", "imported"]
    assert live.store.has(Digest.of(first))
    assert live.store.has(Digest.of(second))
    (position,) = live.index.positions_of_kind(Kind.REMOVED)
    (cited,) = Event.parse(live.log.entry(position)).header.cites
    assert cited.raw == live.log.leaf(live.index.positions_of_kind(Kind.GENERATED)[1])


def test_a_folder_taken_away_and_brought_back_is_two_gaps_and_no_deletion(live, folder, tmp_path):
    (folder / "a.png").write_bytes(png())
    with recording(live, folder) as told:
        folder.rename(tmp_path / "elsewhere")
        wait_for(lambda: What.FOLDER_VANISHED in [change.what for change in changes(told)])
        (tmp_path / "elsewhere").rename(folder)
        wait_for(lambda: What.FOLDER_BACK in [change.what for change in changes(told)])
        (folder / "b.png").write_bytes(png(colour=(5, 5, 5)))
        wait_for(lambda: folder / "b.png" in [change.path for change in changes(told)])
    assert [facts["why"] for facts in own_facts(live, Kind.GAP)] == ["folder_vanished", "folder_back"]
    assert events(live, "removed") == []


def test_a_full_disk_keeps_what_arrives_for_later_and_leaves_no_number_out(live, folder, tmp_path):
    watched_folders(live, [folder])
    home = live.home
    live.close()
    command = [sys.executable, "-m", "makingof", "watch", "--archive", str(home.path)]
    env = {"MAKINGOF_STATE": str(home.state), "HOME": str(tmp_path), "PATH": os.defpath}
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with open_archive(home, SystemClock()) as looking:
            wait_for(lambda: is_running(looking))
        unlimited = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, unlimited[1]))
        (folder / "a.png").write_bytes(a1111_png("a crane", "", Seed=1))
        time.sleep(0.8)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, unlimited)
        wait_for(lambda: recorded(home, Kind.GENERATED) == 1)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
    with open_archive(home, SystemClock()) as again:
        assert events(again, "generated") == [("generated", "watched")]
        (at,) = again.index.positions_of_kind(Kind.GENERATED)
        assert again.index.stream(Event.parse(again.log.entry(at)).header.stream).missing == ()
        require_sound(again)


def recorded(home, kind):
    with open_archive(home, SystemClock()) as again:
        return len(again.index.positions_of_kind(kind))


def test_a_clock_that_steps_is_seen_and_moves_nothing(archive, folder):
    watch = Watch(archive, (folder,))
    watch.open(0)
    for number, step in enumerate((0, -86_400, 172_800)):
        archive.clock.moment += timedelta(seconds=step)
        path = folder / f"{number}.png"
        path.write_bytes(a1111_png("a crane", "", Seed=number))
        watch.record([Change(What.APPEARED, path)])
    positions = archive.index.positions_of_kind(Kind.GENERATED)
    heads = [Event.parse(archive.log.entry(at)).header for at in positions]
    assert [head.seq for head in heads] == [1, 2, 3]
    assert heads[1].recorded_at < heads[0].recorded_at < heads[2].recorded_at
    assert len({head.uptime_ms for head in heads}) == 1
    require_sound(archive)
