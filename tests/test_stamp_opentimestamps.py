"""OpenTimestamps: pending, completed by stub calendars on loopback, verified by block headers."""

import dataclasses
import hashlib
import struct
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentimestamps.core.notary import (
    BitcoinBlockHeaderAttestation,
    LitecoinBlockHeaderAttestation,
)
from opentimestamps.core.op import OpRIPEMD160, OpSHA1, OpSHA256
from opentimestamps.core.serialize import BytesDeserializationContext
from opentimestamps.core.timestamp import DetachedTimestampFile, Timestamp
from tests.calendars import (
    BLOCK_TIME,
    HEIGHT,
    NONCE,
    Calendar,
    make_authority,
    mine,
    submit,
    to_bytes,
    trusting,
)
from tests.stamping import DIGEST, MESSAGE, answering

from makingof.digest import Digest
from makingof.errors import MalformedError, ProofError, UnavailableError, UsageError
from makingof.stamp.base import Beside, Kind, Receipt, Role, Statement, Uncounted
from makingof.stamp.block import join_height, parse_header
from makingof.stamp.http import HttpFetch
from makingof.stamp.opentimestamps import (
    BLOCK_MARGIN,
    MAX_PROOF_BYTES,
    CalendarAuthority,
    complete,
    parse_proof,
    verify_proof,
)
from makingof.stamp.trust import built_in_trust

GENESIS = bytes.fromhex(
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc8"
    "1bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c"
)


@pytest.fixture
def calendar():
    made = Calendar()
    with answering(made.answers) as (url, seen):
        made.answers.url = made.url = url
        made.seen = seen
        yield made


def completed(calendar):
    authority = make_authority(calendar.url)
    pending = submit(authority)
    calendar.mined = True
    return complete(pending, authority, HttpFetch())


def ots_file(data):
    return DetachedTimestampFile.deserialize(BytesDeserializationContext(data))


def test_a_digest_goes_out_blinded_and_comes_back_pending(calendar):
    authority = make_authority(calendar.url)
    receipt = submit(authority)
    (sent,) = [body for _, path, _, body in calendar.seen if path == "/digest"]
    assert sent != DIGEST.raw
    assert DIGEST.raw not in sent
    other = CalendarAuthority(authority, HttpFetch(), NONCE).request(b"another")
    blinds = [next(iter(ots_file(data).timestamp.ops))[0] for data in (receipt.data, other.data)]
    assert sent == hashlib.sha256(DIGEST.raw + blinds[0]).digest()
    assert len(set(blinds)) == 2, "a proof shown must not unblind another"
    assert receipt.kind is Kind.OTS
    assert receipt.digest == DIGEST
    assert parse_proof(receipt.data).pending[0][1] == calendar.url
    found = verify_proof(receipt, [authority])
    assert isinstance(found, Uncounted)
    assert "pending" in str(found.reason)


def test_pending_becomes_complete_and_keeps_its_first_bytes(calendar):
    authority = make_authority(calendar.url)
    pending = submit(authority)
    assert complete(pending, authority, HttpFetch()) is None
    calendar.mined = True
    done = complete(pending, authority, HttpFetch())
    assert done.data != pending.data
    assert done.find_beside(Role.HEADER) == (join_height(HEIGHT, calendar.header),)
    assert complete(done, authority, HttpFetch()) is None
    statement = verify_proof(done, [trusting(done)])
    assert isinstance(statement, Statement)
    assert (statement.at, statement.digest) == (BLOCK_TIME, DIGEST)
    assert (statement.earliest, statement.latest) == (BLOCK_TIME - BLOCK_MARGIN, BLOCK_TIME + BLOCK_MARGIN)
    assert statement.keys == {"operator:Bitcoin"}
    assert statement.remarks == ()


def test_one_calendar_suffices_and_the_others_are_named(calendar):
    receipt = submit(make_authority("http://127.0.0.1:9", calendar.url))
    assert len(parse_proof(receipt.data).pending) == 1
    assert "http://127.0.0.1:9" in str(receipt.remarks[0])
    with pytest.raises(UnavailableError, match="no calendar"):
        submit(make_authority("http://127.0.0.1:9"))
    with pytest.raises(UnavailableError, match="no calendar"):
        submit(make_authority())


def test_a_calendar_that_answers_nonsense_is_a_remark(calendar):
    with answering({"/digest": b"junk"}) as (url, _):
        receipt = submit(make_authority(url, calendar.url))
    assert "calendar's answer" in str(receipt.remarks[0])


def test_a_proof_from_a_stranger_cannot_send_us_anywhere(calendar):
    authority = make_authority(calendar.url, calendars=("*.calendar.opentimestamps.org",))
    pending = submit(authority)
    before = len(calendar.seen)
    assert complete(pending, authority, HttpFetch()) is None
    assert len(calendar.seen) == before


