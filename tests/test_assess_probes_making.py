"""Probes of the making: edits, regions, models, gaps, health."""

from tests.histories import (
    PROGRAM,
    TOOL,
    History,
    Said,
    file,
    note,
    own,
    parameters,
    prompt,
)
from tests.stories import PROBES, ask, enrol, environment, evidence, report

from makingof.assess.engine import find
from makingof.assess.evidence import Evidence
from makingof.assess.finding import Basis, Outcome
from makingof.assess.people import list_contributions
from makingof.assess.probes.elements_mapped import MappedElement, read_mapping
from makingof.event import Kind
from makingof.lineage.rule import find_lineage
from makingof.part import Means, Role, Vouched

SHOWN, PARTLY, ABSENT, NOT_APPLICABLE = Outcome.SHOWN, Outcome.PARTLY, Outcome.ABSENT, Outcome.NOT_APPLICABLE


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
        ([environment(models=[{"sha256": "d"}])], SHOWN),
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
