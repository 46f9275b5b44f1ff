"""What every graph must answer. A backend's test file imports these and gives one fixture:

`graph_of`, a function from a `History` to a graph of it.
"""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.histories import History, blob, file, job, note, own, place, prompt
from tests.random_histories import histories, known_pictures

from makingof.clock import milliseconds
from makingof.digest import Digest
from makingof.event import Kind
from makingof.lineage.entry import Entry
from makingof.lineage.graph import Graph
from makingof.lineage.memory import MemoryGraph
from makingof.lineage.rule import find_lineage
from makingof.part import Means, Role

MODEST = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
NOWHERE = Digest.of(b"nowhere")


@MODEST
@given(history=histories(), data=st.data())
def test_the_lineage_is_the_same_however_the_graph_is_stored(graph_of, history, data):
    graph = graph_of(history)
    for name in known_pictures(history):
        assert find_lineage(graph, [name]) == find_lineage(history.graph(), [name])


@MODEST
@given(history=histories())
def test_every_answer_is_that_of_the_graph_in_memory(graph_of, history):
    graph, other = graph_of(history), history.graph()
    everything = set(range(history.size()))
    assert graph.size() == other.size()
    assert _sorted(graph.nodes(everything)) == _sorted(other.nodes(everything))
    assert list(graph.entries(everything)) == list(other.entries(everything))
    assert graph.enrolments() == other.enrolments()
    for position in everything:
        _compare_event(graph, other, position)
    streams = {history.stream(name) for name in ("s", "t", "never")}
    assert sorted(graph.streams(streams), key=str) == sorted(other.streams(streams), key=str)
    for tool in ("comfyui", "other", "never"):
        for positions in (everything, {history.size() - 1}, {0, 3, 7}):
            assert graph.looks_after(tool, positions) == other.looks_after(tool, positions)


def _compare_event(graph: Graph, other: Graph, position: int) -> None:
    one = {position}
    assert set(graph.files_of(one)) == set(other.files_of(one))
    assert graph.cited_by(one) == other.cited_by(one)
    assert graph.citing(one) == other.citing(one)
    assert graph.sharing_job(one) == other.sharing_job(one)
    assert set(graph.claims(one)) == set(other.claims(one))
    assert list(graph.jobs_until(position)) == list(other.jobs_until(position))
    for claim in other.claims(one):
        ours = list(graph.claimed_jobs_until(claim.folder, claim.at_ms))
        assert ours == list(other.claimed_jobs_until(claim.folder, claim.at_ms))
    for node in other.nodes(one):
        if node.project is not None:
            assert _sorted(graph.project_jobs(node.project)) == _sorted(other.project_jobs(node.project))
    for link in other.files_of(one):
        assert graph.with_files({link.part}) == other.with_files({link.part})
        for given_ in (True, False):
            assert graph.with_blobs({link.blob}, given=given_) == other.with_blobs({link.blob}, given=given_)


def _sorted(nodes):
    return sorted(nodes, key=lambda node: node.position)


def test_a_recovered_event_claims_its_header_s_time_or_else_its_earliest_file_s(graph_of):
    history = History()
    early, late, stated = (f"2026-01-05T10:0{minute}:00.000Z" for minute in (1, 2, 3))
    places = [place("/out/b.png", modified=late), place("/out/c.png", modified=early)]
    history.generate("a.png", means=Means.RECOVERED, occurred_at=stated)
    history.generate("b.png", said=places, means=Means.RECOVERED, occurred_at=stated)
    history.generate("c.png", said=places, means=Means.RECOVERED)
    history.generate("d.png", said=places)
    nodes = sorted(graph_of(history).nodes({0, 1, 2, 3}), key=lambda node: node.position)
    expected = [milliseconds(stated), milliseconds(stated), milliseconds(early), None]
    assert [node.claimed_ms for node in nodes] == expected


def test_what_is_unknown_has_no_answer(graph_of):
    history = History()
    history.generate("a.png")
    graph = graph_of(history)
    assert not list(graph.nodes({7}))
    assert not list(graph.entries({7, -1}))
    assert not graph.named({NOWHERE})
    assert not graph.with_files({NOWHERE})
    assert not graph.with_blobs({NOWHERE}, given=True)
    assert not list(graph.files_of({7}))
    assert not graph.cited_by({7})
    assert not graph.citing({7})
    assert not graph.sharing_job({7})
    assert not list(graph.project_jobs(NOWHERE))
    assert not list(graph.claims({7}))
    assert not list(graph.claimed_jobs_until("nowhere", 0))
    (stream,) = graph.streams({history.stream("never")})
    assert (stream.opened, stream.seen, stream.missing, stream.last) == (None, 0, (), -1)


