import base64
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.logs import KEY, OTHER_KEY, flips

from makingof.errors import MalformedError, ProofError
from makingof.keys.signing import PublicKey
from makingof.tlog.note import (
    NOTE_COSIGNATURE,
    Note,
    NoteKey,
    Signature,
    cosign_note,
    decode_base64,
    parse_note,
    sign_note,
    verify_note,
)

VECTORS = json.loads(Path(__file__).with_name("vectors").joinpath("tlog/notes.json").read_bytes())
REFUSED = (MalformedError, ProofError)

# The examples of C2SP signed-note and tlog-cosignature, whose keys are not published with them.
POEM = """\
Ognuno sta solo sul cuor della terra
trafitto da un raggio di sole:

ed è subito sera.

— quasimodo.example/salvatore \
NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=
"""
SOFA = """\
example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa \
Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 \
jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""

# The example of Go's sumdb/note, with its published key.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS_NOTE = """\
If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
"""


def run(case):
    if case["kind"] == "vkey":
        NoteKey.parse(case["keys"][0])
    else:
        known = [NoteKey.parse(key) for key in case.get("keys", [])]
        verify_note(base64.b64decode(case.get("note", "")), known)


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["name"])
def test_we_accept_and_refuse_the_notes_and_keys_that_go_does(case):
    if case["accept"]:
        run(case)
    else:
        with pytest.raises(REFUSED):
            run(case)


def test_the_published_note_of_go_verifies():
    verified = verify_note(PETERS_NOTE.encode(), [NoteKey.parse(PETER)])
    assert verified.text.startswith("If you think")
    assert [key.name for key, moment in verified.signed_by if moment is None] == ["PeterNeumann"]


@pytest.mark.parametrize("text", [POEM, SOFA, PETERS_NOTE])
def test_the_published_examples_have_one_spelling(text):
    assert parse_note(text.encode()).to_bytes() == text.encode()
    with pytest.raises(ProofError):
        verify_note(text.encode(), [NoteKey.of_log(KEY.public)])


def test_a_cosignature_of_the_specification_says_when():
    witness = parse_note(SOFA.encode()).signatures[1]
    assert witness.name == "witness.example.com/w1"
    assert int.from_bytes(witness.value[:8]) == 1679315147
    assert len(witness.value) == 72


def test_no_bit_of_a_note_can_be_changed():
    key = NoteKey.of_log(KEY.public)
    data = sign_note("ed è subito sera\n\nfine\n", KEY).to_bytes()
    verify_note(data, [key])
    for changed in flips(data):
        with pytest.raises(REFUSED):
            verify_note(changed, [key])


def test_a_bad_line_of_a_known_key_condemns_the_note_also_beside_a_good_one():
    good = sign_note("text\n", KEY)
    bad = Signature(good.signatures[0].name, good.signatures[0].key_id, bytes(64))
    other = sign_note("text\n", OTHER_KEY).signatures[0]
    known = [NoteKey.of_log(KEY.public)]
    for signatures in ((*good.signatures, bad), (bad, *good.signatures), (other, *good.signatures, bad)):
        with pytest.raises(ProofError):
            verify_note(Note("text\n", signatures).to_bytes(), known)
    verify_note(Note("text\n", (other, *good.signatures)).to_bytes(), known)


def test_sixteen_signatures_and_more_are_read_and_a_hundred_and_one_are_not():
    line = sign_note("text\n", KEY).signatures[0]
    known = [NoteKey.of_log(KEY.public)]
    for count in (16, 100):
        verify_note(Note("text\n", (line,) * count).to_bytes(), known)
    with pytest.raises(MalformedError):
        parse_note(Note("text\n", (line,) * 101).to_bytes())
    with pytest.raises(MalformedError):
        parse_note(b"x" * 1_000_001)


def test_a_cosignature_is_made_and_verified_with_its_time():
    note = cosign_note(sign_note("log\n1\nroot\n", KEY), "witness.example/w", OTHER_KEY, 1679315147)
    witness = NoteKey("witness.example/w", NOTE_COSIGNATURE, OTHER_KEY.public)
    verified = verify_note(note.to_bytes(), [NoteKey.of_log(KEY.public), witness])
    assert dict(verified.signed_by) == {NoteKey.of_log(KEY.public): None, witness: 1679315147}
    assert NoteKey.parse(str(witness)) == witness
    late = Signature(witness.name, witness.key_id, bytes([255]) + note.signatures[1].value[1:])
    for value in (late, Signature(witness.name, witness.key_id, note.signatures[1].value[:7])):
        with pytest.raises(ProofError):
            verify_note(Note(note.text, (value,)).to_bytes(), [witness])
    # The same key under 0x01 is another key: its time would be read as part of a signature.
    with pytest.raises(ProofError):
        verify_note(note.to_bytes(), [NoteKey("witness.example/w", 1, OTHER_KEY.public)])
    for name, moment in (("w w", 0), ("", 0), ("w", -1), ("w", 2**63)):
        with pytest.raises(MalformedError):
            cosign_note(note, name, OTHER_KEY, moment)


@pytest.mark.parametrize(
    "text", ["no newline", "a\n\n\u2014 name AAAAAAA=", "tab\t\n", "nul\0\n", "return\r\n", ""]
)
def test_what_could_not_be_read_back_is_not_signed(text):
    with pytest.raises(MalformedError):
        sign_note(text, KEY)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@settings(max_examples=150, deadline=None)
def test_arbitrary_bytes_parse_in_one_spelling_or_are_malformed(data):
    for whole in (data, data + b"\n\n\xe2\x80\x94 name AAAAAAA=\n"):
        try:
            note = parse_note(whole)
        except MalformedError:
            continue
        assert note.to_bytes() == whole


@given(st.text(max_size=80))
@settings(max_examples=100, deadline=None)
def test_arbitrary_text_is_a_verifier_key_in_one_spelling_or_malformed(text):
    for vkey in (text, f"{text}+00000000+AQ==", f"{text}+00000000+" + base64.b64encode(bytes(33)).decode()):
        try:
            key = NoteKey.parse(vkey)
        except MalformedError:
            continue
        assert str(key) == vkey


@pytest.mark.parametrize(
    "text", ["", "AA", "AA=", "AB==", "AA==\n", " AA==", "AA==AA==", "A", "=", "AAA_", "é"]
)
def test_base64_has_one_spelling(text):
    with pytest.raises(MalformedError):
        decode_base64(text)


def test_a_key_of_small_order_is_no_key():
    point_of_order_4 = bytes(32)
    with pytest.raises(MalformedError):
        PublicKey(point_of_order_4)
