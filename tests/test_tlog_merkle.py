import base64
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.logs import flips, leaves_of, plain_head, plain_root

from makingof.errors import ProofError, UsageError
from makingof.tlog import merkle
from makingof.tlog.merkle import EMPTY_EDGE, EMPTY_HEAD, EMPTY_ROOT, TreeHead

VECTORS = json.loads(Path(__file__).with_name("vectors").joinpath("tlog/merkle.json").read_bytes())
LEAVES = leaves_of(300)


def make_nodes(leaves):
    """Every node of the tree, by level and index, in the order in which appending completes them."""
    edge, nodes = EMPTY_EDGE, {}
    for index, leaf in enumerate(leaves):
        edge, completed = edge.append(leaf)
        for level, node in enumerate([leaf, *completed]):
            nodes[level, index >> level] = node
    return nodes


NODES = make_nodes(LEAVES)


def read(level, index):
    return NODES[level, index]


def run(case):
    proof = [base64.b64decode(item) for item in case.get("proof", [])]
    leaf, root = base64.b64decode(case["leaf"]), base64.b64decode(case["root"])
    index, new = case.get("index", 0), TreeHead(case.get("size", 0), root)
    if case["kind"] == "inclusion":
        merkle.verify_inclusion(leaf, index, new, proof)
    else:
        merkle.verify_consistency(TreeHead(index, leaf), new, proof)


def test_there_are_enough_vectors_of_each_kind():
    counts = {}
    for case in VECTORS:
        key = case["kind"], case["accept"]
        counts[key] = counts.get(key, 0) + 1
    assert min(counts.values()) >= 11
    assert len(VECTORS) >= 196


def is_accepted(case):
    try:
        run(case)
    except ProofError:
        return False
    return True


def test_we_accept_and_refuse_what_go_does():
    assert [case["name"] for case in VECTORS if is_accepted(case) is not case["accept"]] == []


def test_the_head_of_every_size_is_that_of_rfc_6962():
    edge = EMPTY_EDGE
    for size in range(len(LEAVES) + 1):
        assert edge.head() == merkle.read_head(size, read) == plain_head(LEAVES[:size])
        if size < len(LEAVES):
            edge, _ = edge.append(LEAVES[size])
    assert TreeHead(0, EMPTY_ROOT) == EMPTY_HEAD


def test_nodes_are_numbered_in_the_order_in_which_they_are_completed():
    positions = [merkle.node_position(level, index) for level, index in NODES]
    assert positions == list(range(len(NODES)))
    assert len(NODES) == len(LEAVES) + merkle.count_nodes(len(LEAVES))


sizes = st.integers(1, len(LEAVES))


@given(sizes, st.data())
@settings(max_examples=150, deadline=None)
def test_every_range_is_proved_and_the_proof_of_one_leaf_is_that_of_rfc_6962(size, data):
    start = data.draw(st.integers(0, size - 1))
    end = data.draw(st.integers(start + 1, size))
    head = plain_head(LEAVES[:size])
    proof = merkle.make_range_proof(start, end, size, read)
    merkle.verify_range(LEAVES[start:end], start, head, proof)
    inclusion = merkle.make_inclusion_proof(start, size, read)
    assert inclusion == audit_path(start, LEAVES[:size])
    merkle.verify_inclusion(LEAVES[start], start, head, inclusion)


def audit_path(index, leaves):
    """RFC 6962, 2.1.1, as it is written there."""
    if len(leaves) == 1:
        return []
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    if index < split:
        return [*audit_path(index, leaves[:split]), plain_root(leaves[split:])]
    return [*audit_path(index - split, leaves[split:]), plain_root(leaves[:split])]


@given(sizes, st.data())
@settings(max_examples=150, deadline=None)
def test_every_prefix_of_a_log_is_a_log_that_it_goes_on_from(size, data):
    old_size = data.draw(st.integers(1, size))
    old, new = plain_head(LEAVES[:old_size]), plain_head(LEAVES[:size])
    proof = merkle.make_consistency_proof(old_size, size, read)
    merkle.verify_consistency(old, new, proof)
    merkle.verify_growth(old, new, proof)
    for changed in (TreeHead(old.size, EMPTY_ROOT), TreeHead(size + 1, old.root)):
        with pytest.raises(ProofError):
            merkle.verify_consistency(changed, new, proof)


