"""The parsers of exports: bytes in, what they tell out, whatever the bytes."""

import contextlib
import json
import sqlite3
import struct
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.exports import (
    HOSTILE,
    JOBS,
    Invoke,
    asset,
    channel,
    chat,
    conversation,
    fooocus_log,
    fooocus_values,
    log_csv,
    message,
    midjourney_job,
)
from tests.records import infotext

from makingof.capture.exports.recognise import Damaged, may_be_export, may_tell, read_export
from makingof.capture.exports.told import Export, moment_of_seconds, moment_of_text
from makingof.capture.exports.write_ahead import apply_write_ahead_log
from makingof.errors import MalformedError
from makingof.event import Kind
from makingof.part import PartType

GRID, CHILD = JOBS


def read(data, name) -> Export:
    found = read_export(data, name)
    assert isinstance(found, Export)
    return found


def read_json(value) -> Export:
    return read(json.dumps(value).encode(), "export.json")


def kinds(export):
    return [told.observation.kind for told in export.told]


def body(told, part_type):
    return next(draft.body for draft in told.observation.drafts if draft.type is part_type)


def prompt(told):
    return told.readings[0].value("prompt")


# Times


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-01T09:00:00.500Z", "2026-03-01T09:00:00.500Z"),
        ("2026-03-01T17:00:00+08:00", "2026-03-01T09:00:00.000Z"),
        ("2026-03-01 09:00:00", None),
        ("yesterday", None),
        ("0001-01-01T00:00:00+14:00", None),
        (None, None),
        (7, None),
    ],
)
def test_only_a_time_with_an_offset_is_an_instant(text, instant):
    assert moment_of_text(text).instant == instant


@pytest.mark.parametrize("seconds", ["1e400", "-5", "NaN", "", "9" * 40, None, "99999999999999"])
def test_seconds_out_of_every_calendar_are_no_instant(seconds):
    assert moment_of_seconds(seconds).instant is None


# A1111


def test_rows_that_are_short_or_hostile_are_problems_and_the_rest_is_read():
    good = log_csv({"prompt": "x", "seed": 1, "filename": "a.png"})
    found = read(good + b'1,2\r\n"' + b"x" * (2 << 20), "log.csv")
    assert kinds(found) == [Kind.SELECTED]
    assert len(found.problems) == 2


def test_rows_of_a_prompt_with_commas_quotes_and_newlines():
    words = 'a "crane", at dusk,\nby a lake'
    (told,) = read(log_csv({"prompt": words, "seed": 5, "filename": "a.png"}), "log.csv").told
    assert told.wanted[0].name == "a.png"


def test_the_old_log_without_models_is_read_too():
    fields = ["prompt", "seed", "width", "height", "sampler", "cfgs", "steps", "filename", "negative_prompt"]
    data = log_csv({"prompt": "x", "seed": 5, "filename": "a.png"}, fields=fields)
    assert len(read(data, "log.csv").told) == 1


def test_a_log_of_fooocus_without_an_entry_tells_nothing():
    export = read(b"<!DOCTYPE html><!--fooocus-log-split--></html>", "log.html")
    assert (export.told, export.problems) == ((), ())


def test_a_row_s_name_on_another_system_counts_by_its_last_part():
    (told,) = read(log_csv({"prompt": "x", "seed": 5, "filename": r"C:\out\a.png"}), "log.csv").told
    assert told.wanted[0].name == "a.png"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("log.csv", b"date,who\n1,2\n"),
        ("params.txt", b"learning_rate=0.1\n"),
        ("page.html", b"<html></html>"),
        ("workflow.json", b'{"nodes": [], "links": []'),
        ("other.json", b'{"messages": "none", "channel": 1}'),
        ("some.db", b"not a database"),
        ("prompt.json", b'{"outputs": {}}'),
    ],
)
def test_files_of_others_are_none_of_ours(name, data):
    assert may_be_export(name)
    assert read_export(data, name) is None


def test_the_latest_request_is_read_by_the_reader_of_pictures():
    (told,) = read(infotext("a crane", "blurry", Seed=7).encode(), "params.txt").told
    assert (told.observation.kind, prompt(told)) == (Kind.PROMPTED, "a crane")


# Fooocus


