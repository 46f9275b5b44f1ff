"""One changed byte anywhere is caught. The integration tests try all of them, these a part."""

import hashlib

import pytest
from tests.flips import TRUST, check, flipped, flips_in_place, flips_signed_again, small_package
from tests.packages import unpack

from makingof.bundle.manifest import parse_manifest
from makingof.errors import MalformedError

PACKAGE = small_package()


def test_the_package_is_sound_and_dated():
    report = check(PACKAGE, TRUST)
    report.require()
    assert report.dated[0].bounds.not_after.at is not None


def test_every_byte_is_under_a_digest_or_makes_a_list_of_digests_another():
    files = unpack(PACKAGE)
    listed = {}
    for name in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        listed |= parse_manifest(files[name], name)
    for name, data in files.items():
        for at in range(len(data)):
            bad = flipped(data, at)
            if name in listed:
                assert hashlib.sha256(bad).hexdigest() != listed[name]
            else:
                assert name == "tagmanifest-sha256.txt"


def test_a_byte_changed_in_any_file_is_caught():
    for name, at, package in flips_in_place(PACKAGE, step=419):
        assert check(package).failures, (name, at)


def test_every_byte_of_the_list_nobody_lists_is_caught():
    tags = unpack(PACKAGE)["tagmanifest-sha256.txt"]
    for at in range(len(tags)):
        bad = flipped(tags, at)
        try:
            assert parse_manifest(bad, "x") != parse_manifest(tags, "x")
        except MalformedError:
            continue


def test_a_byte_of_what_the_log_commits_to_is_caught_even_when_its_owner_signs_again():
    for name, at, package in flips_signed_again(PACKAGE, step=83):
        assert check(package).failures, (name, at)


@pytest.mark.parametrize("mask", [0x20, 0x80])
def test_other_bits_are_caught_too(mask):
    files = unpack(PACKAGE)
    for name in ("data/log/checkpoint", "manifest-sha256.txt.sig", "data/log/ranges"):
        for at in range(0, len(files[name]), 41):
            start = PACKAGE.index(files[name])
            assert check(flipped(PACKAGE, start + at, mask)).failures, (name, at)