@given(sizes, st.data())
@settings(max_examples=60, deadline=None)
def test_a_range_proof_shows_no_other_leaves(size, data):
    start = data.draw(st.integers(0, size - 1))
    end = data.draw(st.integers(start + 1, size))
    head = plain_head(LEAVES[:size])
    proof = merkle.make_range_proof(start, end, size, read)
    leaves = LEAVES[start:end]
    wrong = [leaves[:-1], leaves[1:], [*leaves, LEAVES[0]], [LEAVES[(start + 1) % 300], *leaves[1:]]]
    if len(leaves) > 2:
        wrong += [leaves[::-1], [leaves[0], *leaves[2:]]]
    for others in wrong:
        with pytest.raises(ProofError):
            merkle.verify_range(others, start, head, proof)
    for other_start in (start - 1, start + 1):
        with pytest.raises(ProofError):
            merkle.verify_range(leaves, other_start, head, proof)
    for other in (proof[:-1], [*proof, EMPTY_ROOT], proof[::-1]):
        if other != proof:
            with pytest.raises(ProofError):
                merkle.verify_range(leaves, start, head, other)


@pytest.mark.parametrize(("start", "end", "size"), [(5, 6, 13), (3, 9, 13), (12, 13, 13)])
def test_no_bit_of_a_proof_can_be_changed(start, end, size):
    head = plain_head(LEAVES[:size])
    proof = merkle.make_range_proof(start, end, size, read)
    for number, item in enumerate(proof):
        for changed in flips(item):
            with pytest.raises(ProofError):
                merkle.verify_range(
                    LEAVES[start:end], start, head, [*proof[:number], changed, *proof[number + 1 :]]
                )
    growth = merkle.make_consistency_proof(start, size, read)
    for number, item in enumerate(growth):
        for changed in flips(item):
            with pytest.raises(ProofError):
                merkle.verify_consistency(
                    plain_head(LEAVES[:start]), head, [*growth[:number], changed, *growth[number + 1 :]]
                )


def test_growth_from_nothing_is_refused_by_rfc_6962_and_taken_by_the_witness_form():
    head = plain_head(LEAVES[:7])
    with pytest.raises(ProofError):
        merkle.verify_consistency(EMPTY_HEAD, head, [])
    with pytest.raises(ProofError):
        merkle.verify_consistency(EMPTY_HEAD, EMPTY_HEAD, [])
    merkle.verify_growth(EMPTY_HEAD, head, [])
    merkle.verify_growth(EMPTY_HEAD, EMPTY_HEAD, [])
    for old, new, proof in (
        (TreeHead(0, head.root), head, []),
        (EMPTY_HEAD, head, [head.root]),
        (EMPTY_HEAD, TreeHead(0, head.root), []),
        (EMPTY_HEAD, TreeHead(-1, head.root), []),
    ):
        with pytest.raises(ProofError):
            merkle.verify_growth(old, new, proof)


def test_proofs_that_do_not_exist_are_refused_before_anything_is_read():
    for start, end, size in ((0, 0, 5), (-1, 1, 5), (4, 6, 5), (3, 2, 5), (0, 1, 2**63)):
        with pytest.raises(UsageError):
            merkle.make_range_proof(start, end, size, read)
    for old, new in ((0, 5), (0, 0), (6, 5), (1, 2**63)):
        with pytest.raises(UsageError):
            merkle.make_consistency_proof(old, new, read)
    assert merkle.make_consistency_proof(5, 5, read) == []


def test_hashes_of_another_length_are_refused():
    head = plain_head(LEAVES[:2])
    for proof, leaf in (([LEAVES[1][:31]], LEAVES[0]), ([LEAVES[1]], LEAVES[0] + b"x"), ([b""], LEAVES[0])):
        with pytest.raises(ProofError):
            merkle.verify_inclusion(leaf, 0, head, proof)
    with pytest.raises(ProofError):
        merkle.verify_consistency(TreeHead(1, b"short"), head, [LEAVES[1]])


@pytest.mark.parametrize("size", [2**62, 2**63 - 1, 2**63, 2**70, -1])
def test_sizes_no_log_can_have_cost_nothing(size):
    with pytest.raises(ProofError):
        merkle.verify_inclusion(LEAVES[0], 0, TreeHead(size, EMPTY_ROOT), [])
    with pytest.raises(ProofError):
        merkle.verify_consistency(TreeHead(1, LEAVES[0]), TreeHead(size, EMPTY_ROOT), [LEAVES[1]] * 70)
