import multiprocessing
import os
import sqlite3
import threading

import pytest
from tests.logs import (
    KEY,
    FailingDisk,
    check_whole,
    fill,
    leaves_of,
    log_path,
    make_log,
    mark_of,
    pending,
    plain_head,
    reopen,
    state_path,
)

from makingof.digest import Digest
from makingof.errors import (
    ConflictError,
    IntegrityError,
    UsageError,
)
from makingof.keys.mark import Mark
from makingof.tlog import merkle
from makingof.tlog.checkpoint import verify_checkpoint
from makingof.tlog.log import EncodedEntry, Pending, open_log
from makingof.tlog.merkle import leaf_hash
from makingof.tlog.reader import open_reader

# Appending


def test_an_append_is_answered_signed_and_below_the_mark(log, tmp_path):
    (appended,) = log.append([pending("entry 0", "part", "other part")])
    assert (appended.index, appended.leaf, appended.already) == (0, leaf_hash(b"entry 0"), False)
    assert verify_checkpoint(log.checkpoint(), KEY.public).head == log.head() == plain_head(leaves_of(1))
    assert mark_of(tmp_path).read() == Mark(1, log.head().root)
    assert log.entry(0) == b"entry 0"
    assert log.parts_between(0, 9) == {
        index: log.parts(index) for index in range(log.size()) if log.parts(index)
    }
    assert [(part.number, part.digest, part.data) for part in log.parts(0)] == [
        (0, Digest.of(b"part"), b"part"),
        (1, Digest.of(b"other part"), b"other part"),
    ]
    assert check_whole(tmp_path).unsigned == 0


def test_an_entry_is_encoded_with_the_head_just_before_it_also_within_a_batch(log):
    heads = []

    def encode(head):
        heads.append(head)
        return EncodedEntry(b"entry %d" % head.size)

    log.append([Pending(encode)] * 3)
    log.append([Pending(encode)] * 2)
    assert heads == [plain_head(leaves_of(size)) for size in range(5)]
    assert log.head() == plain_head(leaves_of(5))


def test_a_key_is_appended_once_and_names_its_entry_ever_after(log, tmp_path):
    first = log.append([pending("a", key="k1"), pending("b", key="k2"), pending("again", key="k1")])
    assert [(item.index, item.already) for item in first] == [(0, False), (1, False), (0, True)]
    log.close()
    with reopen(tmp_path) as again:

        def never(head):
            pytest.fail("a key that is there is not encoded again")

        second = again.append([Pending(never, b"k2"), pending("c")])
        assert [(item.index, item.leaf, item.already) for item in second] == [
            (1, leaf_hash(b"b"), True),
            (2, leaf_hash(b"c"), False),
        ]
        assert again.find_key(b"k2") == 1
        assert again.find_key(b"k3") is None
        assert again.key(1) == b"k2"
        assert again.key(2) is None
    check_whole(tmp_path)


def test_if_one_entry_cannot_be_encoded_nothing_of_the_call_is_written(log, tmp_path):
    def fail(head):
        raise KeyError(head.size)

    fill(log, 2)
    with pytest.raises(KeyError, match="3"):
        log.append([pending("never"), Pending(fail), pending("never either")])
    assert log.size() == 2
    log.append([pending("entry 2", key="never seen before")])
    assert log.head() == plain_head(leaves_of(3))
    check_whole(tmp_path)


def test_an_append_from_inside_an_append_is_refused_and_not_waited_for(log):
    def encode(head):
        log.append([pending("inner")])
        return EncodedEntry(b"outer")

    with pytest.raises(UsageError):
        log.append([Pending(encode)])
    assert log.size() == 0


def test_an_entry_may_be_read_while_another_is_encoded(log):
    fill(log, 1)
    log.append([Pending(lambda head: EncodedEntry(log.entry(head.size - 1) + b"!"))])
    assert log.entry(1) == b"entry 0!"


def test_entries_and_parts_have_limits(log):
    fits = EncodedEntry(bytes(65_535), [bytes(1 << 20)] * 2)
    log.append([Pending(lambda _: fits)])
    for encoded in (EncodedEntry(bytes(65_536)), EncodedEntry(b"", [b"", bytes((1 << 20) + 1)])):
        with pytest.raises(UsageError):
            log.append([Pending(lambda _, encoded=encoded: encoded)])
    assert log.size() == 1
    assert log.append([]) == []


def test_threads_share_commits_and_every_answer_is_right(tmp_path):
    disk = FailingDisk()
    with make_log(tmp_path, disk=disk.as_disk()) as log:
        answers = {}

        def work(worker):
            for number in range(25):
                text = f"{worker} {number}"
                answers[text] = log.append([pending(text, text, key=text)])[0]

        threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert log.size() == len(answers) == 200
        for text, answer in answers.items():
            assert log.entry(answer.index) == text.encode()
            assert log.leaf(answer.index) == answer.leaf
        assert disk.writes < 3 * 200  # each alone would take a commit, a mark and a checkpoint
    check_whole(tmp_path)


