"""What exports tell becomes events by means `recovered`: once, about pictures found for certain, or a gap."""

import contextlib
import json
import sqlite3
from pathlib import Path

import pytest
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
    invoke_metadata,
    log_csv,
    message,
    midjourney_job,
)
from tests.reading import entries
from tests.records import a1111_png, comfyui_png, infotext, png, text_to_image

from makingof.archive.exports import import_exports
from makingof.archive.imports import import_files
from makingof.capture.folder import list_files
from makingof.digest import Digest
from makingof.event import Event, Kind, Source
from makingof.observation import Draft, Observation
from makingof.part import Choice, Means, Note, Own, Parameters, PartType, Place, Report, Role, Text, body_of

GRID, CHILD = JOBS


@pytest.fixture
def bring(archive):
    def run(*paths, **options):
        done = list(import_files(archive, list_files(paths).files, **options))
        return list(import_exports(archive, done, **options))

    return run


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "there"
    made.mkdir()
    return made


def told_by(archive, kind):
    """The events of `kind` that an export told."""
    return [
        entry
        for entry in entries(archive, kind)
        if any((said.body.url or "").startswith("told:") for said in entry.statements(PartType.PLACE, Place))
    ]


def judged(archive):
    """The bytes that each choice judged."""
    return [
        [
            archive.store.read(archive.index.file_part(part).blob)
            for part in entry.first(PartType.CHOICE, Choice).judged
        ]
        for entry in told_by(archive, Kind.SELECTED)
    ]


def report_of(entry):
    return entry.first(PartType.REPORT, Report)


def gaps(archive):
    return [entry.first(PartType.OWN, Own).facts for entry in entries(archive, Kind.GAP)]


# A1111


@pytest.fixture
def saved(folder):
    (folder / "00001-1.png").write_bytes(a1111_png("a crane", Seed=1))
    (folder / "log.csv").write_bytes(log_csv({"prompt": "a crane", "seed": 1, "filename": "00001-1.png"}))
    return folder


def test_a_press_of_save_is_a_recovered_choice_without_a_time(archive, bring, saved):
    (done,) = bring(saved)
    assert (done.source, done.events, done.missing) == ("a1111-log", {Kind.SELECTED: 1}, 0)
    (chosen,) = told_by(archive, Kind.SELECTED)
    assert (chosen.means, chosen.event.header.occurred_at) == (Means.RECOVERED, None)
    assert judged(archive) == [[(saved / "00001-1.png").read_bytes()]]
    assert chosen.event.header.cites == (entries(archive, Kind.GENERATED)[0].name,)
    assert chosen.first(PartType.CHOICE, Choice).among_from == "none"


def test_a_log_that_grew_is_told_from_where_it_ended(archive, bring, saved):
    bring(saved)
    (saved / "00002-2.png").write_bytes(a1111_png("a heron", Seed=2))
    rows = [("a crane", 1, "00001-1.png"), ("a heron", 2, "00002-2.png")]
    (saved / "log.csv").write_bytes(
        log_csv(*({"prompt": words, "seed": seed, "filename": name} for words, seed, name in rows))
    )
    (done,) = bring(saved)
    assert (sum(done.events.values()), done.known) == (1, 1)
    assert len(told_by(archive, Kind.SELECTED)) == 2


def test_a_name_given_again_to_another_picture_is_not_taken_for_the_saved_one(archive, bring, saved):
    (saved / "00001-1.png").write_bytes(a1111_png("something else", Seed=99))
    (done,) = bring(saved)
    assert (sum(done.events.values()), done.missing) == (0, 1)
    assert told_by(archive, Kind.SELECTED) == []
    (gap,) = gaps(archive)
    assert (gap["why"], gap["missing"]) == ("export_incomplete", 1)


