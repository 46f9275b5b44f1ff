"""What every index must answer about time and health."""

from datetime import UTC, datetime, timedelta

from tests.histories import (
    History,
    blob,
    own,
    place,
    prompt,
)

from makingof.event import Kind
from makingof.part import Means
from makingof.tlog.reader import StoredPart


def test_what_is_dated_is_what_a_stamped_checkpoint_holds(index_of):
    history = History()
    history.generate("a.png")
    history.stamp()
    history.generate("b.png")
    history.stamp({"what": "file"})
    history.stamp({"kind": "deposit"})
    history.stamp({"kind": "ots"})
    history.keep(history.told[0].file())
    index = index_of(history)
    status = index.status()
    assert (status.stamped_size, status.undated, status.events) == (1, 2, 7)
    assert status.stamped_at == datetime(2026, 3, 1, 9, 32, tzinfo=UTC)
    assert index.last_receipt_at() == datetime(2026, 3, 1, 9, 34, tzinfo=UTC)
    assert index.calendar_asked_at() == datetime(2026, 3, 1, 9, 36, tzinfo=UTC)
    assert index.stamped_positions() == [1, 3, 4, 5]
    since = index.since_last_stamp()
    assert since.size == 5  # a pending proof: no need to ask again at once
    assert [act.kind for act in since.acts] == [Kind.SELECTED]
    assert since.act_before == datetime(2026, 3, 1, 9, 33, tzinfo=UTC)
    assert since.asked_at == since.stamped_at == datetime(2026, 3, 1, 9, 36, tzinfo=UTC)


def test_of_many_acts_since_the_last_stamp_those_are_told_that_decide(index_of):
    history = History()
    for number in range(5):
        history.generate(f"{number}.png")
    history.keep(history.told[0].file())
    history.keep(history.told[1].file())
    history.generate("x.png")
    since = index_of(history).since_last_stamp()
    assert [(act.kind, act.at.minute) for act in since.acts] == [
        (Kind.GENERATED, 31),
        (Kind.SELECTED, 36),
        (Kind.GENERATED, 38),
    ]
    assert (since.act_before, since.stamped_at, since.asked_at) == (None, None, None)


def test_a_proof_waits_until_it_is_complete(index_of):
    history = History()
    history.stamp({"kind": "ots"})
    index = index_of(history)
    (pending,) = index.pending_proofs()
    assert (pending.receipt.authority, pending.checkpoint) == ("test", b"note")
    assert index.oldest_pending_at() == datetime(2026, 3, 1, 9, 31, tzinfo=UTC)
    history.stamp({"kind": "ots", "beside": [{"role": "header", "digest": blob("header"), "source": ""}]})
    index.follow(history)
    assert index.pending_proofs() == []
    assert index.oldest_pending_at() is None


def test_a_receipt_we_cannot_read_dates_nothing(index_of):
    history = History()
    history.tell(Kind.STAMPED, own(size=1, root=blob("r"), receipts=[{"kind": "new"}, 7]), means=Means.OWN)
    history.tell(Kind.STAMPED, own(size="many", receipts=None), means=Means.OWN)
    assert index_of(history).status().stamped_size == 0


def test_a_sitting_began_after_the_last_pause_of_an_hour(index_of):
    history = History()
    history.generate("a.png")
    first = history.generate("b.png", minutes=60)
    history.stamp(minutes=59)
    history.generate("c.png", minutes=0.5)
    history.generate("d.png", minutes=59)
    index = index_of(history)
    assert index.sitting_start(history.clock.now()) == first.position
    assert index.sitting_start(history.clock.now() - timedelta(hours=2)) == 0


def test_the_newest_health_check_is_told(index_of):
    history = History()
    assert index_of(history).last_check() is None
    history.tell(Kind.CHECKED, own(boot="one"), means=Means.OWN)
    history.tell(Kind.CHECKED, own(boot="two"), means=Means.OWN)
    check = index_of(history).last_check()
    assert (check.at, check.boot) == (datetime(2026, 3, 1, 9, 32, tzinfo=UTC), "two")


def test_the_status_counts_what_stands_open(index_of):
    history = History()
    history.open("s")
    made = history.generate("a.png", "b.png", stream="s", seq=4)
    alone = history.generate("c.png")
    history.keep(made.file(0), final=True)
    history.tell(Kind.PUBLISHED, place(url="https://example.org"), cites=[alone], actor="a1")
    history.tell(Kind.GAP, own(why="lost", stream=history.stream("s")), means=Means.OWN)
    cat = history.brief("Cat")
    status = index_of(history).status()
    assert (status.pictures, status.unjudged, status.finals, status.finals_without_choice) == (3, 2, 2, 1)
    assert (status.open_streams, status.missing_numbers, status.gaps) == (1, 3, 1)
    assert status.project is not None
    assert status.project.name == cat.name


def test_an_empty_record_has_an_empty_status(index_of):
    status = index_of(History()).status()
    assert (status.events, status.pictures, status.undated, status.project) == (0, 0, 0, None)


def test_a_part_without_bytes_is_erased_from_the_start(make_index):
    history = History()
    told = history.generate("a.png", said=[prompt("a cat")])
    history.forget(*told.parts)
    assert all(isinstance(part, StoredPart) and part.data is None for part in history.parts(0))
    index = make_index()
    index.follow(history)
    assert index.event_at(0).silent == 2
    assert index.files_in(told.name)[0].blob is None
    assert index.status().pictures == 0
