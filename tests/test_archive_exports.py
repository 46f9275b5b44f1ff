"""What exports tell becomes events by means `recovered`: once, about pictures found for certain, or a gap."""

import json
from pathlib import Path

import pytest
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
)
from tests.reading import entries
from tests.records import a1111_png, comfyui_png, infotext, png, text_to_image

from makingof.archive.exports import import_exports
from makingof.archive.imports import import_files
from makingof.capture.folder import list_files
from makingof.digest import Digest
from makingof.event import Event, Kind
from makingof.part import Choice, Means, Note, Own, Parameters, PartType, Place, Report, Text

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


def test_rows_that_are_short_or_hostile_are_problems_and_the_rest_is_read(archive, bring, saved):
    good = (saved / "log.csv").read_bytes()
    (saved / "log.csv").write_bytes(good + b'1,2\r\n"' + b"x" * (2 << 20))
    (done,) = bring(saved)
    assert sum(done.events.values()) == 1
    assert len(done.problems) == 2


def test_rows_of_a_prompt_with_commas_quotes_and_newlines(archive, bring, folder):
    words = 'a "crane", at dusk,\nby a lake'
    (folder / "a.png").write_bytes(a1111_png("x", Seed=5))
    (folder / "log.csv").write_bytes(log_csv({"prompt": words, "seed": 5, "filename": "a.png"}))
    (done,) = bring(folder)
    assert sum(done.events.values()) == 1


def test_the_old_log_without_models_is_read_too(archive, bring, folder):
    fields = ["prompt", "seed", "width", "height", "sampler", "cfgs", "steps", "filename", "negative_prompt"]
    (folder / "a.png").write_bytes(a1111_png("x", Seed=5))
    (folder / "log.csv").write_bytes(log_csv({"prompt": "x", "seed": 5, "filename": "a.png"}, fields=fields))
    assert sum(bring(folder)[0].events.values()) == 1


def test_another_program_s_csv_is_a_file_like_any_other(archive, bring, folder):
    (folder / "log.csv").write_text("date,who\n1,2\n")
    assert bring(folder) == []


def test_the_latest_request_was_asked_and_made_nothing_by_its_word(archive, bring, folder):
    (folder / "params.txt").write_text(infotext("a crane at dusk", "blurry", Seed=7), encoding="utf-8")
    (done,) = bring(folder)
    (asked,) = entries(archive, Kind.PROMPTED)
    assert done.events == {Kind.PROMPTED: 1}
    assert asked.first(PartType.PROMPT, Text).effective == "a crane at dusk"
    assert asked.first(PartType.PARAMETERS, Parameters).fields["seed"].value == "7"
    assert asked.means is Means.RECOVERED


def test_another_file_called_params_is_none(archive, bring, folder):
    (folder / "params.txt").write_text("learning_rate=0.1\n")
    assert bring(folder) == []


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


def test_html_of_anybody_else_is_none(archive, bring, folder):
    (folder / "page.html").write_text("<html></html>")
    assert bring(folder) == []


def test_a_log_cut_in_half_is_read_as_far_as_it_goes(archive, bring, folder):
    (folder / "a.png").write_bytes(png())
    log = fooocus_log(("b.png", fooocus_values("b", 1)), ("a.png", fooocus_values("a", 2)))
    (folder / "log.html").write_bytes(log[: log.index(b'<div id="b_png"') + 40])
    (done,) = bring(folder)
    assert done.events[Kind.GENERATED] == 1
    assert done.problems


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


def test_a_view_without_end_in_place_of_the_table_is_no_database_of_ours(archive, bring, folder):
    import sqlite3  # noqa: PLC0415 - for this hostile file alone

    made = sqlite3.connect(folder / "evil.db")
    made.execute(
        "CREATE VIEW images AS WITH RECURSIVE n (image_name, image_category) AS"
        " (SELECT 1, 1 UNION ALL SELECT image_name + 1, 1 FROM n) SELECT * FROM n"
    )
    made.close()
    assert bring(folder) == []


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


def test_a_time_without_an_offset_stays_a_claim(archive, bring, folder):
    job = midjourney_job(GRID, "a crane", enqueue_time="2023-03-04 05:06:07.123456")
    (folder / "job.json").write_text(json.dumps(job))
    bring(folder)
    (asked,) = told_by(archive, Kind.PROMPTED)
    assert asked.event.header.occurred_at is None
    assert report_of(asked).facts["enqueue_time"] == "2023-03-04 05:06:07.123456"


