"""Records made to break the rule: it ends, soon, and says nothing it does not know."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.histories import History, Said, blob, choice, file, job, note, own, place, prompt
from tests.random_histories import histories, known_pictures

from makingof.digest import Digest
from makingof.errors import MalformedError
from makingof.event import Kind
from makingof.lineage.entry import Entry
from makingof.lineage.growing import make_tree
from makingof.lineage.memory import MemoryGraph
from makingof.lineage.rule import find_lineage
from makingof.part import Means, PartType, Role

NOWHERE = Digest.of(b"nowhere")


def test_citations_of_what_is_not_there_lead_nowhere():
    history = History()
    made = history.generate("a.png", cites=[NOWHERE])
    history.tell(Kind.SELECTED, choice([made.file(), NOWHERE], [NOWHERE]))
    history.withdraw(NOWHERE)
    history.tell(Kind.GENERATED, file("b.png"), cites=[NOWHERE], minutes=90)
    assert find_lineage(history.graph(), [blob("a.png")]).positions == {0, 1}


def test_an_event_that_names_itself_is_no_ancestor_of_its_own():
    history = History()
    said = file("a.png")
    part = Digest.of(history._salted(said, Means.LIVE))
    history._salts -= 1
    history.tell(Kind.GENERATED, said, place("/out/a.png", file=part), file("a.png", Role.INIT))
    lineage = find_lineage(history.graph(), [blob("a.png")])
    assert [member.why for member in lineage.members] == ["picture"]
    make_tree(lineage)


def test_citations_in_a_circle_end():
    """Entries cannot cite each other, each name being a hash of the other; bytes can go in a circle."""
    history = History()
    history.generate("a.png")
    history.tell(Kind.EDITED, file("b.png"), file("c.png", Role.INIT), minutes=90)
    history.tell(Kind.EDITED, file("c.png"), file("b.png", Role.INIT), minutes=90)
    lineage = find_lineage(history.graph(), [blob("b.png")])
    assert lineage.positions == {1, 2}
    assert len(make_tree(lineage).edits) == 2


def test_two_entries_at_one_position_are_refused():
    history = History()
    history.generate("a.png")
    with pytest.raises(MalformedError, match="position 0"):
        MemoryGraph([history.entry_at(0), history.entry_at(0)])


def test_one_entry_at_two_positions_counts_twice_and_breaks_nothing():
    history = History()
    history.generate("a.png")
    stored = {digest: data for digest, data in history.told[0].parts.items() if data}
    copies = [Entry.read(position, history.entry(0), stored) for position in (0, 1)]
    lineage = find_lineage(MemoryGraph(copies), [blob("a.png")])
    assert lineage.positions == {0, 1}
    make_tree(lineage)


def test_a_thousand_withdrawals_of_withdrawals_are_settled_in_one_pass():
    history = History()
    told = history.generate("a.png")
    for _ in range(1_000):
        told = history.withdraw(told)
    lineage = find_lineage(history.graph(), [blob("a.png")])
    assert [bool(member.withdrawn_by) for member in lineage.members[:3]] == [False, True, False]


def test_a_picture_withdrawn_by_everybody_names_them_all_in_order():
    history = History()
    told = history.generate("a.png")
    by = [history.withdraw(told).name for _ in range(1_000)]
    assert list(find_lineage(history.graph(), [blob("a.png")]).members[0].withdrawn_by) == by


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"streams": 7},
        {"streams": {"x": "many", "y": -1, "z": True, "": None}},
        {"stream": 7},
        {"last_seq": "x", "of": 7},
        {"last_seq": 2**53 - 1, "of": "hook"},
        {"files": 12, "parts": {"a": 1}},
        {"files": ["sha256:short", None, 7, NOWHERE]},
    ],
)
@pytest.mark.parametrize(
    "kind", [Kind.OPENED, Kind.CLOSED, Kind.PULSE, Kind.GAP, Kind.STAMPED, Kind.IMPORTED]
)
def test_own_facts_of_any_shape_are_read(kind, facts):
    history = History()
    history.generate("a.png", stream="s")
    history.tell(kind, own(**facts), own(**facts), means=Means.OWN, stream="s")
    lineage = find_lineage(history.graph(), [blob("a.png")])
    make_tree(lineage)
    assert all(stream.seen >= 2 for stream in lineage.streams)


def test_a_stream_that_claims_a_great_number_is_missing_one_range():
    history = History()
    history.generate("a.png", stream="s")
    history.tell(Kind.CLOSED, own(last_seq=2**53 - 1), means=Means.OWN, stream="s")
    (stream,) = find_lineage(history.graph(), [blob("a.png")]).streams
    assert stream.missing == ((2, 2**53 - 1),)
    assert stream.missing_count == 2**53 - 2


def test_paths_that_are_no_text_have_folders_too():
    history = History()
    moment = "2026-01-05T10:50:00.000Z"
    for name in ("a.png", "b.png"):
        said = Said(PartType.PLACE, {"base64": "L291dC//", "modified": moment})
        history.generate(name, said=[said], means=Means.RECOVERED)
    history.generate(
        "c.png", said=[Said(PartType.PLACE, {"base64": "!", "modified": moment})], means=Means.RECOVERED
    )
    assert find_lineage(history.graph(), [blob("a.png")]).positions == {0, 1}


def test_controls_and_markup_in_texts_stay_what_they_are():
    history = History()
    nasty = "\x1b[31m<script>\u202e\x00 (a:1.2"
    history.generate("a.png", said=[prompt(nasty), job(nasty), note(nasty)])
    history.generate("b.png", said=[prompt(nasty + ")"), job(nasty)])
    tree = make_tree(find_lineage(history.graph(), [blob("a.png")]))
    (made,) = tree.generations
    assert made.asked.prompt is not None
    assert made.asked.prompt.effective == nasty


def test_a_hundred_generations_of_long_prompts_are_compared_soon():
    history = History()
    for number in range(100):
        history.generate(f"{number}.png", said=[prompt("(a cat:1.1), " * 150 + str(number))])
    lineage = find_lineage(history.graph(), [blob("99.png")])
    start = time.process_time()
    make_tree(lineage)
    assert time.process_time() - start < 30


def test_a_large_project_costs_in_step_with_its_size():
    times = []
    for count in (250, 2_000):
        history = History()
        history.brief("Cat")
        for number in range(count):
            history.generate(f"{number}.png")
        graph = history.graph()
        rounds = []
        for _ in range(3):  # one of them may meet a collection of what all other tests left behind
            start = time.process_time()
            lineage = find_lineage(graph, [blob(f"{count - 1}.png")])
            make_tree(lineage)
            rounds.append(time.process_time() - start)
        times.append(min(rounds))
        assert len(lineage.members) == count + 1
    assert times[1] < 25 * times[0]  # eight times the events; with every one looked at by every one, 64


@settings(max_examples=25, deadline=None)
@given(history=histories(), data=st.data())
def test_any_parts_may_be_sealed_and_the_rule_finds_no_more(history, data):
    # A sealed list hides even the names of the files it lists.
    parts = [
        part
        for told in history.told
        for part, data in told.parts.items()
        if b'{"parts":' not in (data or b"")
    ]
    sealed = data.draw(st.lists(st.sampled_from(parts), max_size=12)) if parts else []
    graph = history.graph(sealed=sealed)
    for name in known_pictures(history)[:2]:
        whole = find_lineage(history.graph(), [name])
        for part in whole.pictures[0].file_parts[:1]:
            lineage = find_lineage(graph, [part], listed=whole.positions)
            assert whole.positions <= lineage.positions
            make_tree(lineage)


@settings(max_examples=25, deadline=None)
@given(history=histories(), data=st.data())
def test_more_of_the_log_than_the_lineage_changes_nothing(history, data):
    """A package holds the lineage and, around it, entries of the streams it came from."""
    for name in known_pictures(history)[:2]:
        lineage = find_lineage(history.graph(), [name])
        others = sorted(set(range(history.size())) - lineage.positions)
        more = data.draw(st.lists(st.sampled_from(others), unique=True)) if others else []
        graph = MemoryGraph(history.entry_at(position) for position in lineage.positions | set(more))
        assert find_lineage(graph, [name]).members == lineage.members
