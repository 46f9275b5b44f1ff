"""Importing layered documents: the edit, what the document says, and the jobs it remembers."""

import copy
from typing import Any

import pytest
from tests.documents.drawing import DRAWING, Drawn, merged, png
from tests.documents.gimp import write_xcf
from tests.documents.krita import SLOTS, STATE, write_kra, write_kra_with_ai
from tests.documents.openraster import write_ora
from tests.documents.zipped import write_zip
from tests.reading import entries

from makingof.archive.imports import import_files
from makingof.digest import Digest
from makingof.event import Kind
from makingof.part import (
    Choice,
    FileBody,
    Holding,
    Means,
    Parameters,
    PartType,
    Place,
    Raw,
    Report,
    Role,
    Text,
)
from makingof.recorder.importing import Outcome


def picture(shade: int) -> bytes:
    return png(merged().point(lambda value: value ^ shade))


FIRST, SECOND, THIRD = picture(1), picture(2), picture(3)
RESULTS = {"result0.webp": FIRST + SECOND + THIRD, "result1.webp": picture(4), "result4.webp": picture(5)}


def state(**applied: dict[str, bool]):
    made: dict[str, Any] = copy.deepcopy(STATE)
    made["history"][0]["offsets"] = [0, len(FIRST), len(FIRST) + len(SECOND)]
    for job in made["history"]:
        if job["id"] in applied:
            job["in_use"] = applied[job["id"]]
    return made


@pytest.fixture
def painted(tmp_path):
    path = tmp_path / "painting.kra"
    path.write_bytes(write_kra_with_ai(state(), RESULTS))
    return path


def outcomes(archive, *paths, **options):
    return [done.outcome for done in import_files(archive, paths, **options)]


def facts_of(entry):
    return [said.body.facts for said in entry.statements(PartType.REPORT, Report)]


def files_of(entry, role):
    return [file.body for file in entry.files() if file.body.role is role]


def test_a_layered_document_is_edited_with_its_looks_and_what_it_says(archive, tmp_path):
    path = tmp_path / "drawing.kra"
    path.write_bytes(write_kra())
    (done,) = import_files(archive, [path])
    assert (done.outcome, done.tool) == (Outcome.RECOGNISED, "krita")
    (edit,) = entries(archive, Kind.EDITED)
    assert edit.means is Means.RECOVERED
    assert edit.event.header.occurred_at is None  # the document's dates have no offset
    (document,) = files_of(edit, Role.OUTPUT)
    assert (document.media_type, document.width, document.height) == ("application/x-krita", 96, 80)
    looks = files_of(edit, Role.PREVIEW)
    assert png(merged()) in [archive.store.read(look.digest) for look in looks]
    (facts,) = facts_of(edit)
    assert facts["document"]["tool_version"] == "5.1.5"
    assert {"手 hand", "hand"} & {layer["name"] for layer in facts["layers"]}
    assert {
        "name": "editing_seconds",
        "value": "5421",
        "source": "documentinfo.xml about/editing-time",
    } in facts["claims"]


def test_layers_in_groups_say_how_deep_they_lie(archive, tmp_path):
    path = tmp_path / "drawing.ora"
    path.write_bytes(write_ora())
    outcomes(archive, path)
    (facts,) = facts_of(entries(archive, Kind.EDITED)[0])
    assert {layer["depth"] for layer in facts["layers"]} == {0, 1, 2}


def test_every_job_of_the_history_is_a_generation_of_its_own_with_its_results(archive, painted):
    outcomes(archive, painted)
    jobs = entries(archive, Kind.GENERATED)
    assert [[archive.store.read(file.body.digest) for file in job.files()] for job in jobs] == [
        [FIRST, SECOND, THIRD],
        [picture(4)],
        [picture(5)],
    ]
    assert {job.means for job in jobs} == {Means.RECOVERED}
    said = jobs[0].first(PartType.PROMPT, Text)
    assert (said.effective, said.typed) == ("best quality, a jade cat, 光", "a jade cat, 光")
    assert jobs[0].first(PartType.PARAMETERS, Parameters).fields["seed"].value == "9223372036854775809"
    assert jobs[0].first(PartType.REPORT, Report).job == "job-a"
    assert jobs[0].first(PartType.REPORT, Report).outputs == 3
    assert jobs[0].event.header.source.tool == "krita-ai-diffusion"


