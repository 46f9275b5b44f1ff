"""Affirmations: a person signs the names of events said to be theirs, with a key of their own."""

from collections.abc import Sequence

from makingof.digest import Digest
from makingof.keys.signing import PublicKey, SigningKey
from makingof.keys.sshsig import sign_ssh, verify_ssh

NAMESPACE = "makingof-affirm"


def affirmation_statement(origin: str, events: Sequence[Digest]) -> bytes:
    """Return the text that is signed: the log, and each event's name on a line of its own."""
    lines = ["makingof affirmation v1", origin, *events]
    return "".join(f"{line}\n" for line in lines).encode()


def sign_affirmation(key: SigningKey, origin: str, events: Sequence[Digest]) -> bytes:
    """Sign for `events`; the result is an OpenSSH signature that `ssh-keygen -Y verify` checks."""
    return sign_ssh(key, affirmation_statement(origin, events), NAMESPACE)


def verify_affirmation(signature: bytes, public: PublicKey, origin: str, events: Sequence[Digest]) -> None:
    """Return if `signature` by `public` affirms exactly `events`; else raise `ProofError`."""
    verify_ssh(signature, affirmation_statement(origin, events), public, NAMESPACE)
