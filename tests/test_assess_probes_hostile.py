"""Probes on whatever a record says, sealed or found later."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.histories import (
    History,
    note,
    parameters,
    prompt,
)
from tests.random_histories import histories, known_pictures
from tests.stories import PROBES, bounded, environment, evidence, people, report, whole_story

from makingof.assess.engine import assess_all
from makingof.assess.evidence import Evidence
from makingof.assess.finding import Outcome
from makingof.assess.shipped import shipped_packs
from makingof.errors import UsageError
from makingof.event import Kind
from makingof.lineage.rule import find_lineage
from makingof.part import Means, Person

SHOWN, PARTLY = Outcome.SHOWN, Outcome.PARTLY


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