def test_applied_results_are_chosen_among_the_job_s_and_the_others_were_never_judged(archive, painted):
    outcomes(archive, painted)
    (chosen,) = entries(archive, Kind.SELECTED)
    job = entries(archive, Kind.GENERATED)[0]
    parts = [file.digest for file in job.files()]
    choice = chosen.first(PartType.CHOICE, Choice)
    assert chosen.means is Means.RECOVERED
    assert (choice.judged, choice.among, choice.among_from) == ((parts[1],), tuple(parts), "tool")
    assert chosen.event.header.cites == (job.name,)
    assert entries(archive, Kind.REJECTED) == []
    assert archive.index.judgements_of(Digest.of(FIRST)) == []
    assert len(archive.index.judgements_of(Digest.of(SECOND))) == 1


def test_the_edit_goes_back_to_what_was_applied(archive, painted):
    outcomes(archive, painted)
    (edit,) = entries(archive, Kind.EDITED)
    assert [archive.store.read(file.digest) for file in files_of(edit, Role.INIT)] == [SECOND]
    assert edit.event.header.cites == (entries(archive, Kind.GENERATED)[0].name,)
    lineage = archive.index.lineage(archive.log, [Digest.of(painted.read_bytes())])
    kinds = [member.entry.kind for member in lineage.members]
    assert kinds.count(Kind.GENERATED) >= 1
    assert Kind.SELECTED in kinds


def test_where_nobody_wrote_down_what_was_applied_nothing_is_chosen(archive, tmp_path):
    path = tmp_path / "old.kra"
    old = state()
    del old["history"][0]["in_use"]
    path.write_bytes(write_kra_with_ai(old, RESULTS))
    outcomes(archive, path)
    assert entries(archive, Kind.SELECTED) == []
    assert entries(archive, Kind.GENERATED)[0].first(PartType.REPORT, Report).facts["applied"] == (
        "not written down"
    )


def test_a_job_whose_pictures_are_gone_was_only_asked_for(archive, tmp_path):
    path = tmp_path / "pruned.kra"
    path.write_bytes(write_kra_with_ai(state(), {"result1.webp": picture(4)}))
    outcomes(archive, path)
    asked = entries(archive, Kind.PROMPTED)
    assert [entry.first(PartType.REPORT, Report).job for entry in asked] == ["job-a", "job-c"]
    assert len(entries(archive, Kind.GENERATED)) == 1


def test_importing_the_document_again_writes_nothing(archive, painted):
    outcomes(archive, painted)
    size = archive.log.size()
    assert outcomes(archive, painted) == [Outcome.KNOWN]
    assert archive.log.size() == size


@pytest.mark.parametrize("together", [True, False])
def test_the_next_save_tells_only_what_is_new(archive, painted, together):
    later = painted.with_name("z-later.kra")
    later.write_bytes(write_kra_with_ai(state(**{"job-a": {"1": True, "2": True}}), RESULTS))
    if together:
        outcomes(archive, painted, later)
    else:
        outcomes(archive, painted)
        outcomes(archive, later)
    assert len(entries(archive, Kind.GENERATED)) == 3
    assert len(entries(archive, Kind.EDITED)) == 2
    parts = [file.digest for file in entries(archive, Kind.GENERATED)[0].files()]
    choices = [entry.first(PartType.CHOICE, Choice).judged for entry in entries(archive, Kind.SELECTED)]
    assert choices == [(parts[1],), (parts[1], parts[2])]


def test_in_place_the_document_stays_and_what_lay_inside_is_held(archive, painted):
    outcomes(archive, painted, in_place=True)
    (edit,) = entries(archive, Kind.EDITED)
    (document,) = files_of(edit, Role.OUTPUT)
    assert document.holding is Holding.KNOWN
    assert all(archive.store.has(file.digest) for file in files_of(edit, Role.PREVIEW))
    assert any(
        "ui.json" in raw.body.locator and raw.body.base64 for raw in edit.statements(PartType.RAW, Raw)
    )


def test_the_jobs_record_is_kept_once_and_not_with_every_job(archive, painted):
    outcomes(archive, painted)
    raws = [entry for entry in entries(archive) if entry.statements(PartType.RAW, Raw)]
    assert [entry.kind for entry in raws] == [Kind.EDITED]


