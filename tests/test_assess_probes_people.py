"""Probes of choices and of the people who acted."""

import pytest
from tests.histories import (
    History,
    choice,
    file,
    note,
    parameters,
    prompt,
)
from tests.stories import (
    ask,
    enrol,
    people,
    publish,
    report,
)

from makingof.assess.finding import Basis, Outcome
from makingof.event import Kind
from makingof.part import PartType, Person

SHOWN, PARTLY, ABSENT, CONTRADICTED = Outcome.SHOWN, Outcome.PARTLY, Outcome.ABSENT, Outcome.CONTRADICTED


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
