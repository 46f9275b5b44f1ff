import importlib.metadata
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.histories import History, Said, blob, file, parameters, prompt
from tests.stories import bounded, enrol, evidence, whole_story

from makingof.assess.challenge import QUESTIONS, challenge
from makingof.assess.completeness import describe_completeness
from makingof.assess.engine import assess, find, find_all
from makingof.assess.evidence import Evidence
from makingof.assess.finding import Basis, Outcome
from makingof.assess.registry import built_in_probes, load_probes
from makingof.assess.shipped import shipped_packs
from makingof.errors import UsageError
from makingof.event import Kind
from makingof.lineage.memory import MemoryGraph
from makingof.lineage.rule import find_lineage
from makingof.part import Means, PartType, Role
from makingof.texts import LANGUAGES, in_language

PROBES = built_in_probes()
PACKS = shipped_packs()


def all_bytes(given_evidence):
    return [assess(given_evidence, pack, PROBES).to_bytes() for pack in PACKS]


def outcomes(given_evidence):
    return {name: find(given_evidence, probe).outcome for name, probe in PROBES.items()}


def test_a_whole_record_shows_what_there_is_to_show():
    history, told = whole_story()
    found = outcomes(evidence(history, told["edit"].file(), bounds=bounded(history)))
    not_shown = {name: str(outcome) for name, outcome in found.items() if outcome is not Outcome.SHOWN}
    assert not_shown == {
        "acts_affirmed": "absent",
        "arranged_from_several": "absent",
        "counts_have_their_lists": "not_applicable",
        "embedded_records_agree": "not_applicable",
        "file_times_plausible": "not_applicable",
        "human_input_mapped": "not_applicable",
        "human_input_used": "absent",
        "regions_reworked": "absent",
        "rerun_agrees": "not_applicable",
        "system_checked": "absent",
    }


def test_every_requirement_of_every_pack_is_answered_on_two_axes_in_two_languages():
    history, told = whole_story()
    for pack in PACKS:
        done = assess(evidence(history, told["edit"].file()), pack, PROBES)
        assert [item.requirement.id for item in done.results] == [item.id for item in pack.requirements]
        for item in done.results:
            assert (item.counts is None) == (item.outcome not in (Outcome.SHOWN, Outcome.PARTLY))
            for language in LANGUAGES:
                assert all(in_language(text, language) for text in item.weighed.shortfalls)


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_events_come_in_changes_no_byte(shuffler):
    history, told = whole_story()
    entries = [history.entry_at(position) for position in range(history.size())]
    first = find_lineage(MemoryGraph(entries), [told["edit"].file()])
    shuffler.shuffle(entries)
    second = find_lineage(MemoryGraph(entries), [told["edit"].file()])
    members, context = list(second.members), list(second.context)
    shuffler.shuffle(members)
    shuffler.shuffle(context)
    second = replace(second, members=tuple(members), context=tuple(context))
    bounds = bounded(history)
    assert all_bytes(Evidence(first, bounds=bounds)) == all_bytes(Evidence(second, bounds=bounds))


def test_asking_twice_gives_the_same_bytes_and_questions_in_any_order():
    history, told = whole_story()
    asked = evidence(history, told["edit"].file())
    first = all_bytes(asked)
    challenge(asked, PROBES)
    assert all_bytes(asked) == first
    backwards = dict(reversed(PROBES.items()))
    assert [assess(asked, pack, backwards).to_bytes() for pack in PACKS] == first


@settings(max_examples=25, deadline=None)
@given(st.sets(st.integers(0, 60), max_size=12))
def test_sealing_never_makes_anything_look_better(numbers):
    history, told = whole_story()
    parts = [part for item in history.told for part in item.parts]
    sealed = {parts[number % len(parts)] for number in numbers}
    bounds = bounded(history)
    before = outcomes(evidence(history, told["edit"].file(), bounds=bounds))
    graph = history.graph(sealed=sealed)
    listed = frozenset(range(history.size()))
    lineage = find_lineage(graph, [told["edit"].file()], listed=listed)
    after = outcomes(Evidence(lineage, bounds=bounds))
    # What nothing is asked of any more is not better: the requirement then rests on the rest.
    for name, outcome in after.items():
        if outcome is Outcome.SHOWN:
            assert before[name] in (Outcome.SHOWN, Outcome.NOT_APPLICABLE), name


def test_sealed_parts_in_scope_keep_a_finding_at_partly_and_turn_absent_into_sealed():
    history = History()
    made = history.generate("a.png", said=[prompt("a cat"), parameters(steps="20")])
    sealed = {made.part(PartType.PROMPT)}
    asked = evidence(history, made.file(), sealed=sealed)
    finding = find(asked, PROBES["prompts_recorded"])
    assert finding.outcome is Outcome.SEALED
    assert finding.sealed == (made.part(PartType.PROMPT),)
    assert find(asked, PROBES["parameters_recorded"]).outcome is Outcome.SHOWN
    two = history.generate("b.png", said=[prompt("a dog"), prompt("again")], cites=[made])
    asked = evidence(history, two.file(), sealed={two.part(PartType.PROMPT, 1), made.part(PartType.PROMPT)})
    finding = find(asked, PROBES["prompts_recorded"])
    assert finding.outcome is Outcome.PARTLY