def test_a_log_cut_in_half_is_read_as_far_as_it_goes():
    log = fooocus_log(("b.png", fooocus_values("b", 1)), ("a.png", fooocus_values("a", 2)))
    found = read(log[: log.index(b'<div id="b_png"') + 40], "log.html")
    assert [prompt(told) for told in found.told] == ["a"]
    assert len(found.problems) == 1


def test_a_page_lists_the_newest_first_and_is_told_in_the_order_of_making():
    entries = [(f"{number}.png", fooocus_values(f"p{number}", number)) for number in range(3)]
    assert [prompt(told) for told in read(fooocus_log(*entries), "log.html").told] == ["p0", "p1", "p2"]


def test_a_prompt_that_closes_the_table_spoils_nothing():
    values = fooocus_values("</td></tr>\n</table></div><script>alert(1)</script>", 1)
    (told,) = read(fooocus_log(("a.png", values)), "log.html").told
    assert prompt(told) == values["prompt"]


# InvokeAI


def test_a_view_without_end_in_place_of_the_table_is_no_database_of_ours(tmp_path):
    made = sqlite3.connect(tmp_path / "evil.db")
    made.execute(
        "CREATE VIEW images AS WITH RECURSIVE n (image_name, image_category) AS"
        " (SELECT 1, 1 UNION ALL SELECT image_name + 1, 1 FROM n) SELECT * FROM n"
    )
    made.close()
    assert read_export((tmp_path / "evil.db").read_bytes(), "evil.db") is None


def test_a_thousand_pictures_are_read_page_by_page(tmp_path):
    made = Invoke(tmp_path / "a.db")
    for number in range(1_200):
        made.image(f"{number}.png")
    made.close()
    assert len(read((tmp_path / "a.db").read_bytes(), "a.db").told) == 1_200