def test_a_prompt_kept_from_the_picture_before_was_asked_and_the_edit_says_where_it_stands(archive, tmp_path):
    path = tmp_path / "retouched.xcf"
    path.write_bytes(write_xcf())
    outcomes(archive, path)
    (asked,) = entries(archive, Kind.PROMPTED)
    (edit,) = entries(archive, Kind.EDITED)
    assert asked.first(PartType.PROMPT, Text).effective == "a jade cat, 光"
    assert edit.event.header.cites == (asked.name,)
    assert entries(archive, Kind.GENERATED) == []


def test_what_repeats_prompts_stands_only_in_parts_that_are_sealed_with_them(archive, tmp_path):
    path = tmp_path / "painting.kra"
    layers = (*DRAWING, Drawn("[Generated] a jade ca (7)", id=77))
    path.write_bytes(write_kra_with_ai(state(), RESULTS, layers=layers))
    outcomes(archive, path)
    sealed = {PartType.PROMPT, PartType.NEGATIVE, PartType.PLACE, PartType.RAW, PartType.PARAMETERS}
    (edit,) = entries(archive, Kind.EDITED)
    fields = {
        name: field.value
        for said in edit.statements(PartType.PARAMETERS, Parameters)
        for name, field in said.body.fields.items()
    }
    assert fields["tool:prompt_in_editor"] == "still being typed"
    assert "[Generated] a jade ca (7)" in fields.values()
    for entry in entries(archive):
        for digest, part in entry.parts.items():
            if entry.types[digest] not in sealed:
                assert not any(w in str(part.body) for w in ("jade", "being typed", "repair")), part


def test_a_document_cut_in_half_is_recorded_with_its_damage(archive, painted):
    whole = painted.read_bytes()
    painted.write_bytes(whole[: len(whole) // 2])
    assert outcomes(archive, painted) == [Outcome.RECOGNISED]
    (facts, *_) = facts_of(entries(archive, Kind.EDITED)[0])
    assert facts["damage"]


def test_what_is_no_document_at_all_is_a_file_like_any_other(archive, tmp_path):
    path = tmp_path / "broken.psd"
    path.write_bytes(b"8BPS")
    assert outcomes(archive, path) == [Outcome.UNRECOGNISED]


@pytest.mark.integration
def test_thousands_of_layers_fit_in_parts_of_bounded_size(archive, tmp_path):
    path = tmp_path / "many.ora"
    node = f'<layer name="{"n" * 60}" visibility="hidden" x="0" y="0" src="data/1.png"/>'
    stack = f'<image version="0.0.6" w="4" h="4"><stack>{node * 6_000}</stack></image>'
    path.write_bytes(write_zip([("mimetype", b"image/openraster"), ("stack.xml", stack.encode())]))
    outcomes(archive, path)
    (edit,) = entries(archive, Kind.EDITED)
    told = facts_of(edit)
    assert sum(len(facts.get("layers", ())) for facts in told) == told[0]["document"]["counts"]["layers"]
    assert len(told) > 1
    assert "layers" not in told[0]["document"]


def test_the_slots_of_the_shipped_fixture_are_no_pictures_and_that_is_said(archive, tmp_path):
    path = tmp_path / "fake.kra"
    path.write_bytes(write_kra_with_ai(slots={**SLOTS, "result1.webp": b"not a picture at all"}, state=STATE))
    outcomes(archive, path)
    (facts, *_) = facts_of(entries(archive, Kind.EDITED)[0])
    assert any("is no picture" in left for left in facts["not_taken_out"])


def test_places_of_documents_and_jobs_are_kept_apart(archive, painted):
    outcomes(archive, painted)
    (edit,) = entries(archive, Kind.EDITED)
    assert edit.first(PartType.PLACE, Place).name == "painting.kra"
    assert {file.body.role for file in edit.files()} == {Role.OUTPUT, Role.PREVIEW, Role.INIT}
    assert all(isinstance(file.body, FileBody) for file in edit.files())


def test_a_document_met_by_an_act_is_recorded_with_all_it_remembers(archive, painted):
    done = list(import_files(archive, [painted], single=True))
    assert [item.outcome for item in done] == [Outcome.RECOGNISED]
    kinds = [entry.kind for entry in entries(archive)]
    assert (kinds.count(Kind.GENERATED), kinds.count(Kind.SELECTED), kinds.count(Kind.EDITED)) == (3, 1, 1)
    assert Kind.OPENED not in kinds[1:]
    assert archive.index.files_of(Digest.of(painted.read_bytes()))[0].kind is Kind.EDITED
