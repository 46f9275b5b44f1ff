import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.logs import KEY, OTHER_KEY, flips, leaves_of, plain_head

from makingof.errors import MalformedError, ProofError
from makingof.tlog.checkpoint import (
    Checkpoint,
    parse_checkpoint,
    read_checkpoint,
    sign_checkpoint,
    verify_checkpoint,
)
from makingof.tlog.merkle import EMPTY_HEAD, TreeHead
from makingof.tlog.note import sign_note

HEAD = plain_head(leaves_of(7))
ROOT = base64.b64encode(HEAD.root).decode()


def test_a_checkpoint_is_three_lines_signed_by_its_own_origin():
    data = sign_checkpoint(HEAD, KEY).to_bytes()
    assert data.decode().split("\n")[:4] == [KEY.origin, "7", ROOT, ""]
    assert verify_checkpoint(data, KEY.public) == read_checkpoint(data) == Checkpoint(KEY.origin, HEAD)
    assert sign_checkpoint(HEAD, KEY).to_bytes() == data
    verify_checkpoint(sign_checkpoint(EMPTY_HEAD, KEY).to_bytes(), KEY.public)


def test_no_bit_of_a_checkpoint_can_be_changed():
    for changed in flips(sign_checkpoint(HEAD, KEY).to_bytes()):
        with pytest.raises((MalformedError, ProofError)):
            verify_checkpoint(changed, KEY.public)


def test_a_checkpoint_of_another_log_is_refused():
    with pytest.raises(ProofError):
        verify_checkpoint(sign_checkpoint(HEAD, OTHER_KEY).to_bytes(), KEY.public)
    foreign = sign_note(str(Checkpoint(OTHER_KEY.origin, HEAD)), KEY).to_bytes()
    with pytest.raises(ProofError):
        verify_checkpoint(foreign, KEY.public)


def test_extension_lines_are_read_from_other_logs_and_refused_in_ours():
    text = str(Checkpoint(KEY.origin, HEAD, ("Timestamp: 1679315147",)))
    assert parse_checkpoint(text).extensions == ("Timestamp: 1679315147",)
    assert parse_checkpoint(text).size == 7
    with pytest.raises(ProofError):
        verify_checkpoint(sign_note(text, KEY).to_bytes(), KEY.public)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        f"origin\n7\n{ROOT}",
        f"\n7\n{ROOT}\n",
        f"origin\n7\n{ROOT}\n\n",
        f"origin\n7\n\n{ROOT}\n",
        f"origin\n07\n{ROOT}\n",
        f"origin\n+7\n{ROOT}\n",
        f"origin\n-7\n{ROOT}\n",
        f"origin\n7 \n{ROOT}\n",
        f"origin\n٧\n{ROOT}\n",
        f"origin\n7.0\n{ROOT}\n",
        f"origin\n{2**63}\n{ROOT}\n",
        f"origin\n{'9' * 5000}\n{ROOT}\n",
        f"origin\n7\n{ROOT[:-1]}\n",
        f"origin\n7\n{ROOT.rstrip('=')}\n",
        "origin\n7\nAAAA\n",
        f"origin\n0\n{ROOT}\n",
        "origin\n7\n",
    ],
)
def test_other_spellings_of_a_checkpoint_are_malformed(text):
    with pytest.raises(MalformedError):
        parse_checkpoint(text)


lines = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(lines, st.integers(1, 2**63 - 1), st.binary(min_size=32, max_size=32), st.lists(lines, max_size=3))
@settings(max_examples=80, deadline=None)
def test_parsing_is_the_inverse_of_spelling(origin, size, root, extensions):
    checkpoint = Checkpoint(origin, TreeHead(size, root), tuple(extensions))
    assert parse_checkpoint(str(checkpoint)) == checkpoint


@given(st.text(max_size=120))
@settings(max_examples=80, deadline=None)
def test_arbitrary_text_has_one_spelling_or_is_malformed(text):
    try:
        checkpoint = parse_checkpoint(text)
    except MalformedError:
        return
    assert str(checkpoint) == text
