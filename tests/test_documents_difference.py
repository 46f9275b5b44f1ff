"""What changed between two saves: each change alone, and the algebra of all of them."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.documents import krita, psd
from tests.documents.drawing import DRAWING, Drawn

from makingof.metadata.documents.difference import Change, LayerChange, compare_documents, compare_layers
from makingof.metadata.documents.document import Layer, LayerKind
from makingof.metadata.documents.read import read_document


def layer(name, **more):
    return Layer(name, LayerKind.PAINT, **{"visible": True, "opacity": "255/255", **more})


def group(name, *children, **more):
    return Layer(name, LayerKind.GROUP, visible=True, children=children, **more)


A, B, C = (layer(name, id=number) for number, name in enumerate("abc", 1))


def said(before, after):
    return [
        (change.change, change.path, change.before, change.after) for change in compare_layers(before, after)
    ]


def test_two_saves_of_a_krita_document():
    retouched = replace(DRAWING[1].children[0], visible=True, colour=(1, 2, 3, 255))
    after = (
        Drawn("签名", id=20, size=(8, 8)),
        DRAWING[0],
        replace(DRAWING[1], name="修改 2", children=(DRAWING[1].children[1], retouched)),
    )
    changes = compare_documents(read_document(krita.write_kra()), read_document(krita.write_kra(after)))
    assert {(change.change, change.path) for change in changes} == {
        (Change.REMOVED, "generated"),
        (Change.ADDED, "签名"),
        (Change.RENAMED, "修改 2"),
        (Change.MOVED, "修改 2 / hand"),
        (Change.SHOWN, "修改 2 / hand"),
        (Change.BYTES, "修改 2 / hand"),
    }


def test_two_saves_of_a_photoshop_document():
    after = (replace(DRAWING[0], at=(9, 8), opacity=200), *DRAWING[1:])
    changes = compare_documents(read_document(psd.write_psd()), read_document(psd.write_psd(after)))
    assert changes == (
        LayerChange(Change.OPACITY, "题字", "11", "128/255", "200/255"),
        LayerChange(Change.SHIFTED, "题字", "11", "8,8", "9,8"),
    )


def test_between_formats_only_what_all_of_them_say_is_compared():
    psb, kra = read_document(psd.write_psd(big=True)), read_document(krita.write_kra())
    assert compare_documents(read_document(psd.write_psd()), psb) == ()
    assert compare_documents(psb, kra) == ()
    hidden = (replace(DRAWING[0], visible=False), *DRAWING[1:])
    (change,) = compare_documents(psb, read_document(krita.write_kra(hidden)))
    assert (change.change, change.path) == (Change.HIDDEN, "题字")


def test_equal_documents_have_no_difference():
    document = read_document(krita.write_kra())
    assert compare_documents(document, document) == ()


def test_added_and_removed():
    assert said([A, B], [A, C]) == [(Change.REMOVED, "b", None, None), (Change.ADDED, "c", None, None)]


def test_renamed_by_its_id():
    assert said([A, B], [replace(A, name="new"), B]) == [(Change.RENAMED, "new", "a", "new")]


def test_without_an_id_a_new_name_is_a_new_layer():
    assert [change for change, *_ in said([layer("a")], [layer("b")])] == [Change.REMOVED, Change.ADDED]


@pytest.mark.parametrize(
    ("change", "after", "values"),
    [
        (Change.HIDDEN, {"visible": False}, (None, None)),
        (Change.OPACITY, {"opacity": "10/255"}, ("255/255", "10/255")),
        (Change.MASKS, {"masks": ("m",)}, ("", "m")),
        (Change.MASKS, {"masks": ("", "")}, ("", "unnamed, unnamed")),
        (Change.KIND, {"kind": LayerKind.TEXT}, ("paint", "text")),
    ],
)
def test_one_change_is_told_once(change, after, values):
    assert said([A], [replace(A, **after)]) == [(change, "a", *values)]


def test_what_one_save_does_not_state_is_no_change():
    unsaid = Layer("a", LayerKind.PAINT, id="1")
    assert said([layer("a", id="1", mark="crc32:1", at=(0, 0))], [unsaid]) == []
    assert said([unsaid], [layer("a", id="1", mark="crc32:1", at=(0, 0))]) == []


def test_only_the_layer_that_changed_its_place_is_moved():
    d = layer("d", id=4)
    assert said([A, B, C, d], [d, A, B, C]) == [(Change.MOVED, "d", "d", "d")]
    assert said([A, B, C, d], [B, C, d, A]) == [(Change.MOVED, "a", "a", "a")]


def test_into_another_group_is_moved_and_its_neighbours_are_not():
    before = [group("g", A, id=8), B, C]
    after = [group("g", A, B, id=8), C]
    assert said(before, after) == [(Change.MOVED, "g / b", "b", "g / b")]


def test_a_group_taken_apart_leaves_its_layers_moved():
    assert said([group("g", A, id=8)], [A]) == [
        (Change.REMOVED, "g", None, None),
        (Change.MOVED, "a", "g / a", "a"),
    ]


def test_a_group_that_moves_takes_its_layers_along_without_a_word():
    before = [A, group("g", B, C, id=8)]
    assert len(said(before, list(reversed(before)))) == 1


def test_layers_of_one_name_are_paired_in_their_order():
    twins = [layer("Layer 1"), layer("Layer 1", opacity="9/255")]
    assert said(twins, twins) == []
    assert said(twins, twins[:1]) == [(Change.REMOVED, "Layer 1", None, None)]


def test_an_id_given_to_two_layers_is_no_id():
    assert said([A, replace(B, id=1)], [replace(B, id=1), A]) == [(Change.MOVED, "a", "a", "a")]


def test_names_of_a_megabyte_do_not_multiply():
    deep = group("x" * 1_000_000, *(layer(f"l{n}") for n in range(300)))
    assert all(len(change.path) <= 1_000 for change in compare_layers([], [deep]))


def test_thousands_of_twins_take_no_time():
    many = [layer("same") for _ in range(20_000)]
    assert len(compare_layers(many, many[:-1])) == 1


leaves = st.builds(
    layer, st.sampled_from("abcd"), id=st.sampled_from([None, "1", "2", "3", "4", "5"]), visible=st.booleans()
)
trees = st.lists(
    st.recursive(
        leaves,
        lambda inner: st.builds(
            lambda name, children: group(name, *children), st.sampled_from("gh"), st.lists(inner, max_size=3)
        ),
        max_leaves=6,
    ),
    max_size=4,
)


def count(layers):
    return sum(1 for top in layers for _ in top.walk())


@settings(max_examples=150, deadline=None)
@given(trees)
def test_a_tree_equals_itself(tree):
    assert compare_layers(tree, tree) == ()


@settings(max_examples=150, deadline=None)
@given(trees, trees)
def test_numbers_add_up_and_backwards_is_the_opposite(before, after):
    there = [change.change for change in compare_layers(before, after)]
    back = [change.change for change in compare_layers(after, before)]
    assert count(before) - there.count(Change.REMOVED) + there.count(Change.ADDED) == count(after)
    assert there.count(Change.REMOVED) == back.count(Change.ADDED)
    assert there.count(Change.SHOWN) == back.count(Change.HIDDEN)
    assert there.count(Change.MOVED) == back.count(Change.MOVED)