def test_erased_parts_leave_unverifiable_and_never_shown():
    history = History()
    made = history.generate("a.png", said=[prompt("a cat")])
    history.erase(made.part(PartType.PROMPT))
    history.forget(made.part(PartType.PROMPT))
    finding = find(evidence(history, made.file()), PROBES["prompts_recorded"])
    assert (finding.outcome, len(finding.erased)) == (Outcome.UNVERIFIABLE, 1)


def test_events_that_were_not_verified_support_nothing():
    history, told = whole_story()
    jobs = {told[f"job{number}"].position for number in (1, 2, 3)}
    some = evidence(history, told["edit"].file(), unverified={told["job2"].position})
    whole = evidence(history, told["edit"].file(), unverified=jobs)
    assert find(some, PROBES["prompts_recorded"]).outcome in (Outcome.PARTLY, Outcome.UNVERIFIABLE)
    assert find(whole, PROBES["prompts_recorded"]).outcome is Outcome.UNVERIFIABLE


def test_withdrawn_events_support_nothing():
    history, told = whole_story()
    history.withdraw(told["keep"])
    asked = evidence(history, told["edit"].file())
    assert find(asked, PROBES["reasons_recorded"]).outcome is Outcome.ABSENT


def test_only_mathematics_and_two_authorities_prove():
    history, told = whole_story()
    asked = evidence(history, told["edit"].file(), bounds=bounded(history))
    proved = {name for name, probe in PROBES.items() if find(asked, probe).basis is Basis.PROVED}
    assert proved == {"picture_traced", "record_dated"}


def test_probes_nobody_has_are_told_and_not_guessed():
    history = History()
    made = history.generate("a.png")
    found = find_all(evidence(history, made.file()), PROBES, ["no_such_probe"])
    assert found["no_such_probe"].outcome is Outcome.UNVERIFIABLE
    assert "no_such_probe" in str(found["no_such_probe"].message)


def entry_point(name, value):
    return importlib.metadata.EntryPoint(name, value, "makingof.probes")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mine", "no_such_module_anywhere:PROBE"),
        ("mine", "makingof.errors:MakingofError"),
        ("mine", "makingof.assess.probes.rerun_agrees:PROBE"),
        ("rerun_agrees", "makingof.assess.probes.rerun_agrees:PROBE"),
    ],
)
def test_a_plugin_that_is_no_probe_or_takes_a_name_is_refused_by_name(name, value):
    with pytest.raises(UsageError, match=name):
        load_probes(among=[entry_point(name, value)])


def test_ten_thousand_siblings_are_judged_and_named_within_bounds():
    history = History()
    enrol(history)
    batches = [[f"{batch}-{number}.png" for number in range(500)] for batch in range(20)]
    made = [history.generate(*names, listed=True) for names in batches]
    files = [
        part for item in made for part, kind in zip(item.parts, item.types, strict=True) if kind == "file"
    ]
    history.keep(files[1], among=files, cites=made)
    done = assess(evidence(history, files[1]), PACKS[0], PROBES)
    assert len(done.to_bytes()) < 500_000
    assert done.find("selection").outcome is Outcome.SHOWN


def test_control_characters_of_a_hostile_record_reach_no_message():
    history = History()
    enrol(history, name="\x1b[2J\u202e")
    made = history.generate("a.png", said=[prompt("\x1b]0;owned\x07"), place_with("\x1b[31macc\u202e\n")])
    asked = evidence(history, made.file())
    for pack in PACKS:
        text = assess(asked, pack, PROBES).to_bytes().decode()
        assert not any(sign in text for sign in ("\x1b", "\u202e", "\\u001b"))


def place_with(account):
    return Said(PartType.PLACE, {"account": account})


def test_a_claimed_cycle_ends():
    history = History()
    first = history.generate("a.png", said=[file("b.png", Role.INIT)])
    history.generate("b.png", said=[file("a.png", Role.INIT)], cites=[first])
    assert all_bytes(evidence(history, blob("a.png")))


def test_kinds_without_anything_to_ask_are_left_alone():
    history = History()
    made = history.tell(Kind.IMPORTED, Said(PartType.OWN, {"facts": {}}), file("a.png"), means=Means.OWN)
    found = outcomes(evidence(history, made.file()))
    assert Outcome.SHOWN not in {found[name] for name in ("prompts_recorded", "picture_traced")}


def test_challenges_put_what_speaks_against_first_and_every_question_has_its_words():
    history = History()
    made = history.generate("a.png", said=[prompt("a cat"), parameters("comfyui", **{"tool:ISO": "100"})])
    asked = challenge(evidence(history, made.file()), PROBES)
    assert {item.name for item in asked} == {name for name, _ in QUESTIONS}
    assert asked[0].name == "metadata"
    assert asked[0].is_contradicted
    states = [(item.is_contradicted, item.is_answered) for item in asked]
    assert states == sorted(states, key=lambda state: (not state[0], state[1]))
    assert not asked[-1].is_applicable  # what nothing on record could answer stands last, and apart


def test_the_paragraph_on_completeness_never_says_complete():
    history, told = whole_story()
    sentences = describe_completeness(evidence(history, told["edit"].file()))
    assert "1 counted runs" in str(sentences[0])
    assert "others" in str(sentences[-1])
    history = History()
    made = history.generate("a.png", stream="run", seq=4, said=[])
    sentences = describe_completeness(evidence(history, made.file()))
    assert "4 numbers are missing" in str(sentences[0])
