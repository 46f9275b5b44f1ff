"""Probes of traces that do not go together, and of what stands in for a record."""

import pytest
from tests.histories import (
    History,
    Said,
    file,
    note,
    own,
    parameters,
    prompt,
)
from tests.stories import (
    ask,
    report,
)

from makingof.assess.finding import Outcome
from makingof.event import Kind
from makingof.part import CheckMade, Means, Parameters, PartType, Role, body_of

SHOWN, PARTLY, ABSENT, CONTRADICTED, NOT_APPLICABLE = (
    Outcome.SHOWN,
    Outcome.PARTLY,
    Outcome.ABSENT,
    Outcome.CONTRADICTED,
    Outcome.NOT_APPLICABLE,
)


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
