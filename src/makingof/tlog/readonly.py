"""Why a log can be read and must not be appended to."""

from enum import StrEnum

import msgspec

from makingof.errors import ConflictError, MakingofError, StorageError, UsageError
from makingof.texts import Message, say


class ReadOnlyReason(StrEnum):
    """What stands in the way."""

    NO_KEY = "no_key"  # this user does not have the log's key, or it cannot be read
    NO_MARK = "no_mark"  # the key is here, but not what was last signed with it
    BEHIND_MARK = "behind_mark"  # restored or copied: this machine has signed more than lies here
    DISK = "disk"  # the disk or its folder refuses writing


class ReadOnly(msgspec.Struct, frozen=True):
    """That a log cannot be appended to, and why, for people."""

    reason: ReadOnlyReason
    message: Message

    @property
    def hint(self) -> Message:
        """What can be done about it."""
        return say(f"tlog.{self.reason}_hint")

    def to_error(self) -> MakingofError:
        """Return what an append raises."""
        match self.reason:
            case ReadOnlyReason.NO_KEY:
                return UsageError(self.message, hint=self.hint)
            case ReadOnlyReason.NO_MARK | ReadOnlyReason.BEHIND_MARK:
                return ConflictError(self.message, hint=self.hint)
            case ReadOnlyReason.DISK:
                return StorageError(self.message, hint=self.hint)


def no_key(origin: str) -> ReadOnly:
    return ReadOnly(ReadOnlyReason.NO_KEY, say("tlog.no_key", origin=origin))


def key_unusable(origin: str, reason: object) -> ReadOnly:
    return ReadOnly(ReadOnlyReason.NO_KEY, say("tlog.key_unusable", origin=origin, reason=reason))


def no_mark() -> ReadOnly:
    return ReadOnly(ReadOnlyReason.NO_MARK, say("tlog.no_mark"))


def behind_mark(size: int, mark_size: int) -> ReadOnly:
    return ReadOnly(ReadOnlyReason.BEHIND_MARK, say("tlog.behind_mark", size=size, mark_size=mark_size))


def disk_refuses(reason: object) -> ReadOnly:
    return ReadOnly(ReadOnlyReason.DISK, say("tlog.disk", reason=reason))