def test_a_block_nobody_vouches_for_counts_by_its_work(calendar):
    receipt = completed(calendar)
    found = verify_proof(receipt, [make_authority()])
    assert isinstance(found, Uncounted)
    assert "too little work" in str(found.reason)


def test_work_enough_counts_and_the_question_left_is_said():
    """The first block's header is public and took difficulty 1."""
    header = parse_header(GENESIS)
    assert header.hash == "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
    assert (header.difficulty, header.time) == (1, datetime(2009, 1, 3, 18, 15, 5, tzinfo=UTC))
    file = DetachedTimestampFile(OpSHA256(), Timestamp(header.merkle_root))
    file.timestamp.attestations.add(BitcoinBlockHeaderAttestation(0))
    receipt = Receipt(
        Kind.OTS,
        "bitcoin",
        Digest.from_raw(header.merkle_root),
        to_bytes(file),
        (Beside(Role.HEADER, join_height(0, GENESIS)),),
    )
    statement = verify_proof(receipt, [make_authority(difficulty=1)])
    assert isinstance(statement, Statement)
    assert header.hash in str(statement.remarks[0])
    assert isinstance(verify_proof(receipt, [make_authority(difficulty=2)]), Uncounted)
    assert isinstance(verify_proof(receipt, built_in_trust().authorities), Uncounted)


def test_a_hash_the_reader_looked_up_decides(calendar):
    receipt = completed(calendar)
    with pytest.raises(ProofError, match="by the reader's own word"):
        verify_proof(receipt, [make_authority(known=((HEIGHT, "0" * 64),))])


def test_without_a_header_the_root_to_look_for_is_said(calendar):
    receipt = dataclasses.replace(completed(calendar), beside=())
    found = verify_proof(receipt, [make_authority()])
    assert isinstance(found, Uncounted)
    root = parse_header(calendar.header).merkle_root[::-1].hex()
    assert str(HEIGHT) in str(found.reason)
    assert root in str(found.reason)


def test_without_the_readers_word_on_blocks_nothing_counts(calendar):
    assert isinstance(verify_proof(completed(calendar), []), Uncounted)


def with_header(receipt, header, height=HEIGHT):
    return dataclasses.replace(receipt, beside=(Beside(Role.HEADER, join_height(height, header)),))


def test_a_header_with_another_root_is_refused(calendar):
    receipt = completed(calendar)
    with pytest.raises(ProofError, match="Merkle root"):
        verify_proof(with_header(receipt, mine(bytes(32))), [make_authority()])
    elsewhere = with_header(receipt, mine(bytes(32)), height=7)
    assert isinstance(verify_proof(elsewhere, [make_authority()]), Uncounted)


def test_a_header_that_was_not_worked_for_is_refused(calendar):
    receipt = completed(calendar)
    root = parse_header(calendar.header).merkle_root
    lazy = struct.pack("<I32s32sIII", 1, bytes(32), root, 0, 0x1D00FFFF, 0)
    with pytest.raises(ProofError, match="does not meet its own target"):
        verify_proof(with_header(receipt, lazy), [make_authority()])


def test_every_changed_byte_of_the_header_is_refused_or_leaves_it_uncounted(calendar):
    receipt = completed(calendar)
    authority = trusting(receipt)
    for position in range(80):
        header = bytearray(calendar.header)
        header[position] ^= 1
        try:
            found = verify_proof(with_header(receipt, bytes(header)), [authority])
        except (MalformedError, ProofError):
            continue
        assert isinstance(found, Uncounted)


@pytest.mark.filterwarnings("ignore")  # the library warns of operations it may drop
def test_every_changed_byte_of_a_proof_is_refused_or_proves_nothing_else(calendar):
    receipt = completed(calendar)
    authority = trusting(receipt)
    good = verify_proof(receipt, [authority])
    for position in range(len(receipt.data)):
        data = bytearray(receipt.data)
        data[position] ^= 1 << (position % 8)
        try:
            found = verify_proof(dataclasses.replace(receipt, data=bytes(data)), [authority])
        except (MalformedError, ProofError):
            continue
        assert isinstance(found, Uncounted) or found == good, f"byte {position}"


def test_a_proof_about_another_digest_is_refused(calendar):
    receipt = dataclasses.replace(completed(calendar), digest=Digest.of(b"another"))
    with pytest.raises(ProofError, match="is about"):
        verify_proof(receipt, [make_authority()])


@pytest.mark.parametrize("operation", [OpSHA1, OpRIPEMD160])
def test_a_path_through_a_weak_hash_is_not_followed(operation):
    file = DetachedTimestampFile(OpSHA256(), Timestamp(DIGEST.raw))
    node = file.timestamp.ops.add(operation()).ops.add(OpSHA256())
    node.attestations.add(BitcoinBlockHeaderAttestation(HEIGHT))
    proof = parse_proof(to_bytes(file))
    assert (proof.roots, proof.pending) == ((), ())


