import hashlib
import io

import pytest

from makingof.digest import Digest
from makingof.errors import MalformedError


def test_a_digest_names_bytes_by_their_sha256():
    assert Digest.of(b"abc") == "sha256:" + hashlib.sha256(b"abc").hexdigest()


def test_a_stream_is_read_to_its_end():
    assert Digest.of_stream(io.BytesIO(b"ab" * 2_000_000)) == (Digest.of(b"ab" * 2_000_000), 4_000_000)


def test_parse_and_raw_read_back():
    digest = Digest.of(b"abc")
    assert Digest.parse(str(digest)) == digest
    assert Digest.from_raw(digest.raw) == digest


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sha256:",
        "sha256:" + "A" * 64,
        "sha256:" + "a" * 63,
        "md5:" + "a" * 64,
        "sha256:" + "a" * 64 + "\n",
        None,
        7,
    ],
)
def test_any_other_spelling_is_refused(text):
    with pytest.raises(MalformedError):
        Digest.parse(text)


def test_raw_bytes_of_another_length_are_refused():
    with pytest.raises(MalformedError):
        Digest.from_raw(b"\0" * 31)
