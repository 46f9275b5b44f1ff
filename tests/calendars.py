"""OpenTimestamps on loopback: a calendar that is also an explorer, and blocks of little work."""

import struct
from datetime import UTC, datetime

from opentimestamps.core.notary import BitcoinBlockHeaderAttestation, PendingAttestation
from opentimestamps.core.op import OpAppend, OpPrepend, OpSHA256
from opentimestamps.core.serialize import BytesSerializationContext
from opentimestamps.core.timestamp import Timestamp
from tests.stamping import MESSAGE

from makingof.errors import ProofError
from makingof.stamp.base import Authority, BlockRules, Kind, Role
from makingof.stamp.block import check_work, parse_header
from makingof.stamp.http import HttpFetch
from makingof.stamp.opentimestamps import CalendarAuthority

NONCE = bytes(range(16))
HEIGHT = 900_001
BLOCK_TIME = datetime(2026, 3, 1, 15, tzinfo=UTC)
EASY = 0x207FFFFF  # the target of a chain made for tests: every second hash meets it


def mine(root, *, bits=EASY, at=BLOCK_TIME):
    """Make a header over `root` that meets its target."""
    for nonce in range(1 << 20):
        header = struct.pack("<I32s32sIII", 1, bytes(32), root, int(at.timestamp()), bits, nonce)
        try:
            check_work(parse_header(header))
        except ProofError:
            continue
        return header
    raise AssertionError


def to_bytes(file):
    context = BytesSerializationContext()
    file.serialize(context)
    return context.getbytes()


def branch_bytes(node):
    context = BytesSerializationContext()
    node.serialize(context)
    return context.getbytes()


class Calendar:
    """A calendar and an explorer in one: takes digests, and has a block once `mined`."""

    def __init__(self):
        self.mined = False
        self.commitments = {}
        self.header = None
        self.answers = _Answers(self)

    def submit(self, digest, url):
        node = Timestamp(digest)
        commitment = node.ops.add(OpPrepend(b"calendar")).ops.add(OpSHA256())
        commitment.attestations.add(PendingAttestation(url))
        self.commitments[commitment.msg] = url
        return branch_bytes(node)

    def timestamp(self, commitment):
        if not self.mined or commitment not in self.commitments:
            return None
        node = Timestamp(commitment)
        root = node.ops.add(OpAppend(b"others")).ops.add(OpSHA256()).ops.add(OpSHA256())
        root.attestations.add(BitcoinBlockHeaderAttestation(HEIGHT))
        self.header = mine(root.msg)
        return branch_bytes(node)

    def explore(self, path):
        if self.header is None:
            return None
        block = parse_header(self.header).hash
        pages = {f"/api/block-height/{HEIGHT}": block, f"/api/block/{block}/header": self.header.hex()}
        found = pages.get(path)
        return found and found.encode()


class _Answers(dict):
    def __init__(self, calendar):
        super().__init__()
        self.calendar = calendar
        self.url = ""

    def get(self, path):
        if path == "/digest":
            return lambda body: self.calendar.submit(body, self.url)
        if path.startswith("/timestamp/"):
            return self.calendar.timestamp(bytes.fromhex(path.removeprefix("/timestamp/")))
        return self.calendar.explore(path)


def make_authority(*urls, difficulty=1, known=(), calendars=("127.0.0.1:*",)):
    explorers = tuple(f"{url}/api" for url in urls)
    rules = BlockRules(difficulty, known=known, calendars=calendars, explorers=explorers)
    return Authority("bitcoin", Kind.OTS, "Bitcoin", urls=urls, blocks=rules)


# A header of a chain for tests has less than difficulty 1; the reader may name its hash instead.
def trusting(receipt, *urls):
    header = parse_header(receipt.find_beside(Role.HEADER)[0][4:])
    return make_authority(*urls, known=((HEIGHT, header.hash),))


def submit(authority):
    return CalendarAuthority(authority, HttpFetch(), NONCE).request(MESSAGE)