def test_other_chains_are_not_counted():
    file = DetachedTimestampFile(OpSHA256(), Timestamp(DIGEST.raw))
    file.timestamp.attestations.add(LitecoinBlockHeaderAttestation(HEIGHT))
    assert parse_proof(to_bytes(file)).roots == ()


def test_a_proof_about_a_weak_digest_is_malformed():
    file = DetachedTimestampFile(OpSHA1(), Timestamp(bytes(20)))
    file.timestamp.attestations.add(BitcoinBlockHeaderAttestation(1))
    with pytest.raises(MalformedError, match="not a SHA-256"):
        parse_proof(to_bytes(file))


MAGIC = DetachedTimestampFile.HEADER_MAGIC + b"\x01\x08" + bytes(32)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        DetachedTimestampFile.HEADER_MAGIC,
        MAGIC,
        MAGIC + b"\x08" * 10_000,
        MAGIC + b"\xff" * 10_000,
        MAGIC + b"\xf0" + b"\xff" * 20_000,
        MAGIC + b"\x00" + BitcoinBlockHeaderAttestation.TAG + b"\x10" + b"\xff" * 15 + b"\x7f",
        bytes(MAX_PROOF_BYTES + 1),
    ],
)
def test_deep_long_and_cut_proofs_are_malformed(data):
    with pytest.raises(MalformedError):
        parse_proof(data)


@pytest.mark.filterwarnings("ignore")
@given(st.binary(max_size=200))
@settings(max_examples=60)
def test_arbitrary_proofs_are_read_or_malformed(data):
    with pytest.raises(MalformedError):
        parse_proof(data)
    try:
        parse_proof(MAGIC + data)
    except MalformedError:
        return


@given(st.binary(min_size=80, max_size=80) | st.binary(max_size=90))
@settings(max_examples=60)
def test_arbitrary_headers_are_read_or_malformed(data):
    try:
        header = parse_header(data)
    except MalformedError:
        return
    assert 0 < header.target < 1 << 256
    assert header.difficulty >= 0


@pytest.mark.parametrize("bits", [0, 0x1D800000, 0x1D80FFFF, 0xFF00FFFF, 0x2300FFFF, 0x01003456])
def test_targets_no_block_can_have_are_malformed(bits):
    with pytest.raises(MalformedError, match="target"):
        parse_header(struct.pack("<I32s32sIII", 1, bytes(32), bytes(32), 0, bits, 0))


@pytest.mark.parametrize(
    ("bits", "target"), [(0x1D00FFFF, 0xFFFF << 208), (0x03123456, 0x123456), (0x02123456, 0x1234)]
)
def test_compact_targets_expand_as_the_chain_does_it(bits, target):
    assert parse_header(struct.pack("<I32s32sIII", 1, bytes(32), bytes(32), 0, bits, 0)).target == target


def test_an_explorer_that_lies_is_asked_past(calendar):
    liar = {f"/api/block-height/{HEIGHT}": b"0" * 64, f"/api/block/{'0' * 64}/header": GENESIS.hex().encode()}
    with answering(liar) as (url, _):
        authority = make_authority(calendar.url)
        pending = submit(authority)
        calendar.mined = True
        rules = dataclasses.replace(authority.blocks, explorers=(f"{url}/api", f"{calendar.url}/api"))
        done = complete(pending, dataclasses.replace(authority, blocks=rules), HttpFetch())
        assert done.find_beside(Role.HEADER) == (join_height(HEIGHT, calendar.header),)
        only = dataclasses.replace(authority.blocks, explorers=(f"{url}/api",))
        done = complete(pending, dataclasses.replace(authority, blocks=only), HttpFetch())
        assert done.find_beside(Role.HEADER) == ()
        assert "header and hash differ" in str(done.remarks[0])


def test_without_the_library_nothing_counts_and_it_is_said_how_to_get_it(calendar, monkeypatch):
    receipt = completed(calendar)
    for name in [name for name in sys.modules if name.split(".")[0] == "opentimestamps"]:
        monkeypatch.setitem(sys.modules, name, None)
    found = verify_proof(receipt, [make_authority()])
    assert isinstance(found, Uncounted)
    assert "not installed" in str(found.reason)
    for use in (lambda: submit(make_authority()), lambda: complete(receipt, make_authority(), HttpFetch())):
        with pytest.raises(UnavailableError) as raised:
            use()
        assert "makingof[ots]" in str(raised.value.hint)


def test_an_authority_without_rules_counts_no_block(calendar):
    authority = dataclasses.replace(make_authority(), blocks=None)
    assert isinstance(verify_proof(completed(calendar), [authority]), Uncounted)


def test_a_nonce_must_blind():
    with pytest.raises(UsageError, match="nonce"):
        CalendarAuthority(make_authority(), HttpFetch(), b"short").request(MESSAGE)


def test_the_margin_is_two_hours():
    assert timedelta(hours=2) == BLOCK_MARGIN
