"""Each probe on the smallest record that makes it say each thing it can say."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.histories import (
    PROGRAM,
    TOOL,
    History,
    Said,
    choice,
    file,
    note,
    own,
    parameters,
    place,
    prompt,
    reason,
)
from tests.random_histories import histories, known_pictures
from tests.stories import bounded, enrol, environment, evidence, people, published_at, report, whole_story

from makingof.assess.engine import assess_all, find
from makingof.assess.evidence import Evidence
from makingof.assess.finding import Basis, Outcome
from makingof.assess.people import list_contributions
from makingof.assess.probes.elements_mapped import MappedElement, read_mapping
from makingof.assess.registry import built_in_probes
from makingof.assess.shipped import shipped_packs
from makingof.clock import format_instant
from makingof.errors import UsageError
from makingof.event import Kind
from makingof.lineage.rule import find_lineage
from makingof.part import CheckMade, Means, Parameter, Parameters, PartType, Person, Role, Vouched, body_of
from makingof.stamp.bounds import NOT_DATED, Bound, Bounds, Standing

PROBES = built_in_probes()
SHOWN, PARTLY, ABSENT = Outcome.SHOWN, Outcome.PARTLY, Outcome.ABSENT
CONTRADICTED, NOT_APPLICABLE = Outcome.CONTRADICTED, Outcome.NOT_APPLICABLE


def ask(name, history, *pictures, **more):
    return find(evidence(history, *pictures, **more), PROBES[name])


def publish(history, made, *, days=0, means=Means.STATED, text="", **more):
    at = history.clock.now() + timedelta(days=days)
    said = [published_at(file=made.file(), **more), *([note(text)] if text else [])]
    return history.tell(Kind.PUBLISHED, *said, cites=[made], means=means, occurred_at=format_instant(at))


# Traces that do not go together


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({}, SHOWN),
        ({"tool:ISO": "100"}, CONTRADICTED),
        (
            {"tool:DigitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"},
            CONTRADICTED,
        ),
        ({"tool:DigitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/humanEdits"}, SHOWN),
    ],
)
def test_camera_metadata_on_a_generated_picture_contradicts(fields, outcome):
    history = History()
    made = history.generate("a.png", said=[prompt("a cat"), parameters(None, **fields)])
    assert ask("no_camera_claim", history, made.file()).outcome is outcome


def test_a_job_from_a_photograph_may_have_carried_its_metadata_over():
    history = History()
    said = [prompt("a cat"), parameters(None, **{"tool:ISO": "100"}), file("photo.jpg", Role.INIT)]
    made = history.generate("a.png", said=said)
    assert ask("no_camera_claim", history, made.file()).outcome is PARTLY


def test_a_photograph_worked_on_in_an_editor_is_no_contradiction():
    history = History()
    said = [parameters("photoshop"), parameters(None, **{"tool:ISO": "100"})]
    edit = history.tell(Kind.EDITED, file("a.jpg"), *said, means=Means.RECOVERED)
    assert ask("no_camera_claim", history, edit.file()).outcome is NOT_APPLICABLE


def test_a_photograph_may_have_camera_metadata():
    history = History()
    told = history.tell(Kind.IMPORTED, own(), file("a.jpg"), means=Means.OWN, minutes=1)
    assert ask("no_camera_claim", history, told.file()).outcome is NOT_APPLICABLE


@pytest.mark.parametrize(("inside", "outcome"), [("a  cat\n", SHOWN), ("a dog", CONTRADICTED)])
def test_embedded_prompts_are_held_against_what_was_handed_over(inside, outcome):
    history = History()
    inside = Said(PartType.PROMPT, prompt(inside).body, "tEXt", Means.RECOVERED)
    made = history.generate("a.png", said=[prompt("a cat"), inside])
    assert ask("embedded_records_agree", history, made.file()).outcome is outcome


def test_a_file_found_again_with_another_seed_contradicts():
    history = History()
    made = history.generate("a.png", said=[parameters(seed="1")])
    history.generate("a.png", said=[parameters(seed="2")], means=Means.RECOVERED)
    assert ask("embedded_records_agree", history, made.file()).outcome is CONTRADICTED


def test_a_check_that_failed_on_the_file_contradicts():
    history = History()
    body = body_of(Parameters(tool="novelai", checks=(CheckMade("novelai_signature", held=False),)))
    made = history.generate("a.png", said=[Said(PartType.PARAMETERS, body)])
    assert ask("embedded_records_agree", history, made.file()).outcome is CONTRADICTED


# Time


def test_choices_after_publication_are_no_record_and_live_ones_contradict():
    for means, outcome in ((Means.LIVE, CONTRADICTED), (Means.STATED, ABSENT)):
        history = History()
        made = history.generate("a.png")
        publish(history, made)
        history.keep(made.file(), cites=[made], means=means)
        assert ask("nothing_decided_after_publication", history, made.file()).outcome is outcome


def test_some_choices_after_publication_leave_it_partly():
    history = History()
    made = history.generate("a.png")
    history.keep(made.file(), cites=[made])
    publish(history, made)
    history.keep(made.file(), cites=[made], said=[reason("thought of later")])
    assert ask("nothing_decided_after_publication", history, made.file()).outcome is PARTLY


def test_a_model_newer_than_the_use_claimed_contradicts():
    history = History()
    models = [{"name": "m", "digest": "d", "date": "2026-03-05"}]
    made = history.generate("a.png", said=[environment(models=models)])
    assert ask("times_possible", history, made.file()).outcome is CONTRADICTED
    history = History()
    models = [{"date": "long ago"}, "no table", {"date": 5}, {"date": "2020-01-01"}]
    made = history.generate("a.png", said=[environment(models=models)])
    assert ask("times_possible", history, made.file()).outcome is SHOWN


def test_a_label_older_than_its_standard_contradicts():
    history = History()
    label = Said(
        PartType.PARAMETERS, body_of(Parameters(reader="aigc/1", fields={"tool:Label": Parameter("1")}))
    )
    made = history.generate(
        "a.png", said=[label], means=Means.RECOVERED, occurred_at="2024-01-01T00:00:00.000Z"
    )
    assert ask("times_possible", history, made.file()).outcome is CONTRADICTED


def test_a_file_or_an_event_later_than_its_record_contradicts():
    history = History()
    made = history.generate("a.png", said=[place("/x/a.png", modified="2027-01-01T00:00:00.000Z")])
    assert ask("times_possible", history, made.file()).outcome is CONTRADICTED
    history = History()
    made = history.generate("a.png", means=Means.RECOVERED, occurred_at="2030-01-01T00:00:00.000Z")
    assert ask("times_possible", history, made.file()).outcome is CONTRADICTED


def test_clock_jumps_contradict_and_reboots_do_not():
    history = History()
    history.generate("a.png", stream="run")
    history.clock.moment += timedelta(hours=3)  # the wall clock alone
    made = history.generate("b.png", stream="run", said=[file("a.png", Role.INIT)])
    assert ask("clock_steady", history, made.file()).outcome is CONTRADICTED
    history = History()
    first = history.generate("a.png")
    history.clock.moment -= timedelta(days=1)
    made = history.generate("b.png", cites=[first])
    assert ask("clock_steady", history, made.file()).outcome is CONTRADICTED
    history = History()
    first = history.generate("a.png", stream="run")
    history.clock.up_ms = 5
    made = history.generate("b.png", stream="run", cites=[first])
    assert ask("clock_steady", history, made.file()).outcome is SHOWN


def test_a_clock_outside_what_authorities_say_contradicts():
    history = History()
    made = history.generate("a.png")
    late = history.clock.now() - timedelta(hours=2)
    bounds = {made.position: Bounds(NOT_DATED, Bound(Standing.ONE, late))}
    assert ask("clock_steady", history, made.file(), bounds=bounds).outcome is CONTRADICTED


def test_one_time_for_all_files_of_a_sitting_contradicts_and_a_bare_day_says_nothing():
    for times, outcome in (
        (["2026-01-01T10:00:00.000Z"] * 3, CONTRADICTED),
        ([f"2026-01-01T10:0{n}:00.000Z" for n in range(3)], SHOWN),
        (["2026-01-01"] * 3, NOT_APPLICABLE),
    ):
        history = History()
        history.brief("work")
        jobs = [
            history.generate(f"{n}.png", said=[place(f"/x/{n}.png", modified=at)], means=Means.RECOVERED)
            for n, at in enumerate(times)
        ]
        assert ask("file_times_plausible", history, jobs[-1].file()).outcome is outcome


def test_one_authority_vouches_and_two_prove():
    history = History()
    made = history.generate("a.png")
    assert ask("record_dated", history, made.file()).outcome is ABSENT
    two = ask("record_dated", history, made.file(), bounds=bounded(history))
    assert (two.outcome, two.basis) == (SHOWN, Basis.PROVED)
    one = {made.position: Bounds(NOT_DATED, Bound(Standing.ONE, history.clock.now()))}
    found = ask("record_dated", history, made.file(), bounds=one)
    assert (found.outcome, found.basis) == (SHOWN, Basis.VOUCHED)


# What stands in for a record


def test_a_caption_or_a_late_film_never_stands_in_for_prompts():
    history = History()
    made = history.generate("a.png", means=Means.STATED)
    assert ask("record_not_reconstructed", history, made.file()).outcome is ABSENT
    history.tell(Kind.DESCRIBED, note("a cat, says the tool"), cites=[made], means=Means.STATED)
    assert ask("record_not_reconstructed", history, made.file()).outcome is CONTRADICTED
    history = History()
    made = history.generate("a.png", means=Means.STATED)
    history.clock.advance(days=400)
    history.tell(Kind.FILMED, file("a.mp4"), cites=[made], means=Means.STATED)
    assert ask("record_not_reconstructed", history, made.file()).outcome is CONTRADICTED
    assert "after the making" in str(ask("session_filmed", history, made.file()).message)


def test_a_record_stays_one_beside_a_caption():
    history = History()
    made = history.generate("a.png", said=[prompt("a cat")], means=Means.RECOVERED)
    history.tell(Kind.DESCRIBED, note("a cat, says the tool"), cites=[made])
    assert ask("record_not_reconstructed", history, made.file()).outcome is SHOWN


@pytest.mark.parametrize(
    ("outcome", "same", "expected"),
    [
        ("same", "same", SHOWN),
        ("near", "same", PARTLY),
        ("same", "other", PARTLY),
        ("different", "same", CONTRADICTED),
    ],
)
def test_a_rerun_is_worth_what_its_environment_is(outcome, same, expected):
    history = History()
    made = history.generate("a.png")
    said = report(outcome=outcome, facts={"of": "rerun", "environment": same})
    history.tell(Kind.DESCRIBED, note("again"), said, cites=[made], means=Means.STATED)
    assert ask("rerun_agrees", history, made.file()).outcome is expected


@pytest.mark.parametrize(("claimed", "outcome"), [(1, SHOWN), (624, CONTRADICTED), (True, NOT_APPLICABLE)])
def test_a_count_needs_its_list(claimed, outcome):
    history = History()
    made = history.generate("a.png", said=[prompt("a cat"), report(facts={"count": claimed})])
    assert ask("counts_have_their_lists", history, made.file()).outcome is outcome


@pytest.mark.parametrize(
    ("told", "outcome"), [(1, SHOWN), (4, CONTRADICTED), (0, CONTRADICTED), (None, ABSENT)]
)
def test_the_tools_own_number_is_held_against_the_record(told, outcome):
    history = History()
    made = history.generate("a.png", said=[report(outputs=told)])
    assert ask("generator_counts_agree", history, made.file()).outcome is outcome


# Choices


def test_a_choice_without_alternatives_shows_only_that_something_was_kept():
    history = History()
    made = history.generate("a.png", "b.png")
    assert ask("chosen_among_candidates", history, made.file()).outcome is ABSENT
    history.keep(made.file(), cites=[made])
    assert ask("chosen_among_candidates", history, made.file()).outcome is PARTLY
    assert ask("alternatives_kept", history, made.file()).outcome is ABSENT
    history.keep(made.file(), among=[made.file(), made.file(1)], cites=[made])
    assert ask("chosen_among_candidates", history, made.file()).outcome is SHOWN
    assert ask("alternatives_kept", history, made.file()).outcome is SHOWN


def test_alternatives_that_are_only_known_are_gone():
    history = History()
    made = history.tell(Kind.GENERATED, file("a.png"), file("b.png", holding="known"))
    history.keep(made.file(), among=[made.file(), made.file(1)], cites=[made])
    found = ask("alternatives_kept", history, made.file())
    assert found.outcome is ABSENT
    assert "none of the pictures" in str(found.message)


def test_a_new_seed_alone_is_no_revision():
    for texts, outcome in ((("a cat", "a cat"), ABSENT), (("a cat", "a cat at night"), SHOWN)):
        history = History()
        history.brief("work")
        jobs = [
            history.generate(f"{n}.png", said=[prompt(text), parameters(seed=str(n), steps="20")])
            for n, text in enumerate(texts)
        ]
        assert ask("settings_changed_between_jobs", history, jobs[-1].file()).outcome is outcome


# People


def test_a_programs_act_is_not_a_persons():
    history = History()
    enrol(history, "p1", "a script", kind="program")
    made = history.generate("a.png")
    told = history.tell(Kind.SELECTED, choice([made.file()]), cites=[made], actor="p1")
    assert ask("chosen_by_a_person", history, made.file()).outcome is CONTRADICTED
    history.keep(made.file(), cites=[made])
    assert ask("chosen_by_a_person", history, made.file()).outcome is PARTLY
    history.withdraw(told)
    assert ask("chosen_by_a_person", history, made.file()).outcome is SHOWN


def test_a_person_enrolled_as_a_program_is_one():
    history = History()
    enrol(history, "a1", "a batch job", kind="program")
    made = history.generate("a.png")
    history.keep(made.file(), cites=[made])
    assert ask("chosen_by_a_person", history, made.file()).outcome is CONTRADICTED


def test_choices_faster_than_a_hand_are_told():
    history = History()
    made = history.generate(*[f"{n}.png" for n in range(6)])
    for n in range(6):
        history.keep(made.file(n), cites=[made], minutes=0.001)
    found = ask("chosen_by_a_person", history, made.file())
    assert found.outcome is PARTLY
    assert "faster" in str(found.message)


def claim(history, made, *pairs, actor="a1"):
    told = [Person(id=pseudonym, role=role) for pseudonym, role in pairs]
    return history.tell(Kind.NOTED, note("who did what"), people(*told), cites=[made], actor=actor)


def test_two_people_claiming_one_act_are_shown_and_not_resolved():
    history = History()
    made = history.generate("a.png")
    claim(history, made, ("a1", "prompted"))
    assert ask("contributions_undisputed", history, made.file()).outcome is SHOWN
    theirs = claim(history, made, ("a1", "prompted"), ("a2", "prompted"), actor="a2")
    assert ask("contributions_undisputed", history, made.file()).outcome is CONTRADICTED
    history.withdraw(theirs)
    assert ask("contributions_undisputed", history, made.file()).outcome is PARTLY


def test_a_claim_to_what_somebody_else_did_is_a_dispute():
    history = History()
    made = history.generate("a.png")
    kept = history.keep(made.file(), cites=[made])
    claim(history, kept, ("a2", "chose"), actor="a2")
    assert ask("contributions_undisputed", history, made.file()).outcome is CONTRADICTED


def test_sealing_the_contradicting_claim_never_makes_it_undisputed():
    history = History()
    made = history.generate("a.png")
    claim(history, made, ("a1", "prompted"))
    theirs = claim(history, made, ("a2", "prompted"), actor="a2")
    sealed = {theirs.part(PartType.PEOPLE), theirs.part(PartType.NOTE)}
    assert ask("contributions_undisputed", history, made.file(), sealed=sealed).outcome is PARTLY


def test_everybody_who_acted_needs_a_name():
    history = History()
    enrol(history, "a1", "N")
    made = history.generate("a.png")
    history.keep(made.file(), cites=[made])
    assert ask("contributors_named", history, made.file()).outcome is SHOWN
    claim(history, made, ("a2", "edited"))
    found = ask("contributors_named", history, made.file())
    assert found.outcome is PARTLY
    assert "a2" in str(found.message)


@pytest.mark.parametrize(
    ("person", "outcome", "basis"),
    [
        ({}, ABSENT, Basis.ATTESTED),
        ({"account": "acc"}, PARTLY, Basis.ATTESTED),
        ({"account": "acc", "bound_by": "the service"}, SHOWN, Basis.VOUCHED),
    ],
)
def test_an_account_is_somebodys_only_if_an_outsider_says_so(person, outcome, basis):
    history = History()
    enrol(history, **person)
    made = history.generate("a.png", said=[parameters(user="acc")], actor="a1")
    found = ask("account_control_shown", history, made.file())
    assert (found.outcome, found.basis) == (outcome, basis)


def test_acts_are_affirmed_by_a_key_that_checks():
    history = History()
    made = history.generate("a.png")
    kept = history.keep(made.file(), cites=[made])
    assert ask("acts_affirmed", history, made.file()).outcome is ABSENT
    history.tell(Kind.AFFIRMED, report(outcome="sshsig"), cites=[kept], actor="a1")
    found = ask("acts_affirmed", history, made.file())
    assert (found.outcome, found.basis) == (SHOWN, Basis.VOUCHED)


@pytest.mark.parametrize(
    ("title", "text", "outcome"),
    [
        ("disclosure", "generated, then painted over", SHOWN),
        ("披露", "使用人工智能生成", SHOWN),
        ("disclosure", "no AI was used", CONTRADICTED),
        ("disclosure", "not made with AI", CONTRADICTED),
        ("声明", "本图未使用AI", CONTRADICTED),
        ("disclosure", "the sketch without AI, the rest with AI", SHOWN),
        ("disclosure", "not a photograph: AI was used", SHOWN),
        ("disclosure", "非AI部分为手绘，其余由AI生成", SHOWN),
        ("thoughts", "AI is nice", ABSENT),
    ],
)
def test_disclosure_is_read_where_it_is_made(title, text, outcome):
    history = History()
    made = history.generate("a.png")
    history.tell(Kind.NOTED, note(text, title), cites=[made])
    assert ask("ai_use_disclosed", history, made.file()).outcome is outcome


def test_a_publication_that_says_so_discloses():
    history = History()
    made = history.generate("a.png")
    publish(history, made, text="an AI illustration")
    assert ask("ai_use_disclosed", history, made.file()).outcome is SHOWN
    assert ask("publication_recorded", history, made.file()).outcome is SHOWN


# The making


def test_an_edit_without_its_source_can_not_be_weighed():
    history = History()
    edit = history.tell(Kind.EDITED, file("b.png"), means=Means.STATED, actor="a1")
    assert ask("edited_after_generation", history, edit.file()).outcome is PARTLY
    assert ask("baseline_kept", history, edit.file()).outcome is ABSENT
    history = History()
    made = history.generate("a.png")
    edit = history.tell(Kind.EDITED, file("b.png"), cites=[made], means=Means.STATED, actor="a1")
    assert ask("edited_after_generation", history, edit.file()).outcome is SHOWN
    found = ask("baseline_kept", history, edit.file())
    assert (found.outcome, [item.position for item in found.cited]) == (SHOWN, [made.position])


def test_regions_and_arrangements_are_told_apart_from_single_steps():
    history = History()
    made = history.generate("a.png")
    one = history.generate("b.png", said=[file("a.png", Role.INIT), file("m.png", Role.MASK)])
    assert ask("regions_reworked", history, one.file()).outcome is PARTLY
    two = history.generate("c.png", said=[file("b.png", Role.INIT), file("n.png", Role.MASK)])
    assert ask("regions_reworked", history, two.file()).outcome is SHOWN
    assert ask("arranged_from_several", history, two.file()).outcome is ABSENT
    page = history.tell(
        Kind.EDITED, file("p.png"), file("a.png", Role.INIT), file("c.png", Role.INIT), cites=[made, two]
    )
    assert ask("arranged_from_several", history, page.file()).outcome is SHOWN


def test_own_material_is_what_no_job_made_and_somebody_brought():
    history = History()
    made = history.generate("a.png", said=[file("sketch.png", Role.INIT)])
    assert ask("human_input_used", history, made.file()).outcome is PARTLY
    history = History()
    history.tell(Kind.BRIEFED, note("idea"), file("sketch.png", Role.REFERENCE), actor="a1")
    made = history.generate("a.png", said=[file("sketch.png", Role.INIT)])
    assert ask("human_input_used", history, made.file()).outcome is SHOWN
    first = history.generate("b.png", said=[file("a.png", Role.INIT)])
    assert len(ask("human_input_used", history, first.file()).cited) > 0


def test_a_mapping_is_held_against_the_prompts_and_stays_a_statement():
    text = "a cat => the cat @ 1,2,30,40\nnothing here\nmoon → the light\n" + "x" * 5000
    assert read_mapping(text) == [
        MappedElement("a cat", "the cat", (1, 2, 30, 40)),
        MappedElement("moon", "the light"),
    ]
    assert read_mapping("a => b @ 1,2,3,4,5") == [MappedElement("a", "b")]
    history = History()
    made = history.generate("a.png", said=[prompt("a Cat under the moon")])
    history.tell(Kind.NOTED, note("cat => the animal @ 1,2,30,40\nmoon => light", "mapping"), cites=[made])
    found = ask("elements_mapped", history, made.file())
    assert (found.outcome, found.basis) == (SHOWN, Basis.ATTESTED)
    history.tell(Kind.NOTED, note("dragon => the shadow", "映射"), cites=[made])
    assert ask("elements_mapped", history, made.file()).outcome is PARTLY


def test_a_model_is_known_by_digest_or_only_called_so():
    for said, outcome in (
        ([], ABSENT),
        ([parameters(model="m")], PARTLY),
        ([parameters(model_hash="abc")], SHOWN),
        ([environment(models=[{"digest": "d"}])], SHOWN),
    ):
        history = History()
        made = history.generate("a.png", said=said)
        assert ask("model_identified", history, made.file()).outcome is outcome


def test_what_an_outsider_can_be_asked_about_is_vouched():
    history = History()
    said = prompt("a cat")
    vouched = Said(said.type, said.body, vouched=Vouched(by="the service", job="7"))
    made = history.generate("a.png", said=[vouched])
    assert ask("prompts_recorded", history, made.file()).basis is Basis.VOUCHED


def test_missing_numbers_gaps_and_runs_that_did_not_count():
    history = History()
    history.open("run")
    history.generate("a.png", stream="run")
    made = history.generate("b.png", stream="run", seq=3)
    history.close("run")
    found = ask("streams_complete", history, made.file())
    assert found.outcome is PARTLY
    assert "1 numbers" in str(found.message)
    history = History()
    made = history.generate("a.png")
    assert ask("streams_complete", history, made.file()).outcome is ABSENT


def test_a_generators_own_history_is_compared_after_every_job_or_it_is_said():
    history = History()
    made = history.generate("a.png")
    assert ask("generator_history_agrees", history, made.file()).outcome is ABSENT
    history.look(1)
    assert ask("generator_history_agrees", history, made.file()).outcome is SHOWN
    alone = history.generate("b.png")
    found = ask("generator_history_agrees", history, alone.file())
    assert found.outcome is PARTLY
    assert "1 recorded steps were not compared" in str(found.message)
    history.look(4, lost="hook_lost", early="before_hook", odd="a reason of another release")
    found = ask("generator_history_agrees", history, alone.file())
    assert (found.outcome, len(found.cited)) == (PARTLY, 2)
    assert "3 jobs in it are not recorded" in str(found.message)
    assert "1 that the hook could not write down" in str(found.message)
    assert "1 for no known reason" in str(found.message)
    assert found.basis is Basis.ATTESTED


def test_only_jobs_seen_by_tools_that_keep_a_history_are_asked_of_it():
    for source, means in ((PROGRAM, Means.LIVE), (TOOL, Means.RECOVERED)):
        history = History()
        made = history.generate("a.png", source=source, means=means)
        history.look(1)
        assert ask("generator_history_agrees", history, made.file()).outcome is Outcome.NOT_APPLICABLE


def test_a_look_at_a_generator_is_no_check_of_the_recorder():
    history = History()
    made = history.generate("a.png")
    history.look(1)
    assert ask("system_checked", history, made.file()).outcome is ABSENT


def test_health_is_the_recorders_word_good_or_bad():
    for clock, outcome in ((0, SHOWN), (None, SHOWN), (900_000, PARTLY)):
        history = History()
        made = history.generate("a.png")
        checked = history.tell(Kind.CHECKED, own(boot="b", clock=clock), means=Means.OWN)
        asked = Evidence(
            find_lineage(history.graph(), [made.file()]), beside=[history.entry_at(checked.position)]
        )
        assert find(asked, PROBES["system_checked"]).outcome is outcome


def test_a_request_handed_over_before_its_result_carries_the_prompt():
    history = History()
    request = history.tell(Kind.PROMPTED, prompt("a cat"), parameters(seed="1", steps="20"))
    made = history.generate("a.png", cites=[request])
    assert ask("prompts_recorded", history, made.file()).outcome is SHOWN
    assert ask("seeds_recorded", history, made.file()).outcome is SHOWN


def test_every_act_is_listed_by_who_did_it_signed_for_or_only_recorded():
    history = History()
    enrol(history, "a1", "N")
    enrol(history, "a1", "M")
    made = history.generate("a.png")
    first = history.keep(made.file(), cites=[made])
    second = history.keep(made.file(), cites=[made], means=Means.STATED)
    history.tell(Kind.AFFIRMED, report(outcome="sshsig"), cites=[first], actor="a1")
    nobody, person = list_contributions(evidence(history, made.file()))
    assert (nobody.actor, nobody.role, nobody.events) == (None, "prompted", (made.position,))
    assert (person.names, person.role) == (("N", "M"), "chose")
    assert (person.affirmed, person.told) == ((first.position,), (second.position,))


# Hostile

TEXTS = st.text(max_size=30)
SAID = st.lists(
    st.one_of(
        st.builds(prompt, TEXTS),
        st.builds(lambda text: parameters(text, seed=text, user=text), TEXTS),
        st.builds(
            lambda count: report(outputs=count, facts={"count": count, "of": "rerun"}), st.integers(-5, 5)
        ),
        st.builds(lambda text: environment(models=[{"date": text}, text], clock=text), TEXTS),
    ),
    max_size=4,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(SAID, st.sampled_from([Means.LIVE, Means.RECOVERED, Means.STATED])), max_size=5), TEXTS
)
def test_whatever_a_record_says_it_is_judged_the_same_way_twice(jobs, text):
    history = History()
    made = history.generate("a.png")
    for number, (said, means) in enumerate(jobs):
        history.generate(f"{number}.png", said=said, means=means, cites=[made])
    history.tell(Kind.NOTED, note(text, "mapping"), cites=[made])
    history.tell(Kind.NOTED, note(text, "disclosure"), people(Person(id=text, name=text)), cites=[made])
    first, second = (
        [done.to_bytes() for done in assess_all(evidence(history, made.file()), shipped_packs(), PROBES)]
        for _ in range(2)
    )
    assert first == second


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories(), st.data())
def test_any_record_with_anything_sealed_is_judged(history, data):
    pictures = known_pictures(history)
    if not pictures:
        return
    picture = data.draw(st.sampled_from(pictures))
    parts = sorted({part for told in history.told for part in told.parts}, key=str)
    sealed = set(data.draw(st.lists(st.sampled_from(parts), max_size=6))) - {picture}
    whole = Evidence(find_lineage(history.graph(), [picture]))
    listed = whole.lineage.positions
    try:
        lineage = find_lineage(history.graph(sealed=sealed), [picture], listed=listed)
    except UsageError:
        return  # the seal covers the only part that names the picture
    hidden = Evidence(lineage)
    for done in (*assess_all(whole, shipped_packs(), PROBES), *assess_all(hidden, shipped_packs(), PROBES)):
        assert done.to_bytes()


def test_the_whole_story_found_later_is_worth_less_everywhere_it_should_be():
    live, told = whole_story()
    later, told_later = whole_story(means=Means.RECOVERED)
    requirement = "kept-at-the-time"
    pack = shipped_packs()[0]
    outcomes = [
        assess_all(evidence(history, story["edit"].file(), bounds=bounded(history)), [pack], PROBES)[0]
        .find(requirement)
        .outcome
        for history, story in ((live, told), (later, told_later))
    ]
    assert outcomes == [SHOWN, PARTLY]
