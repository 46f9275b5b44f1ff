import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.logs import KEY, OTHER_KEY, fill, flips, make_log

from makingof.errors import MalformedError, ProofError
from makingof.tlog.checkpoint import read_checkpoint, sign_checkpoint
from makingof.tlog.merkle import EMPTY_HEAD
from makingof.tlog.proof import TlogProof, parse_proof


@pytest.fixture
def proof(tmp_path):
    with fill(make_log(tmp_path), 13) as log:
        yield TlogProof(9, tuple(log.inclusion_proof(9, 13)), log.checkpoint()), log.leaf(9)


def test_a_proof_file_shows_one_entry_in_a_signed_tree(proof):
    made, leaf = proof
    data = made.to_bytes()
    assert data.startswith(b"c2sp.org/tlog-proof@v1\nindex 9\n")
    assert parse_proof(data) == made
    assert made.verify(leaf, KEY.public) == read_checkpoint(made.checkpoint)
    with pytest.raises(ProofError):
        made.verify(leaf[::-1], KEY.public)
    with pytest.raises(ProofError):
        made.verify(leaf, OTHER_KEY.public)


def test_no_bit_of_a_proof_file_can_be_changed(proof):
    made, leaf = proof
    for changed in flips(made.to_bytes()):
        with pytest.raises((MalformedError, ProofError)):
            parse_proof(changed).verify(leaf, KEY.public)


def test_extra_data_is_carried_and_covered_by_nothing(proof):
    made, leaf = proof
    extra = TlogProof(made.index, made.hashes, made.checkpoint, b"anything")
    assert parse_proof(extra.to_bytes()) == extra
    extra.verify(leaf, KEY.public)


def test_a_proof_for_the_only_entry_has_no_hashes(tmp_path):
    with fill(make_log(tmp_path), 1) as log:
        made = TlogProof(0, (), log.checkpoint())
        parse_proof(made.to_bytes()).verify(log.leaf(0), KEY.public)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"@v1\n", b"@v2\n"),
        (b"@v1\n", b"@v1\n\n"),
        (b"@v1\n", b"@v1\nextra \n"),
        (b"@v1\n", b"@v1\nextra AB==\n"),
        (b"@v1\n", b"@v1\nextra AA==\nextra AA==\n"),
        (b"index 9\n", b""),
        (b"index 9\n", b"index 09\n"),
        (b"index 9\n", b"index -9\n"),
        (b"index 9\n", b"index 9\nindex 9\n"),
        (b"index 9\n", b"index  9\n"),
        (b"index 9\n", b"index 9\r\n"),
        (b"index 9\n", b"index 9\n" + b"A" * 43 + b"=\n" * 64),
        (b"index 9\n", b"index 9\nAAAA\n"),
        (b"index 9\n", "index ٩\n".encode()),
        (b"\n\nmakingof", b"\nmakingof"),
    ],
)
def test_other_spellings_of_a_proof_are_malformed(proof, old, new):
    data = proof[0].to_bytes()
    assert old in data
    with pytest.raises(MalformedError):
        parse_proof(data.replace(old, new, 1))


def test_a_proof_with_sixty_four_hashes_is_malformed(proof):
    made, _ = proof
    with pytest.raises(MalformedError):
        parse_proof(TlogProof(0, (bytes(32),) * 64, made.checkpoint).to_bytes())
    with pytest.raises(MalformedError):
        parse_proof(b"x" * 1_000_001)


@given(st.binary(max_size=200))
@settings(max_examples=80, deadline=None)
def test_arbitrary_bytes_have_one_spelling_or_are_malformed(data):
    note = sign_checkpoint(EMPTY_HEAD, KEY).to_bytes()
    for whole in (
        data,
        b"c2sp.org/tlog-proof@v1\n" + data,
        b"c2sp.org/tlog-proof@v1\nindex 1\n" + data + b"\n\n" + note,
    ):
        try:
            proof = parse_proof(whole)
        except MalformedError:
            continue
        assert proof.to_bytes() == whole
