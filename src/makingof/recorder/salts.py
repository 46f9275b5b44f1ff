"""Salts, drawn from the system many at a time: each draw by itself may wait for threads that hash."""

import os
import secrets
import threading

from makingof.part import SALT_BYTES

_DRAWN_AT_ONCE = 256


class _Reserve(threading.local):
    """What one thread has drawn and not given out. Another process has nothing of it."""

    def __init__(self) -> None:
        self.left: list[str] = []
        self.process = os.getpid()


_reserve = _Reserve()


def new_salt() -> str:
    """Return 16 random bytes in hex that were never given out before, in this process or one it forked."""
    if not _reserve.left or _reserve.process != os.getpid():
        drawn = secrets.token_bytes(SALT_BYTES * _DRAWN_AT_ONCE).hex()
        _reserve.left = [drawn[at : at + 2 * SALT_BYTES] for at in range(0, len(drawn), 2 * SALT_BYTES)]
        _reserve.process = os.getpid()
    return _reserve.left.pop()
