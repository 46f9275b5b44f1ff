import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.logs import (
    FailingDisk,
    check_whole,
    fill,
    make_log,
    pending,
    plain_head,
    reopen,
)

from makingof.errors import (
    StorageError,
)
from makingof.tlog import merkle
from makingof.tlog.merkle import leaf_hash


@pytest.mark.parametrize("applies", [False, True])
@pytest.mark.parametrize("keyed", [False, True])
def test_whatever_write_fails_either_way_nothing_acknowledged_is_lost_and_no_fork_is_signed(
    tmp_path, applies, keyed
):
    disk = FailingDisk()
    log = make_log(tmp_path, disk=disk.as_disk())
    fill(log, 254)  # the next entries complete nodes of every level
    disk.arm(-1, applies=False)
    signed = {log.size(): log.head()}
    step = 0
    while True:
        size = log.size()
        items = [
            pending(f"{step} {number}", "part", key=f"{step} {number}" if keyed else None)
            for number in range(3)
        ]
        disk.arm(step, applies=applies)
        try:
            answers = log.append(items)
        except StorageError:
            disk.disarm()
        else:
            assert disk.disarm() == step  # every write has had its turn
            break
        log.close()
        log = reopen(tmp_path, disk=disk.as_disk())
        check_whole(tmp_path)
        assert log.size() in {size, size + 3}
        if keyed:
            answers = log.append(items)
            assert [answer.index for answer in answers] == [size, size + 1, size + 2]
            assert answers[0].already is (applies or step > 0)
        head = signed.setdefault(log.size(), log.head())
        assert head == log.head()
        step += 1
    assert step == 3  # entries, mark, checkpoint
    for old_size, old in signed.items():
        merkle.verify_consistency(old, log.head(), log.consistency_proof(old_size, log.size()))
    log.close()
    check_whole(tmp_path)


def test_a_process_goes_on_after_a_failure_without_reopening(tmp_path):
    disk = FailingDisk()
    with make_log(tmp_path, disk=disk.as_disk()) as log:
        for step in range(3):
            for applies in (False, True):
                disk.arm(step, applies=applies)
                with pytest.raises(StorageError):
                    log.append([pending("x", key=f"{step} {applies}")])
                disk.disarm()
                (answer,) = log.append([pending("x", key=f"{step} {applies}")])
                assert answer.index == log.size() - 1
        assert log.size() == 6
    check_whole(tmp_path)


def test_a_full_disk_refuses_whole_calls_and_keeps_what_it_acknowledged(tmp_path):
    with make_log(tmp_path) as log:
        fill(log, 20)
        pages = log._sequencer._connection.execute("PRAGMA page_count").fetchone()[0]
        log._sequencer._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(StorageError) as caught:
            log.append([pending(f"big {number}", "x" * 60_000) for number in range(5)])
        assert caught.value.hint
        assert log.size() == 20
        check_whole(tmp_path)
        log._sequencer._connection.execute("PRAGMA max_page_count = 1000000")
        fill(log, 1)
    check_whole(tmp_path)


ROOT = Path(__file__).parents[1]

LIMITED = """
import resource, signal, sys
from pathlib import Path
from tests.logs import reopen, pending
from makingof.errors import StorageError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
log = reopen(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
written = 0
try:
    while written < 100:
        log.append([pending(f"{written} {number}", "x" * 5_000) for number in range(3)])
        written += 1
except StorageError:
    print(written, log.size())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs RLIMIT_FSIZE")
def test_a_disk_that_is_really_full_leaves_nothing_half_written(tmp_path):
    make_log(tmp_path).close()
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    written, size = map(int, done.stdout.split())
    assert 0 < written < 100
    assert size == written * 3
    assert check_whole(tmp_path).head.size == size
    with reopen(tmp_path) as log:
        fill(log, 1)


KILLED = """
import sys
from pathlib import Path
from tests.logs import reopen, pending
log = reopen(Path(sys.argv[1]))
for number in range(10_000):
    answers = log.append([pending(f"{sys.argv[2]} {number} {part}", "part") for part in range(3)])
    print(answers[-1].index, answers[-1].leaf.hex(), flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path):
    make_log(tmp_path).close()
    acknowledged = {}
    for attempt in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(tmp_path), str(attempt)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for _ in range(3 + 5 * attempt):
            index, leaf = process.stdout.readline().split()
            acknowledged[int(index)] = bytes.fromhex(leaf)
        process.send_signal(signal.SIGKILL)
        for line in process.stdout:
            with suppress(ValueError):  # the last line may be cut
                index, leaf = line.split()
                acknowledged[int(index)] = bytes.fromhex(leaf)
        process.wait()
        process.stdout.close()
        check_whole(tmp_path)
        with reopen(tmp_path) as log:
            assert log.read_only is None
            assert {index: log.leaf(index) for index in acknowledged} == acknowledged
        assert check_whole(tmp_path).unsigned == 0


@given(st.lists(st.lists(st.integers(0, 12), max_size=5), max_size=8))
@settings(max_examples=25, deadline=None)
def test_any_calls_with_any_keys_give_the_log_that_a_list_would(tmp_path_factory, calls):
    folder = tmp_path_factory.mktemp("model")
    expected = []
    with make_log(folder) as log:
        for keys in calls:
            answers = log.append([pending(f"entry {key}", key=str(key)) for key in keys])
            for key, answer in zip(keys, answers, strict=True):
                assert answer.already is (key in expected)
                if key not in expected:
                    expected.append(key)
                assert answer.index == expected.index(key)
        assert [item.entry for item in log.entries()] == [f"entry {key}".encode() for key in expected]
        assert log.head() == plain_head([leaf_hash(f"entry {key}".encode()) for key in expected])
    check_whole(folder)