def test_a_picture_of_the_same_name_in_another_folder_is_not_the_one(archive, bring, saved, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (saved / "00001-1.png").rename(elsewhere / "00001-1.png")
    (elsewhere / "00001-1.png").write_bytes(png())  # says nothing of its seed
    (done, *_) = bring(saved, elsewhere)
    assert done.missing == 1


def test_the_latest_request_was_asked_and_made_nothing_by_its_word(archive, bring, folder):
    (folder / "params.txt").write_text(infotext("a crane at dusk", "blurry", Seed=7), encoding="utf-8")
    (done,) = bring(folder)
    (asked,) = entries(archive, Kind.PROMPTED)
    assert done.events == {Kind.PROMPTED: 1}
    assert asked.first(PartType.PROMPT, Text).effective == "a crane at dusk"
    assert asked.first(PartType.PARAMETERS, Parameters).fields["seed"].value == "7"
    assert asked.means is Means.RECOVERED


# Fooocus


@pytest.mark.parametrize("with_json", [True, False])
def test_a_day_s_log_lists_pictures_and_those_deleted_since(archive, bring, folder, with_json):
    (folder / "kept_1.png").write_bytes(png())
    log = fooocus_log(
        ("deleted_0.png", fooocus_values("a crane", 1)),
        ("kept_1.png", fooocus_values("a heron <lora:x:0.5>,\n second line", 2)),
        with_json=with_json,
    )
    (folder / "log.html").write_bytes(log)
    (done,) = bring(folder)
    assert done.events == {Kind.GENERATED: 1, Kind.PROMPTED: 1}
    (made,) = told_by(archive, Kind.GENERATED)
    assert made.first(PartType.PROMPT, Text).effective == "a heron <lora:x:0.5>,\n second line"
    assert made.first(PartType.PARAMETERS, Parameters).fields["seed"].value == "2"
    assert made.first(PartType.PARAMETERS, Parameters).fields["model"].value == "juggernautXL_v8.safetensors"
    (gone,) = told_by(archive, Kind.PROMPTED)
    assert gone.first(PartType.PROMPT, Text).effective == "a crane"
    assert gaps(archive)[0]["missing"] == 1


# SwarmUI


def swarm_png(seed: int) -> bytes:
    said = {"prompt": "a crane", "model": "m", "seed": seed, "steps": 20, "swarm_version": "0.9.5"}
    return png({"parameters": json.dumps({"sui_image_params": said})})


def test_a_copy_under_starred_is_a_choice_of_the_picture(archive, bring, folder):
    for path in ("raw/2026-03-01/one.png", "raw/2026-03-01/two.png"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(swarm_png(1 if "one" in path else 2))
    star = folder / "Starred/raw/2026-03-01/one.png"
    star.parent.mkdir(parents=True)
    star.write_bytes(swarm_png(1))
    (done,) = bring(folder)
    assert done.source == "swarmui-stars"
    assert judged(archive) == [[swarm_png(1)]]
    size = archive.log.size()
    bring(folder)
    assert archive.log.size() == size


def test_a_folder_called_starred_of_another_program_says_nothing(archive, bring, folder):
    (folder / "Starred").mkdir()
    (folder / "Starred" / "a.png").write_bytes(a1111_png("a crane", Seed=1))
    assert bring(folder) == []


# InvokeAI


@pytest.fixture
def invoke(tmp_path):
    root = tmp_path / "invokeai"
    (root / "outputs" / "images").mkdir(parents=True)
    return root


NAMES = [f"{number}aaaaaaa-0000-4000-8000-00000000000{number}.png" for number in range(5)]


def picture(number: int) -> bytes:
    return png(colour=(number * 20, 1, 1))


def fill(root: Path, *numbers: int) -> None:
    for number in numbers:
        (root / "outputs" / "images" / NAMES[number]).write_bytes(picture(number))


def test_pictures_stars_boards_failures_and_deletions_of_a_database(archive, bring, invoke):
    fill(invoke, 0, 1, 2)
    made = Invoke(invoke / "databases" / "invokeai.db")
    made.image(NAMES[0], metadata=invoke_metadata("a crane", 2**40), starred=1)
    made.image(NAMES[1], metadata=invoke_metadata("a heron", 2))
    made.image(NAMES[2], image_origin="external", image_category="user")
    made.image(NAMES[3], deleted_at="2026-03-01 10:00:00.000")
    made.board(
        "b1",
        "最终 finals",
        put=(NAMES[1], "2026-03-01 09:05:00.000"),
        automatic=(NAMES[0], "2026-03-01 09:00:00.100"),
        gone=(NAMES[4], "2026-03-01 09:00:00.100"),
    )
    made.job("failed-1", "failed", error_type="OutOfMemoryError", error_message="CUDA out of memory")
    made.job("canceled-1", "canceled")
    made.job(f"session-{NAMES[0]}", "completed")
    made.close()
    (done,) = bring(invoke)
    assert done.source == "invokeai"
    first, second = told_by(archive, Kind.GENERATED)
    assert first.first(PartType.PROMPT, Text).effective == "a crane"
    assert first.first(PartType.PARAMETERS, Parameters).fields["seed"].value == str(2**40)
    assert report_of(first).job == f"session-{NAMES[0]}"
    assert report_of(first).facts["created_at"] == "2026-03-01 09:00:00.000"
    assert first.event.header.occurred_at is None  # SQLite's clock states no offset
    assert judged(archive) == [[picture(0)], [picture(1)]]
    texts = [report_of(entry).text for entry in told_by(archive, Kind.SELECTED)]
    assert texts == ["starred", "put on a board"]
    (noted,) = told_by(archive, Kind.NOTED)
    assert noted.first(PartType.NOTE, Note).text == "最终 finals"  # what a board took by itself is no choice
    assert len(noted.first(PartType.NOTE, Note).about) == 1
    attempts = told_by(archive, Kind.ATTEMPTED)
    assert [report_of(entry).outcome for entry in attempts] == ["failed", "cancelled"]
    assert "CUDA out of memory" in report_of(attempts[0]).text
    assert len(told_by(archive, Kind.REMOVED)) == 2
    assert len(told_by(archive, Kind.PROMPTED)) == 1  # the deleted one's row
    assert second.first(PartType.PROMPT, Text).effective == "a heron"


def test_a_star_put_later_is_told_and_nothing_else_again(archive, bring, invoke):
    fill(invoke, 0)
    path = invoke / "databases" / "invokeai.db"
    made = Invoke(path)
    made.image(NAMES[0])
    made._made.commit()
    bring(invoke)
    made._made.execute("UPDATE images SET starred = 1")
    made.close()
    (done,) = bring(invoke)
    assert (done.events, done.known) == ({Kind.SELECTED: 1}, 1)


@pytest.mark.parametrize("with_log", [True, False])
def test_rows_that_still_stand_in_the_write_ahead_log_are_read_or_missed_aloud(
    archive, bring, invoke, with_log
):
    path = invoke / "databases" / "invokeai.db"
    made = Invoke(path)
    made.image(NAMES[0])
    made._made.commit()
    made._made.execute("PRAGMA journal_mode = WAL")
    made.image(NAMES[1], starred=1)
    made._made.commit()
    before = path.read_bytes(), path.with_name("invokeai.db-wal").read_bytes()
    (done,) = bring(invoke if with_log else path)
    assert (path.read_bytes(), path.with_name("invokeai.db-wal").read_bytes()) == before
    assert done.events == {Kind.PROMPTED: 2 if with_log else 1}
    assert bool(done.problems) is not with_log
    made.close()


def test_a_database_that_its_program_has_locked_is_read_all_the_same(archive, bring, folder):
    database = Invoke(folder / "invokeai.db")
    database.image("a.png", metadata=invoke_metadata("a crane", 7))
    database.close()
    (folder / "a.png").write_bytes(png({"invokeai_metadata": invoke_metadata("a crane", 7)}))
    with contextlib.closing(sqlite3.connect(folder / "invokeai.db", isolation_level=None)) as program:
        program.execute("BEGIN EXCLUSIVE")
        (done,) = bring(folder)
    assert done.events == {Kind.GENERATED: 1}


def test_the_database_itself_is_never_opened_or_changed(archive, bring, invoke):
    made = Invoke(invoke / "databases" / "invokeai.db")
    made.image(NAMES[0])
    made.close()
    path = invoke / "databases" / "invokeai.db"
    before = path.read_bytes(), path.stat().st_mtime_ns, sorted(path.parent.iterdir())
    bring(invoke)
    assert (path.read_bytes(), path.stat().st_mtime_ns, sorted(path.parent.iterdir())) == before


def test_a_damaged_database_is_a_gap_written_once_and_other_files_go_on(archive, bring, invoke):
    fill(invoke, 0)
    path = invoke / "databases" / "invokeai.db"
    made = Invoke(path)
    for number in range(60):
        made.image(f"{number}.png", metadata="x" * 500)
    made.close()
    data = bytearray(path.read_bytes())
    data[4096 : len(data) // 2] = b"\xff" * (len(data) // 2 - 4096)
    path.write_bytes(bytes(data))
    (done,) = bring(invoke)
    assert done.damaged or done.problems
    assert len(gaps(archive)) == 1
    size = archive.log.size()
    bring(invoke)
    assert archive.log.size() == size


# Midjourney


def downloaded(folder, *jobs):
    for job in jobs:
        for index in range(4):
            name = f"painter_a_crane_{job}_{index}.png"
            (folder / name).write_bytes(png(colour=(index, JOBS.index(job), 9)))


def test_a_job_that_goes_on_from_one_of_four_chose_it(archive, bring, folder):
    downloaded(folder, GRID, CHILD)
    jobs = [
        midjourney_job(CHILD, "a crane --v 6", parent_id=GRID, parent_grid=2, event_type="variation"),
        midjourney_job(GRID, "a crane --v 6 --s 250"),
    ]
    (folder / "jobs.json").write_text(json.dumps(jobs))
    (done,) = bring(folder)
    assert done.events == {Kind.GENERATED: 2, Kind.SELECTED: 1}
    parent, child = told_by(archive, Kind.GENERATED)
    assert len(parent.files()) == 4
    assert child.event.header.cites == (parent.name,)
    assert parent.event.header.occurred_at == "2026-03-01T09:00:00.000Z"
    assert parent.first(PartType.PROMPT, Text).effective == "a crane"
    assert judged(archive) == [[(folder / f"painter_a_crane_{GRID}_2.png").read_bytes()]]
    (chosen,) = told_by(archive, Kind.SELECTED)
    assert len(chosen.first(PartType.CHOICE, Choice).among) == 4
    assert chosen.first(PartType.CHOICE, Choice).among_from == "tool"


# Discord


def test_grid_upscale_and_variation_in_a_channel(archive, bring, folder):
    grid, one, varied = f"u_a_{GRID}.png", f"u_a_{CHILD}.png", "u_a_33333333-0000-4000-8000-000000000003.png"
    for number, name in enumerate((grid, one, varied)):
        (folder / name).write_bytes(png(colour=(number, 5, 5)))
    (folder / "general.json").write_bytes(
        channel(
            message("1", "**a crane --v 6.0** - @painter (fast)", grid),
            message("2", "**a crane --v 6.0** - Image #2 @painter", one, answers="1"),
            message("3", "**a crane --v 6.0** - Variations (Strong) by @painter (fast)", varied, answers="2"),
            message("4", "what a crane!", author={"id": "7", "name": "painter", "isBot": False}),
        )
    )
    (done,) = bring(folder)
    assert done.events == {Kind.GENERATED: 3, Kind.SELECTED: 2}
    made = told_by(archive, Kind.GENERATED)
    assert [entry.event.header.cites for entry in made] == [(), (made[0].name,), (made[1].name,)]
    assert made[0].event.header.occurred_at == "2026-03-01T09:00:00.500Z"
    assert judged(archive) == [[(folder / one).read_bytes()], [(folder / one).read_bytes()]]
    assert "unknown" not in report_of(told_by(archive, Kind.SELECTED)[1]).facts


def test_a_variation_of_a_whole_grid_says_that_it_does_not_know_which(archive, bring, folder):
    for number, job in enumerate(JOBS):
        (folder / f"u_{job}.png").write_bytes(png(colour=(number, 5, 5)))
    (folder / "c.json").write_bytes(
        channel(
            message("1", "**a crane** - <@1> (fast)", f"u_{GRID}.png"),
            message("2", "**a crane** - Variations by <@1> (fast)", f"u_{CHILD}.png", answers="1"),
        )
    )
    bring(folder)
    (chosen,) = told_by(archive, Kind.SELECTED)
    assert "does not say" in report_of(chosen).facts["unknown"]


# OpenAI


def test_a_picture_of_a_conversation_has_what_was_typed_and_what_the_model_was_given(archive, bring, folder):
    name = "file-AbCdEfGh12345678"
    (folder / "dalle-generations").mkdir()
    (folder / "dalle-generations" / f"{name}-0f.webp").write_bytes(png())
    call = json.dumps({"prompt": "A jade crane, macro photograph", "size": "1024x1024", "n": 1})
    talk = conversation(
        chat("m1", "user", ["画一只玉鹤"]),
        chat("m2", "assistant", [call], recipient="dalle.text2im"),
        chat(
            "m3",
            "tool",
            [asset(f"file-service://{name}", gen_id="g1", prompt="A jade crane, macro photo", seed=3115)],
            name="dalle.text2im",
        ),
    )
    (folder / "conversations.json").write_text(json.dumps([talk]))
    (done,) = bring(folder)
    assert done.events == {Kind.GENERATED: 1}
    (made,) = told_by(archive, Kind.GENERATED)
    text = made.first(PartType.PROMPT, Text)
    assert (text.effective, text.typed) == ("A jade crane, macro photo", "画一只玉鹤")
    assert made.first(PartType.PARAMETERS, Parameters).fields["seed"].value == "3115"
    assert made.event.header.occurred_at == "2026-03-01T09:00:00.500Z"
    assert len(made.files()) == 1


# ComfyUI's history, as real servers gave it

RUNS = Path(__file__).parents[2] / "shared" / "samples" / "comfyui-runs"
recorded = pytest.mark.skipif(not RUNS.exists(), reason="the recorded runs are not beside this checkout")
SCENARIOS = (
    "03-words-changed", "04-exact-repeat", "05-batch-of-4", "08-two-samplers", "09-preview-only",
    "10b-no-client-id-repeat", "12-runtime-error", "13-interrupted", "17-text-through-string-node",
    "21-partly-invalid", "22-error-after-output", "25-output-by-websocket", "29-repeat-after-file-removed",
)  # fmt: skip


@recorded
@pytest.mark.parametrize("version", ["0.3.64", "0.8.0"])
def test_recorded_histories_are_told_as_they_ran(archive, bring, version):
    histories = [path for name in SCENARIOS for path in sorted((RUNS / version / name).glob("history*.json"))]
    pictures = [
        path
        for name in SCENARIOS
        for path in sorted((RUNS / version / name).glob("*/*"), key=str)
        if path.suffix in (".png", ".webp") and path.parent.name in ("outputs", "temp")
    ]
    pictures += (RUNS / version / "05-batch-of-4" / "outputs").rglob("*.png")
    bring(*pictures, *histories)
    by_job = {}
    for kind in (Kind.GENERATED, Kind.ATTEMPTED, Kind.PROMPTED):
        by_job |= {report_of(entry).job: entry for entry in told_by(archive, kind)}

    def job(name, number=""):
        path = RUNS / version / name / f"history{number}.json"
        return by_job[next(iter(json.loads(path.read_text("utf-8"))))]

    assert job("03-words-changed").kind is Kind.GENERATED
    assert job("03-words-changed").event.header.occurred_by == "tool"
    again = job("04-exact-repeat")
    assert (again.kind, report_of(again).outcome) == (Kind.ATTEMPTED, "redelivered")
    first = archive.index.files_of(job("03-words-changed").files()[0].body.digest)[0]
    assert again.event.header.cites == (first.event,)
    batch = job("05-batch-of-4")
    assert (len(batch.files()), report_of(batch).outputs) == (4, 4)
    assert len(job("08-two-samplers").files()) == 2
    assert [file.body.role for file in job("09-preview-only").files()] == [Role.PREVIEW]
    assert report_of(job("10b-no-client-id-repeat")).outcome == "redelivered"
    assert report_of(job("12-runtime-error")).outcome == "failed"
    assert "exception_message" in report_of(job("12-runtime-error")).text
    assert report_of(job("13-interrupted")).outcome == "interrupted"
    assert job("21-partly-invalid").kind is Kind.GENERATED  # its picture holds `is_changed: NaN`
    half = job("22-error-after-output", "-2")
    assert (half.kind, report_of(half).outcome) == (Kind.GENERATED, "failed")
    assert job("25-output-by-websocket").kind is Kind.PROMPTED
    # 29: the first picture was removed, its exact repeat delivered its name, the next job took the name.
    removed, repeated, renamed = (job("29-repeat-after-file-removed", f"-{n}") for n in (1, 2, 3))
    assert removed.kind is Kind.PROMPTED
    assert (repeated.kind, repeated.event.header.cites) == (Kind.ATTEMPTED, ())
    assert renamed.kind is Kind.GENERATED


@recorded
def test_a_dump_of_several_jobs_is_one_export_and_jobs_of_a_hook_are_left_to_it(archive, bring, folder):
    dump = RUNS / "0.8.0" / "history-max_items-5.json"
    jobs = json.loads(dump.read_text("utf-8"))
    (folder / "history.json").write_bytes(dump.read_bytes())
    seen = next(iter(jobs))
    report = Draft(PartType.REPORT, body_of(Report(outcome="failed", job=seen)), "hook")
    hook = Observation(Kind.ATTEMPTED, Source("hook", "1", "comfyui"), (report,))
    archive.record([hook], means=Means.LIVE)
    (done,) = bring(folder)
    assert (sum(done.events.values()), done.known) == (len(jobs) - 1, 1)


# Whatever the bytes


def test_hostile_exports_never_stop_an_import_and_are_told_once(archive, bring, folder):
    for number, data in enumerate(HOSTILE):
        (folder / f"{number}.json").write_bytes(data)
    (folder / "a.png").write_bytes(a1111_png("a crane", Seed=1))
    done = bring(folder)
    assert any(item.damaged for item in done)
    assert {gap["why"] for gap in gaps(archive)} >= {"export_unreadable"}
    size = archive.log.size()
    bring(folder)
    assert archive.log.size() == size


# Every source


def everything(folder: Path) -> None:
    (folder / "00001-1.png").write_bytes(a1111_png("a crane", Seed=1))
    (folder / "log.csv").write_bytes(log_csv({"prompt": "a crane", "seed": 1, "filename": "00001-1.png"}))
    (folder / "params.txt").write_text(infotext("a crane", "", Seed=7))
    (folder / "kept_1.png").write_bytes(png())
    (folder / "log.html").write_bytes(fooocus_log(("kept_1.png", fooocus_values("a heron", 2))))
    (folder / "jobs.json").write_text(json.dumps([midjourney_job(GRID, "a crane")]))
    downloaded(folder, GRID)
    (folder / "c.json").write_bytes(channel(message("1", "**a crane** - <@1> (fast)", "x.png")))
    graph = text_to_image("a crane", seed=7)
    (folder / "ComfyUI_00001_.png").write_bytes(comfyui_png(graph))
    (folder / "history.json").write_text(json.dumps(history("job-1", graph, "ComfyUI_00001_.png")))


def history(identity, graph, name):
    status = {
        "status_str": "success",
        "completed": True,
        "messages": [
            ["execution_start", {"prompt_id": identity, "timestamp": 1772355600000}],
            ["execution_cached", {"nodes": [], "prompt_id": identity, "timestamp": 1772355600001}],
            ["execution_success", {"prompt_id": identity, "timestamp": 1772355609500}],
        ],
    }
    outputs = {"9": {"images": [{"filename": name, "subfolder": "", "type": "output"}]}}
    entry = {"prompt": [1, identity, graph, {}, ["9"]], "outputs": outputs, "status": status}
    return {identity: entry}


def test_importing_everything_again_writes_nothing(archive, bring, folder):
    everything(folder)
    assert len(bring(folder)) == 6
    size = archive.log.size()
    again = bring(folder)
    assert archive.log.size() == size
    assert all(not item.events for item in again)


def test_in_place_tells_the_same(archive, bring, folder):
    everything(folder)
    kinds = {item.source: item.events for item in bring(folder, in_place=True)}
    assert kinds["a1111-log"] == {Kind.SELECTED: 1}
    assert kinds["comfyui-history"] == {Kind.GENERATED: 1}


def test_every_event_told_is_recovered_and_so_is_every_part_of_it(archive, bring, folder):
    everything(folder)
    bring(folder)
    for kind in Kind:
        for entry in told_by(archive, kind):
            if kind is not Kind.GAP:
                assert entry.means is Means.RECOVERED
                assert {part.means for part in entry.parts.values()} <= {Means.RECOVERED, Means.OWN}


def test_streams_of_exports_have_no_missing_number(archive, bring, folder):
    everything(folder)
    bring(folder)
    by_stream: dict[str, list[int]] = {}
    for entry in entries(archive):
        header = entry.event.header
        if header.stream is not None:
            by_stream.setdefault(header.stream, []).append(header.seq)
    assert all(numbers == list(range(len(numbers))) for numbers in by_stream.values())


def test_headers_tell_neither_prompts_nor_names_nor_keys(archive, bring, folder):
    everything(folder)
    bring(folder)
    for position in range(archive.log.size()):
        data = archive.log.entry(position)
        Event.parse(data)
        assert not any(word in data for word in (b"crane", b"heron", b"told:", b"00001-1", GRID.encode()))


def test_a_picture_that_comes_later_is_told_of_when_the_export_is_read_again(archive, bring, saved):
    made = (saved / "00001-1.png").read_bytes()
    (saved / "00001-1.png").unlink()
    assert bring(saved)[0].missing == 1
    (saved / "00001-1.png").write_bytes(made)
    (done,) = bring(saved)
    assert done.events == {Kind.SELECTED: 1}
    assert len(archive.index.judgements_of(Digest.of(made))) == 1
