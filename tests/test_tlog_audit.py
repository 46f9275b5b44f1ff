import pytest
from tests.logs import KEY, damage, fill, leaves_of, log_path, make_log, pending, plain_head

from makingof.errors import CorruptBlobError, IntegrityError, LogForkError, ProofError
from makingof.keys.mark import Mark
from makingof.tlog.audit import Outcome, check_log
from makingof.tlog.checkpoint import sign_checkpoint
from makingof.tlog.reader import open_reader

STEPS = ["file", "entries", "nodes", "parts", "checkpoint", "mark"]


@pytest.fixture
def log(tmp_path):
    with make_log(tmp_path) as log:
        fill(log, 20)
        log.append([pending("with parts", "one", "two")])
        yield log


def failed_steps(log, **options):
    report = check_log(log, **options)
    failed = [step for step in report.steps if step.outcome is Outcome.FAILED]
    for step in failed:
        assert step.problems
    if failed:
        with pytest.raises(type(failed[0].problems[0])):
            report.require()
    return {step.name: step.problems for step in failed}


def test_a_whole_log_passes_every_step_and_says_how_much_was_checked(log):
    seen = []
    report = check_log(
        log, mark=Mark(21, log.head().root), progress=lambda done, size: seen.append((done, size))
    )
    assert [(step.name, step.outcome) for step in report.steps] == [(name, Outcome.PASSED) for name in STEPS]
    assert [step.count for step in report.steps] == [1, 21, 18, 2, 1, 1]
    assert (report.head, report.unsigned, report.erased_parts) == (log.head(), 0, 0)
    assert seen == [(21, 21)]
    report.require()


def test_what_could_not_be_checked_is_skipped_with_a_reason(log, tmp_path):
    assert check_log(log).steps[-1].outcome is Outcome.SKIPPED
    assert check_log(log).steps[-1].skipped
    damage(tmp_path, "DELETE FROM checkpoint")
    report = check_log(log)
    assert [step.name for step in report.steps if step.outcome is Outcome.SKIPPED] == ["checkpoint", "mark"]
    assert report.unsigned == 21
    report.require()


def test_an_empty_log_passes(tmp_path):
    with make_log(tmp_path) as log:
        report = check_log(log, mark=Mark(0, plain_head([]).root))
        report.require()
        assert report.head == plain_head([])


def test_an_erased_part_is_counted_and_no_problem(log):
    log.erase_part(20, 1)
    assert check_log(log).erased_parts == 1
    check_log(log).require()


@pytest.mark.parametrize(
    ("statement", "steps"),
    [
        ("UPDATE entries SET entry = x'00' WHERE idx = 5", {"entries", "nodes", "checkpoint"}),
        ("UPDATE entries SET leaf = zeroblob(32) WHERE idx = 5", {"entries"}),
        ("DELETE FROM entries WHERE idx = 5", {"entries", "nodes", "checkpoint"}),
        ("DELETE FROM entries WHERE idx = 0", {"entries", "nodes", "checkpoint"}),
        ("INSERT INTO entries VALUES (-1, x'00', zeroblob(32), NULL)", {"entries"}),
        ("UPDATE nodes SET hash = zeroblob(32) WHERE position = 2", {"nodes"}),
        ("DELETE FROM nodes WHERE position = 2", {"nodes"}),
        ("INSERT INTO nodes VALUES (0, zeroblob(32))", {"nodes"}),
        ("INSERT INTO nodes VALUES (100000, zeroblob(32))", {"nodes"}),
        ("UPDATE parts SET bytes = x'00' WHERE number = 1", {"parts"}),
        ("UPDATE parts SET digest = zeroblob(32) WHERE number = 1", {"parts"}),
        ("INSERT INTO parts VALUES (21, 0, zeroblob(32), NULL)", {"parts"}),
    ],
)
def test_each_kind_of_damage_fails_its_own_step(log, tmp_path, statement, steps):
    damage(tmp_path, statement)
    assert set(failed_steps(log)) == steps


def test_what_was_signed_and_is_no_longer_there_is_found(log, tmp_path):
    head = log.head()
    damage(tmp_path, "DELETE FROM entries WHERE idx = 20")
    problems = failed_steps(log, mark=Mark(head.size, head.root))
    assert isinstance(problems["checkpoint"][0], IntegrityError)
    assert isinstance(problems["mark"][0], IntegrityError)


def test_another_history_than_was_signed_is_a_fork(log, tmp_path):
    note = sign_checkpoint(plain_head(leaves_of(21)), KEY).to_bytes()
    damage(tmp_path, "UPDATE checkpoint SET note = ?", note)
    problems = failed_steps(log, mark=Mark(3, bytes(32)))
    assert isinstance(problems["checkpoint"][0], LogForkError)
    assert isinstance(problems["mark"][0], LogForkError)


def test_a_checkpoint_by_nobody_we_know_is_found(log, tmp_path):
    note = log.checkpoint().replace(b"\n21\n", b"\n20\n")
    damage(tmp_path, "UPDATE checkpoint SET note = ?", note)
    assert isinstance(failed_steps(log)["checkpoint"][0], ProofError)


def test_a_damaged_part_names_itself(log, tmp_path):
    damage(tmp_path, "UPDATE parts SET bytes = x'00'")
    problems = failed_steps(log)["parts"]
    assert all(isinstance(problem, CorruptBlobError) for problem in problems)
    assert "part 1 of entry 20" in str(problems[1])


def test_many_problems_are_told_by_the_first_ones(log, tmp_path):
    damage(tmp_path, "UPDATE entries SET leaf = zeroblob(32)")
    assert len(failed_steps(log)["entries"]) == 20


def test_a_damaged_page_is_found(log, tmp_path):
    log.close()
    data = bytearray(log_path(tmp_path).read_bytes())
    place = data.index(b"entry 7")
    data[place - 60 : place - 40] = b"\xff" * 20
    log_path(tmp_path).write_bytes(data)
    with pytest.raises(IntegrityError), open_reader(log_path(tmp_path)) as reader:
        check_log(reader).require()
