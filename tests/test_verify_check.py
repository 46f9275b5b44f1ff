"""What is said of a stranger's package: the worst first, what is not checked, on whose word what stands."""

import json
from datetime import timedelta
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.flips import NOBODY
from tests.histories import PROGRAM, History, job, note, own, prompt
from tests.packages import KEY, PROMPT, Archive, ask, make_session, packed, sealed_again, unpack
from tests.records import a1111_png
from tests.stamping import NOON, make_local

from makingof.bundle.container import open_container
from makingof.bundle.disclose import disclose
from makingof.bundle.read import read_record
from makingof.bundle.request import Request
from makingof.digest import Digest
from makingof.errors import IntegrityError, MakingofError, MalformedError, ProofError, UsageError
from makingof.event import Kind
from makingof.keys.signing import SigningKey
from makingof.part import Means, PartType
from makingof.stamp.bounds import Standing
from makingof.stamp.local import LocalAuthority
from makingof.stamp.trust import Trust
from makingof.verify.check import STEPS, check_bundle
from makingof.verify.openings import NOTHING_OPENED, Openings, read_openings
from makingof.verify.report import Outcome


def outcomes(report) -> dict[str, str]:
    return {step.name: step.outcome for step in report.steps}


def stamped_session(*authorities):
    """A session with a stamp by all of `authorities` before it and one behind."""
    archive = Archive()
    archive.history.tell(Kind.ENROLLED, own(log_key=KEY.public.vkey), means=Means.OWN, source=PROGRAM)
    archive.stamp(*(ask(authority, archive.checkpoint(1)) for authority in authorities))
    for authority in authorities:
        authority.clock.moment += timedelta(hours=1)
    session = make_session(archive)
    size = archive.history.size()
    archive.stamp(*(ask(authority, archive.checkpoint(size)) for authority in authorities))
    return session


@cache
def dated_package() -> tuple[bytes, LocalAuthority, LocalAuthority]:
    """A package dated by two authorities, and these; made once, for their keys take time."""
    one, two = make_local("one"), make_local("two", NOON + timedelta(seconds=30))
    session = stamped_session(one, two)
    return session.archive.package(session.final), one, two


def trust(*authorities) -> Trust:
    return Trust("the reader's own", tuple(authority.authority() for authority in authorities))


# Time


def test_two_authorities_of_the_reader_bound_every_event_on_both_sides():
    package, one, two = dated_package()
    report = check_bundle(package, trust=trust(one, two))
    report.require()
    assert outcomes(report)["time"] == Outcome.PASSED
    assert report.dated
    for item in report.dated:
        assert item.bounds.not_before.standing is Standing.TWO
        assert item.bounds.not_after.standing is Standing.TWO
        # second-latest before, second-earliest after, each widened by the second the token allows itself
        assert item.bounds.not_before.at == NOON - timedelta(seconds=1)
        assert item.bounds.not_after.at == NOON + timedelta(hours=1, seconds=31)
    words = "\n".join(report.lines("en"))
    assert "written after 2026-03-01 11:59:59 UTC (two, one) and not later than" in words
    assert "not dated by two authorities" not in words


def test_with_one_authority_only_its_word_is_given():
    package, one, _ = dated_package()
    report = check_bundle(package, trust=trust(one))
    report.require()
    assert {item.bounds.not_after.standing for item in report.dated} == {Standing.ONE}
    words = "\n".join(report.lines("en"))
    assert "one authority says: one" in words
    assert "unknown authority, not counted" in words


def test_roots_in_a_package_give_no_trust_whatever_their_name():
    mine = make_local("DigiCert Trusted Timestamping")
    session = stamped_session(mine, make_local("Sectigo Time Stamping"))
    report = check_bundle(session.archive.package(session.final))
    report.require()
    assert outcomes(report)["time"] == Outcome.SKIPPED
    assert {item.bounds.not_after.standing for item in report.dated} == {Standing.NONE}
    words = "\n".join(report.lines("en"))
    assert "no receipt in this package is from an authority you trust" in words
    assert "not yet dated" in words


def test_a_forged_token_is_a_failure_and_not_only_uncounted():
    package, one, two = dated_package()
    files = unpack(package)
    name = next(name for name in files if name.endswith("1.tsr"))
    bent = files[name][:-3] + bytes([files[name][-3] ^ 1]) + files[name][-2:]
    report = check_bundle(packed(sealed_again({**files, name: bent})), trust=trust(one, two))
    assert outcomes(report)["time"] == Outcome.FAILED


