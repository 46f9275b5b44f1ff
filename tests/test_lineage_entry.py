import pytest
from tests.histories import History, Said, file, note, place, prompt

from makingof.digest import Digest
from makingof.errors import MalformedError
from makingof.event import Kind, PartRef
from makingof.lineage.entry import Entry, PartState
from makingof.part import FileBody, Means, PartType, Place, Text

STRANGER = Said(PartType.NOTE, {"text": "nobody cites me"})


def stored(told):
    return dict(told.parts)


def test_an_entry_says_what_its_parts_say_in_order():
    history = History()
    told = history.generate("a.png", "b.png", said=[prompt("a cat"), place("/out/a.png")])
    entry = history.entry_at(0)
    assert [said.body.size for said in entry.files()] == [5, 5]
    assert [said.digest for said in entry.statements(PartType.FILE, FileBody)] == list(told.parts)[:2]
    assert entry.first(PartType.PROMPT, Text) == Text(effective="a cat")
    assert entry.first(PartType.NOTE, Text) is None
    assert not entry.silent()
    assert (entry.name, entry.kind, entry.means) == (told.name, Kind.GENERATED, Means.LIVE)


def test_listed_parts_stand_in_the_place_of_their_list():
    history = History()
    told = history.generate(*(f"{number}.png" for number in range(40)), said=[prompt("a cat")], listed=True)
    entry = history.entry_at(0)
    assert len(entry.files()) == 40
    assert list(entry.lists) == [told.part(PartType.FILE)]
    assert list(entry.types.values()) == [PartType.FILE] * 40 + [PartType.PROMPT]


def test_a_part_that_is_not_given_is_sealed_and_one_without_bytes_erased():
    history = History()
    told = history.generate("a.png", said=[prompt("a cat"), place("/out/a.png")])
    history.forget(told.part(PartType.PLACE))
    entry = history.entry_at(0, sealed=[told.part(PartType.PROMPT)])
    assert entry.silent() == {
        told.part(PartType.PROMPT): PartState.SEALED,
        told.part(PartType.PLACE): PartState.ERASED,
    }
    assert list(entry.silent(PartType.PLACE)) == [told.part(PartType.PLACE)]
    assert entry.first(PartType.PLACE, Place) is None


def test_what_a_silent_list_listed_is_left_out():
    history = History()
    told = history.generate("a.png", "b.png", listed=True)
    entry = history.entry_at(0, sealed=[told.part(PartType.FILE)])
    assert entry.silent(PartType.FILE) == {told.part(PartType.FILE): PartState.SEALED}
    assert not entry.files()


def test_a_part_nobody_cites_is_refused():
    history = History()
    told = history.generate("a.png")
    other = history.tell(Kind.NOTED, note("another event's"))
    with pytest.raises(MalformedError, match="not cited"):
        Entry.read(0, history.entry(0), stored(told) | stored(other))


def test_bytes_of_another_digest_are_refused():
    history = History()
    told = history.generate("a.png")
    data = told.parts[told.file()]
    with pytest.raises(MalformedError, match="another digest"):
        Entry.read(0, history.entry(0), {told.file(): data.replace(b"a", b"b")})


def test_a_part_of_another_type_than_cited_is_refused():
    history = History()
    data = history._salted(note("I am a note"), Means.LIVE)
    told = history.generate("a.png")
    entry = history.entry(0).replace(told.file().encode(), Digest.of(data).encode())
    with pytest.raises(MalformedError, match="is a note part and cited as file"):
        Entry.read(0, entry, {Digest.of(data): data})


def test_a_part_that_claims_more_than_its_event_is_refused():
    history = History()
    said = Said(PartType.FILE, file("a.png").body, means=Means.LIVE)
    told = history.tell(Kind.GENERATED, said, means=Means.RECOVERED)
    with pytest.raises(MalformedError, match="says live in an event that is recovered"):
        Entry.read(0, history.entry(0), stored(told))


def _with_list(history, listed):
    """An entry whose file part is a list of `listed`, and that list."""
    data = history._salted(Said(PartType.FILE, {"parts": listed}), Means.OWN)
    told = history.generate("a.png")
    return history.entry(0).replace(told.file().encode(), Digest.of(data).encode()), data


def test_a_list_inside_a_list_is_refused():
    history = History()
    inner = history._salted(Said(PartType.FILE, {"parts": []}), Means.OWN)
    entry, outer = _with_list(history, [Digest.of(inner)])
    with pytest.raises(MalformedError, match="a list inside a list"):
        Entry.read(0, entry, {Digest.of(outer): outer, Digest.of(inner): inner})


def test_a_part_listed_twice_is_refused():
    history = History()
    part = history._salted(file("b.png"), Means.LIVE)
    entry, outer = _with_list(history, [Digest.of(part)] * 2)
    with pytest.raises(MalformedError, match="twice"):
        Entry.read(0, entry, {Digest.of(outer): outer, Digest.of(part): part})


def test_a_part_cited_and_listed_is_refused():
    history = History()
    part = history._salted(file("b.png"), Means.LIVE)
    outer = history._salted(Said(PartType.FILE, {"parts": [Digest.of(part)]}), Means.OWN)
    refs = [PartRef(PartType.FILE, Digest.of(outer)), PartRef(PartType.FILE, Digest.of(part))]
    told = history.generate("a.png", "c.png")
    entry = history.entry(0)
    for name, ref in zip(told.parts, refs, strict=True):
        entry = entry.replace(name.encode(), ref.digest.encode())
    with pytest.raises(MalformedError, match="twice"):
        Entry.read(0, entry, {Digest.of(outer): outer, Digest.of(part): part})