def test_an_empty_record_has_no_lineages(graph_of):
    graph = graph_of(History())
    assert graph.size() == 0
    assert not graph.enrolments()
    assert not list(graph.jobs_until(5))


def test_a_thousand_jobs_of_a_session_are_walked_in_order(graph_of):
    history = History()
    for number in range(1000):
        history.generate(f"{number}.png", minutes=59 if number else 1)
    positions = [node.position for node in graph_of(history).jobs_until(998)]
    assert positions == list(range(998, -1, -1))


def test_a_place_said_twice_does_not_end_the_walk(graph_of):
    history = History()
    for number in range(600):
        said = [
            place(f"/out/{number}.png", modified=f"2026-01-05T10:{number // 60:02}:{number % 60:02}.000Z")
        ] * 2
        history.generate(f"{number}.png", said=said, means=Means.RECOVERED)
    assert len(find_lineage(graph_of(history), [blob("599.png")]).members) == 600


class _Counting:
    """A graph that counts what it is asked about and what it answers."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.count = 0

    def __getattr__(self, name):
        answer = getattr(self.graph, name)

        def counted(*asked, **more):
            self.count += sum(len(item) for item in asked if isinstance(item, set | frozenset))
            return self._each(answer(*asked, **more)) if name != "size" else answer()

        return counted

    def _each(self, answer):
        if isinstance(answer, set | frozenset):
            self.count += len(answer)
            return answer
        return self._counted(answer)

    def _counted(self, answer):
        for item in answer:
            self.count += 1
            yield item


def test_siblings_by_the_thousand_cost_in_step_with_their_number(graph_of):
    counts = []
    for history in (_siblings(150), _siblings(600)):
        graph = _Counting(graph_of(history))
        assert len(find_lineage(graph, [blob("0.png")]).members) == history.size()
        counts.append(graph.count)
    assert counts[1] < 5 * counts[0]


def _siblings(count: int) -> History:
    """One job in as many events that use one mask, made by one of them, and cite one request."""
    history = History()
    request = history.tell(Kind.PROMPTED, prompt("a cat"))
    for number in range(count - 1):
        said = [job("1"), file("mask.png", Role.MASK if number else Role.OUTPUT)]
        history.generate(f"{number}.png", said=said, cites=[request])
    return history


@pytest.mark.parametrize("count", [500])
def test_a_long_chain_of_ancestors_and_of_citations_ends(graph_of, count):
    history = History()
    for number in range(count):
        used = [file(f"{number - 1}.png", Role.INIT)] if number else []
        history.generate(f"{number}.png", said=used, minutes=61)
    told = history.told[-1]
    for _ in range(count):
        told = history.tell(Kind.NOTED, note("again"), cites=[told], actor="a1")
    assert len(find_lineage(graph_of(history), [blob(f"{count - 1}.png")]).members) == 2 * count


def test_jobs_that_use_each_others_outputs_end(graph_of):
    history = History()
    history.generate("a.png", said=[file("b.png", Role.INIT), file("a.png", Role.MASK)], minutes=90)
    history.generate("b.png", said=[file("a.png", Role.INIT)], minutes=90)
    assert len(find_lineage(graph_of(history), [blob("a.png")]).members) == 2


@MODEST
@given(history=histories())
def test_a_lineage_is_the_lineage_of_its_own_events(graph_of, history):
    for name in known_pictures(history)[:2]:
        lineage = find_lineage(graph_of(history), [name])
        own_events: list[Entry] = [*lineage.entries(), *lineage.context]
        assert find_lineage(MemoryGraph(own_events), [name]).members == lineage.members


@MODEST
@given(history=histories(max_events=16), data=st.data())
def test_what_is_recorded_later_takes_nothing_out(graph_of, history, data):
    name = data.draw(st.sampled_from(known_pictures(history) or [None]))
    if name is None:
        return
    before = find_lineage(graph_of(history), [name]).positions
    history.withdraw(*history.told[:1])
    history.brief("Later")
    history.generate("z.png", said=[file("a.png", Role.INIT), job("1")])
    history.tell(Kind.GAP, own(why="lost"), means=Means.OWN)
    assert before <= find_lineage(graph_of(history), [name]).positions