def test_a_token_about_another_head_is_a_failure():
    package, one, two = dated_package()
    files = unpack(package)
    first, *_, last = sorted(name for name in files if name.endswith("1.tsr"))
    report = check_bundle(packed(sealed_again({**files, first: files[last]})), trust=trust(one, two))
    assert outcomes(report)["time"] == Outcome.FAILED


def test_a_receipt_nobody_logged_bounds_nothing_from_below():
    """Not before: only what stands in the log under an entry's head was known when the entry was written."""
    package, one, two = dated_package()
    fresh = make_local("one", NOON + timedelta(days=9))
    fresh.root, fresh.signer = one.root, one.signer
    files = unpack(package)
    note_name = "data/stamps/000000001/checkpoint"
    files["data/stamps/000000001/1.tsr"] = ask(fresh, files[note_name]).data
    files["data/stamps/000000001/1-1.tsq"] = b""
    files = {name: data for name, data in files.items() if name != "data/stamps/000000001/1-1.tsq"}
    description = json.loads(files["data/package.json"])
    description["stamps"][0]["receipts"][0]["beside"] = ["data/stamps/000000001/1.pem"]
    text = json.dumps(description, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    report = check_bundle(packed(sealed_again({**files, "data/package.json": text})), trust=trust(one, two))
    assert {item.bounds.not_before.standing for item in report.dated} == {Standing.ONE}
    assert {item.bounds.not_before.by[0].authority for item in report.dated} == {"two"}


# Views and verifiers


@pytest.mark.parametrize("name", ["00-READ-ME-FIRST.html", "bag-info.txt", "data/ro-crate-metadata.json"])
def test_a_table_that_says_something_else_than_the_log_is_caught(name):
    session = make_session()
    files = unpack(session.archive.package(session.final))
    assert b"10" in files[name] or b"1" in files[name]
    files[name] = files[name].replace(b"1", b"2")
    report = check_bundle(packed(sealed_again(files)))
    assert outcomes(report)["views"] == Outcome.FAILED
    assert name in "\n".join(report.lines("en"))


def test_a_verifier_replaced_by_the_owner_is_caught():
    session = make_session()
    files = unpack(session.archive.package(session.final))
    files["verify.py"] = b"print('everything is fine')\n"
    description = json.loads(files["data/package.json"])
    description["carried"]["verify.py"] = Digest.of(files["verify.py"])
    text = json.dumps(description, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    report = check_bundle(packed(sealed_again({**files, "data/package.json": text})))
    assert outcomes(report)["carried"] == Outcome.FAILED
    assert "do not run it" in "\n".join(report.lines("en"))


def test_what_another_version_made_is_not_called_checked():
    session = make_session()
    files = unpack(session.archive.package(session.final))
    description = json.loads(files["data/package.json"])
    description["made_with"] = "makingof 99"
    text = json.dumps(description, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    report = check_bundle(packed(sealed_again({**files, "data/package.json": text})))
    report.require()
    assert outcomes(report)["views"] == Outcome.SKIPPED


def test_findings_are_the_exporters_words():
    session = make_session()
    request = Request((session.final,), session.archive.history.size(), findings=b"{}")
    report = check_bundle(session.archive.write(request))
    report.require()
    assert outcomes(report)["findings"] == Outcome.SKIPPED


def test_sm3_values_are_computed_anew_when_asked_and_else_said_not_to_be():
    session = make_session()
    package = session.archive.package(session.final)
    assert outcomes(check_bundle(package))["sm3"] == Outcome.SKIPPED
    assert outcomes(check_bundle(package, computes_sm3=True))["sm3"] == Outcome.PASSED
    files = unpack(package)
    description = json.loads(files["data/package.json"])
    description["files"][0]["sm3"] = "0" * 64
    text = json.dumps(description, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    lied = packed(sealed_again({**files, "data/package.json": text}))
    assert outcomes(check_bundle(lied, computes_sm3=True))["sm3"] == Outcome.FAILED


# What was opened apart


def hidden_session():
    session = make_session()
    shown = session.archive.package(session.final)
    hidden = session.archive.package(session.final, withhold=("prompts",))
    sealed = set(unpack(shown)["data/parts.jsonl"].splitlines()) - set(
        unpack(hidden)["data/parts.jsonl"].splitlines()
    )
    return session, hidden, sorted(sealed)


def test_sealed_statements_opened_later_check_against_the_same_package(tmp_path):
    session, hidden, sealed = hidden_session()
    (tmp_path / "opened.jsonl").write_bytes(b"".join(line + b"\n" for line in sealed))
    original = next(data for data in session.archive.blobs.values() if PROMPT.encode() in data)
    (tmp_path / "original.png").write_bytes(original)
    openings = read_openings([tmp_path / "opened.jsonl", tmp_path / "original.png"])
    report = check_bundle(hidden, openings=openings)
    report.require()
    assert outcomes(report)["opened"] == Outcome.PASSED
    assert outcomes(report)["lineage"] == Outcome.PASSED
    assert outcomes(check_bundle(hidden))["lineage"] == Outcome.SKIPPED


@pytest.mark.parametrize(
    "change", [(b"moonlight", b"sunlight "), (b'"salt":"', b'"salt":"0'), (b"prompt", b"promptt")]
)
def test_something_else_than_was_sealed_is_caught(change):
    _, hidden, sealed = hidden_session()
    bent = [line.replace(*change) for line in sealed if change[0] in line]
    report = check_bundle(hidden, openings=Openings(tuple(bent)))
    assert outcomes(report)["opened"] == Outcome.FAILED


def test_a_file_that_is_not_named_is_caught():
    _, hidden, sealed = hidden_session()
    for files in (((Digest.of(b"x"), 1),), ((Digest.of(a1111_png("another")), 9),)):
        report = check_bundle(hidden, openings=Openings(tuple(sealed), files))
        assert outcomes(report)["opened"] == Outcome.FAILED


def test_nothing_opened_is_no_step():
    assert not NOTHING_OPENED
    assert "opened" not in outcomes(check_bundle(hidden_session()[1]))


# Runs


def test_a_number_that_never_arrived_is_counted_and_its_gap_noted():
    session = make_session()
    history = session.archive.history
    history.open("second")
    made = session.archive.generate(
        a1111_png(PROMPT, seed=5), prompt(PROMPT), job("job-5"), stream="second", seq=4
    )
    told = own(why="number_missing", stream=History.stream("second"), missing=[[1, 2]])
    history.tell(Kind.GAP, told, means=Means.OWN)
    history.close("second")
    report = check_bundle(session.archive.package(made.file()))
    report.require()
    [count] = [stream for stream in report.streams if stream.stream == History.stream("second")]
    assert (count.missing, count.told, count.last, count.covered) == (3, 2, 5, True)
    assert "nothing in it says why" in "\n".join(report.lines("en"))


def test_an_imported_run_is_not_counted_on():
    session = make_session()
    history = session.archive.history
    history.open("import", of="import")
    made = session.archive.generate(
        a1111_png(PROMPT, seed=5), prompt(PROMPT), stream="import", means=Means.RECOVERED
    )
    report = check_bundle(session.archive.package(made.file()))
    report.require()
    assert "imported afterwards" in "\n".join(report.lines("en"))


def test_other_runs_in_the_same_stretch_are_counted():
    session = make_session()
    history = session.archive.history
    history.open("second")
    history.open("somebody else's")
    history.tell(Kind.PULSE, own(streams={History.stream("a third"): 4}), means=Means.OWN)
    made = session.archive.generate(a1111_png(PROMPT, seed=5), prompt(PROMPT), stream="second")
    report = check_bundle(session.archive.package(made.file()))
    assert "other runs in the same stretch of the log: 2" in "\n".join(report.lines("en"))


# The report


def test_a_sound_package_is_never_called_true():
    session = make_session()
    report = check_bundle(session.archive.package(session.final))
    for language, word in (
        ("en", "does not mean that what was recorded is true"),
        ("zh", "并不表示所记录的内容真实"),
    ):
        lines = list(report.lines(language))
        assert word in lines[1]
        assert any("attested" in line or "并未得到证明" in line for line in lines[:9])
        assert any("one of several" in line or "多份记录" in line for line in lines[:9])
    assert report.exit_code == 0


def test_the_worst_is_said_first_in_words_a_lawyer_understands():
    session = make_session()
    files = unpack(session.archive.package(session.final))
    files["data/files/0001.png"] += b"x"
    report = check_bundle(packed(files))
    lines = list(report.lines("en"))
    assert lines[0].startswith("This package does NOT check")
    assert "Files were changed after the package was made: data/files/0001.png" in lines[1]
    assert next(report.lines("zh")).startswith("本包未能通过核验")
    assert report.exit_code == 1
    with pytest.raises(IntegrityError):
        report.require()


def test_steps_not_reached_are_named():
    report = check_bundle(b"not a zip")
    assert outcomes(report)["container"] == Outcome.FAILED
    assert set(outcomes(report)) == set(STEPS) - {"opened", "findings"}
    assert set(list(outcomes(report).values())[1:]) == {Outcome.SKIPPED}
    with pytest.raises(MalformedError):
        report.require()


def test_what_cannot_be_read_is_a_failed_step(tmp_path):
    report = check_bundle(tmp_path / "none.zip")
    assert report.exit_code == 1
    with pytest.raises(MakingofError):
        report.require()


def test_another_key_in_entry_zero_is_caught():
    archive = Archive()
    other = SigningKey.from_seed(b"x" * 32)
    archive.history.tell(Kind.ENROLLED, own(log_key=other.public.vkey), means=Means.OWN, source=PROGRAM)
    told = archive.generate(a1111_png(PROMPT), prompt(PROMPT))
    report = check_bundle(archive.package(told.file()))
    with pytest.raises(ProofError):
        report.require()
    assert outcomes(report)["parts"] == Outcome.FAILED


def test_the_report_as_json_has_every_step_and_event():
    package, one, two = dated_package()
    report = check_bundle(package, trust=trust(one, two))
    value = json.loads(json.dumps(report.to_builtins("zh")))
    assert value["outcome"] == "passed"
    assert [step["step"] for step in value["steps"]] == [step.name for step in report.steps]
    assert value["events"][0]["not_after"]["by"] == ["one", "two"]
    assert value["origin"] == KEY.origin
    assert value["policy"] == trust(one, two).digest


def test_a_withdrawal_after_the_package_is_not_seen_and_the_size_says_as_of_when():
    session = make_session()
    size = session.archive.history.size()
    session.archive.history.withdraw(session.chosen)
    report = check_bundle(session.archive.package(session.final, size=size))
    assert report.size == size
    assert "the log had 10 entries when this package was taken from it" in "\n".join(report.lines("en"))


def test_an_exporter_who_leaves_an_event_out_is_caught_even_if_links_are_many():
    session = make_session()
    session.archive.history.tell(Kind.NOTED, note("x"), cites=[session.other], actor="a1")
    files = unpack(session.archive.package(session.final))
    description = json.loads(files["data/package.json"])
    dropped = description["lineage"].pop()
    text = json.dumps(description, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    rest = {name: data for name, data in files.items() if f"{dropped:09d}" not in name}
    report = check_bundle(packed(sealed_again({**rest, "data/package.json": text})))
    assert outcomes(report)["lineage"] == Outcome.FAILED


def test_what_a_package_sealed_can_be_opened_from_its_log():
    session = make_session()
    hidden = session.archive.package(session.final, withhold=("prompts",))
    record = read_record(open_container(hidden))
    opened = disclose(record, session.archive, {PartType.PROMPT})
    report = check_bundle(hidden, openings=Openings(tuple(opened.splitlines())))
    assert outcomes(report)["opened"] == Outcome.PASSED
    assert PROMPT.encode() in opened
    assert b'"type":"place"' not in opened
    assert b'"type":"place"' in disclose(record, session.archive)
    with pytest.raises(UsageError):
        disclose(record, session.archive, {PartType.ENVIRONMENT})
    with pytest.raises(UsageError):
        disclose(record, Archive(key=SigningKey.from_seed(b"y" * 32)))


def nodes(value, path=()):
    """Every place in a JSON value but the top."""
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in children:
        yield (*path, key)
        yield from nodes(child, (*path, key))


STRANGE = [None, True, 0, -1, 2**53 - 1, "", "x", "sha256:" + "0" * 64, [], {}, [[]], {"a": 1}, "../x"]
TARGETS = ["data/package.json", "data/parts.jsonl", "data/log/entries.jsonl"]
BASE = unpack(make_session().archive.package(make_session().final, withhold=("prompts",)))


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_whatever_an_owner_writes_and_signs_ends_in_a_report(data):
    name = data.draw(st.sampled_from(TARGETS))
    lines = BASE[name].splitlines()
    number = data.draw(st.integers(0, len(lines) - 1))
    value = json.loads(lines[number])
    path = data.draw(st.sampled_from(list(nodes(value))))
    holder = value
    for key in path[:-1]:
        holder = holder[key]
    if data.draw(st.booleans()):
        holder[path[-1]] = data.draw(st.sampled_from(STRANGE))
    else:
        del holder[path[-1]]
    lines[number] = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    end = b"" if name.endswith(".json") else b"\n"
    report = check_bundle(packed(sealed_again({**BASE, name: b"\n".join(lines) + end})), trust=NOBODY)
    assert list(report.lines("en"))
    assert json.dumps(report.to_builtins("zh"))
    if name != "data/package.json" and lines != BASE[name].splitlines():
        assert report.failures
