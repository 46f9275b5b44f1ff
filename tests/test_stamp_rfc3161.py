"""RFC 3161 end to end: a loopback authority is asked, and its answer believed only as far as it holds."""

from datetime import UTC, datetime, timedelta

import pytest

from makingof.clock import SystemClock
from makingof.digest import Digest
from makingof.errors import ProofError
from makingof.stamp.authority import RemoteAuthority
from makingof.stamp.base import Role, Statement, Uncounted
from makingof.stamp.http import HttpFetch
from makingof.stamp.local import LocalAuthority, serve
from makingof.stamp.rfc3161 import verify_token

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class StoppedClock:
    def __init__(self, moment=NOON):
        self.moment = moment

    def now(self):
        return self.moment

    def uptime_ms(self):
        return 0

    def boot_id(self):
        return ""


@pytest.fixture(scope="module")
def local():
    return LocalAuthority("demonstration one", StoppedClock())


@pytest.fixture
def receipt(local):
    with serve(local) as url:
        remote = RemoteAuthority(local.authority(url), HttpFetch(SystemClock()), openssl=None)
        return remote.request(b"a checkpoint")


def test_an_answer_is_verified_and_kept_with_its_query_and_chain(local, receipt):
    statement = verify_token(receipt, [local.authority()], openssl=None)
    assert isinstance(statement, Statement)
    assert statement.at == NOON
    assert (statement.earliest, statement.latest) == (NOON - timedelta(seconds=1), NOON + timedelta(seconds=1))
    assert statement.digest == Digest.of(b"a checkpoint")
    assert [len(receipt.find_beside(role)) for role in (Role.REQUEST, Role.CERTIFICATE)] == [1, 2]


def test_without_a_root_of_the_reader_a_token_counts_for_nothing(receipt):
    assert isinstance(verify_token(receipt, [], openssl=None), Uncounted)


def test_a_token_about_another_message_is_refused(local, receipt):
    other = receipt.__class__(receipt.kind, receipt.authority, Digest.of(b"another"), receipt.data)
    with pytest.raises(ProofError, match="is about"):
        verify_token(other, [local.authority()], openssl=None)