def test_a_describe_job_is_described_and_never_a_prompt(archive, bring, folder):
    job = midjourney_job(GRID, "a crane standing in water", job_type="describe", event_type="describe")
    (folder / "job.json").write_text(json.dumps([job]))
    bring(folder)
    (described,) = told_by(archive, Kind.DESCRIBED)
    assert described.first(PartType.NOTE, Note).title == "describe"
    assert told_by(archive, Kind.PROMPTED) + told_by(archive, Kind.GENERATED) == []


def test_jobs_that_are_each_other_s_parent_are_told_once_each(archive, bring, folder):
    jobs = [midjourney_job(GRID, "a", parent_id=CHILD), midjourney_job(CHILD, "b", parent_id=GRID)]
    (folder / "jobs.json").write_text(json.dumps(jobs))
    (done,) = bring(folder)
    assert sum(done.events.values()) == 2


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


def test_describe_in_a_channel_is_described_and_its_four_texts_no_prompts(archive, bring, folder):
    texts = "\n\n".join(f"{n}\ufe0f\u20e3 a crane standing in water, number {n}" for n in range(1, 5))
    (folder / "c.json").write_bytes(channel(message("1", "", embeds=[{"title": "", "description": texts}])))
    bring(folder)
    (described,) = told_by(archive, Kind.DESCRIBED)
    assert "number 4" in described.first(PartType.NOTE, Note).text
    assert entries(archive, Kind.PROMPTED) == []


def test_a_refused_request_is_an_attempt(archive, bring, folder):
    embed = {"title": "Banned prompt detected", "description": "The word is banned."}
    (folder / "c.json").write_bytes(channel(message("1", "", embeds=[embed])))
    bring(folder)
    (attempt,) = told_by(archive, Kind.ATTEMPTED)
    assert report_of(attempt).outcome == "refused"


def test_a_prompt_with_asterisks_of_its_own_is_whole(archive, bring, folder):
    (folder / "c.json").write_bytes(channel(message("1", "**a **bold** crane** - by me** - <@1> (fast)")))
    bring(folder)
    (asked,) = told_by(archive, Kind.PROMPTED)
    assert asked.first(PartType.PROMPT, Text).effective == "a **bold** crane** - by me"


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


def test_a_picture_a_person_uploaded_is_nobody_s_generation(archive, bring, folder):
    talk = conversation(
        chat("m1", "user", [asset("file-service://file-AbCdEfGh12345678"), "what is this?"]),
        chat("m2", "assistant", ["a crane"]),
    )
    (folder / "conversations.json").write_text(json.dumps([talk]))
    (done,) = bring(folder)
    assert done.events == {}


def test_a_tree_that_bites_its_tail_ends(archive, bring, folder):
    talk = conversation(chat("m1", "tool", [asset("sediment://file_000011112222", gen_id="g")], name="t"))
    talk["mapping"]["m1"]["parent"] = "m1"
    (folder / "conversations.json").write_text(json.dumps([talk]))
    assert sum(bring(folder)[0].events.values()) == 1


# Hostile and damaged


@pytest.mark.parametrize(
    "data",
    [
        b'{"messages": [], "channel"',
        b'[{"mapping": ' + b"[" * 200_000,
        b'[{"mapping": {"a": 1, "b": {"message": 7}}}]',
        b'{"channel": 1, "messages": [1, {"author": 2}, {"author": {"id": "936929561302675456"}}]}',
        b'{"x": {"prompt": [1, 2], "outputs": {}}}',
        b'{"x": {"prompt": [1, "x", {}, {}, []], "outputs": {"9": {"images": [{"filename": 7}]}}, "status": 3}}',
        b'[{"id": "11111111-0000-4000-8000-000000000001", "enqueue_time": 5, "full_command": null}]',
        b'[{"id": "11111111-0000-4000-8000-000000000001", "enqueue_time": "x", "full_command": "\\ud800"}]',
        (
            b'{"mapping": {"a": {"message": {"content": {"parts": [{"asset_pointer": "sediment://file_00001111",'
            b' "metadata": {"dalle": {"prompt": NaN, "gen_id": [1]}}}]}, "create_time": 1e400}}}}'
        ),
    ],
)
def test_hostile_json_is_a_gap_or_nothing_and_never_stops_the_import(archive, bring, folder, data):
    (folder / "a.png").write_bytes(a1111_png("a crane", Seed=1))
    (folder / "export.json").write_bytes(data)
    bring(folder)
    assert len(entries(archive, Kind.GENERATED)) >= 1
    size = archive.log.size()
    bring(folder)
    assert archive.log.size() == size


def test_json_that_is_no_export_is_not_even_parsed(archive, bring, folder):
    (folder / "workflow.json").write_text('{"nodes": [], "links": []')
    assert bring(folder) == []


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
