"""The reader's trust: what a trust file may say, and that nothing else gives trust."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.stamping import LONG_AGO, make_authority, make_pair, receipt_of, respond

from makingof.digest import Digest
from makingof.errors import MalformedError, UsageError
from makingof.stamp.base import Authority, Kind, Statement, Uncounted
from makingof.stamp.chain import load_certificate, to_der, to_pem
from makingof.stamp.local import make_intermediate
from makingof.stamp.trust import (
    built_in_trust,
    find_bundled_root,
    format_trust,
    load_trust,
    parse_trust,
)
from makingof.stamp.verify import verify_receipt


@pytest.fixture(scope="module")
def pair():
    return make_pair()


def entry(**fields):
    values = {"name": "one", "kind": "rfc3161", "purpose": "time"} | fields
    lines = [
        f"{key} = '''\n{value}'''" if "\n" in str(value) else f"{key} = {value!r}"
        for key, value in values.items()
    ]
    return ("version = 1\n[[authority]]\n" + "\n".join(lines)).encode()


def pem(identity):
    return to_pem([identity.certificate]).decode()


def test_every_authority_built_in_has_its_root_and_two_can_be_asked():
    trust = built_in_trust()
    stampers = [authority for authority in trust.authorities if authority.kind is Kind.RFC3161]
    assert all(authority.roots and authority.urls for authority in stampers)
    assert len({authority.operator for authority in stampers}) >= 2
    assert trust.find("bitcoin").blocks.minimum_difficulty > 10**13
    platforms = [authority.name for authority in trust.authorities if authority.kind is Kind.DEPOSIT]
    assert {"可信时间戳", "天平链", "至信链"} <= set(platforms)


def test_a_bundled_root_is_found_by_its_hash_and_by_nothing_else():
    sha256 = "5d56499be4d2e08bcfcad08a3e38723d50503bde706948e42f55603019e528ae"
    der = find_bundled_root(sha256)
    assert hashlib.sha256(der).hexdigest() == sha256
    assert "IdenTrust" in load_certificate(der).subject.rfc4514_string()
    assert find_bundled_root("0" * 64) is None


def test_an_authority_whose_root_left_certifi_counts_no_more():
    trust = parse_trust(entry(root_sha256=["0" * 64]), name="file")
    assert trust.authorities[0].roots == ()


def test_a_file_of_the_readers_replaces_what_is_built_in(pair, tmp_path):
    root, signer = pair
    (tmp_path / "root.pem").write_text(pem(root))
    path = tmp_path / "trust.toml"
    path.write_bytes(entry(root_file="root.pem", operator="somebody"))
    trust = load_trust(path)
    assert trust.authorities == (
        Authority("one", Kind.RFC3161, "somebody", roots=(to_der(root.certificate),)),
    )
    receipt = receipt_of(respond(signer), certificates=[to_der(root.certificate)])
    assert isinstance(verify_receipt(receipt, trust, openssl=None), Statement)
    assert isinstance(verify_receipt(receipt, built_in_trust(), openssl=None), Uncounted)


def test_a_file_may_keep_what_is_built_in(pair):
    both = parse_trust(b"built_in = true\n" + entry(root=pem(pair[0])), name="file")
    assert next(authority.name for authority in both.authorities) == "one"
    assert len(both.authorities) == len(built_in_trust().authorities) + 1


def test_a_written_file_reads_back(pair):
    authority = make_authority(pair[0], 'quo"ted 名', policies=("1.2.3",))
    text = format_trust([authority], name="demonstration")
    trust = parse_trust(text.encode(), name="file")
    assert trust.authorities == (authority,)
    assert trust.name == "demonstration"


def test_the_digest_names_what_is_trusted_and_not_where_it_was_read(pair):
    one = parse_trust(entry(root=pem(pair[0])), name="a")
    same = parse_trust(entry(root=pem(pair[0]), urls=["http://127.0.0.1/"]), name="b")
    more = parse_trust(entry(root=pem(pair[0]), policies=["1.2.3"]), name="a")
    assert one.digest == same.digest
    assert one.digest != more.digest
    assert Digest.parse(one.digest)


def test_a_root_must_be_self_signed(pair):
    middle = make_intermediate("middle", pair[0], valid_from=LONG_AGO)
    for identity in (middle, pair[1]):
        with pytest.raises(MalformedError, match="not self-signed"):
            parse_trust(entry(root=pem(identity)), name="file")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"version = 2", "version 2"),
        (b"", "version"),
        (b"version = 1\nauthorities = []", "unknown field"),
        (entry(), "has no root"),
        (entry(root="no certificate\n"), "PEM file"),
        (entry(purpose="everything", root="x\n"), "'everything'"),
        (entry(polices=["1.2.3"]), "unknown field"),
        (entry(kind="ntp"), "ntp"),
        (entry(name=" ", root="x\n"), "without a name"),
        (entry(root_file="root.pem"), "no folder"),
        (entry(kind="deposit", root_sha256=["0" * 64]), "has no root"),
        (entry(kind="ots"), "minimum_difficulty"),
        (
            b"version = 1\n[[authority]]\nname='b'\nkind='ots'\npurpose='time'\nblocks={x='00'}",
            "height and a hash",
        ),
        (b"version = [[[", "does not parse"),
        (b"\xff\xfe", "does not parse"),
        (entry(root_sha256=["0" * 64]) + entry(root_sha256=["0" * 64])[11:], "listed twice"),
    ],
)
def test_what_a_trust_file_must_not_say(data, why):
    with pytest.raises(MalformedError, match=why):
        parse_trust(data, name="file")


def test_a_file_that_cannot_be_read_is_the_users_to_mend(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        load_trust(tmp_path / "none.toml")
    (tmp_path / "trust.toml").write_bytes(entry(root_file="none.pem"))
    with pytest.raises(UsageError, match=r"none\.pem"):
        load_trust(tmp_path / "trust.toml")


@given(st.binary(max_size=100) | st.text(max_size=100).map(str.encode))
@settings(max_examples=60)
def test_arbitrary_files_are_read_or_malformed(data):
    try:
        parse_trust(data, name="file")
    except MalformedError:
        return