def test_one_threads_error_is_not_anothers(log):
    entered, release = threading.Event(), threading.Event()
    outcomes = {}

    def slow(head):
        entered.set()
        release.wait(10)
        return EncodedEntry(b"slow")

    def work(name, item):
        try:
            outcomes[name] = log.append([item])[0].index
        except ZeroDivisionError:
            outcomes[name] = "failed"

    first = threading.Thread(target=work, args=("slow", Pending(slow)))
    first.start()
    entered.wait(10)
    others = [
        threading.Thread(
            target=work, args=("bad", Pending(lambda head: EncodedEntry(b"%d" % (head.size // 0))))
        ),
        threading.Thread(target=work, args=("good", pending("good"))),
    ]
    for thread in others:
        thread.start()
    release.set()
    for thread in (first, *others):
        thread.join()
    assert outcomes == {"slow": 0, "bad": "failed", "good": 1}


def append_some(folder, worker, count):
    with reopen(folder) as log:
        for number in range(count):
            log.append([pending(f"{worker} {number}", "part", key=f"{worker} {number}")])


def test_processes_write_one_after_the_other(tmp_path):
    make_log(tmp_path).close()
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=append_some, args=(tmp_path, worker, 15)) for worker in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert check_whole(tmp_path).head.size == 45


def test_a_log_held_by_another_is_a_conflict_in_time(tmp_path):
    make_log(tmp_path).close()
    with open_log(log_path(tmp_path), state_path(tmp_path), timeout_seconds=0.05) as again:
        with mark_of(tmp_path).locked(1), pytest.raises(ConflictError):
            again.append([pending("x")])
        other = sqlite3.connect(log_path(tmp_path), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ConflictError):
            again.append([pending("x")])
        other.close()
        assert again.append([pending("x")])[0].index == 0


# Reading


def test_everything_can_be_found_again(log):
    fill(log, 600)
    assert [item.entry for item in log.entries()] == [b"entry %d" % number for number in range(600)]
    assert [item.index for item in log.entries(255, 258)] == [255, 256, 257]
    assert list(log.entries(5, 5)) == []
    assert log.find_leaf(leaf_hash(b"entry 333")) == 333
    assert log.find_leaf(bytes(32)) is None
    leaf = log.leaf(17)
    assert log.find_leaves(leaf.hex()[:9], 2) == log.find_leaves(leaf.hex(), 2) == [leaf]
    assert len(log.find_leaves("0", 3)) == 3
    assert log.find_leaves("xyz", 1) == log.find_leaves("", 1) == log.find_leaves("A", 1) == []
    for ask in (log.entry, log.leaf, log.head_at):
        with pytest.raises(UsageError):
            ask(601)
    with pytest.raises(UsageError):
        log.entry(-1)


def test_equal_entries_are_found_at_their_first_index(log):
    log.append([pending("same"), pending("same")])
    assert log.find_leaf(leaf_hash(b"same")) == 0


def test_every_kind_of_proof_is_made_for_every_size(log):
    fill(log, 70)
    leaves = leaves_of(70)
    for size in (1, 2, 63, 64, 65, 70):
        head = log.head_at(size)
        assert head == plain_head(leaves[:size])
        for index in {0, size // 2, size - 1}:
            merkle.verify_inclusion(leaves[index], index, head, log.inclusion_proof(index, size))
            merkle.verify_range(leaves[index:size], index, head, log.range_proof(index, size, size))
            proof = log.consistency_proof(index + 1, size)
            merkle.verify_consistency(plain_head(leaves[: index + 1]), head, proof)
    for ask in (
        lambda: log.inclusion_proof(70, 70),
        lambda: log.range_proof(0, 1, 71),
        lambda: log.consistency_proof(1, 71),
    ):
        with pytest.raises(UsageError):
            ask()


def test_a_checkpoint_of_any_size_that_was_signed_can_be_signed_again(log):
    notes = []
    for _ in range(5):
        fill(log, 1)
        notes.append(log.checkpoint())
    assert [log.checkpoint(size) for size in range(1, 6)] == notes
    verify_checkpoint(log.checkpoint(0), KEY.public)
    for size in (6, -1):
        with pytest.raises(UsageError):
            log.checkpoint(size)


def test_a_reader_sees_what_is_committed_while_others_write(log, tmp_path):
    fill(log, 3)
    with open_reader(log_path(tmp_path)) as reader:
        fill(log, 3)
        assert reader.head() == log.head()
        assert reader.stored_checkpoint() == log.checkpoint()
        assert reader.vkey == KEY.public.vkey


def test_the_vkey_and_origin_come_from_the_key(log):
    assert log.origin == KEY.origin
    assert log.vkey == KEY.public.vkey


# Erasing


def test_erased_bytes_are_gone_from_every_file_and_their_digest_stays(log, tmp_path):
    secret = os.urandom(16).hex()
    log.append([pending("a", "kept", secret * 3, secret * 500), pending("b", secret)])
    with pytest.raises(IntegrityError):
        log.purge([secret.encode()])
    for index, number in ((0, 1), (0, 2), (1, 0)):
        log.erase_part(index, number)
    log.purge([secret.encode()])
    assert [part.data for part in log.parts(0)] == [b"kept", None, None]
    assert log.parts(0)[1].digest == Digest.of(secret.encode() * 3)
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes(), path
    assert check_whole(tmp_path).erased_parts == 3
    with pytest.raises(UsageError):
        log.erase_part(0, 3)
    log.erase_part(0, 1)
    assert log.append([pending("c")])[0].index == 2


def test_erasing_needs_no_key(log, tmp_path):
    log.append([pending("a", "part")])
    log.close()
    with open_log(log_path(tmp_path), tmp_path / "elsewhere") as again:
        again.erase_part(0, 0)
        again.purge([b"part"[::-1] + b"absent"])
        assert again.parts(0)[0].data is None


def test_purging_waits_for_those_who_still_read_older_pages(log, tmp_path):
    log.append([pending("a", "part")])
    other = sqlite3.connect(log_path(tmp_path), isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT count(*) FROM entries").fetchone()
    log.erase_part(0, 0)
    with pytest.raises(ConflictError):
        log.purge()
    other.close()
    log.purge()