def test_a_flipped_byte_anywhere_in_a_database_is_survived(tmp_path):
    made = Invoke(tmp_path / "a.db")
    for number in range(40):
        made.image(f"{number}.png", metadata="{" + "x" * 200, starred=number % 2)
    made.board("b", "board", put=("3.png", "2026-03-02 00:00:00"))
    made.close()
    data = (tmp_path / "a.db").read_bytes()
    for at in range(0, len(data), max(1, len(data) // 60)):
        read_export(data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :], "a.db")


@pytest.fixture
def logged(tmp_path):
    """A database and its write-ahead log, with a transaction that was never committed at its end."""
    made = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    made.execute("PRAGMA journal_mode = WAL")
    made.execute("PRAGMA wal_autocheckpoint = 0")
    made.execute("CREATE TABLE t (n INTEGER, text TEXT)")
    for number in range(50):
        made.execute("INSERT INTO t VALUES (?, ?)", (number, "x" * 300))
    made.execute("PRAGMA cache_size = 1")
    made.execute("BEGIN")
    made.execute("UPDATE t SET text = 'never'")
    yield (tmp_path / "a.db").read_bytes(), (tmp_path / "a.db-wal").read_bytes()
    made.execute("ROLLBACK")
    made.close()


def rows_in(data):
    copy = sqlite3.connect(":memory:")
    copy.deserialize(data[:18] + b"\x01\x01" + data[20:])
    rows = copy.execute("SELECT n, text FROM t ORDER BY n").fetchall()
    copy.close()
    return rows


def test_a_write_ahead_log_is_replayed_as_sqlite_does_it(logged):
    assert rows_in(apply_write_ahead_log(*logged)) == [(number, "x" * 300) for number in range(50)]


def test_a_frame_that_is_not_intact_ends_the_log_and_leaves_whole_transactions(logged):
    database, log = logged
    for at in range(32, len(log), len(log) // 40):
        damaged = log[:at] + bytes([log[at] ^ 1]) + log[at + 1 :]
        made = apply_write_ahead_log(database, damaged)
        rows = rows_in(made) if b"CREATE TABLE t" in made else []
        assert [number for number, _ in rows] == list(range(len(rows)))
        assert {text for _, text in rows} <= {"x" * 300}


@given(st.binary(max_size=200))
@settings(max_examples=60, deadline=None)
def test_any_bytes_beside_a_database_are_applied_or_refused(log):
    for data in (log, struct.pack(">3I", 0x377F0682, 3_007_000, 4096) + log):
        with contextlib.suppress(MalformedError):
            apply_write_ahead_log(b"", data)


# Midjourney


def test_a_time_without_an_offset_stays_a_claim():
    (told,) = read_json(midjourney_job(GRID, "a crane", enqueue_time="2023-03-04 05:06:07.123456")).told
    assert told.observation.occurred_at is None
    assert body(told, PartType.REPORT)["facts"]["enqueue_time"] == "2023-03-04 05:06:07.123456"


def test_flags_and_words_of_a_command_come_apart_and_stay_whole():
    (told,) = read_json([midjourney_job(GRID, "a crane, dusk --ar 3:2 --no birds --seed 7 --v 6")]).told
    fields = told.readings[0].fields
    said = [fields[name].value for name in ("prompt", "negative", "seed")]
    assert said == ["a crane, dusk", "birds", "7"]
    assert fields["tool:command"].value.endswith("--v 6")


def test_a_describe_job_is_described_and_never_a_prompt():
    job = midjourney_job(GRID, "a crane standing in water", job_type="describe", event_type="describe")
    (told,) = read_json([job]).told
    assert (told.observation.kind, told.readings) == (Kind.DESCRIBED, ())


def test_jobs_that_are_each_other_s_parent_are_told_once_each():
    jobs = [midjourney_job(GRID, "a", parent_id=CHILD), midjourney_job(CHILD, "b", parent_id=GRID)]
    assert kinds(read_json(jobs)) == [Kind.GENERATED] * 2


def test_a_chain_of_thousands_of_jobs_is_walked_without_recursion():
    ids = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(5_000)]
    jobs = [midjourney_job(ids[number], "a", parent_id=ids[number - 1]) for number in range(4_999, 0, -1)]
    assert len(read_json(jobs).told) == 4_999


# Discord


def test_describe_in_a_channel_is_described_and_its_four_texts_no_prompts():
    texts = "\n\n".join(f"{n}\ufe0f\u20e3 a crane standing in water, number {n}" for n in range(1, 5))
    (told,) = read(channel(message("1", "", embeds=[{"title": "", "description": texts}])), "c.json").told
    assert (told.observation.kind, told.readings) == (Kind.DESCRIBED, ())
    assert "number 4" in body(told, PartType.NOTE)["text"]


def test_a_prompt_that_is_a_numbered_list_is_a_prompt():
    words = "1. a crane\n2. a heron\n3. a lake\n4. dusk"
    (told,) = read(channel(message("1", f"**{words}** - <@1> (fast)", "a.png")), "c.json").told
    assert (told.observation.kind, prompt(told)) == (Kind.GENERATED, words)


def test_a_refused_request_is_an_attempt():
    embed = {"title": "Banned prompt detected", "description": "The word is banned."}
    (told,) = read(channel(message("1", "", embeds=[embed])), "c.json").told
    assert told.observation.kind is Kind.ATTEMPTED
    assert body(told, PartType.REPORT)["outcome"] == "refused"


def test_a_prompt_with_asterisks_of_its_own_is_whole():
    (told,) = read(channel(message("1", "**a **bold** crane** - by me** - <@1> (fast)")), "c.json").told
    assert prompt(told) == "a **bold** crane** - by me"


def test_an_upscale_that_answers_nothing_known_names_no_parent():
    (told,) = read(channel(message("2", "**a** - Image #2 <@1>", "a.png", answers="1")), "c.json").told
    assert told.after == ()


def test_messages_of_people_tell_nothing():
    said = message("1", "**a crane** - <@1> (fast)", "a.png", author={"id": "7", "name": "Midjourney Bot"})
    assert read(channel(said), "c.json").told == ()


# ChatGPT


def test_a_picture_a_person_uploaded_is_nobody_s_generation():
    talk = conversation(
        chat("m1", "user", [asset("file-service://file-AbCdEfGh12345678"), "what is this?"]),
        chat("m2", "assistant", ["a crane"]),
    )
    assert read_json([talk]).told == ()


def test_a_tree_that_bites_its_tail_ends():
    talk = conversation(chat("m1", "tool", [asset("sediment://file_000011112222", gen_id="g")], name="t"))
    talk["mapping"]["m1"]["parent"] = "m1"
    assert len(read_json([talk]).told) == 1


def test_a_seed_of_sixty_four_bits_stays_exact():
    pointer = asset("sediment://file_000011112222", gen_id="g", seed=2**64 - 1)
    (told,) = read_json([conversation(chat("m1", "tool", [pointer], name="t"))]).told
    assert told.readings[0].value("seed") == str(2**64 - 1)


def test_an_edited_picture_goes_back_to_the_one_it_was_edited_from():
    first = asset("file-service://file-AbCdEfGh12345678", gen_id="g1", prompt="a crane")
    second = asset("file-service://file-ZbCdEfGh12345678", gen_id="g2", parent_gen_id="g1", prompt="closer")
    talk = conversation(
        chat("m1", "tool", [first], name="dalle.text2im"), chat("m2", "tool", [second], name="dalle.text2im")
    )
    one, two = read_json([talk]).told
    assert two.after == (one.key,)


# Whatever the bytes


def test_hostile_json_gives_an_answer():
    for data in HOSTILE:
        read_export(data, "export.json")


ODD = st.sampled_from([None, 7, "x", [], {}, [1], {"a": 1}, "\ud800", 1e400, True])
HISTORY = {
    "x": {
        "prompt": [1, "x", {"3": {"class_type": "KSampler", "inputs": {"seed": 1}}}, {}, ["9"]],
        "outputs": {"9": {"images": [{"filename": "a", "subfolder": "b", "type": "output"}]}},
        "status": {"status_str": "success", "messages": [["execution_start", {"timestamp": 1}]]},
    }
}
TALK = conversation(
    chat("m1", "user", ["a"]),
    chat("m2", "tool", [asset("sediment://file_000011112222", gen_id="g")], name="t"),
)
CHANNEL = json.loads(channel(message("1", "**a** - <@1> (fast)", "a.png", answers="0")))
SOUND = [CHANNEL, HISTORY, [TALK], [midjourney_job(GRID, "a", parent_id=CHILD, parent_grid=1)]]


@given(st.sampled_from(range(len(SOUND))), st.integers(0, 60), ODD)
@settings(max_examples=150, deadline=None)
def test_a_value_of_the_wrong_kind_anywhere_is_survived(which, at, odd):
    value = json.loads(json.dumps(SOUND[which]))
    _spoil(value, at, odd)
    read_export(json.dumps(value).encode(), "export.json")


def _spoil(value, at, odd):
    """Put `odd` in the place of value number `at`, counted breadth first."""
    holders = [value]
    for holder in holders:
        for key in list(holder) if isinstance(holder, dict) else range(len(holder)):
            if at == 0:
                holder[key] = odd
                return
            at -= 1
            if isinstance(holder[key], dict | list):
                holders.append(holder[key])


@given(st.binary(max_size=300))
@settings(max_examples=60, deadline=None)
def test_arbitrary_bytes_are_an_answer_under_every_name(data):
    for name in ("a.json", "a.db", "log.csv", "params.txt", "log.html"):
        read_export(data, name)
        read_export(b"SQLite format 3\0" + data, name)


def test_a_page_of_nothing_but_beginnings_takes_no_time():
    started = time.process_time()
    entry = b'<div id="x" class="image-container"><a href="'
    read_export(b"<!--fooocus-log-split-->" + entry * 40_000, "log.html")
    row = b"<tr><td class='label'>a</td><td class='value'>"
    read_export(b"<!--fooocus-log-split-->" + entry + b"a.png'>" + row * 40_000, "log.html")
    assert time.process_time() - started < 5


def test_damage_names_its_source():
    found = read_export(b'[{"mapping": {', "conversations.json")
    assert isinstance(found, Damaged)
    assert found.source == "json"


def pieces(data: bytes, count: int):
    return iter([data[at : at + count] for at in range(0, len(data), count)])


@pytest.mark.parametrize("count", [3, 64, 1 << 20])
def test_signs_are_found_wherever_a_stream_is_cut(count):
    said = json.dumps([conversation(chat("m", "user", ["hello"]))]).encode()
    assert may_tell("conversations.json", pieces(b" " * 1000 + said, count))
    assert not may_tell("package.json", pieces(b'{"name": "x"}' * 100, count))


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("chat.html", b"<html>" + b"x" * 5000, False),
        ("log.html", fooocus_log(("a.png", fooocus_values("a crane", 1))), True),
        ("log.csv", log_csv(), True),
        ("sales.csv", b"day,sum\n1,2\n", False),
        ("params.txt", b"anything", True),
    ],
)
def test_pages_and_tables_of_other_programs_are_told_by_their_beginning(name, data, expected):
    assert may_tell(name, pieces(data, 1 << 20)) is expected
